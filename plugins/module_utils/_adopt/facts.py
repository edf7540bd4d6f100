# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what an adoption depends on: the server's objects, and all in its namespace that selects pods."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._adopt.copies import API_VERSIONS, labels_of
from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import Selecting, of_service
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.selectors import matches
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

NETWORK, MONITORING = "networking.k8s.io/v1", "monitoring.coreos.com/v1"
CONTROLLER_OF = {"Deployment": "deployments", "StatefulSet": "statefulsets"}


@dataclass
class Facts:
    """What is in the namespace. unseen: what this user may not read, by the names of kubectl."""

    workload: Object
    service: Object
    green_workload: Object | None = None
    green_service: Object | None = None
    workloads: list[Object] = field(default_factory=list)  # each with its kind
    services: list[Object] = field(default_factory=list)
    budgets: list[Object] = field(default_factory=list)
    policies: list[Object] = field(default_factory=list)
    autoscalers: list[Object] = field(default_factory=list)
    quotas: list[Object] = field(default_factory=list)
    limit_ranges: list[Object] = field(default_factory=list)
    pod_monitors: list[Object] = field(default_factory=list)
    service_monitors: list[Object] = field(default_factory=list)
    claims: dict[str, list[str]] = field(default_factory=dict)  # access modes of each PersistentVolumeClaim
    unseen: list[str] = field(default_factory=list)

    def template(self) -> Object:
        return mapping(self.workload, "spec", "template")

    def more_pods(self) -> int:
        """Return how many pods the idle pool still gets for a release: it gets as many as the live one has."""
        return max(0, _size(self.workload) - (_size(self.green_workload) if self.green_workload else 0))


def _size(workload: Object) -> int:
    replicas = mapping(workload, "spec").get("replicas")
    return 1 if replicas is None else int(replicas)


class Reader:
    """Reads lists of a namespace. What the cluster does not have is empty, what this user may not see is noted."""

    def __init__(self, cluster: Api, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.unseen: list[str] = []

    def one(self, api_version: str, plural: str, name: str) -> Object | None:
        try:
            return self.cluster.get(paths.resource(api_version, self.namespace, plural, name))
        except NotFound:
            return None

    def needed(self, api_version: str, kind: str, plural: str) -> list[Object]:
        """Return a list, each item with its kind. Raises Failure where it can't be read."""
        listed = self.cluster.get(paths.resource(api_version, self.namespace, plural))
        return [{"apiVersion": api_version, "kind": kind, **one} for one in items(listed, "items")]

    def seen(self, api_version: str, kind: str, plural: str) -> list[Object]:
        """Return a list, each item with its kind; empty where the cluster does not know it, or this user may not."""
        try:
            return self.needed(api_version, kind, plural)
        except NotFound:
            return []
        except Forbidden:
            self.unseen.append(plural)
            return []


def read(cluster: Api, server: Server) -> Facts:
    """Return the facts of a server whose objects have the names that Server has. Raises Failure."""
    reader = Reader(cluster, server.namespace)
    services = reader.needed("v1", "Service", "services")
    workloads = [
        one
        for kind, plural in (("Deployment", "deployments"), ("StatefulSet", "statefulsets"))
        for one in reader.needed("apps/v1", kind, plural)
    ]
    workloads += reader.seen("apps/v1", "DaemonSet", "daemonsets")
    blue, green = server.objects("blue"), server.objects("green")
    workload = _named(workloads, blue.kind, blue.workload)
    if workload is None:
        raise Failure(no_workload(server, blue, workloads))
    service = _named(services, "Service", blue.service)
    if service is None:
        key = "deployment" if blue.kind == "Deployment" else "stateful_set"
        raise Failure(
            f"Service {server.namespace}/{blue.service} does not exist: name the one that selects the pods of "
            f"{blue.title}, as in mcp_blue: {{{key}: {blue.workload}, service: NAME}}."
        )
    facts = Facts(
        workload,
        service,
        _named(workloads, green.kind, green.workload),
        _named(services, "Service", green.service),
        workloads,
        services,
        budgets=reader.seen("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
        policies=reader.seen(NETWORK, "NetworkPolicy", "networkpolicies"),
        autoscalers=reader.seen("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
        quotas=reader.seen("v1", "ResourceQuota", "resourcequotas"),
        limit_ranges=reader.seen("v1", "LimitRange", "limitranges"),
        pod_monitors=reader.seen(MONITORING, "PodMonitor", "podmonitors"),
        service_monitors=reader.seen(MONITORING, "ServiceMonitor", "servicemonitors"),
    )
    for volume in items(facts.template(), "spec", "volumes"):
        claim = mapping(volume, "persistentVolumeClaim").get("claimName")
        if claim:
            _claim(reader, facts, str(claim))
    facts.unseen = reader.unseen
    return facts


def _claim(reader: Reader, facts: Facts, name: str) -> None:
    try:
        found = reader.one("v1", "persistentvolumeclaims", name)
    except Forbidden:
        return
    if found is not None:
        facts.claims[name] = [str(mode) for mode in mapping(found, "spec").get("accessModes") or []]


def _named(listed: t.Iterable[Object], kind: str, name: str) -> Object | None:
    return next((one for one in listed if one["kind"] == kind and mapping(one, "metadata").get("name") == name), None)


def no_workload(server: Server, blue: PoolObjects, workloads: t.Sequence[Object]) -> str:
    names = [f"{one['kind']} {mapping(one, 'metadata').get('name')}" for one in workloads]
    there = f"There are {', '.join(names[:10])}" if names else "There is none at all"
    return (
        f"{blue.kind} {server.namespace}/{blue.workload} does not exist. {there}: name the one to adopt (mcp_blue, a "
        "name or {stateful_set: ..., service: ...})."
    )


def names(cluster: Api, namespace: str, blue: PoolObjects) -> PoolObjects:
    """Return the names of the live pool, with its Service: the one of the same name, or the only one of its pods."""
    if blue.service:
        return blue
    reader = Reader(cluster, namespace)
    workload = reader.one(API_VERSIONS[blue.kind], CONTROLLER_OF[blue.kind], blue.workload)
    services = reader.needed("v1", "Service", "services")
    labels = labels_of(mapping(workload, "spec", "template"))
    found = [
        str(mapping(one, "metadata").get("name"))
        for one in services
        if matches(of_service(mapping(one, "spec").get("selector")), labels)
    ]
    if blue.workload in found or len(found) != 1:
        if workload is not None and len(found) > 1 and blue.workload not in found:
            raise Failure(
                f"The pods of {blue.title} are selected by the Services {', '.join(sorted(found))}: name the one that "
                "clients come by (mcp_blue, with deployment and service)."
            )
        return blue._replace(service=blue.workload)
    return blue._replace(service=found[0])


def selecting(server: Server, facts: Facts) -> tuple[list[Selecting], list[Selecting], list[Selecting]]:
    """Return what selects pods: what must not select the idle pool's, the budgets, and what treats both pools alike."""
    ours = {server.objects("green").title, f"Service {server.service('green')}"}
    never = [
        Selecting(f"Service {_name(one)}", of_service(mapping(one, "spec").get("selector"))) for one in facts.services
    ]
    never += [Selecting(f"{one['kind']} {_name(one)}", mapping(one, "spec", "selector")) for one in facts.workloads]
    budgets = [
        Selecting(f"PodDisruptionBudget {_name(one)}", mapping(one, "spec").get("selector")) for one in facts.budgets
    ]
    alike = [one for policy in facts.policies for one in _of_policy(policy, server.namespace)]
    alike += [Selecting(f"PodMonitor {_name(one)}", mapping(one, "spec", "selector")) for one in facts.pod_monitors]
    return [one for one in never if one.name not in ours], budgets, alike


def _of_policy(policy: Object, namespace: str) -> t.Iterator[Selecting]:
    """Yield what a NetworkPolicy applies to, and the pods that it lets speak with those."""
    name = f"NetworkPolicy {_name(policy)}"
    yield Selecting(name, mapping(policy, "spec", "podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for rule in items(policy, "spec", direction):
            for peer in items(rule, peers):
                if "podSelector" in peer and _is_here(peer.get("namespaceSelector"), namespace):
                    yield Selecting(f"{name} ({direction} {peers} pods)", mapping(peer, "podSelector"))


def _is_here(selector: t.Any, namespace: str) -> bool:
    """Return whether a namespaceSelector means this namespace, as far as its name tells."""
    return selector is None or matches(selector, {"kubernetes.io/metadata.name": namespace})


def _name(obj: Object) -> str:
    return str(mapping(obj, "metadata").get("name"))
