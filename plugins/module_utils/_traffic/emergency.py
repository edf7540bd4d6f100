# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll back: the emergency's one call, which returns the traffic to the stable pool at once."""

from __future__ import annotations

import functools
import typing as t
from contextlib import ExitStack

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._image import by_tag, digest_gone, gone_sentence, same_image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import pools, record, runner
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, bounded, started
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass, naming, revert_monitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.emergency_lease import (
    acquire_beside,
    renew_lease,
    return_lease,
    without_run_id,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import pool_header
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import (
    OPTIONAL_TIMEOUT,
    Shift,
    step,
    text,
    update_record,
    verdict,
)

SESSIONS_TIMEOUT = 2.0  # seconds that counting the sessions of the bad pool may take, afterwards
RECORD_TIMEOUT = 3.0  # seconds that the release record may take when other servers wait for this one
NOT_VERIFIED = "not_verified"
LEASE_WAIT = 1.0  # seconds that the write waits for the Lease once all is read
SECOND_LOOK_TIMEOUT = 15.0  # seconds for a second look at the target's endpoints: traffic to an empty pool is lost
READ_TIMEOUT = outage.LONGEST + 1  # seconds for what is read beside the route: an outage that the route saw is over


class Tagged(t.NamedTuple):
    """An image that the target runs by its tag, as its digest was gone from the registry."""

    image_ref: str
    digest_gone: str


class _Rollback(t.NamedTuple):
    """One rollback, as prepared from what was read."""

    before: Weights
    wanted: Weights
    target: pools.Stable  # the pool to return to
    release: record.Release  # the one that is rolled back, or a stand-in when none is recorded
    planned: int  # the target's pods before the release, 0 when not known
    rollout_seconds: float | None  # how long a rollout took, None when not known
    empty: bool  # whether the target has no ready endpoint
    unknown: bool  # whether its endpoints could not be read
    recorded: bool  # whether the record has this rollback already, verified
    reason: str
    at: t.Callable[[], str]  # gives the API server's time, ISO 8601

    def end(self, release_record: record.ReleaseRecord, tagged: Tagged | None = None) -> record.ReleaseRecord:
        found = ended(release_record, self.release, self.at(), self.reason)
        return record.add_fallback(found, tagged.image_ref, tagged.digest_gone) if tagged else found


def roll_back(shift: Shift) -> dict[str, t.Any]:
    """Roll back and verify: weights first, from as few reads as possible; what concerns the bad pool comes later."""
    wait_for_lease = acquire_beside(shift)
    try:
        rollback = _prepare(shift)
    except Failure:
        return_lease(shift, wait_for_lease)
        raise
    if rollback is None:
        return_lease(shift, wait_for_lease)
        return shift.result
    on_route = broken_glass.of_route(shift.server, shift.route)
    if on_route:
        shift.task.warn(f"The rollback goes on. {broken_glass.sentence(on_route, shift.server)}")
    wait_for_lease(LEASE_WAIT)  # before the write, so that a running release does not write after it
    if rollback.empty or (rollback.unknown and _is_empty(shift, rollback.target.pool)):
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._traffic import scale_up

        scale_up.scale_up(shift, rollback.target.pool, rollback.planned, rollback.rollout_seconds)
    reverts = revert_monitor.RevertMonitor(shift, rollback.wanted, rollback.target)
    reverts.note_earlier_revert()
    _write(shift, rollback)
    wait_for_lease(OPTIONAL_TIMEOUT, last=True)
    if rollback.target.named:
        shift.task.warn(
            f"Pool {other(rollback.target.pool)} keeps its pods: "
            f"it is the bad pool only because pool {rollback.target.pool} was named."
        )
    if not shift.task.check_mode:
        _verify(shift, rollback, reverts)
    _heed_break_glass(shift, bool(on_route))
    return shift.result


def _heed_break_glass(shift: Shift, known: bool) -> None:
    """Say what else break_glass.yml has changed, and leave the bad pool its size: restoring may need it.

    known: whether the route was changed, which was said before.
    """
    try:
        found = bounded(lambda: broken_glass.find(shift.cluster, shift.server), OPTIONAL_TIMEOUT)
    except (Failure, TimeoutError):
        found = []
    others = [one for one in found if one.title != shift.kind.name(shift.server)]
    if others:
        shift.task.warn(broken_glass.sentence(others, shift.server))
    if found or known:
        shift.result["scale_down"] = False


def send_back(shift: Shift) -> dict[str, t.Any]:
    """Write the weights without waiting for anything, or return why not (msg). A later roll_back() does the rest."""
    shift.result["written"] = False
    wait_for_lease = acquire_beside(shift)
    try:
        rollback = _prepare(shift)
        if rollback is None:
            return_lease(shift, wait_for_lease)
            return shift.result
        wait_for_lease(LEASE_WAIT)
        if rollback.empty or rollback.unknown:
            known = "has no ready endpoint" if rollback.empty else "may have no ready endpoint, they could not be read"
            shift.result["msg"] = f"Weights not written yet: pool {rollback.target.pool} of {shift.server} {known}."
        else:
            _write(shift, rollback)
            if not shift.task.check_mode:
                update_record(shift, rollback.end, RECORD_TIMEOUT)
    except (Conflict, Unreachable) as failure:
        shift.result["msg"] = f"Weights of {shift.server} not written yet. {failure.msg}"
    except Failure:
        return_lease(shift, wait_for_lease)
        raise
    wait_for_lease(0.0, last=True)
    if "msg" in shift.result:
        shift.task.progress(shift.result["msg"])
    return shift.result


def has_ended(current: record.Release | None, weights: Weights) -> bool:
    """Return whether nothing of the newest release is left to roll back but its good end. Pure."""
    return bool(current and current.get("outcome") != record.RUNNING and pools.whole(weights))


def _prepare(shift: Shift) -> _Rollback | None:
    """Read the cluster and find out where the traffic goes back to; None when nothing is to be done. Raises Failure."""
    server, params = shift.server, shift.task.params
    before, release_record, ready = _read(shift)
    current = release_record.current if release_record else None
    if params.get("only_unfinished") and has_ended(current, before):
        shift.note_weights(before, before)
        shift.result["msg"] = f"Nothing was rolled back: no release of {server} is in progress or paused."
        shift.task.progress(shift.result["msg"])
        return None
    target = pools.rollback_target(current, shift.stable, params["rollback_pool"])
    if target is None:
        if release_record is None and not params["wait"]:
            raise Unreachable(
                f"The release record of {server} could not be read, and nothing else names the stable pool."
            )
        raise Failure(_which_pool(server, before, ready), before=before, ready=ready)
    wanted = pools.split(target.pool, 100)
    release = current if current and current["from"]["pool"] == target.pool else _unrecorded(server, before, target)
    gitops = revert_monitor.managed_by(shift)
    shift.result |= {
        "pool": target.pool,
        "bad_pool": other(target.pool),
        "scale_down": not (target.named or gitops),
        "gitops": gitops,
        "reverted": [],
        "digest_gone": str(release["from"].get("digest_gone") or ""),
    }
    shift.result["version"] = str(release["from"].get("version") or "")
    # Anybody may have edited the record.
    planned, last = release["from"].get("replicas"), release["steps"][-1] if release["steps"] else None
    return _Rollback(
        before,
        wanted,
        target,
        release,
        planned if isinstance(planned, int) else 0,
        _rollout_seconds(release_record, target.pool),
        empty=not params["force"] and ready[target.pool] == 0,
        unknown=not params["force"] and ready[target.pool] is None and bool(pools.gaining(before, wanted)),
        recorded=isinstance(last, dict) and last.get("weights") == wanted and last.get("verdict") != NOT_VERIFIED,
        reason=params["reason"],
        at=functools.partial(record.now, shift.cluster),
    )


def _is_empty(shift: Shift, pool: str) -> bool:
    """Read again, with more time, whether the pool has no ready endpoint; False when it can't be read."""
    try:
        return not bounded(lambda: shift.server.ready_endpoints(shift.cluster, pool), SECOND_LOOK_TIMEOUT)
    except (Failure, TimeoutError):
        return False


def _rollout_seconds(release_record: record.ReleaseRecord | None, pool: str) -> float | None:
    try:
        return record.rollout_seconds(release_record, pool) if release_record else None
    except (AttributeError, KeyError, TypeError):
        return None


def _write(shift: Shift, rollback: _Rollback) -> None:
    # Without affinity: the target answers marked sessions of the bad pool with 404, at which clients start new ones.
    shift.keeps_affinity = False
    if rollback.before != rollback.wanted:
        revert_monitor.announce(shift)
    shift.write(rollback.before, rollback.wanted, rollback.target)
    shift.result["written"] = not shift.task.check_mode


def _verify(shift: Shift, rollback: _Rollback, reverts: revert_monitor.RevertMonitor) -> None:
    """Wait until the traffic follows, also when an earlier task wrote the weights and left this to the next."""
    fresh = shift.result["changed"] or not rollback.recorded
    runs: Tagged | None = None

    def during_wait() -> None:
        nonlocal runs
        # Not after the verification: a second rollback in between must not take this one for the release.
        update_record(shift, rollback.end, OPTIONAL_TIMEOUT)
        if fresh:
            runs = _check_target(shift, rollback)
        renew_lease(shift, stack)

    def add_step(verdict: str) -> None:
        if fresh:
            taken = step(shift, verdict)
            update_record(shift, lambda release_record: record.add_step(rollback.end(release_record, runs), taken))

    if not _names_pools(shift):
        shift.measured_by = naming.NOTHING
    with ExitStack() as stack:
        try:
            reverts.verify(during_wait)
            _refuse_other_version(shift)
        except LeaseLost:
            raise
        except Failure:
            add_step(NOT_VERIFIED)
            raise
        add_step(verdict(shift))
        _report_sessions(shift)
        shift.task.traffic_back()
        reverts.watch()


def _names_pools(shift: Shift) -> bool:
    """Return whether answers name their pool, by the route as it was read and the options: nothing is tried first."""
    if shift.public is None:
        return True
    if pool_header.problem(shift.route, shift.server):
        return False
    return shift.public.health_path is not None or bool(pool_header.names_pools(shift.route, shift.server))


def _read(shift: Shift) -> tuple[Weights, record.ReleaseRecord | None, dict[str, int | None]]:
    """Return the weights, the record, and each pool's number of ready endpoints; None for what can't be read.

    Read concurrently, since an API server in trouble takes seconds for each. All but the route has to answer within the
    time of one request.
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
        except Exception as error:  # any error, such as a record that somebody edited
            late = f"The API server gave {error}." if isinstance(error, TimeoutError) else ""
            shift.task.warn(f"{missing} {getattr(error, 'msg', late) or f'{type(error).__name__}: {error}'}")
            return None

    alone = shift.stable is None and not shift.task.params["rollback_pool"]  # nothing else names the target
    release_record = await_(
        reading, f"The release record of {server} could not be read; going by the note on the route.", needed=alone
    )
    return (
        before,
        release_record,
        {
            pool: await_(wait, f"Ready endpoints of pool {pool} of {server} could not be read.")
            for pool, wait in counting.items()
        },
    )


def _which_pool(server: Server, before: Weights, ready: dict[str, int | None]) -> str:
    """Return the refusal for a rollback without a known target, with what was seen and the commands that name it."""
    endpoints = ", ".join(f"{pool} {'an unknown number' if count is None else count}" for pool, count in ready.items())
    commands = " or ".join(f"ansible-playbook rollback.yml -e mcp_rollback_pool={pool}" for pool in POOLS)
    return (
        f"Refusing to guess which pool of {server} to roll back to: neither a release record nor a note on the route "
        f"names it (weights: {text(before)}; ready endpoints: {endpoints}). "
        f"Name the pool: {commands} (pool of mcp_rollback)."
    )


def ended(release_record: record.ReleaseRecord, release: record.Release, at: str, reason: str) -> record.ReleaseRecord:
    """Return the record with this release rolled back: the newest entry if it came from the same pool, else a new one.

    at: ISO 8601. reason: takes the place of the release's own. Pure.
    """
    current = release_record.current
    if current is None:
        release_record = record.ReleaseRecord(release)
    elif current["from"]["pool"] != release["from"]["pool"]:
        if record.is_running(current):
            current = {**current, "outcome": record.ROLLED_BACK, "ended": at}
        release_record = record.ReleaseRecord(release, (current, *release_record.history)[: record.KEPT])
    return record.end(release_record, record.ROLLED_BACK, at, reason)


def _report_sessions(shift: Shift) -> None:
    """Report the sessions that are still open on the bad pool: they are lost."""
    found = shift.result["sessions"]
    found["marked"] = shift.kind.has_affinity(shift.route, shift.server)
    if shift.task.params["sessions_metric"]:
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions

        found["at_risk_after"] = open_sessions.count(
            shift.task, shift.cluster, shift.server, shift.result["bad_pool"], SESSIONS_TIMEOUT
        )
        if found["at_risk_after"]:
            shift.task.progress(
                f"this rollback ends {found['at_risk_after']} open sessions of pool {shift.result['bad_pool']}"
            )


def _check_target(shift: Shift, rollback: _Rollback) -> Tagged | None:
    """Scale a pool that was kept small up to its size before the release. Return its image if that fell back to a tag.

    Failing to is a warning: the traffic is back.
    """
    pool, planned, found = rollback.target.pool, rollback.planned, None
    try:
        image_ref, replicas = shift.server.image(shift.cluster, pool)
        recorded = str(rollback.release["from"].get("image_ref") or "")
        found = tagged(image_ref, recorded, shift.result["digest_gone"])
        if found and not shift.result["digest_gone"]:  # by a run that was killed
            shift.task.warn(gone_sentence("The image registry", recorded))
        shift.result["digest_gone"] = found.digest_gone if found else ""
        if is_too_small(replicas, planned):
            # lazy: emergency path
            from ansible_collections.mcp.server.plugins.module_utils._traffic import pool_change

            shift.task.progress(f"scaling pool {pool} from {replicas} to {planned} pods, its size before the release")
            pool_change.change(without_run_id(shift.task), shift.cluster, shift.server, pool, replicas=planned)
    except Failure as failure:
        shift.task.warn(f"Pool {pool} of {shift.server} may be smaller than before the release. {failure.msg}")
    return found


def tagged(image_ref: str, recorded: str, gone: str) -> Tagged | None:
    """Return the image of the target if that fell back to its tag, now or in a run that was killed; else None.

    image_ref, recorded: of the target, what it runs and what the record has. gone: the digest known to be gone. Pure.
    """
    same = not recorded or same_image(by_tag(recorded) or recorded, image_ref)  # nobody has deployed another one since
    lost = (gone if same else "") or digest_gone(recorded, image_ref)
    return Tagged(image_ref, lost) if lost else None


def is_too_small(replicas: int, planned: int) -> bool:
    """Return whether a pool that runs this many pods has to be scaled up to the size it had before the release.

    planned: that size, 0 when not known. A pool at 0 is left to scale_up(), or was chosen with force. Pure.
    """
    return 0 < replicas < planned


def _refuse_other_version(shift: Shift) -> None:
    """Raise Failure when the answers report another version than the one that the traffic was to go back to.

    Only where compare_version asks for that.
    """
    if shift.public is None or not shift.task.params["compare_version"]:
        return
    warning, problem = other_version(shift.result["version"], (shift.result["share"] or {}).get("versions", []))
    if warning:
        shift.task.warn(warning)
    if problem:
        raise Failure(
            f"Traffic of {shift.server} is back on pool {shift.result['pool']}, but {problem}. "
            "Find out what runs there.",
            **shift.result,
        )


def other_version(expected: str, reported: t.Sequence[str]) -> tuple[str, str]:
    """Return a warning, a sentence, when the versions can't be compared, and a problem, a clause, when they differ.

    expected: of the pool that the traffic went back to, empty when not known. reported: by the answers. Pure.
    """
    if not expected:
        return "", ""
    if not reported:
        return "The version was not verified: no answer reports one.", ""
    if not _versions.is_comparable(expected):
        return _versions.not_compared(expected), ""
    if all(_versions.is_reported(version, expected) for version in reported):
        return "", ""
    return "", f"answers report version {', '.join(reported)}, not {expected}"


def _unrecorded(server: Server, before: Weights, target: pools.Stable) -> record.Release:
    """Return a stand-in for a release that was not recorded; reading its images would take time."""
    origin: record.Side = {"pool": target.pool, "image_ref": "", "digest": "", "version": "", "weights": before}
    release = record.new_release(
        server,
        by=runner.runner_name(),
        reason="rolled back without a release record",
        at=record.now(),
        origin=origin,
        target={"pool": other(target.pool), "image_ref": "", "digest": "", "version": ""},
    )
    return {**release, "named": True} if target.named else release
