# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTPRoute that is suggested in place of an Ingress."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._adopt import suggested
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._server import Server

SERVER = Server("prod", "w", "{server}-{pool}", "public", "", blue=PoolObjects("w", "Deployment", "w"))
SERVICE = {"spec": {"ports": [{"name": "metrics", "port": 9100}, {"name": "http", "port": 80, "targetPort": "web"}]}}


def rule(host: str | None, *paths: tuple[str, str]) -> dict[str, t.Any]:
    listed = [
        {"path": path, "pathType": "Prefix", "backend": {"service": {"name": service}}} for path, service in paths
    ]
    return {**({"host": host} if host else {}), "http": {"paths": listed}}


@pytest.mark.parametrize(
    ("rules", "hosts", "paths"),
    [
        ([rule("a.example", ("/mcp", "w"), ("/docs", "docs"))], ["a.example"], ["/mcp"]),
        ([rule("a.example", ("/mcp", "w")), rule("b.example", ("/mcp", "w"))], ["a.example", "b.example"], ["/mcp"]),
        # Another server's host name is not claimed.
        ([rule("a.example", ("/", "w")), rule("docs.example", ("/", "docs"))], ["a.example"], ["/"]),
        ([rule(None, ("/", "w"))], [suggested.FILL_IN], ["/"]),
    ],
)
def test_a_route_has_the_hosts_and_paths_that_lead_to_the_service(
    rules: list[dict[str, t.Any]], hosts: list[str], paths: list[str]
) -> None:
    spec = suggested.http_route(SERVER, SERVICE, [{"kind": "Ingress", "spec": {"rules": rules}}])["spec"]
    (one,) = spec["rules"]
    assert spec["hostnames"] == hosts
    assert [match["path"]["value"] for match in one["matches"]] == paths
    assert one["backendRefs"] == [{"name": "w", "port": 80}]
