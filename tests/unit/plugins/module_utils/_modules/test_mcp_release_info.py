# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release_info
from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

RECORD = "/api/v1/namespaces/ns/configmaps/x-release"
RELEASE = {
    "id": "2",
    "reason": "",
    "outcome": "running",
    "steps": [],
    "from": {"pool": "green", "image_ref": "r/x:v2"},
    "to": {"pool": "blue", "image_ref": "r/x:v3"},
}
PARAMS = {
    **{name: option.get("default") for name, option in mcp_release_info.SPEC.options.items()},
    "namespace": "ns",
    "server": "x",
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    api = ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2"))
    monkeypatch.setattr(mcp_release_info.connection, "connect", lambda _params: api)
    return api


def test_before_the_first_release(api: ApiServer) -> None:
    assert mcp_release_info.run(Task(PARAMS)) == {
        "changed": False,
        "live": "blue",
        "idle": "green",
        "weights": {"blue": 100, "green": 0},
        "record": None,
        "history": [],
        "holder": None,
        "stats": None,
    }
    assert not api.writes()


def test_during_a_release(api: ApiServer) -> None:
    api.put(
        RECORD,
        {
            "data": {
                "current": json.dumps(RELEASE),
                "history": json.dumps([{**RELEASE, "id": "1", "outcome": "failed"}]),
            }
        },
    )
    Lease(api, "ns", "x").acquire("r1", "eva@runner", "")
    found = mcp_release_info.run(Task(PARAMS))
    assert (found["live"], found["idle"]) == ("green", "blue"), "the one that it started from"
    assert ([one["id"] for one in (found["record"], *found["history"])], found["holder"]["by"]) == (
        ["2", "1"],
        "eva@runner",
    )


def test_a_split_that_is_nobodys(api: ApiServer) -> None:
    route = next(path for path in api.objects if "httproutes" in path)
    for backend in api.objects[route]["spec"]["rules"][0]["backendRefs"]:
        backend["weight"] = 50
    with pytest.raises(Failure, match="Cannot tell which pool of ns/x is live"):
        mcp_release_info.run(Task(PARAMS))
