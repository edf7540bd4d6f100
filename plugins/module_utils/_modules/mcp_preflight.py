# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_preflight: checks all that a release needs, before anything is changed."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._guard import job
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops as gitops_policy
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._preflight import options as later_options
from ansible_collections.mcp.server.plugins.module_utils._preflight.checks import Context, checks
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import check_dependencies
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

NOW, LATER = "now", "later"

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        **gitops_policy.OPTION,
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
        "endpoint": endpoints.OPTION,
        "auth": auth.OPTION,
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
        found += _dependencies(context, task)
    result = {"changed": False, "checks": found}
    failed = [check["message"] for check in found if not check["ok"] and check["required"]]
    if failed:
        raise Failure(" ".join(failed), **result)
    return result


def _dependencies(context: Context, task: Task) -> list[dict[str, t.Any]]:
    """Return the checks of what is needed later, as in RV(checks).

    A release that starts only warns of a dependency that is not required, and of every one when it has traffic already.
    """
    starts = task.params["starts_release"]
    has_traffic = starts and _has_traffic(context)
    found = []
    for one in check_dependencies(task.params, context.server):
        required = not starts or (one.required and not has_traffic)
        task.progress(f"{'ok' if one.ok else 'FAILED' if required else 'warning'}: {one.message}")
        if not one.ok and not required:
            task.warn(one.message)
        found.append({**asdict(one), "required": required, "skipped": False})
    return found


def _has_traffic(context: Context) -> bool:
    """Return whether the release resumes one that was interrupted and whose pool has traffic already."""
    try:
        current = record.read(context.cluster, context.server)[0].current
        kind = kind_of(context.server)
        weights = kind.weights(kind.read(context.cluster, context.server), context.server)
    except Failure:
        return False
    if current is None or not record.is_running(current):
        return False
    version = context.params["version"]
    is_same = version is None or failed_versions.has(current["to"], str(version))
    return is_same and weights[current["to"]["pool"]] > 0
