# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

PARAMS = {"namespace": "prod", "server": "mcp", "pool_name_format": "{server}-{pool}", "route": None, "container": None}


def test_names():
    server = Server.from_params({**PARAMS, "pool_name_format": "{pool}.{server}", "container": "app"})
    assert (server.service("blue"), server.workload("green"), server.route, server.container) == (
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
