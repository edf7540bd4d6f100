# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_break_glass: get a server to answer without any safety measure, with a way back."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._break_glass.breaking import ACTIONS, BY_DEFAULT, Breaking
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "state": {"type": "str", "choices": ["broken", "restored"], "default": "broken"},
        "actions": {"type": "list", "elements": "str", "choices": list(ACTIONS), "default": list(BY_DEFAULT)},
        "pool": {"type": "str", "choices": list(POOLS)},
        "replicas": {"type": "int"},
        "reason": {"type": "str", "default": ""},
        "keep": {"type": "bool", "default": False},
        "endpoint": endpoint.OPTION,
        "auth": auth.OPTION,
    },
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    server = Server.from_params(params)
    if params["state"] == "restored":
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._break_glass.restoring import Restoring

        return Restoring(task, connection.connect(params), server).run()
    if not params["reason"].strip():
        raise Failure(
            f"Breaking the glass of {server} takes a reason, which stands on each changed object: set reason "
            "(-e \"mcp_reason='INC-42, nothing answers'\")."
        )
    if params["replicas"] is not None and params["replicas"] < 1:
        raise Failure(f"replicas (mcp_replicas) is {params['replicas']}: it must be 1 or more.")
    return Breaking(task, connection.connect(params), server).run()
