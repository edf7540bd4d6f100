# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml

from ansible_collections.mcp.server.plugins.doc_fragments.gitops import ModuleDocFragment
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.gitops import OPTION, Field, claims, note, refusal

ARGO_CD = {"labels": {"argocd.argoproj.io/instance": "shop"}}
HELM = {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "shop"}}
KEDA = {"labels": {"scaledobject.keda.sh/name": "mcp"}}
OPERATOR = {"ownerReferences": [{"apiVersion": "x/v1", "kind": "MCPServer", "name": "mcp", "controller": True}]}
LEFT_OUT = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}
NOBODY = "No GitOps tool sets what a release writes."


def fields(route=None, deployment=None, autoscaler=None):
    """Return those of a server whose objects have these metadata."""
    objects = {name: {"metadata": {"namespace": "prod", **(given or {})}} for name, given in locals().items()}
    return [
        Field("route", "spec.rules", "HTTPRoute prod/mcp", objects["route"], "/spec/rules/0/backendRefs/0/weight"),
        Field("route", "spec.rules", "HTTPRoute prod/mcp", objects["route"], "/spec/rules/0/backendRefs/1/weight"),
        Field("replicas", "replicas", "Deployment prod/mcp-blue", objects["deployment"], "/spec/replicas"),
        Field(
            "image",
            "image",
            "Deployment prod/mcp-blue",
            objects["deployment"],
            "/spec/template/spec/containers/0/image",
        ),
        Field(
            "autoscaler", "minReplicas", "HorizontalPodAutoscaler prod/mcp", objects["autoscaler"], "/spec/minReplicas"
        ),
    ]


@pytest.mark.parametrize(
    ("objects", "ignores", "refused", "noted"),
    [
        ({}, [], "", NOBODY),
        (
            {"route": ARGO_CD},
            [],
            "Argo CD sets spec.rules of HTTPRoute prod/mcp and would revert what a release writes there. Leave these "
            "fields out of its manifests (docs/gitops.md)"
            " or suspend it (argocd app set shop --sync-policy none), and then set gitops_ignores (mcp_gitops_ignores) "
            "to [route].",
            NOBODY,
        ),
        ({"route": ARGO_CD}, ["route"], "", "Argo CD leaves route alone (gitops_ignores)."),
        ({"route": ARGO_CD | LEFT_OUT}, [], "", NOBODY),
        ({"deployment": ARGO_CD}, ["route", "image"], "to [replicas].", "Argo CD leaves image alone"),
        ({"route": ARGO_CD, "deployment": ARGO_CD}, [], "to [route, image, replicas].", NOBODY),
        (
            {"autoscaler": KEDA},
            ["route", "image", "replicas"],
            "KEDA sets minReplicas of HorizontalPodAutoscaler prod/mcp",
            NOBODY,
        ),
        ({"autoscaler": KEDA}, ["autoscaler"], "", "KEDA leaves autoscaler alone"),
        ({"deployment": KEDA}, [], "", NOBODY),
        (
            {"deployment": OPERATOR},
            [],
            "the controller of MCPServer mcp sets replicas of Deployment prod/mcp-blue, image of",
            NOBODY,
        ),
        (
            {"route": HELM, "deployment": HELM},
            [],
            "",
            "Helm sets spec.rules of HTTPRoute prod/mcp, replicas of Deployment prod/mcp-blue, image",
        ),
        ({"route": ARGO_CD, "autoscaler": KEDA}, [], "to [route]. KEDA sets", NOBODY),
    ],
)
def test_who_would_put_it_back(objects, ignores, refused, noted):
    found = claims(fields(**objects))
    said = refusal(found, ignores)
    assert refused in said and bool(refused) is bool(said)
    assert note(found, ignores).startswith(noted)


def test_a_sentence_names_so_many_fields_at_most():
    one = Field("image", "image", "", {"metadata": ARGO_CD}, "/x")
    said = refusal(claims([one._replace(owner=f"Deployment {number}") for number in range(100)]), [])
    assert "and 88 more" in said and len(said) < 800


def test_the_doc_fragment_mirrors_the_option():
    (documented,) = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"].values()
    (option,) = OPTION.values()
    assert {name: documented[name] for name in option} == option
