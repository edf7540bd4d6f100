# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_rollout_info import lines
from ansible_collections.mcp.server.plugins.module_utils._workload.revisions import find, revisions, revisions_of_set

REVISION = "deployment.kubernetes.io/revision"
DEPLOYMENT = {"metadata": {"uid": "d", "annotations": {REVISION: "4"}}}


def replicaset(revision, image, former="", owner="d", **more):
    notes = {REVISION: str(revision), "kubernetes.io/change-cause": f"to {image}"}
    if former:
        notes["deployment.kubernetes.io/revision-history"] = former
    return {
        "metadata": {
            "annotations": notes,
            "creationTimestamp": f"2026-11-0{revision}T00:00:00Z",
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "spec": {
            "replicas": 0,
            "template": {"spec": {"containers": [{"name": "sidecar", "image": "s"}, {"name": "mcp", "image": image}]}},
        },
        **more,
    }


SETS = [replicaset(4, "v4", "1,3", status={"readyReplicas": 2}), replicaset(2, "v2"), replicaset(9, "other", owner="x")]


def test_revisions():
    found = revisions(DEPLOYMENT, SETS, "mcp")
    assert [(one["revision"], one["former"], one["image_ref"], one["ready"], one["current"]) for one in found] == [
        (2, [], "v2", 0, False),
        (4, [1, 3], "v4", 2, True),
    ]
    assert found[0]["change_cause"] == "to v2" and found[0]["created"] == "2026-11-02T00:00:00Z"
    assert revisions(DEPLOYMENT, SETS, "none")[0]["image_ref"] is None


@pytest.mark.parametrize(("number", "image"), [(2, "v2"), (4, "v4"), (3, "v4"), (1, "v4"), (7, None)])
def test_a_revision_is_found_by_a_number_of_before_too(number, image):
    found = find(revisions(DEPLOYMENT, SETS, "mcp"), number)
    assert (found and found["image_ref"]) == image


def controller_revision(name, number, image, owner="s"):
    containers = [{"name": "sidecar", "image": "s"}, {"name": "mcp", "image": image}]
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": f"2026-11-0{number}T00:00:00Z",
            "annotations": {"kubernetes.io/change-cause": f"to {image}"},
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": containers}}}},
        "revision": number,
    }


def test_revisions_of_a_stateful_set():
    def pod(revision, ready, owner="s"):
        metadata = {
            "labels": {"controller-revision-hash": revision},
            "ownerReferences": [{"uid": owner, "controller": True}],
        }
        return {"metadata": metadata, "status": {"conditions": [{"type": "Ready", "status": ready}]}}

    workload = {"kind": "StatefulSet", "metadata": {"uid": "s"}, "status": {"updateRevision": "mcp-b"}}
    known = [
        controller_revision("mcp-b", 5, "v5"),
        controller_revision("mcp-a", 4, "v4"),
        controller_revision("mcp-c", 9, "other", owner="x"),
    ]
    pods = [pod("mcp-a", "True"), pod("mcp-b", "True"), pod("mcp-b", "False"), pod("mcp-b", "True", owner="x")]
    found = revisions_of_set(workload, known, pods, "mcp")
    assert [(one["revision"], one["image_ref"], one["replicas"], one["ready"], one["current"]) for one in found] == [
        (4, "v4", 1, 1, False),
        (5, "v5", 2, 1, True),
    ]
    assert found[0].keys() == revisions(DEPLOYMENT, SETS, "mcp")[0].keys()
    assert revisions_of_set(workload, known, pods, "none")[0]["image_ref"] is None


def test_a_present_number_comes_before_one_of_before():
    history = [{"revision": 3, "former": [], "image_ref": "a"}, {"revision": 5, "former": [3], "image_ref": "b"}]
    assert find(history, 3)["image_ref"] == "a"


def test_lines():
    pool = {"live": True, "weight": 100, "ready": 1, "replicas": 2, "revisions": revisions(DEPLOYMENT, SETS, "mcp")}
    said = lines({"blue": pool}, "blue")
    assert said[0] == "blue: live, 100 % of the traffic, 1 of 2 pods ready"
    assert said[2].startswith("*   4 ") and "v4" in said[2] and said[-1].endswith("history of blue")
    assert "neither pool" in lines({"blue": pool}, None)[-1]
