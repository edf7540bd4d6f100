# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_plan_info: shows what a release would do, and all that would fail."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health, mcp_preflight, mcp_version_check
from ansible_collections.mcp.server.plugins.module_utils._plan import plan
from ansible_collections.mcp.server.plugins.module_utils._plan.facts import Modules, Search
from ansible_collections.mcp.server.plugins.module_utils._preflight import options as later_options
from ansible_collections.mcp.server.plugins.module_utils._preflight import secrets, service_account
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **gitops.OPTION,
        **lease_renewal.OPTION,
        **later_options.OPTIONS,
        "version": {**_versions.OPTION, "required": True},
        "force_version": failed_versions.OPTION,
        "image": {"type": "str", "required": True},
        "deploy_digest": {"type": "bool", "default": True},
        "steps": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {"weight": {"type": "int", "required": True}, "seconds": {"type": "float", "required": True}},
        },
        "endpoint": {**endpoint.OPTION, "required": True},
        "auth": auth.OPTION,
        **secrets.OPTION,
        **service_account.OPTIONS,
        "contract_check": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 600.0},
        "shift_timeout": {"type": "float", "default": 120.0},
        "warm_seconds": {"type": "float", "default": 0.0},
        "guard": {"type": "bool", "default": False},
        "guard_service_account": mcp_preflight.SPEC.options["guard_service_account"],
        "take_over": {"type": "bool", "default": False},
        "gate_descriptions": {"type": "list", "elements": "str", "default": []},
        "problems": {"type": "list", "elements": "str", "default": []},
    },
    required_together=[("registry_username", "registry_password")],
)

MODULES = Modules((mcp_version_check.SPEC, mcp_version_check.run), (mcp_health.SPEC, mcp_health.run))


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    _versions.text_of(params)
    sets = (("step_gates", thresholds.SHIFT), ("triggers", thresholds.TRIGGERS))
    given = [(option, defaults) for option, defaults in sets if params[option] is not None]
    gates = [gate for option, defaults in given for gate in options.gates(defaults, params[option], option)]
    sentences = [*params["gate_descriptions"], *map(evaluate.describe_gate, gates)]
    facts = Search(replace(task, params={**params, "gate_descriptions": sentences}), MODULES).facts()
    lines = plan.lines(facts)
    for line in lines:
        task.progress(line)
    return {
        "changed": False,
        "plan": plan.plan(facts),
        "problems": list(facts.problems),
        "summary": plan.summary(facts),
        "lines": lines,
    }
