# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (paths.pods("prod"), "/api/v1/namespaces/prod/pods"),
        (paths.pods("prod", "mcp-1"), "/api/v1/namespaces/prod/pods/mcp-1"),
        (paths.deployments("prod", "mcp-blue"), "/apis/apps/v1/namespaces/prod/deployments/mcp-blue"),
        (paths.leases("prod", "mcp-release"), "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"),
        (paths.namespaces("prod"), "/api/v1/namespaces/prod"),
        (
            paths.resource("gateway.networking.k8s.io/v1", "prod", "httproutes", "mcp"),
            "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp",
        ),
    ],
)
def test_paths(path: str, expected: str) -> None:
    assert path == expected


def test_selectors() -> None:
    assert selectors.labels({}) == ""
    assert selectors.labels({"app": "mcp", "pool": "blue"}) == "app=mcp,pool=blue"
    assert selectors.service_slices("mcp-blue") == "kubernetes.io/service-name=mcp-blue"
