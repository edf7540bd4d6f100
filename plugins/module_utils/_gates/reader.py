# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the series of one server from Prometheus, bit by bit, and judge gates by them."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, options, packs
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import LONGEST
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    CANNOT_MEASURE,
    Gate,
    Period,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Measurement, names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import MemoryLimit, no_memory_limit
from ansible_collections.mcp.server.plugins.module_utils._gates.series import MISSED, USUAL, Series, Store
from ansible_collections.mcp.server.plugins.module_utils._server import Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

OVERLAP = 30.0  # seconds that are read again, as Prometheus may store a sample late
MARGIN = LONGEST + 2 * MISSED * USUAL  # seconds before a window, for the values at its beginning
STEP = 5.0  # seconds between values of a gate's own query


class Metrics(t.Protocol):
    """What is needed of Prometheus (prometheus.py), or of a recording of it. Methods raise Failure."""

    def now(self) -> float:
        """Return its time, in epoch seconds."""

    @property
    def known_now(self) -> float | None:
        """Return its time without a request; None if it was never read."""

    def samples(self, query: str, at: float) -> list[Series]:
        """Return the raw samples of a range selector that ends at this time."""

    def values(self, query: str, begin: float, end: float, step: float) -> list[Series]:
        """Return the values of a query from begin to end, one every step seconds."""


@dataclass
class _PackStore:
    """The samples of one pack that were read."""

    pack: packs.Pack
    store: Store
    read_until: float | None = None  # epoch seconds; None: nothing was read


class MetricsReader:
    """The series of a server, and the verdicts on one of its pools.

    One query reads all series of a pack, of both pools. So the verdicts of a poll are of one moment, and a poll costs
    one request a pack.
    """

    def __init__(
        self,
        prometheus: Metrics,
        server: Server,
        pool: str,
        option: dict[str, t.Any],
        back: float,
        memory_limit: MemoryLimit = no_memory_limit,
    ) -> None:
        """option: prometheus, of the options. back: seconds before now that gates judge. memory_limit: called once."""
        self.prometheus = prometheus
        self.pool = pool
        self._names = {pool: names_of(server, pool) for pool in (pool, other(pool))}
        self._packs = [_PackStore(pack, Store()) for pack in packs.chosen(option)]
        self._queried: dict[Gate, list[Series]] = {}
        self._back = back + MARGIN
        self._failure = ""
        self._memory_limit = functools.cache(memory_limit)
        # Of what was read latest. Several gates share a measurement, and one is judged more than once.
        self._pools: dict[str, evaluate.PackSeries] | None = None
        self._measurements: dict[t.Hashable, Measurement] = {}

    def queries(self, gates: t.Iterable[Gate]) -> list[str]:
        """Return the queries, in PromQL: one for each pack, one for each gate that has its own."""
        names = self._names[self.pool]
        of_packs = [each.pack.query(names, self._back) for each in self._packs]
        return of_packs + [options.custom_query(gate, names) for gate in gates if gate.query]

    def found(self, gates: t.Iterable[Gate]) -> list[str]:
        """Return how much each of the queries has given, as text."""
        results = [each.store.series() for each in self._packs]
        results += [self._queried.get(gate, []) for gate in gates if gate.query]
        return [f"{len(series)} series, {sum(len(each.samples) for each in series)} samples" for series in results]

    def read(self, gates: t.Iterable[Gate]) -> float:
        """Read what is new and return Prometheus' time. Raise Failure; verdicts are cannot_measure from then on."""
        self._pools = None
        self._measurements.clear()
        try:
            now = self.prometheus.now()
            for each in self._packs:
                self._read_pack(each, now)
            for gate in gates:
                if gate.query:
                    query = options.custom_query(gate, self._names[self.pool])
                    begin = now - (gate.window or 0) - MARGIN
                    self._queried[gate] = self.prometheus.values(query, begin, now, STEP)
        except Failure as failure:
            self._failure = failure.msg
            raise
        self._failure = ""
        return now

    def _read_pack(self, each: _PackStore, now: float) -> None:
        oldest = now - self._back
        # Its clock may have been put back.
        since = oldest if each.read_until is None else max(oldest, min(now, each.read_until) - OVERLAP)
        query = each.pack.query(self._names[self.pool], now - since)
        # A sample of the future is none of this poll: it would hide that the newest one is old.
        for one in self.prometheus.samples(query, now):
            each.store.add([Series(one.labels, [sample for sample in one.samples if sample[0] <= now])])
        each.store.forget(oldest)
        each.read_until = now

    def fail(self, reason: str) -> None:
        """Have verdicts be cannot_measure for this reason until Prometheus is read again."""
        self._failure = reason

    def judge(self, gates: t.Iterable[Gate], period: Period) -> list[Verdict]:
        """Return the verdicts on what was read."""
        if self._pools is None:
            read = [(each.pack, each.store.series()) for each in self._packs]
            self._pools = {
                pool: [(pack, pack.select(series, names)) for pack, series in read]
                for pool, names in self._names.items()
            }
        return [unless_lost(self._judge(gate, period, self._pools), self._failure) for gate in gates]

    def _judge(self, gate: Gate, period: Period, pools: dict[str, evaluate.PackSeries]) -> Verdict:
        if gate.query:
            found = evaluate.measure_query(gate, self._queried.get(gate, []), STEP)
            return evaluate.evaluate(gate, found, period)
        live = self._measure(gate, other(self.pool), pools) if gate.compare_with else None
        return evaluate.evaluate(gate, self._measure(gate, self.pool, pools), period, live)

    def _measure(self, gate: Gate, pool: str, pools: dict[str, evaluate.PackSeries]) -> Measurement:
        key = (pool, gate.measure, gate.compare_with, gate.limit if gate.quantile is not None else None)
        if key not in self._measurements:
            self._measurements[key] = evaluate.measure(gate, pools[pool], self._memory_limit)
        return self._measurements[key]


def unless_lost(verdict: Verdict, failure: str) -> Verdict:
    """Return the verdict, or cannot_measure if Prometheus is lost: what was read before can only show a breach.

    failure: how it was lost; empty if it was not.
    """
    if not failure or verdict.verdict == BREACH:
        return verdict
    return replace(verdict, verdict=CANNOT_MEASURE, reason=failure)
