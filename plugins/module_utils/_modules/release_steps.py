# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release from its first weight to the end of its warm window: mcp_traffic_shift with steps.

One task for each server, so that no strategy, fork, batch or rescue of Ansible stands between a breach and the way
back. It shifts, probes, watches, checks, and at a breach rolls back; what comes last (sizes, record, Lease,
announcement, report) are its last acts, however it ends.
"""

from __future__ import annotations

import contextvars
import threading
import typing as t
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from ansible.module_utils.common.parameters import remove_values

from ansible_collections.mcp.server.plugins.module_utils._announce import payload
from ansible_collections.mcp.server.plugins.module_utils._checks import problems as checks_problems
from ansible_collections.mcp.server.plugins.module_utils._checks import run as checks
from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context
from ansible_collections.mcp.server.plugins.module_utils._cluster import connection, keeping, record
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._guard import module as guard
from ansible_collections.mcp.server.plugins.module_utils._mcp import health_module
from ansible_collections.mcp.server.plugins.module_utils._modules import ending
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module, secrets
from ansible_collections.mcp.server.plugins.module_utils._modules.ending import RELEASE, ROLLOUT, SHIFT, SILENCE, Ending
from ansible_collections.mcp.server.plugins.module_utils._plan import steps as planned
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Lost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import watch
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

HEALTH = Module(health_module.SPEC, health_module.run)
WATCH = Module(watch.SPEC, watch.run, "watch")
GUARD = Module(guard.SPEC, guard.run, "guard")

ROUNDS = 20  # lists in one session through the gateway, after each step
QUICK = {"api_timeout": 1.0, "api_patience": 0.0}  # what was interrupted has 3 s

Step = dict[str, t.Any]


def problems(params: dict[str, t.Any]) -> list[str]:
    """Return a sentence for each option that makes no sense. Pure."""
    weights = [step["weight"] for step in params["steps"]]
    found = planned.problems(weights)
    if params["stop_after"] is not None:
        if params["stop_after"] not in weights or params["stop_after"] >= 100:
            found.append(f"stop_after is {params['stop_after']}: it must be the weight of a step, and less than 100.")
        if params["guard"] is None:
            found.append("stop_after needs a guard: without one nobody watches the release while it is paused (set guard).")
        if params["pause_seconds"] <= 0:
            found.append(f"pause_seconds is {params['pause_seconds']:g}: it must be more than 0.")
    found += [f"A step has seconds {step['seconds']:g}: it must be 0 or more." for step in params["steps"] if step["seconds"] < 0]
    return found + checks_problems.problems(params["checks"])


def remaining(steps: t.Sequence[Step], weight: int) -> list[Step]:
    """Return the steps that are still to be done by a release whose pool has this weight. The one that it stands at is done again."""
    return [step for step in steps if step["weight"] >= weight]


def complaint(release: record.Release | None, pool: str, images: dict[str, str]) -> str:
    """Return why there is no release here that could shift traffic, a sentence; empty when there is one. Pure.

    images: what each pool's Deployment has now.
    """
    if release is None or not record.is_running(release):
        return "no release is running: begin one with mcp_release."
    if release["to"]["pool"] != pool:
        return f"the release that runs goes to pool {release['to']['pool']}, not to {pool}."
    for side in ("from", "to"):
        has, wanted = images[release[side]["pool"]], release[side].get("image") or ""
        if wanted and _tag(has) != _tag(wanted):
            return f"pool {release[side]['pool']} runs {has} now, and not {wanted}: find out who changed it, and release again."
    return ""


def _tag(image: str) -> str:
    """What an admission webhook that names another registry leaves as it is."""
    return image.rpartition("/")[2].partition("@")[0]


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if found := problems(params):
        raise Failure(f"Release of {params['namespace']}/{params['server']} refused: {' '.join(found)}")
    if not params["lock"] and not task.check_mode:
        raise Failure("steps belong to a release: begin one with mcp_release (state=begun), and give its lock.")
    hidden = secrets(ending.ANNOUNCE, params["announce"] or {}) | secrets(WATCH, params["watch"])
    shown = replace(
        task,
        progress=lambda line: task.progress(remove_values(line, hidden)),
        warn=lambda text: task.warn(remove_values(text, hidden)),
    )
    try:
        return remove_values(_run(shown), hidden)
    except Failure as failure:
        failure.msg, failure.evidence = remove_values(failure.msg, hidden), remove_values(failure.evidence, hidden)
        raise


def _run(task: Task) -> dict[str, t.Any]:
    ours = StepsRelease(task)
    ours.check()
    if task.check_mode:
        return ours.plan()
    with keeping.renewed(task, task.params["lock"]) as kept:
        ours.go_on_as(kept)
        try:
            ours.start()
            return ours.shift_step_by_step()
        except Lost:
            raise  # it is the other run's to do, and to tell
        except Interrupted as stopped:
            ours.stop(stopped)
            raise
        except Failure as failure:
            if failure.evidence.get("held"):
                raise ours.pause(failure.msg) from None
            raise ours.roll_back(failure) from None


class StepsRelease:
    """One release, and how far it has come."""

    def __init__(self, task: Task) -> None:
        params = task.params
        self.server = Server.from_params(params)
        self.cluster = connection.connect(params)
        self.pool, self.stable = params["pool"], other(params["pool"])
        self.calls = Calls.of(params)
        self.ending = Ending(task, self.calls)
        self.task = task
        self.release: record.Release = {}
        self.weights: Weights = {}
        self.result: dict[str, t.Any] = {"changed": False, "steps": [], "verdicts": self.ending.verdicts}

    def go_on_as(self, task: Task) -> None:
        """Do the rest as this task, whose Lease is renewed."""
        self.task = self.ending.task = task

    def check(self) -> None:
        """Validate the options of every module that is called later. Raises Failure."""
        self.ending.check()
        self.calls.params(WATCH, **self._watching(100, 1.0))
        if self.task.params["guard"] is not None:
            self.calls.params(GUARD, state="present", **{"release": "any", **self.task.params["guard"]})
        if self.task.params["silence"] is not None:
            self.calls.params(SILENCE, **self.task.params["silence"])

    def start(self) -> None:
        """Read again what the release builds on: its host may have waited for others since it was begun. Then start the guard and the silence."""
        self._read()
        images = {pool: self.server.image(self.cluster, pool)[0] for pool in (self.pool, self.stable)}
        if reason := complaint(self.release, self.pool, images):
            raise Failure(f"The release of {self.server} can't go on: {reason}")
        self._start_guard()
        if self.task.params["silence"] is not None:
            try:
                self.calls.run(self.task, SILENCE, release=self.release["id"], **self.task.params["silence"])
            except Failure as failure:  # a release can do without it
                self.task.warn(f"The server's alerts are not silenced. {failure.msg}")

    def _read(self) -> None:
        self.release = record.read(self.cluster, self.server)[0].current or {}
        self.weights = self._weights(self.cluster)

    def _weights(self, cluster: t.Any) -> Weights:
        kind = kind_of(self.server)
        return kind.weights(kind.read(cluster, self.server), self.server)

    def _start_guard(self) -> None:
        options = self.task.params["guard"]
        if options is not None:
            triggers = self.task.params["watch"].get("triggers")
            found = self.calls.run(self.task, GUARD, **{"release": self.release.get("id") or "none", "triggers": triggers, **options})
            self._note(found)

    def plan(self) -> dict[str, t.Any]:
        """In check mode: every change that would be made, one after the other."""
        self._read()
        if self.task.params["guard"] is not None:
            self._start_guard()
        for step in self._remaining():
            self._shift(step, force=True)
        if self.task.params["warm_replicas"] is not None:
            self._scale_stable()
        return self.result

    def shift_step_by_step(self) -> dict[str, t.Any]:
        steps, params = self._remaining(), self.task.params
        for number, step in enumerate(steps, 1):
            self.task.progress(f"step {number} of {len(steps)}: {self.pool} {step['weight']} %, watched for {step['seconds']:g} s")
            self._shift(step)
            self._probe()
            if step["seconds"]:
                self._watch(step["weight"], step["seconds"], label=f"{self.pool} {step['weight']} %,")
            if step["weight"] == params["stop_after"]:
                return self.pause_for_approval(step["weight"])
        self._warm()
        return self.succeed()

    def _remaining(self) -> list[Step]:
        resumed = record.is_running(self.release) and self.release["to"]["pool"] == self.pool if self.release else False
        return remaining(self.task.params["steps"], self.weights[self.pool] if resumed else 0)

    def _shift(self, step: Step, *, force: bool = False) -> None:
        names = ("sessions", "session_mode", "sessions_metric", "drain_timeout", "timeout", "tolerance", "samples", "pool_key", "auth", "port")
        options = {name: self.task.params[name] for name in names}
        found = self.calls.run(self.task, SHIFT, pool=self.pool, weight=step["weight"], force=force or self.task.params["force"], **options)
        self.weights = found["after"]
        self.result["steps"].append({name: found.get(name) for name in ("after", "share", "seconds_to_follow", "written_at", "sessions")})
        self._note(found)

    def _note(self, found: dict[str, t.Any]) -> None:
        self.result["changed"] = self.result["changed"] or found["changed"]
        if found.get("diff") and found["changed"]:
            self.result.setdefault("diff", []).append(found["diff"])

    def _probe(self) -> None:
        """A whole session through the gateway: what a client's greeting and its lists meet after the shift."""
        params = self.task.params
        if (params["auth"] or {}).get("expect_401"):
            return
        self.calls.run(self.task, HEALTH, auth=params["auth"], era=params["era"], health=[], lists=[], stability={"rounds": ROUNDS})

    def _watching(self, weight: int, seconds: float, **more: t.Any) -> dict[str, t.Any]:
        return {**self.task.params["watch"], "pool": self.pool, "weight": weight, "seconds": seconds, "since": self.release.get("started"), **more}

    def _watch(self, weight: int, seconds: float, until: t.Callable[[], None] = lambda: None, **more: t.Any) -> None:
        """Watch for so many seconds, or until that raises Failure."""

        def held() -> None:
            self.task.held()
            until()

        try:
            found = self.calls.run(replace(self.task, held=held), WATCH, **self._watching(weight, seconds, **more))
        except Failure as failure:
            self.ending.keep(failure.evidence, self.pool)
            raise
        self.ending.keep(found, self.pool)

    def _warm(self) -> None:
        """Watch the triggers while the old pool stays as it is, and run the checks meanwhile."""
        params = self.task.params
        names = ("version", "endpoint", "auth", "era")
        context = Context(self.cluster, self.server, self.pool, **{name: params[name] for name in names})
        with Checks(self.task, context, params["checks"]) as running:
            if params["warm_seconds"] > 0:
                label = f"{self.pool} 100 %, {self.stable} is warm,"
                self._watch(100, params["warm_seconds"], check=["triggers"], label=label, until=running.refuse_failed)
            running.await_end()
            self.result["checks"] = running.outcomes

    def succeed(self) -> dict[str, t.Any]:
        params = self.task.params
        shrinks = params["warm_replicas"] is not None
        self.calls.run(self.task, RELEASE, state="ended", outcome=record.SUCCEEDED, unlock=not shrinks)
        failed = ""
        if shrinks:
            try:
                self._scale_stable()
            except Failure as failure:
                failed = failure.msg
            self.ending.give_back(params["lock"])
        self.ending.tell()
        version, before = self.release["to"]["version"], self.release["from"].get("version") or "the version before"
        live = f"{version} is live on {self.pool} (100 % measured)"
        if failed:
            raise Failure(f"{live}, but pool {self.stable} was not scaled to its warm size: {failed}", **self._evidence())
        size = f" with {params['warm_replicas']} pods" if shrinks else ""
        self.task.progress(f"{live}; {before} stays on {self.stable}{size}, and rollback.yml goes back to it")
        return {**self.result, **self.ending.told, "outcome": record.SUCCEEDED}

    def _scale_stable(self) -> None:
        self._note(self.calls.run(self.task, ROLLOUT, pool=self.stable, replicas=self.task.params["warm_replicas"]))

    def roll_back(self, cause: Failure) -> Failure:
        """Return the failure of the release, after the traffic is back where it was, or with why it is not."""
        version, why = self.task.params["version"] or "the new version", cause.msg
        about = f"Release of {version} failed"
        try:
            found = self.ending.roll_back(why, self.task.params["lock"])
        except Lost as lost:
            return lost
        except Failure as failure:
            self.ending.tell(payload.ROLLBACK_FAILED, failure.msg)
            self.ending.escalate()
            return Failure(f"{about} ({why}), and the rollback failed: {failure.msg}", **{**failure.evidence, **self._evidence()})
        self.ending.tell()
        self.ending.escalate()
        return Failure(
            f"{about}, traffic is on {found['pool']}: {why}", **{**cause.evidence, **self._evidence(), "changed": True, "outcome": record.ROLLED_BACK}
        )

    def pause(self, why: str) -> Failure:
        """Return the failure of a release that can't be judged, after the record says so: its traffic stays where it is."""
        self._hold(why)
        self.ending.tell(payload.HOLDING, why)
        version = self.task.params["version"] or "the new version"
        return Failure(
            f"Release of {version} is held, and the traffic stays as it is: {why} The same command goes on from there; rollback.yml takes it back.",
            **{**self._evidence(), "held": True, "outcome": "held"},
        )

    def _hold(self, why: str, **more: t.Any) -> None:
        try:
            self.calls.run(self.task, RELEASE, state="held", reason=why, **more)
        except Lost:
            raise
        except Failure as failure:
            self.task.warn(f"That the release is held was not recorded. {failure.msg}")

    def pause_for_approval(self, weight: int) -> dict[str, t.Any]:
        """Hand the Lease to the guard, which watches and rolls back when nobody goes on in time."""
        until = datetime.now(UTC) + timedelta(seconds=self.task.params["pause_seconds"])
        text = until.isoformat(timespec="seconds").replace("+00:00", "Z")
        why = f"paused at {weight} % until {text}, as stop_after says."
        self._hold(why, paused_until=text)
        self.ending.tell(payload.HOLDING, why)
        self.task.progress(f"{why.rstrip('.')}; the same command without stop_after goes on from there, and rollback.yml takes it back")
        return {**self.result, **self.ending.told, "outcome": "paused", "paused_until": text}

    def stop(self, stopped: Interrupted) -> None:
        """Within 3 s: say where the release stands, and let others go on with it."""
        quick = Calls({**self.calls.common, **QUICK})
        weight = self.weights.get(self.pool, 0)
        try:
            # It may have been stopped between a write and what followed from it.
            weight = self._weights(connection.connect(quick.common))[self.pool]
            quick.run(self.task, RELEASE, state="held", reason=f"paused at {weight} % by {stopped.signal}")
            stopped.add_note(f"It is paused at {weight} %. The same command goes on from there; rollback.yml takes it back.")
        except Failure as failure:
            stopped.add_note(f"It stays at {weight} %, which could not be recorded: {failure.msg}")

    def _evidence(self) -> dict[str, t.Any]:
        return {**self.result, **self.ending.told}


class Checks:
    """The checks of a release in a thread of their own, so that the watch goes on meanwhile. Ends them when its block is left."""

    def __init__(self, task: Task, context: Context, wanted: list[dict[str, t.Any]]) -> None:
        self._task, self._wanted = task, wanted
        self._stop = threading.Event()
        self._found: list[checks.Outcome] = []
        copied = contextvars.copy_context()  # so that it waits for the API server as this task does
        self._thread = threading.Thread(target=copied.run, args=(self._work, context), daemon=True)

    def __enter__(self) -> Checks:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(QUICK["api_timeout"])

    def _work(self, context: Context) -> None:
        self._found = checks.run_checks(self._task, context, self._wanted, self._stop)

    @property
    def outcomes(self) -> list[dict[str, t.Any]]:
        return [asdict(outcome) for outcome in self._found]

    def refuse_failed(self) -> None:
        """Raise Failure when one has failed."""
        if not self._thread.is_alive() and (sentence := checks.failure_sentence(self._found)):
            raise Failure(sentence, checks=self.outcomes)

    def await_end(self) -> None:
        """Wait for checks that take longer than the watch; each has its time limit."""
        while self._thread.is_alive():
            self._thread.join(0.25)
            self._task.held()
        self.refuse_failed()
