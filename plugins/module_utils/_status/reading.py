# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what a server is now, each part apart: what cannot be read is missing, with a sentence, the rest is there."""

from __future__ import annotations

import functools
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import fetch_health, version_text
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._status import instances
from ansible_collections.mcp.server.plugins.module_utils._status.instances import Instance
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, started
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions.open_sessions import sessions_of_pod
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_ready, name_of

METRICS = "metrics.k8s.io/v1beta1"
PARALLEL = 32  # pods asked at once
ASKING = 5.0  # seconds for which all pods of a server are asked together
A_POD = 3.0  # seconds for one of them
ENOUGH = 60.0  # seconds for what has its own time limits, which are lower
MAX_ID = 80  # characters of an instance's id
IDS = ("instance_id", "instanceId", "instance")  # of a health document

Reads = t.Mapping[str, t.Callable[[], t.Any]]


class Found(t.NamedTuple):
    """What several reads found."""

    values: dict[str, t.Any]
    failures: dict[str, Failure]

    def get(self, name: str) -> t.Any:
        return self.values.get(name)

    def is_missing(self, name: str) -> bool:
        return isinstance(self.failures.get(name), NotFound)


def at_once(reads: Reads, seconds: float) -> Found:
    """Return what all reads found, made in parallel. seconds: for all of them together."""
    bound, values, failures = Deadline(seconds), {}, {}
    for name, wait in [(name, started(read)) for name, read in reads.items()]:
        try:
            values[name] = wait(bound.left)
        except Failure as failure:
            failures[name] = failure
        except TimeoutError:
            failures[name] = Failure(f"{name} was not read within {seconds:g} s.")
    return Found(values, failures)


def refuse_unreachable(found: Found, but: str = "") -> None:
    """Raise the failure of an API server that answered none of the reads. but: one that does not count."""
    if (
        found.failures
        and not found.values.keys() - {but}
        and all(isinstance(one, Unreachable) for one in found.failures.values())
    ):
        raise next(iter(found.failures.values()))


def pods(cluster: Api, server: Server, pool: str) -> list[Object]:
    """Return the pods of a pool: those that its Service selects, or without that, those of its workload."""
    try:
        return server.pods(cluster, pool)
    except NotFound:
        labels = mapping(cluster.get(server.workload_path(pool)), "spec", "selector", "matchLabels")
        if not labels:
            raise
        return items(cluster.get(paths.pods(server.namespace), labelSelector=selectors.labels(labels)), "items")


def slices(cluster: Api, server: Server, pool: str) -> dict[str, int]:
    """Return how many endpoints a pool has, and how many of these are ready."""
    found = endpoints.slices(cluster, server.namespace, server.service(pool))
    every = {
        mapping(one, "targetRef").get("uid") or str(one.get("addresses"))
        for each in found
        for one in items(each, "endpoints")
    }
    return {"ready": endpoints.count_ready(found), "total": len(every)}


def with_selector(cluster: Api, namespace: str, selector: str) -> list[Object]:
    """Return the pods with these labels. namespace: empty for all of them, which takes a ClusterRole. Raise Failure."""
    try:
        return items(
            cluster.get(paths.pods(namespace) if namespace else "/api/v1/pods", labelSelector=selector), "items"
        )
    except Forbidden as failure:
        if namespace:
            raise
        raise Forbidden(
            f"{failure.msg.partition(';')[0]}; all_namespaces needs a ClusterRole with list on pods (docs/status.md)."
        ) from None


def usages(cluster: Api, namespace: str, selector: str) -> list[Object]:
    """Return what pods use of memory and CPU, each an object of the metrics API. Raise Failure without such an API.

    namespace: empty for all of them.
    """
    path = paths.resource(METRICS, namespace, "pods") if namespace else f"/apis/{METRICS}/pods"
    query = {"labelSelector": selector} if selector else {}
    try:
        return items(cluster.get(path, **query), "items")
    except NotFound:
        raise Failure("Memory and CPU are not known: the cluster has no metrics-server.") from None
    except Forbidden as failure:
        # Without the advice, which is for the releaser's Role.
        raise Failure(f"Memory and CPU are not known. {failure.msg.partition(';')[0]} (docs/status.md).") from None
    except Unreachable as failure:
        raise type(failure)(
            f"Memory and CPU are not known, as the metrics API does not answer: {failure.msg}"
        ) from None


def usage_of_pool(cluster: Api, server: Server, pool: str) -> dict[str, Object]:
    """Return what the pool's pods use, by their names. Raise Failure."""
    try:
        selector = selectors.labels(server.selector(cluster, pool))
    except Unreachable:
        raise
    except Failure:
        selector = ""  # those of the whole namespace, where the Service does not say which are the pool's
    return instances.by_pod(usages(cluster, server.namespace, selector))


def instances_of_pool(cluster: Api, server: Server, pool: str, found: Found) -> list[tuple[Object, Instance]]:
    """Return the pods of a pool, each with its description. found: what at_once() returned of that pool."""
    workload, own = found.get(f"The workload of pool {pool}"), found.get(f"The pods of pool {pool}") or []
    container = container_of(cluster, server, pool, workload, own)
    usage = found.get(f"Memory and CPU of pool {pool}") or {}
    described = [(pod, instances.describe(pod, container, pool, usage, cluster.now())) for pod in own]
    return [(pod, {**one, "namespace": server.namespace}) for pod, one in described]


def container_of(cluster: Api, server: Server, pool: str, workload: Object | None, found: t.Sequence[Object]) -> str:
    """Return the name of the server's container in a pool; empty where it cannot be told."""
    if workload is not None:
        try:
            return server.container_in(cluster, workload, pool)
        except Failure:
            return server.container
    names = {str(one.get("name")) for pod in found for one in items(pod, "spec", "containers")}
    return server.container or (names.pop() if len(names) == 1 else "")


def ask_pods(
    cluster: Api,
    server: Server,
    params: dict[str, t.Any],
    asked: t.Sequence[tuple[str, Object, Instance]],
) -> list[str]:
    """Ask ready pods for their version, instance id and sessions; note these. Return a sentence for each kind of gap.

    asked: pool, pod and description of each. params: a task's options, with health_path and sessions_metric.
    """
    if not (params["health_path"] or params["sessions_metric"]):
        return []
    bound, limited = Deadline(ASKING), cluster.limited(0.0, A_POD)
    ready = [one for one in asked if is_ready(one[1])]
    ask = functools.partial(_ask, limited, server, params, bound)
    with ThreadPoolExecutor(max(1, min(len(ready), PARALLEL))) as threads:
        failures = [failure for failure in threads.map(lambda one: ask(*one), ready) if failure]
    if not failures:
        return []
    who = "1 pod did" if len(failures) == 1 else f"{len(failures)} pods did"
    return [f"{who} not report everything. {failures[0].rstrip('.')}."]


def _ask(
    cluster: Api, server: Server, params: dict[str, t.Any], bound: Deadline, pool: str, pod: Object, found: Instance
) -> str:
    """Note what a pod reports; return why not, empty when it reports all."""
    if not bound.left:
        found["problem"] = f"Pod {server.namespace}/{name_of(pod)} was not asked: other pods took {ASKING:g} s."
        return str(found["problem"])
    try:
        if params["health_path"]:
            target = targets.in_pool(cluster, server, pod, pool, params)
            with closing(target.connection()) as connection:
                document = fetch_health(connection, params["health_path"], Deadline(min(A_POD, bound.left)))
            if isinstance(document, dict):
                found["health_version"] = version_text(document.get("version"))
                ids = (document[key] for key in IDS if isinstance(document.get(key), (str, int)))
                found["instance_id"] = next((printable(str(one), MAX_ID) for one in ids), None)
        if params["sessions_metric"]:
            found["sessions"] = sessions_of_pod(
                cluster, server, pool, pod, params["sessions_metric"], min(A_POD, bound.left), params.get("endpoint")
            )
    except Failure as failure:
        found["problem"] = failure.msg
    return found["problem"] or ""
