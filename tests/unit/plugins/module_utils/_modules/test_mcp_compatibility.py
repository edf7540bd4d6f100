# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_compatibility against a fake API server and scripted MCP servers."""

from __future__ import annotations

import json
import typing as t
from contextlib import ExitStack

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_compatibility
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import LEGACY, Script, Scripted
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server
from ansible_collections.mcp.server.tests.unit.fakes.records import RECORD, release

from .test_mcp_contract_reads import initialize_as

OLD, NEW = ("2024-11-05", "2025-06-18"), ("2025-06-18", "2025-11-25")
SERVER = {"namespace": "prod", "server": "mcp"}


@pytest.fixture
def start() -> t.Iterator[t.Callable[..., Scripted]]:
    with ExitStack() as stack:

        def speaking(*revisions: str) -> Scripted:
            scripts: dict[str, Script] = {**LEGACY, "initialize": initialize_as(*revisions)}
            return stack.enter_context(Scripted(scripts))

        yield speaking


def cluster_of(**pools: Scripted) -> ApiServer:
    """Return a cluster with a ready pod of each of these pools; blue has the traffic."""
    api = ApiServer(mcp_server("prod", "mcp", blue="x:v1.1.5", green="x:v1.2.0"))
    api.put("/version", {"gitVersion": "v1.35.4"})
    for pool, server in pools.items():
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        labels = {"app": "mcp", "pool": pool}
        api.put(f"/api/v1/namespaces/prod/pods/{pool}-1", {"metadata": {"labels": labels}, "status": status})
        api.ports[f"{pool}-1"] = server.server_port
    return api


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Any]]:
    def call(api: ApiServer, warned: list[str] | None = None, **given: t.Any) -> dict[str, t.Any]:
        for module in (targets, mcp_compatibility):
            monkeypatch.setattr(module, "connect", lambda _params: api)
        validation = ArgumentSpecValidator(mcp_compatibility.SPEC.options, **mcp_compatibility.SPEC.rules()).validate(
            {**SERVER, **given}
        )
        assert not validation.error_messages
        try:
            return mcp_compatibility.run(
                Task(validation.validated_parameters, warn=(warned if warned is not None else []).append)
            )
        except Failure as failure:
            return {"msg": failure.msg, **failure.evidence}

    return call


def verdicts(found: dict[str, t.Any]) -> list[str]:
    return [one["verdict"] for one in found["checks"]]


def test_before_a_release_only_the_live_pool_is_known(run: t.Any, start: t.Any) -> None:
    live = start(*OLD)
    found = run(cluster_of(blue=live), version="v1.3.0")
    assert verdicts(found) == ["passed", "failed", "passed", "skipped"]
    assert "msg" not in found  # the guide's row only warns
    assert found["revisions"] == {"blue": list(OLD), "green": None}
    # No session is left open.
    assert [key for key in live.requests if key in ("initialize", "DELETE")] == ["initialize", "DELETE"] * 4


def test_in_a_release_the_new_pool_must_accept_what_the_live_one_does(run: t.Any, start: t.Any) -> None:
    api = cluster_of(blue=start(*OLD), green=start(*NEW))
    api.put(RECORD, {"data": {"current": json.dumps(release("running"))}})
    found = run(api, version="v1.2.0")
    assert verdicts(found) == ["passed", "passed", "passed", "failed"]
    assert found["msg"].startswith("Clients that speak only 2024-11-05 would be refused: blue accepts it, and green ")
    for accept in ("protocol_versions/2024-11-05", "protocol_versions"):
        assert verdicts(run(api, version="v1.2.0", accept=["tools/a", accept]))[3] == "passed"
    assert verdicts(run(api, version="v1.2.0", accept=["tools/2024-11-05"]))[3] == "failed"


def test_a_pod_that_does_not_answer_well_is_not_the_whole_pool(run: t.Any, start: t.Any) -> None:
    """Another one is asked, also where a busy one has refused what it accepts."""
    broken, busy = start(*OLD), start("2025-06-18")
    broken.scripts["initialize"] = broken.scripts["server/discover"] = lambda handler, _message: handler.answer(503, "")
    api = cluster_of(blue=broken, green=busy)
    for pool, server in (("blue", start(*OLD)), ("green", start(*OLD, "2025-11-25"))):
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        labels = {"app": "mcp", "pool": pool}
        api.put(f"/api/v1/namespaces/prod/pods/{pool}-2", {"metadata": {"labels": labels}, "status": status})
        api.ports[f"{pool}-2"] = server.server_port
    api.put(RECORD, {"data": {"current": json.dumps(release("running"))}})
    found = run(api, version="v1.2.0")
    assert verdicts(found) == ["passed"] * 4 and found["revisions"]["blue"] == list(OLD)


def test_what_the_release_accepted_by_name_is_not_told_again(run: t.Any, start: t.Any) -> None:
    api = cluster_of(blue=start(*OLD), green=start(*NEW))
    ended = release()
    ended["to"]["contract"] = {"accepted": ["protocol_versions/2024-11-05"]}
    api.put(RECORD, {"data": {"current": json.dumps(ended)}})
    assert verdicts(run(api))[3] == "passed"


def test_pools_that_no_release_connects_only_warn(run: t.Any, start: t.Any) -> None:
    warned: list[str] = []
    found = run(cluster_of(blue=start(*OLD), green=start(*NEW)), warned)
    assert [(one["verdict"], one["required"]) for one in found["checks"]][3] == ("failed", False)
    assert len(warned) == 1
    assert "msg" not in found


def test_all_is_checked_although_the_server_does_not_answer(run: t.Any, start: t.Any) -> None:
    broken = start(*OLD)
    broken.scripts["initialize"] = broken.scripts["server/discover"] = lambda handler, _message: handler.answer(503, "")
    api = cluster_of(blue=broken)
    rows = [{"kubernetes": "1.20 - 1.24"}]
    # A release may be the cure.
    before = run(api, version="v1.2.0", rows=rows)
    assert verdicts(before) == ["failed", "passed", "cannot_measure", "skipped"]
    assert "Which revisions" not in before["msg"] and not before["checks"][2]["required"]
    found = run(api, rows=rows)
    assert verdicts(found) == ["failed", "passed", "cannot_measure", "skipped"]
    assert "Which revisions of MCP pool blue accepts is unknown: " in found["msg"]
    assert "by your rows in mcp_compatibility it must be 1.20 - 1.24" in found["msg"]


def test_a_server_that_is_only_checked_for_refusing(run: t.Any, start: t.Any) -> None:
    live = start(*OLD)
    found = run(cluster_of(blue=live), auth={"expect_401": True})
    assert verdicts(found) == ["passed", "passed", "skipped", "skipped"]
    assert not live.requests


@pytest.mark.parametrize(
    ("failure", "verdict"), [(Forbidden("No right."), "skipped"), (Failure("The route is away."), "cannot_measure")]
)
def test_a_route_that_cannot_be_read(run: t.Any, failure: Failure, verdict: str) -> None:
    api = cluster_of()
    api.fail(failure, "GET", "httproutes")
    found = run(api)
    assert verdicts(found)[2:] == [verdict, verdict]
    assert failure.msg in found["checks"][3]["message"]


def test_versions_of_kubernetes_that_are_odd(run: t.Any) -> None:
    for version in ("unknown", None, 7, ["v1.2.3"], {"a": 1}, "\x1b[2J"):
        api = cluster_of()
        api.put("/version", {"gitVersion": version})
        found = run(api)
        assert verdicts(found)[0] == "skipped"
        assert found["checks"][0]["message"].isprintable()
    api.fail(Forbidden("No right."), "GET", "/version")
    assert verdicts(run(api))[0] == "skipped"


def test_options_that_cannot_be_read(run: t.Any) -> None:
    for given, part in (
        ({"guide_version": "7"}, "has no row of version 7"),
        ({"rows": [{"server": "?"}]}, "is no range of versions"),
        ({"rows": [{"kubernetes": 1.3}]}, "may have lost digits (1.30 becomes 1.3): put it in quotes, such as kub"),
        ({"version": 1.1}, "quotes"),
        ({"timeout": 0}, "timeout must be at least 1 s"),
    ):
        assert part in run(cluster_of(), **given)["msg"]
