# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints


def endpoint(uid: str, **conditions: t.Any) -> dict[str, t.Any]:
    return {"addresses": ["10.0.0.1"], "targetRef": {"uid": uid}, "conditions": conditions}


@pytest.mark.parametrize(
    "slices, expected",
    [
        ([], 0),
        ([{"endpoints": None}], 0),
        (
            [
                {
                    "endpoints": [
                        endpoint("a", ready=True),
                        endpoint("b", ready=False),
                        endpoint("c", ready=None),
                        endpoint("d"),
                    ]
                }
            ],
            3,
        ),
        ([{"endpoints": [endpoint("a", ready=True)]}, {"endpoints": [endpoint("a", ready=True)]}], 1),
        ([{"endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}]}], 2),
    ],
)
def test_a_pod_counts_once_however_many_slices_it_is_in(slices: list[dict[str, t.Any]], expected: int) -> None:
    assert endpoints.count_ready(slices) == expected


def target(name: str, kind: str = "Pod", **conditions: t.Any) -> dict[str, t.Any]:
    return {"targetRef": {"kind": kind, "name": name}, "conditions": conditions}


def test_the_names_of_the_ready_pods_of_all_slices() -> None:
    slices = [
        {"endpoints": [target("c", ready=True), target("b", ready=False), target("a")]},
        {"endpoints": [target("c", ready=True), target("n", kind="Node"), {"addresses": ["192.0.2.1"]}]},
        {"endpoints": None},
    ]
    assert endpoints.ready_pods(slices) == ["a", "c"]
