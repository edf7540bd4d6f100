# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_traffic_shift: one shift, an emergency rollback, or, with steps, a whole release."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._checks.options import CHECKS
from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates
from ansible_collections.mcp.server.plugins.module_utils._mcp.protocol import AUTO, ERAS
from ansible_collections.mcp.server.plugins.module_utils._modules import ending_options, single_shift
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

# Options of a release. Options of the modules that it calls are validated by their own specs.
STEPS: dict[str, t.Any] = {
    "steps": {
        "type": "list",
        "elements": "dict",
        "options": {"weight": {"type": "int", "required": True}, "seconds": {"type": "float", "required": True}},
    },
    "version": {"type": "str"},
    "digests": {"type": "list", "elements": "str", "default": []},
    "watch": {"type": "dict", "default": {}},
    "era": {"type": "str", "default": AUTO, "choices": list(ERAS)},
    "probe": {"type": "bool", "default": True},
    "warm_seconds": {"type": "float", "default": 0.0},
    "warm_replicas": {"type": "int"},
    "checks": CHECKS,
    "validation": {"type": "dict"},
    "guard": {"type": "dict"},
    "stop_after": {"type": "int"},
    "pause_seconds": {"type": "float", "default": 3600.0},
    "fleet": {"type": "bool", "default": False},
    **ending_options.OPTIONS,
}

SPEC = replace(
    single_shift.SPEC,
    options={**single_shift.SPEC.options, **STEPS, "prometheus": gates.OPTION},
    required_together=[],
    required_if=[("rollback", False, ("pool",)), ("rollback", False, ("weight", "steps"), True)],
    required_by={"weight": ["pool"], "steps": ["pool", "endpoint"]},
    mutually_exclusive=[("weight", "steps")],
)


def has_steps(params: dict[str, t.Any]) -> bool:
    """Return whether the task is a release, which must run where it can be stopped and its progress can be seen."""
    return params.get("steps") is not None


def has_own_limits(params: dict[str, t.Any]) -> bool:
    """Return whether the task is a release or an emergency, which no time limit of Ansible may cut off."""
    return has_steps(params) or params["rollback"]


def run(task: Task) -> dict[str, t.Any]:
    if not has_steps(task.params):
        return single_shift.run(task)
    if task.params["rollback"]:
        raise Failure("rollback finds the pool by itself: leave out steps, or leave out rollback.")
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._modules import release_steps

    return release_steps.run(task)
