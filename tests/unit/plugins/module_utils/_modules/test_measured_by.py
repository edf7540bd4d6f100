# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By what a share is measured, in shifts and emergencies: on a fake API server, with answers that name their pool or
do not.
"""

from __future__ import annotations

import itertools
import time
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import counters, naming, server_infos, share, unnamed
from ansible_collections.mcp.server.plugins.module_utils._traffic import shift as shift_module
from ansible_collections.mcp.server.plugins.module_utils._traffic.counters import Counted
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import pool_header
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._modules.test_single_shift import (
    DEFAULTS,
    ROUTE,
    FakeCluster,
    begin,
)

INFOS = {("mcp", "1"): "blue", ("mcp", "2"): "green"}
PUBLIC = {"url": "https://mcp.example"}


@dataclass(frozen=True)
class Public:
    """The endpoint."""

    health_path: str | None = None
    server_infos: dict[tuple[str, str], str] = field(default_factory=dict)
    name: str = "https://mcp.example"


class Clients:
    """What requests through the gateway get, by the weights and the header of the route."""

    def __init__(self, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cluster, self.turn = cluster, itertools.count()
        self.ignores_header = False  # the gateway does
        self.document_names = False
        self.says_info = False
        self.trouble = ""  # why answers fail; the gateway's own have no header
        self.slow = ""
        self.public = Public()
        self.samples = 0
        self.streamed = 0
        monkeypatch.setattr(single_shift.asking, "endpoint_of", lambda params: self.public)
        monkeypatch.setattr(share, "sample", self._sample)
        monkeypatch.setattr(share, "answer_stream", self._stream)
        monkeypatch.setattr(share, "slow_note", lambda endpoint: self.slow)
        monkeypatch.setattr(share, "rate", lambda endpoint: 1.0 if self.slow else 200.0)

    def _answer(self, endpoint: Public) -> Answer:
        backends = self.cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
        number = next(self.turn)
        backend = backends[0 if number * 37 % 100 < backends[0]["weight"] else 1]
        its = backend["name"].rpartition("-")[2]
        pool, named_by = None, ""
        if self.trouble:
            # As if they came slowly: failures are judged over seconds.
            return Answer(time.monotonic() + number / 20, number % 2 == 0, None, reason=self.trouble)
        if backend.get("filters") and not self.ignores_header:
            pool, named_by = its, "header"
        elif self.document_names:
            pool, named_by = its, "health"
        elif self.says_info and endpoint.server_infos:
            pool, named_by = its, "server_info"
        return Answer(time.monotonic(), number % 2 == 0, pool, elsewhere=pool is None, named_by=named_by)

    def _sample(self, endpoint: Public, count: int) -> list[Answer]:
        self.samples += count
        return [self._answer(endpoint) for _number in range(count)]

    @contextmanager
    def _stream(self, endpoint: Public, bound: Deadline, **_more: t.Any) -> t.Iterator[t.Iterator[Answer]]:
        def answers() -> t.Iterator[Answer]:
            while bound.left:
                self.streamed += 1
                yield self._answer(endpoint)
                time.sleep(0.001)

        yield answers()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster()
    monkeypatch.setattr(single_shift.connection, "connect", lambda params: fake)
    return fake


@pytest.fixture
def clients(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Clients:
    return Clients(cluster, monkeypatch)


def with_header(cluster: FakeCluster, *pools: str) -> None:
    backends = cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
    for pool, backend in zip(POOLS, backends, strict=True):
        value = {"blue": "blue", "green": "green"}[pool]
        modifier = {"set": [{"name": "X-MCP-Pool", "value": value}]}
        if pool in (pools or POOLS):
            backend["filters"] = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": modifier}]


def call(lines: list[str] | None = None, **params: t.Any) -> dict[str, t.Any]:
    warnings: list[str] = []
    task = Task(
        {**DEFAULTS, "endpoint": PUBLIC, "prometheus": None, **params},
        warn=warnings.append,
        progress=(lines if lines is not None else []).append,
        check_mode=params.pop("check_mode", False),
    )
    return {**single_shift.run(task), "warnings": warnings}


def test_the_header_of_the_route_is_measured_by(cluster: FakeCluster, clients: Clients) -> None:
    with_header(cluster)
    begin()
    lines: list[str] = []
    result = call(lines, pool="green", weight=10)
    assert result["share"]["measured_by"] == "header" and result["share"]["reached"] and not result["warnings"]
    assert lines[-1].startswith("green 10 %: measured 1") and lines[-1].endswith(
        " % of 144 answers, by header X-MCP-Pool"
    )
    assert clients.samples == 1  # one answer tells
    (step,) = cluster.record[0]["steps"]
    assert step["share"]["measured_by"] == "header" and step["verdict"] == "followed"


def test_the_health_document_is_measured_by_where_the_route_sets_nothing(
    cluster: FakeCluster, clients: Clients
) -> None:
    clients.document_names = True
    lines: list[str] = []
    assert call(lines, pool="green", weight=100)["share"]["measured_by"] == "health"
    assert lines[-1] == "green 100 %: measured 100.0 % of 40 answers, by pool in the health document"


def test_server_info_is_measured_by_where_it_differs(
    cluster: FakeCluster, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.says_info = True
    monkeypatch.setattr(server_infos, "differing", lambda *_given: INFOS)
    result = call(pool="green", weight=50)
    assert result["share"]["measured_by"] == "server_info" and result["share"]["reached"]


@pytest.mark.parametrize(("says_info", "infos"), [(False, INFOS), (True, {})])
def test_nothing_is_written_where_nothing_tells(
    cluster: FakeCluster,
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    says_info: bool,
    infos: dict[tuple[str, str], str],
) -> None:
    clients.says_info = says_info
    monkeypatch.setattr(server_infos, "differing", lambda *_given: infos)
    with pytest.raises(Failure) as raised:
        call(pool="green", weight=10)
    assert raised.value.msg.startswith("Traffic of prod/mcp is not shifted. Nothing tells which pool of prod/mcp")
    assert "in HTTPRoute prod/mcp, add in every rule" in raised.value.msg and "value: green" in raised.value.msg
    assert cluster.weights == (100, 0) and raised.value.evidence["changed"] is False
    assert clients.streamed == 0


def test_a_gateway_that_ignores_the_header_is_told(cluster: FakeCluster, clients: Clients) -> None:
    with_header(cluster)
    clients.ignores_header = True
    with pytest.raises(Failure, match="HTTPRoute prod/mcp sets X-MCP-Pool .* but answers do not have it"):
        call(pool="green", weight=10)
    assert cluster.weights == (100, 0) and clients.samples == naming.LOOKED


def test_few_answers_are_looked_at_where_each_opens_a_session(cluster: FakeCluster, clients: Clients) -> None:
    clients.slow = "the server keeps sessions: 1 new session a second"
    with pytest.raises(Failure, match="Nothing tells which pool"):
        call(pool="green", weight=10)
    assert clients.samples == naming.LOOKED_SLOWLY


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_lie_is_refused(cluster: FakeCluster, clients: Clients, check_mode: bool) -> None:
    with_header(cluster)
    backends = cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
    backends[1]["filters"] = backends[0]["filters"]
    with pytest.raises(Failure, match=r"is not shifted\. HTTPRoute prod/mcp sets X-MCP-Pool to 'blue' .* mcp-green"):
        call(pool="green", weight=10, check_mode=check_mode)
    assert cluster.weights == (100, 0) and clients.samples == 0


def test_a_header_for_one_pool_only_is_refused(cluster: FakeCluster, clients: Clients) -> None:
    """Blue's answers name it, so this is found by the route alone."""
    with_header(cluster, "blue")
    with pytest.raises(Failure, match="not on those of Service mcp-green"):
        call(pool="green", weight=10)
    assert cluster.weights == (100, 0)


def test_check_mode_asks_nobody(cluster: FakeCluster, clients: Clients) -> None:
    assert call(pool="green", weight=10, check_mode=True)["changed"]
    assert (clients.samples, clients.streamed) == (0, 0)


class Reading:
    """The gateway's counters, as each look finds them; the last one stays."""

    source = "envoy"

    def __init__(self, *looks: Counted | Failure) -> None:
        self.looks = list(looks)

    def read(self) -> Counted:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Failure):
            raise look
        return look


def counted(green: float, total: float = 400, scraped: bool = True) -> Counted:
    return Counted({"blue": total * (100 - green) / 100, "green": total * green / 100}, scraped)


@pytest.fixture
def by_counters(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Reading]:
    def by(*looks: Counted | Failure) -> Reading:
        reading = Reading(*looks)
        monkeypatch.setattr(counters, "connect", lambda params, server: reading)
        monkeypatch.setattr(unnamed, "COUNTERS_INTERVAL", 0.01)
        return reading

    return by


NOT_SCRAPED = Counted({"blue": 0.0, "green": 0.0}, False)


def test_counters_are_measured_by_where_answers_name_nothing(
    cluster: FakeCluster, clients: Clients, by_counters: t.Callable[..., Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_infos, "differing", lambda *_given: INFOS)  # they come first
    clients.says_info = True
    begin()
    lines: list[str] = []
    by_counters(NOT_SCRAPED, Failure("Prometheus is away."), counted(30), counted(12))
    result = call(lines, pool="green", weight=10)
    assert cluster.weights == (90, 10) and result["changed"] and not result["warnings"]
    assert {key: result["share"][key] for key in ("green", "requests", "failed", "measured_by", "reached")} == {
        "green": 12.0,
        "requests": 400,
        "failed": 0,
        "measured_by": "counters",
        "reached": True,
    }
    assert lines[-1] == "green 10 %: measured 12.0 % of 400 answers, by the gateway's counters (envoy)"
    (step,) = cluster.record[0]["steps"]
    assert step["verdict"] == "followed" and step["share"]["measured_by"] == "counters"


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (NOT_SCRAPED, "within 0.5 s Prometheus has not scraped the gateway twice. Set timeout to more"),
        (counted(10, total=99), "within 0.5 s the gateway has counted 99 of the 100 requests that are needed"),
        (Failure("Prometheus at http://p is away."), "Prometheus at http://p is away."),
    ],
)
def test_too_little_to_count_is_inconclusive(
    cluster: FakeCluster, by_counters: t.Callable[..., Reading], look: Counted | Failure, words: str
) -> None:
    """A release pauses then, and is not rolled back."""
    by_counters(look)
    with pytest.raises(Failure) as raised:
        call(pool="green", weight=10, timeout=0.5)
    assert words in raised.value.msg and raised.value.evidence["inconclusive"] is True
    assert raised.value.msg.startswith("Weights of prod/mcp were written (blue 90 %, green 10 %), but traffic has not")
    assert cluster.weights == (90, 10)


def test_counters_that_say_otherwise_are_no_pause(cluster: FakeCluster, by_counters: t.Callable[..., Reading]) -> None:
    by_counters(counted(0.0))
    with pytest.raises(Failure, match=r"counters \(envoy\) gave green 0\.0 % of 400 answers") as raised:
        call(pool="green", weight=10, timeout=0.5)
    assert "inconclusive" not in raised.value.evidence and raised.value.evidence["share"]["reached"] is False


def test_answers_that_fail_end_a_shift_that_is_measured_by_counters(
    cluster: FakeCluster, clients: Clients, by_counters: t.Callable[..., Reading]
) -> None:
    by_counters(NOT_SCRAPED)
    cluster.controllers.append(lambda path: path == ROUTE and setattr(clients, "trouble", "503"))
    with pytest.raises(shift_module.FailedAnswers, match=r"answers failed \(503\)"):
        call(pool="green", weight=100)


@pytest.fixture
def cannot_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The route is of a kind that can't set a header."""
    monkeypatch.setattr(pool_header, "names_pools", lambda route, server: None)


def test_a_kind_that_cannot_set_a_header_is_shifted_without_a_measured_share(
    cluster: FakeCluster, clients: Clients, cannot_name: None
) -> None:
    begin()
    lines: list[str] = []
    result = call(lines, pool="green", weight=100)
    assert cluster.weights == (0, 100)
    assert "The share of prod/mcp is not measured" in result["warnings"][0]
    found = result["share"]
    assert (found["measured_by"], found["reached"], found["green"], found["failed"]) == (None, None, None, 0)
    assert found["requests"] == naming.LOOKED and result["seconds_to_follow"] is None
    assert lines[-1] == "green 100 %: in force, 20 answers in a row did not fail; not measured"
    (step,) = cluster.record[0]["steps"]
    assert (step["verdict"], step["share"]) == ("not_measured", None)


def test_what_is_not_measured_still_must_not_fail(cluster: FakeCluster, clients: Clients, cannot_name: None) -> None:
    def fails(*_given: t.Any) -> Answer:
        bad = cluster.weights != (100, 0) and next(clients.turn) % 10 == 0
        return Answer(time.monotonic(), True, None, reason="503" if bad else "", elsewhere=not bad)

    clients._answer = fails  # type: ignore[method-assign]
    with pytest.raises(Failure, match=r"503"):
        call(pool="green", weight=100, timeout=1.0)


def test_what_is_not_measured_needs_ready_endpoints(cluster: FakeCluster, clients: Clients, cannot_name: None) -> None:
    """Its pods are gone since the weights were written: answers that do not fail may be of the other pool."""
    cluster.controllers.append(lambda path: path == ROUTE and cluster.have(green=0))
    with pytest.raises(Failure, match="Service mcp-green has no ready endpoint"):
        call(pool="green", weight=100)


def test_names_that_are_missing_are_found_once_answers_do_not_fail(cluster: FakeCluster, clients: Clients) -> None:
    """Nothing was known before the weights were written, as answers failed."""
    clients.trouble = "503"
    cluster.controllers.append(lambda path: path == ROUTE and setattr(clients, "trouble", ""))
    with pytest.raises(Failure, match=r"was shifted, and has not been confirmed to follow\. Nothing tells which pool"):
        call(pool="green", weight=100)
    assert cluster.weights == (0, 100)


def test_answers_of_other_backends_are_no_answers_without_a_name(cluster: FakeCluster, clients: Clients) -> None:
    """On a route that names the pools: they name theirs soon."""
    with_header(cluster)
    cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"].append({"name": "docs", "weight": 100})
    original, turn = clients._answer, itertools.count()

    def answer(endpoint: Public) -> Answer:
        # Three of four, and all of those that are looked at first.
        if (number := next(turn)) < 50 or number % 4:
            return Answer(time.monotonic(), True, None, elsewhere=True)
        return original(endpoint)

    clients._answer = answer  # type: ignore[method-assign]
    result = call(pool="green", weight=100)
    assert result["share"]["measured_by"] == "header" and result["share"]["unnamed"] == 0


def bad_release(cluster: FakeCluster, clients: Clients) -> None:
    begin()
    backends = cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
    backends[0]["weight"], backends[1]["weight"] = 0, 100


def test_an_emergency_looks_at_nothing_first(cluster: FakeCluster, clients: Clients) -> None:
    with_header(cluster)
    bad_release(cluster, clients)
    result = call(rollback=True)
    assert cluster.weights == (100, 0) and result["share"]["measured_by"] == "header" and clients.samples == 0


def test_an_emergency_goes_by_the_health_document(cluster: FakeCluster, clients: Clients) -> None:
    clients.public, clients.document_names = Public("/health"), True
    bad_release(cluster, clients)
    assert call(rollback=True)["share"]["measured_by"] == "health"


@pytest.mark.parametrize("health_path", [None, "/health"])
@pytest.mark.parametrize("ignores", [False, True])
def test_an_emergency_that_cannot_measure_is_done(
    cluster: FakeCluster, clients: Clients, health_path: str | None, ignores: bool
) -> None:
    if ignores:
        with_header(cluster)
        clients.ignores_header = True
    clients.public = Public(health_path)
    bad_release(cluster, clients)
    begun = time.monotonic()
    result = call(rollback=True)
    assert time.monotonic() - begun < 2
    assert cluster.weights == (100, 0) and result["written"] and result["share"]["measured_by"] is None
    assert any("could not be measured, as answers do not name their pool" in one for one in result["warnings"])
    assert cluster.record[0]["steps"][-1]["verdict"] == "not_measured"


def test_an_emergency_does_not_believe_a_lie(cluster: FakeCluster, clients: Clients) -> None:
    """Blue's answers would be taken for green's, until the time is over."""
    with_header(cluster)
    backends = cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
    backends[0]["filters"] = backends[1]["filters"]
    clients.public = Public("/health")
    bad_release(cluster, clients)
    assert call(rollback=True)["share"]["measured_by"] is None


def test_an_emergency_whose_answers_fail_is_not_confirmed(cluster: FakeCluster, clients: Clients) -> None:
    bad_release(cluster, clients)
    clients.trouble = "503"
    with pytest.raises(Failure, match=r"has not been confirmed to follow: .*failed \(503\)"):
        call(rollback=True, timeout=0.5)
    assert cluster.weights == (100, 0)


def test_an_emergency_on_a_slow_server_takes_few_answers(cluster: FakeCluster, clients: Clients) -> None:
    with_header(cluster)
    bad_release(cluster, clients)
    clients.slow = "the server keeps sessions: 1 new session a second"
    lines: list[str] = []
    result = call(lines, rollback=True)
    assert result["share"]["requests"] == naming.SHORT_ROW and result["share"]["reached"]
    assert f"{clients.slow}; measuring takes 10 s at least" in lines


def test_a_shift_on_a_slow_server_says_how_long_it_takes_and_has_that_time(
    cluster: FakeCluster, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_header(cluster)
    clients.slow = "the server keeps sessions: 1 new session a second"
    bounds: list[float] = []
    stream = share.answer_stream

    def noted(endpoint: t.Any, bound: Deadline, **more: t.Any) -> t.Any:
        bounds.append(bound.seconds)
        return stream(endpoint, bound, **more)

    monkeypatch.setattr(share, "answer_stream", noted)
    lines: list[str] = []
    result = call(lines, pool="green", weight=100)
    assert result["share"]["requests"] == 40 and bounds == [45.0]
    assert "the server keeps sessions: 1 new session a second; measuring takes 40 s at least" in lines
