# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import needs, quotas
from ansible_collections.mcp.server.plugins.module_utils._preflight.idle import Idle


def pool(lacks: int = 2, priority: str = "", limit_ranges: t.Any = (), **resources: t.Any) -> Idle:
    spec: dict[str, t.Any] = {"containers": [{"name": "server", "resources": resources}]}
    if priority:
        spec["priorityClassName"] = priority
    return Idle("green", {"spec": spec}, lacks, 0, needs.of_pod(spec, limit_ranges))


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}, "status": {"hard": hard, "used": used or {}}}


REQUESTS = {"cpu": "100m", "memory": "64Mi"}
CLASS = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}


@pytest.mark.parametrize(
    ("one", "of", "words"),
    [
        (quota({"pods": "5"}, {"pods": "3"}), pool(), []),
        (
            quota({"pods": "5"}, {"pods": "4"}),
            pool(),
            ["leaves 1 pods of pods, and 2 more pods of pool green need 2 pods"],
        ),
        (quota({"pods": "5"}, {"pods": "5"}), pool(0), []),
        (quota({"count/pods": "1"}), pool(), ["leaves 1 count/pods"]),
        (
            quota({"requests.cpu": "1"}, {"requests.cpu": "900m"}),
            pool(requests=REQUESTS),
            ["leaves 100m CPU of requests.cpu"],
        ),
        (quota({"requests.cpu": "1"}, {"requests.cpu": "800m"}), pool(requests=REQUESTS), []),
        (quota({"memory": "100Mi"}), pool(requests=REQUESTS), ["leaves 100 MiB memory of memory"]),
        (
            quota({"limits.cpu": "8"}),
            pool(requests=REQUESTS),
            ["wants limits.cpu of every container, which container server of pool green does not have"],
        ),
        (quota({"limits.cpu": "8"}), pool(limits={"cpu": "1"}), []),
        (quota({"limits.cpu": "1"}), pool(limits={"cpu": "1"}), ["need 2 CPU"]),
        # More than is allowed is used already.
        (quota({"pods": "1"}, {"pods": "4"}), pool(), ["leaves 0 pods"]),
        (quota({"configmaps": "0", "services": "0"}), pool(), []),
        # Quotas of other pods.
        (quota({"pods": "0"}, scopes=["Terminating"]), pool(), []),
        (quota({"pods": "0"}, scopes=["NotTerminating"]), pool(), ["leaves 0"]),
        (quota({"pods": "0"}, scopes=["BestEffort"]), pool(requests=REQUESTS), []),
        (quota({"pods": "0"}, scopes=["BestEffort"]), pool(), ["leaves 0"]),
        (quota({"pods": "0"}, scopes=["NotBestEffort"]), pool(), []),
        (quota({"pods": "0"}, scopeSelector={"matchExpressions": [CLASS]}), pool(), []),
        (quota({"pods": "0"}, scopeSelector={"matchExpressions": [CLASS]}), pool(priority="high"), ["leaves 0"]),
        ({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}, pool(), ["leaves 1"]),
        ({"spec": "x", "status": []}, pool(), []),
    ],
)
def test_what_a_quota_refuses(one: dict[str, t.Any], of: Idle, words: list[str]) -> None:
    found = quotas.refuses(one, of)
    assert len(found) == len(words)
    assert all(some in sentence for some, sentence in zip(words, found, strict=True))


def limit_range(kind: str, **limit: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"name": "l"}, "spec": {"limits": [{"type": kind, **limit}]}}


@pytest.mark.parametrize(
    ("one", "of", "words"),
    [
        (limit_range("Container", min={"cpu": "50m"}), pool(requests=REQUESTS), []),
        (
            limit_range("Container", min={"cpu": "200m"}),
            pool(requests=REQUESTS),
            ["requests 100m CPU, and the least is 200m"],
        ),
        (limit_range("Container", min={"cpu": "200m"}), pool(), ["container server has no request of cpu"]),
        (limit_range("Container", max={"cpu": "2"}), pool(limits={"cpu": "2"}), []),
        (
            limit_range("Container", max={"cpu": "1"}),
            pool(limits={"cpu": "2"}),
            ["has the limit 2 CPU, and the most is 1 CPU"],
        ),
        (limit_range("Container", max={"cpu": "1"}), pool(requests=REQUESTS), ["has no limit of cpu"]),
        (limit_range("Pod", max={"cpu": "1"}), pool(limits={"cpu": "2"}), ["the pod has the limit"]),
        (limit_range("PersistentVolumeClaim", max={"storage": "1Gi"}), pool(), []),
    ],
)
def test_what_a_limit_range_refuses(one: dict[str, t.Any], of: Idle, words: list[str]) -> None:
    found = quotas.out_of_range(one, of)
    assert len(found) == len(words)
    assert all(some in sentence for some, sentence in zip(words, found, strict=True))
