# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other controllers do a moment after pods are ready: endpoints, and what a gateway knows. After an outage of the API server the moment is minutes."""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Task

MOMENT = 5.0  # seconds that endpoints usually take, at most
POLL = 0.05
# Seconds after which every controller has asked an API server again that was away: client-go pauses for up to 30, and as long again by chance
PAUSES = 60.0
# Seconds after which it has also tried again what failed as it did not know all yet: by then that is after up to a minute
TRIES = 3 * PAUSES


def endpoints(task: Task, cluster: Api, server: Server, pool: str, wanted: int) -> int:
    """How many ready endpoints the pool has: as soon as they are so many, or when the time that they may take is over."""
    bound = Deadline(max(MOMENT, TRIES - outage.current().ago))
    said = 0.0
    while (ready := server.ready_endpoints(cluster, pool)) < wanted:
        if bound.elapsed >= MOMENT and bound.elapsed - said >= outage.EVERY:
            said = bound.elapsed
            task.check_lease()
            task.progress(
                f"{pool}: {ready} of {wanted} endpoints; after an outage of the API server they may take {bound.left:.0f} s more"
            )
        if not bound.pause(POLL if bound.elapsed < MOMENT else outage.PAUSE):
            break
    return ready


def gateway(task: Task, pool: str) -> None:
    """Waits until a gateway's controller knows of pods that got ready while the API server was away.

    If it heard of the pool's weight before, clients would get a 503; and nothing in the cluster tells what it has heard of.
    """
    bound = Deadline(PAUSES - outage.current().ago)
    while bound.left:
        task.check_lease()
        task.progress(
            f"{pool}: the API server was away; the gateway may not know of the new pods for {bound.left:.0f} s more"
        )
        bound.pause(outage.EVERY)
