# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw samples of Prometheus, one list for each series, put together from several answers. Pure.

PromQL's rates do not show when a series was born, when it was gone, and when
nothing was scraped. Raw samples do.
"""

from __future__ import annotations

import bisect
import math
import statistics
import typing as t
from dataclasses import dataclass

Sample = tuple[float, float]  # epoch seconds by Prometheus' clock, and the value
Labels = t.Mapping[str, str]

USUAL = 15.0  # seconds between scrapes, until two samples show it
MISSED = 3  # scrapes in a row that may be missing


@dataclass(frozen=True)
class Series:
    """One series."""

    labels: Labels
    samples: t.Sequence[Sample]  # in order of time


class Store:
    """The samples that were read so far. Their order and overlap make no difference."""

    def __init__(self, series: t.Iterable[Series] = ()) -> None:
        self._kept: dict[frozenset[tuple[str, str]], dict[float, float]] = {}
        self.add(series)

    def add(self, series: t.Iterable[Series]) -> None:
        """Add samples. Of two at one time the higher one counts: two servers that scraped it wrote to one store."""
        for each in series:
            kept = self._kept.setdefault(frozenset(each.labels.items()), {})
            for at, value in each.samples:
                # NaN, infinity and negative numbers are no counts.
                if 0 <= value < math.inf:
                    kept[at] = max(value, kept.get(at, value))

    def forget(self, before: float) -> None:
        """Drop older samples, except the newest of them of each series: the next increase is counted from it."""
        for key, samples in list(self._kept.items()):
            old = sorted(at for at in samples if at < before)
            if len(old) == len(samples):
                del self._kept[key]
            for at in old[:-1]:
                samples.pop(at, None)

    def series(self) -> list[Series]:
        """Return the series that have samples, without doubled ones."""
        return [Series(dict(key), undoubled(sorted(samples.items()))) for key, samples in self._kept.items() if samples]


def undoubled(samples: t.Sequence[Sample]) -> t.Sequence[Sample]:
    """Return the samples without each that comes much sooner after another one than is usual, and before the next.

    Two servers scrape the same, and answer in turn behind one address, or write to one store. Their clocks and their
    scrapes are not exact: a counter would seem to go back, which is taken for a restart.
    """
    steps = [later[0] - earlier[0] for earlier, later in zip(samples, samples[1:], strict=False)]
    # Every other step may be a short one.
    usual = sorted(steps)[3 * (len(steps) - 1) // 4] if steps else 0.0
    # After a scrape that is missing, a usual step is half of the one before.
    short = [False, *(step < 0.45 * usual for step in steps), False]
    doubled = (before and not (short[number] or short[number + 2]) for number, before in enumerate(short[1:-1]))
    return [*samples[:1], *(each for each, left_out in zip(samples[1:], doubled, strict=True) if not left_out)]


def interval(series: t.Collection[Series]) -> float:
    """Return the seconds between scrapes: the median of the distances of samples."""
    steps = [
        later[0] - earlier[0] for each in series for earlier, later in zip(each.samples, each.samples[1:], strict=False)
    ]
    return statistics.median(steps) if steps else USUAL


def longest_gap(every: float) -> float:
    """Return the seconds between two samples from which on nothing is known of the time between."""
    # Half a scrape more, as scrapes are not exactly as far apart.
    return (MISSED + 0.5) * every


def gaps(samples: t.Sequence[Sample], longest: float) -> list[tuple[float, float]]:
    """Return from which sample to which nothing is known. longest: seconds between samples from which on that is so."""
    times = [at for at, _value in samples]
    return [(before, at) for before, at in zip(times, times[1:], strict=False) if at - before > longest]


class Increase(t.NamedTuple):
    """What a counter grew by between two times."""

    begin: float  # excluded
    at: float  # included
    amount: float


def increases(series: Series, every: float, scraped: t.Sequence[float]) -> list[Increase]:
    """Return what a counter grew by between each two samples.

    every: seconds between scrapes. scraped: the times, in order, at which Prometheus scraped anything of the pack.
    A smaller value is a restart: the counter began again at 0. A series whose first sample comes while Prometheus
    was scraping was born with it, and counted from 0, so its first event counts. Increases over a longer gap say how
    much there was, and not when.
    """
    found = []
    gap = longest_gap(every)
    first, value = series.samples[0]
    # A scrape before the first sample would have shown it. Pods are scraped at different times within one interval.
    earlier = bisect.bisect_right(scraped, first - 1.5 * every)
    if earlier and value > 0:
        seen = scraped[earlier - 1]
        found.append(Increase(first - every if first - seen <= gap else seen, first, value))
    for (begin, before), (at, after) in zip(series.samples, series.samples[1:], strict=False):
        found.append(Increase(begin, at, after - before if after >= before else after))
    return found


def is_renamed(series: Series, others: t.Iterable[Series]) -> bool:
    """Return whether a counter is an old one with new labels: all others of its kind end before it, one not above it.

    others: of the same metric and target, with the same labels that measures distinguish.
    """
    first, value = series.samples[0]
    older = [each for each in others if each.samples[0][0] < first]
    return all(each.samples[-1][0] < first for each in older) and any(each.samples[-1][1] <= value for each in older)


def counted_once(series: t.Iterable[Series]) -> list[Series]:
    """Return the counters, with those that are the same one, scraped more than once, made one.

    series: of one metric and target, with the same labels but for those that say who scraped it.
    """
    found: list[Series] = []
    for each in sorted(series, key=_first_choice):
        for number, known in enumerate(found):
            every = interval([known])
            if _may_be_same(known, each, every):
                found[number] = _filled(known, each, every)
                break
        else:
            found.append(each)
    return found


def _first_choice(series: Series) -> tuple[int, list[tuple[str, str]]]:
    """Return the order in which scrapers are trusted: who scrapes more often, and the same whatever was read of it."""
    return round(math.log2(max(1e-3, interval([series])))), sorted(series.labels.items())


def _may_be_same(one: Series, other: Series, every: float) -> bool:
    """Return whether each value of the other counter lies between those of this one, a scrape before and after it."""
    times = [at for at, _value in one.samples]
    for at, value in other.samples:
        before = bisect.bisect_right(times, at - every) - 1
        after = bisect.bisect_left(times, at + every)
        if before < 0 or after >= len(times):
            continue
        between = [value for _at, value in one.samples[before : after + 1]]
        if between == sorted(between) and not between[0] <= value <= between[-1]:
            return False
    return True


def _filled(one: Series, other: Series, every: float) -> Series:
    """Return a series with the other's samples where it has none of its own within a scrape."""
    times = [at for at, _value in one.samples]

    def is_missing(at: float) -> bool:
        following = bisect.bisect_left(times, at)
        return all(abs(at - near) >= every for near in times[max(0, following - 1) : following + 1])

    return Series(one.labels, sorted([*one.samples, *(sample for sample in other.samples if is_missing(sample[0]))]))


def sample_times(series: t.Iterable[Series]) -> list[float]:
    """Return the times of all samples, in order."""
    return sorted({at for each in series for at, _value in each.samples})
