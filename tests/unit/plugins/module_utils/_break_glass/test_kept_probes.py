# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which probes go to the Secret, and under which key."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._break_glass import kept_probes


@pytest.mark.parametrize(
    ("probe", "kept"),
    [
        ({"httpGet": {"path": "/ready", "port": 1}}, False),
        ({"tcpSocket": {"port": 1}, "periodSeconds": 3}, False),
        ({"grpc": {"port": 1, "service": "mcp"}}, False),
        ({"httpGet": {"path": "/", "port": 1, "httpHeaders": [{"name": "X-Key", "value": "planted"}]}}, True),
        ({"httpGet": {"path": "/ready?token=planted-in-a-query", "port": 1}}, True),
        ({"exec": {"command": ["mysqladmin", "-pPLANTED", "ping"]}}, True),
    ],
)
def test_a_probe_that_may_hold_a_secret_is_kept_in_the_secret(probe: dict[str, t.Any], kept: bool) -> None:
    assert kept_probes.may_hold_secrets(probe) is kept


def test_the_key_names_pool_container_and_probe() -> None:
    assert kept_probes.key_of("blue", "/spec/template/spec/containers/[mcp]/livenessProbe") == "blue.mcp.livenessProbe"
    assert kept_probes.key_of("blue", "/spec/replicas") == ""
