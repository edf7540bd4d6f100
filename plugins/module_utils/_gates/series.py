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
        """Add samples."""
        for each in series:
            # NaN and infinity are no counts.
            samples = {at: value for at, value in each.samples if math.isfinite(value)}
            self._kept.setdefault(frozenset(each.labels.items()), {}).update(samples)

    def forget(self, before: float) -> None:
        """Drop older samples, except the newest of them of each series: the next increase is counted from it."""
        for key, samples in list(self._kept.items()):
            old = sorted(at for at in samples if at < before)
            if len(old) == len(samples):
                del self._kept[key]
            for at in old[:-1]:
                samples.pop(at, None)

    def series(self) -> list[Series]:
        """Return the series that have samples."""
        return [Series(dict(key), sorted(samples.items())) for key, samples in self._kept.items() if samples]


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


def sample_times(series: t.Iterable[Series]) -> list[float]:
    """Return the times of all samples, in order."""
    return sorted({at for each in series for at, _value in each.samples})
