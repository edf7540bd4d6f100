# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._drill import state
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "")
SERVICE = "/api/v1/namespaces/prod/services/mcp-green"
BLUE = "/apis/apps/v1/namespaces/prod/deployments/mcp-blue"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"


@pytest.mark.parametrize(
    ("path", "change", "words"),
    [
        (SERVICE, {"spec": {"publishNotReadyAddresses": True}}, ["Service prod/mcp-green has another publishNotReady"]),
        (BLUE, {"spec": {"replicas": 7}}, ["Deployment prod/mcp-blue has another replicas"]),
        (BLUE, {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "9"}}}, []),
        (BLUE, {"status": {"replicas": 9}}, []),
    ],
)
def test_what_is_not_as_before(path: str, change: dict[str, t.Any], words: list[str]) -> None:
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2"))
    before = copy.deepcopy(state.read(api, SERVER))
    assert state.differences(before, state.read(api, SERVER)) == []
    api.change(path, change)
    found = state.differences(before, state.read(api, SERVER))
    assert len(found) == len(words) and all(word in one for word, one in zip(words, found, strict=True)), found


def test_weights_and_what_is_gone() -> None:
    before = {"the weights of x": {"blue": 100, "green": 0}, "Service y": {"a": 1}}
    after = {"the weights of x": {"blue": 0, "green": 100}}
    assert state.differences(before, after) == ["the weights of x has another blue, green", "Service y is gone"]
