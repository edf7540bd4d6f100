# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convergence: wait until other controllers know that pods are ready (endpoints, and the configuration of a gateway).

They take a moment; after an outage of the API server it is minutes.
"""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Task

MOMENT = 5.0  # seconds within which endpoints usually follow
POLL = 0.05
# Seconds after an outage within which every controller has asked the API server again: client-go pauses for up to
# 30 s, and adds up to as much by chance.
PAUSES = 60.0
# Seconds within which it has also retried what failed because its knowledge was incomplete, after up to a minute.
TRIES = 3 * PAUSES


def endpoints(task: Task, cluster: Api, server: Server, pool: str, wanted: int) -> int:
    """Wait for C(wanted) ready endpoints of the pool, for as long as they may take; return how many there are."""
    bound = Deadline(max(MOMENT, TRIES - outage.current().ago))
    shown_at = 0.0
    while (ready := server.ready_endpoints(cluster, pool)) < wanted:
        if bound.left and bound.elapsed >= MOMENT and bound.elapsed - shown_at >= outage.EVERY:
            shown_at = bound.elapsed
            task.check_lease()
            task.progress(
                f"{pool}: {ready} of {wanted} endpoints are ready; "
                f"after the outage of the API server they may take {bound.left:.0f} s more"
            )
        if not bound.pause(POLL if bound.elapsed < MOMENT else outage.PAUSE):
            break
    return ready


def gateway(task: Task, pool: str) -> None:
    """Wait until a gateway's controller must know the pods that became ready during an outage of the API server.

    Clients would get a 503 if it learned of the pool's weight first, and nothing in the cluster shows what it knows.
    """
    bound = Deadline(PAUSES - outage.current().ago)
    while bound.left:
        task.check_lease()
        task.progress(
            f"{pool}: after the outage of the API server, the gateway may take {bound.left:.0f} s more to learn of the "
            "new pods"
        )
        bound.pause(outage.EVERY)
