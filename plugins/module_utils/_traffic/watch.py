# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watching what clients get for a while: the module mcp_watch."""

from __future__ import annotations

import time
import typing as t
from collections import deque
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils._cluster import keeping
from ansible_collections.mcp.server.plugins.module_utils._cluster.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._gates import judging, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, HELD, NO_DATA, PASS, Gate, Verdict, combined
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import share
from ansible_collections.mcp.server.plugins.module_utils._traffic.own import TICK, Own

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **keeping.OPTION,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "endpoint": {**endpoints.OPTION, "required": True},
        "pool_key": {"type": "str", "default": "pool", "no_log": False},
        "seconds": {"type": "float", "required": True},
        "rate": {"type": "float", "default": 20.0},
        "max_failed_percent": {"type": "float", "default": 1.0},
        "min_answers": {"type": "int", "default": 20},
        "label": {"type": "str", "default": ""},
        "prometheus": options.OPTION,
        "pool": {"type": "str", "choices": list(POOLS)},
        "weight": {"type": "int", "default": 100},
        "check": {"type": "list", "elements": "str", "choices": ["shift", "triggers"], "default": ["shift", "triggers"]},
        "gates": {"type": "dict", "default": {}},
        "triggers": {"type": "dict", "default": {}},
        "since": {"type": "str"},
        "hold_timeout": {"type": "float", "default": 600.0},
        "poll": {"type": "float", "default": 5.0},
    },
    required_by={"lock": ["namespace", "server"], "prometheus": ["namespace", "server", "pool"]},
)
EVERY = 5.0  # seconds between lines of progress
HELD_EVERY = 2.0  # seconds between polls when only they are waited for


@keeping.kept
def run(task: Task) -> dict[str, t.Any]:
    """Watches until the time is over and everything passes, a trigger is breached, or it has been held for too long."""
    watch = Watch(task)
    if task.check_mode:
        return watch.result(NO_DATA, [])
    return watch.run()


class Watch:
    """One watch, and what it has seen so far."""

    def __init__(self, task: Task) -> None:
        params = task.params
        for option in ("seconds", "rate", "weight", "poll"):
            if params[option] <= 0:
                raise Failure(f"{option} is {params[option]:g}: it must be more than 0.")
        self.task = task
        self.public = endpoints.public(params["endpoint"])
        self.seconds = params["seconds"]
        self.triggers = options.gates(thresholds.TRIGGERS, params["triggers"], "triggers") if "triggers" in params["check"] else []
        self.gates = options.gates(thresholds.SHIFT, params["gates"], "gates") if "shift" in params["check"] else []
        if params["weight"] >= 100:  # There is nothing to compare with.
            self.gates = [gate for gate in self.gates if not gate.versus]
        # What own answers are judged by: at once, and without Prometheus also by the trigger of errors.
        of_own = {"fast"} if params["prometheus"] else {"fast", "errors"}
        self.own_triggers = [gate for gate in self.triggers if gate.name in of_own]
        self.answers = Gate("answers", "errors", params["max_failed_percent"], least=params["min_answers"])
        # Time for a poll that begins at the end, whatever may be held.
        source = params["prometheus"]
        poll = (len(source["source"]) + 2) * source["timeout"] if source else 0.0
        self.bound = Deadline(self.seconds + max(poll, params["hold_timeout"]))
        self.own = Own(params["weight"], self.bound.started, max([self.bound.seconds, *(gate.window or 0 for gate in self.own_triggers)]) + 5)
        self.last: deque[share.Answer] = deque(maxlen=2000)
        self.said = self.bound.started

    def run(self) -> dict[str, t.Any]:
        poller = self._poller()
        with poller or nullcontext(), share.asked(self.public, self.task.params["pool_key"], self.bound, self.task.params["rate"]) as arrived:
            while True:
                self.bound.pause(TICK)
                self.task.held()
                new = [arrived.get() for _each in range(arrived.qsize())]
                self.last.extend(new)
                self.own.add(time.monotonic(), new)
                poll = poller.latest if poller else None
                ended = self.bound.elapsed >= self.seconds
                verdicts = [*self._own_triggers(), *(poll.triggers if poll else [])]
                breached = [verdict for verdict in verdicts if verdict.outcome == BREACH]
                if breached:
                    raise self._failure(BREACH, verdicts, breached)
                # Of the whole time, and not of all but the last seconds of it.
                fresh = not poller or bool(poll and poll.begun >= self.bound.started + self.seconds)
                if ended:
                    verdicts = [*verdicts, *self._at_the_end(poll)]
                    outcome = combined(verdicts) if fresh else HELD
                    if outcome == PASS:
                        return self.result(PASS, verdicts)
                    if outcome == BREACH or not self.bound.left:
                        raise self._failure(outcome, verdicts, [verdict for verdict in verdicts if verdict.outcome == outcome])
                    if poller and (poll is None or time.monotonic() - poll.begun >= HELD_EVERY):
                        poller.now()
                self._say(verdicts, ended and fresh)

    def _poller(self) -> t.Any:
        params = self.task.params
        if not params["prometheus"]:
            return None
        # Takes requests, which takes 0.1 s to import.
        from ansible_collections.mcp.server.plugins.module_utils._gates import connecting, polling

        back = max([self.bound.seconds if self.gates else 0.0, *(gate.window or 0 for gate in self.triggers)])
        source = connecting.source(params, Server.from_params(params), params["pool"], back)
        return polling.Poller(source, self.triggers, self.gates, self.seconds, age(params["since"]), params["poll"])

    def _own_triggers(self) -> list[Verdict]:
        """Those that are breached: that own answers are too few to tell holds nothing."""
        return [verdict for gate in self.own_triggers if (verdict := self.own.trigger(gate)).verdict == BREACH]

    def _at_the_end(self, poll: t.Any) -> list[Verdict]:
        if "shift" not in self.task.params["check"]:
            return []
        own = self.own.whole(self.answers, self.bound.elapsed, self.seconds)
        if own.verdict == BREACH and self.task.params["prometheus"]:
            # Whose they are, the metrics of the pools tell better.
            own = replace(own, verdict=NO_DATA, reason=f"{own.reason}, of both pools together")
        return [own, *(poll.gates if poll else [])]

    def _say(self, verdicts: list[Verdict], held: bool) -> None:
        if time.monotonic() - self.said < EVERY:
            return
        self.said = time.monotonic()
        phase = f"{self.bound.elapsed:.0f} of {self.seconds:.0f} s"
        if held:
            phase = f"held for {self.bound.elapsed - self.seconds:.0f} of {self.bound.seconds - self.seconds:.0f} s"
        line = f"{self.task.params['label']} {phase}: {self.own.answers} answers, {self.own.failed} failed{_measured(verdicts)}"
        if held and (reasons := judging.reasons(verdicts)):
            line += f"; {reasons}"
        self.task.progress(line.strip())

    def _failure(self, outcome: str, verdicts: list[Verdict], which: list[Verdict]) -> Failure:
        result = self.result(outcome, verdicts)
        about = f"The watch of {self.public.name} ended after {result['seconds']} s"
        if outcome == BREACH:
            reason = f" ({result['reason']})" if result["reason"] else ""
            return Failure(
                f"{about} with a breach: {judging.reasons(which)}; {result['failed_answers']} of {result['answers']} own answers failed{reason}.", **result
            )
        hold = self.bound.seconds - self.seconds
        return Failure(
            f"{about}, held for {hold:g} s by what does not pass and is not bad either: {judging.reasons(which) or 'no answer of Prometheus in time'}.",
            **result,
        )

    def result(self, outcome: str, verdicts: list[Verdict]) -> dict[str, t.Any]:
        durations = sorted(answer.seconds for answer in self.last)
        told = share.tally(self.last)
        del told["failed"]  # In a task's result that is whether the task failed.
        return {
            "changed": False,
            "verdict": outcome,
            "held": outcome == HELD,
            **told,
            "answers": self.own.answers,
            "failed_answers": self.own.failed,
            "p95": round(durations[int(0.95 * (len(durations) - 1))], 4) if durations else None,
            "seconds": round(self.bound.elapsed, 1) if self.own.answers or outcome != NO_DATA else 0.0,
            "gates": [verdict.result() for verdict in verdicts],
        }


def age(since: str | None) -> float | None:
    """Seconds since a time in ISO 8601."""
    if not since:
        return None
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        raise Failure(f"since is {since!r}: it must be a time in ISO 8601, such as 2026-11-24T06:00:00Z.") from None
    return (datetime.now(UTC) - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()


def _measured(verdicts: t.Sequence[Verdict]) -> str:
    """Errors and latency of the pool now, and what holds or breaches."""
    shown = {}
    for verdict in verdicts:
        if verdict.gate.name in ("errors", "latency") and verdict.gate.window is not None and verdict.value is not None:
            shown[verdict.gate.name] = verdict
    if not shown:
        return ""
    names = {"errors": "5xx", "latency": "p95"}
    values = ", ".join(f"{names[name]} {judging.text(verdict.value, verdict.gate)}" for name, verdict in shown.items())
    past = [f"{verdict.gate.name} past its limit for {verdict.seconds_past:.0f} s" for verdict in verdicts if verdict.seconds_past]
    return f"; {values} of {next(iter(shown.values())).requests} requests: {', '.join(past) or combined(verdicts)}"
