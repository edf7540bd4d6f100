# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found on a cluster of plain dicts. The functions of other modules, which have their own tests, are faked."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health, mcp_plan_info, mcp_version_check
from ansible_collections.mcp.server.plugins.module_utils._plan import facts
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

NEW = "r.io/mcp:v1.2.0"
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"
PUBLIC = "/api/v1/namespaces/prod/services/public"
PARAMS = {
    **{name: option.get("default") for name, option in mcp_plan_info.SPEC.options.items()},
    "namespace": "prod",
    "server": "mcp",
    "version": "v1.2.0",
    "image": "r.io/mcp",
    "steps": [{"weight": 10, "seconds": 5.0}, {"weight": 100, "seconds": 1.0}],
    "endpoint": {"url": "https://mcp.example"},
}


def deployment(pool: str) -> str:
    return f"/apis/apps/v1/namespaces/prod/deployments/mcp-{pool}"


def objects() -> dict[str, t.Any]:
    """Return a server whose pool blue is live and has 2 pods, and whose pool green has none."""
    found: dict[str, t.Any] = {
        **pool_services(),
        ROUTE: {
            "spec": {
                "rules": [{"backendRefs": [{"name": "mcp-blue", "weight": 100}, {"name": "mcp-green", "weight": 0}]}]
            }
        },
        PUBLIC: {"spec": {"selector": {"app": "mcp", "pool": "blue"}}},
    }
    for pool, replicas in (("blue", 2), ("green", 0)):
        template = {"spec": {"containers": [{"name": "mcp", "image": "r.io/mcp:v1.1.5"}]}}
        found[deployment(pool)] = {"spec": {"replicas": replicas, "template": template}}
    for number in range(2):
        status = {"name": "mcp", "ready": True, "imageID": f"r.io/mcp@{A}"}
        found[f"/api/v1/namespaces/prod/pods/blue-{number}"] = {
            "metadata": {"labels": {"app": "mcp", "pool": "blue"}},
            "status": {"containerStatuses": [status], "conditions": [{"type": "Ready", "status": "True"}]},
        }
    for service in ("mcp-blue", "public"):
        found[f"/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices/{service}-1"] = {
            "metadata": {"labels": {"kubernetes.io/service-name": service}},
            "endpoints": [{"addresses": [f"10.0.0.{number}"]} for number in range(2)],
        }
    return found


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[ApiServer]:
    one = ApiServer(objects())
    good = [{"id": check[0], "ok": True, "message": ""} for check in facts.preflight_checks.CHECKS]
    monkeypatch.setattr(facts, "connect", lambda _params: one)
    monkeypatch.setattr(facts.preflight_checks, "checks", lambda _context: good)
    monkeypatch.setattr(mcp_version_check, "run", lambda _task: {"registry_image": {"digest": B}})
    monkeypatch.setattr(mcp_health, "run", lambda _task: {})
    yield one
    assert one.writes() == [], "a plan writes nothing"


def modules() -> facts.Modules:
    """Those of the collection, as a test has patched them."""
    return facts.Modules((mcp_version_check.SPEC, mcp_version_check.run), (mcp_health.SPEC, mcp_health.run))


def search(**params: t.Any) -> facts.Facts:
    return facts.Search(Task({**PARAMS, **params}), modules()).facts()


def test_all_that_is_known(cluster: ApiServer) -> None:
    found = search()
    assert found.problems == ()
    assert (found.live, found.idle, found.digest, found.image_ref) == ("blue", "green", B, f"{NEW}@{B}")
    assert found.pools["blue"] == facts.Pool("r.io/mcp:v1.1.5", 2, 2, A)
    assert found.pools["green"] == facts.Pool("r.io/mcp:v1.1.5", 0, 0, "")
    assert found.steps == (facts.Step(10, 5.0, 10, 10.0), facts.Step(100, 1.0, 100, 100.0))
    place = ("HTTPRoute prod/mcp", "/spec/rules/0/backendRefs/1/weight")
    assert [write[place] for write in found.writes] == [10, 100] and found.current_values[place] == 0


def test_another_backend_testers_and_a_mirror(cluster: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_plan_info, "MODULES", modules())
    rules = cluster.objects[ROUTE]["spec"]["rules"]
    pools = [{"name": "mcp-blue", "weight": 0}, {"name": "mcp-green", "weight": 100}]
    rules.append({"matches": [{"headers": [{"name": "x-test", "value": "1"}]}], "backendRefs": pools})
    rules[0]["backendRefs"].append({"name": "docs", "weight": 300})
    rules[0]["filters"] = [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "mcp-green"}}}]
    found = search()
    assert found.problems == () and found.weights == {"blue": 100, "green": 0}
    assert found.of_all_traffic == {"blue": 25.0, "green": 0.0}
    assert [step.of_all_traffic for step in found.steps] == [2.5, 25.0]
    assert found.route_notes == (
        "rule 0 gives 75 % of its traffic to other backends",
        "rule 0 sends copies of all its requests to green, which count in that pool's metrics",
        "rule 1 (requests with header x-test) leads to blue at 0 % and green at 100 % and is left alone",
    )
    assert not [place for write in found.writes for place in write if "/rules/1/" in place[1]]
    result = mcp_plan_info.run(Task(PARAMS))
    assert result["plan"]["steps"][0]["of_all_traffic"] == 2.5 and result["plan"]["route_notes"][0].startswith("rule 0")
    assert "  step 1   10 % to green (2.5 % of the route's traffic), watched for 5 s" in result["lines"]


def holds(cluster: ApiServer, run: str) -> None:
    now = datetime.now(UTC).isoformat()
    spec = {"holderIdentity": run, "renewTime": now, "acquireTime": now}
    cluster.put(LEASE, {"metadata": {"annotations": {"mcp.server/by": "eva@runner"}}, "spec": spec})


def paused(cluster: ApiServer) -> None:
    cluster.objects[deployment("green")]["spec"]["paused"] = True


def half(cluster: ApiServer) -> None:
    for backend in cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]:
        backend["weight"] = 50


def refused(cluster: ApiServer) -> None:
    cluster.fail(Failure("A webhook refuses it."), "PATCH", deployment("green"))
    cluster.fail(Conflict("Changed meanwhile."), "PATCH", ROUTE)


@pytest.mark.parametrize(
    ("change", "params", "said"),
    [
        (lambda one: holds(one, "theirs"), {}, ["A release of prod/mcp is in progress (by eva@runner"]),
        (lambda one: holds(one, "theirs"), {"take_over": True}, []),
        (paused, {}, ["Deployment prod/mcp-green is paused"]),
        (half, {}, ["Cannot tell which pool of prod/mcp is live"]),
        (refused, {}, ["A webhook refuses it.", "Changed meanwhile."]),
        (lambda one: one.fail(Forbidden("no"), "PATCH", deployment("green")), {}, []),
        (lambda one: one.put(RECORD, {"data": {"current": "[]"}}), {}, ["is not a release record"]),
        (lambda one: None, {"steps": [{"weight": 50, "seconds": 1}, {"weight": 10, "seconds": 1}]}, ["decrease"]),
        (
            lambda one: None,
            {"problems": ["The session mode forbids percentages."]},
            ["The session mode forbids percentages."],
        ),
    ],
)
def test_what_would_fail(
    cluster: ApiServer, change: t.Callable[[ApiServer], t.Any], params: dict[str, t.Any], said: list[str]
) -> None:
    change(cluster)
    problems = search(**params).problems
    assert len(problems) == len(said), problems
    for words, problem in zip(said, problems, strict=True):
        assert words in problem


def test_a_share_that_a_plain_service_does_not_reach(cluster: ApiServer) -> None:
    steps = [{"weight": weight, "seconds": 1.0} for weight in (10, 50, 100)]
    found = search(route_kind="service", route="public", steps=steps)
    (problem,) = found.problems
    assert "can't give green 10 %" in problem
    assert [step.reached for step in found.steps] == [None, 50, 100]
    nearest = search(route_kind="service", route="public", steps=steps, route_nearest=True)
    assert nearest.problems == () and nearest.steps[0].reached == 33


def test_a_release_that_goes_on_and_one_that_is_done(cluster: ApiServer) -> None:
    running = {
        "id": "x",
        "reason": "",
        "outcome": "running",
        "steps": [],
        "from": {"pool": "blue"},
        "to": {"pool": "green", "image_ref": NEW},
        "started": "2026-11-23T12:00:00.000Z",
    }
    cluster.put(RECORD, {"data": {"current": json.dumps(running)}})
    half(cluster)
    found = search()
    assert (found.problems, found.live, found.resumed) == ((), "blue", True)
    del cluster.objects[RECORD]
    cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"][0]["weight"] = 100
    cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"][1]["weight"] = 0
    cluster.objects[deployment("blue")]["spec"]["template"]["spec"]["containers"][0]["image"] = NEW
    assert search().already_live


@pytest.mark.parametrize("missing", ["api_server", "namespace"])
def test_without_a_cluster_the_rest_is_told(cluster: ApiServer, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    check = {"id": missing, "ok": False, "required": True, "message": f"No {missing}."}
    monkeypatch.setattr(facts.preflight_checks, "checks", lambda _context: [check])

    def broken(_task: Task) -> dict[str, t.Any]:
        raise Failure("It does not answer.")

    monkeypatch.setattr(mcp_health, "run", broken)
    found = search()
    assert found.problems == (f"No {missing}.", "It does not answer.")
    assert (found.live, found.pools, found.digest) == (None, {}, B)


def test_it_does_not_wait_for_an_unwell_server_as_long_as_for_a_rollout(
    cluster: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(mcp_health, "run", lambda task: waits.append(task.params["wait_timeout"]) or {})
    assert search(wait_timeout=600.0, contract_check=True).wait_timeout == 600.0
    assert waits == [0.0, 0.0]


def test_a_version_that_arrives_as_a_number_is_refused(cluster: ApiServer) -> None:
    with pytest.raises(Failure, match="version is 1.1, which is a number"):
        mcp_plan_info.run(Task({**PARAMS, "version": 1.1}))


@pytest.mark.parametrize(
    ("version", "image"),
    [("sha-abc1234", f"r.io/mcp:sha-abc1234@{B}"), ("sha256:" + "a" * 64, "r.io/mcp@sha256:" + "a" * 64)],
)
def test_versions_of_any_form(cluster: ApiServer, version: str, image: str) -> None:
    found = search(version=version)
    assert (found.image_ref, found.problems) == (image, ())


@pytest.mark.parametrize(("green", "problems", "warnings"), [(0, ["a", "b"], ["c"]), (50, [], ["a", "b", "c"])])
def test_what_is_needed_later(
    cluster: ApiServer, monkeypatch: pytest.MonkeyPatch, green: int, problems: list[str], warnings: list[str]
) -> None:
    """What a release can do without, and all of one that goes on with traffic, is a warning."""
    found = [
        facts.Finding(name, name, name != "c", ok, name, 0.0)
        for name, ok in (("a", False), ("fine", True), ("b", False), ("c", False))
    ]
    monkeypatch.setattr(facts, "check_dependencies", lambda _params, _server: found)
    if green:
        half(cluster)
    to = {"pool": "green", "image_ref": NEW, "version": "v1.2.0"}
    running = {
        "id": "x",
        "reason": "",
        "outcome": "running",
        "steps": [],
        "from": {"pool": "blue"},
        "to": to,
        "started": "2026-11-23T12:00:00.000Z",
    }
    cluster.put(RECORD, {"data": {"current": json.dumps(running)}})
    warned: list[str] = []
    assert list(facts.Search(Task(PARAMS, warn=warned.append), modules()).facts().problems) == problems
    assert warned == warnings
