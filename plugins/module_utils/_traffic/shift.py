# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write weights to the route, and verify by measured answers that traffic follows.

Shared by shifts and the emergency.
"""

from __future__ import annotations

import itertools
import time
import typing as t
from contextlib import nullcontext
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import api, outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._mcp import requests
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, pools, record
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, Task, bounded
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass, naming, share
from ansible_collections.mcp.server.plugins.module_utils._traffic.broken_glass import GlassBroken
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrite_monitor import OverwriteMonitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Expected, Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Kind,
    Route,
    Stamp,
    of_all,
    percent_text,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

ATTEMPTS = 5  # writes without a pause; after those a write that conflicts is retried for api_retry_timeout
RETRY_PAUSE = 0.2  # seconds between those retries
PROGRESS_INTERVAL = 2.0  # seconds between lines of progress
POLL_INTERVAL = 0.05  # seconds between reads of the route's status
PATIENCE = 3.0  # seconds after which a gateway that does not accept the weights is reported; the wait goes on
OPTIONAL_TIMEOUT = 5.0  # seconds that an emergency waits for a step it can do without
CLIENT_ANSWERS = 5  # answers sampled to report what clients get during a wait
SESSIONS = ("mode", "marked", "at_risk_before", "at_risk_after")  # keys of the result's sessions


class NamesNoPool(Exception):
    """Answers are good, and none of the first ones names its pool."""


class FailedAnswers(Failure):
    """Too many answers failed while the share was measured.

    brief: the weight and how many failed, as a clause for the end of a release.
    """

    def __init__(self, msg: str, brief: str, **evidence: t.Any) -> None:
        super().__init__(msg, **evidence)
        self.brief = brief


@dataclass
class Shift:
    """One change of weights: what it works on, and its result so far, which is also the evidence of a failure."""

    task: Task
    cluster: Api
    server: Server
    public: endpoints.Endpoint | None  # where the share is measured; None leaves it unmeasured
    result: dict[str, t.Any] = field(
        default_factory=lambda: {
            "changed": False,
            "share": None,
            "seconds_to_follow": None,
            "written_at": None,
            "sessions": dict.fromkeys(SESSIONS),
        }
    )
    route: Route = field(default_factory=dict)  # as it was read or written last
    waiting: outage.Waiting = field(default_factory=outage.current)
    keeps_affinity: bool = True  # whether marked sessions stay on their pool
    release: record.Release | None = None  # the newest one, where it was read
    measured_by: str = naming.ANSWERS  # or another one of naming.py, once it is known that answers name no pool
    # Where answers name no pool: choose what else to measure by, or raise Failure; and measure by it. See unnamed.py.
    fall_back: t.Callable[[], None] | None = None
    measure_otherwise: t.Callable[[t.Iterable[share.Answer], Weights, Deadline], None] | None = None
    emergency_run_id: str = ""  # of the run that an emergency starts when it belongs to none
    monitor: OverwriteMonitor | None = None  # runs while the weights are verified
    # The note of a break-glass that was on the route before, empty without one; None as long as none was read.
    glass: str | None = None
    _runs: set[str] | None = None  # ids of runs that may have written the weights last, see read()
    _written: float = 0.0  # when the write began, on the monotonic clock
    _last_progress: float = field(default_factory=time.monotonic)

    @property
    def kind(self) -> Kind:
        kind = kind_of(self.server)
        return kind if self.keeps_affinity else kind.without_affinity()

    @property
    def emergency(self) -> bool:
        return bool(self.task.params.get("rollback"))

    @property
    def run(self) -> str:
        """Return the id of the run that this shift belongs to; empty when there is none."""
        return self.task.params["run_id"] or self.emergency_run_id

    @property
    def stable(self) -> pools.Stable | None:
        """Return the pool to roll back to, as noted on the route."""
        return self.kind.stable(self.route, self.server)

    def read(self) -> Weights:
        """Read the route and return its weights. Raise LeaseLost when another run has written it.

        A run counts as another one when its id appears on the route after this task wrote it, or, outside of an
        emergency, after this task first read it. Raises GlassBroken once break_glass.yml has written it after that
        first read.
        """
        self.route = self.kind.read(self.cluster, self.server)
        self._refuse_break_glass()
        run = self.kind.run(self.route)
        if self._runs is None and not self.emergency:
            self._runs = {run}
        if run and self.run and self._runs is not None and run not in {self.run, *self._runs}:
            raise LeaseLost(
                f"This run lost the Lease of {self.server} (run {run} wrote its route) and makes no further changes."
            )
        return self.kind.weights(self.route, self.server)

    def _refuse_break_glass(self) -> None:
        found = broken_glass.mark(self.kind.written(self.route))
        if self.glass is None:
            self.glass = found
        if found and found != self.glass:
            said = broken_glass.sentence(broken_glass.of_route(self.server, self.route), self.server)
            raise GlassBroken(f"The weights of {self.server} are left as they are: {said}")

    def write(self, before: Weights, wanted: Weights, target: pools.Stable | None = None) -> None:
        """Set the weights on the route as it was read; read it again and retry when somebody changed it in between.

        target: the pool that an emergency returns to, noted on the route even where the weights are right already.
        Raises LeaseLost, Conflict, Unreachable and Failure.
        """
        self._written = self._last_progress = time.monotonic()
        at = time.time()
        written = False  # whether a request whose answer was lost has set the weights
        bound, attempt = Deadline(self.task.params["api_retry_timeout"]), 0
        while True:
            attempt += 1
            self._check_lease(again=attempt > 1)
            stable = target or pools.returns_to(before, self.stable, self.release)
            stamp = Stamp(pools.note(stable, wanted) if stable else None, self.run, alone=target is not None)
            try:
                changed, self.route = self.kind.write(
                    self.cluster, self.server, self.route, wanted, stamp, dry_run=self.task.check_mode
                )
                break
            except (outage.Conflict, api.NotFound) as failure:  # the route changed, or a pod was replaced
                if attempt >= ATTEMPTS:
                    if isinstance(failure, api.NotFound) or not bound.pause(RETRY_PAUSE):
                        raise
                    self.show(f"{failure.msg.rstrip('.')}; retrying, {bound.elapsed:.0f} of {bound.seconds:.0f} s")
                now = self.read()
                written = isinstance(failure, outage.Unanswered) and now == wanted
                before = before if written else now
        if (changed or written) and self.run and not self.task.check_mode:
            self._runs = {self.run}
        self.result["changed"] = changed or written
        self.note_weights(before, wanted)
        if self.result["changed"] and not self.task.check_mode:
            self.result["written_at"] = at
            what = "weights" if before != wanted else "annotations and session rules"
            self.task.progress(f"{what} of {self.server} written: {text(wanted)}{self._of_all_traffic()}")

    def note_weights(self, before: Weights, after: Weights) -> None:
        """Put what the route's weights were and are into the result."""
        self.result |= {
            "before": before,
            "after": after,
            "of_all_traffic": of_all(after, self.kind.part(self.route, self.server)),
            "route_notes": self.kind.notes(self.route, self.server),
            "live": pools.live(after),
            "diff": {"before": {"weights": before}, "after": {"weights": after}},
        }

    def _of_all_traffic(self) -> str:
        """Return what the weights are of all the route's traffic, where other backends get some; else nothing."""
        shares = self.result["of_all_traffic"]
        if shares == self.result["after"]:
            return ""
        of_all_traffic = ", ".join(f"{pool} {percent_text(shares[pool])} %" for pool in POOLS)
        return f" (of all the route's traffic: {of_all_traffic})"

    def _check_lease(self, *, again: bool) -> None:
        """Check the run's Lease between read and write: a write of another run in between makes the patch conflict.

        An emergency has checked already; only another run that holds the Lease stops it. Raises LeaseLost and Failure.
        """
        run = self.task.params["run_id"]
        if not run or self.task.check_mode or (self.emergency and not again):
            return
        lease = leases.Lease(self.cluster, self.server.namespace, self.server.name)
        lease_renewal.check(self.task, lease, run, required=not self.emergency)

    def verify(self, wanted: Weights, during_wait: t.Callable[[], None] = lambda: None) -> None:
        """Wait until the route is in force and the measured share matches the weights. Raise Failure with the evidence.

        during_wait: called once, while the gateway picks the weights up.
        """
        seconds, waited = self.task.params["timeout"], self.waiting.seconds
        if self.public and not self.emergency and share.slow_note(self.public):
            seconds += self._answers_needed(wanted) / self.rate
        try:
            self._verify(wanted, during_wait, Deadline(seconds))
        except (LeaseLost, Overwritten, GlassBroken):
            raise
        except Failure:
            if self.waiting.seconds == waited:
                raise
            # The time-out passed while the API server was away, so nothing is known of the route: verify once more.
            self._verify(wanted, lambda: None, Deadline(seconds))

    def expected(self, wanted: Weights) -> Expected:
        """Return what an OverwriteMonitor should find while nobody else writes the route."""
        return Expected(weights=wanted, runs=frozenset({self.run, self.kind.run(self.route), *(self._runs or ())}))

    def _check_interrupted(self) -> None:
        """Raise Failure when somebody else changed the route, or the run that this belongs to has to stop."""
        self.task.check_lease()
        if self.monitor is not None:
            self.monitor.refuse()

    def _verify(self, wanted: Weights, during_wait: t.Callable[[], None], bound: Deadline) -> None:
        # Requests start with the write, so that the answers show when the data plane followed.
        stream = (
            share.answer_stream(self.public, bound, keep_alive=not self.kind.per_connection)
            if self.public
            else nullcontext()
        )
        monitor = OverwriteMonitor(self.task, self.cluster, self.server, self.expected(wanted), self.glass or "")
        with stream as answers, monitor as self.monitor:
            during_wait()
            if answers is None or self.public is None:
                self.await_acceptance(bound)
                self.task.warn("The share was not measured because endpoint is not set.")
                return
            answers = self._until_interrupted(answers)
            if self._has_others() and self.measured_by == naming.ANSWERS:
                answers = share.of_pools(answers)
            if self.emergency and self.measured_by == naming.ANSWERS:
                answers = self._unless_accepted(answers, wanted, bound)
            else:
                self.await_acceptance(bound)
            if self.measured_by == naming.ANSWERS:
                try:
                    self._measure(self.public, self._unless_unnamed(answers), wanted, bound)
                    return
                except NamesNoPool:
                    self.measured_by = naming.NOTHING
                    if self.fall_back:
                        self.fall_back()
            self._measure_without_names(self.public, answers, wanted, bound)

    def _unless_unnamed(self, answers: t.Iterable[share.Answer]) -> t.Iterator[share.Answer]:
        """Yield the answers. Raise NamesNoPool when the first good ones name no pool."""
        good, named = 0, False
        for answer in answers:
            named = named or bool(answer.pool)
            good += not answer.reason
            if not named and good >= self.looked_at:
                raise NamesNoPool
            yield answer

    @property
    def rate(self) -> float:
        """Return how many requests a second measure the share."""
        return share.rate(t.cast(endpoints.Endpoint, self.public))

    @property
    def looked_at(self) -> int:
        """Return how many good answers are looked at: few where each of them opens a session."""
        return naming.LOOKED_SLOWLY if self.public and share.slow_note(self.public) else naming.LOOKED

    def _has_others(self) -> bool:
        """Return whether the route has other backends than the pools."""
        return self.kind.part(self.route, self.server) < 1

    def _until_interrupted(self, answers: t.Iterator[share.Answer]) -> t.Iterator[share.Answer]:
        """Yield the answers; see _check_interrupted() for what is raised."""
        for answer in answers:
            self._check_interrupted()
            yield answer

    def await_acceptance(self, bound: Deadline) -> None:
        """Wait until the route's status says that it is in force.

        Raise Failure when it is refused or the time is over.
        """
        reported = False
        while reason := self.kind.not_accepted(self.route, self.server):
            self._check_interrupted()
            if self.kind.refused(self.route, self.server) or not bound.pause(POLL_INTERVAL):
                raise Failure(f"{self._unverified(reason)}.", **self.result)
            reported = self._report_pending(reason, bound, reported)
            self.read()

    def _report_pending(self, reason: str, bound: Deadline, reported: bool) -> bool:
        """Show that the gateway has not accepted the weights; after PATIENCE once also what clients get.

        reported: whether the latter was shown before. Return whether it has been shown now.
        """
        if not reported and bound.elapsed >= PATIENCE:
            reported = True
            self.task.progress(f"{self._unverified(reason)}; still checking, {bound.left:.0f} s left")
        self.show(f"waiting for the gateway: {reason}")
        return reported

    def _unless_accepted(
        self, answers: t.Iterator[share.Answer], wanted: Weights, bound: Deadline
    ) -> t.Iterator[share.Answer]:
        """Return the answers to measure by, once the route's status or the answers themselves show that it is in force.

        What clients get outranks the status, but takes a longer row of answers from the wanted pool: a short one can
        come by chance while a small part of the traffic still goes elsewhere. Raises Failure when neither shows it in
        time.
        """
        reason, reported, read_at = "", False, 0.0
        row = share.row_needed(self.result["before"], wanted)

        def patience() -> float:
            # The answers of a whole row take their time. Before a good one it is not known how much, so that is little.
            slow = self.public and share.slow_note(self.public)
            return PATIENCE + row / (self.rate if slow else requests.RATE)

        def pending() -> t.Iterator[share.Answer]:
            nonlocal reason, reported, read_at
            for answer in itertools.chain([None], answers):  # the status is read before the first answer
                if answer is not None:
                    yield answer
                if time.monotonic() - read_at < POLL_INTERVAL:
                    continue
                if read_at:
                    self.read()
                read_at = time.monotonic()
                reason = self.kind.not_accepted(self.route, self.server)
                if not reason or (bound.elapsed >= patience() and self.kind.refused(self.route, self.server)):
                    return
                reported = self._report_pending(reason, bound, reported)

        keep_alive = not self.kind.per_connection
        seen, reached = share.until_followed(
            pending(), wanted, row, self.task.params["tolerance"], lambda last: None, keep_alive=keep_alive
        )
        if reason and not reached:
            raise Failure(f"{self._unverified(reason)}.", **self.result)
        if reason and not self._accepted_soon(bound):
            self.task.warn(
                f"All answers come from pool {self.result['pool']}, "
                f"but the route's status does not say that it is in force: {reason}."
            )
        return itertools.chain(seen, answers)

    def _accepted_soon(self, bound: Deadline) -> bool:
        """Return whether the status says in a moment that the route is in force: controllers write it last."""
        moment = Deadline(min(PATIENCE, bound.left))
        while self.kind.not_accepted(self.route, self.server):
            if not moment.pause(POLL_INTERVAL):
                return False
            self.read()
        return True

    def _unverified(self, reason: str) -> str:
        """Return the sentence, without its full stop, for weights that traffic has not been confirmed to follow."""
        clients = f"; {self._clients(self.public)}" if self.public else ""
        return f"{self.written_but(self.result['after'])} traffic has not been confirmed to follow: {reason}{clients}"

    def written_but(self, weights: Weights) -> str:
        return f"Weights of {self.server} were written ({text(weights)}), but"

    def _clients(self, public: endpoints.Endpoint) -> str:
        """Return what clients get now, as a clause. Sampled over new connections, which follow a change first."""
        answers = share.sample(public, CLIENT_ANSWERS)
        if answers[-1].reason and not (answers[-1].elsewhere and self._has_others()):
            return f"requests through the gateway are failing ({answers[-1].reason})"
        counts = {pool: sum(answer.pool == pool for answer in answers) for pool in POOLS}
        if not any(counts.values()):
            return "requests through the gateway do not fail, and no answer names its pool"
        pools_seen = ", ".join(f"{count} from {pool}" for pool, count in counts.items() if count)
        return f"of {len(answers)} answers to clients just now: {pools_seen}"

    def _measure(
        self, public: endpoints.Endpoint, answers: t.Iterable[share.Answer], wanted: Weights, bound: Deadline
    ) -> None:
        """Measure the share until it matches the weights, and put it into the result.

        Raise Failure when it does not.
        """
        params = self.task.params
        arriving = iter(answers)
        # The first one tells whether the server is slow.
        answers = itertools.chain(list(itertools.islice(arriving, 1)), arriving)
        needed = self._answers_needed(wanted)
        if slow := share.slow_note(public):
            self.task.progress(f"{slow}; measuring takes {needed / self.rate:.0f} s at least")
        pool = params["pool"] or self.result["pool"]

        def progress(last: t.Collection[share.Answer]) -> None:
            self.show(lambda: f"{pool} {wanted[pool]} %: measured {measured_text(share.tally(last), pool)}")

        if pools.gaining(self.result["before"], wanted) == [params["pool"]]:
            answers = self._unless_failing(answers, pool, wanted)
        if slow and self.emergency:
            seen, reached = naming.first_row(answers, pool, needed)
        else:
            seen, reached = share.until_followed(
                answers, wanted, needed, params["tolerance"], progress, keep_alive=not self.kind.per_connection
            )
        measured = share.tally(seen)
        self.result["share"] = {
            **measured,
            "reached": reached,
            "versions": naming.versions(seen, params["compare_version"] or (share.HEALTH,)),
            "seconds": round(seen[-1].at - seen[0].at, 3) if seen else 0.0,
        }
        if reached:
            if self.result["changed"]:
                self.result["seconds_to_follow"] = round(seen[0].at - self._written, 3)
            by = naming.by_text(measured["measured_by"], self.server, params["pool_key"])
            self.task.progress(f"{pool} {wanted[pool]} %: measured {measured_text(measured, pool)}, {by}")
            return
        raise Failure(
            f"{self.written_but(wanted)} traffic has not been confirmed to follow: "
            f"within {bound.seconds:g} s {public.name} gave {pool} {measured_text(measured, pool)}"
            f"{' (' + measured['reason'] + ')' if measured['reason'] else ''}. {self._cure(measured)}",
            **self.result,
        )

    def _cure(self, measured: dict[str, t.Any]) -> str:
        """Return the sentence on what to check where a share is not as it should be."""
        if measured["unnamed"]:  # the first ones did, or measuring had not begun
            return (
                f"{measured['unnamed']} good answers name no pool: check whether another client has changed what the "
                f"route sets as {self.server.pool_header} (docs/routes.md)."
            )
        return "Check that endpoint leads through this route, and check the gateway's logs."

    def _measure_without_names(
        self, public: endpoints.Endpoint, answers: t.Iterable[share.Answer], wanted: Weights, bound: Deadline
    ) -> None:
        """Confirm that the traffic follows by what there is beside answers that name their pool. Raise Failure."""
        pool = self.task.params["pool"] or self.result["pool"]
        if pools.gaining(self.result["before"], wanted) == [self.task.params["pool"]]:
            answers = self._unless_failing(answers, pool, wanted)
        if self.measure_otherwise:
            self.measure_otherwise(answers, wanted, bound)
            return
        seen, good = list[share.Answer](), 0
        for answer in answers:
            seen.append(answer)
            good = 0 if answer.reason else good + 1
            if good >= self.looked_at:
                break
        measured = share.tally(seen)
        self.result["share"] = {
            **measured,
            **dict.fromkeys(POOLS),
            "reached": None,
            "measured_by": None,
            "versions": [],
            "seconds": round(seen[-1].at - seen[0].at, 3) if seen else 0.0,
        }
        if not seen or seen[-1].reason or good < self.looked_at:
            raise Failure(
                f"{self.written_but(wanted)} traffic has not been confirmed to follow: within {bound.seconds:g} s "
                f"{measured['failed']} of {measured['requests']} answers of {public.name} failed"
                f"{' (' + measured['reason'] + ')' if measured['reason'] else ''}.",
                **self.result,
            )
        if not self.emergency:
            self._refuse_without_endpoints(wanted)
        else:
            self.task.warn(
                f"The share of {self.server} could not be measured, as answers do not name their pool. The route is in "
                f"force, and {good} answers in a row did not fail."
            )
        self.task.progress(f"{pool} {wanted[pool]} %: in force, {good} answers in a row did not fail; not measured")

    def _refuse_without_endpoints(self, wanted: Weights) -> None:
        """Raise Failure when the pool that should have all traffic has no pods: its answers came from elsewhere."""
        pool = pools.whole(wanted)
        if pool and not self.task.params["force"] and not self.server.ready_endpoints(self.cluster, pool):
            raise Failure(
                f"{self.written_but(wanted)} traffic has not been confirmed to follow: Service "
                f"{self.server.service(pool)} has no ready endpoint.",
                **self.result,
            )

    def _answers_needed(self, wanted: Weights) -> int:
        params = self.task.params
        if params["samples"] and 100 not in wanted.values():
            samples: int = params["samples"]
            return samples
        if self.emergency and self.public and share.slow_note(self.public):
            return naming.short_row(self.result["before"][self.result["pool"]] / 100)
        return share.answers_needed(wanted, params["tolerance"])

    def _unless_failing(
        self, answers: t.Iterable[share.Answer], pool: str, wanted: Weights
    ) -> t.Iterator[share.Answer]:
        """Yield the answers. Raise FailedAnswers once too many of this pool fail, unless nobody wants to know."""
        if not self.task.params.get("stop_at_burst", True):
            yield from answers
            return
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._traffic import synthetic

        about = self.written_but(wanted)
        try:
            yield from synthetic.unless_failing(answers, wanted[pool], about, self.result)
        except Failure as failure:
            if not failure.msg.startswith(about):  # raised by where the answers come from
                raise
            brief = f"at {wanted[pool]} %,{failure.msg.removeprefix(about)}"
            raise FailedAnswers(failure.msg, brief, **failure.evidence) from None

    def show(self, line: str | t.Callable[[], str]) -> None:
        """Show a line of progress, unless one was shown less than PROGRESS_INTERVAL ago."""
        if time.monotonic() - self._last_progress >= PROGRESS_INTERVAL:
            self._last_progress = time.monotonic()
            self.task.progress(line if isinstance(line, str) else line())


def is_measured(shift: Shift) -> bool:
    measured = shift.result["share"]
    return bool(measured and measured["measured_by"])


def verdict(shift: Shift) -> str:
    """Return the verdict of a shift that was verified, for its step."""
    return "followed" if is_measured(shift) else "not_measured"


def step(shift: Shift, verdict: str) -> record.Step:
    """Return the shift as a step of the release record."""
    measured = shift.result["share"]
    kept = {key: measured[key] for key in (*POOLS, "requests", "failed", "measured_by")} if is_measured(shift) else None
    return {
        "at": record.now(shift.cluster),
        "weights": shift.result["after"],
        "share": kept,
        "seconds_to_follow": shift.result["seconds_to_follow"],
        "verdict": verdict,
    }


def update_record(shift: Shift, change: record.Change, seconds: float | None = None) -> None:
    """Change the release record. Failing to is a warning: the traffic has been shifted already. Raises LeaseLost.

    seconds: how long that may take, None for as long as the API server is waited for.
    """

    def update() -> None:
        record.update(shift.cluster, shift.server, change, run=shift.run or None, takes_over=shift.emergency)

    try:
        if seconds is None:
            update()
        else:
            bounded(update, seconds)
    except LeaseLost:
        raise
    except (Failure, TimeoutError) as error:
        reason = getattr(error, "msg", f"The API server gave {error}.")
        shift.task.warn(f"The release record of {shift.server} was not written. {reason}")


def text(weights: Weights) -> str:
    """Return the weights as people read them."""
    return ", ".join(f"{pool} {percent} %" for pool, percent in weights.items())


def measured_text(measured: dict[str, t.Any], pool: str) -> str:
    percent = "nothing" if measured[pool] is None else f"{measured[pool]} %"
    failed = f", {measured['failed']} failed" if measured["failed"] else ""
    return f"{percent} of {measured['requests']} answers{failed}"
