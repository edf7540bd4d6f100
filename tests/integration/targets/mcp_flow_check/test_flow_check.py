# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the lane's own server, which has pools: all are made, each with a verdict."""

from __future__ import annotations

from playing import CONFIG, module

CALL = {"tool": "reorder_point", "arguments": {"daily_demand": 2, "lead_time_days": 3}}
SECRET = "planted-in-an-environment-Zk4wLr9p"
CHECKS = [
    {"name": "a call", "mcp": {**CALL, "expect": "structuredContent.result == `6`"}},
    {"name": "another number", "mcp": {**CALL, "expect": "structuredContent.result == `7`"}},
    {"name": "in its pod", "pod": {"command": ["./health-check", "--database"]}},
    {"name": "health", "http": {"url": f"{CONFIG['public_url']}/health", "headers": {"Host": CONFIG["public_host"]}}},
    {
        "name": "a script",
        "command": {"argv": ["sh", "-c", "echo $MCP_POOL $KEY; exit 4"], "environment": {"KEY": SECRET}},
    },
    {"name": "nothing", "pod": {"command": []}},
    {"name": "the last", "command": {"argv": ["true"]}},
]


def test_all_checks_are_made_with_a_verdict_each() -> None:
    """Without an endpoint, a pod of the live pool is asked. The releaser may run no command in pods."""
    endpoint = {"url": CONFIG["public_url"], "host": CONFIG["public_host"]}
    for more in ({"endpoint": endpoint}, {}):
        made = module("mcp_flow_check", fails=True, checks=CHECKS, version="v1.1.5", **more)
        found = {one["id"]: one["verdict"] for one in made["checks"]}
        assert found == {f"flow_{at}": "failed" if at in (2, 3, 5, 6) else "passed" for at in range(1, 8)}, made
        assert "pods/exec" in made["checks"][2]["message"]
        script = made["checks"][4]
        assert "exit code 4" in script["message"] and script["output"].startswith(("blue", "green")), script
        assert SECRET not in str(made)
    assert module("mcp_flow_check", checks=CHECKS[-1:])["checks"][0]["ok"]
    skipped = module("mcp_flow_check", check=True, checks=CHECKS[-1:])
    assert [one["verdict"] for one in skipped["checks"]] == ["skipped"]
