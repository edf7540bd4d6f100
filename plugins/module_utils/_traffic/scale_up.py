# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The good pool of an emergency has no pod that can answer: it is scaled up first, if it can be.

The traffic waits for half of the pods: the first one alone would get what all are
needed for and may fall over, and the last one is not worth a longer outage. When no
more can come up, those that are ready will do.
"""

from __future__ import annotations

from contextlib import ExitStack

from ansible_collections.mcp.server.plugins.module_utils._server import other
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import pool_change
from ansible_collections.mcp.server.plugins.module_utils._traffic.emergency_lease import renew_lease, without_run_id
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift
from ansible_collections.mcp.server.plugins.module_utils._workload import convergence, rollout


def min_ready(planned: int) -> int:
    """How many of the planned pods must be ready before the traffic comes."""
    return (planned + 1) // 2


def announcement(pool: str, has: int, planned: int, seconds: float | None, bound: float) -> str:
    """What is said before the wait: what is done, and how long that will take."""
    done = f"is scaled up from {has} to {planned} pods" if has < planned else f"has {has} pods, which are waited for"
    known = f"a rollout of this server took {seconds:.0f} s" if seconds else "how long its pods take is not recorded"
    when = f"the traffic follows when {min_ready(planned)} of them can answer, after {bound:.0f} s at most"
    return f"pool {pool} has no ready endpoint: it {done}; {when}; {known}"


def scale_up(shift: Shift, pool: str, planned: int, seconds: float | None) -> None:
    """Scales the pool up to what is planned (0 when not known: to the other pool's size), and waits until it can take the traffic.

    seconds: how long that took at a release, None when not known. Raises Failure
    when it can't come up, as soon as the cluster knows.
    """
    task, server = shift.task, shift.server
    try:
        _image, has = server.image(shift.cluster, pool)
        planned = max(has, planned or server.image(shift.cluster, other(pool))[1], 1)
        patience = Deadline(task.params["start_timeout"])
        task.progress(announcement(pool, has, planned, seconds, patience.seconds))
        result, stale = pool_change.change(without_run_id(task), shift.cluster, server, pool, replicas=planned)
        shift.result["scaled_up"] = {
            "from": has,
            "to": result["replicas"],
            "expected_seconds": seconds,
            "seconds": None,
        }
        if task.check_mode:
            return
        with ExitStack() as held:
            renew_lease(shift, held)
            view = rollout.View(shift.cluster, server, pool, task.params["ready_grace"], stale)
            ready = rollout.wait(view, patience, task.progress, min_ready(result["replicas"])).ready
            if not convergence.endpoints(task, shift.cluster, server, pool, 1):
                raise Failure(
                    f"Its pods are ready, but Service {server.service(pool)} has no endpoint: see its selector."
                )
    except Failure as failure:
        raise Failure(
            f"No rollback of {server}: pool {pool} has no ready endpoint and does not come up. {failure.msg} Traffic is where it was; "
            "name a version that runs (-e mcp_rollback_version=...), or set force to send the traffic there all the same.",
            **{**shift.result, **failure.evidence},
        ) from None
    shift.result["scaled_up"]["seconds"] = round(patience.elapsed, 3)
    task.progress(f"pool {pool}: {ready} of {result['replicas']} pods can answer after {patience.elapsed:.1f} s")
