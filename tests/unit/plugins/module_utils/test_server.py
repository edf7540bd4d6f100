# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server, ready_pods
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

PARAMS = {"namespace": "prod", "server": "mcp", "pool_name_format": "{server}-{pool}", "route": None, "container": None}


def test_names():
    server = Server.from_params({**PARAMS, "pool_name_format": "{pool}.{server}", "container": "app"})
    assert (server.service("blue"), server.deployment("green"), server.route, server.container) == (
        "blue.mcp",
        "green.mcp",
        "mcp",
        "app",
    )


@pytest.mark.parametrize(
    "params, says",
    [
        ({"server": "Mcp"}, "server gives 'Mcp'"),
        ({"route": "../secrets"}, "route gives"),
        ({"namespace": ""}, "namespace gives ''"),
        ({"pool_name_format": "{server}"}, "must contain {pool}"),
        ({"pool_name_format": "{server}-{pool}-{x}"}, "pool_name_format gives 'mcp-blue-{x}'"),
    ],
)
def test_names_that_cannot_be(params, says):
    with pytest.raises(Failure, match=says):
        Server.from_params({**PARAMS, **params})


def endpoint(uid, **conditions):
    return {"addresses": ["10.0.0.1"], "targetRef": {"uid": uid}, "conditions": conditions}


@pytest.mark.parametrize(
    "slices, expected",
    [
        ([], 0),
        ([{"endpoints": None}], 0),
        (
            [
                {
                    "endpoints": [
                        endpoint("a", ready=True),
                        endpoint("b", ready=False),
                        endpoint("c", ready=None),
                        endpoint("d"),
                    ]
                }
            ],
            3,
        ),
        ([{"endpoints": [endpoint("a", ready=True)]}, {"endpoints": [endpoint("a", ready=True)]}], 1),
        ([{"endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}]}], 2),
    ],
)
def test_ready_pods(slices, expected):
    assert ready_pods(slices) == expected
