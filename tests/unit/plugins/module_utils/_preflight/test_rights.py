# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import (
    Question,
    Right,
    missing_rights,
    narrowed,
    questions,
    rights,
)
from ansible_collections.mcp.server.plugins.module_utils._server import Server

SERVER = Server("prod", "mcp", "{server}-{pool}", "edge", "mcp")
PODS = Right("", "pods", ("list",), "pods")
DEPLOYMENTS = Right("apps", "deployments", ("get", "patch"), "pools", ("a", "b"))
FORWARD = Right("", "pods/portforward", ("get", "create"), "asking")


def test_each_verb_is_asked_for_each_name():
    assert [question[1:] for question in questions([PODS, DEPLOYMENTS])] == [
        ("list", ""),
        ("get", "a"),
        ("get", "b"),
        ("patch", "a"),
        ("patch", "b"),
    ]


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ([], []),
        ([(PODS, "list", "")], ["list pods"]),
        ([(FORWARD, "create", "")], ["create pods/portforward"]),
        ([(DEPLOYMENTS, "patch", "b")], ["patch deployments.apps b"]),
        (list(questions([DEPLOYMENTS])), ["get and patch deployments.apps a and b"]),
        (
            [(DEPLOYMENTS, "get", "a"), (DEPLOYMENTS, "patch", "a"), (DEPLOYMENTS, "patch", "b")],
            ["get and patch deployments.apps a", "patch deployments.apps b"],
        ),
    ],
)
def test_what_is_missing_is_grouped(refused, said):
    missing = narrowed(Question(*one) for one in refused)
    assert [str(right) for right in missing] == said
    # None is lost and none is added
    assert sorted(tuple(one)[1:] for one in refused) == sorted(one[1:] for one in questions(missing))


def test_the_sentence_has_the_rule_to_add():
    said = missing_rights("prod", [Right("apps", "deployments", ("patch",), "pools", ("1.10",)), PODS])
    assert said.startswith(
        "In namespace prod this user may not patch deployments.apps 1.10, list pods: grant the Role "
        "in the collection's README"
    )
    assert [json.loads(rule) for rule in re.findall(r"{[^}]*}", said)] == [
        {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["1.10"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]


def test_many_rules_are_in_the_readme():
    said = missing_rights("prod", rights(SERVER))
    assert "{" not in said and "get and patch deployments.apps mcp-blue and mcp-green" in said and len(said) < 2000


def test_only_what_kubernetes_cannot_narrow_has_no_names():
    broad = {(right.resource, verb) for right in rights(SERVER) for verb in right.verbs if not right.names}
    creates = {(one, "create") for one in ("configmaps", "leases", "jobs", "localsubjectaccessreviews")}
    pods = {("pods", "list"), ("pods/log", "get"), ("pods/portforward", "get"), ("pods/portforward", "create")}
    lists = {
        (resource, "list")
        for resource in ("replicasets", "endpointslices", "events", "horizontalpodautoscalers", "poddisruptionbudgets")
    }
    assert broad == creates | pods | lists


def test_the_names_are_the_servers():
    named = {(right.resource, name) for right in rights(SERVER, "guardian") for name in right.names}
    assert named == {
        ("httproutes", "edge"),
        *(
            (resource, f"mcp-{pool}")
            for resource in ("deployments", "services", "horizontalpodautoscalers")
            for pool in ("blue", "green")
        ),
        ("configmaps", "mcp-release"),
        ("leases", "mcp-release"),
        ("jobs", "mcp-guard"),
        ("serviceaccounts", "guardian"),
    }


def test_an_autoscaler_that_is_there_has_to_be_changed():
    (right,) = [
        right
        for right in rights(SERVER, autoscalers=["keda-hpa-x"])
        if right.resource == "horizontalpodautoscalers" and right.names
    ]
    assert right.names == ("keda-hpa-x",) and not right.optional and right.verbs == ("get", "patch")


def of_kinds(blue: str, green: str) -> Server:
    objects = {
        pool: PoolObjects(f"mcp-{pool}", kind, f"mcp-{pool}") for pool, kind in (("blue", blue), ("green", green))
    }
    return replace(SERVER, **objects)


@pytest.mark.parametrize(
    ("blue", "green", "wanted"),
    [
        ("Deployment", "Deployment", {"deployments": ("mcp-blue", "mcp-green"), "replicasets": ()}),
        ("StatefulSet", "StatefulSet", {"statefulsets": ("mcp-blue", "mcp-green"), "controllerrevisions": ()}),
        (
            "Deployment",
            "StatefulSet",
            {
                "deployments": ("mcp-blue",),
                "replicasets": (),
                "statefulsets": ("mcp-green",),
                "controllerrevisions": (),
            },
        ),
    ],
)
def test_workloads_are_asked_for_by_their_kind(blue, green, wanted):
    found = [right for right in rights(of_kinds(blue, green)) if right.group == "apps"]
    assert {right.resource: right.names for right in found} == wanted
    assert all(right.verbs == (("get", "patch") if right.names else ("list",)) for right in found)
    # Without a history of revisions a release goes on; without ReplicaSets it can't tell which pods are new.
    assert {right.resource for right in found if right.optional} == {"controllerrevisions"} & wanted.keys()
