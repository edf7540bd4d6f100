# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release from its first weight to the end of its warm window: mcp_traffic_shift with steps.

One task for each server, so that no strategy, fork, batch or rescue of Ansible stands between a breach and the
rollback. It shifts, probes, watches and checks, and rolls back at a breach. However it ends, the sizes, the record, the
Lease, the announcement and the report come last.
"""

from __future__ import annotations

import contextvars
import functools
import threading
import time
import typing as t
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ansible.module_utils.common.parameters import remove_values

from ansible_collections.mcp.server.plugins.module_utils import _results, _times, _versions
from ansible_collections.mcp.server.plugins.module_utils._announce import escalation, payload
from ansible_collections.mcp.server.plugins.module_utils._checks import run as checks
from ansible_collections.mcp.server.plugins.module_utils._checks import validation as checks_problems
from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context
from ansible_collections.mcp.server.plugins.module_utils._fleet import state as fleet_state
from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates_options
from ansible_collections.mcp.server.plugins.module_utils._gates import thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import INCONCLUSIVE
from ansible_collections.mcp.server.plugins.module_utils._guard import job
from ansible_collections.mcp.server.plugins.module_utils._image import same_image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import asking
from ansible_collections.mcp.server.plugins.module_utils._modules import (
    closing,
    ending,
    mcp_health,
    mcp_validate,
    single_shift,
)
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_guard as guard
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module, secrets
from ansible_collections.mcp.server.plugins.module_utils._modules.ending import RELEASE, ROLLOUT, SILENCE, Ending
from ansible_collections.mcp.server.plugins.module_utils._plan import steps as planned
from ansible_collections.mcp.server.plugins.module_utils._release import bypassed, lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import (
    Deadline,
    Failure,
    Fleet,
    FleetStopped,
    Interrupted,
    LeaseLost,
    Task,
    unexpected,
    without_secrets,
)
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic import (
    broken_glass,
    naming,
    overwrite_monitor,
    share,
    shift,
    watch,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Expected, Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Route
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._traffic.synthetic import BURST, TICK

HEALTH = Module(mcp_health.SPEC, mcp_health.run)
WATCH = Module(watch.SPEC, watch.run, "watch")
GUARD = Module(guard.SPEC, guard.run, "guard")
VALIDATION = Module(mcp_validate.SPEC, mcp_validate.run_in_release, "validation")
# An emergency has the same options, but for the gateway's counters, which it does not import, and for the end at a
# burst of errors.
SHIFT = Module(
    replace(
        single_shift.SPEC,
        options={
            **single_shift.SPEC.options,
            "prometheus": gates_options.OPTION,
            "stop_at_burst": {"type": "bool", "default": True},
        },
    ),
    single_shift.run,
)

SHOWN_PODS = 3  # in a message
VERSION_ANSWERS = 10  # answers to read the version from once more, before a release has succeeded
ROUNDS = 20  # lists in one session through the gateway after each step
QUICK_OPTIONS = {"api_timeout": 1.0, "api_retry_timeout": 0.0}  # an interrupted task has 3 s

# Seconds that the last weights must have lasted before the old pool is scaled down: most reverts come earlier
STABLE_SECONDS = 10.0
WATCH_SLICE = 5.0  # seconds of each watch while checks take longer than the warm window
MAX_PAUSE_SECONDS = job.LONGEST - 4 * 3600.0  # seconds: the guard started earlier and must last as long

Step = dict[str, t.Any]
# As long as no release was read, or where there is none.
NOT_RECORDED = t.cast(record.Release, {})


def problems(params: dict[str, t.Any]) -> list[str]:
    """Return a sentence for each option that is not valid. Pure."""
    weights = [step["weight"] for step in params["steps"]]
    found = planned.problems(weights)
    if params["stop_after"] is not None:
        if params["stop_after"] not in weights or params["stop_after"] >= 100:
            found.append(f"stop_after is {params['stop_after']}: it must be the weight of a step, and less than 100.")
        if params["guard"] is None:
            found.append("stop_after needs a guard, which watches the release while it is paused: set guard.")
        if not 0 < params["pause_seconds"] <= MAX_PAUSE_SECONDS:
            found.append(
                f"pause_seconds is {params['pause_seconds']:g}: it must be more than 0, "
                f"and at most {MAX_PAUSE_SECONDS:g}, for which a guard lasts."
            )
    found += [
        f"A step has seconds {step['seconds']:g}: it must be 0 or more."
        for step in params["steps"]
        if step["seconds"] < 0
    ]
    if problem := _versions.compare_problem(params):
        found.append(problem)
    return found + checks_problems.problems(params["checks"])


def remaining(steps: t.Sequence[Step], weight: int) -> list[Step]:
    """Return the steps left for a release whose pool has this weight. The step with that weight is repeated. Pure."""
    return [step for step in steps if step["weight"] >= weight]


def other_versions(wanted: str, before: t.Iterable[str], now: t.Sequence[str]) -> list[str] | None:
    """Return the versions among those reported now that are not the wanted one; None when they can't be compared.

    before: the versions that answers reported when the new pool got all the traffic. What a server calls its build need
    not be its tag: only where the wanted version was reported then is it expected now. Pure.
    """
    known = any(_versions.is_reported(version, wanted) for version in before)
    if not (wanted and known and now):
        return None
    return [version for version in now if not _versions.is_reported(version, wanted)]


def other_digests(running: t.Mapping[str, str], accepted: t.Collection[str]) -> str:
    """Return which ready pods run another image than the released one, a clause; empty when none does. Pure.

    running: each pod's digest, empty where it is unknown. accepted: by which nodes may know the image; where nobody
    knows, all pods must run the same one.
    """
    wrong = {pod: digest for pod, digest in sorted(running.items()) if digest not in accepted}
    if not wrong or (not accepted and len(set(running.values())) == 1):
        return ""
    shown = ", ".join(f"{pod} runs {digest or 'an unknown digest'}" for pod, digest in [*wrong.items()][:SHOWN_PODS])
    more = f" and {len(wrong) - SHOWN_PODS} more" if len(wrong) > SHOWN_PODS else ""
    expected = (
        f"expected {' or '.join(sorted(accepted)[:SHOWN_PODS])}" if accepted else "expected one image in all pods"
    )
    return f"{shown}{more}, {expected}"


def why_not_to_continue(release: record.Release | None, pool: str, images: t.Mapping[str, str]) -> str:
    """Return why the release can't shift traffic to the pool, a clause with its full stop; empty when it can. Pure.

    images: what each pool's workload runs now.
    """
    if not release or not record.is_running(release):
        return "no release in progress. Begin one with mcp_release."
    if release["to"]["pool"] != pool:
        return f"the release in progress goes to pool {release['to']['pool']}, not to {pool}."
    for side in ("from", "to"):
        has, wanted = images[release[side]["pool"]], release[side].get("image_ref") or ""
        if wanted and not same_image(has, wanted):
            return (
                f"pool {release[side]['pool']} runs {has} now, not {wanted}. "
                "Find out which client changed it, and release again."
            )
    return ""


def weights_of_ours(release: record.Release, noted: Weights | None) -> list[Weights]:
    """Return the weights that the route of this release may have, the newest first; none where that is not known.

    A run that was killed may have written weights that it could not record. noted: what was written last by this
    collection, by the note on the route. Pure.
    """
    steps, before = release["steps"], release["from"].get("weights")
    found = [noted, steps[-1].get("weights") if steps else None, before]
    return [weights for weights in found if weights and all(pool in weights for pool in POOLS)] if before else []


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if not params["run_id"] and not task.check_mode:
        raise Failure("steps need a release: begin one with mcp_release (state=begun), and pass its run_id.")
    called = (
        (ending.ANNOUNCE, params["announce"]),
        (ending.REPORT, params["report"]),
        (WATCH, params["watch"]),
        (VALIDATION, params["validation"]),
    )
    hidden = set().union(*(secrets(module, options or {}) for module, options in called))
    fleet = task.fleet if params["fleet"] and not task.check_mode else None
    # Of a fleet, one table is shown, in which each server has a line.
    progress = task.progress if fleet is None else functools.partial(fleet.note, fleet_state.WORKING)
    shown = replace(
        task,
        progress=lambda line: progress(without_secrets(remove_values(line, hidden))),
        warn=lambda text: task.warn(remove_values(text, hidden)),
        fleet=fleet,
    )
    try:
        result: dict[str, t.Any] = remove_values(_run(shown), hidden)
    except Failure as failure:
        failure.msg, failure.evidence = remove_values(failure.msg, hidden), remove_values(failure.evidence, hidden)
        if fleet is None:
            raise
        return _verdict(fleet, failure)
    if fleet is not None:
        fleet.note(fleet_state.RELEASED if result.get("outcome") == record.SUCCEEDED else fleet_state.AT_STOP)
    return result


# What the outcomes of a release are called in a fleet.
VERDICTS = {record.ROLLED_BACK: fleet_state.ROLLED_BACK, INCONCLUSIVE: fleet_state.PAUSED}


def _verdict(fleet: Fleet, failure: Failure) -> dict[str, t.Any]:
    """Note how the release of a fleet's server failed, and return that: its host stays in the play."""
    now = VERDICTS.get(failure.evidence.get("outcome", ""), fleet_state.FAILED)
    weight = 0 if now == fleet_state.ROLLED_BACK else None
    # One that only stopped with the others has not failed.
    failed = not failure.evidence.get("fleet_stopped") or now == fleet_state.FAILED
    msg = without_secrets(failure.msg)
    fleet.note(now, msg, weight=weight, failed=failed)
    return {"changed": True, **failure.evidence, "fleet_verdict": now, "why": msg}


def _run(task: Task) -> dict[str, t.Any]:
    steps_release = StepsRelease(task)
    try:
        steps_release.check()
    except Failure as failure:
        if not task.check_mode:
            steps_release.note_pause(failure.msg)  # a release that was cut off may have traffic
        raise
    if task.check_mode:
        return steps_release.plan()
    try:
        return steps_release.finish(steps_release.execute())
    except Interrupted as stopped:
        steps_release.stop(stopped)
        raise


@dataclass(frozen=True)
class Outcome:
    """How the task ends."""

    event: str = payload.ENDED  # what is announced
    why: str = ""  # for the announcement of an event whose cause the record does not have
    result: dict[str, t.Any] = field(default_factory=dict)  # keys for the task's result
    failure: Failure | None = None  # raised once all is announced
    bad: bool = False  # whether to show whom to call


class StepsRelease:
    """One release and its progress."""

    def __init__(self, task: Task) -> None:
        params = task.params
        self.server = Server.from_params(params)
        self.cluster = connection.connect(params)
        self.pool, self.stable = params["pool"], other(params["pool"])
        self.calls = Calls.of(params)
        self.ending = Ending(task, self.calls)
        self.task = task
        self.release = NOT_RECORDED
        self.ended, self.rolling_back = "", False
        self.route: Route = {}  # as it was at the start
        self.weights: Weights = {}
        self.shifted = 0.0  # when the share was measured last, on the monotonic clock
        self.writers = {params["run_id"]}
        self.expected = Expected()  # what the monitor checks for
        self.monitor = overwrite_monitor.OverwriteMonitor(task, self.cluster, self.server, self.expected)
        self.result: dict[str, t.Any] = {"changed": False, "steps": [], "verdicts": self.ending.verdicts}

    def _use_task(self, task: Task) -> None:
        """Continue as this task, such as one whose Lease is renewed."""
        self.task = self.ending.task = task

    def check(self) -> None:
        """Validate the options, also those of every module that is called later. Raises Failure."""
        if found := problems(self.task.params):
            raise Failure(f"Release of {self.server} refused: {' '.join(found)}")
        self.ending.check()
        self.calls.params(WATCH, **self._watch_options(100, 1.0))
        if self.task.params["guard"] is not None:
            self.calls.params(
                GUARD, state="present", **{"release_id": "any", "endpoint": None, **self.task.params["guard"]}
            )
        if self.task.params["validation"] is not None:
            self.calls.params(VALIDATION, **self.task.params["validation"])
        if self.task.params["silence"] is not None:
            self.calls.params(SILENCE, **self.task.params["silence"])

    def start(self) -> None:
        """Read again what the release builds on, which may have changed since its beginning; start guard and silence.

        Raises Overwritten and Failure.
        """
        self._read()
        self._refuse_break_glass()
        expected = overwrite_monitor.at_start(
            self.cluster, self.server, Expected(self.weights, runs=frozenset(self.writers), pool=self.pool)
        )
        if reason := why_not_to_continue(self.release, self.pool, expected.images):
            recorded = {
                self.release[side]["pool"]: self.release[side].get("image_ref")
                for side in ("from", "to")
                if self.release
            }
            images = {pool: image for pool, image in recorded.items() if image}
            overwrite_monitor.OverwriteMonitor(
                self.task, self.cluster, self.server, expected._replace(images=images)
            ).look()  # names the client that changed one
            raise Failure(f"Cannot continue the release of {self.server}: {reason}")
        self._refuse_weights_of_others()
        self.expected = expected
        self.monitor = overwrite_monitor.OverwriteMonitor(self.task, self.cluster, self.server, expected)
        self._check_digests()
        self._start_guard()
        if self.task.params["silence"] is not None:
            try:
                self.calls.run(self.task, SILENCE, release_id=self.release["id"], **self.task.params["silence"])
            except Failure as failure:  # not worth a failed release
                self.task.warn(f"Alerts of {self.server} could not be silenced. {failure.msg}")

    def _refuse_break_glass(self) -> None:
        """Raise GlassBroken, which pauses the release, when break_glass.yml has changed the server."""
        if found := broken_glass.find(self.cluster, self.server, self.task.warn):
            raise broken_glass.GlassBroken(broken_glass.sentence(found, self.server))

    def _check_digests(self) -> None:
        """Raise Failure when ready pods run another image than the released one. Record which one they run."""
        running, target, given = (
            self.server.digests(self.cluster, self.pool),
            self.release["to"],
            self.task.params["digests"],
        )
        known = target.get("digest") or ""
        # Nodes that deploy by an index's digest may know the image by its platform's.
        accepted = {*given, known} - {""} if given or "@" not in str(target.get("image_ref")) else set()
        if wrong := other_digests(running, accepted):
            raise Failure(
                f"Pool {self.pool} of {self.server} does not run what was released: {wrong}. The tag was moved, or a "
                "node has an old copy of the image. Release a tag that does not move, or with its digest."
            )
        if not known and (found := next(iter(running.values()), "")):
            self._add_changes(self.calls.run(self.task, RELEASE, state="updated", digest=found))
            self.release = {**self.release, "to": {**self.release["to"], "digest": found}}

    def _refuse_weights_of_others(self) -> None:
        """Raise Failure, which pauses the release, when another client has changed the weights before this task.

        They may be right, so they are not overwritten, as those that change later are.
        """
        kind = kind_of(self.server)
        noted = kind.noted(self.route)
        ours = weights_of_ours(self.release, noted[1] if noted else None)
        if not ours or any(kind.is_as_written(self.route, self.server, weights) for weights in ours):
            return
        found = overwrite_monitor.overwritten_route(self.cluster, self.server, self.route, ours[0])
        what = found.msg if found else f"its route gives {shift.text(self.weights)} now, not {shift.text(ours[0])}."
        raise Failure(
            f"another client has changed the weights of {self.server} since the release began: {what} "
            "First set the weights to continue from with mcp_traffic_shift (pool and weight).",
            **{**(found.evidence if found else {}), "inconclusive": True},
        )

    def _read(self) -> None:
        self.release = record.read(self.cluster, self.server)[0].current or NOT_RECORDED
        kind = kind_of(self.server)
        self.route = kind.read(self.cluster, self.server)
        self.weights = kind.weights(self.route, self.server)
        # A release that was cut off may have been written by another run.
        self.writers |= {kind.run(self.route)}

    def _route(self, cluster: Api) -> tuple[str, Weights]:
        """Return the run that has written the route, and its weights."""
        kind = kind_of(self.server)
        route = kind.read(cluster, self.server)
        return kind.run(route), kind.weights(route, self.server)

    def _start_guard(self) -> None:
        options = self.task.params["guard"]
        if options is not None:
            triggers = self.task.params["watch"].get("triggers")
            found = self.calls.run(
                self.task,
                GUARD,
                **{"release_id": self.release.get("id") or "none", "triggers": triggers, "endpoint": None, **options},
            )
            self._add_changes(found)

    def plan(self) -> dict[str, t.Any]:
        """Return the result in check mode: every change that would be made, one after the other."""
        self._read()
        if self.task.params["guard"] is not None:
            self._start_guard()
        for step in self._remaining():
            self._shift(step, force=True)
        if self.task.params["warm_replicas"] is not None:
            self._scale_stable()
        return self.result

    def execute(self) -> Outcome:
        """Do the release, and what its end changes in the cluster.

        Raises LeaseLost when another run holds the Lease: the announcement is that run's.
        """
        try:
            with lease_renewal.renewing(self.task, self.task.params["run_id"]) as task:
                self._use_task(task)
                self._refuse_stopped_fleet()
                self.start()
                with self._refusing_overwrites():
                    reached = self.shift_step_by_step()
                if reached is not None:
                    return self.pause_for_approval(reached)
                self.record_success()
                return self.succeed()
        except LeaseLost:
            raise
        except FleetStopped as stopped:
            stays = self.task.fleet is not None and self.task.fleet.on_failure == fleet_state.STOP
            return self.pause(stopped) if stays else self.roll_back(stopped)
        except Failure as failure:
            self._stop_fleet(failure.msg)
            if failure.evidence.get("inconclusive") or isinstance(failure, broken_glass.GlassBroken):
                return self.pause(failure)
            return self.roll_back(failure)
        except Exception as error:  # a bug must not leave the traffic where it is
            bug = Failure(f"The task failed unexpectedly ({type(error).__name__}: {error}).")
            self._stop_fleet(bug.msg)
            return self.roll_back(bug)

    def finish(self, outcome: Outcome) -> dict[str, t.Any]:
        """Announce and report the outcome; return the task's result, or raise its failure."""
        self.ending.conclude(outcome.event, outcome.why)
        if outcome.bad:
            self.ending.escalate()
        result = {**self.result, **self.ending.result, **outcome.result}
        if outcome.failure is None:
            return result
        raise Failure(outcome.failure.msg, **{**outcome.failure.evidence, **result})

    @contextmanager
    def _refusing_overwrites(self) -> t.Iterator[None]:
        """End what runs in the block once another client has overwritten route, image or size."""
        task = self.task

        def check() -> None:
            task.check_lease()
            self.monitor.refuse()
            self._refuse_stopped_fleet()

        self._use_task(replace(task, check_lease=check))
        try:
            with self.monitor:
                yield
        finally:
            self._use_task(task)

    def _refuse_stopped_fleet(self) -> None:
        """Raise FleetStopped once another server of the fleet has failed."""
        if self.task.fleet is not None:
            self.task.fleet.refuse_stopped()

    def _stop_fleet(self, why: str) -> None:
        """Let the others of the fleet know, before anything of this server is rolled back."""
        if self.task.fleet is not None:
            self.task.fleet.note(fleet_state.WORKING, why, failed=True)

    def shift_step_by_step(self) -> int | None:
        """Do the steps. Return the weight at which to pause for an approval, None when the pool has all the traffic."""
        steps, params = self._remaining(), self.task.params
        for number, step in enumerate(steps, 1):
            self.task.progress(
                f"step {number} of {len(steps)}: {self.pool} {step['weight']} %, watched for {step['seconds']:g} s"
            )
            self._shift(step)
            self._probe()
            if step["seconds"]:
                self._watch(step["weight"], step["seconds"], label=f"{self.pool} {step['weight']} %,")
            weight: int = step["weight"]
            if weight == params["stop_after"]:
                return weight
        self._warm()
        return None

    def _remaining(self) -> list[Step]:
        resumed = record.is_running(self.release) and self.release["to"]["pool"] == self.pool if self.release else False
        return remaining(self.task.params["steps"], self.weights[self.pool] if resumed else 0)

    def _shift(self, step: Step, *, force: bool = False) -> None:
        names = (
            "sessions",
            "session_mode",
            "sessions_metric",
            "drain_timeout",
            "timeout",
            "tolerance",
            "samples",
        )
        options = {name: self.task.params[name] for name in names}
        options["prometheus"] = self.task.params["prometheus"] or self.task.params["watch"].get("prometheus")
        options["stop_at_burst"] = self._watches_bursts()
        self._expect_weights(None)  # the shift has a monitor of its own
        found = self.calls.run(
            self.task, SHIFT, pool=self.pool, weight=step["weight"], force=force or self.task.params["force"], **options
        )
        self.weights, self.shifted = found["after"], time.monotonic()
        if self.task.fleet is not None:
            self.task.fleet.note(fleet_state.WORKING, f"shifted to {self.pool}", weight=self.weights[self.pool])
        self._expect_weights(self.weights)
        self.result["steps"].append(
            {
                name: found.get(name)
                for name in ("after", "of_all_traffic", "share", "seconds_to_follow", "written_at", "sessions")
            }
        )
        self.result["route_notes"] = found.get("route_notes", [])
        self._add_changes(found)

    def _watches_bursts(self) -> bool:
        """Return whether the trigger error_burst is on: the shift judges it, too."""
        triggers = gates_options.gates(thresholds.TRIGGERS, self.task.params["watch"].get("triggers"), "triggers")
        return any(gate.name == BURST.name for gate in triggers)

    def _expect_weights(self, weights: Weights | None) -> None:
        self.expected = self.monitor.expected = self.expected._replace(weights=weights)

    def _add_changes(self, found: dict[str, t.Any]) -> None:
        self.result["changed"] = self.result["changed"] or found["changed"]
        if found.get("diff") and found["changed"]:
            self.result.setdefault("diff", []).append(found["diff"])

    def _probe(self) -> None:
        """Do a whole session through the gateway, from the handshake to its lists.

        Raises Failure when it is not healthy.
        """
        params = self.task.params
        if not params["probe"] or (params["auth"] or {}).get("expect_401"):
            return
        self.calls.run(
            self.task, HEALTH, auth=params["auth"], era=params["era"], lists=[], stability={"rounds": ROUNDS}
        )

    def _watch_options(self, weight: int, seconds: float, **more: t.Any) -> dict[str, t.Any]:
        return {
            **self.task.params["watch"],
            "pool": self.pool,
            "weight": weight,
            "seconds": seconds,
            "since": self._since(),
            "other_backends": self._has_others(),
            **more,
        }

    def _has_others(self) -> bool:
        """Return whether other backends than the pools get some of the route's traffic, by the last shift."""
        step = self.result["steps"][-1] if self.result["steps"] else {}
        return (step.get("of_all_traffic") or step.get("after")) != step.get("after")

    def _since(self) -> str | None:
        """Return when the release began, by this machine's clock; the record has the API server's."""
        started = _times.parse(self.release.get("started"))
        return (started - (self.cluster.now() - datetime.now(UTC))).isoformat() if started else None

    def _watch(self, weight: int, seconds: float, until: t.Callable[[], None] = lambda: None, **more: t.Any) -> None:
        """Watch for so many seconds, or until C(until) raises Failure."""

        def check() -> None:
            self.task.check_lease()
            until()

        try:
            found = self.calls.run(
                replace(self.task, check_lease=check), WATCH, **self._watch_options(weight, seconds, **more)
            )
        except Failure as failure:
            self.ending.keep_verdicts(failure.evidence, self.pool)
            raise
        self.ending.keep_verdicts(found, self.pool)

    def _warm(self) -> None:
        """Watch the triggers while the old pool keeps its size, and run the checks beside that."""
        params = self.task.params
        version = params["version"] or self.release["to"]["version"] or ""
        names = ("endpoint", "auth", "era")
        context = Context(self.cluster, self.server, self.pool, version, **{name: params[name] for name in names})
        beside = [Beside(functools.partial(checks.run_checks, self.task, context, params["checks"]))]
        if params["validation"] is not None:
            beside.append(Beside(self._validate))

        def refuse_failed() -> None:
            for one in beside:
                one.refuse_failed()

        with ExitStack() as ended:
            for one in beside:
                ended.enter_context(one)
            wanted = params["checks"] or params["validation"]
            seconds = params["warm_seconds"] or (WATCH_SLICE if wanted else 0.0)
            label = f"{self.pool} 100 %, {self.stable} is warm,"
            while seconds > 0:
                self._watch(100, seconds, checks=["triggers"], label=label, until=refuse_failed)
                # While checks take longer, the triggers are still watched.
                is_alive = any(one.is_alive for one in beside)
                seconds, label = WATCH_SLICE if is_alive else 0.0, f"{self.pool} 100 %, checks still run,"
            refuse_failed()
            self.result["checks"] = [outcome for one in beside for outcome in one.outcomes]
        if params["warm_replicas"] is not None:
            self._await_stable_weights()

    def _validate(self, stop: threading.Event) -> list[checks.Outcome]:
        """Validate the new version by mcp_validate. What cannot be measured is told, and takes nothing back."""
        options = {"pool": self.pool, "era": self.task.params["era"], **self.task.params["validation"]}

        def refuse_stopped() -> None:
            if stop.is_set():
                raise _results.CannotMeasure("It was interrupted.")

        try:
            # The Lease is looked after by the watch beside it.
            found = self.calls.run(replace(self.task, check_lease=refuse_stopped), VALIDATION, **options)["checks"]
        except Exception as error:  # it could not even begin, or has a bug: no fault of the version
            why = error.msg if isinstance(error, Failure) else unexpected(error)
            self.task.warn(f"{self.server} could not be validated. {why}")
            return []
        if stop.is_set():  # an interruption looks like a failure, but is not one
            return []
        for one in found:
            if one["verdict"] == _results.CANNOT_MEASURE and one["required"]:
                self.task.warn(f"Validation of {self.server} cannot tell ({one['name']}): {one['message']}")
        return [validated(one) for one in found]

    def _await_stable_weights(self) -> None:
        """Wait until the last weights have lasted for STABLE_SECONDS.

        Raises Overwritten when another client reverts them.
        """
        bound = Deadline(STABLE_SECONDS - (time.monotonic() - self.shifted))
        if bound.left > WATCH_SLICE:
            self.task.progress(
                f"scaling {self.stable} down in {bound.left:.0f} s, unless another client reverts the route"
            )
        while bound.pause(TICK):
            self.task.check_lease()

    def record_success(self) -> None:
        """Record the release as succeeded, if route, image and answers still agree. Raises Failure otherwise."""
        self.monitor.look()  # names the client that overwrote something
        self._refuse_changed()
        self._refuse_other_image()
        self._check_digests()
        self._refuse_other_version()
        self.calls.run(
            self.task,
            RELEASE,
            state="ended",
            outcome=record.SUCCEEDED,
            return_lease=self.task.params["warm_replicas"] is None,
        )
        self.ended = record.SUCCEEDED

    def _refuse_changed(self) -> None:
        """Raise LeaseLost when another run has written the route, Overwritten when the new pool has not all traffic."""
        writer, weights = self._route(self.cluster)
        if writer and writer not in self.writers:
            raise LeaseLost(
                f"This run lost the Lease of {self.server} (run {writer} wrote its route) and makes no further changes."
            )
        if weights[self.pool] != 100:
            raise Overwritten(
                f"The route of {self.server} gives {shift.text(weights)} now, not all to {self.pool}. "
                "Find out which client changed it."
            )

    def _refuse_other_image(self) -> None:
        """Raise Overwritten when the new pool's Deployment has another image than the released one."""
        has, wanted = self.server.image(self.cluster, self.pool)[0], self.release["to"].get("image_ref") or ""
        if wanted and not same_image(has, wanted):
            raise Overwritten(
                f"Pool {self.pool} of {self.server} runs {has} now, not {wanted}. Find out which client changed it."
            )

    def _refuse_other_version(self) -> None:
        """Raise Overwritten when answers report another version than the released one, see other_versions().

        Only where compare_version asks for that: the digests of the pods are known.
        """
        compared = self.task.params["compare_version"]
        if not compared:
            return
        wanted = self.release["to"].get("version") or ""
        public = asking.endpoint_of(self.task.params)
        answers = share.sample(public, VERSION_ANSWERS)
        versions = naming.versions([answer for answer in answers if not answer.reason], compared)
        others = other_versions(wanted, self._reported_versions(), versions)
        if others is None:
            self.task.progress(f"version not compared again: {public.name} does not report {wanted or 'one'}")
        elif others:
            shown = ", ".join(printable(version, 100) for version in others)
            raise Overwritten(
                f"{public.name} reports version {shown}, not {wanted}. "
                f"Find out what pool {self.pool} of {self.server} runs, and who changed it."
            )

    def _reported_versions(self) -> list[str]:
        """Return the versions that answers reported when the new pool got all the traffic."""
        share_ = self.result["steps"][-1].get("share") if self.result["steps"] else None
        return (share_ or {}).get("versions") or []

    def succeed(self) -> Outcome:
        """Scale the stable pool down and return the Lease.

        Only another client that overwrites takes the success back.
        """
        params, failed = self.task.params, ""
        shrinks = params["warm_replicas"] is not None
        if shrinks:
            try:
                self._shrink_stable()
            except (LeaseLost, Overwritten):
                raise
            except Exception as error:
                failed = getattr(error, "msg", f"{type(error).__name__}: {error}")
            self.ending.return_lease(params["run_id"])
        version = self.release["to"]["version"] or "The new version"
        before = self.release["from"].get("version") or "the version before"
        since = self.cluster.now() - timedelta(seconds=time.monotonic() - self.shifted)
        result = {"outcome": record.SUCCEEDED}
        last = self.result["steps"][-1] if self.result["steps"] else {}
        measured = bool((last.get("share") or {}).get("measured_by"))
        if failed:
            live = closing.live(version, self.pool, since, measured=measured)
            failure = Failure(f"{live}, but pool {self.stable} was not scaled to its warm size: {failed}")
            return Outcome(result=result, failure=failure)
        self.task.progress(
            closing.succeeded(
                version,
                self.pool,
                since,
                before=before,
                stable=self.stable,
                replicas=params["warm_replicas"],
                measured=measured,
            )
        )
        if noted := bypassed.of(self.release):
            self.task.progress(f"{noted.sentence} The next release without a bypass ends this note.")
        return Outcome(result=result)

    def _shrink_stable(self) -> None:
        """Scale the stable pool to its warm size. Raises Overwritten when another client gave it traffic again."""
        self._refuse_changed()
        try:
            self._scale_stable()
        except Failure:
            self.monitor.look()  # an overwrite may be the cause
            raise

    def _scale_stable(self) -> None:
        self._add_changes(
            self.calls.run(self.task, ROLLOUT, pool=self.stable, replicas=self.task.params["warm_replicas"])
        )

    def roll_back(self, cause: Failure) -> Outcome:
        """Return the traffic to the stable pool. Raises LeaseLost when another run holds the Lease."""
        why = cause.msg
        self.rolling_back = True
        self.ending.kind = escalation.kind_of(
            evidence=cause.evidence, answers_failed=isinstance(cause, shift.FailedAnswers)
        )
        once = isinstance(cause, Overwritten)
        if once:
            self.task.progress(f"overwritten: {why.rstrip('.')}; returning all traffic to {self.stable}, once")
        try:
            found = self.ending.roll_back(why, self.task.params["run_id"], once=once)
        except LeaseLost:
            raise
        except Exception as error:
            reason = getattr(error, "msg", f"{type(error).__name__}: {error}")
            failure = Failure(
                f"Release of {self.version} failed ({why}), and the rollback failed: {reason}",
                **getattr(error, "evidence", {}),
            )
            return Outcome(payload.ROLLBACK_FAILED, reason, failure=failure, bad=True)
        self.ended = record.ROLLED_BACK
        result = {"changed": True, "outcome": record.ROLLED_BACK}
        scaled = " Nothing was scaled." if once else ""
        before = (self.release.get("from") or {}).get("version") or ""
        brief = cause.brief if isinstance(cause, shift.FailedAnswers) else why
        msg = closing.rolled_back(
            self.version,
            f"{brief}{scaled}",
            pool=found["pool"],
            before=before,
            digest_gone=found.get("digest_gone") or "",
        )
        failure = Failure(msg, **cause.evidence)
        return Outcome(result=result, failure=failure, bad=True)

    @property
    def version(self) -> str:
        return self.task.params["version"] or "the new version"

    def pause(self, cause: Failure) -> Outcome:
        """Leave the traffic of an inconclusive release where it is, and record that as a pause."""
        why = cause.msg
        self.note_pause(why)
        about = f"Release of {self.version} is paused, and the traffic stays as it is: {why}"
        failure = Failure(f"{about} To continue: the same command. To go back: rollback.yml.", **cause.evidence)
        return Outcome(payload.PAUSED, why, {"inconclusive": True, "outcome": INCONCLUSIVE}, failure, bad=True)

    def note_pause(self, why: str) -> None:
        """Record why the release is paused, and return the Lease."""
        try:
            self.calls.run(self.task, RELEASE, state="paused", reason=why)
        except Failure as failure:
            self.task.warn(f"The pause of the release of {self.server} was not recorded. {failure.msg}")

    def pause_for_approval(self, weight: int) -> Outcome:
        """Pause and return the Lease; the guard watches, and rolls back when the release is not continued in time."""
        until = self.cluster.now() + timedelta(seconds=self.task.params["pause_seconds"])
        text = _times.iso(until, "seconds")
        why = f"paused at {weight} % until {text}, as stop_after says."
        try:
            self.calls.run(self.task, RELEASE, state="paused", reason=why, paused_until=text)
        except LeaseLost:
            raise
        except Failure as failure:
            msg = f"Release of {self.version} stays at {weight} %, but the pause could not be recorded: {failure.msg}"
            return Outcome(payload.PAUSED, msg, failure=Failure(msg), bad=True)
        self.task.progress(
            f"{why.rstrip('.')}; to continue: the same command without stop_after; to go back: rollback.yml"
        )
        return Outcome(payload.PAUSED, why, {"outcome": "paused", "paused_until": text})

    def stop(self, stopped: Interrupted) -> None:
        """Record within 3 s where the release stands, and return the Lease."""
        if self.ended:
            stopped.add_note(f"The release has ended before: {self.ended}. The steps after that were cut off.")
            return
        quick = Calls({**self.calls.common, **QUICK_OPTIONS})
        weight = self.weights.get(self.pool, 0)
        try:
            # The signal may have come between a write and the end of its verification.
            weight = self._route(connection.connect(quick.common))[1][self.pool]
            quick.run(self.task, RELEASE, state="paused", reason=f"paused at {weight} % by {stopped.signal}")
            stopped.add_note(
                f"All traffic is back on {self.stable}." if self.ending.is_back else f"It is paused at {weight} %."
            )
        except Failure as failure:
            stopped.add_note(f"It stays at {weight} %, which could not be recorded: {failure.msg}")
        if self.ending.is_back:
            stopped.add_note(
                f"The steps after that were cut off: pool {self.pool} keeps its pods. Run rollback.yml to finish."
            )
        elif self.rolling_back:
            stopped.add_note("The rollback was cut off: run rollback.yml.")
        else:
            stopped.add_note("To continue: the same command. To go back: rollback.yml.")


def validated(one: _results.Result) -> checks.Outcome:
    """Return the result of a check of mcp_validate as an outcome of a release. Pure."""
    passed = one["verdict"] != _results.FAILED
    told = "" if one["verdict"] == _results.PASSED else printable(one["message"], checks.MAX_REASON)
    return checks.Outcome(one["name"], VALIDATION.option, passed, one["seconds"], told)


class Beside:
    """Checks of a release, run in a thread beside the watch. They are ended when the block is left."""

    def __init__(self, work: t.Callable[[threading.Event], list[checks.Outcome]]) -> None:
        """work: returns the outcomes, soon once the event is set."""
        self._stop = threading.Event()
        self._found: list[checks.Outcome] = []
        self._broken = ""
        copied = contextvars.copy_context()  # so that it shares the task's waits for the API server
        self._thread = threading.Thread(target=copied.run, args=(self._work, work), daemon=True)

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(QUICK_OPTIONS["api_timeout"])

    def _work(self, work: t.Callable[[threading.Event], list[checks.Outcome]]) -> None:
        try:
            self._found = work(self._stop)
        except Exception as error:
            self._broken = f"The checks could not be run ({type(error).__name__}: {error})."

    @property
    def outcomes(self) -> list[dict[str, t.Any]]:
        return [asdict(outcome) for outcome in self._found]

    def refuse_failed(self) -> None:
        """Raise Failure once all have run and one has failed."""
        if not self.is_alive and (sentence := self._broken or checks.failure_sentence(self._found)):
            raise Failure(sentence, checks=self.outcomes)
