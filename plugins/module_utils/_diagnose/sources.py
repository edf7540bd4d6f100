# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the cluster knows of a server, all at once, within one deadline. What cannot be read is noted."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, started
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import pods

GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"  # of a gateway's pods, by the Gateway API (GEP-1762)
GATEWAY_GROUP = "gateway.networking.k8s.io"
MAX_REASON = 300  # characters
MOST_NODES = 50


@dataclass
class Sources:
    """What was read. Parts that could not be read are empty, and noted in not_read."""

    pods: dict[str, list[Object]] = field(default_factory=dict)
    workloads: dict[str, Object] = field(default_factory=dict)
    replica_sets: list[Object] = field(default_factory=list)
    events: list[Object] = field(default_factory=list)
    quotas: list[Object] = field(default_factory=list)
    limit_ranges: list[Object] = field(default_factory=list)
    # Of ready endpoints, by pool.
    ready: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    # Namespace and name of the Gateways that the route names.
    gateways: list[tuple[str, str]] = field(default_factory=list)
    metrics: list[Object] = field(default_factory=list)
    # The nodes of the pods, by name: None for one that does not exist. One that could not be read is missing.
    nodes: dict[str, Object | None] = field(default_factory=dict)
    # What does not exist, such as the Service of a pool: pool (or empty) and a sentence.
    missing: list[tuple[str, str]] = field(default_factory=list)
    # A sentence for each source that could not be read.
    not_read: list[str] = field(default_factory=list)
    # How many of them leave a doubt: not those that are optional.
    doubts: int = 0
    # What the API server says of the same for others, such as a missing right: once is enough.
    noted: set[str] = field(default_factory=set)

    def note(self, title: str, failure: Exception, optional: str = "") -> None:
        """Note that a source could not be read, once for each reason. optional: what says so of a missing right."""
        sentence = reason_of(title, failure, optional)
        if sentence not in self.noted:
            self.noted.add(sentence)
            self.not_read.append(sentence)
            self.doubts += not optional

    def by_name(self) -> dict[str, Object]:
        return {pods.name_of(pod): pod for its in self.pods.values() for pod in its}

    def pool_of(self) -> dict[str, str]:
        return {pods.name_of(pod): pool for pool, its in self.pods.items() for pod in its}

    def makers(self, pool: str) -> set[str]:
        """Return the names of what makes the pool's pods: its workload, and the ReplicaSets of that."""
        workload = self.workloads.get(pool, {})
        uid = pods.uid_of(workload)
        its = [one for one in self.replica_sets if uid and pods.owner(one) == uid]
        return {pods.name_of(one) for one in (workload, *its)} - {""}


def reason_of(title: str, failure: Exception, optional: str = "") -> str:
    """Return the sentence on a source that could not be read. Pure."""
    if isinstance(failure, Forbidden):
        return f"{title}: not read, as this user has no right to{optional and f' ({optional})'}; see docs/diagnose.md."
    if isinstance(failure, TimeoutError):
        return f"{title}: not read, as the API server gave no answer in time."
    why = failure.msg if isinstance(failure, Failure) else type(failure).__name__
    return f"{title}: not read. {printable(why, MAX_REASON)}"


def read(cluster: Api, server: Server, deadline: Deadline) -> Sources:
    """Return what the cluster knows. What fails is noted. Raises Failure when the API server answers nothing at all."""
    found = Sources()
    answered, away = False, Failure("")
    namespace = server.namespace
    calls: dict[str, t.Callable[[], t.Any]] = {}
    for pool in POOLS:
        calls[f"Pods of pool {pool}"] = functools.partial(server.pods, cluster, pool)
        calls[f"Workload of pool {pool}"] = functools.partial(cluster.get, server.workload_path(pool))
        calls[f"Endpoints of pool {pool}"] = functools.partial(server.ready_endpoints, cluster, pool)
    calls["Route"] = functools.partial(_route, cluster, server)
    lists = {
        "Events": (paths.events(namespace), "events"),
        "ReplicaSets": (paths.replica_sets(namespace), "replica_sets"),
        "ResourceQuotas": (paths.resource("v1", namespace, "resourcequotas"), "quotas"),
        "LimitRanges": (paths.resource("v1", namespace, "limitranges"), "limit_ranges"),
        "Metrics API": (paths.resource("metrics.k8s.io/v1beta1", namespace, "pods"), "metrics"),
    }
    for title, (path, _name) in lists.items():
        calls[title] = functools.partial(_listed, cluster, path)
    waits = {title: started(call) for title, call in calls.items()}
    for title, wait in waits.items():
        try:
            answer = wait(deadline.left)
        except NotFound as failure:
            answered = True
            if title == "Metrics API":
                found.not_read.append("Metrics API: the cluster has none, so use and limits cannot be compared.")
            else:
                found.missing.append((title.partition(" of pool ")[2], failure.msg))
            continue
        except (Failure, TimeoutError) as failure:
            found.note(title, failure)
            if isinstance(failure, Unreachable):
                away = failure
            elif isinstance(failure, Failure):
                answered = True
            continue
        answered = True
        _put(found, title, answer, {name: attribute for name, (_path, attribute) in lists.items()})
    if not answered:
        why = away.msg or f"The API server {cluster.host} gave no answer within {deadline.seconds:g} s."
        raise Failure(
            f"Nothing of {server} could be read. {why} Most likely the API server or the way to it is broken: the "
            "server itself may run and serve. Next: kubectl get --raw /readyz."
        )
    _read_nodes(cluster, found, deadline)
    return found


def _read_nodes(cluster: Api, found: Sources, deadline: Deadline) -> None:
    """Read the nodes of the pods: a pod on a node that is lost looks well for a while, or for ever."""
    names = {str(mapping(pod, "spec").get("nodeName") or "") for pod in found.by_name().values()} - {""}
    waits = {
        name: started(functools.partial(cluster.get, f"{paths.NODES}/{name}")) for name in sorted(names)[:MOST_NODES]
    }
    for name, wait in waits.items():
        try:
            found.nodes[name] = wait(deadline.left)
        except NotFound:
            found.nodes[name] = None
        except Forbidden as failure:
            found.note("Nodes of the pods", failure, "get nodes, which is optional")
        except (Failure, TimeoutError) as failure:
            found.note("Nodes of the pods", failure)


def _put(found: Sources, title: str, answer: t.Any, lists: t.Mapping[str, str]) -> None:
    if title in lists:
        setattr(found, lists[title], answer)
    elif title == "Route":
        found.weights, found.gateways = answer
    else:
        kind, _of, pool = title.partition(" of pool ")
        by_pool: dict[str, dict[str, t.Any]] = {
            "Pods": found.pods,
            "Workload": found.workloads,
            "Endpoints": found.ready,
        }
        by_pool[kind][pool] = answer


def _listed(cluster: Api, path: str) -> list[Object]:
    return items(cluster.get(path), "items")


def _route(cluster: Api, server: Server) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the weights, and the Gateways that the route names."""
    kind = kind_of(server)
    route = kind.read(cluster, server)
    parents = [
        one
        for one in items(kind.written(route), "spec", "parentRefs")
        if (one.get("kind") or "Gateway") == "Gateway" and (one.get("group") or GATEWAY_GROUP) == GATEWAY_GROUP
    ]
    gateways = [
        (str(one.get("namespace") or server.namespace), str(one.get("name")))
        for one in parents
        if isinstance(one.get("name"), str)
    ]
    return kind.weights(route, server), list(dict.fromkeys(gateways))


def addresses(found: Sources) -> list[str]:
    """Return the addresses of the server's pods."""
    its = [str(mapping(pod, "status").get("podIP") or "") for pods_of in found.pods.values() for pod in pods_of]
    return [one for one in its if one]
