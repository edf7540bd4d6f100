# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox's node cordoned for real, for a few seconds in which nothing else runs there (see jobs.py)."""

from __future__ import annotations

import json

import pytest
from playing import CONFIG, kubectl, module
from soaking import soak

pytestmark = pytest.mark.skipif(not CONFIG["admin_kubeconfig"], reason="cordons the node, which takes an administrator")


@soak
def test_a_cordoned_node_is_refused_and_one_that_is_uncordoned_is_not() -> None:
    node = json.loads(kubectl("get", "nodes", "-o", "json"))["items"][0]["metadata"]["name"]
    where = {"kubeconfig": CONFIG["admin_kubeconfig"], "scope": ["now"]}
    try:
        kubectl("cordon", node)
        found = {one["id"]: one for one in module("mcp_preflight", fails=True, **where)["checks"]}
    finally:
        kubectl("uncordon", node)
    assert not found["nodes"]["ok"]
    assert found["nodes"]["message"] == (
        f"All 1 nodes are cordoned ({node}), so that no pod can start: kubectl uncordon one."
    )
    assert "no node takes them" in found["room"]["message"], found["room"]
    assert {one["verdict"] for one in module("mcp_preflight", **where)["checks"] if one["id"] in ("nodes", "room")} == {
        "passed"
    }
