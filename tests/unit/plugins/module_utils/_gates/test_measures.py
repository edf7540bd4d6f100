# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import packs
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import (
    Level,
    Measurement,
    PoolSeries,
    Selector,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import (
    Histogram,
    Measure,
    MemoryLimit,
    Rate,
    Ratio,
    Utilization,
    histogram_quantile,
    no_memory_limit,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.tests.unit.fakes.metrics import EVERY, SERVER, START, counter, pod
from ansible_collections.mcp.server.tests.unit.fakes.stored_samples import Stored


class OpenFiles(Measure):
    """A kind of measure that the collection does not have."""

    def metrics(self) -> list[str]:
        return ["process_open_fds"]

    def evaluate(self, pool: PoolSeries, gate: Gate, memory_limit: MemoryLimit = no_memory_limit) -> Measurement:
        (series,) = pool.find(Selector("process_open_fds"))
        levels = [Level(at, value, at, at) for at, value in series.samples]
        return Measurement(EVERY, levels=levels, newest=series.samples[-1][0])


@pytest.mark.parametrize(("values", "expected"), [([900.0] * 20, "breach"), ([100.0] * 20, "pass")])
def test_a_trigger_on_a_new_measure_is_a_class_and_a_row(monkeypatch, values, expected):
    pack = packs.Pack(packs.PODS, (packs.POD_OF_POOL,), {"open_files": OpenFiles()})
    monkeypatch.setitem(packs.PACKS, "process", pack)
    series = [
        counter("process_open_fds", values, **pod("green")),
        counter("process_open_fds", [5000.0] * 20, **pod("blue")),
    ]
    now = START + 19 * EVERY
    reader = MetricsReader(Stored(series, now), SERVER, "green", {"source": ["process"], "labels": {}}, 60.0)
    reader.read([])
    gate = Gate("open_files", "open_files", 500.0, unit="files", window=60)
    (verdict,) = reader.judge([gate], Period(now, now))
    assert (verdict.verdict, verdict.value) == (expected, values[0])


@pytest.mark.parametrize(
    ("measure", "names"),
    [
        (Ratio(Selector("requests"), Selector("errors")), ["requests", "errors"]),
        (Rate(Selector("requests")), ["requests"]),
        (Histogram("duration"), ["duration_bucket", "duration_count", "duration_sum"]),
        (Utilization(Selector("used"), (Selector("one"), Selector("other"))), ["used", "one", "other"]),
    ],
)
def test_metrics(measure, names):
    assert measure.metrics() == names


@pytest.mark.parametrize("measure", [measure for pack in packs.PACKS.values() for measure in pack.measures.values()])
def test_a_measure_without_series_says_which_metric_is_missing(measure):
    pack = packs.PACKS["app"]
    found = measure.evaluate(pack.select([], {}), Gate("any", "any", 1.0))
    assert found.newest is None and any(name in found.missing for name in measure.metrics())


COUNTS = {0.1: 50.0, 0.5: 90.0, math.inf: 100.0}


@pytest.mark.parametrize(
    ("counts", "quantile", "value"),
    [
        (COUNTS, 0.25, 0.05),
        (COUNTS, 0.5, 0.1),
        (COUNTS, 0.7, 0.3),
        # Above the largest bound, as in PromQL.
        (COUNTS, 0.95, 0.5),
        ({0.1: 0.0, math.inf: 0.0}, 0.95, None),
    ],
)
def test_histogram_quantile(counts, quantile, value):
    assert histogram_quantile(counts, quantile) == (None if value is None else pytest.approx(value))
