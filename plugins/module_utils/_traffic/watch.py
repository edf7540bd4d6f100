# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watching what clients get for a while: the module mcp_watch."""

from __future__ import annotations

import queue
import time
import typing as t
from collections import deque
from contextlib import nullcontext
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.decide import (
    CONTINUE,
    INCONCLUSIVE,
    Decision,
    Observation,
    decide,
    gates_at_weight,
    is_over,
    synthetic_triggers,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    NO_DATA,
    PASS,
    Gate,
    Verdict,
    combined,
)
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import share
from ansible_collections.mcp.server.plugins.module_utils._traffic.synthetic import TICK, SyntheticRequests

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "endpoint": {**endpoints.OPTION, "required": True},
        "pool_key": {"type": "str", "default": "pool", "no_log": False},
        "seconds": {"type": "float", "required": True},
        "rate": {"type": "float", "default": 20.0},
        "max_failed_percent": {"type": "float", "default": 1.0},
        "min_requests": {"type": "int", "default": 20},
        "label": {"type": "str", "default": ""},
        "prometheus": options.OPTION,
        "pool": {"type": "str", "choices": list(POOLS)},
        "weight": {"type": "int", "default": 100},
        "checks": {
            "type": "list",
            "elements": "str",
            "choices": ["shift", "triggers"],
            "default": ["shift", "triggers"],
        },
        "gates": {"type": "dict", "default": {}},
        "triggers": {"type": "dict", "default": {}},
        "since": {"type": "str"},
        "inconclusive_timeout": {"type": "float", "default": 600.0},
        "poll_interval": {"type": "float", "default": 5.0},
    },
    required_by={"run_id": ["namespace", "server"], "prometheus": ["namespace", "server", "pool"]},
)
EVERY = 5.0  # seconds between lines of progress


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    """Watches until the time is over and everything passes, a trigger is breached, or it has been inconclusive for too long."""
    watch = Watch(task)
    if task.check_mode:
        return watch.result(NO_DATA, [])
    return watch.run()


class Watch:
    """One watch, and what it has seen so far."""

    def __init__(self, task: Task) -> None:
        params = task.params
        for option in ("seconds", "rate", "weight", "poll_interval"):
            if params[option] <= 0:
                raise Failure(f"{option} is {params[option]:g}: it must be more than 0.")
        self.task = task
        self.public = endpoints.public(params["endpoint"])
        self.seconds = params["seconds"]
        self.triggers = (
            options.gates(thresholds.TRIGGERS, params["triggers"], "triggers") if "triggers" in params["checks"] else []
        )
        self.judges_step = "shift" in params["checks"]
        gates = options.gates(thresholds.SHIFT, params["gates"], "gates") if self.judges_step else []
        self.gates = gates_at_weight(params["weight"], gates)
        self.own_triggers = synthetic_triggers(self.triggers, bool(params["prometheus"]))
        self.answers = Gate("answers", "errors", params["max_failed_percent"], least=params["min_requests"])
        # Time for a poll that begins at the end, whatever the timeout is.
        source = params["prometheus"]
        poll = (len(source["source"]) + 2) * source["timeout"] if source else 0.0
        self.bound = Deadline(self.seconds + max(poll, params["inconclusive_timeout"]))
        self.own = SyntheticRequests(
            params["weight"],
            self.bound.started,
            max([self.bound.seconds, *(gate.window or 0 for gate in self.own_triggers)]) + 5,
        )
        self.last: deque[share.Answer] = deque(maxlen=2000)
        self.said = self.bound.started

    def run(self) -> dict[str, t.Any]:
        poller = self._poller()
        with (
            poller or nullcontext(),
            share.answer_queue(
                self.public, self.task.params["pool_key"], self.bound, self.task.params["rate"]
            ) as arrived,
        ):
            while True:
                self.bound.pause(TICK)
                self.task.check_lease()
                decision = decide(self._look(arrived, poller))
                if decision.outcome == PASS:
                    return self.result(PASS, decision.verdicts)
                if decision.outcome != CONTINUE:
                    raise self._failure(decision)
                if decision.poll_now:
                    poller.now()
                self._say(decision)

    def _look(self, arrived: queue.SimpleQueue[share.Answer], poller: t.Any) -> Observation:
        """Return what is known now, the answers that have arrived since the last look included."""
        new = [arrived.get() for _each in range(arrived.qsize())]
        self.last.extend(new)
        self.own.add(time.monotonic(), new)
        elapsed, poll, answers = self.bound.elapsed, poller.latest if poller else None, None
        # It takes milliseconds where a watch is long, and does not count before.
        if self.judges_step and is_over(elapsed, self.seconds):
            answers = self.own.whole(self.answers, elapsed, self.seconds)
        return Observation(
            elapsed=elapsed,
            seconds=self.seconds,
            bound=self.bound.seconds,
            synthetic_triggers=[self.own.trigger(gate) for gate in self.own_triggers],
            answers=answers,
            prometheus=poller is not None,
            polled=poll.begun - self.bound.started if poll else None,
            triggers=poll.triggers if poll else [],
            gates=poll.gates if poll else [],
        )

    def _poller(self) -> t.Any:
        params = self.task.params
        if not params["prometheus"]:
            return None
        # Takes requests, which takes 0.1 s to import.
        from ansible_collections.mcp.server.plugins.module_utils._gates import connect
        from ansible_collections.mcp.server.plugins.module_utils._gates import poller as pollers

        back = max([self.bound.seconds if self.gates else 0.0, *(gate.window or 0 for gate in self.triggers)])
        source = connect.source(params, Server.from_params(params), params["pool"], back)
        since = age(params["since"], datetime.now(UTC))
        return pollers.Poller(source, self.triggers, self.gates, self.seconds, since, params["poll_interval"])

    def _say(self, decision: Decision) -> None:
        if time.monotonic() - self.said < EVERY:
            return
        self.said = time.monotonic()
        phase = f"{self.bound.elapsed:.0f} of {self.seconds:.0f} s"
        if decision.deciding:
            phase = (
                f"inconclusive for {self.bound.elapsed - self.seconds:.0f} of {self.bound.seconds - self.seconds:.0f} s"
            )
        line = f"{self.task.params['label']} {phase}: {self.own.requests} answers, {self.own.failed} failed"
        line += _measured(decision.verdicts)
        if decision.deciding:
            line += f"; {evaluate.reasons(decision.deciding)}"
        self.task.progress(line.strip())

    def _failure(self, decision: Decision) -> Failure:
        result = self.result(decision.outcome, decision.verdicts)
        reasons = evaluate.reasons(decision.deciding)
        about = f"The watch of {self.public.name} ended after {result['seconds']} s"
        if decision.outcome == BREACH:
            reason = f" ({result['reason']})" if result["reason"] else ""
            failed = f"{result['failed_requests']} of {result['requests']} own answers failed"
            return Failure(f"{about} with a breach: {reasons}; {failed}{reason}.", **result)
        waited = self.bound.seconds - self.seconds
        reasons = reasons or "no answer of Prometheus in time"
        return Failure(
            f"{about}, inconclusive after waiting {waited:g} s for what does not pass and is not bad either: {reasons}.",
            **result,
        )

    def result(self, outcome: str, verdicts: list[Verdict]) -> dict[str, t.Any]:
        durations = sorted(answer.seconds for answer in self.last)
        told = share.tally(self.last)
        del told["failed"]  # In a task's result that is whether the task failed.
        return {
            "changed": False,
            "verdict": outcome,
            "inconclusive": outcome == INCONCLUSIVE,
            **told,
            "requests": self.own.requests,
            "failed_requests": self.own.failed,
            "p95": round(durations[int(0.95 * (len(durations) - 1))], 4) if durations else None,
            "seconds": round(self.bound.elapsed, 1) if self.own.requests or outcome != NO_DATA else 0.0,
            "gates": [verdict.result() for verdict in verdicts],
        }


def age(since: str | None, now: datetime) -> float | None:
    """Return the seconds from a time in ISO 8601 until now. Raises Failure."""
    if not since:
        return None
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        raise Failure(f"since is {since!r}: it must be a time in ISO 8601, such as 2026-11-24T06:00:00Z.") from None
    return (now - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()


def _measured(verdicts: t.Sequence[Verdict]) -> str:
    """Errors and latency of the pool now, and what is past its limit."""
    shown = {}
    for verdict in verdicts:
        if verdict.gate.name in ("errors", "latency") and verdict.gate.window is not None and verdict.value is not None:
            shown[verdict.gate.name] = verdict
    if not shown:
        return ""
    names = {"errors": "5xx", "latency": "p95"}
    values = ", ".join(f"{names[name]} {evaluate.text(verdict.value, verdict.gate)}" for name, verdict in shown.items())
    past = [
        f"{verdict.gate.name} past its limit for {verdict.seconds_past:.0f} s"
        for verdict in verdicts
        if verdict.seconds_past
    ]
    return f"; {values} of {next(iter(shown.values())).requests} requests: {', '.join(past) or combined(verdicts)}"
