# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our own modules have to take it for a cluster."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_preflight, mcp_rollout, mcp_rollout_info
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

OLD, NEW = "r.io/mcp:v1.1.5", "r.io/mcp:v1.2.0"
SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
NAMES = {"namespace": "prod", "server": "mcp", "pool_name_format": "{server}-{pool}", "route": None, "container": None}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    api = ApiServer(mcp_server("prod", "mcp", blue=OLD, green=OLD))
    Controllers(api)
    for module in (mcp_preflight, mcp_rollout, mcp_rollout_info):
        monkeypatch.setattr(module, "connect", lambda _params: api)
    return api


def run(module: t.Any, **params: t.Any) -> dict[str, t.Any]:
    defaults = {name: option.get("default") for name, option in module.SPEC.options.items()}
    return module.run(Task({**defaults, **NAMES, **params}))


def test_the_preflight_passes(api: ApiServer) -> None:
    checks = run(mcp_preflight, required_secrets=[], guard=False, guard_service_account="mcp-guard", gitops_ignores=[])[
        "checks"
    ]
    unasked = {"registry", "platform", "image_check"}  # without an image
    assert {check["id"] for check in checks if check["skipped"]} == unasked
    assert all(check["ok"] for check in checks)


def test_a_rollout_and_one_back(api: ApiServer) -> None:
    options = {"pool": "green", "run_id": None, "wait_timeout": 5.0, "ready_grace": 30.0}
    for image, replicas, revision in ((NEW, 3, "2"), (NEW, 1, "2"), (OLD, 2, "3")):
        result = run(mcp_rollout, image_ref=image, replicas=replicas, **options)
        assert (result["ready"], result["revision"]) == (replicas, revision)
        assert SERVER.ready_endpoints(api, "green") == replicas and SERVER.image(api, "green") == (image, replicas)
        assert SERVER.digest(api, "green").startswith("sha256:")
    assert SERVER.ready_endpoints(api, "blue") == 2
    pools = run(mcp_rollout_info, pool=None)["pools"]
    assert [(one["revision"], one["image_ref"]) for one in pools["green"]["revisions"]] == [(2, NEW), (3, OLD)]


def test_a_route_is_in_force_after_each_write(api: ApiServer) -> None:
    kind = kind_of(SERVER)
    for green in (10, 100):
        operations = kind.patch(kind.read(api, SERVER), SERVER, {"blue": 100 - green, "green": green})
        api.patch(kind.path(SERVER), operations, "json")
        route = kind.read(api, SERVER)
        assert kind.weights(route, SERVER)["green"] == green and not kind.not_accepted(route, SERVER)


def test_a_service_that_selects_other_pods(api: ApiServer) -> None:
    api.patch("/api/v1/namespaces/prod/services/mcp-green", {"spec": {"selector": {"pool": None}}})
    assert SERVER.ready_endpoints(api, "green") == 4
