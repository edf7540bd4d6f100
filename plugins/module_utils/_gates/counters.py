# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counters of several series, put together to what a gate judges: so many of so many, in order of time."""

from __future__ import annotations

import bisect
import math
import typing as t
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from ansible_collections.mcp.server.plugins.module_utils._gates.series import Increase, longest_gap

LONGEST = 60.0  # seconds that one value may be made of

Target = t.Hashable  # what Prometheus scrapes at one moment


class Part(t.NamedTuple):
    """One series of a target. total, counted: how what it grew by counts to all, and to those that a gate is about."""

    target: Target
    increases: t.Sequence[Increase]
    total: float
    counted: float


class Recent(t.NamedTuple):
    """What a value at a time is made of: the requests since begin. first, last: from when to when some that counted are known to have come."""

    begin: float
    at: float
    total: float
    counted: float
    first: float
    last: float


@dataclass(frozen=True)
class RatioSeries:
    """Counts that came in at times (in order), each of one target, for what happened there since the time in begins. counted: of total, what a gate is about.

    every: seconds between scrapes.
    """

    every: float
    times: t.Sequence[float]
    begins: t.Sequence[float]
    targets: t.Sequence[Target]
    totals: t.Sequence[float]
    counted: t.Sequence[float]

    @classmethod
    def of(cls, parts: t.Iterable[Part], every: float) -> RatioSeries:
        """Of all series together. What was scraped of a target at one moment is one entry."""
        number: dict[Target, int] = {}
        at: dict[tuple[float, int], list[float]] = {}
        for part in parts:
            target = number.setdefault(part.target, len(number))
            for begin, time, amount in part.increases:
                entry = at.get((time, target))
                if entry is None:
                    entry = at[(time, target)] = [begin, 0.0, 0.0]
                elif begin < entry[0]:
                    entry[0] = begin
                entry[1] += part.total * amount
                entry[2] += part.counted * amount
        keys = sorted(at)
        # Parts of a histogram are subtracted from each other: what is left of nothing is rounding.
        begins, totals, counted = (
            [0.0 if abs(at[key][column]) < 1e-9 else at[key][column] for key in keys] for column in (0, 1, 2)
        )
        return cls(every, [time for time, _target in keys], begins, [target for _time, target in keys], totals, counted)

    @property
    def gap(self) -> float:
        return longest_gap(self.every)

    def within(self, begin: float, now: float) -> RatioSeries:
        """What happened after begin, and came in until now. With a scrape that began just before: it belongs to both sides."""
        first = bisect.bisect_left(self.times, begin)
        while first < len(self.times) and self.begins[first] < begin - self.every / 2:
            first += 1
        last = bisect.bisect_right(self.times, now)
        columns = (column[first:last] for column in (self.times, self.begins, self.targets, self.totals, self.counted))
        return RatioSeries(self.every, *columns)

    def covered(self) -> float:
        """Seconds that the counts are of."""
        seconds, until = 0.0, -math.inf
        for begin, at in zip(self.begins, self.times, strict=True):
            seconds += max(0.0, at - max(begin, until))
            until = max(until, at)
        return seconds

    @cached_property
    def _sums(self) -> tuple[list[float], list[float]]:
        return [0.0, *accumulate(self.totals)], [0.0, *accumulate(self.counted)]

    def sums(self, first: int = 0, last: int | None = None) -> tuple[float, float]:
        """All and the counted of entries first to last, both with."""
        end = len(self.times) if last is None else last + 1
        return tuple(max(0.0, column[end] - column[first]) for column in self._sums)

    def recent(self, least: int) -> t.Iterator[Recent]:
        """The newest at each time of an entry.

        It is made of the last scrape of every target, and of more scrapes while
        there are fewer than C(least) in them that were not counted, up to LONGEST,
        but of none before a gap. Of these spans, the one with the highest share
        stands that has C(least) requests. So further ones that count (errors), also
        in place of others, can only raise a value, and only make it last longer.
        """
        start = 0
        newest: dict[Target, int] = {}
        some = [position for position, counted in enumerate(self.counted) if counted > 0]
        for last, at in enumerate(self.times):
            if last and at - self.times[last - 1] > self.gap:
                start = last
                newest.clear()
            newest[self.targets[last]] = last
            ones = [position for position in newest.values() if at - self.times[position] <= self.gap]
            bad = [one for one in ones if self.counted[one] > 0]
            first, scrapes = min(ones), 1
            total, counted = sum(self.totals[one] for one in ones), sum(self.counted[one] for one in ones)
            best = (first, total, counted)
            while total - counted < least and first > start and scrapes * self.every < LONGEST:
                scrapes += 1
                # Scrapes are not on the dot.
                first = min(first, max(start, bisect.bisect_right(self.times, at - (scrapes - 0.5) * self.every)))
                total, counted = self.sums(first, last)
                bad = some[bisect.bisect_left(some, first) : bisect.bisect_right(some, last)]
                if total >= least and (best[1] < least or counted * best[1] > best[2] * total):
                    best = (first, total, counted)
            yield Recent(
                self.begins[best[0]],
                at,
                max(0.0, best[1]),
                max(0.0, best[2]),
                min((self.times[one] for one in bad), default=at),
                max((self.begins[one] for one in bad), default=at),
            )
