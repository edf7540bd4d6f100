# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One change of weights: written, and verified by what clients get. What is common to the everyday shift and to the emergency."""

from __future__ import annotations

import itertools
import time
import typing as t
from contextlib import nullcontext
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import api, connection, outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, pools, record
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, Task, bounded
from ansible_collections.mcp.server.plugins.module_utils._traffic import share
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrite_monitor import OverwriteMonitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Expected, Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind, Route, Stamp
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

ATTEMPTS = 5  # at least; a route that others keep writing is tried again for as long as an API server that is away is waited for
RETRY_PAUSE = 0.2  # seconds between further ones
PROGRESS_INTERVAL = 2.0  # seconds between lines of progress
POLL_INTERVAL = 0.05  # seconds between looks at the route's status, and at endpoints
PATIENCE = (
    3.0  # seconds after which it is said that a gateway does not take the weights up; then it is still waited for
)
OPTIONAL_TIMEOUT = 5.0  # seconds that an emergency waits for what it can do without
CLIENT_ANSWERS = 5  # answers that tell what clients get meanwhile
SESSIONS = ("mode", "marked", "at_risk_before", "at_risk_after")  # of the result


class FailedAnswers(Failure):
    """Too many answers failed while the share was measured. brief: at which weight and how many, a clause."""

    def __init__(self, msg: str, brief: str, **evidence: t.Any) -> None:
        super().__init__(msg, **evidence)
        self.brief = brief


@dataclass
class Shift:
    """One change of weights: what it works on, and what it found so far (the module's result, and the evidence of a failure)."""

    task: Task
    cluster: Api
    server: Server
    public: endpoints.Endpoint | None
    result: dict[str, t.Any] = field(
        default_factory=lambda: {
            "changed": False,
            "share": None,
            "seconds_to_follow": None,
            "written_at": None,
            "sessions": dict.fromkeys(SESSIONS),
        }
    )
    route: Route = field(default_factory=dict)
    waiting: outage.Waiting = field(default_factory=outage.current)
    keeps_affinity: bool = True  # whether sessions with a mark stay on their pool
    release: record.Release | None = None  # the newest one, where it was read
    emergency_run_id: str = ""  # of an emergency that is no part of a run, and begins one
    monitor: OverwriteMonitor | None = None  # while the weights are verified
    _runs: set[str] | None = None  # those that may have written the weights last, see read()
    _clock: float = 0.0
    _said: float = field(default_factory=time.monotonic)

    @property
    def kind(self) -> Kind:
        kind = kind_of(self.server)
        return kind if self.keeps_affinity else kind.without_affinity()

    @property
    def emergency(self) -> bool:
        return bool(self.task.params.get("rollback"))

    @property
    def run(self) -> str:
        """The id of the run that this is a part of; empty when there is none."""
        return self.task.params["run_id"] or self.emergency_run_id

    @property
    def stable(self) -> pools.Stable | None:
        """The pool to return to, as the route has it."""
        return self.kind.stable(self.route, self.server)

    def read(self) -> Weights:
        """Return the weights that the route has now. Raises Lost when another run has written them.

        Which it has when this task wrote them before; of an everyday shift, also when that run did since this task read them first.
        """
        self.route = self.kind.read(self.cluster, self.server)
        run = self.kind.run(self.route)
        if self._runs is None and not self.emergency:
            self._runs = {run}
        if run and self.run and self._runs is not None and run not in {self.run, *self._runs}:
            raise LeaseLost(
                f"This run is not the one that releases {self.server} any more: run {run} has written its route since. Nothing more is changed by it."
            )
        return self.kind.weights(self.route, self.server)

    def write(self, before: Weights, wanted: Weights, good: pools.Stable | None = None) -> None:
        """Sets the weights on the route as it was read, and reads it again when somebody else changed it meanwhile.

        good: the pool that an emergency returns to. It is noted on the route also where the weights are right.
        """
        self._clock = self._said = time.monotonic()
        at = time.time()
        written = False  # by a request whose answer was lost
        bound, attempt = Deadline(self.task.params["api_retry_timeout"]), 0
        while True:
            attempt += 1
            self._check_lease(again=attempt > 1)
            stable = good or pools.returns_to(before, self.stable, self.release)
            stamp = Stamp(pools.note(stable, wanted) if stable else None, self.run, alone=good is not None)
            try:
                changed, self.route = self.kind.write(
                    self.cluster, self.server, self.route, wanted, stamp, dry_run=self.task.check_mode
                )
                break
            except (connection.Conflict, api.NotFound) as failure:  # changed, or one of its parts replaced
                if attempt >= ATTEMPTS:
                    if isinstance(failure, api.NotFound) or not bound.pause(RETRY_PAUSE):
                        raise
                    self._say(f"{failure.msg.rstrip('.')}; trying again, {bound.elapsed:.0f} of {bound.seconds:.0f} s")
                now = self.read()
                written = isinstance(failure, connection.Unanswered) and now == wanted
                before = before if written else now
        if (changed or written) and self.run and not self.task.check_mode:
            self._runs = {self.run}
        self.result |= {
            "changed": changed or written,
            "before": before,
            "after": wanted,
            "live": pools.live(wanted),
            "diff": {"before": {"weights": before}, "after": {"weights": wanted}},
        }
        if self.result["changed"] and not self.task.check_mode:
            self.result["written_at"] = at
            what = "weights" if before != wanted else "notes and rules for sessions"
            self.task.progress(f"{what} of {self.server} written: {text(wanted)}")

    def _check_lease(self, *, again: bool) -> None:
        """Between the read and the write, which fails when the route was written in between. Raises Lost, and Failure.

        An emergency has looked already, and only another run that holds the Lease stops it.
        """
        run = self.task.params["run_id"]
        if not run or self.task.check_mode or (self.emergency and not again):
            return
        lease = leases.Lease(self.cluster, self.server.namespace, self.server.name)
        lease_renewal.check(self.task, lease, run, must=not self.emergency)

    def verify(self, wanted: Weights, meanwhile: t.Callable[[], None] = lambda: None) -> None:
        """Waits until the route is in force and the measured share is what was set. Raises Failure with what was found.

        meanwhile: called once, while the gateway takes the weights up.
        """
        seconds, waited = self.task.params["timeout"], self.waiting.seconds
        try:
            self._verify(wanted, meanwhile, Deadline(seconds))
        except (LeaseLost, Overwritten):
            raise
        except Failure:
            if self.waiting.seconds == waited:
                raise
            # The API server was away: the time for it is over, and nothing is known of the route.
            self._verify(wanted, lambda: None, Deadline(seconds))

    def expected(self, wanted: Weights) -> Expected:
        """Return what the route has while nobody else writes it."""
        return Expected(weights=wanted, runs=frozenset({self.run, self.kind.run(self.route), *(self._runs or ())}))

    def _go_on(self) -> None:
        """Raise Failure when somebody else changed the route, or the run that this belongs to can't go on."""
        self.task.check_lease()
        if self.monitor is not None:
            self.monitor.refuse()

    def _verify(self, wanted: Weights, meanwhile: t.Callable[[], None], bound: Deadline) -> None:
        params = self.task.params
        # Asked from the very write on, so that the answers tell when the data plane followed.
        asked = (
            share.answer_stream(self.public, params["pool_key"], bound, kept=not self.kind.per_connection)
            if self.public
            else nullcontext()
        )
        monitor = OverwriteMonitor(self.task, self.cluster, self.server, self.expected(wanted))
        with asked as answers, monitor as self.monitor:
            meanwhile()
            if answers is None:
                self.await_acceptance(bound)
                self.task.warn("The share was not measured: endpoint is not set.")
                return
            answers = self._while_ours(answers)
            if self.emergency:
                answers = self._unless_accepted(answers, wanted, bound)
            else:
                self.await_acceptance(bound)
            self._measure(answers, wanted, bound)

    def _while_ours(self, answers: t.Iterator[share.Answer]) -> t.Iterator[share.Answer]:
        for answer in answers:
            self._go_on()
            yield answer

    def await_acceptance(self, bound: Deadline) -> None:
        said = False
        while reason := self.kind.not_accepted(self.route, self.server):
            self._go_on()
            if self.kind.refused(self.route, self.server) or not bound.pause(POLL_INTERVAL):
                raise Failure(f"{self._unverified(reason)}.", **self.result)
            said = self._say_pending(reason, bound, said)
            self.read()

    def _say_pending(self, reason: str, bound: Deadline, said: bool) -> bool:
        """Show that the gateway does not take the weights up, and soon what clients get; return whether that was shown."""
        if not said and bound.elapsed >= PATIENCE:
            said = True
            self.task.progress(f"{self._unverified(reason)}; looking on for {bound.left:.0f} s")
        self._say(f"waiting for the gateway: {reason}")
        return said

    def _unless_accepted(
        self, answers: t.Iterator[share.Answer], wanted: Weights, bound: Deadline
    ) -> t.Iterator[share.Answer]:
        """Return answers to measure by, once the route is in force or they show it by themselves: what clients get outranks the route's status.

        The latter takes a longer row from the good pool, which could come by chance where a small part of the traffic went elsewhere. Raises
        Failure when neither comes.
        """
        reason, said, looked = "", False, 0.0

        def pending() -> t.Iterator[share.Answer]:
            nonlocal reason, said, looked
            for answer in itertools.chain([None], answers):  # the first look comes before the first answer
                if answer is not None:
                    yield answer
                if time.monotonic() - looked < POLL_INTERVAL:
                    continue
                if looked:
                    self.read()
                looked = time.monotonic()
                reason = self.kind.not_accepted(self.route, self.server)
                if not reason or (bound.elapsed >= PATIENCE and self.kind.refused(self.route, self.server)):
                    return
                said = self._say_pending(reason, bound, said)

        row = share.row_needed(self.result["before"], wanted)
        kept = not self.kind.per_connection
        seen, reached = share.until_followed(
            pending(), wanted, row, self.task.params["tolerance"], lambda last: None, kept=kept
        )
        if reason and not reached:
            raise Failure(f"{self._unverified(reason)}.", **self.result)
        if reason and not self._accepted_soon(bound):
            self.task.warn(
                f"All answers come from pool {self.result['pool']}, though the route is not in force by its status: {reason}."
            )
        return itertools.chain(seen, answers)

    def _accepted_soon(self, bound: Deadline) -> bool:
        """Return whether the route is in force a moment after the traffic followed: a status is written last."""
        moment = Deadline(min(PATIENCE, bound.left))
        while self.kind.not_accepted(self.route, self.server):
            if not moment.pause(POLL_INTERVAL):
                return False
            self.read()
        return True

    def _unverified(self, reason: str) -> str:
        clients = f"; {self._clients()}" if self.public else ""
        return f"The weights of {self.server} are written ({text(self.result['after'])}), but it is not verified that traffic follows them: {reason}{clients}"

    def _clients(self) -> str:
        """What clients get now, in a clause; over new connections, which follow the soonest."""
        answers = share.sample(self.public, self.task.params["pool_key"], CLIENT_ANSWERS)
        if answers[-1].reason:
            return f"clients get no good answer now ({answers[-1].reason})"
        counts = {pool: sum(answer.pool == pool for answer in answers) for pool in POOLS}
        return f"of {len(answers)} answers to clients now, " + ", ".join(
            f"{count} came from {pool}" for pool, count in counts.items() if count
        )

    def _measure(self, answers: t.Iterable[share.Answer], wanted: Weights, bound: Deadline) -> None:
        params = self.task.params
        needed = share.answers_needed(wanted, params["tolerance"])
        if params["samples"] and 100 not in wanted.values():
            needed = params["samples"]
        pool = params["pool"] or self.result["pool"]

        def progress(last: t.Collection[share.Answer]) -> None:
            self._say(lambda: f"{pool} {wanted[pool]} %: measured {_measured(share.tally(last), pool)}")

        if pools.gaining(self.result["before"], wanted) == [params["pool"]]:
            answers = self._unless_failing(answers, pool, wanted)
        seen, reached = share.until_followed(
            answers, wanted, needed, params["tolerance"], progress, kept=not self.kind.per_connection
        )
        measured = share.tally(seen)
        self.result["share"] = {
            **measured,
            "reached": reached,
            "versions": sorted({answer.version for answer in seen if answer.version}),
            "seconds": round(seen[-1].at - seen[0].at, 3) if seen else 0.0,
        }
        if reached:
            if self.result["changed"]:
                self.result["seconds_to_follow"] = round(seen[0].at - self._clock, 3)
            self.task.progress(f"{pool} {wanted[pool]} %: measured {_measured(measured, pool)}")
            return
        raise Failure(
            f"The weights of {self.server} are written ({text(wanted)}), but it is not verified that traffic follows them: "
            f"within {bound.seconds:g} s {self.public.name} gave {pool} {_measured(measured, pool)}"
            f"{' (' + measured['reason'] + ')' if measured['reason'] else ''}; "
            "check that endpoint leads through this route, and the gateway's own logs.",
            **self.result,
        )

    def _unless_failing(
        self, answers: t.Iterable[share.Answer], pool: str, wanted: Weights
    ) -> t.Iterator[share.Answer]:
        """Yield the answers. Raise FailedAnswers once too many of this pool fail."""
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._traffic import synthetic

        about = f"Weights of {self.server} were written ({text(wanted)}), but"
        try:
            yield from synthetic.unless_failing(answers, wanted[pool], about, self.result)
        except Failure as failure:
            if not failure.msg.startswith(about):  # of whoever looks at the answers before
                raise
            brief = f"at {wanted[pool]} %,{failure.msg.removeprefix(about)}"
            raise FailedAnswers(failure.msg, brief, **failure.evidence) from None

    def _say(self, line: str | t.Callable[[], str]) -> None:
        if time.monotonic() - self._said >= PROGRESS_INTERVAL:
            self._said = time.monotonic()
            self.task.progress(line if isinstance(line, str) else line())


def step(shift: Shift, verdict: str) -> dict[str, t.Any]:
    measured = shift.result["share"]
    kept = {key: measured[key] for key in (*POOLS, "requests", "failed")} if measured else None
    found = {"share": kept, "seconds_to_follow": shift.result["seconds_to_follow"], "verdict": verdict}
    return {"at": record.now(shift.cluster), "weights": shift.result["after"], **found}


def update_record(shift: Shift, change: record.Change, seconds: float | None = None) -> None:
    """The traffic has moved already: what becomes of the record can't change that, so it is a warning. seconds: how long that may take."""
    by = {"run": shift.run or None, "takes_over": shift.emergency}
    try:
        if seconds is None:
            record.update(shift.cluster, shift.server, change, **by)
        else:
            bounded(lambda: record.update(shift.cluster, shift.server, change, **by), seconds)
    except LeaseLost:
        raise
    except (Failure, TimeoutError) as error:
        shift.task.warn(f"The release record of {shift.server} was not written. {getattr(error, 'msg', error)}")


def text(weights: Weights) -> str:
    return ", ".join(f"{pool} {percent} %" for pool, percent in weights.items())


def _measured(measured: dict[str, t.Any], pool: str) -> str:
    share_ = "nothing" if measured[pool] is None else f"{measured[pool]} %"
    return f"{share_} of {measured['requests']} answers" + (
        f", {measured['failed']} failed" if measured["failed"] else ""
    )
