# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a pod of each pool what its serverInfo is: where these differ, answers that have it name their pool."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import naming, share
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

TIMEOUT = 15.0  # seconds for one pod
STEP_TIMEOUT = 5.0  # seconds for each step of that


def differing(cluster: Api, server: Server, params: dict[str, t.Any]) -> dict[tuple[str, str], str]:
    """Return the pool of each serverInfo, see naming.pools_of(); nothing where pods can't be asked."""
    infos: dict[str, tuple[str, str] | None] = dict.fromkeys(POOLS)
    for pool in POOLS:
        try:
            infos[pool] = _server_info(cluster, server, params, pool)
        except Failure:
            break
    return naming.pools_of(infos)


def _server_info(cluster: Api, server: Server, params: dict[str, t.Any], pool: str) -> tuple[str, str] | None:
    pod = targets.pods_of_pool(cluster, server, pool)[0]
    port = server.port_in(cluster, pod, pool)
    asked = endpoint.in_pod(cluster, server.namespace, name_of(pod), port, params["endpoint"], f"pool {pool}")
    credentials = targets.credentials_of(params)
    found = probe(asked, Settings(AUTO, TIMEOUT, STEP_TIMEOUT, lists=(), credentials=credentials))
    return share.name_and_version(found["server_info"]) if found["server_info"] else None
