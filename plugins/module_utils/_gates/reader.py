# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Samples of one server out of Prometheus, read bit by bit, and the verdicts on them."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, measurements, options, packs
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import LONGEST
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    CANNOT_MEASURE,
    Gate,
    Period,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus
from ansible_collections.mcp.server.plugins.module_utils._gates.series import MISSED, USUAL, Series, Store
from ansible_collections.mcp.server.plugins.module_utils._server import Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

OVERLAP = 30.0  # seconds that are read again: a sample may be stored late
MARGIN = LONGEST + 2 * MISSED * USUAL  # seconds before a window, for the values at its beginning
STEP = 5.0  # seconds between values of a query of the user's own


@dataclass
class _Pack:
    pack: packs.Pack
    store: Store
    read: float | None = None  # until when


class MetricsReader:
    """The series of a server, and of one pool's gates the verdicts on them.

    One query a pack, for all of its series and both pools: so the verdicts of a
    moment are of one moment, and a poll costs as many requests as there are packs.
    back: seconds before now that are kept. memory_limit: bytes of a pod, where Prometheus does not tell; asked once.
    """

    def __init__(
        self,
        prometheus: Prometheus,
        server: Server,
        pool: str,
        option: dict[str, t.Any],
        back: float,
        memory_limit: t.Callable[[], float | None] = lambda: None,
    ) -> None:
        self.prometheus = prometheus
        self.pool = pool
        self._names = {pool: measurements.names_of(server, pool) for pool in (pool, other(pool))}
        self._packs = [_Pack(packs.renamed(packs.PACKS[name], option["labels"]), Store()) for name in option["source"]]
        self._own: dict[str, list[Series]] = {}
        self._back = back + MARGIN
        self._failure = ""
        self._pools: dict[str, evaluate.Readings] | None = None  # of what was read
        self._measured: dict[
            t.Hashable, measurements.Measured
        ] = {}  # of that, as several gates are made of the same, and one is judged more than once
        self._memory_limit = functools.cache(memory_limit)

    def queries(self, gates: t.Iterable[Gate]) -> list[str]:
        """What Prometheus is asked, in PromQL."""
        asked = [measurements.query(each.pack, self._names[self.pool], self._back) for each in self._packs]
        return asked + [options.custom_query(gate, self._names[self.pool]) for gate in gates if gate.query]

    def found(self, gates: t.Iterable[Gate]) -> list[str]:
        """What each of the queries gave so far, for people."""
        answers = [each.store.series() for each in self._packs]
        answers += [self._own.get(gate, []) for gate in gates if gate.query]
        return [f"{len(series)} series, {sum(len(each.samples) for each in series)} samples" for series in answers]

    def read(self, gates: t.Iterable[Gate]) -> float:
        """Reads what is new, and gives Prometheus' time. Raises Failure, which the verdicts tell from then on until it succeeds."""
        self._pools = None
        self._measured.clear()
        try:
            now = self.prometheus.now()
            for each in self._packs:
                since = now - self._back if each.read is None else max(now - self._back, each.read - OVERLAP)
                each.store.add(
                    self.prometheus.samples(measurements.query(each.pack, self._names[self.pool], now - since), now)
                )
                each.store.forget(now - self._back)
                each.read = now
            for gate in gates:
                if gate.query:
                    begin = now - (gate.window or 0) - MARGIN
                    self._own[gate] = self.prometheus.values(
                        options.custom_query(gate, self._names[self.pool]), begin, now, STEP
                    )
        except Failure as failure:
            self._failure = failure.msg
            raise
        self._failure = ""
        return now

    def fail(self, why: str) -> None:
        """What the verdicts tell until the next time that it can be read."""
        self._failure = why

    def judge(self, gates: t.Iterable[Gate], period: Period) -> list[Verdict]:
        """The verdicts on what was read."""
        if self._pools is None:
            read = [(each.pack, each.store.series()) for each in self._packs]
            self._pools = {
                pool: [measurements.Reading(pack, series, names) for pack, series in read]
                for pool, names in self._names.items()
            }
        return [self._told(self._judge(gate, period, self._pools)) for gate in gates]

    def _judge(self, gate: Gate, period: Period, pools: dict[str, evaluate.Readings]) -> Verdict:
        if gate.query:
            return evaluate.evaluate(gate, evaluate.evaluate_custom_query(gate, self._own.get(gate, []), STEP), period)
        limit = self._memory_limit() if gate.measure == "memory" else None

        def measured(pool: str) -> measurements.Measured:
            key = (pool, gate.measure, gate.versus, gate.limit if gate.quantile is not None else None)
            if key not in self._measured:
                self._measured[key] = evaluate.measured(gate, pools[pool], limit)
            return self._measured[key]

        return evaluate.evaluate(gate, measured(self.pool), period, measured(other(self.pool)) if gate.versus else None)

    def _told(self, verdict: Verdict) -> Verdict:
        """What was read before Prometheus was lost may be enough for a breach, but not for more."""
        if not self._failure or verdict.verdict == BREACH:
            return verdict
        return replace(verdict, verdict=CANNOT_MEASURE, reason=self._failure)
