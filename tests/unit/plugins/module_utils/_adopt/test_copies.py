# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the live pool's objects: what they keep, and what they must not have."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._adopt import copies
from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import Choice
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._server import Server

SERVER = Server(
    "prod",
    "w",
    "{server}-{pool}",
    "public",
    "",
    blue=PoolObjects("w", "Deployment", "w"),
    green=PoolObjects("w-green", "Deployment", "w-green"),
)
LIVE = {"app": "w", "tier": "backend"}
CHOICE = Choice({"app": "w-green", "tier": "backend"}, ("app",))
OURS = {"labels": {"app.kubernetes.io/managed-by": "mcp.server"}, "annotations": {"mcp.server/adopted": "w"}}
OF_THE_CLUSTER = {
    "name": "w",
    "namespace": "prod",
    "uid": "u",
    "resourceVersion": "1",
    "generation": 4,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "managedFields": [{}],
    "ownerReferences": [{"uid": "o"}],
    "finalizers": ["f"],
}


def deployment(pod: dict[str, t.Any] | None = None, **spec: t.Any) -> dict[str, t.Any]:
    template = {"metadata": {"labels": LIVE, "creationTimestamp": None}, "spec": pod or {"containers": [{"name": "w"}]}}
    return {
        "metadata": OF_THE_CLUSTER,
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "w"}}, "template": template, **spec},
        "status": {"replicas": 3},
    }


@pytest.mark.parametrize(
    ("key", "stays"),
    [
        ("team", True),
        ("example.com/release", True),
        ("prometheus.io/scrape", True),
        ("app.kubernetes.io/name", True),
        ("app.kubernetes.io/instance", True),
        ("release", True),
        ("app.kubernetes.io/managed-by", False),
        ("helm.sh/chart", False),
        ("meta.helm.sh/release-name", False),
        ("kubectl.kubernetes.io/last-applied-configuration", False),
        ("deployment.kubernetes.io/revision", False),
        ("argocd.argoproj.io/tracking-id", False),
        ("argocd.argoproj.io/instance", False),
        ("kustomize.toolkit.fluxcd.io/name", False),
        ("helm.toolkit.fluxcd.io/namespace", False),
        ("objectset.rio.cattle.io/id", False),
        ("fleet.cattle.io/bundle-id", False),
        ("kapp.k14s.io/app", False),
        ("scaledobject.keda.sh/name", False),
        ("configmanagement.gke.io/managed", False),
        ("mcp.server/run", False),
    ],
)
def test_no_tool_takes_a_copy_for_its_own(key: str, stays: bool) -> None:
    live = deployment()
    live["metadata"] = {**OF_THE_CLUSTER, "labels": {key: "value"}, "annotations": {key: "value"}}
    made = copies.workload(SERVER, live, "Deployment", CHOICE)
    for place in ("labels", "annotations"):
        assert (made["metadata"][place].get(key) == "value") is stays


def test_a_deployment_is_the_same_without_pods_and_with_other_labels() -> None:
    before = deployment(strategy={"type": "RollingUpdate"}, paused=False, minReadySeconds=5, revisionHistoryLimit=2)
    live = copy.deepcopy(before)
    live["spec"]["template"]["metadata"]["annotations"] = {
        "prometheus.io/scrape": "true",
        "kubectl.kubernetes.io/restartedAt": "now",
    }
    assert copies.workload(SERVER, live, "Deployment", CHOICE) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w-green", "namespace": "prod", **OURS},
        "spec": {
            "strategy": {"type": "RollingUpdate"},
            "minReadySeconds": 5,
            "revisionHistoryLimit": 2,
            "replicas": 0,
            "selector": {"matchLabels": {"app": "w-green"}},
            "template": {
                "metadata": {"labels": CHOICE.labels, "annotations": {"prometheus.io/scrape": "true"}},
                "spec": {"containers": [{"name": "w"}]},
            },
        },
    }
    assert before["spec"]["template"]["metadata"]["labels"] == LIVE  # the live one stays


def test_pods_keep_away_from_pods_of_their_own_pool() -> None:
    own, others = {"matchLabels": {"app": "w"}}, {"matchLabels": {"app": "cache"}}
    pod = {
        "containers": [],
        "affinity": {
            "nodeAffinity": {"x": 1},
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": others}]},
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": own}],
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": {"labelSelector": own}}
                ],
            },
        },
        "topologySpreadConstraints": [{"labelSelector": own, "maxSkew": 1}, {"maxSkew": 2}],
    }
    made = copies.workload(SERVER, deployment(pod), "Deployment", CHOICE)["spec"]["template"]["spec"]
    green = {"matchLabels": {"app": "w-green"}}
    away = made["affinity"]["podAntiAffinity"]
    assert away["requiredDuringSchedulingIgnoredDuringExecution"] == [{"labelSelector": green}]
    (preferred,) = away["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["podAffinityTerm"] == {"labelSelector": green}
    assert made["topologySpreadConstraints"] == [{"labelSelector": green, "maxSkew": 1}, {"maxSkew": 2}]
    assert made["affinity"]["podAffinity"] == pod["affinity"]["podAffinity"]
    assert made["affinity"]["nodeAffinity"] == {"x": 1}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"type": "ClusterIP", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"],
          "ipFamilyPolicy": "SingleStack"}, {"ipFamilyPolicy": "SingleStack"}),
        ({"type": "LoadBalancer", "clusterIP": "10.0.0.1", "loadBalancerIP": "1.2.3.4", "healthCheckNodePort": 30000,
          "externalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": True, "sessionAffinity": "ClientIP"},
         {"sessionAffinity": "ClientIP"}),
        ({"type": "ClusterIP", "clusterIP": "None"}, {"clusterIP": "None"}),
        ({"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"]},
         {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"]}),
    ],
)  # fmt: skip
def test_a_service_has_the_same_ports_and_no_address(spec: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    port = {"name": "mcp", "port": 80, "targetPort": "mcp", "protocol": "TCP", "appProtocol": "http"}
    live = {
        "metadata": {
            **OF_THE_CLUSTER,
            "annotations": {
                "external-dns.alpha.kubernetes.io/hostname": "w.example",
                "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
                "projectcontour.io/upstream-protocol.h2c": "mcp",
            },
        },
        "spec": {"selector": {"app": "w"}, "ports": [{**port, "nodePort": 30123}], **spec},
        "status": {"loadBalancer": {}},
    }
    made = copies.service(SERVER, live, CHOICE)
    assert made["spec"] == {"type": "ClusterIP", "selector": {"app": "w-green"}, "ports": [port], **expected}
    assert made["metadata"]["annotations"] == {
        "projectcontour.io/upstream-protocol.h2c": "mcp",
        "mcp.server/adopted": "w",
    }


def test_what_is_for_a_repository_has_no_mark_of_ours() -> None:
    one = copies.workload(SERVER, deployment(), "Deployment", CHOICE)
    assert copies.is_ours(one, SERVER)
    assert copies.for_repository(one)["metadata"] == {"name": "w-green", "namespace": "prod"}
    assert copies.is_ours(one, SERVER)
