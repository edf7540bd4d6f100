# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found on a cluster of plain dicts; other modules' functions, which have tests of their own, are stood in for."""

from __future__ import annotations

import copy
import json
import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._plan import facts, module
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._cluster.timed import Timed

NEW = "r.io/mcp:v1.2.0"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"
PUBLIC = "/api/v1/namespaces/prod/services/public"
PARAMS = {
    **{name: option.get("default") for name, option in module.SPEC.options.items()},
    "namespace": "prod",
    "server": "mcp",
    "version": "v1.2.0",
    "image": "r.io/mcp",
    "steps": [{"weight": 10, "seconds": 5.0}, {"weight": 100, "seconds": 1.0}],
    "endpoint": {"url": "https://mcp.example"},
}


def deployment(pool: str) -> str:
    return f"/apis/apps/v1/namespaces/prod/deployments/mcp-{pool}"


def pod(pool: str, number: int) -> dict[str, t.Any]:
    status = {"name": "mcp", "ready": True, "imageID": f"r.io/mcp@sha256:{pool}"}
    ready = {"type": "Ready", "status": "True"}
    return {
        "metadata": {"name": f"{pool}-{number}", "labels": {"app": "mcp", "pool": pool}, "resourceVersion": "1"},
        "status": {"containerStatuses": [status], "conditions": [ready]},
    }


class Cluster(Timed):
    """blue is live and has 2 pods, green has none. refusals: what is raised for a dry run of a path. written: what would really be."""

    host = "https://cluster"

    def __init__(self) -> None:
        self.refusals: dict[str, Failure] = {}
        self.objects: dict[str, t.Any] = {
            ROUTE: {
                "metadata": {"resourceVersion": "1"},
                "spec": {"rules": [{"backendRefs": [{"name": "mcp-blue", "weight": 100}, {"name": "mcp-green", "weight": 0}]}]},
            },
            PUBLIC: {"metadata": {"resourceVersion": "1"}, "spec": {"selector": {"app": "mcp", "pool": "blue"}}},
            **{
                deployment(pool): {"spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "mcp", "image": "r.io/mcp:v1.1.5"}]}}}}
                for pool, replicas in (("blue", 2), ("green", 0))
            },
        }

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        pools = [pool for pool in ("blue", "green") if pool in query.get("labelSelector", "")] or ["blue", "green"]
        if path.endswith("/pods"):
            return {"items": [pod("blue", number) for number in range(2)] if "blue" in pools else []}
        if path.endswith("/endpointslices"):
            return {"items": [{"endpoints": [{"addresses": [f"10.0.0.{n}"]} for n in range(2)]}] if "blue" in pools else []}
        if path not in self.objects:
            raise NotFound(f"Not in the cluster: {path}.")
        return copy.deepcopy(self.objects[path])

    def patch(self, path: str, body: t.Any, kind: str = "merge", *, dry_run: bool = False) -> dict[str, t.Any]:
        assert dry_run, "a plan writes nothing"
        if path in self.refusals:
            raise self.refusals[path]
        return copy.deepcopy(self.objects[path])


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    one = Cluster()
    names = ("API server", "namespace", "blue Deployment", "green Deployment", "route")
    monkeypatch.setattr(facts, "connect", lambda _params: one)
    monkeypatch.setattr(facts._preflight, "checks", lambda _context: [{"name": name, "ok": True, "sentence": ""} for name in names])
    monkeypatch.setattr(facts._version_check, "run", lambda _task: {"image": {"digest": "sha256:new"}})
    monkeypatch.setattr(facts.health_module, "run", lambda _task: {})
    return one


def search(**params: t.Any) -> facts.Facts:
    return facts.Search(Task({**PARAMS, **params})).facts()


def test_all_that_is_known(cluster: Cluster) -> None:
    found = search()
    assert found.problems == ()
    assert (found.live, found.idle, found.digest, found.image) == ("blue", "green", "sha256:new", NEW)
    assert found.pools["blue"] == facts.Pool("r.io/mcp:v1.1.5", 2, 2, "sha256:blue") and found.pools["green"].ready == 0
    assert found.steps == (facts.Step(10, 5.0, 10), facts.Step(100, 1.0, 100))
    place = ("HTTPRoute prod/mcp", "/spec/rules/0/backendRefs/1/weight")
    assert [write[place] for write in found.writes] == [10, 100] and found.written[place] == 0


def holds(cluster: Cluster, run: str) -> None:
    now = datetime.now(UTC).isoformat()
    cluster.objects[LEASE] = {
        "metadata": {"resourceVersion": "1", "annotations": {"mcp.server/by": "eva@runner"}},
        "spec": {"holderIdentity": run, "renewTime": now, "acquireTime": now},
    }


def paused(cluster: Cluster) -> None:
    cluster.objects[deployment("green")]["spec"]["paused"] = True


def half(cluster: Cluster) -> None:
    for backend in cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]:
        backend["weight"] = 50


def refused(cluster: Cluster) -> None:
    cluster.refusals = {deployment("green"): Failure("A webhook refuses it."), ROUTE: Conflict("Changed meanwhile.")}


@pytest.mark.parametrize(
    ("change", "params", "said"),
    [
        (lambda one: holds(one, "theirs"), {}, ["A release of prod/mcp is under way: eva@runner"]),
        (lambda one: holds(one, "theirs"), {"take_over": True}, []),
        (paused, {}, ["Deployment prod/mcp-green is paused"]),
        (half, {}, ["Which pool of prod/mcp is live can't be told"]),
        (refused, {}, ["A webhook refuses it.", "Changed meanwhile."]),
        (lambda one: one.refusals.update({deployment("green"): Forbidden("no")}), {}, []),
        (lambda one: one.objects.update({RECORD: {"metadata": {}, "data": {"current": "[]"}}}), {}, ["is not a release record"]),
        (lambda one: None, {"steps": [{"weight": 50, "seconds": 1}, {"weight": 10, "seconds": 1}]}, ["go up and down"]),
        (lambda one: None, {"problems": ["The session mode forbids percentages."]}, ["The session mode forbids percentages."]),
    ],
)
def test_what_would_fail(cluster: Cluster, change: t.Callable[[Cluster], t.Any], params: dict[str, t.Any], said: list[str]) -> None:
    change(cluster)
    problems = search(**params).problems
    assert len(problems) == len(said), problems
    for words, problem in zip(said, problems, strict=True):
        assert words in problem


def test_a_share_that_a_plain_service_does_not_reach(cluster: Cluster) -> None:
    steps = [{"weight": weight, "seconds": 1.0} for weight in (10, 50, 100)]
    found = search(route_kind="service", route="public", steps=steps)
    (problem,) = found.problems
    assert "can't give green 10 %" in problem
    assert [step.reached for step in found.steps] == [None, 50, 100]
    nearest = search(route_kind="service", route="public", steps=steps, route_nearest=True)
    assert nearest.problems == () and nearest.steps[0].reached == 33


def test_a_release_that_goes_on_and_one_that_is_done(cluster: Cluster) -> None:
    running = {
        "id": "x",
        "reason": "",
        "outcome": "running",
        "steps": [],
        "from": {"pool": "blue"},
        "to": {"pool": "green", "image": NEW},
        "started": "2026-11-23T12:00:00.000Z",
    }
    cluster.objects[RECORD] = {"metadata": {"resourceVersion": "1"}, "data": {"current": json.dumps(running)}}
    half(cluster)
    found = search()
    assert (found.problems, found.live, found.resumed) == ((), "blue", True)
    del cluster.objects[RECORD]
    cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"][0]["weight"] = 100
    cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"][1]["weight"] = 0
    cluster.objects[deployment("blue")]["spec"]["template"]["spec"]["containers"][0]["image"] = NEW
    assert search().already_live


@pytest.mark.parametrize("missing", ["API server", "namespace"])
def test_without_a_cluster_the_rest_is_told(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(facts._preflight, "checks", lambda _context: [{"name": missing, "ok": False, "sentence": f"No {missing}."}])

    def broken(_task: Task) -> dict[str, t.Any]:
        raise Failure("It does not answer.")

    monkeypatch.setattr(facts.health_module, "run", broken)
    found = search()
    assert found.problems == (f"No {missing}.", "It does not answer.")
    assert (found.live, found.pools, found.digest) == (None, {}, "sha256:new")
