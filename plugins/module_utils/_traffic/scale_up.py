# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scale up the pool that an emergency returns to, when it has no ready endpoint.

The traffic waits for half of the pods: the first one alone would get the load of all and may fall over, and the last
one is not worth a longer outage. When no more can become ready, the traffic goes to those that are.

An image whose digest is gone from its registry is deployed by its tag: once, and only when the pods report that, since
an emergency does not ask the registry. A run that was killed in between finds the pods as they are, and goes on there.
When the tag is gone too, the registry may be the one in trouble: the workload gets its digest back.
"""

from __future__ import annotations

import time
import typing as t
from contextlib import ExitStack

from ansible_collections.mcp.server.plugins.module_utils._image import by_tag, digest_gone, gone_sentence
from ansible_collections.mcp.server.plugins.module_utils._server import other
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost
from ansible_collections.mcp.server.plugins.module_utils._traffic import blocked_pods, pool_change
from ansible_collections.mcp.server.plugins.module_utils._traffic.emergency_lease import renew_lease, without_run_id
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift
from ansible_collections.mcp.server.plugins.module_utils._workload import convergence, rollout
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import Object


def min_ready(planned: int) -> int:
    """Return how many of the planned pods must be ready before the traffic comes."""
    return (planned + 1) // 2


def announcement(pool: str, has: int, planned: int, seconds: float | None, bound: float) -> str:
    """Return the line of progress before the wait.

    has, planned: pods. seconds: how long a rollout took, None when not known. bound: seconds that the wait may take.
    """
    done = f"scaling it up from {has} to {planned} pods" if has < planned else f"waiting for its {has} pods"
    before = f"a rollout of this server took {seconds:.0f} s" if seconds else "no rollout time is recorded"
    enough = min_ready(planned)
    when = f"traffic follows once {enough} {'pod is' if enough == 1 else 'pods are'} ready, within {bound:.0f} s"
    return f"pool {pool} has no ready endpoint: {done}; {when}; {before}"


def scale_up(shift: Shift, pool: str, planned: int, seconds: float | None) -> None:
    """Scale the pool up, and wait until it can take the traffic.

    planned: pods, 0 when not known, which takes the other pool's size. seconds: how long a rollout took at a release,
    None when not known. Raises Failure when the pool can't become ready, as soon as the cluster reports that.
    """
    task, server = shift.task, shift.server
    try:
        _image, has = server.image(shift.cluster, pool)
        planned = max(has, planned or server.image(shift.cluster, other(pool))[1], 1)
        patience = Deadline(task.params["start_timeout"])
        task.progress(announcement(pool, has, planned, seconds, patience.seconds))
        began = time.monotonic()
        result, stale = pool_change.change(without_run_id(task), shift.cluster, server, pool, replicas=planned)
        shift.result["scaled_up"] = {
            "from": has,
            "to": result["replicas"],
            "expected_seconds": seconds,
            "seconds": None,
        }
        if task.check_mode:
            return
        with ExitStack() as stack:
            renew_lease(shift, stack)
            try:
                ready = _await_pods(shift, pool, result, stale, began, patience)
            except rollout.ImageGone as gone:
                began, by_digest = time.monotonic(), result["image_ref"]
                result, stale = _deploy_by_tag(shift, pool, by_digest, gone)
                try:
                    ready = _await_pods(shift, pool, result, stale, began, patience)
                except rollout.ImageGone:
                    _deploy_by_digest_again(shift, pool, by_digest)
                    raise
            if not convergence.endpoints(task, shift.cluster, server, pool, 1):
                raise Failure(
                    f"Its pods are ready, but Service {server.service(pool)} has no endpoint. Check its selector."
                )
    except LeaseLost:
        raise  # the other run may have shifted the traffic
    except Failure as failure:
        raise Failure(
            f"Cannot roll back {server}: pool {pool} has no ready endpoint and does not come up. {failure.msg} "
            "The traffic was not shifted. Name a version that runs (-e mcp_rollback_version=...), or set force to "
            "shift the traffic to this pool regardless.",
            **{**shift.result, **failure.evidence},
        ) from None
    shift.result["scaled_up"]["seconds"] = round(patience.elapsed, 3)
    task.progress(f"pool {pool}: {ready} of {result['replicas']} pods ready after {patience.elapsed:.1f} s")


def _await_pods(
    shift: Shift, pool: str, changed: dict[str, t.Any], stale: Object | None, began: float, patience: Deadline
) -> int:
    """Wait until enough pods are ready; return how many are. Raises ImageGone, and Failure.

    changed, stale: what pool_change.change() returned. began: when it was called, on the monotonic clock.
    """
    task = shift.task
    ago = time.monotonic() - began if changed["changed"] else None
    view = rollout.View(shift.cluster, shift.server, pool, task.params["ready_grace"], stale, changed_ago=ago)
    unblock = blocked_pods.remover(task, shift.cluster, shift.server, pool, changed, None, patience)
    return rollout.wait(view, patience, task.progress, min_ready(changed["replicas"]), unblock).ready


def _deploy_by_tag(
    shift: Shift, pool: str, image_ref: str, gone: rollout.ImageGone
) -> tuple[dict[str, t.Any], Object | None]:
    """Give the pool the tag of an image whose digest is gone; return the same as pool_change.change().

    Another image, which somebody deployed meanwhile, is left as it is. Raises C(gone) when the image has no digest, or
    no tag.
    """
    task, (has, _replicas) = without_run_id(shift.task), shift.server.image(shift.cluster, pool)
    if has != image_ref:
        shift.task.progress(f"pool {pool} runs {has} now, not {image_ref}: waiting for that")
        return pool_change.change(task, shift.cluster, shift.server, pool)
    tagged = by_tag(image_ref)
    if not tagged:
        raise gone
    changed = pool_change.change(task, shift.cluster, shift.server, pool, image_ref=tagged)
    shift.result["digest_gone"] = digest_gone(image_ref, tagged)
    shift.task.progress(f"pool {pool} can't pull {image_ref}: deploying {tagged}")
    shift.task.warn(gone_sentence("The image registry", image_ref))
    return changed


def _deploy_by_digest_again(shift: Shift, pool: str, image_ref: str) -> None:
    """Give the pool its digest back, unless somebody has deployed another image. Failing to is a warning."""
    tagged = by_tag(image_ref)
    try:
        if shift.server.image(shift.cluster, pool)[0] != tagged:
            return
        shift.task.progress(f"pool {pool} can't pull {tagged} either: deploying {image_ref} again")
        pool_change.change(without_run_id(shift.task), shift.cluster, shift.server, pool, image_ref=image_ref)
        shift.result["digest_gone"] = ""
    except Failure as failure:
        shift.task.warn(f"Pool {pool} of {shift.server} keeps {tagged}. {failure.msg}")
