# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emergency's one call: the traffic back to where it was, at once."""

from __future__ import annotations

import functools
import typing as t
from contextlib import ExitStack

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import pools, record, runner
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, bounded, started
from ansible_collections.mcp.server.plugins.module_utils._traffic import revert_monitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.emergency_lease import (
    acquire_beside,
    renew_lease,
    return_lease,
    without_run_id,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import (
    OPTIONAL_TIMEOUT,
    Shift,
    step,
    text,
    update_record,
)

SESSIONS_TIMEOUT = 2.0  # seconds that counting the sessions of the bad pool may take, afterwards
RECORD_TIMEOUT = 3.0  # seconds that the release record may take where others wait for this one
NOT_VERIFIED = "not_verified"
LEASE_WAIT = 1.0  # seconds that the weights wait for the Lease once all is read
SECOND_LOOK_TIMEOUT = 15.0  # seconds for a second look at the good pool's endpoints: traffic to an empty one is lost
READ_TIMEOUT = (
    outage.LONGEST + 1
)  # seconds after which what is read beside the route has seen the end of an outage, too


class _Rollback(t.NamedTuple):
    """What is done.

    good: the pool to return to. known: the release that is rolled back, or what stands for it. planned: the good pool's size
    before it, 0 when not known. empty: whether that pool has no ready endpoint; unknown: whether that could not be read.
    recorded: whether the record says already that the traffic is back, and was verified.
    """

    before: Weights
    wanted: Weights
    good: pools.Stable
    known: record.Release
    planned: int
    rollout_seconds: float | None
    empty: bool
    unknown: bool
    recorded: bool
    reason: str
    at: t.Callable[[], str]

    def end(self, release_record: record.ReleaseRecord) -> record.ReleaseRecord:
        return ended(release_record, self.known, self.at(), self.reason)


def roll_back(shift: Shift) -> dict[str, t.Any]:
    """The emergency: weights first, from as few reads as tell the pool; all that is known of the bad pool can wait."""
    hold = acquire_beside(shift)
    try:
        it = _prepare(shift)
    except Failure:
        return_lease(shift, hold)
        raise
    hold(LEASE_WAIT)  # before the weights, so that a release that goes on elsewhere does not write its own after them
    if it.empty or (it.unknown and _is_empty(shift, it.good.pool)):
        # Only here: an emergency waits for imports.
        from ansible_collections.mcp.server.plugins.module_utils._traffic import scale_up

        scale_up.scale_up(shift, it.good.pool, it.planned, it.rollout_seconds)
    undone = revert_monitor.RevertMonitor(shift, it.wanted, it.good)
    undone.since_sent()
    _write(shift, it)
    hold(OPTIONAL_TIMEOUT, last=True)
    if it.good.named:
        shift.task.warn(
            f"Pool {other(it.good.pool)} keeps its pods: it counts as the bad one only because pool {it.good.pool} was named."
        )
    if not shift.task.check_mode:
        _verify(shift, it, undone)
    return shift.result


def send_back(shift: Shift) -> dict[str, t.Any]:
    """The emergency without all that takes time: the weights, or nothing and why. What is left is roll_back's, which comes after it."""
    shift.result["written"] = False
    hold = acquire_beside(shift)
    try:
        it = _prepare(shift)
        hold(LEASE_WAIT)
        if it.empty or it.unknown:
            known = "has no ready endpoint" if it.empty else "may have no ready endpoint, which could not be read"
            shift.result["msg"] = f"Pool {it.good.pool} of {shift.server} {known}; the weights stay until it has."
        else:
            _write(shift, it)
            if not shift.task.check_mode:
                update_record(shift, it.end, RECORD_TIMEOUT)
    except (Conflict, Unreachable) as failure:
        shift.result["msg"] = f"The weights are not written yet. {failure.msg}"
    except Failure:
        return_lease(shift, hold)
        raise
    hold(0.0, last=True)
    if "msg" in shift.result:
        shift.task.progress(shift.result["msg"])
    return shift.result


def _prepare(shift: Shift) -> _Rollback:
    """Find out where the traffic goes back to. Raises Failure."""
    server, params = shift.server, shift.task.params
    before, release_record, ready = _read(shift)
    current = release_record.current if release_record else None
    good = pools.rollback_target(current, shift.stable, params["rollback_pool"])
    if good is None:
        if release_record is None and not params["wait"]:
            raise Unreachable(f"The release record of {server} was not read, and nothing else says which pool is good.")
        raise Failure(_which_pool(server, before, ready), before=before, ready=ready)
    wanted = pools.split(good.pool, 100)
    known = current if current and current["from"]["pool"] == good.pool else _unrecorded(server, before, good)
    gitops = revert_monitor.managed_by(shift)
    shift.result |= {
        "pool": good.pool,
        "bad_pool": other(good.pool),
        "scale_down": not (good.named or gitops),
        "gitops": gitops,
        "reverted": [],
    }
    shift.result["version"] = str(known["from"].get("version") or "")
    # Anybody may have edited it.
    planned, last = known["from"].get("replicas"), (known["steps"] or [None])[-1]
    return _Rollback(
        before,
        wanted,
        good,
        known,
        planned if isinstance(planned, int) else 0,
        _rollout_seconds(release_record, good.pool),
        empty=not params["force"] and ready[good.pool] == 0,
        unknown=not params["force"] and ready[good.pool] is None and bool(pools.gaining(before, wanted)),
        recorded=isinstance(last, dict) and last.get("weights") == wanted and last.get("verdict") != NOT_VERIFIED,
        reason=params["reason"],
        at=functools.partial(record.now, shift.cluster),
    )


def _is_empty(shift: Shift, pool: str) -> bool:
    """Look again, for longer, at a pool whose endpoints could not be read beside the rest; not empty when that can't be told."""
    try:
        return not bounded(lambda: shift.server.ready_endpoints(shift.cluster, pool), SECOND_LOOK_TIMEOUT)
    except (Failure, TimeoutError):
        return False


def _rollout_seconds(release_record: record.ReleaseRecord | None, pool: str) -> float | None:
    try:
        return record.rollout_seconds(release_record, pool) if release_record else None
    except (AttributeError, KeyError, TypeError):
        return None


def _write(shift: Shift, it: _Rollback) -> None:
    # Marked sessions of the bad pool go too: the good one answers 404, at which their clients start anew.
    shift.keeps_affinity = False
    if it.before != it.wanted:
        revert_monitor.announce(shift)
    shift.write(it.before, it.wanted, it.good)
    shift.result["written"] = not shift.task.check_mode


def _verify(shift: Shift, it: _Rollback, undone: revert_monitor.RevertMonitor) -> None:
    """Wait until the traffic follows, also when another task wrote the weights and left that to this one."""
    fresh = shift.result["changed"] or not it.recorded

    def meanwhile() -> None:
        # At once, not after the verification: a second rollback must not take this one for the release.
        update_record(shift, it.end, OPTIONAL_TIMEOUT)
        if fresh:
            _full_size(shift, it.good.pool, it.planned)
        renew_lease(shift, held)

    def add_step(verdict: str) -> None:
        if fresh:
            taken = step(shift, verdict)
            update_record(shift, lambda release_record: record.add_step(it.end(release_record), taken))

    with ExitStack() as held:
        try:
            undone.verify(meanwhile)
            _refuse_other_version(shift)
        except LeaseLost:
            raise
        except Failure:
            add_step(NOT_VERIFIED)
            raise
        add_step("followed" if shift.public else "not_measured")
        _report_sessions(shift)
        shift.task.traffic_back()
        undone.watch()


def _read(shift: Shift) -> tuple[Weights, record.ReleaseRecord | None, dict[str, int | None]]:
    """Return the weights, the record, and how many endpoints of each pool are ready; None for what can't be read.

    Side by side, since an API server in trouble takes seconds for each. What is not the route is waited for no longer than for one request.
    """
    cluster, server, bound = shift.cluster, shift.server, Deadline(shift.task.params["api_timeout"])
    reading = started(lambda: record.read(cluster, server)[0])
    counting = {pool: started(functools.partial(server.ready_endpoints, cluster, pool)) for pool in POOLS}
    before = shift.read()

    def await_(wait: t.Callable[[float], t.Any], missing: str, needed: bool = False) -> t.Any:
        try:
            try:
                return wait(max(bound.left, READ_TIMEOUT))
            except TimeoutError:
                if not needed:
                    raise
            return wait(shift.task.params["api_retry_timeout"])
        except Exception as error:  # whatever anybody wrote there
            shift.task.warn(f"{missing} {getattr(error, 'msg', None) or f'{type(error).__name__}: {error}'}")
            return None

    alone = shift.stable is None and not shift.task.params["rollback_pool"]  # nothing else says where it goes
    release_record = await_(
        reading, f"The release record of {server} was not read; what is noted on the route counts.", needed=alone
    )
    return (
        before,
        release_record,
        {
            pool: await_(wait, f"Whether pool {pool} has ready endpoints is not known.")
            for pool, wait in counting.items()
        },
    )


def _which_pool(server: Server, before: Weights, ready: dict[str, int | None]) -> str:
    endpoints = ", ".join(f"{pool} {'an unknown number' if count is None else count}" for pool, count in ready.items())
    commands = " or ".join(f"ansible-playbook rollback.yml -e mcp_rollback_pool={pool}" for pool in POOLS)
    return (
        f"Refusing to guess which pool of {server} is good: neither a release record nor a note on the route says it "
        f"(weights: {text(before)}; ready endpoints: {endpoints}). Name the good pool: {commands} (pool of mcp_rollback)."
    )


def ended(release_record: record.ReleaseRecord, known: record.Release, at: str, reason: str) -> record.ReleaseRecord:
    """Return the record once C(known) is rolled back: the newest release when it came from the same pool, or else one that follows it."""
    current = release_record.current
    if current is None:
        release_record = record.ReleaseRecord(known)
    elif current["from"]["pool"] != known["from"]["pool"]:
        if record.is_running(current):
            current = {**current, "outcome": record.ROLLED_BACK, "ended": at}
        release_record = record.ReleaseRecord(known, (current, *release_record.history)[: record.KEPT])
    return record.end(release_record, record.ROLLED_BACK, at, reason)


def _report_sessions(shift: Shift) -> None:
    """When all is done: what is still open on the bad pool is lost."""
    found = shift.result["sessions"]
    found["marked"] = shift.kind.has_affinity(shift.route, shift.server)
    if shift.task.params["sessions_metric"]:
        from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions

        found["at_risk_after"] = open_sessions.count(
            shift.task, shift.cluster, shift.server, shift.result["bad_pool"], SESSIONS_TIMEOUT
        )
        if found["at_risk_after"]:
            shift.task.progress(
                f"sessions that pool {shift.result['bad_pool']} had open, and that end with this: {found['at_risk_after']}"
            )


def _full_size(shift: Shift, pool: str, planned: int) -> None:
    """A pool that was kept small gets the size that it had before the release. The traffic has moved: not being able to is a warning."""
    try:
        _image, replicas = shift.server.image(shift.cluster, pool)
        if is_too_small(replicas, planned):
            from ansible_collections.mcp.server.plugins.module_utils._traffic import pool_change

            shift.task.progress(f"scaling pool {pool} from {replicas} to {planned} pods, its size before the release")
            pool_change.change(without_run_id(shift.task), shift.cluster, shift.server, pool, replicas=planned)
    except Failure as failure:
        shift.task.warn(f"Pool {pool} may be smaller than before the release. {failure.msg}")


def is_too_small(replicas: int, planned: int) -> bool:
    """Return whether a pool that runs this many pods has to be scaled up to the size it had before the release.

    planned: that size, 0 when not known. A pool at 0 is not meant: it came up before the traffic, or was let be. Pure.
    """
    return 0 < replicas < planned


def _refuse_other_version(shift: Shift) -> None:
    """Raise Failure when the answers report another version than the one that the traffic was to go back to."""
    if shift.public is None:
        return
    warning, problem = other_version(shift.result["version"], (shift.result["share"] or {}).get("versions", []))
    if warning:
        shift.task.warn(warning)
    if problem:
        raise Failure(
            f"Traffic of {shift.server} is back on pool {shift.result['pool']}, but {problem}. Find out what runs there.",
            **shift.result,
        )


def other_version(expected: str, reported: t.Sequence[str]) -> tuple[str, str]:
    """Return a warning, a sentence, when the versions can't be compared, and a problem, a clause, when they differ.

    expected: of the pool that the traffic went back to, empty when not known. reported: by the answers. Pure.
    """
    if not expected:
        return "", ""
    if not reported:
        return "The version was not verified: the health document does not report one.", ""
    if not _versions.is_comparable(expected):
        return _versions.not_compared(expected), ""
    if all(_versions.is_told(version, expected) for version in reported):
        return "", ""
    return "", f"answers report version {', '.join(reported)}, not {expected}"


def _unrecorded(server: Server, before: Weights, good: pools.Stable) -> record.Release:
    """Stands for the release that was not recorded; its images are not worth a read now."""
    nothing = {"image_ref": "", "digest": "", "version": ""}
    release = record.new_release(
        server,
        by=runner.runner_name(),
        reason="rolled back without a release record",
        at=record.now(),
        origin={"pool": good.pool, **nothing, "weights": before},
        target={"pool": other(good.pool), **nothing},
    )
    return {**release, "named": True} if good.named else release
