# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Histories of a pool, drawn by a seed: what its pods really did each second, and what Prometheus stored of it.

history_truth.py has the truth about one.
"""

from __future__ import annotations

import bisect
import math
import random
import re
import typing as t
from dataclasses import dataclass, field, replace
from itertools import accumulate

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import TRIGGERS
from ansible_collections.mcp.server.tests.unit.fakes.metrics import START, pod

LEAD = 60  # seconds before the watch
LONGER = 20  # seconds after the watch's time, in which an inconclusive one goes on
BY_NAME = {gate.name: gate for gate in TRIGGERS}
# Mostly shorter than the defaults, so that a history costs less
WINDOWS = {"errors": (30, 60, 60, 120), "latency": (60,), "database": (30, 60), "memory": (60,), "error_burst": (5,)}
EVERY = {5: (1, 2), 30: (2,), 60: (2, 2, 5), 120: (5,)}  # seconds between scrapes, by window


@dataclass
class Pod:
    """One pod. Counts are of each second, LEAD seconds before the watch and later."""

    number: int
    begins: int = -LEAD
    ends: int = 10**6
    restarts: list[int] = field(default_factory=list)
    total: list[int] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    level: list[float] = field(default_factory=list)  # memory, in percent


class Scrape(t.NamedTuple):
    """One scrape of a pod. Times are seconds of the watch."""

    moment: float
    stamp: float  # its time in Prometheus, which may be skewed


@dataclass(frozen=True)
class Scraped:
    """A pod, and when it was scraped."""

    pod: Pod
    due: t.Sequence[Scrape]  # all while it served, those that are missing too
    stored: t.Sequence[Scrape]


@dataclass(frozen=True)
class History:
    """What happened, and what was stored of it. Seconds are of the watch."""

    seed: int
    trigger: Gate
    seconds: int  # that the watch is meant to last
    every: int  # seconds between scrapes
    pods: t.Sequence[Scraped]
    series: t.Sequence[Series]
    events: t.Sequence[str]  # what goes wrong in it

    @property
    def of_memory(self) -> bool:
        """Return whether it is about memory; if not, about counters."""
        return self.trigger.measure == "memory"


def history(seed: int) -> History:
    """Draw one."""
    source = random.Random(seed)
    name = source.choices(list(WINDOWS), (45, 10, 20, 15, 10))[0]
    window = source.choice(WINDOWS[name])
    trigger = replace(BY_NAME[name], window=float(window))
    every = source.choice(EVERY[window])
    seconds = max(60, 5 * round(window * source.uniform(1.8, 3) / 5))
    events: list[str] = []
    pods = _pods(source, seconds, every, events)
    episodes = _episodes(source, trigger, seconds, events)
    if name == "memory":
        _fill(source, pods, episodes, seconds + LONGER)
    else:
        _serve(source, pods, episodes, seconds + LONGER)
    scrapes = _Scrapes(source, every, seconds + LONGER, events)
    series = [each for one in pods for each in scrapes.of(one, trigger)] + scrapes.live_pool()
    return History(seed, trigger, seconds, every, scrapes.pods, series, events)


def _pods(source: random.Random, seconds: int, every: int, events: list[str]) -> list[Pod]:
    pods = [Pod(number) for number in range(source.choice((1, 2, 2, 3)))]
    if len(pods) > 1 and source.random() < 0.15:
        pods[-1].begins = source.randrange(-LEAD + 5 * every, seconds - 10)
        events.append("a pod comes")
    elif len(pods) > 1 and source.random() < 0.1:
        pods[0].ends = source.randrange(0, seconds)
        events.append("a pod goes")
    if source.random() < 0.2:
        one = source.choice(pods)
        one.restarts = sorted(source.randrange(-20, seconds) for _each in range(source.choice((1, 1, 2))))
        events.append("restart")
    return pods


Episode = tuple[float, float, float]  # begin, end, and the share of requests that are counted (0 to 1)


def _episodes(source: random.Random, trigger: Gate, seconds: int, events: list[str]) -> list[Episode]:
    limit = 0.05 if trigger.quantile else trigger.limit / 100
    usual = source.choice((0.0, 0.0, 0.1, 0.3)) * limit
    found = [(-LEAD, seconds + LONGER, usual)]
    count = source.choices((0, 1, 2), (45, 45, 10))[0]
    for _each in range(count):
        begin = source.uniform(-5, seconds - 5)
        window = trigger.window or 0.0
        length = max(1.0, window * math.exp(source.uniform(math.log(0.02), math.log(8))))
        past = 0.02 if source.random() < 0.05 else 0.6
        share = min(1.0, limit * math.exp(source.uniform(past, 3.0)))
        found.append((begin, begin + length, share))
        events.append(f"{100 * share:.0f} % from {begin:.0f} to {begin + length:.0f}")
    return found


def _share(episodes: t.Sequence[Episode], second: int) -> float:
    return max(share for begin, end, share in episodes if begin <= second < end or begin == -LEAD)


def _serves(one: Pod, second: int) -> bool:
    return one.begins <= second < one.ends and not any(at <= second < at + 4 for at in one.restarts)


def _serve(source: random.Random, pods: list[Pod], episodes: t.Sequence[Episode], seconds: int) -> None:
    """Fill in requests."""
    rate = source.choice((4.0, 10.0, 20.0, 40.0))
    # What is bad about a version may be so in one of its pods only.
    only = source.choice(pods) if len(pods) == 2 and source.random() < 0.1 else None
    idle = source.random() < 0.2  # until the step gives the pool its traffic
    for second in range(-LEAD, seconds):
        serving = [one for one in pods if _serves(one, second)]
        for one in pods:
            requests = 0
            if one in serving and not (idle and second < 0):
                requests = int(rate / len(serving) + source.random())
            share = _share(episodes if only in (None, one) else episodes[:1], second)
            one.total.append(requests)
            one.counted.append(sum(source.random() < share for _each in range(requests)) if share else 0)


def _fill(source: random.Random, pods: list[Pod], episodes: t.Sequence[Episode], seconds: int) -> None:
    """Fill in memory. A pod that restarts begins anew, and does so for good."""
    fullest = source.choice(pods)
    for second in range(-LEAD, seconds):
        past = any(begin <= second < end for begin, end, _share in episodes[1:])
        for one in pods:
            full = past and one is fullest and not any(at <= second for at in one.restarts)
            level = source.uniform(91, 99) if full else source.uniform(30, 85)
            one.level.append(level if _serves(one, second) else 0.0)


class _Scrapes:
    """How Prometheus scrapes: all pods at the same distance, each at moments of its own."""

    def __init__(self, source: random.Random, every: int, seconds: int, events: list[str]) -> None:
        self._source = source
        self._every = every
        self._seconds = seconds
        self._jitter = source.choice((0.0, 0.01, 0.1)) * every
        self._missed = 0.05 if source.random() < 0.2 else 0.0
        self._zero = source.random() < 0.5  # whether counters of 0 are shown
        self._double = source.random() < 0.15
        self._skew = source.random() < 0.15
        self.pods: list[Scraped] = []
        self._away = self._gap(0.05)
        self._unscraped = self._gap(0.06)
        for event, happens in (
            ("missed scrapes", self._missed),
            ("double", self._double),
            ("skew", self._skew),
            (f"no scrapes from {self._away[0]:.0f} to {self._away[1]:.0f}", self._away[1] > 0),
            (f"a pod's not from {self._unscraped[0]:.0f} to {self._unscraped[1]:.0f}", self._unscraped[1] > 0),
        ):
            if happens:
                events.append(event)

    def _gap(self, probability: float) -> tuple[float, float]:
        if self._source.random() >= probability:
            return 0.0, 0.0
        begin = self._source.uniform(-20, self._seconds)
        return begin, begin + self._every * self._source.uniform(1, 12)

    def _times(self, unscraped: bool = False) -> tuple[list[float], list[float]]:
        """Return when a pod's scrapes are due, and which of them there are."""
        source, due, stored = self._source, [], []
        at = -LEAD + source.uniform(0, self._every)
        while at < self._seconds:
            moment = at + source.uniform(-self._jitter, self._jitter)
            away = [self._away, self._unscraped] if unscraped else [self._away]
            missed = source.random() < self._missed or any(begin <= moment < end for begin, end in away)
            if -LEAD <= moment < self._seconds:
                due.append(moment)
                stored += [] if missed else [moment]
            at += self._every
        return due, stored

    def of(self, one: Pod, trigger: Gate) -> list[Series]:
        """Return the series of a pod."""
        found, scraped = self._scraped(one, trigger, {"job": "a", "instance": f"10.0.0.{one.number}:9000"})
        if self._double:
            again, also = self._scraped(one, trigger, {"job": "b", "instance": f"10.0.0.{one.number}:9000"})
            found += again
            if one.level:
                # By what is stored, levels that differ are of two processes.
                self.pods.append(also)
            else:
                missing = [each for each in also.stored if _is_missing(each, scraped.stored, self._every)]
                scraped = replace(scraped, stored=sorted([*scraped.stored, *missing]))
        self.pods.append(scraped)
        return found

    def _scraped(self, one: Pod, trigger: Gate, labels: dict[str, str]) -> tuple[list[Series], Scraped]:
        labels = {**pod("green", one.number), **labels}
        skew = self._source.uniform(-2, 2) if self._skew else 0.0
        due, stored = (
            [Scrape(at, round(START + at + skew, 3) - START) for at in times if _serves(one, math.floor(at))]
            for times in self._times(one.number == 0)
        )
        return self._stored(one, trigger, labels, stored), Scraped(one, due, stored)

    def _stored(self, one: Pod, trigger: Gate, labels: dict[str, str], scrapes: t.Sequence[Scrape]) -> list[Series]:
        moments, stamps = [each.moment for each in scrapes], [round(START + each.stamp, 3) for each in scrapes]
        if one.level:
            levels = [one.level[LEAD + math.floor(at)] for at in moments]
            return [
                _series("container_memory_working_set_bytes", stamps, levels, labels | {"container": "mcp"}),
                _series(
                    "container_spec_memory_limit_bytes", stamps, [100.0] * len(stamps), labels | {"container": "mcp"}
                ),
            ]
        # The seconds that are over by the scrape, since the pod's last start.
        spans = [(self._started(one, at), LEAD + math.floor(at)) for at in moments]
        total, counted = ([0, *accumulate(column)] for column in (one.total, one.counted))
        all_requests = [float(total[end] - total[begin]) for begin, end in spans]
        bad = [float(counted[end] - counted[begin]) for begin, end in spans]
        if trigger.measure == "latency":
            good = [every - late for every, late in zip(all_requests, bad, strict=True)]
            name = "mcp_server_request_duration_seconds_bucket"
            return [
                _series(name, stamps, values, labels | {"le": bound})
                for bound, values in (("0.25", good), ("0.5", good), ("1", all_requests), ("+Inf", all_requests))
            ]
        if trigger.measure == "database":
            names = ("mcp_server_database_requests_total", "mcp_server_database_errors_total")
            return [
                _series(name, stamps, values, labels) for name, values in zip(names, (all_requests, bad), strict=True)
            ]
        good = [every - late for every, late in zip(all_requests, bad, strict=True)]
        return [
            _series("mcp_server_requests_total", stamps, values, labels | {"code": code}, self._zero)
            for code, values in (("200", good), ("500", bad))
        ]

    def _started(self, one: Pod, at: float) -> int:
        return LEAD + max(one.begins, *(restart for restart in one.restarts if restart <= at), -LEAD)

    def live_pool(self) -> list[Series]:
        """Return a series of the other pool, which is well."""
        _due, times = self._times()
        labels = {**pod("blue"), "job": "a", "instance": "10.0.0.9:9000"}
        stamps, values = [round(START + at, 3) for at in times], [1000 + 50 * (at + LEAD) for at in times]
        return [_series("mcp_server_requests_total", stamps, values, labels | {"code": "200"})]


def _is_missing(scrape: Scrape, among: t.Iterable[Scrape], every: float) -> bool:
    return all(abs(scrape.stamp - other.stamp) >= every for other in among)


def _series(
    name: str, stamps: t.Sequence[float], values: t.Sequence[float], labels: dict[str, str], zero: bool = True
) -> Series:
    samples = [(at, value) for at, value in zip(stamps, values, strict=True) if zero or value > 0]
    return Series({"__name__": name, **labels}, samples)


class Stored:
    """A Prometheus that has the series of a history, at a time of its own."""

    def __init__(self, series: t.Sequence[Series]) -> None:
        self.clock = 0.0
        self._series = [(each.labels, each.samples, [at for at, _value in each.samples]) for each in series]

    def now(self) -> float:
        return self.clock

    @property
    def known_now(self) -> float:
        return self.clock

    def samples(self, query: str, at: float) -> list[Series]:
        names = re.search(r'__name__=~"([^"]*)"', query)[1].split("|")
        seconds = int(query.rpartition("[")[2].removesuffix("s]"))
        found = []
        for labels, samples, stamps in self._series:
            if labels["__name__"] in names:
                first, last = bisect.bisect_right(stamps, at - seconds), bisect.bisect_right(stamps, at)
                if first < last:
                    found.append(Series(labels, samples[first:last]))
        return found

    def values(self, query: str, begin: float, end: float, step: float) -> list[Series]:
        raise NotImplementedError
