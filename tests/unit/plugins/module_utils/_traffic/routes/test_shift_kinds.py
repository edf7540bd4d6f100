# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mcp_traffic_shift, over each kind of route."""

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift
from ansible_collections.mcp.server.plugins.module_utils._server import ROUTE_KINDS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import shift as shift_module
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.tests.unit.fakes.routes import CUSTOM, Cluster, objects

PUBLIC = Endpoint("https://x", "x", None, "/mcp", Answering("/health"))
DEFAULTS = {name: option.get("default") for name, option in single_shift.SPEC.options.items()}


@pytest.fixture
def call(monkeypatch):
    asked = []

    def go(cluster, kind, check_mode=False, elsewhere=lambda number: False, **params):
        @contextlib.contextmanager
        def answer_stream(public, bound, keep_alive=True):
            asked.append(keep_alive)
            server = single_shift.Server.from_params(params)
            blue = kind_of(server).weights(kind_of(server).read(cluster, server), server)["blue"]
            yield (
                Answer(number, keep_alive and number % 2 == 0, None, elsewhere=True)
                if elsewhere(number)
                else Answer(
                    number,
                    keep_alive and number % 2 == 0,
                    "blue" if number * 37 % 100 < blue else "green",
                    named_by="health",
                )
                for number in range(20000)
            )

        monkeypatch.setattr(single_shift.connection, "connect", lambda params: cluster)
        monkeypatch.setattr(single_shift.asking, "endpoint_of", lambda params: PUBLIC)
        monkeypatch.setattr(shift_module.share, "answer_stream", answer_stream)
        monkeypatch.setattr(
            shift_module.share, "sample", lambda *_: [Answer(0, False, "blue", named_by="health")]
        )  # for a wait that takes long
        monkeypatch.setattr(shift_module, "PATIENCE", 0.1)  # no controller writes a status here
        monkeypatch.setattr(single_shift.Shift, "await_acceptance", lambda self, bound: None)
        params = {
            **DEFAULTS,
            "namespace": "prod",
            "server": "mcp",
            "route_kind": kind,
            "route_custom": CUSTOM,
            "endpoint": "x",
            "timeout": 5.0,
            "force": True,
            "session_mode": "stateless",
            "verify_seconds": 0.0,
            **params,
        }
        return {**single_shift.run(Task(params, check_mode)), "kept": asked[-1] if asked else None}

    return go


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_steps_and_rollback(kind, call):
    cluster = Cluster(objects(kind))
    for percent in (50, 100):
        first = call(cluster, kind, pool="green", weight=percent)
        assert first["changed"] and first["after"]["green"] == percent and first["share"]["reached"]
        assert first["diff"]["after"]["weights"]["green"] == percent and first["kept"] is (kind != "service")
        assert not call(cluster, kind, pool="green", weight=percent)["changed"]
    back = call(cluster, kind, rollback=True)
    assert back["changed"] and back["after"] == {"blue": 100, "green": 0} and back["share"]["reached"]
    assert not call(cluster, kind, rollback=True)["changed"]


def with_another_backend(kind):
    """The kind's objects, with another backend that gets as much as both pools."""
    found = objects(kind)
    (route,) = found.values()
    other = {"name": "docs", "kind": "Service", "weight": 100}
    if kind == "httproute":
        route["spec"]["rules"][0]["backendRefs"].append(other)
    elif kind == "httpproxy":
        route["spec"]["routes"][1]["services"].append(other)
    elif kind == "istio":
        route["spec"]["http"][1]["route"].append({"destination": {"host": "docs"}, "weight": 100})
    elif kind == "traefik":
        route["spec"]["weighted"]["services"][0]["weight"] = 100
    else:
        route["spec"]["alternateBackends"][1]["weight"] = 100
    return found


@pytest.mark.parametrize("kind", ["httproute", "httpproxy", "traefik", "openshift_route", "istio"])
def test_answers_of_another_backend_count_neither_as_a_pools_nor_as_failed(kind, call):
    cluster = Cluster(with_another_backend(kind))
    half = {"elsewhere": lambda number: number // 2 % 2 == 0}
    for percent in (10, 100):
        result = call(cluster, kind, pool="green", weight=percent, **half)
        assert result["after"]["green"] == percent and result["of_all_traffic"]["green"] == percent / 2
        assert result["share"]["reached"] and result["share"]["failed"] == 0
        assert [note for note in result["route_notes"] if "gives 50 % of its traffic to other backends" in note]
    back = call(cluster, kind, rollback=True, **half)
    assert back["share"]["reached"] and back["of_all_traffic"] == {"blue": 50, "green": 0}
    planned = call(cluster, kind, check_mode=True, pool="green", weight=50)
    assert planned["of_all_traffic"] == {"blue": 25, "green": 25}


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_check_mode(kind, call):
    cluster = Cluster(objects(kind))
    planned = call(cluster, kind, check_mode=True, pool="green", weight=50)
    assert planned["changed"] and planned["share"] is None and cluster.writes() == []


def test_the_nearest_share_is_set_and_measured_only_when_it_is_asked_for(call):
    cluster = Cluster(objects("service"))
    with pytest.raises(Failure, match="it reaches 0, 33, 50, 67, 100 % for green"):
        call(cluster, "service", pool="green", weight=10)
    assert cluster.writes() == []
    near = call(cluster, "service", pool="green", weight=10, route_nearest=True)
    assert near["after"] == {"blue": 67, "green": 33} and abs(near["share"]["green"] - 33) <= 5
    assert not call(cluster, "service", pool="green", weight=10, route_nearest=True)["changed"]


def test_pods_that_are_replaced_while_a_split_is_set(call):
    cluster = Cluster(objects("service"))
    gone = "/api/v1/namespaces/prod/pods/mcp-blue-2"
    cluster.call(lambda: cluster.objects.pop(gone), "PATCH")
    result = call(cluster, "service", pool="green", weight=50)
    assert result["changed"] and result["after"] == {"blue": 50, "green": 50}
