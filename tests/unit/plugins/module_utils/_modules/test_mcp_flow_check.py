# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which checks mcp_flow_check makes, and which pool they ask."""

from __future__ import annotations

import sys
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_flow_check
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SECRET = "planted-in-the-environment-5Kd"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"


def script(code: str, name: str = "script", **more: t.Any) -> dict[str, t.Any]:
    return {"name": name, "command": {"argv": [sys.executable, "-c", code], **more}}


GOOD = script("import os; print('pool', os.environ['MCP_POOL'], os.environ['MCP_VERSION'])")
BAD = script("import os; print(os.environ['KEY']); exit(3)", "b\x1b[2Jad", environment={"KEY": SECRET})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    one = ApiServer({})
    monkeypatch.setattr(mcp_flow_check, "connect", lambda _params: one)
    return one


def route(blue: int, green: int) -> dict[str, t.Any]:
    backends = [{"name": f"mcp-{pool}", "weight": weight} for pool, weight in (("blue", blue), ("green", green))]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "mcp", "namespace": "prod"},
        "spec": {"rules": [{"backendRefs": backends}]},
    }


def made(*checks: dict[str, t.Any], check: bool = False, **options: t.Any) -> list[dict[str, t.Any]]:
    given = {"namespace": "prod", "server": "mcp", "version": "v1.2.0", "checks": list(checks), **options}
    spec = mcp_flow_check.SPEC
    validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    try:
        return mcp_flow_check.run(Task(validated.validated_parameters, check_mode=check))["checks"]
    except Failure as failure:
        assert SECRET not in failure.msg
        return t.cast(list[dict[str, t.Any]], failure.evidence["checks"])


def verdicts(found: list[dict[str, t.Any]]) -> list[tuple[str, str]]:
    return [(one["id"], one["verdict"]) for one in found]


def test_all_are_made_though_one_fails(api: ApiServer) -> None:
    found = made(BAD, {"name": "empty", "pod": {"command": []}}, GOOD, pool="green", check_id="path")
    assert verdicts(found) == [("path_1", "failed"), ("path_2", "failed"), ("path_3", "passed")]
    assert "exit code 3" in found[0]["message"] and found[0]["name"] == "b [2Jad" and SECRET not in str(found)
    assert "pod.command is empty" in found[1]["message"]
    assert found[2]["output"].split() == ["pool", "green", "v1.2.0"]
    assert api.log == []


@pytest.mark.parametrize(("blue", "green", "live"), [(100, 0, "blue"), (10, 90, "green"), (50, 50, "")])
def test_the_live_pool_is_asked(api: ApiServer, blue: int, green: int, live: str) -> None:
    api.objects[ROUTE] = route(blue, green)
    (found,) = made(GOOD)
    if live:
        assert found["ok"] and live in found["output"]
    else:
        assert found["verdict"] == "failed" and "No pool of prod/mcp is live" in found["message"]


def test_a_cluster_that_does_not_tell_fails_the_check(api: ApiServer) -> None:
    (found,) = made(GOOD)
    assert found["verdict"] == "failed" and "could not be made" in found["message"]


def test_a_server_without_pools_has_no_pool(api: ApiServer) -> None:
    (found,) = made(GOOD, workload="mcp")
    assert found["ok"] and found["output"].split() == ["pool", "v1.2.0"] and api.log == []


def test_check_mode_makes_none(api: ApiServer) -> None:
    assert verdicts(made(GOOD, BAD, check=True)) == [("flow_1", "skipped"), ("flow_2", "skipped")]


def test_none_at_all(api: ApiServer) -> None:
    assert made() == []
