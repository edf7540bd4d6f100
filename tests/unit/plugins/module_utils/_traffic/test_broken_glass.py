# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import ANNOTATION, Change, Note, text
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "")
NOTE = Note("2026-11-27T03:00:00Z", "ana", "INC-1", {"weights": Change({"blue": 100}, {"blue": 0})})
SERVICE, DEPLOYMENT = "/api/v1/namespaces/prod/services/mcp-green", "/apis/apps/v1/namespaces/prod/deployments/mcp-blue"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"


@pytest.mark.parametrize(
    ("path", "title"),
    [
        (ROUTE, "HTTPRoute prod/mcp"),
        (SERVICE, "Service prod/mcp-green"),
        (DEPLOYMENT, "Deployment prod/mcp-blue"),
    ],
)
def test_each_kind_of_object_is_found(path: str, title: str) -> None:
    objects = mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2")
    objects[path].setdefault("metadata", {}).setdefault("annotations", {})[ANNOTATION] = text(NOTE)
    found = broken_glass.find(ApiServer(objects), SERVER)
    assert found == [broken_glass.Broken(title, NOTE)]
    sentence = broken_glass.sentence(found, SERVER)
    assert "by ana: INC-1" in sentence
    assert f"changed: {title}" in sentence


def test_a_whole_glass_and_missing_objects_are_no_finding() -> None:
    objects = mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2")
    warnings: list[str] = []
    assert broken_glass.find(ApiServer(objects), SERVER, warnings.append) == []
    assert broken_glass.find(ApiServer({}), SERVER, warnings.append) == []
    assert warnings == []
    assert broken_glass.sentence([], SERVER) == ""
