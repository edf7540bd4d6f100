# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pack's series say of one pool. Pure: series in, flows and levels out."""

from __future__ import annotations

import bisect
import math
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._gates import packs
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import Part, RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.series import (
    Increase,
    Sample,
    Series,
    increases,
    interval,
    longest_gap,
    moments,
)

Names = t.Mapping[str, str]  # what the templates of a pack may name


@dataclass(frozen=True)
class Measured:
    """What a gate judges. newest: of its samples, epoch seconds, None without any. missing: why there is nothing, or nothing that can be told.

    quantile: the value of one (0 to 1) over the entries of a time (begin, end), in seconds.
    """

    every: float
    flow: RatioSeries | None = None
    levels: t.Sequence[Sample] = ()
    newest: float | None = None
    missing: str = ""
    quantile: t.Callable[[float, float, float], float | None] = field(default=lambda quantile, begin, end: None)


class Reading:
    """The series of one pack, and one pool of it."""

    def __init__(self, pack: packs.Pack, series: t.Sequence[Series], names: Names) -> None:
        self._pack = pack
        self._names = names
        self._pools = [_rendered(labels, names) for labels in pack.pools]
        self._named: dict[str, list[Series]] = {}
        for each in series:
            if each.samples and any(_matches(labels, each.labels) for labels in self._pools):
                self._named.setdefault(each.labels["__name__"], []).append(each)
        # Of both pools: whether Prometheus was looking does not depend on the pool.
        self._series = series
        self._seen: list[float] | None = None
        self._grown: dict[int, list[Increase]] = {}
        self._every: dict[int, float] = {}

    def measure(self, name: str) -> packs.Measure | None:
        return self._pack.measures.get(name)

    def share(self, measure: packs.Ratio) -> Measured:
        every_one, counted = self._find(measure.all), self._find(measure.counted)
        if not every_one:
            return self._nothing(measure.all.name)
        every = interval(every_one)
        parts = [*self._parts(every_one, every, 1, 0), *self._parts(counted, every, 0, 1)]
        return Measured(every, RatioSeries.of(parts, every), newest=_newest(every_one))

    def slower(self, measure: packs.Histogram, limit: float) -> Measured:
        """Those that took longer than the limit (seconds), by the histogram's buckets, as histogram_quantile() divides one."""
        buckets = self._find(packs.Selector(f"{measure.name}_bucket", measure.labels))
        if not buckets:
            return self._nothing(f"{measure.name}_bucket")
        every = interval(buckets)
        by_bound: dict[float, list[Series]] = {}
        for each in buckets:
            by_bound.setdefault(float(each.labels["le"]) * measure.seconds, []).append(each)
        bounds = sorted(by_bound)
        finite = [bound for bound in bounds if bound < math.inf]
        if not finite or limit > finite[-1] or bounds[-1] != math.inf:
            largest = f"{finite[-1]:g} s" if finite else "missing"
            return Measured(
                every,
                newest=_newest(buckets),
                missing=f"{measure.name} cannot tell what is slower than {limit:g} s: its largest bucket is {largest}",
            )
        upper = finite[bisect.bisect_left(finite, limit)]
        lower = max((bound for bound in finite if bound < upper), default=0.0)
        part = (limit - lower) / (upper - lower)
        weights = {math.inf: (1.0, 1.0), upper: (0.0, -part)} | ({lower: (0.0, part - 1)} if lower else {})
        parts = [
            part
            for bound, (total, counted) in weights.items()
            for part in self._parts(by_bound[bound], every, total, counted)
        ]

        def quantile(part_of_all: float, begin: float, end: float) -> float | None:
            counts = {
                bound: sum(
                    grown.amount
                    for each in by_bound[bound]
                    for grown in self._increases(each, every)
                    if begin <= grown.begin and grown.at <= end
                )
                for bound in bounds
            }
            return _quantile(counts, part_of_all)

        return Measured(every, RatioSeries.of(parts, every), newest=_newest(buckets), quantile=quantile)

    def duration(self, measure: packs.Histogram) -> Measured:
        """Requests, and the seconds that they took together."""
        counts = self._find(packs.Selector(f"{measure.name}_count", measure.labels))
        sums = self._find(packs.Selector(f"{measure.name}_sum", measure.labels))
        if not counts or not sums:
            return self._nothing(f"{measure.name}_{'sum' if counts else 'count'}")
        every = interval(counts)
        parts = [*self._parts(counts, every, 1, 0), *self._parts(sums, every, 0, measure.seconds)]
        return Measured(every, RatioSeries.of(parts, every), newest=_newest(counts))

    def fill(self, measure: packs.Utilization, fallback: float | None = None) -> Measured:
        """fallback: bytes that there may be, where Prometheus does not tell."""
        used = self._find(measure.used)
        if not used:
            return self._nothing(measure.used.name)
        limits = next((found for pick in measure.most if (found := self._limits(pick))), {})
        if not limits and fallback:
            limits = {self._pod(each): fallback for each in used}
        if not limits:
            names = " nor ".join(pick.name for pick in measure.most)
            return Measured(
                interval(used),
                newest=_newest(used),
                missing=f"its limit is not known: Prometheus has no {names} of the pool",
            )
        limited = [(each, limits[self._pod(each)]) for each in used if self._pod(each) in limits]
        if not limited:
            return Measured(interval(used), newest=_newest(used), missing="none of its pods has a memory limit")
        every = interval([each for each, _limit in limited])
        return Measured(every, levels=_fullest(limited, longest_gap(every)), newest=_newest(used))

    def _limits(self, pick: packs.Selector) -> dict[tuple[str, ...], float]:
        return {self._pod(each): each.samples[-1][1] for each in self._find(pick) if each.samples[-1][1] > 0}

    def _find(self, pick: packs.Selector) -> list[Series]:
        labels = _rendered(pick.labels, self._names)
        return [each for each in self._named.get(pick.name, []) if _matches(labels, each.labels)]

    def _pod(self, series: Series) -> tuple[str, ...]:
        """What it has in common with other series of the same container."""
        return tuple(series.labels.get(label, "") for label in self._pack.server)

    def _nothing(self, name: str) -> Measured:
        return Measured(1.0, missing=f"Prometheus has no {name} of the pool")

    def _parts(self, series: t.Iterable[Series], every: float, total: float, counted: float) -> t.Iterator[Part]:
        for each in series:
            yield Part((each.labels.get("instance"), self._pod(each)), self._increases(each, every), total, counted)

    def _increases(self, series: Series, every: float) -> list[Increase]:
        if self._seen is None:
            self._seen = moments(self._series)
        if id(series) not in self._grown:
            self._grown[id(series)] = increases(series, every, self._seen)
        return self._grown[id(series)]


def query(pack: packs.Pack, names: Names, seconds: float) -> str:
    """PromQL for all samples of the pack's series of both pools in the last seconds."""
    metrics = sorted({name for measure in pack.measures.values() for name in measure.metrics()})
    matchers = [
        f'__name__=~"{"|".join(metrics)}"',
        *(f'{label}=~"{value}"' for label, value in _rendered(pack.server, names).items()),
    ]
    return f"{{{', '.join(matchers)}}}[{math.ceil(seconds)}s]"


def names_of(server: t.Any, pool: str) -> dict[str, str]:
    """What a pack's templates may name. A server's names have no other special character than the dot."""
    names = {
        "namespace": server.namespace,
        "server": server.name,
        "route": server.route,
        "container": server.container,
        "blue": server.deployment("blue"),
        "green": server.deployment("green"),
        "deployment": server.deployment(pool),
    }
    return {"pool": pool, **{key: value.replace(".", "[.]") for key, value in names.items()}}


def _rendered(labels: packs.Labels, names: Names) -> dict[str, str]:
    rendered = dict(labels)
    for name, value in names.items():
        rendered = {label: pattern.replace(f"{{{name}}}", value) for label, pattern in rendered.items()}
    return rendered


def _matches(patterns: packs.Labels, labels: packs.Labels) -> bool:
    return all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in patterns.items())


def _newest(series: t.Iterable[Series]) -> float:
    return max(each.samples[-1][0] for each in series)


def _fullest(limited: t.Sequence[tuple[Series, float]], gap: float) -> list[Sample]:
    """At each time the highest percentage of those that were seen last within a gap."""
    last: dict[int, Sample] = {}
    found = []
    for at, number, value in sorted(
        (at, number, 100 * value / limit) for number, (each, limit) in enumerate(limited) for at, value in each.samples
    ):
        last[number] = (at, value)
        found.append((at, max(value for seen, value in last.values() if at - seen <= gap)))
    return found


def _quantile(counts: t.Mapping[float, float], quantile: float) -> float | None:
    """As histogram_quantile() has it. counts: cumulated, by upper bound."""
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
