# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quotas: whether a second pool has room."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import pytest

from ansible_collections.mcp.server.plugins.module_utils._adopt import quota

POD = {
    "initContainers": [
        {"resources": {"requests": {"memory": "1Gi"}}},
        {"restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
    ],
    "containers": [{"resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "512Mi"}}}, {}],
}
LIMITS = {"spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "10m"}, "default": {"cpu": "1"}}]}}


def of(hard: dict[str, str], used: dict[str, str] | None = None, **spec: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}, "status": {"hard": hard, "used": used or {}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500m", "0.5"), ("1Gi", str(2**30)), ("2", "2"), ("1e3", "1000"), ("many", None), (None, None), (3, "3")],
)
def test_quantities(text: t.Any, expected: str | None) -> None:
    assert quota.quantity(text) == (None if expected is None else Decimal(expected))


def test_what_one_pod_takes() -> None:
    found = quota.of_pod(POD)
    assert found["requests", "cpu"] == Decimal("0.15")
    assert found["requests", "memory"] == 2**30  # of the init container; a request is the limit where there is none
    assert found["limits", "memory"] == 512 * 2**20
    with_defaults = quota.of_pod(POD, [LIMITS])
    assert with_defaults["requests", "cpu"] == Decimal("0.16") and with_defaults["limits", "cpu"] == 3


@pytest.mark.parametrize(
    ("found", "replicas", "says"),
    [
        (of({"pods": "4"}, {"pods": "2"}), 2, None),
        (of({"pods": "3"}, {"pods": "2"}), 2, "pods is 3, 2 are taken, and 2 more pods take 2."),
        (of({"count/pods": "3"}, {"count/pods": "2"}), 2, "count/pods is 3"),
        (of({"requests.cpu": "1"}, {"requests.cpu": "800m"}), 2,
         "requests.cpu is 1, 800m are taken, and 2 more pods take 300m."),
        (of({"cpu": "1"}, {"cpu": "800m"}), 2, "cpu is 1"),
        (of({"requests.cpu": "1"}, {"requests.cpu": "700m"}), 2, None),
        (of({"limits.memory": "1Gi"}, {"limits.memory": "512Mi"}), 2, "take 1024Mi."),
        (of({"services": "1"}, {"services": "1"}), 2, None),
        (of({"pods": "1"}, scopes=["BestEffort"]), 2, None),
        (of({"pods": "1"}, scopes=["NotTerminating"]), 2, "pods is 1"),
        (of({"pods": "1"}, scopeSelector={"matchExpressions": [{"scopeName": "PriorityClass"}]}), 2, None),
        (of({"pods": "none"}), 2, None),
        (of({"pods": "0"}), 0, None),
    ],
)  # fmt: skip
def test_a_quota_without_room_is_named(found: dict[str, t.Any], replicas: int, says: str | None) -> None:
    problems = quota.problems(POD, replicas, [found], [])
    assert len(problems) == (says is not None)
    assert says is None or says in problems[0]
