# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a pod of each pool what its serverInfo is: where these differ, answers that have it name their pool."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp.pool_probe import probe_pool
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import naming, share


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
    info = probe_pool(cluster, server, pool, params)["server_info"]
    return share.name_and_version(info) if info else None
