# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import threading
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import Said
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_validate
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._validation import counting
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
SERVICE = "/api/v1/namespaces/prod/services/mcp-blue"


class World:
    """A server of which a test says how its pods answer and count. Nothing is sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2", replicas=2))
        Controllers(self.api)
        self.pods = [path.rpartition("/")[2] for path in sorted(self.api.objects) if "/pods/mcp-blue-" in path]
        self.reached = list(self.pods)  # by turns
        self.counts = dict.fromkeys(self.pods, 100.0)
        self.counted = True
        self.reason = ""  # why answers fail
        self.note = ""  # why they are slow
        self.health: dict[str, t.Any] = {"status": "HEALTHY", "version": "1"}
        self.has_ids = True
        self.sick = ""
        self.sent = 0
        self.name = "mcp"  # in serverInfo
        self.monkeypatch = monkeypatch
        self.turns = itertools.count()
        # Of each pool that is asked past the gateway: why its pods fail, and their health document.
        self.of_pool: dict[str, list[str]] = {"blue": ["", ""], "green": ["", ""]}
        self.of_pods: dict[str, t.Any] = {"blue": {"status": "ok"}, "green": {"status": "ok"}}
        self.counting = {"blue": True, "green": True}
        self.requests = {"blue": "ping", "green": "ping"}
        self.asked = 0
        self.gates = [
            {"gate": "latency", "verdict": "pass", "value": 0.1, "unit": "s", "limit": 0.3, "reason": ""},
            {"gate": "throughput", "verdict": "breach", "value": 3.0, "unit": "1/s", "limit": 1000.0, "reason": "x"},
        ]
        monkeypatch.setattr(connection, "connect", lambda _params: self.api)
        monkeypatch.setattr(mcp_validate.share, "way_of", lambda _public: self)
        monkeypatch.setattr(mcp_validate, "HealthPath", lambda _public, _path: self)
        monkeypatch.setattr(mcp_validate.mcp_health, "run", self._probe)
        monkeypatch.setattr(mcp_validate, "GATE", mcp_validate.Module(mcp_validate.mcp_gate.SPEC, self._gate))
        monkeypatch.setattr(mcp_validate.own_requests, "of", lambda target: Straight(self, target.name))
        monkeypatch.setattr(mcp_validate, "AGAIN", 0.0)
        monkeypatch.setattr(counting.InPods, "_read", lambda _counter: dict(self.counts))
        monkeypatch.setattr(counting.InPods, "patience", 0.0)

    connections, rate = 4, 200.0

    def ask(self, _connection: object, _stop: threading.Event) -> Said:
        pod = self.reached[next(self.turns) % len(self.reached)]
        self.sent += 1
        if self.counted:
            self.counts[pod] = self.counts.get(pod, 0.0) + 1
        document = {"instance_id": pod} if self.has_ids else {}
        return Said(self.reason, 200, 0.01, document=document)

    def _probe(self, task: Task) -> dict[str, t.Any]:
        mcp_validate.mcp_health.settings_of(task.params)  # raises Failure where options contradict each other
        if pool := task.params["pool"]:
            self.asked += 1
            reasons = self.of_pool[pool]
            assert task.params["compare_version"] is None and (task.params["mcp"] or not task.params["lists"])
            servers = [
                {"target": f"pod {number}", "healthy": not reason, "reason": reason, "health": self.of_pods[pool]}
                for number, reason in enumerate(reasons)
            ]
            if any(reasons):
                raise Failure("Some are not healthy.", servers=servers)
            if not servers:
                raise Failure(f"No pod of pool {pool} is ready.", servers=[])
            return {"servers": servers}
        if self.sick:
            raise Failure(self.sick, servers=[])
        info = {"name": self.name, "version": "1"}
        found = {"server_info": info, "protocol_version": "2026-07-28", "session_mode": "modern", "tools": ["a"]}
        return {"servers": [{"health": self.health, "seconds": 0.02, **found}]}

    def _gate(self, task: Task) -> dict[str, t.Any]:
        return {"gates": self.gates}

    def go(self, *checks: str, **options: t.Any) -> dict[str, dict[str, t.Any]]:
        """Return the result of each check, by its name."""
        given = {
            "namespace": "prod",
            "server": "mcp",
            "endpoint": {"url": "http://127.0.0.1:3"},
            "health_path": "/health",
            "metrics": {},
            "prometheus": {"url": "http://127.0.0.1:3"} if {"latency", "throughput"} & set(checks) else None,
            **({"checks": list(checks)} if checks else {}),
            **options,
        }
        given = {name: value for name, value in given.items() if value is not None}
        validated = ArgumentSpecValidator(mcp_validate.SPEC.options).validate(given)
        assert not validated.error_messages, validated.error_messages
        if given.get("pool"):
            return {
                one["id"]: one for one in mcp_validate.run_in_release(Task(validated.validated_parameters))["checks"]
            }
        try:
            result = mcp_validate.run(Task(validated.validated_parameters))
        except Failure as failure:
            assert "checks" in failure.evidence, failure.msg
            result = failure.evidence
            assert any(not one["ok"] and one["required"] for one in result["checks"])
        else:
            assert not any(not one["ok"] and one["required"] for one in result["checks"])
        self.instances = result["instances"]
        return {one["id"]: one for one in result["checks"]}


class Straight:
    """Requests to one pod."""

    connections = 1

    def __init__(self, world: World, name: str) -> None:
        self._world, self._pod = world, name.rpartition("/")[2]
        self._pool = "green" if "-green-" in name else "blue"
        world.counts.setdefault(self._pod, 50.0)

    @property
    def request(self) -> str:
        return self._world.requests[self._pool]

    def ask(self, _connection: object, _stop: threading.Event) -> Said:
        if self._world.counting[self._pool]:
            self._world.counts[self._pod] += 1
        return Said(self._world.reason, 200, 0.01)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def verdicts(found: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {name: one["verdict"] for name, one in found.items()}


def test_a_good_server(world: World) -> None:
    found = world.go("health", "mcp", "metrics", "distribution")
    assert verdicts(found) == dict.fromkeys(("health", "mcp", "metrics", "distribution"), "passed")
    assert world.sent == 42 and sum(world.instances.values()) == 21  # 21 for each of two checks
    assert not world.api.writes()


def test_a_server_that_is_only_checked_for_refusing(world: World) -> None:
    found = world.go("health", "mcp", "metrics", auth={"expect_401": True})
    assert verdicts(found) == {"health": "passed", "mcp": "passed", "metrics": "skipped"}
    assert "refuses clients without a token" in found["mcp"]["message"]
    world.sick = "x is not healthy."
    found = world.go("health", "mcp", pool="green", auth={"expect_401": True})
    assert all("2 of 2 pods of pool green do not fail so" in one["message"] for one in found.values()), found


def test_what_a_server_calls_itself_is_text_on_one_line(world: World) -> None:
    world.name = "a\x1b[2J\nok  everything" + "x" * 5000
    message = world.go("mcp")["mcp"]["message"]
    assert message.isprintable() and len(message) < 400


def test_all_checks_are_made_though_one_fails(world: World) -> None:
    world.sick = "x is not healthy."
    found = world.go()
    assert list(found) == list(mcp_validate.CHECKS)
    assert (found["health"]["verdict"], found["mcp"]["verdict"]) == ("failed", "failed")
    assert (found["metrics"]["verdict"], found["latency"]["verdict"]) == ("passed", "skipped")


def test_a_route_that_cannot_be_read_fails_only_what_needs_it(world: World) -> None:
    del world.api.objects[ROUTE]
    found = world.go("health", "metrics", "distribution")
    assert verdicts(found) == {"health": "passed", "metrics": "failed", "distribution": "failed"}
    assert "httproutes" in found["metrics"]["message"] or "HTTPRoute" in found["metrics"]["message"]


def test_a_counter_that_stays(world: World) -> None:
    world.counted = False
    assert "rose by 0 only" in world.go("metrics")["metrics"]["message"]
    assert world.sent == 20


def test_answers_that_fail_tell_nothing_of_the_counter(world: World) -> None:
    world.reason = "returned 503"
    found = world.go("metrics")["metrics"]
    assert found["verdict"] == "cannot_measure" and "returned 503" in found["message"]


def test_without_metrics_there_is_nothing_to_check(world: World) -> None:
    assert verdicts(world.go("metrics", metrics=None)) == {"metrics": "skipped"} and not world.sent


def test_a_pod_that_gets_nothing(world: World) -> None:
    """By its id in the health document, and by its counter where there is none."""
    world.reached = world.pods[:1]
    for has_ids in (True, False):
        world.has_ids = has_ids
        found = world.go("metrics", "distribution")
        assert verdicts(found) == {"metrics": "passed", "distribution": "failed"}
        assert f"{world.pods[1]} does not get its share" in found["distribution"]["message"]
    assert "counted by mcp_server_requests_total" in found["distribution"]["message"]


def test_without_ids_and_counters_nothing_tells_who_answers(world: World) -> None:
    world.has_ids = False
    found = world.go("distribution")["distribution"]
    assert found["verdict"] == "cannot_measure" and "mcp_metrics" in found["message"]


def test_a_service_that_pins_clients(world: World) -> None:
    world.reached = world.pods[:1]
    world.api.objects[SERVICE]["spec"]["sessionAffinity"] = "ClientIP"
    found = world.go("distribution")["distribution"]
    assert found["verdict"] == "cannot_measure" and "sessionAffinity ClientIP" in found["message"]


def test_a_server_with_sessions_gets_few_requests(world: World) -> None:
    world.note = "the server keeps sessions"
    assert verdicts(world.go("metrics")) == {"metrics": "passed"} and world.sent == 10


@pytest.mark.parametrize(("pods", "verdict", "sent"), [(2, "passed", 21), (3, "passed", 37), (4, "skipped", 40)])
def test_a_server_with_sessions_gets_what_its_distribution_needs(
    world: World, pods: int, verdict: str, sent: int
) -> None:
    """Where that is too much for it, its validation does not fail for that."""
    world.note, world.has_ids = "the server keeps sessions", False
    names = [f"mcp-blue-{number}" for number in range(pods)]
    world.reached, world.counts = names, dict.fromkeys(names, 1.0)
    share = dict.fromkeys(names, 1 / pods)
    world.monkeypatch.setattr(mcp_validate.Validation, "_expected", lambda _self: share)
    found = world.go("metrics", "distribution", health_path=None)
    assert (found["distribution"]["verdict"], world.sent) == (verdict, sent), found["distribution"]["message"]


def test_live_traffic(world: World) -> None:
    found = world.go("latency", "throughput")
    assert verdicts(found) == {"latency": "passed", "throughput": "cannot_measure"}
    assert not found["throughput"]["required"]  # a warning
    found = world.go("throughput", gates={"throughput": {"limit": 5}})
    assert verdicts(found) == {"throughput": "failed"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"requests": 0}, "requests is 0: it must be from 1 to 400"),
        ({"requests": 401}, "from 1 to 400"),
        ({"seconds": 0}, "more than 0"),
        ({"gates": {"latency": 3}}, "gates.latency is 3"),
    ],
)
def test_options_that_cannot_be(world: World, options: dict[str, t.Any], words: str) -> None:
    with pytest.raises((Failure, AssertionError), match=words):
        world.go("metrics", **options)
    assert not world.sent


SICK = {"status": "UNHEALTHY"}
BAD = ["returned 503", "returned 503"]


@pytest.mark.parametrize(
    ("green", "blue", "documents", "verdict", "words"),
    [
        (
            BAD,
            ["", ""],
            {},
            "failed",
            "The pods of pool green fail so past the gateway, too, and those of pool blue do",
        ),
        (["", ""], ["", ""], {"green": SICK}, "failed", "and those of pool blue do not"),
        # A database that both have.
        (["", ""], ["", ""], {"green": SICK, "blue": SICK}, "cannot_measure", "Pool blue fails as well"),
        (BAD, ["", "times out"], {}, "cannot_measure", "Pool blue fails as well (pod 1: times out), so it is not this"),
        # A gateway that limits or caches, or something that has passed.
        (["", ""], ["", ""], {}, "cannot_measure", "2 of 2 pods of pool green do not fail so: it may be the gateway"),
        (["", "returned 503"], ["", ""], {}, "cannot_measure", "1 of 2 pods of pool green"),
        # There is nothing to compare with.
        (BAD, [], {}, "cannot_measure", "cannot be told by pool blue: No pod of pool blue is ready."),
    ],
)
@pytest.mark.parametrize("check", ["health", "mcp"])
def test_in_a_release_only_the_fault_of_its_version_counts(
    world: World,
    check: str,
    green: list[str],
    blue: list[str],
    documents: dict[str, t.Any],
    verdict: str,
    words: str,
) -> None:
    if documents and check == "mcp":
        return  # has none
    world.sick = "x is not healthy."
    world.of_pool = {"green": green, "blue": blue}
    world.of_pods |= documents
    found = world.go(check, pool="green")[check]
    assert (found["verdict"], found["required"]) == (verdict, True), found["message"]
    assert found["message"].startswith("x is not healthy. ") and words in found["message"]
    # What counts was looked at three times.
    assert world.asked == (6 if verdict == "failed" else 2)


def test_in_a_release_a_good_server_is_not_asked_twice(world: World) -> None:
    assert verdicts(world.go("health", "mcp", pool="green")) == {"health": "passed", "mcp": "passed"}
    assert not world.asked


@pytest.mark.parametrize(
    ("counting_pools", "requests", "verdict", "words"),
    [
        ({"blue": True, "green": False}, {}, "failed", "those of pool blue do not"),
        # One that counts calls of tools only, or of which nobody knows what it counts.
        ({"blue": False, "green": False}, {}, "cannot_measure", "Pool blue fails as well (5 requests straight to pod"),
        # Other backends of the route got the requests.
        ({"blue": True, "green": True}, {}, "cannot_measure", "1 of 1 pods of pool green do not fail so"),
        ({"blue": True, "green": False}, {"blue": "initialize"}, "cannot_measure", "different requests (ping, init"),
    ],
)
def test_in_a_release_metrics_are_compared_pod_by_pod(
    world: World, counting_pools: dict[str, bool], requests: dict[str, str], verdict: str, words: str
) -> None:
    world.counted = False
    world.counting = counting_pools
    world.requests |= requests
    found = world.go("metrics", pool="green")["metrics"]
    assert found["verdict"] == verdict and words in found["message"], found["message"]
    assert "rose by 0 only" in found["message"]


def test_in_a_release_an_uneven_distribution_takes_nothing_back(world: World) -> None:
    world.pods = [one.replace("blue", "green") for one in world.pods]
    world.reached = [path.rpartition("/")[2] for path in sorted(world.api.objects) if "/pods/mcp-green-" in path][:1]
    found = world.go("distribution", pool="green")["distribution"]
    assert found["verdict"] == "cannot_measure" and "depends on the gateway" in found["message"]


def test_a_source_that_cannot_be_asked_is_no_failure_of_the_server(world: World, tmp_path: t.Any) -> None:
    prometheus = {"url": "https://127.0.0.1:3", "token_file": str(tmp_path / "nowhere")}
    found = world.go("metrics", prometheus=prometheus)["metrics"]
    assert found["verdict"] == "cannot_measure" and "nowhere" in found["message"]
