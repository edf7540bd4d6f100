# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tells which pool answers: what is said of it before a release."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import naming
from ansible_collections.mcp.server.plugins.module_utils._preflight.naming import Seen
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import server_infos, share
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import pool_header
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.tests.unit.fakes.routes import CUSTOM, Cluster, objects, server

PARAMS: dict[str, t.Any] = {
    "endpoint": {"url": "https://x"},
    "health_path": None,
    "pool_key": "side",
    "prometheus": None,
    "auth": None,
}
AWAY = Seen(why="https://x: refused the connection")


@pytest.mark.parametrize(
    ("names", "seen", "others", "health_path", "said"),
    [
        (True, Seen("header"), False, None, "Answers name their pool by header X-MCP-Pool, set by the route."),
        (None, Seen("header"), False, None, "by header X-MCP-Pool, which the route does not set: the server or"),
        (False, Seen("header"), False, None, "by header X-MCP-Pool, which the route does not set: the server or"),
        (True, Seen("health"), False, "/h", "Answers name their pool by side in the health document."),
        (False, Seen("health"), False, "/h", "Answers name their pool by side in the health document."),
        (True, AWAY, False, None, "on the answers of each pool. It was not tried: https://x: refused the connection."),
        (True, Seen(good=10), False, None, ""),
        (True, Seen(good=10), True, None, "None of 10 answers has it, but other backends of the route answer, too."),
        (False, Seen(good=10), True, None, ""),
        (False, Seen(good=10), False, "/h", ""),
        (None, Seen(good=10), False, None, ""),
        (False, AWAY, False, "/h", "expected to name the pool (side). It was not tried: https://x: refused"),
        (None, AWAY, False, "/h", "expected to name the pool (side). It was not tried: https://x: refused"),
        (False, AWAY, False, None, ""),
        (None, AWAY, False, None, ""),
    ],
)
def test_what_answers_show(names: bool | None, seen: Seen, others: bool, health_path: str | None, said: str) -> None:
    params = {**PARAMS, "health_path": health_path}
    found = naming.by_answers(server("httproute"), params, names, seen, others=others)
    assert said in found if said else found == ""


@dataclass(frozen=True)
class Public:
    server_infos: dict[tuple[str, str], str] = field(default_factory=dict)
    name: str = "https://x"


class Gateway:
    """What requests get: an answer each, the last one again and again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers = [Answer(0.0, True, None)]
        self.slow, self.asked = "", 0
        self.infos: dict[tuple[str, str], str] = {}
        self.says_info = True
        monkeypatch.setattr(naming, "endpoint_of", lambda params: Public())
        monkeypatch.setattr(share, "sample", self._sample)
        monkeypatch.setattr(share, "slow_note", lambda endpoint: self.slow)
        monkeypatch.setattr(server_infos, "differing", lambda *_given: self.infos)

    def _sample(self, endpoint: Public, count: int) -> list[Answer]:
        assert count == 1
        self.asked += 1
        if endpoint.server_infos and self.says_info:
            return [Answer(0.0, True, "blue", named_by="server_info")]
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    return Gateway(monkeypatch)


def given(kind: str) -> Server:
    return server(kind, route_custom=CUSTOM if kind == "custom" else None)


def check(kind: str = "httproute", sets: bool = False, **params: t.Any) -> str:
    its = given(kind)
    found = objects(kind)
    if sets:
        found = {path: pool_header.with_pool_header(one, its) for path, one in found.items()}
    return naming.check(Cluster(found), its, {**PARAMS, **params})


NAMED = Answer(0.0, True, "blue", named_by="header")
FAILED = Answer(0.0, True, None, reason="503")


def test_one_answer_that_names_its_pool_is_enough(gateway: Gateway) -> None:
    gateway.answers = [Answer(0.0, True, None), NAMED]
    assert check(sets=True) == "Answers name their pool by header X-MCP-Pool, set by the route."
    assert gateway.asked == 2


@pytest.mark.parametrize(("slow", "asked"), [("", 10), ("it keeps sessions", 3)])
def test_answers_that_name_none_are_few(gateway: Gateway, slow: str, asked: int) -> None:
    gateway.slow = slow
    with pytest.raises(Failure, match="HTTPRoute prod/mcp sets X-MCP-Pool .* but answers do not have it"):
        check(sets=True)
    assert gateway.asked == asked


@pytest.mark.parametrize("kind", ["httproute", "httpproxy", "istio"])
def test_a_route_that_could_name_its_pools_must(gateway: Gateway, kind: str) -> None:
    with pytest.raises(Failure, match="Nothing tells which pool of prod/mcp answers") as raised:
        check(kind)
    assert pool_header.cure(server(kind)) in raised.value.msg


@pytest.mark.parametrize("kind", ["traefik", "openshift_route", "ingress_nginx", "service", "custom"])
def test_a_kind_that_cannot_is_told(gateway: Gateway, kind: str) -> None:
    name = kind_of(given(kind)).name(given(kind))
    assert f"answers name no pool, and {name} can't set a header on those of each pool" in check(kind)


def test_a_lie_is_told_before_anything_is_asked(gateway: Gateway) -> None:
    its = server("httproute")
    (path, found), *_rest = objects("httproute").items()
    found = pool_header.with_pool_header(found, its)
    backends = found["spec"]["rules"][0]["backendRefs"]
    backends[1]["filters"] = backends[0]["filters"]
    with pytest.raises(Failure, match="sets X-MCP-Pool to 'blue' on the answers of Service mcp-green"):
        naming.check(Cluster({path: found}), its, PARAMS)
    assert gateway.asked == 0


def test_counters_of_the_gateway_will_do(gateway: Gateway) -> None:
    gateway.infos = {("a", "1"): "blue", ("a", "2"): "green"}
    said = check(prometheus={"url": "http://p", "source": ["app", "envoy"]})
    assert said == "Answers name no pool: the share is measured by the gateway's counters (envoy)."
    with pytest.raises(Failure, match="Nothing tells"):
        gateway.infos = {}
        check(prometheus={"url": "http://p", "source": ["app"]})


@pytest.mark.parametrize(
    ("infos", "says_info", "ok"),
    [
        ({("a", "1"): "blue", ("a", "2"): "green"}, True, True),
        ({("a", "1"): "blue", ("a", "2"): "green"}, False, False),  # requests that measure do not have it
        ({}, True, False),
    ],
)
def test_server_info_will_do_where_it_differs(
    gateway: Gateway, infos: dict[tuple[str, str], str], says_info: bool, ok: bool
) -> None:
    gateway.infos, gateway.says_info = infos, says_info
    if ok:
        assert check() == "Answers name their pool by serverInfo, as long as that of the pools differs."
    else:
        with pytest.raises(Failure, match="Nothing tells"):
            check()


def test_pods_are_not_asked_where_answers_fail(gateway: Gateway) -> None:
    gateway.answers, gateway.infos = [FAILED], {("a", "1"): "blue", ("a", "2"): "green"}
    with pytest.raises(Failure, match="Nothing tells"):
        check()
    assert check(sets=True).endswith("It was not tried: https://x: 503.")
    assert gateway.asked == 2


@pytest.mark.parametrize("endpoint", [None, {"url": None}])
def test_without_an_endpoint_the_route_tells(gateway: Gateway, endpoint: t.Any) -> None:
    assert check(sets=True, endpoint=endpoint).endswith("It was not tried: endpoint is not set.")
    assert gateway.asked == 0


def test_a_route_that_is_not_there_has_a_check_of_its_own(gateway: Gateway) -> None:
    assert naming.check(Cluster({}), server("httproute"), PARAMS).startswith("Which pool answers was not tried")
