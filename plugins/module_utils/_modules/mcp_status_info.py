# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_status_info: what other modules read of a server, together, as lines for people."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._announce.status import lines
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release_info, mcp_version_check, mcp_watch
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "endpoint": {**endpoint.OPTION, "required": True},
        "auth": auth.OPTION,
        "seconds": {"type": "float", "default": 2.0},
        "releases": {"type": "int", "default": 5},
    }
)
RELEASE = Module(mcp_release_info.SPEC, mcp_release_info.run)
VERSIONS = Module(mcp_version_check.SPEC, mcp_version_check.run)
WATCH = Module(mcp_watch.SPEC, mcp_watch.run)


def run(task: Task) -> dict[str, t.Any]:
    calls = Calls.of(task.params)
    release = calls.run(task, RELEASE)
    pools = calls.run(task, VERSIONS)["pools"]
    shown = lines(release, pools, answers(task, calls), task.params["releases"])
    for line in shown:
        task.progress(line)
    return {"changed": False, "lines": shown, "release": release, "pools": pools}


def answers(task: Task, calls: Calls) -> dict[str, t.Any]:
    """Return what a watch found; of one that failed too, as that is what is to be shown."""
    seconds = task.params["seconds"]
    if seconds <= 0:
        return {}
    try:
        return calls.run(task, WATCH, seconds=seconds)
    except Failure as failure:
        return {**failure.evidence, "msg": failure.msg}
