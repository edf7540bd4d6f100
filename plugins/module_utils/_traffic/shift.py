# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moving traffic: the module mcp_traffic_shift, its everyday form and the emergency's."""

from __future__ import annotations

import time
import typing as t
from contextlib import nullcontext
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._cluster import connection, keeping, lock, record
from ansible_collections.mcp.server.plugins.module_utils._cluster.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import OPTIONS, POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import same_version
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import plan, share
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind, Route
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **keeping.OPTION,
        "pool": {"type": "str", "choices": list(POOLS)},
        "weight": {"type": "int"},
        "rollback": {"type": "bool", "default": False},
        "reason": {"type": "str", "default": ""},
        "force": {"type": "bool", "default": False},
        "endpoint": endpoints.OPTION,
        "pool_key": {"type": "str", "default": "pool", "no_log": False},
        "tolerance": {"type": "float", "default": 5.0},
        "samples": {"type": "int"},
        "timeout": {"type": "float", "default": 30.0},
    },
    required_together=[("pool", "weight")],
    required_if=[("rollback", False, ("pool", "weight"))],
)

ATTEMPTS = 5
EVERY = 2.0  # seconds between lines of progress
POLL = 0.05  # seconds between looks at the route's status, and at endpoints
SETTLE = 5.0  # seconds that the endpoints of pods that are ready may take


@keeping.kept
def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["weight"] is not None and not 0 <= params["weight"] <= 100:
        raise Failure(f"weight is {params['weight']}: it is a percentage, from 0 to 100.")
    if params["rollback"] and params["pool"]:
        raise Failure("rollback finds the pool by itself: leave out pool and weight, or leave out rollback.")
    for option in ("tolerance", "samples", "timeout"):
        if params[option] is not None and params[option] <= 0:
            raise Failure(f"{option} is {params[option]}: it must be more than 0.")
    public = endpoints.public(params["endpoint"]) if params["endpoint"] else None
    shift = Shift(task, connection.connect(params), Server.from_params(params), public)
    if not params["rollback"]:
        return set_share(shift)
    if not params["lock"] and not task.check_mode:
        shift.result["lock"] = _take_over(shift)
    return roll_back(shift)


def _take_over(shift: Shift) -> str:
    """The id of this run, which releases the server from now on, whoever did before. An emergency does not fail for want of it."""
    run, lease = lock.new_run(), lock.Lock(shift.cluster, shift.server.namespace, shift.server.name)
    try:
        before = lease.acquire(run, record.whoever_runs(), lock.this_process(shift.task.runner), take_over=True)
    except Failure as failure:
        shift.task.warn(f"A release that goes on somewhere else is not held off. {failure.msg}")
        return ""
    if before is not None:
        shift.task.progress(f"took over from {before.by}, whose release does not go on")
    return run


@dataclass
class Shift:
    """One change of weights: what it works on, and what it found so far (the module's result, and the evidence of a failure)."""

    task: Task
    cluster: t.Any
    server: Server
    public: endpoints.Endpoint | None
    result: dict[str, t.Any] = field(default_factory=lambda: {"changed": False, "share": None, "seconds_to_follow": None, "written_at": None})
    route: Route = field(default_factory=dict)
    _clock: float = 0.0
    _said: float = field(default_factory=time.monotonic)

    @property
    def kind(self) -> Kind:
        return kind_of(self.server)

    def read(self) -> Weights:
        self.route = self.kind.read(self.cluster, self.server)
        return self.kind.weights(self.route, self.server)

    def write(self, before: Weights, wanted: Weights) -> None:
        """Sets the weights on the route as it was read, and reads it again when somebody else changed it meanwhile."""
        self._clock = time.monotonic()
        at = time.time()
        for attempt in range(1, ATTEMPTS + 1):
            if self.task.params["lock"] and not self.task.check_mode:
                # After the read and before the write, which fails when the route was written in between.
                lock.Lock(self.cluster, self.server.namespace, self.server.name).check(self.task.params["lock"])
            try:
                changed, self.route = self.kind.write(self.cluster, self.server, self.route, wanted, dry_run=self.task.check_mode)
                break
            except (connection.Conflict, connection.NotFound):  # changed, or one of its parts replaced
                if attempt == ATTEMPTS:
                    raise
                before = self.read()
        self.result |= {
            "changed": changed,
            "before": before,
            "after": wanted,
            "live": plan.live(wanted),
            "diff": {"before": {"weights": before}, "after": {"weights": wanted}},
        }
        if changed and not self.task.check_mode:
            self.result["written_at"] = at
            self.task.progress(f"weights of {self.server} written: {_text(wanted)}")

    def verify(self, wanted: Weights, meanwhile: t.Callable[[], None] = lambda: None) -> None:
        """Waits until the route is in force and the measured share is what was set. Raises Failure with what was found.

        meanwhile: called once, while the gateway takes the weights up.
        """
        params = self.task.params
        bound = Deadline(params["timeout"])
        # Asked from the very write on, so that the answers tell when the data plane followed.
        asked = share.asking(self.public, params["pool_key"], bound, kept=not self.kind.per_connection) if self.public else nullcontext()
        with asked as answers:
            meanwhile()
            self._await_acceptance(bound)
            if answers is None:
                self.task.warn("The share was not measured: endpoint is not set.")
                return
            self._measure(answers, wanted)

    def _await_acceptance(self, bound: Deadline) -> None:
        while reason := self.kind.not_accepted(self.route, self.server):
            if self.kind.refused(self.route, self.server) or not bound.pause(POLL):
                raise Failure(
                    f"The weights of {self.server} are written ({_text(self.result['after'])}), but it is not verified that traffic follows them: {reason}.",
                    **self.result,
                )
            self._say(f"waiting for the gateway: {reason}")
            self.read()

    def _measure(self, answers: t.Iterable[share.Answer], wanted: Weights) -> None:
        params = self.task.params
        needed = share.answers_needed(wanted, params["tolerance"])
        if params["samples"] and 100 not in wanted.values():
            needed = params["samples"]
        pool = params["pool"] or self.result["pool"]

        def progress(last: t.Collection[share.Answer]) -> None:
            self._say(lambda: f"{pool} {wanted[pool]} %: measured {_measured(share.tally(last), pool)}")

        seen, reached = share.until_followed(answers, wanted, needed, params["tolerance"], progress, kept=not self.kind.per_connection)
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
            f"The weights of {self.server} are written ({_text(wanted)}), but it is not verified that traffic follows them: "
            f"within {params['timeout']:g} s {self.public.name} gave {pool} {_measured(measured, pool)}"
            f"{' (' + measured['reason'] + ')' if measured['reason'] else ''}; "
            "check that endpoint leads through this route, and the gateway's own logs.",
            **self.result,
        )

    def _say(self, line: str | t.Callable[[], str]) -> None:
        if time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            self.task.progress(line if isinstance(line, str) else line())


def set_share(shift: Shift) -> dict[str, t.Any]:
    """The everyday form: no traffic for a pool that is not as planned; a step of the running release is recorded."""
    task, params = shift.task, shift.task.params
    wanted = plan.split(params["pool"], params["weight"])
    before = shift.read()
    if not params["force"]:
        for pool in plan.gaining(before, wanted):
            _refuse_unless_ready(shift, pool)
    wanted = shift.kind.reachable(shift.route, shift.server, wanted, planning=task.check_mode and params["force"])
    shift.write(before, wanted)
    if task.check_mode:
        return shift.result
    try:
        shift.verify(wanted)
    except Failure:
        _record_step(shift, "not verified")
        raise
    _record_step(shift, "followed" if shift.public else "not measured")
    return shift.result


def _refuse_unless_ready(shift: Shift, pool: str) -> None:
    server = shift.server
    _image, planned = server.image(shift.cluster, pool)
    # Pods that have just become ready are endpoints a moment later.
    bound = Deadline(0 if shift.task.check_mode else SETTLE)
    while (ready := server.ready_endpoints(shift.cluster, pool)) < max(planned, 1):
        if planned and bound.pause(POLL):
            continue
        raise Failure(
            f"Pool {pool} of {server} gets no more traffic: Service {server.service(pool)} has {ready} ready endpoints, "
            f"planned are {planned}; wait for its rollout, see why its pods are not ready, or set force.",
            ready=ready,
            planned=planned,
        )


def _record_step(shift: Shift, verdict: str) -> None:
    step = _step(shift, verdict)

    def add(book: record.Book) -> record.Book:
        current = book.current
        if current is None or not record.is_running(current):
            return book
        known = bool(current["steps"]) and current["steps"][-1].get("weights") == step["weights"]
        return book if known and not shift.result["changed"] else record.add_step(book, step)

    _update_record(shift, add)


def roll_back(shift: Shift) -> dict[str, t.Any]:
    """The emergency: weights first, from as few reads as tell the pool; all that is known of the bad pool can wait."""
    task, server = shift.task, shift.server
    book, _version = record.read(shift.cluster, server)
    before = shift.read()
    good = plan.rollback_target(before, book.current)
    if good is None:
        raise Failure(
            f"No rollback of {server}: no release is recorded and no pool has most of the traffic ({_text(before)}); name the pool (pool and weight: 100)."
        )
    wanted = plan.split(good, 100)
    known = book.current or _unrecorded(server, before, good)
    shift.result |= {"pool": good, "bad_pool": other(good), "version": known["from"].get("version") or ""}
    if plan.gaining(before, wanted) and not task.params["force"]:
        _refuse_without_endpoints(shift, good)
    shift.write(before, wanted)
    if task.check_mode:
        return shift.result

    def end(book: record.Book) -> record.Book:
        return record.end(book if book.current else record.Book(known), record.ROLLED_BACK, record.now(), task.params["reason"])

    def add_step(verdict: str) -> None:
        if shift.result["changed"]:
            _update_record(shift, lambda book: record.add_step(book, _step(shift, verdict)) if book.current else book)

    try:
        # At once, not after the verification: a second rollback must not take this one for the release.
        shift.verify(wanted, meanwhile=lambda: _update_record(shift, end))
        _refuse_other_version(shift)
    except Failure:
        add_step("not verified")
        raise
    add_step("followed" if shift.public else "not measured")
    return shift.result


def _refuse_without_endpoints(shift: Shift, pool: str) -> None:
    server = shift.server
    try:
        ready = server.ready_endpoints(shift.cluster, pool)
    except Failure as failure:
        shift.task.warn(f"Whether pool {pool} has ready endpoints is not known. {failure.msg}")
        return
    if not ready:
        raise Failure(
            f"No rollback of {server}: pool {pool} has no ready endpoint, so it can't answer; "
            f"scale Deployment {server.deployment(pool)} up first, or set force to send the traffic there all the same."
        )


def _refuse_other_version(shift: Shift) -> None:
    expected, seen = shift.result["version"], (shift.result["share"] or {}).get("versions", [])
    if not expected or shift.public is None:
        return
    if not seen:
        shift.task.warn("The version was not verified: the health document tells none.")
    elif not all(same_version(version, expected) for version in seen):
        raise Failure(
            f"{shift.server} is back on pool {shift.result['pool']}, but it answers as version {', '.join(seen)}, not {expected}: find out what runs there.",
            **shift.result,
        )


def _unrecorded(server: Server, before: Weights, good: str) -> record.Release:
    """Stands for the release that was not recorded; its images are not worth a read now."""
    nothing = {"image": "", "digest": "", "version": ""}
    return record.release(
        server,
        by=record.whoever_runs(),
        reason="rolled back without a release record",
        at=record.now(),
        origin={"pool": good, **nothing, "weights": before},
        target={"pool": other(good), **nothing},
    )


def _step(shift: Shift, verdict: str) -> dict[str, t.Any]:
    measured = shift.result["share"]
    kept = {key: measured[key] for key in (*POOLS, "answers", "failed")} if measured else None
    return {"at": record.now(), "weights": shift.result["after"], "share": kept, "seconds_to_follow": shift.result["seconds_to_follow"], "verdict": verdict}


def _update_record(shift: Shift, change: record.Change) -> None:
    """The traffic has moved already: what becomes of the record can't change that, so it is a warning."""
    try:
        record.update(shift.cluster, shift.server, change)
    except Failure as failure:
        shift.task.warn(f"The release record of {shift.server} was not written. {failure.msg}")


def _text(weights: Weights) -> str:
    return ", ".join(f"{pool} {percent} %" for pool, percent in weights.items())


def _measured(measured: dict[str, t.Any], pool: str) -> str:
    share_ = "nothing" if measured[pool] is None else f"{measured[pool]} %"
    return f"{share_} of {measured['answers']} answers" + (f", {measured['failed']} failed" if measured["failed"] else "")
