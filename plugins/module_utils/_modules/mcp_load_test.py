# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_load_test: send a bounded load of MCP requests to a server, and judge errors, latency and rate."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._load import judge, options, testing
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, handshake, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "endpoint": endpoints.OPTION,
        "auth": auth.OPTION,
        "era": {"type": "str", "default": handshake.AUTO, "choices": list(handshake.ERAS)},
        **options.OPTIONS,
    }
)


def run(task: Task) -> dict[str, t.Any]:
    outcome = _outcome(task)
    result = {"changed": False, "checks": outcome.checks, "load": outcome.load}
    if failed := _results.problems(outcome.checks):
        raise Failure(" ".join(failed), **result)
    return result


def _outcome(task: Task) -> testing.Outcome:
    params = task.params
    if not options.is_enabled(params):
        return _skipped(
            "No load is sent, as none was asked for: set mcp_load to true to send it to this server, and mcp_load_rate "
            "for less of it."
        )
    limits = options.limits_of(params)
    plan, tool = options.plan_of(params, limits), options.tool_of(params)
    public = endpoints.public(params["endpoint"], params["auth"])
    if params["auth"] and params["auth"]["expect_401"]:
        return _skipped("The server is only checked for refusing clients without a token (auth.expect_401).")
    if task.check_mode:
        return _skipped("Nothing is sent in check mode.")
    try:
        executable = testing.executable_of(tool, params["tool_path"])
        script = testing.script_of(params["script"]) if tool == options.K6 else ""
    except _results.CannotMeasure as failure:
        name = judge.NAMES[judge.GENERATOR]
        missing = _results.result(judge.GENERATOR, name, _results.CANNOT_MEASURE, failure.msg)
        return testing.Outcome([missing, *judge.not_judged("See the load generator.", limits)])
    test = testing.LoadTest(
        public,
        params["endpoint"],
        params["era"],
        targets.credentials_of(params),
        limits,
        plan,
        params["request"],
        executable,
        task.progress,
    )
    return test.run(script)


def _skipped(why: str) -> testing.Outcome:
    return testing.Outcome([_results.result("load", "load test", _results.SKIPPED, why)])
