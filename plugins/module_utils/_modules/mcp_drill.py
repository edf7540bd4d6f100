# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_drill: an outage on purpose, break-glass, and the way back, on a server that is there for it."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._drill import fault, last
from ansible_collections.mcp.server.plugins.module_utils._drill import state as states
from ansible_collections.mcp.server.plugins.module_utils._install import fenced
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection, gitops
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._mcp import asking, auth
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_break_glass
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import DEPLOYMENT
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, noted, pools, record, runner
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Interrupted, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass, share
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops as claims
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Operation
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import condition, is_ready

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        **gitops.OPTION,
        "allowed": {"type": "bool", "default": False},
        "endpoint": {**endpoints.OPTION, "required": True},
        "auth": auth.OPTION,
        "break_timeout": {"type": "float", "default": 120.0},
        "answer_timeout": {"type": "float", "default": 30.0},
        "ready_timeout": {"type": "float", "default": 300.0},
    },
)

GLASS = Module(mcp_break_glass.SPEC, mcp_break_glass.run)
RATE = 10.0  # requests a second
FAILED, ANSWERED = 5, 10  # answers in a row that show that clients get none, or get them again
POLL = 0.5
REASON = "drill.yml: an outage on purpose, nobody has to do anything"
AGAIN = "Run drill.yml again: it puts all back as it was"


@dataclass
class Drill:
    """One drill."""

    task: Task
    cluster: Api
    server: Server
    seconds: dict[str, float] = field(default_factory=dict)
    changed: bool = False
    pool: str = ""  # that is broken

    def __post_init__(self) -> None:
        self.calls = Calls.of(self.task.params)
        self.public = asking.endpoint_of(self.task.params)

    # What is read

    def deployment(self, pool: str) -> Object:
        return self.cluster.get(self.server.workload_path(pool))

    def marked(self) -> dict[str, fault.Mark]:
        """Return the marks of a drill that is not over, by pool."""
        found = {pool: fault.mark_of(self.deployment(pool)) for pool in POOLS}
        return {pool: mark for pool, mark in found.items() if mark}

    def check(self) -> str:
        """Return the live pool, which is broken. Raises Failure when this server must not be broken now."""
        server, kind = self.server, kind_of(self.server)
        if glass := broken_glass.find(self.cluster, server, self.task.warn):
            raise _refused(broken_glass.sentence(glass, server))
        claims.check(self.cluster, server, self.task.params["gitops_ignores"])
        if kind.pod_label:
            raise _refused(f"the traffic of {kind.name(server)} goes by labels of pods, and a drill replaces these.")
        weights = kind.weights(kind.read(self.cluster, server), server)
        current = record.read(self.cluster, server)[0].current
        if current and record.is_running(current):
            raise _refused(f"a release of {server} is not finished. Finish it, or roll it back.")
        live = pools.whole(weights)
        if live is None:
            raise _refused(f"neither pool of {server} has all the traffic. Give one of them 100 % first.")
        if server.objects(live).kind != DEPLOYMENT:
            raise _refused(f"a drill breaks a Deployment, and {server.workload_title(live)} is none.")
        if mapping(self.deployment(live), "spec").get("paused"):
            raise _refused(f"{server.workload_title(live)} is paused: resume it.")
        if not self.is_ready(live):
            raise _refused(f"not all pods of pool {live} are ready. Repair it first.")
        try:
            self.until(ANSWERED, failing=False)
        except Failure as failure:
            raise _refused(f"{self.public.name} must answer before the drill. {failure.msg}") from None
        return live

    def is_ready(self, pool: str) -> bool:
        """Return whether the pool has all its pods, ready and of the Deployment's present template."""
        obj = self.deployment(pool)
        status, wanted = mapping(obj, "status"), mapping(obj, "spec").get("replicas", 1)
        current = status.get("observedGeneration", 0) >= mapping(obj, "metadata").get("generation", 0)
        sizes = [status.get(name) or 0 for name in ("replicas", "updatedReplicas", "readyReplicas")]
        if not current or sizes != [wanted] * 3:
            return False
        # Those that end count nowhere in the status.
        return all(is_ready(pod) for pod in self.server.pods(self.cluster, pool))

    # What is done

    def run(self, live: str) -> None:
        """Break the live pool, break the glass, and put all back. Raises Failure."""
        self.pool = live
        before = states.read(self.cluster, self.server)
        try:
            self.part("clients get errors", self._break)
            self.part("break-glass", self._break_glass)
        except Failure as failure:
            self._clean_up_after(failure)
            raise
        self.put_back()
        self.part("clients get answers after it", lambda: self.until(ANSWERED, failing=False))
        found = states.differences(before, states.read(self.cluster, self.server))
        if found:
            raise Failure(f"After the drill of {self.server} not all is as before: {'; '.join(found)}.")

    def put_back(self) -> None:
        """Repair the pool, wait until it is ready, restore the glass, and remove the mark. Raises Failure."""
        marks = self.marked()
        for pool, mark in marks.items():
            self.part("repair", lambda pool=pool, mark=mark: self._repair(pool, mark))  # type: ignore[misc]
        self.part("restore", lambda: self._glass(state="restored"))
        for pool in marks:
            self._patch(pool, fault.unmarked)

    def repair_quickly(self) -> None:
        """Take the fault away, within the 3 s that an interrupted task has. Raises Failure."""
        self.cluster = self.cluster.limited(0.0, 1.0)
        for pool, mark in self.marked().items():
            self._patch(pool, lambda obj, mark=mark: fault.repaired(obj, mark))  # type: ignore[misc]

    def part(self, name: str, act: t.Callable[[], t.Any]) -> None:
        begun = time.monotonic()
        act()
        self.seconds[name] = round(time.monotonic() - begun, 1)
        self.task.progress(f"{name}: {self.seconds[name]} s")

    def _break(self) -> None:
        by, at = runner.runner_name(), record.now(self.cluster)
        self.task.progress(f"the pods of pool {self.pool} are replaced by ones that are never ready")
        self._patch(self.pool, lambda obj: fault.broken(obj, at, by))
        self.until(FAILED, failing=True)
        # As in an outage that somebody is called for: the pods run, and would answer.
        bound = Deadline(self.task.params["ready_timeout"])
        while not self._runs():
            if not bound.pause(POLL):
                raise Failure(f"The pods of pool {self.pool} of {self.server} do not run {bound.seconds:g} s later.")

    def _runs(self) -> bool:
        """Return whether the containers of all new pods of the broken pool are ready, though the pods are not."""
        running = [
            pod
            for pod in self.server.pods(self.cluster, self.pool)
            if not mapping(pod, "metadata").get("deletionTimestamp")
            and condition(pod, "ContainersReady").get("status") == "True"
        ]
        wanted: int = mapping(self.deployment(self.pool), "spec").get("replicas", 1)
        return len(running) >= wanted

    def _break_glass(self) -> None:
        found = self._glass(state="broken", reason=REASON)
        self.until(ANSWERED, failing=False)
        self.task.progress(f"clients get answers from pool {found['pool']}")

    def _repair(self, pool: str, mark: fault.Mark) -> None:
        self._patch(pool, lambda obj: fault.repaired(obj, mark))
        bound = Deadline(self.task.params["ready_timeout"])
        while not self.is_ready(pool):
            if not bound.pause(POLL):
                raise Failure(
                    f"The pods of pool {pool} of {self.server} are not ready {bound.seconds:g} s after the repair, and "
                    f"the glass stays broken. Find out why. Then: {AGAIN}."
                )

    def _glass(self, **options: t.Any) -> dict[str, t.Any]:
        found = self.calls.run(self.task, GLASS, **options)
        self.changed = self.changed or found["changed"]
        return found

    def _patch(self, pool: str, make: t.Callable[[Object], list[Operation]]) -> None:
        def attempt() -> None:
            if operations := make(self.deployment(pool)):
                self.cluster.patch(self.server.workload_path(pool), operations, "json", dry_run=self.task.check_mode)
                self.changed = True

        on_conflict(attempt, self.cluster.patience)

    def until(self, count: int, *, failing: bool) -> None:
        """Wait until so many answers in a row have failed, or have not. Raises Failure."""
        params, row, reason = self.task.params, 0, ""
        seconds = params["break_timeout" if failing else "answer_timeout"]
        with share.answer_stream(self.public, Deadline(seconds), RATE) as answers:
            for answer in answers:
                self.task.check_lease()
                row = row + 1 if bool(answer.reason) == failing else 0
                reason = answer.reason or reason
                if row >= count:
                    return
        if failing:
            raise Failure(
                f"Clients of {self.server} still get answers {seconds:g} s after its pods of pool {self.pool} were "
                "broken: the endpoint does not lead through this route, or something answers in its place."
            )
        raise Failure(f"Clients of {self.server} still get errors after {seconds:g} s ({reason or 'no answer'}).")

    def _clean_up_after(self, failure: Failure) -> None:
        try:
            self.put_back()
            failure.msg += " All is put back as it was."
        except Failure as another:
            failure.msg += f" It could not be put back: {another.msg} {AGAIN}."

    def note(self, *, passed: bool) -> None:
        """Note day and outcome in the release record, for whoever asks when the last drill was."""
        note = {"at": record.now(self.cluster), "passed": passed, "seconds": self.seconds}
        try:
            noted.write(self.cluster, self.server, last.ANNOTATION, note)
        except Failure as failure:
            self.task.warn(f"The day of the drill was not noted. {failure.msg}")


def run(task: Task) -> dict[str, t.Any]:
    params, server = task.params, Server.from_params(task.params)
    if not params["allowed"]:
        raise _refused(
            f"the inventory does not name {server} as a server for drills, whose clients may get errors. Set "
            "mcp_drill: true on its host in the inventory; as an extra variable it does not count."
        )
    for option in ("break_timeout", "answer_timeout", "ready_timeout"):
        if params[option] <= 0:
            raise Failure(f"{option} is {params[option]:g}: it must be more than 0.")
    drill = Drill(task, connection.connect(params), server)
    with fenced.lease(task, drill.cluster, server, "drill", heeds_break_glass=False) as run_id:
        drill.calls = Calls({**drill.calls.common, "run_id": run_id})
        try:
            return _drilled(drill)
        except Interrupted as stopped:
            _stop(drill, stopped)
            raise


def _drilled(drill: Drill) -> dict[str, t.Any]:
    marks = drill.marked()
    if marks and not drill.task.check_mode:
        (mark, *_others) = marks.values()
        since = f" of {_times.day(mark.since)}" if mark.since else ""
        drill.task.progress(f"a drill{since} by {mark.by} was cut off: putting back what it left")
        drill.put_back()
        drill.part("clients get answers after it", lambda: drill.until(ANSWERED, failing=False))
        drill.task.progress(f"{drill.server} is as it was before that drill; for another drill, run this again")
        return _result(drill, cleaned_up=True)
    live = drill.check() if not marks else next(iter(marks))
    if drill.task.check_mode:
        drill.task.progress(f"would {'put back what a drill left of' if marks else 'break'} pool {live}")
        return {**_result(drill, cleaned_up=bool(marks)), "changed": True, "pool": live}
    try:
        drill.run(live)
    except Failure as failure:
        drill.note(passed=False)
        raise Failure(failure.msg, **{**failure.evidence, **_result(drill)}) from None
    drill.note(passed=True)
    return _result(drill)


def _stop(drill: Drill, stopped: Interrupted) -> None:
    try:
        drill.repair_quickly()
        stopped.add_note(f"The fault is taken away, and the glass may still be broken. {AGAIN}.")
    except Failure as failure:
        stopped.add_note(f"The pool may still be broken: {failure.msg} {AGAIN}.")


def _result(drill: Drill, *, cleaned_up: bool = False) -> dict[str, t.Any]:
    return {"changed": drill.changed, "seconds": drill.seconds, "pool": drill.pool or None, "cleaned_up": cleaned_up}


def _refused(why: str) -> Failure:
    return Failure(f"Drill refused, nothing was changed: {why}")
