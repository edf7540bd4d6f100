# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a value violates its limit without a recovery. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BELOW, Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Sample, longest_gap


@dataclass(frozen=True)
class Point:
    """A value at one time. Times are epoch seconds."""

    begin: float  # the requests that it is computed from came after this time
    at: float
    value: float
    requests: float  # that it is computed from
    first: float  # the value held from here at the latest
    last: float  # the value held until here at the earliest


@dataclass(frozen=True)
class Violation:
    """A time in which a value was past its limit. Times are epoch seconds."""

    since: float  # it had begun by then
    until: float  # it lasted until then at least
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
            recent.first,
            recent.last,
        )
        for recent in ratio.recent(min_requests)
        if recent.total >= max(min_requests, 1)
    ]


def levels(samples: t.Iterable[Sample]) -> list[Point]:
    """Return the points of values that are judged as they are."""
    return [Point(at, at, value, 0, at, at) for at, value in samples]


def is_past(gate: Gate, value: float, past: bool = False) -> bool:
    """Return whether the value is past the limit. past: it was before, and ends only at the value that clears it."""
    limit = gate.clear if past and gate.clear is not None else gate.limit
    return value < limit if gate.direction == BELOW else value > limit


def violations(gate: Gate, points: t.Iterable[Point], every: float) -> list[Violation]:
    """Return the violations in order; the last one may still go on. A recovery or a gap ends one.

    every: seconds between scrapes.
    """
    found: list[Violation] = []
    gap, past, before = longest_gap(every), False, None
    worse = min if gate.direction == BELOW else max
    for point in points:
        if before is not None and point.at - before > gap:
            past = False
        before = point.at
        continues = past
        past = is_past(gate, point.value, past)
        if not past:
            continue
        if continues:
            last = found.pop()
            until, worst = max(last.until, point.last), worse(last.worst, point.value)
            found.append(Violation(last.since, until, point.at, worst))
        else:
            found.append(Violation(point.first, point.last, point.at, point.value))
    return found
