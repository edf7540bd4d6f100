# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.packs import PACKS
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._validation.counting import InPods, InPrometheus, has_requests
from ansible_collections.mcp.server.plugins.module_utils._validation.flow import Risen

SENT = 1000.0  # when the requests begin and end
BEFORE = [970.0, 980.0, 990.0]


def server() -> Server:
    return Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")


class Metrics:
    """A Prometheus that has these samples: of each pod, by time."""

    def __init__(self, samples: t.Mapping[str, t.Mapping[float, float]]) -> None:
        self.known_now = SENT
        self._samples = samples

    def now(self) -> float:
        return self.known_now

    def samples(self, query: str, at: float) -> list[Series]:
        name = "mcp_server_requests_total"
        assert name in query and "duration" not in query
        found = {
            pod: [(time, value) for time, value in sorted(values.items()) if time <= at]
            for pod, values in self._samples.items()
        }
        return [
            Series({"__name__": name, "namespace": "prod", "pod": pod, "code": "200"}, values)
            for pod, values in found.items()
            if values
        ]

    def values(self, query: str, begin: float, end: float, step: float) -> list[Series]:
        raise NotImplementedError


def flat(value: float, times: t.Iterable[float] = (970.0, 980.0, 990.0)) -> dict[float, float]:
    return dict.fromkeys(times, value)


GREEN_1, GREEN_2, BLUE = "mcp-green-abc-11111", "mcp-green-abc-22222", "mcp-blue-abc-33333"


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        # It rises in both.
        ({GREEN_1: {**flat(5), 1001.0: 15, 1011.0: 16}, GREEN_2: {**flat(7), 1002.0: 17}}, (21, True, True, False)),
        # One was not scraped since.
        ({GREEN_1: {**flat(5), 1001.0: 15}, GREEN_2: flat(7)}, (10, False, True, False)),
        # It restarted.
        ({GREEN_1: {**flat(500), 1001.0: 12}}, (12, True, True, False)),
        # It stays.
        ({GREEN_1: {**flat(5), 1001.0: 5, 1011.0: 5}}, (0, True, True, False)),
        # Pods that are gone are not waited for.
        ({GREEN_1: {**flat(5), 1001.0: 25}, GREEN_2: flat(7, [900.0, 910.0, 920.0])}, (20, True, True, False)),
        # The other pool has it, and this one does not.
        ({BLUE: {**flat(5), 1001.0: 5}}, (0, False, False, True)),
        ({}, (0, False, False, False)),
        # What came before does not count.
        ({GREEN_1: {970.0: 5, 980.0: 50, 990.0: 90, 1001.0: 91}}, (1, True, True, False)),
    ],
)
def test_what_prometheus_tells(samples: dict[str, dict[float, float]], found: tuple[float, bool, bool, bool]) -> None:
    metrics = Metrics(samples)
    counter = InPrometheus(metrics, server(), ["green"], PACKS["app"])
    counter.start()
    counter.sent()
    metrics.known_now = 1012.0
    risen = counter.risen()
    assert (risen.total, risen.is_whole, risen.is_there, risen.is_elsewhere) == found
    assert isinstance(risen, Risen) and counter.name == "mcp_server_requests_total"
    if found[0] == 21:
        assert risen.by_pod == {GREEN_1: 11, GREEN_2: 10}
        assert counter.patience == 35  # three scrapes, and a little


def test_a_prometheus_without_the_server_is_not_waited_for_long() -> None:
    counter = InPrometheus(Metrics({}), server(), ["green"], PACKS["app"])
    counter.start()
    assert counter.patience == 20


def test_which_packs_count_requests() -> None:
    assert {name for name, pack in PACKS.items() if has_requests(pack)} == set(PACKS) - {"kubelet"}


def test_a_pod_that_prometheus_has_not_found_yet() -> None:
    """What it has counted is not known."""
    metrics = Metrics({GREEN_1: {**flat(5), 1001.0: 15}})
    for ready, whole in (([GREEN_1], True), ([GREEN_1, GREEN_2], False)):
        metrics.known_now = SENT
        counter = InPrometheus(metrics, server(), ["green"], PACKS["app"], lambda _pool, ready=ready: ready)
        counter.start()
        counter.sent()
        metrics.known_now = 1012.0
        assert counter.risen().is_whole == whole


@pytest.mark.parametrize(
    ("reads", "whole"),
    [
        ([{"a": 5.0}, {"a": 6.0}, {"a": 9.0}], True),
        ([{"a": 5.0, "b": 5.0}, {"a": 9.0}], False),  # it has gone
        ([{"a": 500.0}, {"a": 3.0}], False),  # it was restarted
        ([{"a": 5.0}, {"a": 9.0}, {"a": 6.0}], False),  # workers that count apart
        ([{"a": 5.0}, {"a": 9.0, "b": 2.0}], True),  # it has come
    ],
)
def test_what_pods_tell_is_whole(monkeypatch: pytest.MonkeyPatch, reads: list[dict[str, float]], whole: bool) -> None:
    left = iter(reads)
    monkeypatch.setattr(InPods, "_read", lambda _counter: next(left))
    metrics = {"counter": "c", "port": 9090, "path": "/metrics"}
    counter = InPods(t.cast(t.Any, None), server(), ["green"], metrics, None)
    counter.start()
    for _read in reads[1:]:
        risen = counter.risen()
    assert risen.is_whole == whole


def test_new_pods_are_waited_for_as_long_as_the_other_pools_scrapes_take() -> None:
    counter = InPrometheus(Metrics({BLUE: flat(5, [820.0, 880.0, 940.0])}), server(), ["green"], PACKS["app"])
    counter.start()
    assert counter.patience == 180  # three scrapes, and no more than that
