# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the four kinds of check are given and give."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._server import Server


@dataclass(frozen=True)
class Context:
    """The release that is checked.

    pool, version: what has the traffic now. endpoint, auth, era: options as mcp_health has them.
    """

    cluster: Api
    server: Server
    pool: str
    version: str
    endpoint: dict[str, t.Any] | None
    auth: dict[str, t.Any] | None = None
    era: str = AUTO


@dataclass(frozen=True)
class Verdict:
    """reason: why a check fails, empty when it passes. output: the end of what its command wrote."""

    reason: str = ""
    output: str = ""
