# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End the session affinity of a pool that is about to have no pods.

Without pods nothing answers marked sessions with the 404 at which clients start new ones: they get the gateway's 503.
"""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence, pools
from ansible_collections.mcp.server.plugins.module_utils._server import Server, other
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of


def drop(cluster: Api, server: Server, pool: str, run: str | None = None, *, dry_run: bool) -> bool:
    """Send the pool's marked sessions to the other pool when that has all the weight; return whether that was a change.

    run: the id of the run that writes, None outside of one. Raises LeaseLost when it was taken over, and Failure.
    """
    kind = kind_of(server)

    def attempt() -> bool:
        try:
            route = kind.read(cluster, server)
        except NotFound:
            return False  # no route leads to the pool
        if not kind.has_affinity(route, server):
            return False
        weights = kind.weights(route, server)
        if pools.whole(weights) != other(pool):
            return False
        fence.check(cluster, server, run, dry_run=dry_run)
        return kind.without_affinity().write(cluster, server, route, weights, dry_run=dry_run)[0]

    return on_conflict(attempt, cluster.patience)
