# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes with both pools, and the way back, as tables: for each kind what its backends become."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._adopt import routes
from ansible_collections.mcp.server.plugins.module_utils._adopt.leading import weighted
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import kind as kinds

POOLS = {name: PoolObjects(its, "Deployment", its) for name, its in (("blue", "w"), ("green", "w-green"))}
HEADER = {
    pool: {"filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [
        {"name": "X-MCP-Pool", "value": pool}]}}]} for pool in POOLS
}  # fmt: skip
POLICY = {pool: {"responseHeadersPolicy": {"set": [{"name": "X-MCP-Pool", "value": pool}]}} for pool in POOLS}
ISTIO = {pool: {"headers": {"response": {"set": {"X-MCP-Pool": pool}}}} for pool in POOLS}


def server(kind: str) -> Server:
    return Server("prod", "w", "{server}-{pool}", "public", "", kind, blue=POOLS["blue"], green=POOLS["green"])


def http(name: str = "w", **more: t.Any) -> dict[str, t.Any]:
    return {"group": "", "kind": "Service", "name": name, "port": 80, **more}


def host(name: str = "w", **more: t.Any) -> dict[str, t.Any]:
    return {"destination": {"host": name, "port": {"number": 80}}, **more}


def of(kind: str, *lists: list[t.Any]) -> dict[str, t.Any]:
    """Return a route with these lists of backends, one for each rule."""
    spec: dict[str, t.Any] = {
        "httproute": {"rules": [{"backendRefs": one} for one in lists]},
        "httpproxy": {"routes": [{"services": one} for one in lists]},
        "istio": {"http": [{"route": one} for one in lists]},
        "traefik": {"weighted": {"services": lists[0]}},
        "openshift_route": {"to": lists[0][0], "alternateBackends": lists[0][1:]},
    }[kind]
    return {"metadata": {"name": "public", "generation": 3, "resourceVersion": "1"}, "spec": spec}


def patched(route: dict[str, t.Any], operations: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return a route after a JSON patch whose tests hold."""
    route = copy.deepcopy(route)
    for one in operations:
        parent, _slash, last = one["path"].rpartition("/")
        last = last.replace("~1", "/").replace("~0", "~")
        holder = kinds.at(route, parent) if parent.count("/") else route["metadata"] if parent == "/metadata" else route
        if one["op"] == "test":
            assert holder.get(last) == one["value"], one
        elif one["op"] == "remove":
            del holder[last]
        else:
            holder[last] = one["value"]
    return route


CASES: list[tuple[str, list[list[t.Any]], list[list[t.Any]]]] = [
    ("httproute", [[http(weight=1)]],
     [[http(weight=100, **HEADER["blue"]), http("w-green", weight=0, **HEADER["green"])]]),
    ("httproute", [[http()], [http("docs", weight=1)], [http(weight=3)]],
     [[http(weight=100, **HEADER["blue"]), http("w-green", weight=0, **HEADER["green"])], [http("docs", weight=1)],
      [http(weight=100, **HEADER["blue"]), http("w-green", weight=0, **HEADER["green"])]]),
    # Other backends stay, at the share that they have.
    ("httproute", [[http("old", weight=25), http(weight=100)]],
     [[http("old", weight=25), http(weight=100, **HEADER["blue"]), http("w-green", weight=0, **HEADER["green"])]]),
    ("httproute", [[http("old", weight=0), http(weight=1)]],
     [[http("old", weight=0), http(weight=100, **HEADER["blue"]), http("w-green", weight=0, **HEADER["green"])]]),
    # A filter that is there gets the header beside what it has.
    ("httproute", [[http(filters=[{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["a"]}}])]],
     [[http(weight=100, filters=[{"type": "ResponseHeaderModifier", "responseHeaderModifier": {
         "remove": ["a"], "set": [{"name": "X-MCP-Pool", "value": "blue"}]}}]),
       http("w-green", weight=0, filters=[{"type": "ResponseHeaderModifier", "responseHeaderModifier": {
           "remove": ["a"], "set": [{"name": "X-MCP-Pool", "value": "green"}]}}])]]),
    ("httpproxy", [[{"name": "copy", "port": 80, "mirror": True}, {"name": "w", "port": 80, "protocol": "h2c"}]],
     [[{"name": "copy", "port": 80, "mirror": True},
       {"name": "w", "port": 80, "protocol": "h2c", "weight": 100, **POLICY["blue"]},
       {"name": "w-green", "port": 80, "protocol": "h2c", "weight": 0, **POLICY["green"]}]]),
    ("istio", [[host("w.prod.svc.cluster.local")], [host("docs")]],
     [[host("w.prod.svc.cluster.local", weight=100, **ISTIO["blue"]),
       host("w-green.prod.svc.cluster.local", weight=0, **ISTIO["green"])], [host("docs")]]),
    ("traefik", [[{"name": "w", "port": 80}]],
     [[{"name": "w", "port": 80, "weight": 100}, {"name": "w-green", "port": 80, "weight": 0}]]),
    ("openshift_route", [[{"kind": "Service", "name": "w", "weight": 100}]],
     [[{"kind": "Service", "name": "w", "weight": 100}, {"kind": "Service", "name": "w-green", "weight": 0}]]),
    ("openshift_route", [[{"kind": "Service", "name": "old", "weight": 0}, {"kind": "Service", "name": "w"}]],
     [[{"kind": "Service", "name": "old", "weight": 0}, {"kind": "Service", "name": "w", "weight": 100},
       {"kind": "Service", "name": "w-green", "weight": 0}]]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "after"), CASES)
def test_both_pools_are_listed_and_the_way_back_is_exact(kind: str, before: t.Any, after: t.Any) -> None:
    its, route = server(kind), of(kind, *before)
    plan = routes.adopted(weighted(its), route, its)
    assert plan.problems == []
    done = patched(route, routes.patch(route, plan.changes))
    assert done["spec"] == of(kind, *after)["spec"]
    assert weighted(its).weights(done, its) == {"blue": 100, "green": 0}
    again = routes.adopted(weighted(its), done, its)
    assert again == ([], [])
    merged = routes.merge_patch(weighted(its), route, its, plan.changes)
    assert merged["spec"].items() <= done["spec"].items()
    done["metadata"]["annotations"] |= {kinds.STABLE: "{}", kinds.RUN: "r1", "theirs": "kept"}
    back = routes.undone(weighted(its), done, its)
    assert back.problems == []
    restored = patched(done, routes.undo_patch(done, back.changes))
    assert restored["spec"] == route["spec"] and restored["metadata"]["annotations"] == {"theirs": "kept"}


@pytest.mark.parametrize(
    ("kind", "before", "says"),
    [
        ("httproute", [[http("docs")]], "does not lead to Service w."),
        ("httproute", [[http(weight=0)]], "gives Service w no traffic"),
        ("httproute", [[http(weight=1), http("old", weight=1)]], "gives Service w the weight 1 beside other backends"),
        ("httproute", [[http("w-green")], [http()]], "leads to Service w-green alone"),
        ("httproute", [[http(namespace="other")]], "does not lead to Service w."),
        ("istio", [[{"destination": {"host": "w", "subset": "v1"}}]], "leads to a subset of Service w"),
        ("httpproxy", [[{"name": "w", "weight": 9}, {"name": "x", "weight": 1}]], "the weight 9 beside other backends"),
    ],
)
def test_what_a_release_could_not_weigh_is_refused(kind: str, before: t.Any, says: str) -> None:
    its, route = server(kind), of(kind, *before)
    assert any(says in one for one in routes.adopted(weighted(its), route, its).problems)


def test_a_service_that_is_listed_twice_is_refused() -> None:
    its, route = server("httproute"), of("httproute", [http(), http()])
    with pytest.raises(Failure, match="lists Service w twice"):
        routes.adopted(weighted(its), route, its)


def adopted(*lists: list[t.Any]) -> tuple[Server, dict[str, t.Any]]:
    its, route = server("httproute"), of("httproute", *lists)
    return its, patched(route, routes.patch(route, routes.adopted(weighted(its), route, its).changes))


def test_rules_that_moved_since_are_found_again() -> None:
    its, route = adopted([http(weight=2)], [http("docs")])
    route["spec"]["rules"].reverse()
    plan = routes.undone(weighted(its), route, its)
    assert [change.after for change in plan.changes] == [[http(weight=2)]] and not plan.problems


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda backends: backends[1].update(weight=5), "gives traffic to Service w-green"),
        (lambda backends: backends[0].update(port=81), "is not as the adoption left it"),
        (lambda backends: backends.append(http("third", weight=1)), "is not as the adoption left it"),
        (lambda backends: backends[1].pop("filters"), "is not as the adoption left it"),
    ],
)
def test_what_was_changed_since_is_refused_by_the_way_back(change: t.Callable[[t.Any], None], says: str) -> None:
    its, route = adopted([http(weight=2)])
    change(route["spec"]["rules"][0]["backendRefs"])
    plan = routes.undone(weighted(its), route, its)
    assert plan.changes == [] and says in plan.problems[0]


@pytest.mark.parametrize("note", ["", "[]", "{", '{"/spec": 1}', '{"/spec": [1]}', "[" * 5000])
def test_a_note_that_was_changed_is_no_traceback(note: str) -> None:
    its, route = adopted([http(weight=2)])
    route["metadata"]["annotations"][routes.BEFORE] = note
    with pytest.raises(Failure, match="was changed and can't be"):
        routes.undone(weighted(its), route, its)


def test_the_patch_is_a_conflict_after_a_change_of_somebody_else() -> None:
    its, route = server("httproute"), of("httproute", [http(weight=1)])
    operations = routes.patch(route, routes.adopted(weighted(its), route, its).changes)
    tests = {one["path"]: one["value"] for one in operations if one["op"] == "test"}
    assert tests == {"/metadata/generation": 3, "/metadata/annotations": None}
    route["metadata"]["annotations"] = {"theirs": "a"}
    operations = routes.patch(route, routes.adopted(weighted(its), route, its).changes)
    place = "/metadata/annotations/mcp.server~1before-adoption"
    assert {"op": "test", "path": place, "value": None} in operations
    (note,) = [one["value"] for one in operations if one["path"] == place and one["op"] == "add"]
    assert json.loads(note) == {"/spec/rules/0/backendRefs": [http(weight=1)]}
