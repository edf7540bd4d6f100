# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._load import options
from ansible_collections.mcp.server.plugins.module_utils._load.options import Limits
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

NOTHING = {
    **dict.fromkeys(("enabled", "script", "rate", "max_error_percent", "max_p95_ms", "min_throughput")),
    "limits": "staging",
    "tool": "auto",
    "duration": 10,
    "sessions": 5,
    "answer_timeout": 10.0,
}
PRODUCTION = {"limits": "production"}


def given(**more: t.Any) -> dict[str, t.Any]:
    return {**NOTHING, **more}


@pytest.mark.parametrize(
    ("more", "sends"),
    [
        ({}, True),
        ({"enabled": False}, False),
        (PRODUCTION, False),
        ({**PRODUCTION, "enabled": True}, True),
    ],
)
def test_production_gets_a_load_only_when_it_is_asked_for(more: dict[str, t.Any], sends: bool) -> None:
    assert options.is_enabled(given(**more)) is sends


@pytest.mark.parametrize(
    ("more", "limits", "rate", "workers"),
    [
        ({}, Limits(2, 200, None), 50, 20),
        (PRODUCTION, Limits(2, 300, 1000), 1250, 750),
        ({**PRODUCTION, "min_throughput": 40.0}, Limits(2, 300, 40), 50, 30),
        ({"rate": 12.5, "max_p95_ms": 50.0, "max_error_percent": 0.5}, Limits(0.5, 50, None), 13, 10),
        ({"rate": 10_000.0, "duration": 30}, Limits(2, 200, None), 10_000, 1000),
    ],
)
def test_limits_and_load(more: dict[str, t.Any], limits: Limits, rate: int, workers: int) -> None:
    assert options.limits_of(given(**more)) == limits
    plan = options.plan_of(given(**more), limits)
    assert (plan.rate, plan.workers) == (rate, workers)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"rate": 0.0}, "mcp_load_rate"),
        ({"rate": float("nan")}, "mcp_load_rate"),
        ({"rate": 10_001.0}, "mcp_load_rate"),
        ({"duration": 0}, "mcp_load_duration"),
        ({"duration": 601}, "mcp_load_duration"),
        ({"rate": 9.0}, "at least 100"),
        ({"rate": 5000.0, "duration": 100}, "at most 300000"),
        ({"sessions": 0}, "mcp_load_sessions"),
        ({"sessions": 21}, "mcp_load_sessions"),
        ({"answer_timeout": 0.0}, "answer_timeout"),
        ({"answer_timeout": float("inf")}, "answer_timeout"),
        ({"min_throughput": -1.0}, "mcp_load_min_throughput"),
        ({"max_p95_ms": 0.0}, "mcp_load_max_p95_ms"),
        ({"max_error_percent": float("nan")}, "mcp_load_max_error_percent"),
        ({"min_throughput": 100.0, "rate": 100.0}, "can't come"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, t.Any], named: str) -> None:
    with pytest.raises(Failure, match=named):
        options.plan_of(given(**more), options.limits_of(given(**more)))


@pytest.mark.parametrize(
    ("tool", "script", "found"),
    [
        ("auto", None, "vegeta"),
        ("auto", "a.js", "k6"),
        ("vegeta", None, "vegeta"),
        ("k6", "a.js", "k6"),
        ("k6", None, "needs your script"),
        ("vegeta", "a.js", "remove one of them"),
    ],
)
def test_which_tool(tool: str, script: str | None, found: str) -> None:
    if " " not in found:
        assert options.tool_of(given(tool=tool, script=script)) == found
        return
    with pytest.raises(Failure, match=found):
        options.tool_of(given(tool=tool, script=script))
