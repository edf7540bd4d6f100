# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a value has been past its limit without a recovery. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Sample, longest_gap


@dataclass(frozen=True)
class Point:
    """A value at a time, made of the requests since begin. It is known to have been so from first to last: less than may be true, never more."""

    begin: float
    at: float
    value: float
    requests: float
    first: float
    last: float


@dataclass(frozen=True)
class Violation:
    """since, until: what is known of it, epoch seconds. seen: when it was last seen. worst: the value furthest past the limit."""

    since: float
    until: float
    seen: float
    worst: float

    @property
    def seconds(self) -> float:
        return max(0.0, self.until - self.since)


def points(flow: RatioSeries, least: int) -> list[Point]:
    """The counted part of all in percent, at each time at which there were enough to tell.

    A scrape that counts some tells that they had begun by its time, and went on after the scrape before it.
    """
    return [
        Point(of.begin, of.at, 100 * of.counted / of.total, of.total, of.first, of.last)
        for of in flow.recent(least)
        if of.total >= max(least, 1)
    ]


def levels(samples: t.Iterable[Sample]) -> list[Point]:
    """The same of values that were read as they are."""
    return [Point(at, at, value, 0, at, at) for at, value in samples]


def is_past(gate: Gate, value: float, past: bool = False) -> bool:
    """Whether the value is past the limit; once it is, until it reaches the value that clears it."""
    limit = gate.clear if past and gate.clear is not None else gate.limit
    return value < limit if gate.below else value > limit


def violations(gate: Gate, known: t.Iterable[Point], every: float) -> list[Violation]:
    """The times past the limit, in order; the last one may still go on. A recovery ends one, and so does a gap: nobody knows what was in it."""
    found: list[Violation] = []
    gap, past, before = longest_gap(every), False, None
    for point in known:
        if before is not None and point.at - before > gap:
            past = False
        before = point.at
        went_on = past
        past = is_past(gate, point.value, past)
        if not past:
            continue
        if went_on:
            streak = found.pop()
            worse = min if gate.below else max
            found.append(
                Violation(streak.since, max(streak.until, point.last), point.at, worse(streak.worst, point.value))
            )
        else:
            found.append(Violation(point.first, point.last, point.at, point.value))
    return found
