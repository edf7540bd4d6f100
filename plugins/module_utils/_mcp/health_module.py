# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_health: finds its targets, probes them side by side, and waits for them when it may."""

from __future__ import annotations

import itertools
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, protocol, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import AUTO, Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        "endpoint": endpoint.OPTION,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "pod": {"type": "str"},
        "service": {"type": "str"},
        "pool": {"type": "str"},
        "port": {"type": "int", "default": 8080},
        "health": {"type": "list", "elements": "str", "default": ["status == 'HEALTHY'"]},
        "expect_version": {"type": "str"},
        "mcp": {"type": "bool", "default": True},
        "era": {"type": "str", "default": AUTO, "choices": [AUTO, protocol.MODERN, protocol.LEGACY]},
        "timeout": {"type": "float", "default": 30.0},
        "step_timeout": {"type": "float", "default": 10.0},
        "wait": {"type": "float", "default": 0.0},
    },
    required_one_of=[("endpoint", "pod", "service", "pool")],
    mutually_exclusive=[("pod", "service", "pool")],
    required_by={"pod": ["namespace"], "service": ["namespace"], "pool": ["namespace", "server"]},
)

# At most so many pods at once; each costs a thread and a connection to the API server.
PARALLEL = 50

# Seconds between two rounds of a wait: quick at first, and no burden on a server that stays unwell.
PAUSES = (1.0, 2.0, 3.0, 5.0)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    settings = Settings(
        assertions=Assertions(params["health"], params["expect_version"]),
        era=params["era"] if params["mcp"] else None,
        timeout=params["timeout"],
        step_timeout=params["step_timeout"],
    )
    settings.assertions.check()
    find = _finder(params)

    patience = Deadline(params["wait"])
    for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
        servers, complaint = _round(find, settings)
        evidence = {"healthy": complaint is None, "seconds": round(patience.elapsed, 3), "servers": servers}
        if complaint is None:
            return {"changed": False, **evidence}
        if not patience.left:
            raise Failure(complaint, **evidence)
        task.progress(f"{complaint} Trying again for {patience.left:.0f} s.")
        patience.pause(pause)
    raise AssertionError("unreachable")


def _finder(params: dict[str, t.Any]) -> t.Callable[[], list[Endpoint]]:
    """Finds the endpoints to probe, anew in each round of a wait: pods come and go."""
    if not (params["pod"] or params["service"] or params["pool"]):
        public = endpoint.public(params["endpoint"])
        return lambda: [public]

    cluster = connect(params)
    namespace = params["namespace"]

    def pods() -> list[str]:
        if params["pool"]:
            return targets.pods_of_pool(cluster, namespace, params["server"], params["pool"])
        if params["service"]:
            return [targets.pod_of_service(cluster, namespace, params["service"])]
        return [params["pod"]]

    return lambda: [endpoint.in_pod(cluster, namespace, pod, params["port"], params["endpoint"]) for pod in pods()]


def _round(find: t.Callable[[], list[Endpoint]], settings: Settings) -> tuple[list[dict[str, t.Any]], str | None]:
    """A result for each server, and what is wrong."""
    try:
        endpoints = find()
    except targets.NoneReady as failure:
        return [], failure.msg
    with ThreadPoolExecutor(min(len(endpoints), PARALLEL)) as pool:
        servers = list(pool.map(lambda one: probe(one, settings), endpoints))
    return servers, complaint(servers)


def complaint(servers: t.Sequence[dict[str, t.Any]]) -> str | None:
    """One sentence about the unhealthy ones of them."""
    unwell = [server for server in servers if not server["healthy"]]
    reasons = [f"{server['target']} is not healthy: {server['reason'].rstrip('.')}" for server in unwell]
    if not reasons:
        return None
    return (f"{len(unwell)} of {len(servers)} servers: " if len(servers) > 1 else "") + "; ".join(reasons) + "."
