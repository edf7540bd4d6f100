# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge gates by synthetic requests: those that the watch itself sends through the gateway. Pure, but for a clock.

They need no Prometheus, and show failures within a second. A failed request
does not say which pool it went to. So failures are set against the new pool's
part of the traffic: at 10 %, 2.5 % of all requests are 25 % of the new pool's.

A server that keeps sessions is asked once a second. A few seconds have too few
of these answers, so they are judged by their number, over a longer time: a
burst is seen later.
"""

from __future__ import annotations

import bisect
import math
import time
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, significance
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import LONGEST, RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    ALWAYS,
    BREACH,
    CANNOT_MEASURE,
    PASS,
    Gate,
    Period,
    Verdict,
    judge_watch,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Measurement
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import TRIGGERS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer

BURST = next(gate for gate in TRIGGERS if gate.synthetic == ALWAYS)
TICK = 0.25  # seconds between looks at the answers
MIN_ANSWERS_SPLIT = 60  # while the new pool gives only some answers; with all traffic, the gate's min_requests do
MARGIN = 10 * TICK  # seconds beyond a window in which its answers may come
# Where a window has fewer answers than that: so many of the latest ones, and for how many seconds beyond the window.
FEW = (20, 60)
FEW_SECONDS = 60.0


class SyntheticRequests:
    """Counts of answers by the monotonic clock, one entry for each tick."""

    def __init__(self, weight: int, begun: float, keep: float) -> None:
        """weight: percent of the judged pool. begun: on the monotonic clock. keep: seconds of entries that are kept."""
        self.requests = 0  # in all
        self.failed = 0  # in all
        self._weight = weight
        self._keep = keep
        self._newest_failed: float | None = None
        # The first entry is the beginning.
        self._times: list[float] = [begun]
        self._totals: list[int] = [0]
        self._failed: list[int] = [0]

    def add(self, now: float, answers: t.Sequence[Answer]) -> None:
        """Add the answers that have come since the last call. now: on the monotonic clock."""
        failed = sum(bool(answer.reason) for answer in answers)
        self._newest_failed = now if failed else self._newest_failed
        self.requests += len(answers)
        self.failed += failed
        self._times.append(now)
        self._totals.append(len(answers))
        self._failed.append(failed)
        dropped = bisect.bisect_left(self._times, now - self._keep)
        for column in (self._times, self._totals, self._failed):
            del column[:dropped]

    def judge_trigger(self, gate: Gate) -> Verdict:
        """Return the verdict of a trigger on errors, with its limit on the new pool's part of the traffic."""
        window = gate.window or 0.0
        if self._newest_failed is None or self._newest_failed < self._times[-1] - window:
            return Verdict(gate, PASS)
        part = self._weight / 100
        min_requests = MIN_ANSWERS_SPLIT if part < 1 else gate.min_requests
        scaled = replace(gate, limit=gate.limit * part, min_requests=min_requests)
        # A value is of the answers of at most LONGEST seconds.
        if self._counted(min(window + MARGIN, 0.8 * LONGEST))[0] < min_requests:
            verdict, failing = self._judge_few(scaled, window)
        else:
            verdict, failing = self._judge(scaled, window + MARGIN, 0.0), self._failing(window)
        verdict = replace(verdict, gate=gate)
        if part < 1 and verdict.verdict == BREACH and failing > (1 + part) / 2:
            reason = "more requests fail than the new pool serves: the live pool is failing too"
            return replace(verdict, verdict=CANNOT_MEASURE, reason=reason)
        return verdict

    def _failing(self, seconds: float) -> float:
        """Return which part (0 to 1) of the last seconds' answers failed."""
        total, failed = self._counted(seconds)
        return failed / max(1, total)

    def _counted(self, seconds: float) -> tuple[int, int]:
        """Return how many answers the last seconds had, and how many of them failed."""
        first = bisect.bisect_left(self._times, self._times[-1] - seconds)
        return sum(self._totals[first:]), sum(self._failed[first:])

    def _judge_few(self, gate: Gate, window: float) -> tuple[Verdict, float]:
        """Return the verdict on few answers, and which part (0 to 1) of those that it is about failed.

        A breach are enough failures to be sure of, over at least the window.
        """
        newest = self._newest_failed or 0.0
        oldest, number, total, failed = self._times[-1] - window - FEW_SECONDS, len(self._times), 0, 0
        first = newest
        for enough in (*FEW, math.inf):
            while number > 1 and self._times[number - 1] >= oldest and total < enough:
                number -= 1
                total, failed = total + self._totals[number], failed + self._failed[number]
                first = self._times[number] if self._failed[number] else first
            share = significance.share(failed, total, gate.limit / 100) if total >= FEW[0] else PASS
            if share == BREACH and newest - first >= window:
                reason = (
                    f"{failed} of the last {total} requests failed, over {newest - first:.0f} s ({window:g} s allowed)"
                )
                found = Verdict(gate, BREACH, value=100 * failed / total, requests=total, reason=reason)
                return replace(found, seconds_past=newest - first), failed / total
        return Verdict(gate, PASS, requests=total), 0.0

    def judge_gate(self, gate: Gate, lasted: float, seconds: float) -> Verdict:
        """Return the verdict of a gate on all answers of a watch. See judge_watch for lasted and seconds."""
        return judge_watch(lambda last: self._judge(gate, last, min(last, seconds)), lasted, seconds)

    def _judge(self, gate: Gate, last: float, seconds: float) -> Verdict:
        """Return the verdict on the last so many seconds. seconds: how many of them must have answers."""
        now = self._times[-1]
        first = max(1, bisect.bisect_left(self._times, now - last))
        times, begins = self._times[first:], self._times[first - 1 : -1]
        ratio = RatioSeries(2 * TICK, times, begins, [0] * len(times), self._totals[first:], self._failed[first:])
        period = Period(begins[0], now, seconds, since=begins[0])
        return evaluate.evaluate(gate, Measurement(2 * TICK, ratio, newest=now), period)


def unless_failing(
    answers: t.Iterable[Answer], weight: int, about: str, evidence: dict[str, t.Any]
) -> t.Iterator[Answer]:
    """Yield the answers. Raise Failure once they breach the trigger error_burst, so that nobody waits any longer.

    weight: percent of the new pool. about: the beginning of the message. evidence: of the failure.
    """
    begun = time.monotonic()
    synthetic, due = SyntheticRequests(weight, begun, 2 * FEW_SECONDS), begun + TICK
    new: list[Answer] = []
    reason = ""
    for answer in answers:
        new.append(answer)
        reason = answer.reason or reason
        if answer.at >= due:
            synthetic.add(answer.at, new)
            due, new = answer.at + TICK, []
            if synthetic.judge_trigger(BURST).verdict == BREACH:
                counts = f"{synthetic.failed} of {synthetic.requests} answers failed"
                raise Failure(f"{about} {counts} ({reason}).", **evidence)
        yield answer
