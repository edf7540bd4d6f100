# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The share by the gateway's own counters."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.packs import PACKS
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic import counters
from ansible_collections.mcp.server.plugins.module_utils._traffic.counters import Counted

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
SINCE = 1000.0
TIMES = (970.0, 980.0, 990.0, 1000.0, 1010.0, 1020.0, 1030.0)
# The labels of a pool's requests, as each gateway has them
LABELS: dict[str, t.Callable[[str], dict[str, str]]] = {
    "envoy": lambda pool: {"envoy_cluster_name": f"prod_mcp-{pool}_8080", "envoy_response_code": "200"},
    "istio": lambda pool: {
        "destination_workload_namespace": "prod",
        "destination_workload": f"mcp-{pool}",
        "reporter": "source",
        "response_code": "200",
    },
    "ingress_nginx": lambda pool: {
        "namespace": "prod",
        "ingress": "mcp",
        "canary": "prod-mcp-green-8080" if pool == "green" else "",
        "service": "mcp-blue",
        "status": "200",
    },
}
NAMES = {
    "envoy": "envoy_cluster_upstream_rq",
    "istio": "istio_requests_total",
    "ingress_nginx": "nginx_ingress_controller_requests",
}


def series(pool: str, values: t.Sequence[float | None], source: str = "envoy", **labels: str) -> Series:
    """A counter's values at TIMES; None where it is not there."""
    labels = {"__name__": NAMES[source], "instance": "gateway-1", **LABELS[source](pool), **labels}
    return Series(labels, [(at, value) for at, value in zip(TIMES, values, strict=True) if value is not None])


def counted(*found: Series, source: str = "envoy", since: float = SINCE) -> Counted:
    return counters.counted(PACKS[source], found, SERVER, since)


FLAT = (500, 600, 700, 800, 900, 1000, 1100)  # 100 requests between two scrapes


@pytest.mark.parametrize("source", counters.GATEWAYS)
def test_what_grew_between_scrapes_after_the_change_counts(source: str) -> None:
    green = (7, 7, 7, 7, 17, 27, 37)
    found = counted(series("blue", FLAT, source), series("green", green, source), source=source)
    assert found == Counted({"blue": 300.0, "green": 30.0}, True)
    assert found.total == 330 and found.percent("green") == 9.1 and found.percent("blue") == 90.9


@pytest.mark.parametrize(
    ("since", "blue", "scraped"),
    [
        (999.0, 300, True),
        (1000.9, 300, True),  # scrapes are not exactly as far apart
        (1001.5, 200, True),
        (1019.0, 100, True),
        (1021.5, 0, False),  # one scrape only
        (1031.5, 0, False),
    ],
)
def test_what_a_scrape_before_the_change_has_in_it_does_not_count(since: float, blue: int, scraped: bool) -> None:
    assert counted(series("blue", FLAT), since=since) == Counted({"blue": blue, "green": 0.0}, scraped)


def test_the_first_requests_of_a_pool_count() -> None:
    """Its series begins with them: it is counted from 0."""
    new = (None, None, None, None, 20, 40, 60)
    assert counted(series("blue", FLAT), series("green", new)).requests == {"blue": 300.0, "green": 60.0}


def test_a_pool_whose_series_begins_at_the_change_is_counted_with_the_other_one() -> None:
    """Or the share would be wrong by one scrape."""
    new = (None, None, None, 50, 70, 90, 110)
    assert counted(series("blue", FLAT), series("green", new)).requests == {"blue": 300.0, "green": 60.0}


def test_all_gateways_and_statuses_count() -> None:
    found = counted(
        series("blue", FLAT),
        series("blue", FLAT, instance="gateway-2"),
        series("blue", FLAT, envoy_response_code="503"),
        series("green", FLAT),
    )
    assert found.requests == {"blue": 900.0, "green": 300.0}


def test_other_servers_do_not_count() -> None:
    found = counted(series("blue", FLAT), series("green", FLAT, envoy_cluster_name="prod_other-green_8080"))
    assert found.requests == {"blue": 300.0, "green": 0.0}


def test_nothing_is_scraped() -> None:
    assert counted() == Counted({"blue": 0.0, "green": 0.0}, False)
    assert counted().percent("blue") is None and counted().total == 0


def of(blue: float, green: float, scraped: bool = True) -> Counted:
    return Counted({"blue": blue, "green": green}, scraped)


@pytest.mark.parametrize(
    ("found", "green", "follows"),
    [
        (of(90, 10), 10, True),
        (of(89, 10), 10, False),  # too few
        (of(90, 10, scraped=False), 10, False),
        (of(850, 150), 10, True),
        (of(840, 160), 10, False),
        (of(950, 50), 10, True),
        (of(960, 40), 10, False),
        (of(1000, 0), 3, False),  # none at all
        (of(0, 1000), 97, False),
        (of(1000, 0), 0, True),
        (of(951, 49), 0, True),  # requests that were open before
        (of(940, 60), 0, False),
        (of(0, 1000), 100, True),
        (of(60, 940), 100, False),
        (of(0, 0), 100, False),
    ],
)
def test_whether_the_traffic_follows(found: Counted, green: int, follows: bool) -> None:
    assert counters.follows(found, {"blue": 100 - green, "green": green}, 5.0) is follows


def test_the_tolerance_is_the_options() -> None:
    assert not counters.follows(of(880, 120), {"blue": 90, "green": 10}, 1.0)
    assert counters.follows(of(880, 120), {"blue": 90, "green": 10}, 2.0)


@pytest.mark.parametrize(
    ("found", "enough", "said"),
    [
        (of(90, 10), True, ""),
        (of(89, 10), False, "the gateway has counted 99 of the 100 requests that are needed"),
        (of(900, 100, scraped=False), False, "Prometheus has not scraped the gateway twice"),
    ],
)
def test_what_is_missing(found: Counted, enough: bool, said: str) -> None:
    assert counters.is_enough(found) is enough
    assert counters.waits_for(found) == said


@pytest.mark.parametrize(
    ("source", "gateways"),
    [
        (["app", "kubelet"], []),
        (["app", "envoy", "istio"], ["envoy", "istio"]),
        (["ingress_nginx"], ["ingress_nginx"]),
        (["otel"], []),
    ],
)
def test_which_sources_are_gateways(source: list[str], gateways: list[str]) -> None:
    option = {"url": "http://p", "source": source}
    assert counters.sources(option) == gateways
    assert counters.sources(None) == []


@pytest.mark.parametrize("params", [{}, {"prometheus": None}, {"prometheus": {"source": ["app"]}}])
def test_without_a_gateways_metrics_there_are_no_counters(params: dict[str, t.Any]) -> None:
    assert counters.connect(params, SERVER) is None


class Prometheus:
    """Scrapes a gateway every 10 s, whose blue answers 10 requests a second, and green 30."""

    def __init__(self) -> None:
        self.clock, self.asked = 1000.0, list[tuple[str, float]]()

    def now(self) -> float:
        return self.clock

    def samples(self, query: str, at: float) -> list[Series]:
        self.asked.append((query, at))
        times = [float(time) for time in range(800, int(at) + 1, 10)]
        return [
            Series(
                {"__name__": NAMES["envoy"], **LABELS["envoy"](pool)},
                [(time, rate * (time - 800)) for time in times],
            )
            for pool, rate in (("blue", 10), ("green", 30))
        ]


def test_counting_begins_with_the_first_look() -> None:
    prometheus = Prometheus()
    option = {"source": ["app", "envoy"], "labels": {}}
    reading = counters.Counters(t.cast(t.Any, prometheus), option, SERVER)
    assert reading.source == "envoy"
    assert not reading.read().scraped
    prometheus.clock = 1015.0
    assert not reading.read().scraped  # the scrape at 1000 was before the data plane followed
    prometheus.clock = 1035.0
    assert reading.read() == Counted({"blue": 200.0, "green": 600.0}, True)
    query, at = prometheus.asked[-1]
    assert at == 1035.0 and query.endswith(f"[{33 + 120}s]") and "envoy_cluster_upstream_rq" in query
