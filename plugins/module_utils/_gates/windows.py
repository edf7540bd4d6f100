# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a value violates its limit without a recovery. Pure."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries, Span
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BELOW, Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Level
from ansible_collections.mcp.server.plugins.module_utils._gates.series import longest_gap

Times = tuple[float, float]  # from and until, epoch seconds


@dataclass(frozen=True)
class Point:
    """A value at one time. Times are epoch seconds."""

    begin: float  # the requests that it is computed from came after this time
    at: float
    value: float
    requests: float  # that it is computed from
    earliest: float  # the value held from here at the earliest
    first: float  # the value held from here at the latest
    last: float  # the value held until here at the earliest


class Unseen(t.NamedTuple):
    """A time in which there may have been a violation without a scrape that shows it. Times are epoch seconds."""

    begin: float
    at: float  # it is over
    known: float  # values leave out what came in it until then


@dataclass(frozen=True)
class Violation:
    """A time in which a value was past its limit. Times are epoch seconds."""

    earliest: float  # it had not begun before
    since: float  # it had begun by then
    until: float  # it lasted until then at least
    latest: float  # it was over by then
    seen: float  # of the last point in it
    worst: float  # the value furthest past the limit

    @property
    def seconds(self) -> float:
        """Return how long it is known to have lasted."""
        return max(0.0, self.until - self.since)


def points(ratio: RatioSeries, min_requests: int) -> list[Point]:
    """Return the counted part of all requests in percent, at each time at which there were min_requests.

    A scrape with counted requests shows that they had begun by then, and went on after the scrape before it.
    """
    return [
        Point(
            recent.begin,
            recent.at,
            100 * recent.counted / recent.total,
            recent.total,
            recent.earliest,
            recent.first,
            recent.last,
        )
        for recent in ratio.recent(min_requests)
        if recent.total >= max(min_requests, 1)
    ]


def levels(levels: t.Iterable[Level]) -> list[Point]:
    """Return the points of values that are judged as they are."""
    return [Point(level.at, level.at, level.value, 0, level.before, level.seen, level.seen) for level in levels]


def is_past(gate: Gate, value: float, past: bool = False) -> bool:
    """Return whether the value is past the limit. past: it was before, and ends only at the value that clears it."""
    limit = gate.clear if past and gate.clear is not None else gate.limit
    return value < limit if gate.direction == BELOW else value > limit


def violations(gate: Gate, points: t.Iterable[Point], every: float, now: float) -> list[Violation]:
    """Return the violations in order; the last one may still go on. A recovery or a gap ends one.

    every: seconds between scrapes. now: epoch seconds.
    """
    found: list[Violation] = []
    gap, past, before = longest_gap(every), False, -math.inf
    worse = min if gate.direction == BELOW else max
    for point in points:
        if point.at - before > gap:
            past = False
        # Pods are scraped at different times, and a value is of all their last scrapes.
        earliest = max(point.earliest, before - every)
        # A value of more scrapes may contain counted requests of a time in which it was good.
        first = max(point.first, before)
        before = point.at
        continues = past
        past = is_past(gate, point.value, past)
        if past and continues:
            last = found.pop()
            until, worst = max(last.until, point.last), worse(last.worst, point.value)
            found.append(Violation(last.earliest, last.since, until, point.at, point.at, worst))
        elif past:
            found.append(Violation(earliest, first, point.last, point.at, point.at, point.value))
        elif continues:
            found[-1] = replace(found[-1], latest=max(found[-1].latest, point.begin))
    if past:
        found[-1] = replace(found[-1], latest=max(found[-1].latest, now))
    return found


def may_be_past(gate: Gate, window: float, span: Span) -> bool:
    """Return whether there may have been a violation in a time without scrapes: in all of it, or as long as a window.

    Its requests are taken to have come evenly.
    """
    seconds = span.at - span.begin
    return 100 * span.counted * seconds > gate.limit * span.total * min(window, seconds)


def known_again(points: t.Iterable[Point], at: float, now: float) -> float:
    """Return when the first value came that is computed only of what was scraped after a time; now if none has."""
    return next((point.at for point in points if point.begin >= at), now)


def possible(violations: t.Iterable[Violation], unseen: t.Iterable[Unseen], every: float) -> list[Times]:
    """Return the times, in order, in each of which there may have been one violation.

    unseen: in which there may have been one without a scrape that shows it; it joins what is before and after it.
    every: seconds between scrapes.
    """
    found: list[Times] = []
    known = -math.inf
    spans = [(violation.earliest, violation.latest, -math.inf) for violation in violations]
    for begin, end, until in sorted([*spans, *unseen]):
        joined = found[-1][1] if found and until > -math.inf else known
        if found and begin <= joined + every / 2:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
        known = max(known, until)
    return found
