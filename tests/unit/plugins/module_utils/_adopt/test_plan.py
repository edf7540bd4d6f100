# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a server can't have a second pool, and what is said about one that can: tables."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._adopt import plan, refusals
from ansible_collections.mcp.server.plugins.module_utils._adopt.facts import Facts
from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import Choice
from ansible_collections.mcp.server.plugins.module_utils._install.manifests import Settings
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
ROUTE = {
    "kind": "HTTPRoute",
    "metadata": {"name": "public"},
    "spec": {"rules": [{"backendRefs": [{"name": "w", "port": 80}]}]},
}


def workload(name: str = "w", kind: str = "Deployment", labels: t.Any = None, **spec: t.Any) -> dict[str, t.Any]:
    labels = labels or {"app": "w", "tier": "backend"}
    pod = {"containers": [{"name": "w"}], **spec.pop("pod", {})}
    template = {"metadata": {"labels": labels}, "spec": pod}
    own = {"replicas": 2, "selector": {"matchLabels": {"app": labels["app"]}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {**own, **spec}}


def service(name: str = "w", **spec: t.Any) -> dict[str, t.Any]:
    own = {"selector": {"app": name}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"app": name}}, "spec": own}


def selecting(kind: str, name: str, key: str, selector: t.Any, **spec: t.Any) -> dict[str, t.Any]:
    return {"kind": kind, "metadata": {"name": name}, "spec": {key: selector, **spec}}


def facts(live: t.Any = None, front: t.Any = None, *others: t.Any, **more: t.Any) -> Facts:
    live, front = live or workload(), front or service()
    workloads = [live, *(one for one in others if one["kind"] != "Service")]
    services = [front, *(one for one in others if one["kind"] == "Service")]
    return Facts(live, front, workloads=workloads, services=services, **more)


def volume(**source: t.Any) -> dict[str, t.Any]:
    return {"pod": {"volumes": [{"name": "data", **source}]}}


CLAIM = {"persistentVolumeClaim": {"claimName": "c"}}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (facts(), None),
        (facts(workload(strategy={"type": "Recreate"})), "has the strategy Recreate"),
        (facts(workload(paused=True)), "is paused"),
        (facts(workload(pod={"hostNetwork": True})), "hostNetwork"),
        (facts(workload(pod={"containers": [{"ports": [{"containerPort": 1, "hostPort": 8080}]}]})), "hostPort 8080"),
        (facts(workload(**volume(**CLAIM)), claims={"c": ["ReadWriteOnce"]}), "claim c, which is ReadWriteOnce"),
        (facts(workload(**volume(**CLAIM)), claims={"c": ["ReadWriteOncePod"]}), "which is ReadWriteOncePod"),
        (facts(workload(**volume(**CLAIM)), claims={"c": ["ReadWriteOnce", "ReadWriteMany"]}), None),
        (facts(workload(**volume(**CLAIM)), claims={"c": ["ReadOnlyMany"]}), None),
        (facts(workload(**volume(**CLAIM))), "which can't be read"),
        (facts(workload(**volume(gcePersistentDisk={"pdName": "d"}))), "a disk (gcePersistentDisk)"),
        (facts(workload(**volume(gcePersistentDisk={"pdName": "d", "readOnly": True}))), None),
        (facts(workload(**volume(emptyDir={}))), None),
        (facts(workload(volumeClaimTemplates=[{}])), "volumeClaimTemplates"),
        (facts(None, service(type="ExternalName")), "is an ExternalName"),
        (facts(None, service(selector=None)), "has no selector"),
        (facts(None, service(selector={"app": "other"})), "does not select the pods of Deployment w"),
        (facts(None, service(type="LoadBalancer")), None),
        (facts(None, service(clusterIP="None")), None),
        (facts(None, None, workload("canary")), "also selects the pods of Deployment canary"),
        (facts(None, None, workload("s", "StatefulSet"), workload("d", "DaemonSet")), "DaemonSet d, StatefulSet s"),
        (facts(None, None, workload("other", labels={"app": "other"})), None),
        (facts(green_service=service("w-green")), "Service w-green exists already"),
        (facts(green_workload=workload("w-green")), "Deployment w-green exists already"),
        # Somebody else made a pool that fits, such as a repository.
        (facts(green_service=service("w-green"), green_workload=workload("w-green", labels={"app": "w-green"})), None),
        (facts(green_service=service("w-green"), green_workload=workload("w-green")), "exist already"),
    ],
)
def test_what_stands_against_a_second_pool(found: Facts, says: str | None) -> None:
    problems = refusals.problems(SERVER, found)
    assert len(problems) == (says is not None), problems
    assert says is None or says.replace("claim c", "PersistentVolumeClaim c") in problems[0]
    assert all(one.endswith(".") and "  " not in one for one in problems)


@pytest.mark.parametrize(
    ("blue", "green"),
    [
        (PoolObjects("w", "Deployment", "w"), PoolObjects("w-green", "Deployment", "w-green")),
        (PoolObjects("w-blue", "Deployment", "web"), PoolObjects("w-green", "Deployment", "web-green")),
        (PoolObjects("blue-w", "StatefulSet", "w-blue"), PoolObjects("blue-w-green", "StatefulSet", "w-green")),
    ],
)
def test_the_names_of_the_idle_pool(blue: PoolObjects, green: PoolObjects) -> None:
    assert plan.green_of(blue) == green


def noted(found: Facts, route: t.Any = None) -> list[str]:
    choice = plan.labels(SERVER, found)
    assert isinstance(choice, Choice)
    return plan.notes(SERVER, found, choice, route or ROUTE)


def policy(name: str, selector: t.Any, **spec: t.Any) -> dict[str, t.Any]:
    return selecting("NetworkPolicy", name, "podSelector", selector, **spec)


BY_APP = {"matchLabels": {"app": "w"}}
HELM = {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "r"}}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (facts(), None),
        (facts(policies=[policy("own", BY_APP)]), "own does not select the idle pool's pods, so they have a copy"),
        (facts(policies=[policy("all", {})]), None),
        (facts(policies=[policy("tier", {"matchLabels": {"tier": "backend"}})]), None),
        (
            facts(policies=[policy("db", {"matchLabels": {"app": "db"}},
                                   ingress=[{"from": [{"podSelector": BY_APP}]}])]),
            "NetworkPolicy db (ingress from pods) has the live pool's pods and not the idle pool's: add pods with "
            "app=w-green there.",
        ),
        (
            facts(policies=[policy("db", {"matchLabels": {"app": "db"}}, egress=[
                {"to": [{"podSelector": BY_APP, "namespaceSelector": {"matchLabels": {"team": "a"}}}]}])]),
            None,
        ),
        (facts(pod_monitors=[selecting("PodMonitor", "m", "selector", BY_APP)]), "add app=w-green to its selector"),
        (facts(service_monitors=[selecting("ServiceMonitor", "m", "selector", BY_APP)]), None),
        (facts(budgets=[selecting("PodDisruptionBudget", "all", "selector", {})]), "counts the pods of both pools"),
        (facts(budgets=[selecting("PodDisruptionBudget", "own", "selector", BY_APP)]), None),
        (facts(None, None, service("metrics", selector={"app": "w"})), "metrics selects the live pool's pods only"),
        (facts(None, service(type="LoadBalancer")), "is of type LoadBalancer"),
        (
            facts(autoscalers=[selecting("HorizontalPodAutoscaler", "h", "scaleTargetRef",
                                         {"kind": "Deployment", "name": "w"})]),
            "HorizontalPodAutoscaler h scales Deployment w, and the idle pool has none",
        ),
        (facts({**workload(), "metadata": {"name": "w", **HELM}}), "Deployment w belongs to Helm"),
        (facts(unseen=["podmonitors"]), "may not list podmonitors: check yourself that none of them selects"),
    ],
)  # fmt: skip
def test_what_is_said_about_an_adoption(found: Facts, says: str | None) -> None:
    notes = noted(found)
    assert len(notes) == (says is not None), notes
    assert says is None or says in notes[0]


def test_a_route_that_kubectl_applied_and_one_without_a_header() -> None:
    applied = {**ROUTE, "metadata": {"name": "public", "managedFields": [{"manager": "kubectl-client-side-apply"}]}}
    assert "HTTPRoute public was applied with kubectl" in noted(facts(), applied)[0]
    traefik = replace(SERVER, route_kind="traefik")
    choice = plan.labels(traefik, facts())
    assert isinstance(choice, Choice)
    assert "sets no header" in plan.notes(traefik, facts(), choice, {"spec": {}})[0]


def test_budgets_and_policies_get_copies_that_select_the_idle_pool() -> None:
    found = facts(
        budgets=[selecting("PodDisruptionBudget", "b", "selector", BY_APP, minAvailable=1)],
        policies=[policy("p", BY_APP, ingress=[{}]), policy("all", {})],
    )
    made = {(one["kind"], one["metadata"]["name"]): one for one in plan.make(SERVER, found, Settings(""), None).objects}
    assert list(made) == [
        ("Service", "w-green"),
        ("Deployment", "w-green"),
        ("PodDisruptionBudget", "w-green"),
        ("NetworkPolicy", "p-green"),
        ("Role", "w-releaser"),
    ]
    green = {"matchLabels": {"app": "w-green"}}
    assert made["PodDisruptionBudget", "w-green"]["spec"] == {"minAvailable": 1, "selector": green}
    assert made["NetworkPolicy", "p-green"]["spec"] == {"podSelector": green, "ingress": [{}]}


def test_a_budget_of_all_pods_gets_no_second_one_beside_it() -> None:
    """An eviction is refused where two budgets select a pod."""
    budgets = [selecting("PodDisruptionBudget", name, "selector", its) for name, its in (("own", BY_APP), ("all", {}))]
    made = plan.make(SERVER, facts(budgets=budgets), Settings(""), None).objects
    assert "PodDisruptionBudget" not in [one["kind"] for one in made]


def test_labels_that_nothing_keeps_apart_are_a_problem() -> None:
    live = workload(selector={"matchExpressions": [{"key": "job", "operator": "DoesNotExist"}]})
    (problem,) = plan.make(SERVER, facts(live), Settings(""), None).problems
    assert "No labels keep the idle pool's pods apart from the live ones: Deployment w would select them" in problem


def test_the_role_has_the_autoscaler_by_its_own_name() -> None:
    target = {"kind": "Deployment", "name": "w"}
    scaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "odd"}, "spec": {"scaleTargetRef": target}}
    for autoscalers, names in (([], ["w", "w-green"]), ([scaler], ["odd", "w-green"])):
        role = plan.make(SERVER, facts(autoscalers=autoscalers), Settings(""), None).objects[-1]
        named = [
            one["resourceNames"]
            for one in role["rules"]
            if one["resources"] == ["horizontalpodautoscalers"] and "resourceNames" in one
        ]
        assert named == [names]


def test_pods_that_the_idle_pool_has_already_need_no_room_in_a_quota() -> None:
    """A second run, while a release has both pools at full size."""
    quota = {"metadata": {"name": "q"}, "spec": {}, "status": {"hard": {"pods": "4"}, "used": {"pods": "4"}}}
    green, front = workload("w-green", labels={"app": "w-green"}), service("w-green")
    there = facts(None, None, green, front, quotas=[quota], green_workload=green, green_service=front)
    assert refusals.problems(SERVER, there) == []
    assert refusals.problems(SERVER, facts(quotas=[quota])) != []
