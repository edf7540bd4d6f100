# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _preflight
from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

NAMESPACE = "/api/v1/namespaces/mcp-prod"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/mcp-prod/httproutes/mcp-server"
BLUE = "/apis/apps/v1/namespaces/mcp-prod/deployments/mcp-server-blue"
GREEN = "/apis/apps/v1/namespaces/mcp-prod/deployments/mcp-server-green"
PARAMS = {
    "namespace": "mcp-prod",
    "server": "mcp-server",
    "pool_name_format": "{server}-{pool}",
    "route": None,
    "container": None,
    "required_secrets": [{"name": "mcp-server-secrets", "keys": ["DATABASE_URL", "TOKEN"]}],
    "in_pod_checks": False,
    "guard": False,
    "gitops_ignores": [],
}


def deployment(pool):
    template = {"metadata": {"labels": {"app": "mcp-server", "pool": pool}}, "spec": {"containers": [{"name": "mcp-server", "image": "x:v1.1.5"}]}}
    return {"spec": {"replicas": 2, "template": template}}


def service(pool):
    return {"spec": {"selector": {"app": "mcp-server", "pool": pool}}}


GATEWAY = {"name": "edge", "namespace": "gateways"}


def conditions(generation=1, accepted="True"):
    return [{"type": kind, "status": accepted, "observedGeneration": generation, "message": "x"} for kind in ("Accepted", "ResolvedRefs")]


def encoded(text):
    return base64.b64encode(text.encode()).decode()


GOOD = {
    "/version": {"gitVersion": "v1.35.4"},
    NAMESPACE: {"status": {"phase": "Active"}},
    BLUE: deployment("blue"),
    GREEN: deployment("green"),
    f"{NAMESPACE}/services/mcp-server-blue": service("blue"),
    f"{NAMESPACE}/services/mcp-server-green": service("green"),
    ROUTE: {
        "metadata": {"generation": 1},
        "spec": {
            "parentRefs": [GATEWAY],
            "rules": [{"backendRefs": [{"name": "mcp-server-blue", "weight": 100}, {"name": "mcp-server-green", "weight": 0}]}],
        },
        "status": {"parents": [{"parentRef": GATEWAY, "conditions": conditions()}]},
    },
    f"{NAMESPACE}/secrets/mcp-server-secrets": {"data": {"DATABASE_URL": encoded("s3cret"), "TOKEN": encoded("t0ken")}},
    "/api/v1/nodes/node-1": {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
}
GONE = None


def cluster(objects, refused):
    """Return a good cluster, but for some objects, and with some rights refused."""
    api = ApiServer(GOOD)
    api.host = "https://api.example:6443"
    api.refused.update(refused)
    for path, found in objects.items():
        if found is GONE:
            del api.objects[path]
        elif isinstance(found, Failure):
            api.fail(found, "GET", path)
        else:
            api.put(path, found)
    return api


@pytest.fixture
def run(monkeypatch):
    def go(objects=None, refused=(), **params):
        monkeypatch.setattr(_preflight, "connect", lambda params: cluster(objects or {}, refused))
        return _preflight.run(Task({**PARAMS, **params}))["checks"]

    return go


def test_all_good(run):
    checks = run()
    assert [check["name"] for check in checks] == [name for name, _look in _preflight.CHECKS]
    assert all(check["ok"] and not check["skipped"] and check["seconds"] >= 0 for check in checks)
    assert "s3cret" not in str(checks)
    assert [check["sentence"] for check in checks] == [
        "The API server https://api.example:6443 answers, Kubernetes v1.35.4.",
        "Namespace mcp-prod exists.",
        "We have all rights in namespace mcp-prod that a release needs.",
        "Deployment mcp-prod/mcp-server-blue has 2 replicas of x:v1.1.5.",
        "Deployment mcp-prod/mcp-server-green has 2 replicas of x:v1.1.5.",
        "Service mcp-prod/mcp-server-blue selects its own pool only.",
        "Service mcp-prod/mcp-server-green selects its own pool only.",
        "HTTPRoute mcp-prod/mcp-server is in force, with blue at 100 % and green at 0 %.",
        "No GitOps tool holds what a release writes.",
        "The required Secrets (mcp-server-secrets) are there.",
        "All 1 nodes are Ready.",
    ]


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"/version": Unreachable("The API server x does not answer.")}, "The API server x does not answer."),
        ({NAMESPACE: GONE}, "Namespace mcp-prod does not exist on https://api.example:6443"),
        ({NAMESPACE: {"status": {"phase": "Terminating"}}}, "Namespace mcp-prod is being deleted"),
        ({GREEN: GONE}, "Deployment mcp-prod/mcp-server-green does not exist"),
        ({GREEN: deployment("blue")}, "mcp-server-green: its pods must have .* pool=green, but has app=mcp-server,pool=blue"),
        ({f"{NAMESPACE}/services/mcp-server-blue": GONE}, "Service mcp-prod/mcp-server-blue does not exist"),
        ({f"{NAMESPACE}/services/mcp-server-blue": service("green")}, "mcp-server-blue: its selector must have"),
        ({f"{NAMESPACE}/services/mcp-server-blue": {"spec": {}}}, "but has none"),
        ({f"{NAMESPACE}/services/mcp-server-blue": {"spec": {"selector": {"pool": "blue"}}}}, "app=mcp-server and pool=blue"),
        ({ROUTE: GONE}, "HTTPRoute mcp-prod/mcp-server does not exist"),
        (
            {ROUTE: {**GOOD[ROUTE], "spec": {"rules": [{"backendRefs": [{"name": "mcp-server-blue"}]}]}}},
            "add Service mcp-server-green",
        ),
        (
            {ROUTE: {**GOOD[ROUTE], "status": {"parents": [{"parentRef": GATEWAY, "conditions": conditions(accepted="False")}]}}},
            "not in force: .* Accepted is False",
        ),
        ({f"{NAMESPACE}/secrets/mcp-server-secrets": GONE}, "Secret mcp-server-secrets does not exist"),
        ({f"{NAMESPACE}/secrets/mcp-server-secrets": {"data": {"TOKEN": encoded(" \n")}}}, "has no value for DATABASE_URL, TOKEN"),
        ({f"{NAMESPACE}/secrets/mcp-server-secrets": {}}, "has no value for DATABASE_URL, TOKEN"),
        ({"/api/v1/nodes/node-2": {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}}, r"1 of 2 nodes are not Ready \(node-2\)"),
    ],
)
def test_one_thing_missing(run, objects, message):
    with pytest.raises(Failure, match=message) as failure:
        run(objects)
    failed = [check for check in failure.value.evidence["checks"] if not check["ok"]]
    assert len(failed) == 1
    assert failure.value.msg == failed[0]["sentence"]


def test_a_secret_that_we_may_not_read(run):
    with pytest.raises(Failure, match="we may not read Secret mcp-server-secrets"):
        run(refused=["get secrets"])


@pytest.mark.parametrize("right", ["get namespaces", "list nodes"])
def test_what_we_may_not_see_is_skipped(run, right):
    skipped = [check for check in run(refused=[right]) if check["skipped"]]
    assert [(check["ok"], "not permitted to look" in check["sentence"]) for check in skipped] == [(True, True)]


def test_all_failures_at_once(run):
    with pytest.raises(Failure) as failure:
        run({ROUTE: GONE, GREEN: GONE}, refused=["patch httproutes"])
    assert failure.value.msg == (
        "In namespace mcp-prod we may not patch httproutes.gateway.networking.k8s.io: grant the Role in the collection's README to this user. "
        "Deployment mcp-prod/mcp-server-green does not exist on https://api.example:6443: create it, or correct server and pool_name_format. "
        "HTTPRoute mcp-prod/mcp-server does not exist on https://api.example:6443: create it, or correct route and route_kind."
    )


@pytest.mark.parametrize(("path", "made"), [("/version", 1), (NAMESPACE, 2)])
def test_nothing_more_is_asked_without_its_premise(run, path, made):
    with pytest.raises(Failure) as failure:
        run({path: GONE})
    assert len(failure.value.evidence["checks"]) == made


def test_exec_is_needed_only_for_checks_in_pods(run):
    assert run(refused=["create pods/exec"])
    with pytest.raises(Failure, match="may not create pods/exec:"):
        run(refused=["create pods/exec"], in_pod_checks=True)


def test_events_are_not_needed(run):
    sentence = run(refused=["list events"])[2]["sentence"]
    assert sentence.endswith("; we do without list events (the reasons why pods are not ready).")
