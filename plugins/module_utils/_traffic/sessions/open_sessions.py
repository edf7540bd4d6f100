# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count a pool's open sessions, by a metric that its pods export for Prometheus."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault, subject
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, targets
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

_LABELS = r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}'


def value(text: str, name: str) -> float | None:
    """Return the sum of a metric's samples in Prometheus' text format; None without any or when one is no number."""
    samples = re.findall(rf"^{re.escape(name)}(?:{_LABELS})?[ \t]+(\S+)", text, re.MULTILINE)
    try:
        return sum(float(sample) for sample in samples) if samples else None
    except ValueError:
        return None


def open_sessions(
    cluster: Api,
    server: Server,
    pool: str,
    metric: dict[str, t.Any],
    seconds: float,
    option: dict[str, t.Any] | None = None,
) -> int:
    """Return the open sessions of all ready pods of the pool, 0 without any. Raises Failure when a pod reports none.

    metric: the option sessions_metric. seconds: how long that may take. option: the option endpoint, for pods whose
    metric is on the same port as MCP.
    """
    bound = Deadline(seconds)
    try:
        ready = targets.pods_of_pool(cluster, server, pool)
    except targets.NoneReady:
        return 0
    pods = [metrics_of(cluster, server, pool, pod, metric, option) for pod in ready]
    return sum(targets.in_parallel(lambda pod: _ask(pod, metric, bound), pods))


def sessions_of_pod(
    cluster: Api,
    server: Server,
    pool: str,
    pod: Object,
    metric: dict[str, t.Any],
    seconds: float,
    option: dict[str, t.Any] | None = None,
) -> int:
    """Return the open sessions of one pod. Raises Failure when it reports none. The rest is as in open_sessions()."""
    return _ask(metrics_of(cluster, server, pool, pod, metric, option), metric, Deadline(seconds))


def metrics_of(
    cluster: Api, server: Server, pool: str, pod: Object, metric: dict[str, t.Any], option: dict[str, t.Any] | None
) -> endpoint.Endpoint:
    """Return where a pod exports a metric. The options are those of open_sessions()."""
    own = option if _serves_mcp_at(cluster, server, pool, pod, metric["port"]) else None
    return endpoint.in_pod(cluster, server.namespace, name_of(pod), metric["port"], own, f"pool {pool}")


def _ask(pod: endpoint.Endpoint, metric: dict[str, t.Any], bound: Deadline) -> int:
    return round(number(pod, metric, bound, 1e9))


def number(pod: endpoint.Endpoint, metric: dict[str, t.Any], bound: Deadline, most: float) -> float:
    """Return the value of a metric in a pod, which must be less than C(most). Raises Failure when it has none."""
    connection = pod.connection()
    try:
        with subject(f"{pod.name}: GET {metric['path']} on port {metric['port']}"):
            reply = connection.fetch("GET", metric["path"], bound)
            found = value(reply.text, metric["name"]) if reply.status == 200 else None
            # Infinity and NaN are numbers in this format.
            if found is None or not 0 <= found < most:
                raise Fault(f"is answered {reply.status} without a number for {metric['name']}")
            return found
    finally:
        connection.close()


def _serves_mcp_at(cluster: Api, server: Server, pool: str, pod: Object, port: int) -> bool:
    try:
        return server.port_in(cluster, pod, pool) == port
    except Failure:  # the port of MCP cannot be told, but the metric's is an option
        return False


def count(task: Task, cluster: Api, server: Server, pool: str, seconds: float) -> int | None:
    """Return open_sessions(), or None, with a warning that says why, when they can't be counted or no metric is set."""
    metric = task.params["sessions_metric"]
    if metric is None:
        return None
    try:
        return open_sessions(cluster, server, pool, metric, seconds, task.params.get("endpoint"))
    except Failure as failure:
        task.warn(f"Open sessions of pool {pool} of {server} could not be counted. {failure.msg}")
        return None
