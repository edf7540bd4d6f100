# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the watch's own requests through the gateway tell. They need no Prometheus, and tell within a second.

An answer that failed does not say which pool it came from. So failures are held
against the part of the traffic that the new pool has: at 10 %, 2.5 % of all
answers are 25 % of its own.
"""

from __future__ import annotations

import bisect
import time
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    ALWAYS,
    BREACH,
    CANNOT_MEASURE,
    PASS,
    Gate,
    Period,
    Verdict,
    settled,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Measured
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import TRIGGERS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer

BURST = next(gate for gate in TRIGGERS if gate.synthetic == ALWAYS)
TICK = 0.25  # seconds between looks at the answers
LEAST = 60  # answers that a failing part is told by while the new pool gives only some of them; where it gives all, the gate's own number will do


class SyntheticRequests:
    """Counts of answers by the monotonic clock, in bits of a tick. keep: seconds that are kept; requests and failed count all."""

    def __init__(self, weight: int, begun: float, keep: float) -> None:
        self.requests = 0
        self.failed = 0
        self._weight = weight
        self._keep = keep
        self._newest_failed: float | None = None
        # The first one is the beginning.
        self._times, self._totals, self._faileds = [begun], [0], [0]

    def add(self, now: float, answers: t.Sequence[Answer]) -> None:
        failed = sum(bool(answer.reason) for answer in answers)
        self._newest_failed = now if failed else self._newest_failed
        self.requests += len(answers)
        self.failed += failed
        for column, value in zip(self._columns, (now, len(answers), failed), strict=True):
            column.append(value)
        while self._times[0] < now - self._keep:
            for column in self._columns:
                column.pop(0)

    @property
    def _columns(self) -> tuple[list[t.Any], ...]:
        return self._times, self._totals, self._faileds

    def trigger(self, gate: Gate) -> Verdict:
        """A trigger of errors, held against the new pool's part."""
        window = gate.window or 0.0
        if self._newest_failed is None or self._newest_failed < self._times[-1] - window:
            return Verdict(gate, PASS)
        part = self._weight / 100
        found = replace(
            self._judge(
                replace(gate, limit=gate.limit * part, least=LEAST if part < 1 else gate.least), window + 10 * TICK, 0.0
            ),
            gate=gate,
        )
        if part < 1 and found.verdict == BREACH and self._failing(window) > (1 + part) / 2:
            return replace(
                found,
                verdict=CANNOT_MEASURE,
                reason="more answers fail than the new pool gives: so the live one's do, too",
            )
        return found

    def _failing(self, seconds: float) -> float:
        first = bisect.bisect_left(self._times, self._times[-1] - seconds)
        return sum(self._faileds[first:]) / max(1, sum(self._totals[first:]))

    def whole(self, gate: Gate, lasted: float, seconds: float) -> Verdict:
        """A gate over the watch, of all answers."""
        return settled(lambda back: self._judge(gate, back, min(back, seconds)), lasted, seconds)

    def _judge(self, gate: Gate, back: float, seconds: float) -> Verdict:
        now = self._times[-1]
        first = max(1, bisect.bisect_left(self._times, now - back))
        times = self._times[first:]
        flow = RatioSeries(
            2 * TICK, times, self._times[first - 1 : -1], [0] * len(times), self._totals[first:], self._faileds[first:]
        )
        begin = self._times[first - 1]
        return evaluate.evaluate(gate, Measured(2 * TICK, flow, newest=now), Period(begin, now, seconds, since=begin))


def unless_failing(
    answers: t.Iterable[Answer], weight: int, about: str, evidence: dict[str, t.Any]
) -> t.Iterator[Answer]:
    """The answers, until those of the pool with this weight fail as the trigger error_burst has it. Raises Failure.

    Who waits for its share need not wait longer then.
    """
    begun = time.monotonic()
    own, due, new, reason = SyntheticRequests(weight, begun, 60.0), begun + TICK, [], ""
    for answer in answers:
        new.append(answer)
        reason = answer.reason or reason
        if answer.at >= due:
            own.add(answer.at, new)
            due, new = answer.at + TICK, []
            found = own.trigger(BURST)
            if found.verdict == BREACH:
                raise Failure(f"{about} {own.failed} of {own.requests} answers fail ({reason}).", **evidence)
        yield answer
