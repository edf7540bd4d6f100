# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was measured to a verdict. Pure: the same samples give the same verdict, whoever asks and however often."""

from __future__ import annotations

import math
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._gates import significance, windows
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    CANNOT_MEASURE,
    INCONCLUSIVE,
    NO_DATA,
    PASS,
    Gate,
    Period,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Measured, Reading
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series, interval, longest_gap
from ansible_collections.mcp.server.plugins.module_utils._text import verdict_text

SEEN = 0.8  # of a period that is judged at once

Readings = t.Sequence[Reading]  # of one pool, one for each pack


def measured(gate: Gate, readings: Readings, memory_limit: float | None = None) -> Measured:
    """By the first pack that knows the gate's measure. memory_limit: bytes of a pod, where Prometheus does not tell."""
    for reading in readings:
        measure = reading.measure("errors" if gate.measure == "requests" else gate.measure)
        if measure is not None:
            return measure.read(reading, gate, memory_limit)
    return Measured(1.0, missing=f"none of the sources tells {gate.measure}")


def evaluate_custom_query(gate: Gate, series: t.Sequence[Series], step: float) -> Measured:
    """What a query of the user's own gave: of several series the one furthest past the limit."""
    furthest = min if gate.below else max
    at: dict[float, float] = {}
    for each in series:
        for time, value in each.samples:
            if math.isfinite(value):
                at[time] = furthest(value, at.get(time, value))
    levels = sorted(at.items())
    if not levels:
        return Measured(step, missing="the query gives nothing")
    return Measured(
        max(step, interval([Series({}, levels)]) if len(levels) > 1 else step), levels=levels, newest=levels[-1][0]
    )


def evaluate(gate: Gate, found: Measured, period: Period, live: Measured | None = None) -> Verdict:
    """live: the same of the live pool, for a gate that is held against it."""
    if found.newest is None:
        return Verdict(gate, NO_DATA, reason=found.missing)
    if found.missing:
        return Verdict(gate, CANNOT_MEASURE, reason=found.missing)
    verdict = _at_once(gate, found, period, live) if gate.window is None else _sustained(gate, found, period)
    silent = period.now - found.newest
    if silent > longest_gap(found.every) and verdict.verdict != BREACH:
        reason = f"the newest sample is {silent:.0f} s old, and one is due each {found.every:.0f} s: is the server scraped, and does it run"
        return replace(verdict, verdict=CANNOT_MEASURE, reason=reason)
    return verdict


def _sustained(gate: Gate, found: Measured, period: Period) -> Verdict:
    begin = period.now - (gate.window or 0) - longest_gap(found.every) if period.since is None else period.since
    if found.flow is None:
        known = windows.levels(sample for sample in found.levels if begin <= sample[0] <= period.now)
        covered = sum(
            min(after.at - before.at, longest_gap(found.every)) for before, after in zip(known, known[1:], strict=False)
        )
    else:
        flow = found.flow.within(begin, period.now)
        known = windows.points(flow, gate.least)
        covered = flow.covered()
    # Of a quantile, that part may be slower than the limit.
    judged = gate if gate.quantile is None else replace(gate, limit=100 * (1 - gate.quantile), clear=None)
    streaks = windows.violations(judged, known, found.every)
    full = next((streak for streak in streaks if streak.seconds >= (gate.window or 0)), None)
    newest = known[-1] if known else None
    current = streaks[-1] if streaks and newest and streaks[-1].seen == newest.at else None
    told = full or current
    value = newest.value if newest else None
    if gate.quantile is not None and newest:
        value = found.quantile(gate.quantile, newest.begin, newest.at)
    evidence = {
        "value": value,
        "seconds_past": told.seconds if told else 0.0,
        "since": told.since if told else None,
        "requests": round(newest.requests) if newest else 0,
        "coverage": _percent(covered, period.now - begin),
    }
    if full:
        return Verdict(
            gate,
            BREACH,
            **evidence,
            reason=f"past the limit of {limit_text(gate)} for {full.seconds:.0f} s, {gate.window:g} s may be",
        )
    if newest is None or period.now - newest.at > longest_gap(found.every):
        return Verdict(gate, NO_DATA, **evidence, reason=f"fewer than {gate.least} requests to tell by")
    return Verdict(gate, PASS, **evidence)


def _at_once(gate: Gate, found: Measured, period: Period, live: Measured | None) -> Verdict:
    if found.flow is None:
        at, value = found.levels[-1]
        past = windows.is_past(gate, value)
        reason = f"{text(value, gate)} is past the limit of {limit_text(gate)}" if past else ""
        return Verdict(gate, BREACH if past else PASS, value, since=at if past else None, coverage=100.0, reason=reason)
    flow = found.flow.within(period.begin, period.now)
    total, counted = flow.sums()
    covered = flow.covered()
    evidence: dict[str, t.Any] = {"requests": round(total), "coverage": _percent(covered, period.now - period.begin)}
    if total < max(gate.least, 1):
        return Verdict(
            gate, NO_DATA, **evidence, reason=f"{total:.0f} requests are too few to tell by, {gate.least} are enough"
        )
    verdict, value, why = _judged(gate, found, live, period, (total, counted, covered))
    evidence["value"] = value
    if verdict != BREACH and covered < SEEN * period.seconds:
        return Verdict(
            gate, CANNOT_MEASURE, **evidence, reason=f"only {covered:.0f} of {period.seconds:.0f} s were seen"
        )
    reason = why or (f"{text(value, gate)} is past the limit of {limit_text(gate)}" if verdict == BREACH else "")
    return Verdict(gate, verdict, **evidence, reason=reason)


def _judged(
    gate: Gate, found: Measured, live: Measured | None, period: Period, counts: tuple[float, float, float]
) -> tuple[str, float | None, str]:
    """The verdict, the value, and why there is no verdict yet."""
    total, counted, covered = counts
    flow = found.flow.within(period.begin, period.now) if found.flow else None
    if gate.versus:
        theirs = live.flow.within(period.begin, period.now) if live and live.flow else None
        if flow is None or theirs is None or theirs.sums()[0] < gate.least:
            return NO_DATA, None, "the live pool has too few requests to compare with"
        if gate.versus == "rise":
            verdict, value, blocks = significance.rise(flow, theirs, gate.limit / 100, gate.floor)
            return (
                verdict,
                None if value is None else 100 * value,
                f"{blocks} blocks of time don't tell yet" if verdict == NO_DATA else "",
            )
        verdict, difference = significance.excess((counted, total), theirs.sums()[::-1], gate.limit / 100)
        return verdict, 100 * difference, f"{total:.0f} requests don't tell yet" if verdict == NO_DATA else ""
    if gate.measure == "requests":
        rate = total / covered if covered else 0.0
        return (BREACH if windows.is_past(gate, rate) else PASS), rate, ""
    limit = gate.limit / 100 if gate.quantile is None else 1 - gate.quantile
    verdict = significance.share(counted, total, limit)
    value = (
        100 * counted / total
        if gate.quantile is None
        else found.quantile(gate.quantile, period.begin - found.every / 2, period.now)
    )
    return verdict, value, f"{text(value, gate)} of {total:.0f} requests doesn't tell yet" if verdict == NO_DATA else ""


def _percent(seconds: float, whole: float) -> float:
    return min(100.0, 100 * seconds / whole) if whole > 0 else 0.0


def text(value: float | None, gate: Gate) -> str:
    """A value of the gate, for people."""
    if value is None:
        return "nothing"
    if gate.unit == "s":
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} %" if gate.unit == "%" else f"{value:.1f} {gate.unit}".strip()


def limit_text(gate: Gate) -> str:
    if gate.unit == "s":
        return f"{1000 * gate.limit:g} ms"
    return f"{gate.limit:g} {gate.unit}".strip()


def sentence(gate: Gate) -> str:
    """What the gate asks for, for people."""
    limit = f"{'at least' if gate.below else 'at most'} {limit_text(gate)}"
    if gate.versus:
        limit += " more than the live pool"
    return f"{gate.name}: {limit}" + (
        f", or the traffic goes back after {gate.window:g} s" if gate.window is not None else " over the step"
    )


def line(verdict: Verdict) -> str:
    """A verdict for people."""
    gate = verdict.gate
    value = (
        f"{text(verdict.value, gate)} of {verdict.requests} requests" if verdict.requests else text(verdict.value, gate)
    )
    past = f", past the limit for {verdict.seconds_past:.0f} s" if verdict.seconds_past else ""
    return f"{gate.name}: {verdict_text(verdict.verdict)}, {value}, limit {limit_text(gate)}{past}" + (
        f" ({verdict.reason})" if verdict.reason else ""
    )


def reasons(verdicts: t.Iterable[Verdict]) -> str:
    """What does not pass, the worst first. A reason that several have is said once."""
    worst = sorted(
        (verdict for verdict in verdicts if verdict.outcome in (BREACH, INCONCLUSIVE)),
        key=lambda verdict: verdict.outcome != BREACH,
    )
    said: dict[str, list[str]] = {}
    for verdict in worst:
        value = (
            f" ({text(verdict.value, verdict.gate)})" if verdict.value is not None and verdict.outcome == BREACH else ""
        )
        said.setdefault(f"{verdict_text(verdict.verdict)}{value}: {verdict.reason.rstrip('.')}", []).append(
            verdict.gate.name
        )
    return "; ".join(f"{', '.join(names)} {what}" for what, names in said.items())
