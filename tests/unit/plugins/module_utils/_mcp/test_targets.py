# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._mcp.targets import ready_endpoints


def endpoint(name: str, kind: str = "Pod", **conditions: t.Any) -> dict[str, t.Any]:
    return {"targetRef": {"kind": kind, "name": name}, "conditions": conditions}


def test_ready_endpoints_of_all_slices() -> None:
    slices = {
        "items": [
            {"endpoints": [endpoint("c", ready=True), endpoint("b", ready=False), endpoint("a")]},
            {"endpoints": [endpoint("c", ready=True), endpoint("n", kind="Node"), {"addresses": ["192.0.2.1"]}]},
            {"endpoints": None},
        ]
    }
    assert ready_endpoints(slices) == ["a", "c"]
