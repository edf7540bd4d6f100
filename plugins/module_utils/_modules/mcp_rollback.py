# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_rollback: the emergency's one call, the same as mcp_traffic_shift with rollback=true."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Spec, Task

# Options of a shift without effect in an emergency. rollback_pool is called pool here.
NOT_IN_EMERGENCY = (
    "pool",
    "weight",
    "rollback",
    "rollback_pool",
    "tolerance",
    "samples",
    "sessions",
    "session_mode",
    "drain_timeout",
)

SPEC = Spec(
    options={
        **{name: option for name, option in single_shift.SPEC.options.items() if name not in NOT_IN_EMERGENCY},
        "pool": {"type": "str", "choices": list(POOLS)},
        "only_unfinished": {"type": "bool", "default": False},
    },
)


def run(task: Task) -> dict[str, t.Any]:
    defaults = {name: single_shift.SPEC.options[name].get("default") for name in NOT_IN_EMERGENCY}
    params = {**defaults, **task.params, "pool": None, "rollback": True, "rollback_pool": task.params["pool"]}
    return single_shift.run(replace(task, params=params))
