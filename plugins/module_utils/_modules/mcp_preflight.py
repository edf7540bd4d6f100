# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_preflight: checks all that a release needs, before anything is changed."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results, _versions
from ansible_collections.mcp.server.plugins.module_utils._guard import job
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops as gitops_policy
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._preflight import image, interrupted, secrets, service_account
from ansible_collections.mcp.server.plugins.module_utils._preflight import options as later_options
from ansible_collections.mcp.server.plugins.module_utils._preflight.checks import PREMISES, checks
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import check_dependencies
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, lease_renewal
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
        **secrets.OPTION,
        **service_account.OPTIONS,
        "endpoint": endpoints.OPTION,
        "auth": auth.OPTION,
        "guard": {"type": "bool", "default": False},
        "guard_service_account": {"type": "str", "default": job.SERVICE_ACCOUNT},
        **later_options.OPTIONS,
        "version": _versions.OPTION,
        "force_version": failed_versions.OPTION,
        "image": {"type": "str"},
        "quiet": {"type": "bool", "default": False},
        "scope": {"type": "list", "elements": "str", "choices": [NOW, LATER], "default": [NOW, LATER]},
        "starts_release": {"type": "bool", "default": False},
    },
    required_together=[("registry_username", "registry_password")],
)


def run(task: Task) -> dict[str, t.Any]:
    context = Context(connect(task.params), Server.from_params(task.params), task.params)
    progress = (lambda line: None) if task.params["quiet"] else task.progress
    found = checks(context, progress) if NOW in task.params["scope"] else []
    if LATER in task.params["scope"]:
        found += _dependencies(context, task, progress)
    result = {"changed": False, "checks": found, "checked_digest": "", "goes_on": False}
    # Without them nothing else was asked, and an API server that is away would be waited for once more.
    if {*PREMISES} <= {one["id"] for one in found if one["ok"]}:
        result["checked_digest"] = image.checked_digest(context)
        result["goes_on"] = interrupted.find(context) is not None
    if failed := _results.problems(found):
        raise Failure(" ".join(failed), **result)
    return result


def _dependencies(context: Context, task: Task, progress: t.Callable[[str], None]) -> list[dict[str, t.Any]]:
    """Return the checks of what is needed later, as in RV(checks).

    A release that starts only warns of a dependency that is not required, and of every one when it has traffic already.
    """
    starts = task.params["starts_release"]
    has_traffic = starts and _has_traffic(context)
    found = []
    for one in check_dependencies(task.params, context.server):
        required = not starts or (one.required and not has_traffic)
        if not one.ok and not required:
            task.warn(one.message)
        verdict = _results.PASSED if one.ok else _results.FAILED
        found.append(_results.result(one.id, one.name, verdict, one.message, seconds=one.seconds, required=required))
        progress(f"{_results.word(found[-1])}: {one.message}")
    return found


def _has_traffic(context: Context) -> bool:
    """Return whether the release resumes one that was interrupted and whose pool has traffic already."""
    current = interrupted.find(context)
    if current is None:
        return False
    try:
        kind = kind_of(context.server)
        weights = kind.weights(kind.read(context.cluster, context.server), context.server)
    except Failure:
        return False
    return weights[current["to"]["pool"]] > 0
