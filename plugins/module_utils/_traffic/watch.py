# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watch for a while what clients get: judge synthetic requests and metrics beside the traffic."""

from __future__ import annotations

import queue
import time
import typing as t
from collections import deque
from contextlib import nullcontext
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.decide import (
    CONTINUE,
    Decision,
    Observation,
    decide,
    gates_at_weight,
    is_over,
    synthetic_triggers,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    INCONCLUSIVE,
    NO_DATA,
    PASS,
    Gate,
    Verdict,
    combined,
)
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import asking, auth
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import share
from ansible_collections.mcp.server.plugins.module_utils._traffic.synthetic import TICK, SyntheticRequests

if t.TYPE_CHECKING:
    from ansible_collections.mcp.server.plugins.module_utils._gates.poller import Poller

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "endpoint": {**endpoints.OPTION, "required": True},
        "auth": auth.OPTION,
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
        "other_backends": {"type": "bool"},
        "inconclusive_timeout": {"type": "float", "default": 600.0},
        "poll_interval": {"type": "float", "default": 5.0},
    },
    required_by={"run_id": ["namespace", "server"], "prometheus": ["namespace", "server", "pool"]},
)
PROGRESS = 5.0  # seconds between lines of progress
LATEST = 2000  # answers that shares and p95 are computed from


def watch(task: Task) -> dict[str, t.Any]:
    """Watch until everything passes, a trigger is breached, or the watch was inconclusive for too long.

    Return what RETURN of mcp_watch lists. Raise Failure with the same, unless everything passes.
    Whoever renews the run's Lease and checks more than that calls this, with a check_lease() of its own.
    """
    if task.check_mode:
        return Watch(task).result(NO_DATA, [])
    return Watch(task).run()


run = lease_renewal.with_lease(watch)


class Watch:
    """One watch, and what it has seen."""

    def __init__(self, task: Task) -> None:
        params = task.params
        for option in ("seconds", "rate", "weight", "poll_interval"):
            if params[option] <= 0:
                raise Failure(f"{option} is {params[option]:g}: it must be more than 0.")
        self.task = task
        self.public = asking.endpoint_of(params)
        self.seconds = params["seconds"]
        self.triggers: list[Gate] = []
        if "triggers" in params["checks"]:
            self.triggers = options.gates(thresholds.TRIGGERS, params["triggers"], "triggers")
        self.judges_step = "shift" in params["checks"]
        gates = options.gates(thresholds.SHIFT, params["gates"], "gates") if self.judges_step else []
        self.gates = gates_at_weight(params["weight"], gates)
        self.synthetic_triggers = synthetic_triggers(self.triggers, bool(params["prometheus"]))
        min_requests = params["min_requests"]
        self.synthetic_gate = Gate(
            "synthetic_requests", "errors", params["max_failed_percent"], min_requests=min_requests
        )
        # There is time for a poll that begins at the end, whatever inconclusive_timeout is.
        prometheus = params["prometheus"]
        poll = (len(prometheus["source"]) + 2) * prometheus["timeout"] if prometheus else 0.0
        self.bound = Deadline(self.seconds + max(poll, params["inconclusive_timeout"]))
        longest = max([self.bound.seconds, *(gate.window or 0 for gate in self.synthetic_triggers)])
        self.synthetic = SyntheticRequests(params["weight"], self.bound.started, longest + 5)
        self.latest: deque[share.Answer] = deque(maxlen=LATEST)
        self.last_progress = self.bound.started
        self.noted = False  # whether it was said that the server is asked slowly
        self.nameless = 0  # answers that may be of the route's other backends

    def run(self) -> dict[str, t.Any]:
        """Watch until the end. Return the result, or raise Failure with it."""
        poller = self._poller()
        rate = self.task.params["rate"]
        with poller or nullcontext(), share.answer_queue(self.public, self.bound, rate) as arrived:
            while True:
                self.bound.pause(TICK)
                self.task.check_lease()
                decision = decide(self._observe(arrived, poller))
                if decision.outcome == PASS:
                    return self.result(PASS, decision.verdicts)
                if decision.outcome != CONTINUE:
                    raise self._failure(decision)
                if decision.poll_now and poller:
                    poller.poll_now()
                self._note_slowness()
                self._show_progress(decision)

    def _observe(self, arrived: queue.SimpleQueue[share.Answer], poller: Poller | None) -> Observation:
        """Return what is known now, with the answers that have arrived since the last call."""
        new = [arrived.get() for _each in range(arrived.qsize())]
        if self.task.params["other_backends"]:
            of_pools = list(share.of_pools(new))
            self.nameless += len(new) - len(of_pools)
            new = of_pools
        self.latest.extend(new)
        self.synthetic.add(time.monotonic(), new)
        elapsed = self.bound.elapsed
        verdict = None
        # In a long watch this takes milliseconds, and before its end it does not count.
        if self.judges_step and is_over(elapsed, self.seconds):
            verdict = self.synthetic.judge_gate(self.synthetic_gate, elapsed, self.seconds)
        poll = poller.latest if poller else None
        return Observation(
            elapsed=elapsed,
            seconds=self.seconds,
            bound=self.bound.seconds,
            synthetic_triggers=[self.synthetic.judge_trigger(gate) for gate in self.synthetic_triggers],
            synthetic_gate=verdict,
            prometheus=poller is not None,
            polled=poll.begun - self.bound.started if poll else None,
            triggers=poll.triggers if poll else [],
            gates=poll.gates if poll else [],
        )

    def _poller(self) -> Poller | None:
        params = self.task.params
        if not params["prometheus"]:
            return None
        # Only with Prometheus, as it imports requests, which takes 0.1 s.
        from ansible_collections.mcp.server.plugins.module_utils._gates import connect
        from ansible_collections.mcp.server.plugins.module_utils._gates.poller import Poller

        window = max([0.0, *(gate.window or 0.0 for gate in self.triggers)])
        back = max(self.bound.seconds if self.gates else 0.0, self.seconds + window)
        reader = connect.metrics_reader(params, Server.from_params(params), params["pool"], back)
        since = age(params["since"], datetime.now(UTC))
        return Poller(reader, self.triggers, self.gates, self.seconds, since, params["poll_interval"])

    def _note_slowness(self) -> None:
        """Say once that the server is asked slowly."""
        if not self.noted and (note := share.slow_note(self.public)):
            self.noted = True
            self.task.progress(f"{note[0].upper()}{note[1:]}. A burst of errors is seen later.")

    def _show_progress(self, decision: Decision) -> None:
        if time.monotonic() - self.last_progress < PROGRESS:
            return
        self.last_progress = time.monotonic()
        elapsed, over = self.bound.elapsed, self.bound.elapsed - self.seconds
        phase = f"{elapsed:.0f} of {self.seconds:.0f} s"
        if decision.deciding:
            phase = f"inconclusive for {over:.0f} of {self.bound.seconds - self.seconds:.0f} s"
        counts = f"{self.synthetic.requests} answers, {self.synthetic.failed} failed"
        line = f"{self.task.params['label']} {phase}: {counts}{metrics_text(decision.verdicts)}"
        if decision.deciding:
            line += f"; {evaluate.reasons(decision.deciding)}"
        self.task.progress(line.strip())

    def _failure(self, decision: Decision) -> Failure:
        result = self.result(decision.outcome, decision.verdicts)
        reasons = evaluate.reasons(decision.deciding)
        about = f"The watch of {self.public.name} ended after {result['seconds']} s"
        if decision.outcome == BREACH:
            reason = f" ({result['reason']})" if result["reason"] else ""
            failed = f"{result['failed_requests']} of {result['requests']} synthetic requests failed"
            return Failure(f"{about} with a breach: {reasons}; {failed}{reason}.", **result)
        waited = self.bound.seconds - self.seconds
        reasons = reasons or "Prometheus did not answer in time"
        if self.nameless and not self.synthetic.requests:
            reasons += (
                f"; {self.nameless} answers name no pool, and may be of the route's other backends: let the route set "
                f"the header {self.public.answering.pool_header} on the answers of each pool (docs/routes.md)"
            )
        return Failure(f"{about}, inconclusive after waiting {waited:g} s: {reasons}.", **result)

    def result(self, outcome: str, verdicts: t.Sequence[Verdict]) -> dict[str, t.Any]:
        """Return the task's result: see RETURN of mcp_watch."""
        durations = sorted(answer.seconds for answer in self.latest)
        shares = share.tally(self.latest)
        del shares["failed"]  # in a task's result, this says whether the task failed
        return {
            "changed": False,
            "verdict": outcome,
            "inconclusive": outcome == INCONCLUSIVE,
            **shares,
            "requests": self.synthetic.requests,
            "failed_requests": self.synthetic.failed,
            "p95": round(durations[int(0.95 * (len(durations) - 1))], 4) if durations else None,
            "seconds": round(self.bound.elapsed, 1) if self.synthetic.requests or outcome != NO_DATA else 0.0,
            "gates": [verdict.result() for verdict in verdicts],
        }


def age(since: str | None, now: datetime) -> float | None:
    """Return the seconds from a time in ISO 8601 until now; None without a time. Raise Failure."""
    if not since:
        return None
    at = _times.parse(since)
    if at is None:
        raise Failure(f"since is {since!r}: it must be a time in ISO 8601, such as 2026-11-24T06:00:00Z.")
    return (now - at).total_seconds()


def metrics_text(verdicts: t.Sequence[Verdict]) -> str:
    """Return the values that progress lines show, and which limits are violated; empty without a value."""
    shown = [verdict for verdict in verdicts if verdict.gate.progress_label and verdict.value is not None]
    if not shown:
        return ""
    values = ", ".join(
        f"{verdict.gate.progress_label} {evaluate.format_value(verdict.value, verdict.gate)}" for verdict in shown
    )
    violated = [
        f"{verdict.gate.name} {verdict.gate.direction} its limit for {verdict.seconds_past:.0f} s"
        for verdict in verdicts
        if verdict.seconds_past
    ]
    return f"; {values} of {shown[0].requests} requests: {', '.join(violated) or combined(verdicts)}"
