# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The input and the result of the four kinds of check."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._server import Server


@dataclass(frozen=True)
class Context:
    """The release, or the server, that is checked."""

    cluster: Api
    server: Server
    pool: str  # that has the traffic; either, of a server without pools
    version: str  # of that pool; empty when it is not known
    endpoint: dict[str, t.Any] | None  # this option and the next two as in mcp_health; without a URL, a pod is asked
    auth: dict[str, t.Any] | None = None
    era: str = AUTO
    image_ref: str = ""  # by its digest; empty where it does not matter


@dataclass(frozen=True)
class Verdict:
    """The result of one check."""

    reason: str = ""  # of the failure; empty when the check passed
    output: str = ""  # the end of what its command wrote
