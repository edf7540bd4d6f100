# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of measures. Each names the metrics that it needs, and computes a measurement from their series. Pure.

A new kind is one class here and one row in a pack (packs.py).
"""

from __future__ import annotations

import abc
import bisect
import functools
import heapq
import math
import typing as t
from contextlib import suppress
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import (
    Labels,
    Level,
    Measurement,
    Pod,
    PoolSeries,
    Selector,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.series import (
    Series,
    gaps,
    interval,
    longest_gap,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.windows import is_past

MemoryLimit = t.Callable[[], "float | None"]  # bytes that a pod may use, by its Deployment; None: it sets no limit


def no_memory_limit() -> float | None:
    """Return that no limit is known."""
    return None


class Measure(abc.ABC):
    """One thing that a gate can judge, computed from the metrics of a pack."""

    @abc.abstractmethod
    def metrics(self) -> list[str]:
        """Return the names of the metrics that it needs."""

    @abc.abstractmethod
    def evaluate(self, pool: PoolSeries, gate: Gate, memory_limit: MemoryLimit = no_memory_limit) -> Measurement:
        """Return the measurement of a pool for a gate."""


@dataclass(frozen=True)
class Ratio(Measure):
    """Which part of all requests is counted, by counters."""

    all: Selector
    counted: Selector

    def metrics(self) -> list[str]:
        return [self.all.name, self.counted.name]

    def evaluate(self, pool: PoolSeries, gate: Gate, memory_limit: MemoryLimit = no_memory_limit) -> Measurement:
        requests, counted = pool.find(self.all), pool.find(self.counted)
        if not requests:
            return _no_series(self.all.name)
        every = interval(requests)
        parts = [*pool.parts(requests, every, 1, 0), *pool.parts(counted, every, 0, 1)]
        return Measurement(every, RatioSeries.of(parts, every), newest=_newest(requests))


@dataclass(frozen=True)
class Rate(Measure):
    """Requests a second, by a counter."""

    all: Selector

    def metrics(self) -> list[str]:
        return [self.all.name]

    def evaluate(self, pool: PoolSeries, gate: Gate, memory_limit: MemoryLimit = no_memory_limit) -> Measurement:
        requests = pool.find(self.all)
        if not requests:
            return _no_series(self.all.name)
        every = interval(requests)
        ratio = RatioSeries.of(pool.parts(requests, every, 1, 0), every)
        return Measurement(every, ratio, newest=_newest(requests), per_second=True)


@dataclass(frozen=True)
class Histogram(Measure):
    """Durations, by a histogram."""

    name: str  # without a suffix
    labels: Labels = field(default_factory=dict)
    seconds: float = 1.0  # the histogram's unit

    def metrics(self) -> list[str]:
        return [f"{self.name}_{suffix}" for suffix in ("bucket", "count", "sum")]

    @property
    def buckets(self) -> Selector:
        return Selector(f"{self.name}_bucket", self.labels)

    @property
    def count(self) -> Selector:
        return Selector(f"{self.name}_count", self.labels)

    @property
    def sum(self) -> Selector:
        return Selector(f"{self.name}_sum", self.labels)

    def evaluate(self, pool: PoolSeries, gate: Gate, memory_limit: MemoryLimit = no_memory_limit) -> Measurement:
        return self._durations(pool) if gate.compare_with else self._slower(pool, gate.limit)

    def _durations(self, pool: PoolSeries) -> Measurement:
        """Return all requests, and as the counted part the seconds that they took together."""
        counts, sums = pool.find(self.count), pool.find(self.sum)
        if not counts or not sums:
            return _no_series(self.sum.name if counts else self.count.name)
        every = interval(counts)
        parts = [*pool.parts(counts, every, 1, 0), *pool.parts(sums, every, 0, self.seconds)]
        return Measurement(every, RatioSeries.of(parts, every), newest=_newest(counts))

    def _slower(self, pool: PoolSeries, limit: float) -> Measurement:
        """Return all requests, and those slower than the limit (seconds), interpolated as histogram_quantile() does."""
        buckets = pool.find(self.buckets)
        if not buckets:
            return _no_series(self.buckets.name)
        every = interval(buckets)
        by_bound: dict[float, list[Series]] = {}
        for each in buckets:
            with suppress(ValueError, KeyError):  # a bucket without a bound counts nothing that is known
                by_bound.setdefault(float(each.labels["le"]) * self.seconds, []).append(each)
        bounds = sorted(bound for bound in by_bound if -math.inf < bound)
        finite = [bound for bound in bounds if bound < math.inf]
        if not finite or limit > finite[-1] or bounds[-1] != math.inf:
            largest = f"{finite[-1]:g} s" if finite else "missing"
            return Measurement(
                every,
                newest=_newest(buckets),
                missing=f"{self.name} cannot count requests slower than {limit:g} s: its largest bucket is {largest}",
            )
        upper = finite[bisect.bisect_left(finite, limit)]
        lower = max((bound for bound in finite if bound < upper), default=0.0)
        below_limit = (limit - lower) / (upper - lower)
        factors = {math.inf: (1.0, 1.0), upper: (0.0, -below_limit)}
        if lower:
            factors[lower] = (0.0, below_limit - 1)
        parts = [
            part
            for bound, (total, counted) in factors.items()
            for part in pool.parts(by_bound[bound], every, total, counted)
        ]

        def amount(bound: float, begin: float, end: float) -> float:
            grown = [increase for each in by_bound[bound] for increase in pool.increases(each, every)]
            known = [each for each in grown if each.at - each.begin <= longest_gap(every)]
            return sum(each.amount for each in known if begin <= each.begin and each.at <= end)

        def quantile(part_of_all: float, begin: float, end: float) -> float | None:
            return histogram_quantile({bound: amount(bound, begin, end) for bound in bounds}, part_of_all)

        return Measurement(every, RatioSeries.of(parts, every), newest=_newest(buckets), quantile=quantile)


@dataclass(frozen=True)
class Utilization(Measure):
    """How much of a limit is used, in percent, by the fullest pod."""

    used: Selector
    limits: t.Sequence[Selector]  # the first of these that has series of the pool is taken

    def metrics(self) -> list[str]:
        return [self.used.name, *(limit.name for limit in self.limits)]

    def evaluate(self, pool: PoolSeries, gate: Gate, memory_limit: MemoryLimit = no_memory_limit) -> Measurement:
        used = pool.find(self.used)
        if not used:
            return _no_series(self.used.name)
        limits = next((found for selector in self.limits if (found := _limits(pool, selector))), {})
        if not limits and (of_deployment := memory_limit()):
            limits = {pool.pod(each): of_deployment for each in used}
        if not limits:
            names = " nor ".join(limit.name for limit in self.limits)
            missing = f"its limit is not known: Prometheus has no {names} of the pool"
            return Measurement(interval(used), newest=_newest(used), missing=missing)
        limited = [(each, limits[pool.pod(each)]) for each in used if pool.pod(each) in limits]
        if not limited:
            return Measurement(interval(used), newest=_newest(used), missing="none of its pods has a memory limit")
        every = interval([each for each, _limit in limited])
        gap = longest_gap(every)
        levels = _fullest(limited, gap, functools.partial(is_past, gate))
        # A pod that is gone has no gap of its own, and may have been replaced while nothing was scraped.
        every_scrape = [(level.at, level.value) for level in levels]
        unseen = {
            span
            for samples in (every_scrape, *(each.samples for each, _limit in limited))
            for span in gaps(samples, gap)
        }
        return Measurement(every, levels=levels, gaps=sorted(unseen), newest=_newest(used))


def histogram_quantile(counts: t.Mapping[float, float], quantile: float) -> float | None:
    """Return a quantile as PromQL's histogram_quantile() does. counts: cumulated, by upper bound."""
    bounds = sorted(counts)
    total = counts[bounds[-1]]
    if total <= 0:
        return None
    rank, lower, below = quantile * total, 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank:
            if bound == math.inf or counts[bound] == below:
                return lower
            return lower + (bound - lower) * (rank - below) / (counts[bound] - below)
        lower, below = bound, counts[bound]
    return lower


def _no_series(name: str) -> Measurement:
    return Measurement(1.0, missing=f"Prometheus has no {name} of the pool")


def _newest(series: t.Iterable[Series]) -> float:
    return max(each.samples[-1][0] for each in series)


def _limits(pool: PoolSeries, selector: Selector) -> dict[Pod, float]:
    return {pool.pod(each): each.samples[-1][1] for each in pool.find(selector) if each.samples[-1][1] > 0}


def _fullest(limited: t.Sequence[tuple[Series, float]], gap: float, past: t.Callable[[float], bool]) -> list[Level]:
    """Return at each time the highest percentage of the pods that were seen within a gap.

    past: whether a percentage is past the limit. Then the newest scrape of any pod that is past it counts: the fullest
    one may be gone.
    """
    percentages = sorted(
        (at, number, 100 * value / limit) for number, (each, limit) in enumerate(limited) for at, value in each.samples
    )
    last: dict[int, Level] = {}
    past_limit: dict[int, Level] = {}  # the newest scrape last
    by_percent: list[tuple[float, float, int]] = []  # a heap, the fullest first; not all are a pod's last
    found = []
    for at, number, percent in percentages:
        last[number] = Level(at, percent, at, last[number].at if number in last else at)
        heapq.heappush(by_percent, (-percent, -at, number))
        while last[by_percent[0][2]].at > -by_percent[0][1] or at + by_percent[0][1] > gap:
            heapq.heappop(by_percent)
        fullest = last[by_percent[0][2]]
        past_limit.pop(number, None)
        if past(percent):
            past_limit[number] = last[number]
        shown = next(reversed(past_limit.values()), fullest)
        found.append((fullest if at - shown.at > gap else shown)._replace(at=at, value=fullest.value))
    return found
