# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counters of several series, added up to the counts that a gate judges, in order of time. Pure."""

from __future__ import annotations

import bisect
import math
import typing as t
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from ansible_collections.mcp.server.plugins.module_utils._gates.series import Increase, longest_gap

LONGEST = 60.0  # seconds of scrapes that one value may be computed from

Target = t.Hashable  # what Prometheus scrapes in one request, such as a pod


class Part(t.NamedTuple):
    """One counter of a target, and how it adds to the counts."""

    target: Target
    increases: t.Sequence[Increase]
    total: float  # the factor by which its increases add to all requests
    counted: float  # the factor by which they add to those that a gate is about


class Recent(t.NamedTuple):
    """The value at one time. Times are epoch seconds."""

    begin: float  # the first scrape that it is computed from began here
    at: float
    total: float  # requests
    counted: float  # of these, those that a gate is about
    earliest: float  # counted requests did not come before this time
    first: float  # counted requests are known to have come by this time
    last: float  # counted requests are known to have come after this time


class Span(t.NamedTuple):
    """Counts of a time in which scrapes are missing: how many there were, and not when. Times are epoch seconds."""

    begin: float
    at: float
    total: float  # all requests
    counted: float  # those that a gate is about


@dataclass(frozen=True)
class RatioSeries:
    """Counts of requests, and of those that a gate is about: an entry for each scrape of a target, in order of time."""

    every: float  # seconds between scrapes
    times: t.Sequence[float]  # when the target was scraped, epoch seconds
    begins: t.Sequence[float]  # when it was scraped before: the counts are of the time between
    targets: t.Sequence[Target]
    totals: t.Sequence[float]  # all requests
    counted: t.Sequence[float]  # those that a gate is about
    gaps: t.Sequence[Span] = ()  # of each target, in order of their ends: their counts are in none of the entries

    @classmethod
    def of(cls, parts: t.Iterable[Part], every: float) -> RatioSeries:
        """Return the sum of counters. every: seconds between scrapes."""
        numbers: dict[Target, int] = {}
        entries: dict[tuple[float, int], list[float]] = {}
        gaps: dict[tuple[float, int], Span] = {}
        gap = longest_gap(every)
        for part in parts:
            number = numbers.setdefault(part.target, len(numbers))
            for begin, time, amount in part.increases:
                if time - begin > gap:
                    known = gaps.get((time, number), Span(begin, time, 0.0, 0.0))
                    gaps[(time, number)] = Span(
                        min(begin, known.begin),
                        time,
                        known.total + part.total * amount,
                        known.counted + part.counted * amount,
                    )
                    continue
                entry = entries.get((time, number))
                if entry is None:
                    entry = entries[(time, number)] = [begin, 0.0, 0.0]
                elif begin < entry[0]:
                    entry[0] = begin
                entry[1] += part.total * amount
                entry[2] += part.counted * amount
        keys = sorted(entries)
        # Buckets of a histogram are subtracted from each other, which leaves rounding errors.
        begins, totals, counted = (
            [0.0 if abs(entries[key][column]) < 1e-9 else entries[key][column] for key in keys] for column in (0, 1, 2)
        )
        return cls(
            every,
            [time for time, _target in keys],
            begins,
            [target for _time, target in keys],
            totals,
            counted,
            [gaps[key] for key in sorted(gaps)],
        )

    @property
    def gap(self) -> float:
        """Return the seconds between scrapes from which on nothing is known of the time between."""
        return longest_gap(self.every)

    def within(self, begin: float, now: float) -> RatioSeries:
        """Return the entries from begin to now. One that began at most half a scrape before begin is included."""
        first = bisect.bisect_left(self.times, begin)
        while first < len(self.times) and self.begins[first] < begin - self.every / 2:
            first += 1
        last = bisect.bisect_right(self.times, now)
        return RatioSeries(
            self.every,
            self.times[first:last],
            self.begins[first:last],
            self.targets[first:last],
            self.totals[first:last],
            self.counted[first:last],
            [span for span in self.gaps if begin < span.at <= now],
        )

    def long_entries(self) -> t.Iterator[Span]:
        """Yield the entries between which and the one before scrapes are missing, though not enough for a gap."""
        for begin, at, total, counted in zip(self.begins, self.times, self.totals, self.counted, strict=True):
            if at - begin > 1.5 * self.every:
                yield Span(begin, at, total, counted)

    def covered(self) -> float:
        """Return how many seconds the counts are of."""
        seconds, until = 0.0, -math.inf
        for begin, at in zip(self.begins, self.times, strict=True):
            seconds += max(0.0, at - max(begin, until))
            until = max(until, at)
        return seconds

    @cached_property
    def _sums(self) -> tuple[list[float], list[float]]:
        return [0.0, *accumulate(self.totals)], [0.0, *accumulate(self.counted)]

    def sums(self, first: int = 0, last: int | None = None) -> tuple[float, float]:
        """Return all requests and the counted ones of the entries from first to last, both included."""
        end = len(self.times) if last is None else last + 1
        totals, counted = self._sums
        return max(0.0, totals[end] - totals[first]), max(0.0, counted[end] - counted[first])

    def recent(self, min_requests: int) -> t.Iterator[Recent]:
        """Yield the value at the time of each entry.

        It is computed from the last scrape of every target. While these have fewer than C(min_requests) requests that
        are not counted, earlier scrapes are added, up to LONGEST and not across a gap. Of all these spans, the one
        with the highest share and at least C(min_requests) requests is taken. So more counted requests (errors), even
        in place of others, can only raise a value and make it last longer.
        """
        start = 0
        newest: dict[Target, int] = {}
        with_counted = [position for position, counted in enumerate(self.counted) if counted > 0]
        for last, at in enumerate(self.times):
            if last and at - self.times[last - 1] > self.gap:
                start = last
                newest.clear()
            newest[self.targets[last]] = last
            latest = [position for position in newest.values() if at - self.times[position] <= self.gap]
            bad = [position for position in latest if self.counted[position] > 0]
            first, scrapes = min(latest), 1
            total = sum(self.totals[position] for position in latest)
            counted = sum(self.counted[position] for position in latest)
            best = (first, total, counted)
            while total - counted < min_requests and first > start and scrapes * self.every < LONGEST:
                scrapes += 1
                # Scrapes are not exactly as far apart.
                first = min(first, max(start, bisect.bisect_right(self.times, at - (scrapes - 0.5) * self.every)))
                total, counted = self.sums(first, last)
                bad = with_counted[bisect.bisect_left(with_counted, first) : bisect.bisect_right(with_counted, last)]
                if total >= min_requests and (best[1] < min_requests or counted * best[1] > best[2] * total):
                    best = (first, total, counted)
            yield Recent(
                self.begins[best[0]],
                at,
                max(0.0, best[1]),
                max(0.0, best[2]),
                min((self.begins[position] for position in bad), default=at),
                min((self.times[position] for position in bad), default=at),
                max((self.begins[position] for position in bad), default=at),
            )
