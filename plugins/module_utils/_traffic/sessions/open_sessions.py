# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many sessions a pool has open, by a gauge that its pods show to Prometheus."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault, subject
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, targets
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

_LABELS = r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}'


def value(text: str, name: str) -> float | None:
    """The sum of a metric's samples in Prometheus' text format; None without any."""
    samples = re.findall(rf"^{re.escape(name)}(?:{_LABELS})?[ \t]+(\S+)", text, re.MULTILINE)
    try:
        return sum(float(sample) for sample in samples) if samples else None
    except ValueError:
        return None


def open_sessions(cluster: Api, server: Server, pool: str, metric: dict[str, t.Any], seconds: float) -> int:
    """Over all ready pods of the pool, 0 without any: clients reach no other. Raises Failure when one does not tell."""
    bound = Deadline(seconds)

    def ask(pod: endpoint.Endpoint) -> int:
        connection = pod.connection()
        try:
            with subject(f"{pod.name}: GET {metric['path']} on port {metric['port']}"):
                reply = connection.fetch("GET", metric["path"], bound)
                found = value(reply.text, metric["name"]) if reply.status == 200 else None
                # Infinity and NaN are numbers of the format, and of no sessions.
                if found is None or not 0 <= found < 1e9:
                    raise Fault(f"is answered {reply.status} without a number for {metric['name']}")
                return round(found)
        finally:
            connection.close()

    try:
        names = targets.pods_of_pool(cluster, server.namespace, server.name, pool)
    except targets.NoneReady:
        return 0
    pods = [endpoint.in_pod(cluster, server.namespace, name, metric["port"], None) for name in names]
    return sum(targets.at_once(ask, pods))


def count(task: t.Any, cluster: Api, server: Server, pool: str, seconds: float) -> int | None:
    """As open_sessions(); None, and a warning that says why, when they are not known."""
    metric = task.params["sessions_metric"]
    if metric is None:
        return None
    try:
        return open_sessions(cluster, server, pool, metric, seconds)
    except Failure as failure:
        task.warn(f"How many sessions pool {pool} has open is not known. {failure.msg}")
        return None
