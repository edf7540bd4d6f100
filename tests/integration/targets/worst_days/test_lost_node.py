# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that is lost, with a pod of the pool that is to take the traffic, or of the one that has it.

The Node has no kubelet: its pod is made to look ready, as a kubelet would, and then nobody says anything of it any
more, which is all that the cluster knows of a lost machine. Only pods of these tests tolerate its taint.
"""

from __future__ import annotations

import json
import time
import typing as t
from contextlib import contextmanager

import pytest
from days import BACK, LABEL, Day, applied
from playing import kubectl
from soaking import soak
from test_break_glass import judge_broken, judge_restored, restored, words

TAINT = {"key": LABEL, "value": "lost", "effect": "NoSchedule"}
NOWHERE = "192.0.2.17"  # an address of nobody (RFC 5737)


def patch_status(kind: str, name: str, status: dict[str, t.Any], *where: str) -> None:
    patch = json.dumps({"status": status})
    kubectl(*where, "patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)


def condition(kind: str, value: str) -> dict[str, str]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "type": kind,
        "status": value,
        "reason": "Test",
        "message": "",
        "lastTransitionTime": now,
        **({"lastHeartbeatTime": now} if kind == "Ready" and value != "pod" else {}),
    }


@contextmanager
def lost_node(day: Day, pool: str, *, gone: bool = True) -> t.Iterator[str]:
    """Have a pod of the pool on a node that is lost. Gives the pod's name.

    gone: whether it is deleted as well, as it is after some minutes, which nobody on that node hears of.
    """
    node, pod = f"{day.namespace}-lost", f"{day.server.name}-{pool}-lost"
    where = ("-n", day.namespace)
    metadata = {"name": node, "labels": {LABEL: day.namespace}}
    spec = {"taints": [TAINT], "unschedulable": True}
    made = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec}
    template = json.loads(kubectl(*where, "get", "deployment", f"{day.server.name}-{pool}", "-o", "json"))["spec"]
    spec = template["template"]["spec"] | {
        "nodeName": node,
        "tolerations": [{"key": LABEL, "operator": "Exists"}],
    }
    lost = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod,
            "namespace": day.namespace,
            "labels": template["template"]["metadata"]["labels"],
        },
        "spec": spec,
    }
    try:
        with applied(made):
            patch_status("node", node, {"conditions": [condition("Ready", "True")]})
            kubectl("apply", "-f", "-", stdin=json.dumps(lost))
            running = {
                "phase": "Running",
                "podIP": NOWHERE,
                "podIPs": [{"ip": NOWHERE}],
                "conditions": [condition("Ready", "True"), condition("ContainersReady", "True")],
            }
            patch_status("pod", pod, running, *where)
            patch_status("node", node, {"conditions": [condition("Ready", "Unknown")]})
            deadline = time.monotonic() + 60
            while "unreachable" not in kubectl("get", "node", node, "-o", "jsonpath={.spec.taints}"):
                assert time.monotonic() < deadline, "the node controller does not see that it is lost"
                time.sleep(1)
            if gone:
                kubectl(*where, "delete", "pod", pod, "--wait=false")
            yield pod
    finally:
        kubectl(*where, "delete", "pod", pod, "--force", "--grace-period=0", "--ignore-not-found")


def test_status(released: Day) -> None:
    with lost_node(released, "green", gone=False) as pod:
        said = released.play("status", *released.words())
        assert said.code == 0 and pod in said.text and f"{released.namespace}-lost" in said.text


@soak
@pytest.mark.parametrize("pool", ["blue", "green"])
def test_a_rollback(released: Day, pool: str) -> None:
    """The traffic is back at once. The pod that nobody can end keeps nothing from the rest."""
    with lost_node(released, pool):
        before = released.look()
        said = released.play("rollback", *released.words(mcp_scale_down_timeout=20))
        assert said.code == 0
        released.judge_back(before)


@soak
def test_break_glass(released: Day) -> None:
    with lost_node(released, "green"):
        before = released.look()
        assert released.play("break_glass", *words(released, mcp_replicas=None), "--tags", "traffic").code == 0
        judge_broken(released, before, BACK)
        assert released.play("break_glass", *restored(released)).code == 0
        judge_restored(released, before)
