# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read how much the counter of requests has risen: in each pod, or in Prometheus."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import PoolSeries, names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import Rate
from ansible_collections.mcp.server.plugins.module_utils._gates.packs import Pack
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MARGIN, Metrics
from ansible_collections.mcp.server.plugins.module_utils._gates.series import USUAL, interval
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions
from ansible_collections.mcp.server.plugins.module_utils._validation.flow import Risen, rises
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

SCRAPES = 3  # that may pass until a sample is there
EXTRA = 5.0  # seconds more: Prometheus stores samples a little later
LONGEST = 180.0  # seconds to wait for a scrape
READ = 10.0  # seconds to read the pods once
SETTLED = 5.0  # seconds after which a pod has counted what it answered
MOST = 1e15  # a counter beyond that is none


class Counter(t.Protocol):
    """A counter of requests. Methods raise Failure."""

    name: str  # of the metric
    source: str  # for people

    def start(self) -> None:
        """Note its value before the requests."""

    def sent(self) -> None:
        """Note that the last request was answered."""

    def risen(self) -> Risen:
        """Return how much it has risen."""

    @property
    def patience(self) -> float:
        """Return how many seconds after the last request it may still rise."""


class InPods:
    """The counter that each pod exports, read through the API server."""

    source = "read in the pods"
    patience = SETTLED

    def __init__(
        self,
        cluster: Api,
        server: Server,
        pools: t.Sequence[str],
        metrics: dict[str, t.Any],
        option: dict[str, t.Any] | None,
    ) -> None:
        """metrics: the option. option: endpoint, for pods whose metrics are on the port of MCP."""
        self.name = metrics["counter"]
        self._metric = {"name": metrics["counter"], "port": metrics["port"], "path": metrics["path"]}
        self._cluster, self._server, self._pools, self._option = cluster, server, pools, option
        self._before: dict[str, float] = {}
        self._highest: dict[str, float] = {}
        self._is_steady = True

    def start(self) -> None:
        self._before = self._highest = self._read()

    def sent(self) -> None:
        """There is nothing to note."""

    def risen(self) -> Risen:
        now = self._read()
        by_pod = rises(self._before, now)
        # What a pod had counted that is gone, or was restarted, is not known. Workers of one pod that count apart, of
        # which a read finds any, go up and down, too.
        self._is_steady = self._is_steady and all(now.get(pod, -1.0) >= value for pod, value in self._highest.items())
        self._highest = {**self._highest, **now}
        return Risen(sum(by_pod.values()), by_pod, is_whole=self._is_steady)

    def _read(self) -> dict[str, float]:
        bound = Deadline(READ)
        pods = [
            (
                name_of(pod),
                open_sessions.metrics_of(self._cluster, self._server, pool, pod, self._metric, self._option),
            )
            for pool in self._pools
            for pod in targets.pods_of_pool(self._cluster, self._server, pool)
        ]
        values = targets.in_parallel(
            lambda pod: open_sessions.number(pod, self._metric, bound, MOST), [pod for _name, pod in pods]
        )
        return {name: value for (name, _pod), value in zip(pods, values, strict=True)}


class InPrometheus:
    """The counter of one metrics pack in Prometheus."""

    def __init__(
        self,
        prometheus: Metrics,
        server: Server,
        pools: t.Sequence[str],
        pack: Pack,
        ready: t.Callable[[str], t.Collection[str]] = lambda _pool: (),
    ) -> None:
        """pack: one that has_requests(). ready: the names of a pool's ready pods. It raises Failure."""
        measure = t.cast(Rate, pack.measures["requests"])
        self.name = measure.all.name
        self.source = "Prometheus"
        self._selector = measure.all
        self._pack = replace(pack, measures={"requests": measure})
        self._prometheus, self._server, self._pools, self._ready = prometheus, server, pools, ready
        self._begin = self._end = 0.0
        self._every = USUAL
        self._is_known = True

    @property
    def patience(self) -> float:
        # Where it has nothing of the server, waiting for more than one scrape is hardly of use.
        scrapes = SCRAPES if self._is_known else 1
        return min(scrapes * self._every + EXTRA, LONGEST)

    @property
    def names_pods(self) -> bool:
        """Return whether its series tell pods apart."""
        return self._pack.pod_label in self._pack.server

    def start(self) -> None:
        self._begin = self._end = self._prometheus.now()
        found = self._of_pools(self._begin)  # raises Failure where it does not answer, before requests are sent
        series = [each for pool in found.values() for each in pool.find(self._selector)]
        self._is_known = bool(series)
        # New pods are scraped as often as those of the other pool.
        self._every = interval(series)

    def sent(self) -> None:
        self._end = self._prometheus.now()

    def risen(self) -> Risen:
        now = self._prometheus.now()
        found = self._of_pools(now)
        by_pod: dict[str, float] = {}
        total, whole, there = 0.0, True, False
        for pool in self._pools:
            series = found[pool].find(self._selector)
            if not series:
                continue
            there = True
            self._every = interval(series)
            newest: dict[str, float] = {}
            for each in series:
                pod = each.labels.get(self._pack.pod_label, "") if self.names_pods else ""
                rise = sum(one.amount for one in found[pool].increases(each, self._every) if one.at > self._begin)
                total += rise
                by_pod[pod] = by_pod.get(pod, 0.0) + rise
                newest[pod] = max(newest.get(pod, 0.0), each.samples[-1][0])
            # A pod that is gone is scraped no more.
            living = [at for at in newest.values() if at > self._begin - SCRAPES * self._every]
            whole = whole and bool(living) and all(at > self._end for at in living)
            # Nor is the part of a pod known that Prometheus has not found yet.
            whole = whole and (not self.names_pods or set(self._ready(pool)) <= newest.keys())
        elsewhere = any(found[pool].find(self._selector) for pool in POOLS if pool not in self._pools)
        by_pod.pop("", None)
        return Risen(total, by_pod, is_whole=there and whole, is_there=there, is_elsewhere=elsewhere)

    def _of_pools(self, at: float) -> dict[str, PoolSeries]:
        names = {pool: names_of(self._server, pool) for pool in POOLS}
        back = at - self._begin + MARGIN
        series = self._prometheus.samples(self._pack.query(names[POOLS[0]], back), at)
        return {pool: self._pack.select(series, names[pool]) for pool in POOLS}


def ready(cluster: Api, server: Server, pool: str) -> list[str]:
    """Return the names of the pool's ready pods. Raise Failure."""
    return [name_of(pod) for pod in targets.pods_of_pool(cluster, server, pool)]


def has_requests(pack: Pack) -> bool:
    """Return whether a pack counts requests."""
    return isinstance(pack.measures.get("requests"), Rate)
