# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Series whose labels say who scraped them, or change on the way: each request counts once, and none twice."""

from __future__ import annotations

import random

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import packs
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Selector, names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import VALIDATION
from ansible_collections.mcp.server.tests.unit.fakes.metrics import (
    EVERY,
    REQUESTS,
    SERVER,
    START,
    answers,
    counter,
    growing,
    pod,
)
from ansible_collections.mcp.server.tests.unit.fakes.stored_samples import Stored

ERRORS = Gate("errors", "errors", 5.0, window=60)
STEP = Gate("errors", "errors", 1.0)
(THROUGHPUT,) = (gate for gate in VALIDATION if gate.name == "throughput")
SCRAPES = 30


def labelled(series, shift=0.0, **labels):
    """Return the series as another scraper has them, which scrapes so many seconds later."""
    return [
        Series(
            {key: value for key, value in {**each.labels, **labels}.items() if value is not None},
            [(at + shift, value) for at, value in each.samples],
        )
        for each in series
    ]


def verdict(gate, series, source="app", begin=START, **option):
    now = max(each.samples[-1][0] for each in series)
    reader = MetricsReader(Stored(series, now), SERVER, "green", {"source": [source], "labels": {}, **option}, 600.0)
    reader.read([])
    return reader.judge([gate], Period(begin, now, 0.0, since=begin))[0]


# What a second scraper's series have in place of {job: pods, instance: 10.0.0.7:8080}, and how much later it scrapes
SCRAPERS = {
    "another job": (2.0, {"job": "annotated"}),
    "at the same moment": (0.0, {"job": "annotated"}),
    "another port": (1.3, {"job": "annotated", "instance": "10.0.0.7:9090"}),
    "by a Service's name": (1.3, {"job": "svc", "instance": "mcp-green.prod.svc:8080", "service": "mcp-green"}),
    "a headless Service": (0.7, {"service": "mcp-green-headless"}),
    "for another container": (3.1, {"container": "proxy"}),
    "a monitor of the operator": (4.0, {"job": "prod/mcp", "endpoint": "metrics", "container": "mcp"}),
    "a replica": (2.2, {"prometheus_replica": "prometheus-1"}),
    "a replica of Thanos' receivers": (2.2, {"receive_replica": "1"}),
    "another server": (0.2, {"prometheus": "monitoring/b", "replica": "b"}),
}


@pytest.mark.parametrize("scraper", SCRAPERS)
def test_a_pod_that_is_scraped_twice(scraper):
    shift, labels = SCRAPERS[scraper]
    once = labelled(answers([590 * EVERY] * SCRAPES, [10 * EVERY] * SCRAPES), job="pods", instance="10.0.0.7:8080")
    twice = [*once, *labelled(once, shift, **labels)]
    assert verdict(THROUGHPUT, once).value == pytest.approx(600)
    found = verdict(THROUGHPUT, twice)
    assert (found.verdict, found.value) == ("breach", pytest.approx(600))
    # More requests would make it more certain.
    assert verdict(STEP, twice).requests == verdict(STEP, once).requests


def test_a_scraper_whose_label_nobody_knows():
    once = labelled(answers([590 * EVERY] * SCRAPES, [10 * EVERY] * SCRAPES), source="kubelet_pods")
    twice = [*once, *labelled(once, 1.0, source="services")]
    assert verdict(THROUGHPUT, twice).value == pytest.approx(1200, rel=0.01)
    assert verdict(THROUGHPUT, twice, replica_labels=["source"]).value == pytest.approx(600)


def test_a_replica_that_begins_later():
    """Its series are new, and the errors in them are of yesterday."""
    once = answers([100] * SCRAPES, [0] * SCRAPES)
    later = [Series(each.labels, each.samples[SCRAPES // 2 :]) for each in labelled(once, 2.0, replica="b")]
    found = verdict(ERRORS, [*labelled(once, replica="a"), *later])
    assert (found.verdict, found.value, found.since) == ("pass", 0, None)


@pytest.mark.parametrize("seed", range(40))
def test_twice_is_the_same_as_once(seed):
    """Whatever the counters do, and whatever the second scraper misses, sees late, or is the only one to see."""
    draw = random.Random(seed)
    restart = draw.randrange(5, 25)
    good, bad = (
        [growing(*(draw.randrange(most) for _scrape in range(SCRAPES)), first=draw.choice([0, 1000])) for most in pair]
        for pair in ((200, 200), (draw.choice([1, 20, 60]), 10))
    )
    once = []
    for number in (0, 1):
        for code, values in (("200", good[number]), ("500", bad[number])):
            if seed % 2:
                values = [value if at < restart else value - values[restart] for at, value in enumerate(values)]
            once.append(counter(REQUESTS, values, START, code=code, **pod("green", number)))
    second = [
        Series(each.labels, [sample for sample in each.samples if draw.random() < 0.8] or each.samples)
        for each in labelled(once, job="second")
    ]
    alone = verdict(ERRORS, once)
    both = verdict(ERRORS, [*once, *second])
    assert (both.verdict, both.value, both.since, both.requests) == (
        alone.verdict,
        alone.value,
        alone.since,
        alone.requests,
    )


def test_two_processes_in_a_pod_both_count():
    """Each has counters and a port of its own."""
    one = labelled(answers([300 * EVERY] * SCRAPES, [0] * SCRAPES), instance="10.0.0.7:8001")
    other = labelled(answers([400 * EVERY] * SCRAPES, [0] * SCRAPES), instance="10.0.0.7:8002")
    assert verdict(THROUGHPUT, [*one, *other]).value == pytest.approx(700)


def test_each_gateway_counts():
    """Two Envoys have the same cluster. One of them is scraped twice."""
    labels = {"envoy_cluster_name": "prod_mcp-green_8080", "envoy_response_code": "200"}
    by_instance = [
        counter("envoy_cluster_upstream_rq", growing(*[100] * SCRAPES), instance=instance, **labels)
        for instance in ("10.0.0.8:8002", "10.0.0.9:8002")
    ]
    assert verdict(STEP, by_instance, "envoy").requests == 200 * SCRAPES
    by_pod = [*labelled(by_instance[:1], pod="envoy-1"), *labelled(by_instance[1:], pod="envoy-2")]
    doubled = labelled(by_pod[:1], 2.0, instance="10.0.0.8:15090", job="stats")
    assert verdict(STEP, [*by_pod, *doubled], "envoy").requests == 200 * SCRAPES


# What a relabelling makes of a pod's labels from the 15th scrape on
CHANGES = {
    "a label comes": ({}, {"app_kubernetes_io_version": "v1.2.0"}),
    "two come": ({}, {"team": "a", "role": "canary"}),
    "one goes": ({"team": "a"}, {"team": None}),
    "one changes": ({"role": "canary"}, {"role": "stable"}),
    "the job is renamed": ({"job": "pods"}, {"job": "mcp"}),
    "a replica is": ({"replica": "a"}, {"replica": "b"}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("errors", [0, 20])
def test_a_pod_whose_labels_change(change, errors):
    """1000 errors of yesterday are in both series. They are none of today, and those of today count."""
    before, after = CHANGES[change]
    series = labelled(answers([100] * SCRAPES, [errors] * SCRAPES), **before)
    old = [Series(each.labels, each.samples[:15]) for each in series]
    new = [Series(each.labels, each.samples[15:]) for each in labelled(series, **after)]
    blue = answers([100] * SCRAPES, [0] * SCRAPES, pool="blue")
    found = verdict(ERRORS, [*old, *new, *blue])
    assert found.value == pytest.approx(100 * errors / (100 + errors))
    assert found.verdict == ("breach" if errors else "pass")
    step = verdict(STEP, [*old, *new, *blue])
    assert step.requests in {(100 + errors) * scrapes for scrapes in (SCRAPES, SCRAPES - 1)}


def test_errors_that_begin_with_a_restart_count():
    """The pod that restarts answers with errors only: no series of it goes on."""
    good = counter(REQUESTS, growing(*[100] * 10), START, code="200", **pod("green"))
    bad = counter(REQUESTS, growing(*[50] * 9, first=50), START + 11 * EVERY, code="500", **pod("green"))
    assert verdict(STEP, [good, bad]).requests == 1000 + 500


@pytest.mark.parametrize(("before", "after"), [("1", "1.0"), ("1.0", "1"), ("1", "1e0")])
def test_a_prometheus_that_writes_bounds_anew(before, after):
    """Version 3 writes 1.0 for 1. The bucket's old requests are no new ones."""
    name = "mcp_server_request_duration_seconds_bucket"
    bounds = (("0.5", "0.5", 90), (before, after, 100), ("+Inf", "+Inf", 100))
    series = []
    for old, new, amount in bounds:
        values = growing(*[amount] * SCRAPES, first=100 * amount)
        if old == new:
            series.append(counter(name, values, le=old, **pod("green")))
        else:
            series.append(counter(name, values[:15], le=old, **pod("green")))
            series.append(counter(name, values[15:], START + 15 * EVERY, le=new, **pod("green")))
    gate = Gate("latency", "latency", 0.75, unit="s", quantile=0.95, window=60)
    found = verdict(gate, series)
    assert (found.verdict, found.requests) == ("pass", 100)


def test_a_violation_goes_on_while_bounds_are_written_anew():
    """The old requests of a bucket, taken for new ones, would hide that others are slow."""
    name = "mcp_server_request_duration_seconds_bucket"
    values = growing(*[80] * SCRAPES, first=8000)
    series = [
        counter(name, values, le="0.5", **pod("green")),
        counter(name, values[:15], le="1", **pod("green")),
        counter(name, values[15:], START + 15 * EVERY, le="1.0", **pod("green")),
        counter(name, growing(*[100] * SCRAPES, first=10000), le="+Inf", **pod("green")),
    ]
    found = verdict(Gate("latency", "latency", 0.75, unit="s", quantile=0.95, window=100), series)
    assert (found.verdict, found.since) == ("breach", START + EVERY)


@pytest.mark.parametrize(("errors", "value"), [(0, 0), (1, 100 / 101), (20, 100 * 20 / 120)])
def test_two_servers_behind_one_address(errors, value):
    """Polls are answered by either, so that their samples mix; the second one scrapes 0.1 s later, and sees less."""
    series = [
        Series(each.labels, sorted(s for at, count in each.samples for s in ((at, count), (at + 0.1, count - 1))))
        for each in answers([100] * SCRAPES, [errors] * SCRAPES)
    ]
    found = verdict(ERRORS, series)
    assert found.value == pytest.approx(value)
    assert found.verdict == ("breach" if errors == 20 else "pass")


@pytest.mark.parametrize("bound", ["", "many", "NaN", "-Inf", None])
def test_a_bucket_without_a_bound(bound):
    name = "mcp_server_request_duration_seconds_bucket"
    series = [
        counter(name, growing(*[amount] * SCRAPES), **({} if le is None else {"le": le}), **pod("green"))
        for le, amount in (("0.5", 100), ("+Inf", 100), (bound, 7))
    ]
    gate = Gate("latency", "latency", 0.5, unit="s", quantile=0.95, window=60)
    assert verdict(gate, series).verdict == "pass"
    assert verdict(gate, series[2:]).verdict == "cannot_measure"


def test_labels_of_answers_that_are_called_otherwise():
    series = labelled(answers([90] * SCRAPES, [10] * SCRAPES), code=None, pod=None)
    for each, status in zip(series, ("200", "500"), strict=True):
        each.labels.update({"http.status": status, "k8s.pod.name": pod("green")["pod"]})
    found = verdict(STEP, series, labels={"code": "http.status", "pod": "k8s.pod.name"})
    assert (found.value, found.requests) == (10.0, 100 * SCRAPES)


def test_series_without_a_name():
    found = packs.PACKS["app"].select([Series(pod("green"), [(START, 1.0)])], names_of(SERVER, "green"))
    assert found.find(Selector(REQUESTS)) == []
