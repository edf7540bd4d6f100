# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import needs

MIB = 2.0**20


def container(name: str = "a", more: t.Any = None, **given: t.Any) -> dict[str, t.Any]:
    return {"name": name, "resources": given, **(more or {})}


def limit_range(**limit: t.Any) -> dict[str, t.Any]:
    return {"spec": {"limits": [{"type": "Container", **limit}]}}


@pytest.mark.parametrize(
    ("spec", "ranges", "requests", "limits"),
    [
        (
            {"containers": [container(requests={"cpu": "100m", "memory": "64Mi"})]},
            [],
            {"cpu": 0.1, "memory": 64 * MIB},
            {},
        ),
        # A limit alone is the request, too.
        ({"containers": [container(limits={"cpu": 2})]}, [], {"cpu": 2.0}, {"cpu": 2.0}),
        ({"containers": [container()]}, [limit_range(default={"cpu": "1"})], {"cpu": 1.0}, {"cpu": 1.0}),
        (
            {"containers": [container()]},
            [limit_range(default={"cpu": "1"}, defaultRequest={"cpu": "250m"})],
            {"cpu": 0.25},
            {"cpu": 1.0},
        ),
        # The largest init container, or all others together; a sidecar runs beside both.
        (
            {
                "initContainers": [
                    container("s", {"restartPolicy": "Always"}, requests={"cpu": "1"}),
                    container("i", requests={"cpu": "3"}),
                ],
                "containers": [container(requests={"cpu": "2"}), container("b", requests={"cpu": "500m"})],
            },
            [],
            {"cpu": 4.0},
            {},
        ),
        ({"containers": [container(requests={"cpu": "1"})], "overhead": {"cpu": "100m"}}, [], {"cpu": 1.1}, {}),
        ({"containers": [container(requests={"cpu": "?"})]}, [], {}, {}),
        # Of the pod as a whole; its limit alone is its request, too.
        (
            {"containers": [container(requests={"cpu": "3", "memory": "1Mi"})], "resources": {"limits": {"cpu": "2"}}},
            [],
            {"cpu": 2.0, "memory": MIB},
            {"cpu": 2.0},
        ),
        ({"containers": "x"}, [{"spec": None}], {}, {}),
    ],
)
def test_what_a_pod_asks_for(
    spec: dict[str, t.Any], ranges: list[dict[str, t.Any]], requests: needs.Resources, limits: needs.Resources
) -> None:
    found = needs.of_pod(spec, ranges)
    assert (found.requests, found.limits) == (pytest.approx(requests), pytest.approx(limits))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, "nothing"),
        ({"cpu": 0.1, "memory": 64 * MIB}, "100m CPU and 64 MiB memory"),
        ({"cpu": 2.0, "memory": 64 * MIB, "nvidia.com/gpu": 1.0}, "2 CPU, 64 MiB memory and 1 com/gpu"),
    ],
)
def test_it_is_shown(found: needs.Resources, words: str) -> None:
    assert needs.shown(found) == words.replace("com/gpu", "nvidia.com/gpu")
