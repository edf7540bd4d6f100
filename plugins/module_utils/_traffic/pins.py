# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marked sessions of a pool that is about to have no pods: without them it gives no 404, which tells clients to start anew, but the gateway a 503."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict, NotFound
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server, other
from ansible_collections.mcp.server.plugins.module_utils._traffic import plan
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

ATTEMPTS = 5


def let_go(cluster: t.Any, server: Server, pool: str, *, dry_run: bool) -> bool:
    """Sends the pool's sessions to the other pool when that has all the weight; whether that was a change. Raises Failure."""
    kind = kind_of(server)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            route = kind.read(cluster, server)
        except NotFound:
            return False  # nobody is led to the pool
        if not kind.marked(route, server):
            return False
        weights = kind.weights(route, server)
        if plan.whole(weights) != other(pool):
            return False
        try:
            return kind.unpinned().write(cluster, server, route, weights, dry_run=dry_run)[0]
        except Conflict:
            if attempt == ATTEMPTS:
                raise
    return False
