# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read for it, and that a release is refused before anything is deployed."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_preflight, mcp_release
from ansible_collections.mcp.server.plugins.module_utils._preflight import checks
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/x"
GREEN = "/apis/apps/v1/namespaces/ns/deployments/x-green"
AUTOSCALER = "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers/x"
SERVER = Server("ns", "x", "{server}-{pool}", "x", "x")
ARGO_CD = {"metadata": {"labels": {"argocd.argoproj.io/instance": "shop"}}}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    api = ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v1"))
    Controllers(api)
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "x-green"}, "minReplicas": 1, "maxReplicas": 5}
    api.put(AUTOSCALER, {"spec": spec})
    monkeypatch.setattr(connection, "connect", lambda _params: api)
    monkeypatch.setattr(mcp_preflight, "connect", lambda _params: api)
    return api


def begin(**options: t.Any) -> dict[str, t.Any]:
    given = {"namespace": "ns", "server": "x", "state": "begun", "image_ref": "r/x:v2", "version": "v2", **options}
    validated = ArgumentSpecValidator(mcp_release.SPEC.options, **mcp_release.SPEC.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    return mcp_release.run(Task(validated.validated_parameters))


@pytest.mark.parametrize(
    ("path", "choice", "titles"),
    [
        (ROUTE, "route", {"spec.rules of HTTPRoute ns/x"}),
        (GREEN, "image", {"image of Deployment ns/x-green", "replicas of Deployment ns/x-green"}),
        (AUTOSCALER, "autoscaler", {"minReplicas of HorizontalPodAutoscaler ns/x"}),
    ],
)
def test_a_release_beside_a_tool_is_refused_unless_it_leaves_that_alone(
    cluster: ApiServer, path: str, choice: str, titles: set[str]
) -> None:
    cluster.change(path, ARGO_CD)
    found = gitops.find(cluster, SERVER)
    assert {f"{claim.field.title} of {claim.field.owner}" for claim in found} == titles
    choices = {claim.field.choice for claim in found}
    assert choice in choices
    with pytest.raises(Failure, match="Argo CD sets"):
        begin()
    assert all("/leases" in request.path for request in cluster.writes()), (
        "the Lease is taken and given back, and nothing else is written"
    )
    assert begin(gitops_ignores=sorted(choices))["run_id"]


@pytest.mark.parametrize("blue", [100, 0, 50, 90])
def test_the_weights_are_told_whatever_they_are(cluster: ApiServer, blue: int) -> None:
    weights = [
        {"op": "replace", "path": f"/spec/rules/0/backendRefs/{place}/weight", "value": value}
        for place, value in enumerate((blue, 100 - blue))
    ]
    cluster.change(ROUTE, weights, "json")
    cluster.change(ROUTE, ARGO_CD)
    assert {claim.field.choice for claim in gitops.find(cluster, SERVER)} == {"route"}


def test_what_is_away_or_forbidden_holds_nothing(cluster: ApiServer) -> None:
    for path in (ROUTE, GREEN, AUTOSCALER):
        cluster.change(path, ARGO_CD)
    cluster.fail(Forbidden("no"), "GET", ROUTE)
    cluster.fail(Forbidden("no"), "GET", "horizontalpodautoscalers")
    del cluster.objects[GREEN]
    assert gitops.find(cluster, SERVER) == []


def test_an_api_server_that_is_away_is_no_answer(cluster: ApiServer) -> None:
    cluster.fail(Unreachable("away"), "GET", ROUTE)
    with pytest.raises(Unreachable):
        gitops.find(cluster, SERVER)


def test_preflight_says_so(cluster: ApiServer) -> None:
    cluster.change(ROUTE, ARGO_CD)

    def look(**params: t.Any) -> dict[str, t.Any]:
        context = checks.Context(cluster, SERVER, {"gitops_ignores": [], **params})
        ((name, look),) = [(name, look) for identifier, name, look in checks.CHECKS if identifier == "gitops"]
        return checks._result("gitops", name, lambda: look(context))

    assert not look()["ok"] and "Argo CD sets spec.rules" in look()["message"]
    assert look(gitops_ignores=["route"])["ok"]
