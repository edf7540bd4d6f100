# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who would put a release back is seen before it begins: on real objects, with the managedFields that a real API server
keeps.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from playing import CONFIG, kubectl, module
from small_servers import Place, Small, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes servers of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

NAMESPACE = CONFIG["test_namespace"]
PLACE = Place(kubectl, NAMESPACE, CONFIG["public_host"], CONFIG["public_url"])
HOW = ("client-side", "server-side")
GROUPS = {"HTTPRoute": "gateway.networking.k8s.io", "Deployment": "apps"}
SUSPEND = "argocd app set shop --sync-policy none"


Object = dict[str, t.Any]


def as_in_git(kind: str, name: str) -> Object:
    """Return the manifest of an object as it is now, with the mark of an application of Argo CD."""
    found = json.loads(kubectl("-n", NAMESPACE, "get", f"{kind}.{GROUPS[kind]}", name, "-o", "json"))
    annotations = {"argocd.argoproj.io/tracking-id": f"shop:{GROUPS[kind]}/{kind}:{NAMESPACE}/{name}"}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": found["metadata"]["labels"], "annotations": annotations}
    return {"apiVersion": found["apiVersion"], "kind": kind, "metadata": metadata, "spec": found["spec"]}


def apply(manifest: Object, how: str, manager: str = "argocd-controller") -> None:
    force = ("--server-side", "--force-conflicts") if how == "server-side" else ()
    kubectl("apply", *force, f"--field-manager={manager}", "-f", "-", stdin=json.dumps(manifest))


@pytest.fixture(params=HOW)
def how(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server() -> t.Iterator[Small]:
    """A new one for each test: who owned a field once can't be undone."""
    with small_servers(PLACE, ["held"]) as servers:
        yield servers["held"]


def refusal(server: Small, *ignores: str) -> str:
    """Return what the check of preflight says when it fails, or an empty text."""
    result = module(
        "mcp_preflight",
        server=server.name,
        gitops_ignores=list(ignores),
        fails=True,
        required_secrets=[{"name": "not-there"}],
    )
    (check,) = [check for check in result["checks"] if check["id"] == "gitops"]
    return "" if check["ok"] else check["message"]


def test_a_route_that_is_put_back(server: Small, how: str) -> None:
    assert refusal(server) == ""
    apply(as_in_git("HTTPRoute", server.name), how)
    said = refusal(server)
    assert (
        said.startswith("Argo CD") and f"spec.rules of HTTPRoute {NAMESPACE}/{server.name}" in said and SUSPEND in said
    )
    assert refusal(server, "route") == ""
    begun = {"server": server.name, "state": "begun", "image_ref": f"{CONFIG['image']}:v1.2.0", "version": "v1.2.0"}
    assert module("mcp_release", **begun, fails=True)["msg"] == said
    assert not json.loads(
        kubectl("-n", NAMESPACE, "get", "configmap", f"{server.name}-release", "--ignore-not-found", "-o", "json")
        or "{}"
    )
    ours = module("mcp_release", **begun, gitops_ignores=["route"])["run_id"]
    module("mcp_release", server=server.name, state="ended", outcome="failed", run_id=ours)


def test_what_a_deployment_is_held_by(server: Small, how: str) -> None:
    manifest = as_in_git("Deployment", f"{server.name}-green")
    replicas = manifest["spec"].pop("replicas")
    apply(manifest, how)
    said = refusal(server)
    assert f"image of Deployment {NAMESPACE}/{server.name}-green" in said
    assert "replicas" not in said, "it is in no manifest"
    assert refusal(server, "image") == ""
    manifest["spec"]["replicas"] = replicas
    apply(manifest, how)
    assert f"replicas of Deployment {NAMESPACE}/{server.name}-green" in refusal(server, "image")


def test_an_autoscaler_of_keda(server: Small) -> None:
    name = f"keda-hpa-{server.name}"
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"scaledobject.keda.sh/name": server.name}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{server.name}-green"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3, "metrics": [metric]}
    autoscaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}
    try:
        apply(autoscaler, "client-side", "keda")
        said = refusal(server, "route", "image", "replicas")
        assert said.startswith("KEDA (keda) sets minReplicas of HorizontalPodAutoscaler")
        assert f"kubectl annotate scaledobject {server.name} -n {NAMESPACE} autoscaling.keda.sh/paused=true" in said
        assert refusal(server, "autoscaler") == ""
    finally:
        kubectl("-n", NAMESPACE, "delete", "hpa", name, "--ignore-not-found", "--wait=false")
