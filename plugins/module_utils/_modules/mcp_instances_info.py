# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_instances_info: the instances of a server, or all that have some labels, as data."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._status import instances, reading
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import policy
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_leaving

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "label_selector": {"type": "str"},
        "all_namespaces": {"type": "bool", "default": False},
        "endpoint": endpoint.OPTION,
        "sessions_metric": policy.METRIC,
    },
    required_one_of=[("server", "label_selector")],
    required_if=[("all_namespaces", True, ("label_selector",))],
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if not (params["namespace"] or params["all_namespaces"]):
        raise Failure("namespace is missing: set it, or set label_selector, and all_namespaces to true.")
    cluster = connection.connect(params)
    if params["label_selector"]:
        found, unread = _with_labels(cluster, params)
    else:
        found, unread = _of_server(cluster, Server.from_params(params), params)
    return {"changed": False, "instances": found, "pools": by_pool(found), "unread": unread}


def by_pool(found: t.Sequence[instances.Instance]) -> dict[str, dict[str, int]]:
    """Return how many instances each pool has, how many of them are ready, and how often they were restarted. Pure."""
    names = [*POOLS, *(["none"] if any(one["pool"] is None for one in found) else [])]
    of_pools = {name: [one for one in found if (one["pool"] or "none") == name] for name in names}
    return {
        name: {
            "instances": len(own),
            "ready": sum(one["ready"] for one in own),
            "restarts": sum(one["restarts"] for one in own),
        }
        for name, own in of_pools.items()
    }


def _with_labels(cluster: Api, params: dict[str, t.Any]) -> tuple[list[instances.Instance], list[str]]:
    """Return the pods with the labels, of whatever server they are. Raise Failure when these cannot be read."""
    namespace, selector = "" if params["all_namespaces"] else params["namespace"], params["label_selector"]
    found = reading.at_once(
        {
            "The pods": functools.partial(reading.with_selector, cluster, namespace, selector),
            "Memory and CPU": functools.partial(_usage_by_place, cluster, namespace, selector),
        },
        reading.ENOUGH,
    )
    if failure := found.failures.pop("The pods", None):
        raise failure
    usage = found.get("Memory and CPU") or {}
    described = []
    for pod in found.get("The pods"):
        place = str(mapping(pod, "metadata").get("namespace") or "")
        pool = mapping(pod, "metadata", "labels").get("pool")
        known = usage.get(place, {})
        container = params["container"] or ""
        described.append(instances.describe(pod, container, pool if pool in POOLS else None, known, cluster.now()))
    return described, [failure.msg for failure in found.failures.values()]


def _usage_by_place(cluster: Api, namespace: str, selector: str) -> dict[str, dict[str, Object]]:
    """Return what pods use, by their namespaces and names: two may have the same name."""
    places: dict[str, dict[str, Object]] = {}
    for one in reading.usages(cluster, namespace, selector):
        place = str(mapping(one, "metadata").get("namespace") or "")
        places.setdefault(place, {}).update(instances.by_pod([one]))
    return places


def _of_server(cluster: Api, server: Server, params: dict[str, t.Any]) -> tuple[list[instances.Instance], list[str]]:
    """Return the pods of both pools. Raise Failure when those of neither can be read."""
    reads: dict[str, t.Callable[[], t.Any]] = {}
    for pool in POOLS:
        reads |= {
            f"The workload of pool {pool}": functools.partial(cluster.get, server.workload_path(pool)),
            f"The pods of pool {pool}": functools.partial(reading.pods, cluster, server, pool),
            f"Memory and CPU of pool {pool}": functools.partial(reading.usage_of_pool, cluster, server, pool),
        }
    found = reading.at_once(reads, reading.ENOUGH)
    reading.refuse_unreachable(found)
    failures = [found.failures.get(f"The pods of pool {pool}") for pool in POOLS]
    if failures[0] and failures[1]:
        raise failures[0]
    every, asked = [], []
    for pool in POOLS:
        described = reading.instances_of_pool(cluster, server, pool, found)
        every += [one for _pod, one in described]
        asked += [(pool, pod, one) for pod, one in described if not is_leaving(pod)]
    gaps = reading.ask_pods(cluster, server, params, asked)
    return every, list(dict.fromkeys([*(failure.msg for failure in found.failures.values()), *gaps]))
