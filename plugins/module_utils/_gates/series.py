# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Samples as Prometheus stored them, one list for each series, put together from several answers.

A sample is (time, value), time in epoch seconds by Prometheus' own clock.
Raw samples, not the rates that PromQL makes of them: only they show when a
series was born, when it was gone, and when nobody looked.
"""

from __future__ import annotations

import bisect
import math
import statistics
import typing as t
from dataclasses import dataclass

Sample = tuple[float, float]
Labels = t.Mapping[str, str]

USUAL = 15.0  # seconds between scrapes, where two samples don't tell yet
MISSED = 3  # scrapes in a row that may be missing


@dataclass(frozen=True)
class Series:
    labels: Labels
    samples: t.Sequence[Sample]


class Store:
    """What was read so far. The order and the overlap of what comes in make no difference."""

    def __init__(self, series: t.Iterable[Series] = ()) -> None:
        self._kept: dict[frozenset[tuple[str, str]], dict[float, float]] = {}
        self.add(series)

    def add(self, series: t.Iterable[Series]) -> None:
        for each in series:
            # NaN and infinity are no counts.
            samples = {at: value for at, value in each.samples if math.isfinite(value)}
            self._kept.setdefault(frozenset(each.labels.items()), {}).update(samples)

    def forget(self, before: float) -> None:
        """Drops what is older, but of each series the newest of that: what comes next is counted from there."""
        for key, samples in list(self._kept.items()):
            old = sorted(at for at in samples if at < before)
            if len(old) == len(samples):
                del self._kept[key]
            for at in old[:-1]:
                samples.pop(at, None)

    def series(self) -> list[Series]:
        return [Series(dict(key), sorted(samples.items())) for key, samples in self._kept.items() if samples]


def interval(series: t.Collection[Series]) -> float:
    """Seconds between scrapes, as the samples show."""
    steps = [
        later[0] - earlier[0] for each in series for earlier, later in zip(each.samples, each.samples[1:], strict=False)
    ]
    return statistics.median(steps) if steps else USUAL


def longest_gap(every: float) -> float:
    """Seconds without a sample after which nothing is known of the time between. Half a scrape more than may be missed: scrapes are not on the dot."""
    return (MISSED + 0.5) * every


class Increase(t.NamedTuple):
    """What a counter grew by after begin, up to and with at."""

    begin: float
    at: float
    amount: float


def increases(series: Series, every: float, seen: t.Sequence[float]) -> list[Increase]:
    """What a counter grew by between each two samples.

    seen: times, in order, at which Prometheus looked at anything that belongs to it.
    A smaller value is a restart, which counted from 0. A series whose first
    sample comes while Prometheus was looking was born there, and counted from 0:
    it begins with its first event, and that one counts. What grew over a longer
    gap is left out, as nobody knows when it did.
    """
    found = []
    gap = longest_gap(every)
    first, value = series.samples[0]
    # A scrape before the first sample would have seen it. Pods are scraped at different moments within one interval.
    looked = bisect.bisect_left(seen, first - gap) < bisect.bisect_right(seen, first - 1.5 * every)
    if looked and value > 0:
        found.append(Increase(first - every, first, value))
    for (begin, before), (at, after) in zip(series.samples, series.samples[1:], strict=False):
        if at - begin <= gap:
            found.append(Increase(begin, at, after - before if after >= before else after))
    return found


def moments(series: t.Iterable[Series]) -> list[float]:
    """The times of all samples, in order."""
    return sorted({at for each in series for at, _value in each.samples})
