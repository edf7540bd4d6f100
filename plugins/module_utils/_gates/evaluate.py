# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge measurements by gates, and show verdicts. Pure: the same samples always give the same verdict."""

from __future__ import annotations

import functools
import math
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._gates import significance, windows
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BELOW,
    BREACH,
    CANNOT_MEASURE,
    INCONCLUSIVE,
    NO_DATA,
    PASS,
    RISE,
    Gate,
    Period,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Level, Measurement, PoolSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import MemoryLimit, no_memory_limit
from ansible_collections.mcp.server.plugins.module_utils._gates.packs import Pack
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series, gaps, interval, longest_gap
from ansible_collections.mcp.server.plugins.module_utils._text import verdict_text

MIN_COVERAGE = 0.8  # of a period that is judged as a whole

PackSeries = t.Sequence[tuple[Pack, PoolSeries]]  # the series of one pool by pack, in the order of the sources


def measure(gate: Gate, series: PackSeries, memory_limit: MemoryLimit = no_memory_limit) -> Measurement:
    """Return the measurement of the first pack that has the gate's measure."""
    for pack, pool in series:
        if gate.measure in pack.measures:
            return pack.measures[gate.measure].evaluate(pool, gate, memory_limit)
    return Measurement(1.0, missing=f"none of the sources has the measure {gate.measure}")


def measure_query(gate: Gate, series: t.Sequence[Series], step: float) -> Measurement:
    """Return the measurement of a gate's own query: of several series the worst value at each time.

    step: seconds between values, as Prometheus was asked for them.
    """
    worst = min if gate.direction == BELOW else max
    by_time: dict[float, float] = {}
    for each in series:
        for time, value in each.samples:
            # Infinity is above, or below, every limit. NaN is neither.
            if not math.isnan(value):
                by_time[time] = worst(value, by_time.get(time, value))
    samples = sorted(by_time.items())
    if not samples:
        only_nan = any(each.samples for each in series)
        what = "NaN, which is no number, such as 0 / 0 without requests" if only_nan else "nothing"
        return Measurement(step, missing=f"the query returns {what}")
    every = max(step, interval([Series({}, samples)]) if len(samples) > 1 else step)
    levels = [
        Level(at, value, at, before)
        for (before, _value), (at, value) in zip(samples[:1] + samples, samples, strict=False)
    ]
    return Measurement(every, levels=levels, gaps=gaps(samples, longest_gap(every)), newest=samples[-1][0])


def evaluate(gate: Gate, found: Measurement, period: Period, live: Measurement | None = None) -> Verdict:
    """Return the verdict on a measurement. live: that of the live pool, for a gate that compares."""
    if found.newest is None:
        return Verdict(gate, NO_DATA, reason=found.missing)
    if found.missing:
        return Verdict(gate, CANNOT_MEASURE, reason=found.missing)
    if gate.window is not None:
        verdict = _judge_window(gate, gate.window, found, period)
    elif found.ratio is None:
        verdict = _judge_newest_level(gate, found.levels[-1])
    else:
        verdict = _judge_period(gate, found, found.ratio.within(period.begin, period.now), period, live)
    silent = period.now - found.newest
    if silent > longest_gap(found.every) and verdict.verdict != BREACH:
        due = f"one is due every {found.every:.0f} s"
        reason = f"the newest sample is {silent:.0f} s old ({due}): check that the server runs and is scraped"
        return replace(verdict, verdict=CANNOT_MEASURE, reason=reason)
    return verdict


def _judge_window(gate: Gate, window: float, found: Measurement, period: Period) -> Verdict:
    """Return the verdict of a gate that is breached by a violation as long as its window."""
    gap = longest_gap(found.every)
    begin = period.now - window - gap if period.since is None else period.since
    # A quantile is above its limit when more than the rest of the requests are slower than the limit.
    judged = gate if gate.quantile is None else replace(gate, limit=100 * (1 - gate.quantile), clear=None)
    if found.ratio is None:
        levels = [level for level in found.levels if begin <= level.seen and level.at <= period.now]
        points = windows.levels(levels)
        covered = sum(min(after.at - before.at, gap) for before, after in zip(points, points[1:], strict=False))
        unseen = [windows.Unseen(max(begin, before), at, at) for before, at in found.gaps if begin < at <= period.now]
    else:
        ratio = found.ratio.within(begin, period.now)
        points = windows.points(ratio, gate.min_requests)
        covered = ratio.covered()
        may_be_past = functools.partial(windows.may_be_past, judged, window)
        spans = [(span, windows.known_again(points, span.at, period.now)) for span in filter(may_be_past, ratio.gaps)]
        spans += [(span, span.at) for span in filter(may_be_past, ratio.long_entries())]
        unseen = [windows.Unseen(max(begin, span.begin), span.at, known) for span, known in spans]
    violations = windows.violations(judged, points, found.every, period.now)
    full = next((violation for violation in violations if violation.seconds >= window), None)
    newest = points[-1] if points else None
    current = violations[-1] if violations and newest and violations[-1].seen == newest.at else None
    shown = full or current
    value = newest.value if newest else None
    if gate.quantile is not None and newest:
        value = found.quantile(gate.quantile, newest.begin, newest.at)
    verdict = Verdict(
        gate,
        PASS,
        value=value,
        seconds_past=shown.seconds if shown else 0.0,
        since=shown.since if shown else None,
        requests=round(newest.requests) if newest else 0,
        coverage=_percent(covered, period.now - begin),
    )
    if full:
        reason = f"{gate.direction} the limit of {format_limit(gate)} for {full.seconds:.0f} s ({window:g} s allowed)"
        return replace(verdict, verdict=BREACH, reason=reason)
    for first, last in windows.possible(violations, unseen, found.every):
        if last - max(begin, first) > window and last > period.begin:
            seconds = f"{shown.seconds if shown else 0:.0f} to {last - max(begin, first):.0f} s"
            reason = f"{gate.direction} the limit of {format_limit(gate)} for {seconds} ({window:g} s allowed)"
            return replace(
                verdict,
                verdict=CANNOT_MEASURE,
                reason=f"{reason}: not conclusive, as scrapes are missing or too far apart",
            )
    if newest is None or period.now - newest.at > gap:
        return replace(verdict, verdict=NO_DATA, reason=f"fewer than {gate.min_requests} requests")
    return verdict


def _judge_newest_level(gate: Gate, newest: Level) -> Verdict:
    if not windows.is_past(gate, newest.value):
        return Verdict(gate, PASS, newest.value, coverage=100.0)
    reason = _past_limit(gate, newest.value)
    return Verdict(gate, BREACH, newest.value, since=newest.seen, coverage=100.0, reason=reason)


def _judge_period(
    gate: Gate, found: Measurement, ratio: RatioSeries, period: Period, live: Measurement | None
) -> Verdict:
    """Return the verdict of a gate without a window on the counts of the period."""
    total, _counted = ratio.sums()
    covered = ratio.covered()
    coverage = _percent(covered, period.now - period.begin)
    verdict = Verdict(gate, PASS, requests=round(total), coverage=coverage)
    if total < max(gate.min_requests, 1):
        return replace(verdict, verdict=NO_DATA, reason=f"only {total:.0f} requests, {gate.min_requests} needed")
    if gate.compare_with:
        theirs = live.ratio.within(period.begin, period.now) if live and live.ratio else None
        what, value, inconclusive = _compare(gate, ratio, theirs)
    else:
        what, value, inconclusive = _judge_counts(gate, found, ratio, period)
    verdict = replace(verdict, value=value)
    if what != BREACH and covered < MIN_COVERAGE * period.seconds:
        reason = f"there are samples of only {covered:.0f} of {period.seconds:.0f} s"
        return replace(verdict, verdict=CANNOT_MEASURE, reason=reason)
    reason = _past_limit(gate, value) if what == BREACH else inconclusive
    return replace(verdict, verdict=what, reason=reason)


Judged = tuple[str, "float | None", str]  # the verdict, the value, and why it is no_data


def _compare(gate: Gate, ours: RatioSeries, theirs: RatioSeries | None) -> Judged:
    """Judge a pool against the live one."""
    requests = 0 if theirs is None else theirs.sums()[0]
    if theirs is None or requests < gate.min_requests:
        return NO_DATA, None, f"only {requests:.0f} requests in the live pool, {gate.min_requests} needed to compare"
    if gate.compare_with == RISE:
        verdict, rise, blocks = significance.rise(ours, theirs, gate.limit / 100, gate.min_rise_seconds)
        reason = f"{blocks} time blocks: not conclusive yet" if verdict == NO_DATA else ""
        return verdict, None if rise is None else 100 * rise, reason
    (total, counted), (their_total, their_counted) = ours.sums(), theirs.sums()
    verdict, excess = significance.excess((counted, total), (their_counted, their_total), gate.limit / 100)
    return verdict, 100 * excess, f"{total:.0f} requests: not conclusive yet" if verdict == NO_DATA else ""


def _judge_counts(gate: Gate, found: Measurement, ratio: RatioSeries, period: Period) -> Judged:
    """Judge a pool by itself."""
    total, counted = ratio.sums()
    if found.per_second:
        covered = ratio.covered()
        rate = total / covered if covered else 0.0
        return BREACH if windows.is_past(gate, rate) else PASS, rate, ""
    # Over a whole period it makes no difference when in a gap they were.
    gaps = [span for span in ratio.gaps if span.begin >= period.begin]
    total, counted = total + sum(span.total for span in gaps), counted + sum(span.counted for span in gaps)
    value: float | None = 100 * counted / total
    limit = gate.limit / 100
    if gate.quantile is not None:
        limit = 1 - gate.quantile
        value = found.quantile(gate.quantile, period.begin - found.every / 2, period.now)
    verdict = significance.share(counted, total, limit)
    reason = f"{format_value(value, gate)} of {total:.0f} requests: not conclusive yet" if verdict == NO_DATA else ""
    return verdict, value, reason


def _past_limit(gate: Gate, value: float | None) -> str:
    return f"{format_value(value, gate)} is {gate.direction} the limit of {format_limit(gate)}"


def _percent(seconds: float, whole: float) -> float:
    return min(100.0, 100 * seconds / whole) if whole > 0 else 0.0


def format_value(value: float | None, gate: Gate) -> str:
    """Return a value of the gate with its unit."""
    if value is None:
        return "nothing"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if gate.unit == "s":
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} %" if gate.unit == "%" else f"{value:.1f} {gate.unit}".strip()


def format_limit(gate: Gate) -> str:
    """Return the limit with its unit."""
    if gate.unit == "s":
        return f"{1000 * gate.limit:g} ms"
    return f"{gate.limit:g} {gate.unit}".strip()


def describe_gate(gate: Gate) -> str:
    """Return what the gate demands."""
    limit = f"{'at least' if gate.direction == BELOW else 'at most'} {format_limit(gate)}"
    if gate.compare_with:
        limit += " more than the live pool"
    when = "over the step" if gate.window is None else f"or the traffic goes back after {gate.window:g} s"
    return f"{gate.name}: {limit}{' ' if gate.window is None else ', '}{when}"


def describe_verdict(verdict: Verdict) -> str:
    """Return a verdict as one line."""
    gate = verdict.gate
    value = format_value(verdict.value, gate) + (f" of {verdict.requests} requests" if verdict.requests else "")
    past = f", {gate.direction} the limit for {verdict.seconds_past:.0f} s" if verdict.seconds_past else ""
    reason = f" ({verdict.reason})" if verdict.reason else ""
    return f"{gate.name}: {verdict_text(verdict.verdict)}, {value}, limit {format_limit(gate)}{past}{reason}"


def reasons(verdicts: t.Iterable[Verdict]) -> str:
    """Return what did not pass and why, breaches first. Gates with the same reason stand together."""
    failed = [verdict for verdict in verdicts if verdict.outcome in (BREACH, INCONCLUSIVE)]
    gates: dict[str, list[str]] = {}
    for verdict in sorted(failed, key=lambda verdict: verdict.outcome != BREACH):
        shown = verdict.value is not None and verdict.outcome == BREACH
        value = f" ({format_value(verdict.value, verdict.gate)})" if shown else ""
        reason = f"{verdict_text(verdict.verdict)}{value}: {verdict.reason.rstrip('.')}"
        gates.setdefault(reason, []).append(verdict.gate.name)
    return "; ".join(f"{', '.join(names)} {reason}" for reason, names in gates.items())
