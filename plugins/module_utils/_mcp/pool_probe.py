# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask one pod of a pool what kind of server it is, by a handshake alone."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import BY_DEFAULT
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._server import Server

TIMEOUT = 15.0  # seconds
STEP_TIMEOUT = 5.0  # seconds for each step of that


def probe_pool(cluster: Api, server: Server, pool: str, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what probe() finds of the pool's first ready pod. Raise NoneReady, and Failure.

    params: of the task, with endpoint and auth.
    """
    pod = targets.in_pool(cluster, server, targets.pods_of_pool(cluster, server, pool)[0], pool, params)
    # Whether its health path answers is not what is asked here.
    asked = replace(pod, answering=BY_DEFAULT)
    credentials = targets.credentials_of(params)
    return probe(asked, Settings(AUTO, TIMEOUT, STEP_TIMEOUT, lists=(), credentials=credentials))
