# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.field_managers import (
    TAKEN,
    Writer,
    holds,
    sentence,
    taken_from,
    tools,
    writer_of,
)

UNKNOWN = Writer("unknown")
WEIGHT = "/spec/rules/0/backendRefs/1/weight"
IMAGE = "/spec/template/spec/containers/1/image"
RULES = {"f:spec": {"f:rules": {}}}
SERVER = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"server"}': {".": {}, "f:image": {}}}}}}}


def entry(manager="argocd-controller", fields=None, time="2026-11-26T07:55:03Z", operation="Update", **more):
    fields = RULES if fields is None else fields
    return {"manager": manager, "operation": operation, "time": time, "fieldsV1": fields, **more}


def an_object(*entries, labels=None, annotations=None, owners=None, kind="HTTPRoute", **more):
    metadata = {"name": "mcp", "namespace": "prod", "labels": labels, "annotations": annotations}
    containers = [{"name": "proxy", "image": "p:1"}, {"name": "server", "image": "s:1"}]
    spec = {
        "rules": [{"backendRefs": [{"weight": 100}, {"weight": 0}]}],
        "template": {"spec": {"containers": containers}},
    }
    metadata |= {"managedFields": list(entries), "ownerReferences": owners}
    return {"kind": kind, "metadata": metadata, "spec": spec, **more}


@pytest.mark.parametrize(
    ("entries", "pointer", "expected"),
    [
        ([entry()], WEIGHT, ("Argo CD", "argocd-controller", "2026-11-26T07:55:03Z")),
        ([entry(operation="Apply")], WEIGHT, ("Argo CD", "argocd-controller", "2026-11-26T07:55:03Z")),
        ([entry("kustomize-controller")], "/spec/rules", ("Flux", "kustomize-controller", "2026-11-26T07:55:03Z")),
        ([entry("kubectl-edit", SERVER)], IMAGE, ("kubectl", "kubectl-edit", "2026-11-26T07:55:03Z")),
        ([entry("shop-bot", SERVER)], "/spec/template/spec/containers/0/image", ("unknown", "", "")),
        (
            [entry("shop-bot", SERVER)],
            "/spec/template/spec/containers",
            ("shop-bot", "shop-bot", "2026-11-26T07:55:03Z"),
        ),
        ([entry("old", time="2026-11-26T07:00:00Z"), entry("new")], WEIGHT, ("new", "new", "2026-11-26T07:55:03Z")),
        ([entry("new"), entry("old", time="2026-11-26T07:00:00Z")], WEIGHT, ("new", "new", "2026-11-26T07:55:03Z")),
        (
            [entry("mcp.server", time="2026-11-26T08:00:00Z"), entry("old")],
            WEIGHT,
            ("old", "old", "2026-11-26T07:55:03Z"),
        ),
        ([entry("mcp.server")], WEIGHT, ("unknown", "", "")),
        ([entry("gateway", subresource="status")], WEIGHT, ("unknown", "", "")),
        (
            [entry("keda", {"f:spec": {"f:replicas": {}}}, subresource="scale")],
            "/spec/replicas",
            ("KEDA", "keda", "2026-11-26T07:55:03Z"),
        ),
        ([entry("a", {"f:spec": {"f:minReplicas": {}}})], "/spec/maxReplicas", ("unknown", "", "")),
        ([entry("a", {"f:spec": {".": {}}})], "/spec/minReplicas", ("unknown", "", "")),
        (
            [entry("a", {"f:metadata": {"f:annotations": {"f:x/y": {}}}})],
            "/metadata/annotations/x~1y",
            ("a", "a", "2026-11-26T07:55:03Z"),
        ),
        ([entry("a", {"f:spec": {"f:rules": {"i:0": {}}}})], WEIGHT, ("a", "a", "2026-11-26T07:55:03Z")),
        ([entry("a", {"f:spec": {"f:rules": {"i:1": {}}}})], WEIGHT, ("unknown", "", "")),
        # Whoever made the object, and lost all that was in it to somebody else, keeps the field around it.
        (
            [entry("maker", {"f:spec": {}}, time="2026-11-26T08:00:00Z"), entry("taker")],
            WEIGHT,
            ("taker", "taker", "2026-11-26T07:55:03Z"),
        ),
        ([entry("maker", {"f:spec": {}}), entry("mcp.server")], WEIGHT, ("unknown", "", "")),
        ([entry("", RULES)], WEIGHT, ("unknown", "", "2026-11-26T07:55:03Z")),
        ([entry("a", time="yesterday\x1b[31m")], WEIGHT, ("a", "a", "")),
    ],
)
def test_the_writer_of_a_field(entries, pointer, expected):
    assert writer_of(an_object(*entries), pointer)[:3] == expected


def test_a_key_of_a_list_may_be_left_to_its_default():
    ports = {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:name": {}}}}}
    service = {"metadata": {"managedFields": [entry("a", ports)]}, "spec": {"ports": [{"port": 443}, {"port": 80}]}}
    assert writer_of(service, "/spec/ports/1/name").name == "a"
    assert writer_of(service, "/spec/ports/0/name") == UNKNOWN


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"metadata": None},
        {"metadata": {"managedFields": "no list", "labels": ["x"], "annotations": 7, "ownerReferences": {}}},
        {
            "metadata": {
                "managedFields": [None, 3, {"manager": ["a"], "fieldsV1": "x", "time": 5}],
                "ownerReferences": [1, {}],
            }
        },
        an_object(entry("a", {"f:spec": None})),
        an_object(entry("a", {"f:spec": {"f:rules": {"k:{": {}, "v:": {}, "k:" + "[" * 100000: {}}}})),
        an_object(entry("a", {"f:spec": {"f:rules": 5}})),
        an_object(entry("a", []), labels={"kustomize.toolkit.fluxcd.io/ssa": 5}),
    ],
)
def test_odd_objects_tell_nothing(obj):
    assert writer_of(obj, WEIGHT) == UNKNOWN
    assert tools(obj) == []


@pytest.mark.parametrize(
    "pointer", ["", "/", "/spec/rules/x/y", "/spec/rules/99999999999999999999", "/spec/rules/-", "/spec/rules/²"]
)
def test_odd_pointers_are_no_traceback(pointer):
    writer_of(an_object(entry("a", {"f:spec": {"f:rules": {"i:0": {}}}})), pointer)


def test_a_managers_name_is_made_fit_for_the_screen():
    writer = writer_of(an_object(entry("evil\x1b[2J\nok: all is well " + "x" * 5000)), WEIGHT)
    assert writer.name == writer.manager
    assert writer.name.isprintable()
    assert len(writer.name) <= 100


TRACKING = "argocd.argoproj.io/tracking-id"
MANAGED_BY_HELM = {"app.kubernetes.io/managed-by": "Helm"}
RELEASE = {"meta.helm.sh/release-name": "shop"}
KUSTOMIZATION = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
HELM_RELEASE = {"helm.toolkit.fluxcd.io/name": "mcp", "helm.toolkit.fluxcd.io/namespace": "prod"}
SCALED = "kubectl annotate scaledobject mcp -n prod autoscaling.keda.sh/paused=true"
SCALED_OBJECT = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "mcp", "controller": True}


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, []),
        ({"labels": {"app.kubernetes.io/instance": "shop"}}, []),
        (
            {"annotations": {TRACKING: "shop:gateway.networking.k8s.io/HTTPRoute:prod/mcp"}},
            [("Argo CD", "argocd app set shop --sync-policy none")],
        ),
        (
            {"annotations": {TRACKING: "team_shop:gateway.networking.k8s.io/HTTPRoute:prod/mcp"}},
            [("Argo CD", "argocd app set team/shop --sync-policy none")],
        ),
        ({"annotations": {TRACKING: "shop:apps/Deployment:prod/other"}}, []),
        ({"annotations": {TRACKING: "$(reboot):apps/HTTPRoute:prod/mcp"}}, [("Argo CD", "")]),
        ({"annotations": {TRACKING: "--help:apps/HTTPRoute:prod/mcp"}}, [("Argo CD", "")]),
        ({"annotations": {TRACKING: 7}}, []),
        ({"labels": {"argocd.argoproj.io/instance": "shop"}}, [("Argo CD", "argocd app set shop --sync-policy none")]),
        ({"labels": KUSTOMIZATION}, [("Flux", "flux suspend kustomization apps -n flux-system")]),
        ({"labels": {**KUSTOMIZATION, "kustomize.toolkit.fluxcd.io/name": "a;b"}}, [("Flux", "")]),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, [("Flux", "")]),
        (
            {"labels": KUSTOMIZATION, "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}},
            [("Flux", "flux suspend kustomization apps -n flux-system")],
        ),
        ({"labels": {**KUSTOMIZATION, "kustomize.toolkit.fluxcd.io/ssa": "ignore"}}, []),
        ({"labels": KUSTOMIZATION, "annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}, []),
        (
            {"labels": KUSTOMIZATION, "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "Merge"}},
            [("Flux", "flux suspend kustomization apps -n flux-system")],
        ),
        (
            {"labels": {**HELM_RELEASE, **MANAGED_BY_HELM}, "annotations": RELEASE},
            [("Flux", "flux suspend helmrelease mcp -n prod")],
        ),
        ({"labels": {**HELM_RELEASE, "helm.toolkit.fluxcd.io/driftDetection": "disabled"}}, []),
        (
            {
                "labels": {**HELM_RELEASE, **MANAGED_BY_HELM},
                "annotations": {**RELEASE, "helm.toolkit.fluxcd.io/driftDetection": "Disabled"},
            },
            [("Helm", "")],
        ),
        ({"labels": MANAGED_BY_HELM, "annotations": RELEASE}, [("Helm", "")]),
        ({"labels": MANAGED_BY_HELM}, []),
        ({"labels": {"scaledobject.keda.sh/name": "mcp"}}, [("KEDA", SCALED)]),
        ({"owners": [SCALED_OBJECT]}, [("KEDA", SCALED)]),
        ({"labels": {"scaledobject.keda.sh/name": "mcp\nrm"}}, [("KEDA", "")]),
        (
            {"annotations": {"objectset.rio.cattle.io/id": "default-shop", **RELEASE}, "labels": MANAGED_BY_HELM},
            [("Rancher Fleet", "")],
        ),
        ({"annotations": {"configmanagement.gke.io/managed": "enabled"}}, [("Config Sync", "")]),
        ({"annotations": {"configmanagement.gke.io/managed": "disabled"}}, []),
        ({"labels": {"kapp.k14s.io/app": "1"}}, [("kapp", "")]),
        ({"owners": [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "mcp"}]}, [("Flagger", "")]),
        (
            {"owners": [{"apiVersion": "toolhive/v1", "kind": "MCPServer", "name": "a", "controller": True}]},
            [("the controller of MCPServer a", "")],
        ),
        ({"owners": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a"}]}, []),
    ],
)
def test_tools_by_their_marks(marks, expected):
    assert [(tool.name, tool.suspend) for tool in tools(an_object(**marks))] == expected


def test_tools_by_their_field_managers():
    at = "2026-11-26T07:55:03Z"
    labelled = an_object(entry(), entry("kubectl-edit"), labels={"app.kubernetes.io/instance": "shop"})
    assert tools(labelled) == [Writer("Argo CD", "argocd-controller", at, "argocd app set shop --sync-policy none")]
    assert tools(an_object(entry("helm"), entry("mcp.server"), entry("shop-bot"))) == [Writer("Helm", "helm", at)]
    assert tools(an_object(entry("helm-controller"), labels=HELM_RELEASE))[0].manager == "helm-controller"


@pytest.mark.parametrize(
    ("manager", "alone"), [("kustomize-controller", True), ("kubectl-annotate", False), ("mcp.server", False)]
)
def test_flux_makes_only_what_its_manifest_says_so_of(manager, alone):
    """Flux 2.9 beside the sandbox: the same mark that a person left on the object was of no use."""
    mark = "kustomize.toolkit.fluxcd.io/ssa"
    fields = {"f:metadata": {"f:annotations": {f"f:{mark}": {}}}}
    route = an_object(
        entry("kustomize-controller"),
        entry(manager, fields=fields),
        labels=KUSTOMIZATION,
        annotations={mark: "IfNotPresent"},
    )
    assert [tool.name for tool in tools(route)] == ([] if alone else ["Flux"])


def test_an_item_of_a_list_has_no_kind():
    item = an_object(annotations={TRACKING: "shop:autoscaling/HorizontalPodAutoscaler:prod/mcp"}, kind=None)
    assert [tool.name for tool in tools(item)] == ["Argo CD"]


def test_the_writer_of_a_field_comes_with_the_command_that_suspends_it():
    route = an_object(entry(), annotations={TRACKING: "shop:gateway.networking.k8s.io/HTTPRoute:prod/mcp"})
    suspend = "argocd app set shop --sync-policy none"
    assert writer_of(route, WEIGHT).suspend == suspend
    assert sentence(writer_of(route, WEIGHT), "spec.rules") == (
        f"Argo CD (argocd-controller, 07:55:03 UTC) reverted spec.rules; suspend it: {suspend}"
    )


@pytest.mark.parametrize(
    ("writer", "expected"),
    [
        (UNKNOWN, "another client reverted image (the object's managedFields do not say which)"),
        (Writer("KEDA"), "KEDA reverted image"),
        (Writer("shop-bot", "shop-bot", "2026-11-26T07:55:03Z"), "shop-bot (07:55:03 UTC) reverted image"),
        (Writer("kubectl", "kubectl-edit", ""), "kubectl (kubectl-edit) reverted image"),
    ],
)
def test_what_is_said_of_a_writer(writer, expected):
    assert sentence(writer, "image") == expected


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ARGO_CD = Writer("Argo CD")


def last_applied(configuration):
    return {LAST_APPLIED: configuration if isinstance(configuration, str) else json.dumps(configuration)}


def containers(*items):
    return {"spec": {"template": {"spec": {"containers": list(items)}}}}


@pytest.mark.parametrize(
    ("entries", "annotations", "pointer", "expected"),
    [
        # Server-side apply: what it does not own it does not put back
        ([entry(operation="Apply")], {}, WEIGHT, True),
        ([entry(operation="Apply")], {}, IMAGE, False),
        ([entry(operation="Apply"), entry("kustomize-controller", SERVER, operation="Apply")], {}, IMAGE, False),
        ([entry(operation="Apply", fields=SERVER)], last_applied({"spec": {"rules": []}}), WEIGHT, False),
        # What it applied belongs to us since we wrote it: nothing but our note tells that it was its own
        ([entry(operation="Apply", fields=SERVER), entry("mcp.server")], {TAKEN: "Argo CD"}, WEIGHT, True),
        ([entry(operation="Apply", fields=SERVER), entry("mcp.server")], {TAKEN: "Config Sync,Argo CD"}, WEIGHT, True),
        ([entry(operation="Apply", fields=SERVER), entry("mcp.server")], {TAKEN: "Flux"}, WEIGHT, False),
        ([entry(operation="Apply", fields=SERVER), entry("mcp.server")], {TAKEN: 7}, WEIGHT, False),
        (
            [entry(operation="Apply", fields=SERVER), entry("mcp-handover", operation="Apply")],
            {TAKEN: "Argo CD"},
            WEIGHT,
            False,
        ),
        # Client-side apply: what it applied last
        ([entry()], last_applied({"spec": {"rules": [{}]}}), WEIGHT, True),
        ([entry()], last_applied({"spec": {"replicas": 2}}), WEIGHT, False),
        ([], last_applied(containers({"name": "server", "image": "s:1"})), IMAGE, True),
        ([], last_applied(containers({"name": "server"})), IMAGE, False),
        ([], last_applied(containers({"name": "proxy", "image": "p:1"})), IMAGE, False),
        ([], last_applied(containers({"image": "s:1"})), IMAGE, True),
        ([], last_applied({"spec": None}), "/spec/replicas", False),
        # Neither tells
        ([entry(fields=SERVER)], {}, WEIGHT, True),
        ([], {}, WEIGHT, True),
        ([], last_applied("{"), WEIGHT, True),
        ([], last_applied("[" * 100000), WEIGHT, True),
        ([], last_applied("[]"), WEIGHT, True),
        ([], {LAST_APPLIED: 5}, WEIGHT, True),
    ],
)
def test_whether_a_tool_holds_a_field(entries, annotations, pointer, expected):
    assert holds(an_object(*entries, annotations=annotations), ARGO_CD, pointer) is expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], None),
        ([entry("mcp.server")], None),
        ([entry("mcp.server"), entry("kustomize-controller", SERVER, operation="Apply")], None),
        ([entry("kustomize-controller", operation="Apply")], "Flux"),
        ([entry(operation="Apply"), entry("kustomize-controller", operation="Apply")], "Argo CD,Flux"),
        ([entry("kubectl", operation="Apply")], ""),
        ([entry("kubectl-edit")], ""),
        ([entry()], ""),  # client-side apply: what it applied last tells
        ([entry("a\x1b[2J,Flux", operation="Apply")], ""),
    ],
)
def test_whom_a_write_of_ours_takes_a_field_from(entries, expected):
    assert taken_from(an_object(*entries), [WEIGHT]) == expected
