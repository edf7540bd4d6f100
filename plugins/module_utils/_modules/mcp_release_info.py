# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_release_info: which pool is live, who releases, and the release record."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release
from ansible_collections.mcp.server.plugins.module_utils._release import lease, lease_renewal, summary
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Spec, Task

SPEC = Spec(options={**CLUSTER_OPTIONS, **SERVER_OPTIONS, **lease_renewal.OPTION})


def run(task: Task) -> dict[str, t.Any]:
    cluster, server = connection.connect(task.params), Server.from_params(task.params)
    recorded, weights, live = mcp_release.look(cluster, server)
    return {
        "changed": False,
        "live": live,
        "idle": other(live),
        "weights": weights,
        "record": recorded.current,
        "history": list(recorded.history),
        "stats": summary.stats(summary.readable(recorded.current)) if recorded.current else None,
        "holder": holder(cluster, server),
    }


def holder(cluster: Api, server: Server) -> dict[str, str] | None:
    """Return who holds the Lease, since when, and when it expires; None when no release is in progress."""
    found, _version = lease.Lease(cluster, server.namespace, server.name).read()
    seconds = lease.seconds_left(found, 0.0, cluster.server_time()) if found else 0.0
    if found is None or seconds <= 0 or lease.is_dead(found.process):
        return None
    expires = cluster.now() + timedelta(seconds=seconds)
    return {
        "by": found.by,
        "since": found.acquired.isoformat(timespec="seconds"),
        "until": expires.isoformat(timespec="seconds"),
    }
