# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake is asked in memory and, by the real client, over HTTP: both have to answer alike."""

from __future__ import annotations

import math
import socket
import time
import typing as t
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
import requests

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import (
    Cluster,
    Conflict,
    Unanswered,
    Unreachable,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving

PODS = "/api/v1/namespaces/prod/pods"
MAPS = "/api/v1/namespaces/prod/configmaps"
MAP = f"{MAPS}/mcp"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/mcp"
BACKENDS = "/spec/rules/0/backendRefs"


def weights(blue: int, green: int) -> dict[str, t.Any]:
    return {"rules": [{"backendRefs": [{"name": "blue", "weight": blue}, {"name": "green", "weight": green}]}]}


def deployment() -> dict[str, t.Any]:
    containers = [
        {"name": "mcp", "image": "x:1", "env": [{"name": "A", "value": "1"}]},
        {"name": "sidecar", "image": "y:1"},
    ]
    return {"spec": {"replicas": 2, "template": {"spec": {"containers": containers}}}, "status": {"replicas": 2}}


@pytest.fixture
def api() -> ApiServer:
    return ApiServer({MAP: {"data": {"a": "1"}}, ROUTE: {"spec": weights(100, 0)}, DEPLOYMENT: deployment()})


def real(url: str, patience: float = 0.0) -> Cluster:
    return Cluster(Access(url), 5.0, patience)


@pytest.fixture(params=["in memory", "over HTTP"])
def cluster(request: pytest.FixtureRequest, api: ApiServer) -> t.Iterator[t.Any]:
    if request.param == "in memory":
        yield api
        return
    with serving(api) as url:
        yield real(url)


def version(obj: dict[str, t.Any]) -> str:
    return obj["metadata"]["resourceVersion"]


def test_an_object_is_made_read_changed_and_deleted(api: ApiServer, cluster: t.Any) -> None:
    made = cluster.create(MAPS, {"metadata": {"name": "new"}, "data": {"a": "1"}, "status": {"not": "yet"}})
    assert made["metadata"]["namespace"] == "prod" and made["metadata"]["uid"] and "status" not in made
    assert cluster.get(f"{MAPS}/new") == made
    change = {"data": {"b": "2", "a": None}, "metadata": {"labels": {"x": "y"}}}
    changed = cluster.patch(f"{MAPS}/new", change, fieldManager="mcp")
    assert changed["data"] == {"b": "2"} and changed["metadata"]["labels"] == {"x": "y"}
    assert cluster.get(f"{MAPS}/new") == changed
    cluster.delete(f"{MAPS}/new", propagationPolicy="Background")
    with pytest.raises(NotFound, match='configmaps "new" not found'):
        cluster.get(f"{MAPS}/new")
    assert api.asked("DELETE") == [("DELETE", f"{MAPS}/new")]
    assert [one.query for one in api.writes()] == [{}, {"fieldManager": "mcp"}, {"propagationPolicy": "Background"}]


def test_what_is_answered_is_a_copy(api: ApiServer) -> None:
    api.get(MAP)["data"]["a"] = "2"
    body = {"data": {"list": ["1"]}}
    api.patch(MAP, body)["data"]["a"] = "2"
    body["data"]["list"].append("2")
    assert api.objects[MAP]["data"] == {"a": "1", "list": ["1"]}


def test_versions_and_generations(cluster: t.Any) -> None:
    before = cluster.get(ROUTE)
    status = cluster.patch(f"{ROUTE}/status", {"status": {"parents": []}, "spec": {"rules": None}})
    assert version(status) != version(before) and status["metadata"]["generation"] == before["metadata"]["generation"]
    assert (status["spec"], status["status"]) == (before["spec"], {"parents": []})
    labelled = cluster.patch(ROUTE, {"metadata": {"labels": {"x": "y"}}, "status": None})
    assert labelled["metadata"]["generation"] == before["metadata"]["generation"]
    assert labelled["status"] == {"parents": []}
    moved = cluster.patch(ROUTE, {"spec": weights(90, 10)})
    assert moved["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert cluster.patch(ROUTE, {"spec": weights(90, 10)}) == moved  # changes nothing, so it is no new version
    assert len({version(one) for one in (before, status, labelled, moved)}) == 4


def test_a_touch_is_a_new_version_of_the_same(api: ApiServer) -> None:
    before = api.get(ROUTE)
    api.touch(ROUTE)
    after = api.get(ROUTE)
    assert version(after) != version(before)
    assert after == {**before, "metadata": {**before["metadata"], "resourceVersion": version(after)}}


@pytest.mark.parametrize("kind", ["merge", "strategic", "json", "apply"])
def test_another_version_is_a_conflict(api: ApiServer, cluster: t.Any, kind: str) -> None:
    old = version(cluster.get(DEPLOYMENT))
    api.change(DEPLOYMENT, {"spec": {"replicas": 3}})

    def patch(number: str) -> t.Any:
        if kind == "json":
            return [
                {"op": "replace", "path": "/metadata/resourceVersion", "value": number},
                {"op": "replace", "path": "/spec/replicas", "value": 4},
            ]
        return {"metadata": {"resourceVersion": number}, "spec": {"replicas": 4}}

    with pytest.raises(Conflict, match='cannot be fulfilled on deployments.apps "mcp": the object has been modified'):
        cluster.patch(DEPLOYMENT, patch(old), kind)
    assert api.objects[DEPLOYMENT]["spec"]["replicas"] == 3
    assert cluster.patch(DEPLOYMENT, patch(version(cluster.get(DEPLOYMENT))), kind)["spec"]["replicas"] == 4
    assert api.asked("PATCH") == 2 * [("PATCH", DEPLOYMENT)]


def test_json_patch(cluster: t.Any) -> None:
    operations = [
        {"op": "test", "path": f"{BACKENDS}/1/name", "value": "green"},
        {"op": "test", "path": "/metadata/labels", "value": None},
        {"op": "replace", "path": f"{BACKENDS}/1/weight", "value": 10},
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": "/metadata/annotations/mcp.server~1stable", "value": "blue"},
        {"op": "add", "path": f"{BACKENDS}/-", "value": {"name": "third"}},
        {"op": "add", "path": f"{BACKENDS}/0", "value": {"name": "first"}},
        {"op": "remove", "path": f"{BACKENDS}/1"},
    ]
    after = cluster.patch(ROUTE, operations, "json")
    assert after["spec"]["rules"][0]["backendRefs"] == [
        {"name": "first"},
        {"name": "green", "weight": 10},
        {"name": "third"},
    ]
    assert after["metadata"]["annotations"] == {"mcp.server/stable": "blue"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": f"{BACKENDS}/0/weight", "value": 99},
        {"op": "test", "path": f"{BACKENDS}/0/weight", "value": True},
        {"op": "test", "path": "/metadata/annotations/x", "value": None},
        {"op": "test", "path": f"{BACKENDS}/2", "value": None},
        {"op": "replace", "path": "/metadata/labels/x", "value": "y"},
        {"op": "remove", "path": "/metadata/labels"},
        {"op": "add", "path": "/metadata/annotations/x", "value": "y"},
        {"op": "add", "path": f"{BACKENDS}/3", "value": {}},
    ],
)
def test_a_json_patch_that_does_not_fit(cluster: t.Any, operation: dict[str, t.Any]) -> None:
    before = cluster.get(ROUTE)
    operations = [{"op": "replace", "path": f"{BACKENDS}/0/weight", "value": 50}, operation]
    with pytest.raises(Conflict):
        cluster.patch(ROUTE, operations[::-1] if operation["op"] == "test" else operations, "json")
    assert cluster.get(ROUTE) == before


def test_strategic_merge(cluster: t.Any) -> None:
    container = {"name": "mcp", "image": "x:2", "env": [{"name": "B", "value": "2"}]}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    first, sidecar = cluster.patch(DEPLOYMENT, change, "strategic")["spec"]["template"]["spec"]["containers"]
    assert first == {"name": "mcp", "image": "x:2", "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}
    assert sidecar == {"name": "sidecar", "image": "y:1"}
    assert len(cluster.patch(DEPLOYMENT, change)["spec"]["template"]["spec"]["containers"]) == 1  # merge knows no names
    with pytest.raises(Failure, match="unknown format"):
        cluster.patch(ROUTE, {"spec": {}}, "strategic")


def test_apply_makes_what_is_not_there(cluster: t.Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"a": "1"}}
    first = cluster.patch(f"{MAPS}/new", body, "apply", force="true")
    assert cluster.get(f"{MAPS}/new") == first == cluster.patch(f"{MAPS}/new", body, "apply")
    assert cluster.patch(f"{MAPS}/new", {**body, "data": {"b": "2"}}, "apply")["data"] == {"b": "2"}
    assert cluster.patch(f"{MAPS}/new", body, "apply", fieldManager="other")["data"] == {"a": "1", "b": "2"}


def test_a_dry_run_changes_nothing(api: ApiServer, cluster: t.Any) -> None:
    before = {path: cluster.get(path) for path in (MAP, ROUTE)}
    answer = cluster.patch(ROUTE, {"spec": weights(90, 10)}, dry_run=True)
    assert answer["spec"] == weights(90, 10) and version(answer) == version(before[ROUTE])
    assert cluster.create(MAPS, {"metadata": {"name": "new"}}, dryRun="All")["metadata"]["name"] == "new"
    cluster.delete(MAP, dry_run=True)
    assert {path: cluster.get(path) for path in (MAP, ROUTE)} == before and f"{MAPS}/new" not in api.objects
    assert api.writes() == []
    with pytest.raises(Conflict):
        cluster.patch(ROUTE, {"metadata": {"resourceVersion": "1"}}, dry_run=True)
    with pytest.raises(Conflict, match='configmaps "mcp" already exists'):
        cluster.create(MAPS, {"metadata": {"name": "mcp"}}, dryRun="All")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", ["b1", "b2", "g1", "other"]),
        ("app=mcp", ["b1", "b2", "g1"]),
        ("app==mcp,pool=blue", ["b1", "b2"]),
        ("app=mcp,pool!=blue", ["g1"]),
        ("mcp.server/serving", ["b1"]),
        ("app,!mcp.server/serving", ["b2", "g1"]),
        ("pool in (blue, green),app", ["b1", "b2", "g1"]),
        ("pool notin (blue)", ["g1", "other"]),
        ("pool=bl", []),
    ],
)
def test_label_selectors(api: ApiServer, cluster: t.Any, selector: str, names: list[str]) -> None:
    for name, pool in (("b1", "blue"), ("b2", "blue"), ("g1", "green")):
        api.put(f"{PODS}/{name}", {"metadata": {"labels": {"app": "mcp", "pool": pool}}})
    api.change(f"{PODS}/b1", {"metadata": {"labels": {"mcp.server/serving": "true"}}})
    api.put(f"{PODS}/other", {})
    api.put("/api/v1/namespaces/test/pods/theirs", {"metadata": {"labels": {"app": "mcp", "pool": "blue"}}})
    assert [one["metadata"]["name"] for one in cluster.get(PODS, labelSelector=selector)["items"]] == names
    assert len(cluster.get("/api/v1/pods")["items"]) == 5


def test_field_selectors(api: ApiServer) -> None:
    events = "/api/v1/namespaces/prod/events"
    for kind in ("Pod", "Job"):
        api.put(f"{events}/{kind}", {"involvedObject": {"kind": kind}})
    found = api.get(events, fieldSelector="involvedObject.kind=Pod")["items"]
    assert [one["metadata"]["name"] for one in found] == ["Pod"]


@pytest.mark.parametrize(
    ("right", "group", "ask", "message"),
    [
        (
            "get configmaps",
            "",
            lambda one: one.get(MAP),
            'configmaps "mcp" is forbidden: .* cannot get .* in the namespace "prod"',
        ),
        (
            "list pods",
            "",
            lambda one: one.get(PODS),
            'pods is forbidden: User "releaser" cannot list resource "pods" in API group ""',
        ),
        ("list nodes", "", lambda one: one.get("/api/v1/nodes"), "at the cluster scope"),
        (
            "patch httproutes",
            "gateway.networking.k8s.io",
            lambda one: one.patch(ROUTE, {}),
            'httproutes.gateway.networking.k8s.io "mcp" is forbidden',
        ),
        (
            "create configmaps",
            "",
            lambda one: one.create(MAPS, {"metadata": {"name": "x"}}),
            "configmaps is forbidden: .* cannot create",
        ),
        ("delete configmaps", "", lambda one: one.delete(MAP), "cannot delete"),
        ("create pods/exec", "", lambda one: one.create(f"{PODS}/mcp/exec", {}), 'cannot create resource "pods/exec"'),
    ],
)
def test_rights(
    api: ApiServer,
    cluster: t.Any,
    right: str,
    group: str,
    ask: t.Callable[[t.Any], t.Any],
    message: str,
) -> None:
    verb, resource = right.split()
    assert cluster.may("prod", verb, group, resource)
    api.refused.add(right)
    assert not cluster.may("prod", verb, group, resource) and cluster.may("prod", "watch", group, resource)
    with pytest.raises(Forbidden, match=message):
        ask(cluster)
    assert api.objects[MAP]["data"] == {"a": "1"}


def test_paths_that_are_no_objects(cluster: t.Any) -> None:
    assert cluster.get("/version")["gitVersion"]
    with pytest.raises(NotFound, match="could not find the requested resource"):
        cluster.get("/nothing")
    with pytest.raises(NotFound, match='namespaces "prod" not found'):
        cluster.get("/api/v1/namespaces/prod")


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        (Conflict("changed"), Conflict),
        (Forbidden("no"), Forbidden),
        (NotFound("none"), NotFound),
        (Unreachable("away"), Unreachable),
        (Failure("odd"), Failure),
        (ConnectionResetError("reset"), Unreachable),
        (StatusError(429, "Too many requests, please try again later.", Retry_After="1"), Unreachable),
        (StatusError(500, "etcdserver: mvcc: database space exceeded"), Unreachable),
        (StatusError(500, "failed calling webhook"), Failure),
        (StatusError(422, "spec.replicas: Invalid value: -1"), Failure),
    ],
)
def test_faults(api: ApiServer, cluster: t.Any, given: Exception, raised: type[Exception]) -> None:
    api.fail(given, "GET", "/configmaps/", times=2)
    cluster.get(ROUTE)
    cluster.patch(MAP, {"data": {"b": "2"}})
    for _each in range(2):
        with pytest.raises(Failure) as caught:
            cluster.get(MAP)
        assert caught.value.__class__ is raised
    assert cluster.get(MAP)["data"] == {"a": "1", "b": "2"}


def test_faults_one_after_the_other(api: ApiServer, cluster: t.Any) -> None:
    for error in (Conflict("first"), Forbidden("second")):
        api.fail(error, "GET", MAP)
        api.call(lambda: api.change(MAP, {"data": {"n": str(len(api.log))}}), "GET", MAP)
    with pytest.raises(Conflict, match="first"):
        cluster.get(MAP)
    with pytest.raises(Forbidden, match="second"):
        cluster.get(MAP)
    assert cluster.get(MAP)["data"] == {"a": "1", "n": "3"}


def test_a_fault_lasts_until_it_is_cleared(api: ApiServer, cluster: t.Any) -> None:
    api.fail(Unreachable("away"), times=math.inf)
    for path in (MAP, ROUTE, MAP):
        with pytest.raises(Unreachable):
            cluster.get(path)
    api.rules.clear()
    assert cluster.get(MAP)


def test_an_answer_that_is_lost(api: ApiServer) -> None:
    api.fail(ConnectionResetError(), "PATCH", after=True)
    with serving(api) as url, pytest.raises(Unanswered):
        real(url, patience=0.1).patch(MAP, {"data": {"b": "2"}})
    assert api.objects[MAP]["data"] == {"a": "1", "b": "2"}


def test_others_write_in_between(api: ApiServer, cluster: t.Any) -> None:
    number = version(cluster.get(MAP))
    api.call(lambda: api.change(MAP, {"data": {"theirs": "1"}}), "PATCH", MAP)
    for wins in (False, True):
        body = {"metadata": {"resourceVersion": number}, "data": {"ours": "1"}}
        if wins:
            cluster.patch(MAP, body)
            break
        with pytest.raises(Conflict):
            cluster.patch(MAP, body)
        number = version(cluster.get(MAP))
    assert api.objects[MAP]["data"] == {"a": "1", "theirs": "1", "ours": "1"}
    assert [method for method, _path in api.asked()] == ["GET", "PATCH", "GET", "PATCH"]
    assert [one.body["data"] for one in api.writes("/configmaps/")] == 2 * [{"ours": "1"}]


def test_a_controller_follows_each_write(api: ApiServer, cluster: t.Any) -> None:
    def accept(path: str) -> None:
        generation = api.objects[path]["metadata"]["generation"]
        api.change(f"{path}/status", {"status": {"observedGeneration": generation}})

    api.controllers.append(accept)
    for blue in (90, 50):
        moved = cluster.patch(ROUTE, {"spec": weights(blue, 100 - blue)})
        seen = cluster.get(ROUTE)
        assert seen["status"]["observedGeneration"] == moved["metadata"]["generation"]
        assert version(seen) != version(moved)
    made = cluster.create(ROUTE.rpartition("/")[0], {"metadata": {"name": "new"}, "spec": {}})
    assert "status" not in made and cluster.get(ROUTE.replace("/mcp", "/new"))["status"] == {"observedGeneration": 1}


def test_slow_answers(api: ApiServer, cluster: t.Any) -> None:
    api.slow(0.3, "GET", MAP)
    started = time.monotonic()
    cluster.get(ROUTE)
    assert time.monotonic() - started < 0.3
    cluster.get(MAP)
    assert time.monotonic() - started >= 0.3


def test_port_forward(api: ApiServer) -> None:
    with pytest.raises(NotFound):
        api.port_forward("prod", "pod", 8080)
    api.put(f"{PODS}/pod", {})
    with pytest.raises(Failure, match="Cannot forward a port to prod/pod"):
        api.port_forward("prod", "pod", 8080)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        api.ports["pod"] = listening.getsockname()[1]
        api.port_forward("prod", "pod", 8080).close()
    assert api.log[-1].query == {"ports": "8080"}


def test_its_clock(api: ApiServer) -> None:
    assert abs((api.now() - datetime.now(UTC)).total_seconds()) < 1
    api.ahead = 3600.0
    assert (api.now() - datetime.now(UTC)).total_seconds() == pytest.approx(3600, abs=1) and api.server_time()
    api.ahead = None
    assert api.server_time() is None
    api.clock = lambda: datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert api.create(MAPS, {"metadata": {"name": "new"}})["metadata"]["creationTimestamp"] == "2030-01-02T03:04:05Z"
    with serving(api) as url:
        answer = requests.get(f"{url}{MAPS}/none", timeout=5)
    assert parsedate_to_datetime(answer.headers["Date"]) == api.now()
    assert answer.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": 'configmaps "none" not found',
        "reason": "NotFound",
        "code": 404,
    }


def test_status_objects_over_http(api: ApiServer) -> None:
    with serving(api) as url:
        cases = [
            (409, "Conflict", MAP, {"metadata": {"resourceVersion": "1"}}, "merge-patch+json"),
            (422, "Invalid", MAP, [{"op": "remove", "path": "/nothing"}], "json-patch+json"),
            (415, "UnsupportedMediaType", MAP, {}, "json"),
        ]
        for status, reason, path, body, kind in cases:
            answer = requests.patch(url + path, json=body, headers={"Content-Type": f"application/{kind}"}, timeout=5)
            assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (status, status, reason)
        api.fail(StatusError(429, "Too many requests", Retry_After="3"))
        answer = requests.get(url + MAP, timeout=5)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
