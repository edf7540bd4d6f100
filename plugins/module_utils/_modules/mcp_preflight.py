# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_preflight: all that a release needs, looked at before anything is changed."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._guard import job
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops as decision
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._preflight import options as later_options
from ansible_collections.mcp.server.plugins.module_utils._preflight.checks import Context, checks
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import check_dependencies
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

NOW, LATER = "now", "later"

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **decision.OPTION,
        "required_secrets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            },
        },
        "guard": {"type": "bool", "default": False},
        "guard_service_account": {"type": "str", "default": job.SERVICE_ACCOUNT},
        **later_options.OPTIONS,
        "version": _versions.OPTION,
        "force_version": failed_versions.OPTION,
        "image": {"type": "str"},
        "scope": {"type": "list", "elements": "str", "choices": [NOW, LATER], "default": [NOW, LATER]},
        "starts_release": {"type": "bool", "default": False},
    },
    required_together=[("registry_username", "registry_password")],
)


def run(task: Task) -> dict[str, t.Any]:
    context = Context(connect(task.params), Server.from_params(task.params), task.params)
    found = checks(context, task.progress) if NOW in task.params["scope"] else []
    if LATER in task.params["scope"]:
        found += _later(context, task)
    result = {"changed": False, "checks": found}
    failed = [check["message"] for check in found if not check["ok"] and check["required"]]
    if failed:
        raise Failure(" ".join(failed), **result)
    return result


def _later(context: Context, task: Task) -> list[dict[str, t.Any]]:
    """What is needed later, as in RV(checks). A release that starts warns of what it can do without; one that goes on with traffic, of all."""
    starts = task.params["starts_release"]
    goes_on = starts and _has_traffic(context)
    found = []
    for one in check_dependencies(task.params, context.server):
        required = not starts or (one.required and not goes_on)
        task.progress(f"{'ok' if one.ok else 'FAILED' if required else 'warning'}: {one.message}")
        if not one.ok and not required:
            task.warn(one.message)
        found.append({**asdict(one), "required": required, "skipped": False})
    return found


def _has_traffic(context: Context) -> bool:
    """Whether the release goes on with one that was cut off, and has traffic already."""
    try:
        current = record.read(context.cluster, context.server)[0].current
        kind = kind_of(context.server)
        weights = kind.weights(kind.read(context.cluster, context.server), context.server)
    except Failure:
        return False
    version = context.params["version"]
    goes_on = (
        current is not None
        and record.is_running(current)
        and (version is None or failed_versions.has(current["to"], str(version)))
    )
    return goes_on and weights[current["to"]["pool"]] > 0


# Each check returns a sentence, or raises Failure with one
