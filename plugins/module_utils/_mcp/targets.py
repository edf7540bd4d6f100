# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the servers that a task names: a public address, or pods, which are looked up each time as they come and go."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint, handshake
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import NAMES as ANSWERING
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_ready, name_of

# Documented in doc_fragments/probe.py
OPTIONS: dict[str, t.Any] = {
    **CLUSTER_OPTIONS,
    **lease_renewal.OPTION,
    "endpoint": endpoint.OPTION,
    "namespace": {"type": "str"},
    "server": {"type": "str"},
    "pod": {"type": "str"},
    "service": {"type": "str"},
    "pool": {"type": "str"},
    # Unused: one set of module defaults (a role's target) serves every module.
    **{name: {"type": "str"} for name in ("pool_name_format", "container", "route", "route_kind")},
    "route_nearest": {"type": "bool"},
    "route_custom": {"type": "dict"},
    "port": {"type": "int", "default": 8080},
    **{name: SERVER_OPTIONS[name] for name in ANSWERING},
    "era": {"type": "str", "default": handshake.AUTO, "choices": list(handshake.ERAS)},
    "auth": auth.OPTION,
    "timeout": {"type": "float", "default": 30.0},
    "step_timeout": {"type": "float", "default": 10.0},
}
RULES: dict[str, t.Any] = {
    "required_one_of": [("endpoint", "pod", "service", "pool")],
    "mutually_exclusive": [("pod", "service", "pool")],
    "required_by": {
        "pod": ["namespace"],
        "service": ["namespace"],
        "pool": ["namespace", "server"],
        "run_id": ["namespace", "server"],
    },
}


# Pods that are probed at once; each takes a thread and a connection to the API server.
PARALLEL = 50

Result = t.TypeVar("Result")

MIN_TIMEOUT = 1.0  # seconds


class NoneReady(Failure):
    """No pod is ready yet."""


def connect(params: dict[str, t.Any]) -> Api:
    """Return the cluster. Raise Failure."""
    # lazy: a check of a public address needs no cluster
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    return connection.connect(params)


def check_times(params: dict[str, t.Any]) -> None:
    """Raise Failure when the timeouts leave no time for ending sessions."""
    if params["timeout"] < MIN_TIMEOUT or params["step_timeout"] <= 0:
        raise Failure(
            f"timeout must be at least {MIN_TIMEOUT:g} s, to leave time for ending sessions, "
            "and step_timeout more than 0."
        )


def finder(params: dict[str, t.Any]) -> t.Callable[[], list[Endpoint]]:
    """Return a function that finds the endpoints to probe. It raises NoneReady, and Failure."""
    answering = Answering.from_params(params)
    if not (params["pod"] or params["service"] or params["pool"]):
        public = endpoint.public(params["endpoint"], params["auth"], answering)
        endpoint.pod_tls(params["endpoint"])  # a release asks its pods only later
        return lambda: [public]

    cluster = connect(params)
    namespace = params["namespace"]

    def pods() -> list[str]:
        if params["pool"]:
            return pods_of_pool(cluster, namespace, params["server"], params["pool"])
        if params["service"]:
            return [pod_of_service(cluster, namespace, params["service"])]
        return [params["pod"]]

    group = ""
    if params["pool"] or params["service"]:
        group = f"pool {params['pool']}" if params["pool"] else f"service {params['service']}"
    return lambda: [
        endpoint.in_pod(cluster, namespace, pod, params["port"], params["endpoint"], group, answering) for pod in pods()
    ]


def in_parallel(call: t.Callable[[Endpoint], Result], endpoints: t.Sequence[Endpoint]) -> list[Result]:
    """Return the results of the calls, made in parallel. Raise what the first failing one raises."""
    if len(endpoints) == 1:  # in this thread, where a signal that stops the task reaches it
        return [call(endpoints[0])]
    with ThreadPoolExecutor(min(len(endpoints), PARALLEL)) as threads:
        return list(threads.map(call, endpoints))


def credentials_of(params: dict[str, t.Any]) -> credentials.Credentials:
    """Return the credentials that the task names. Raise Failure."""

    def secret(name: str) -> dict[str, t.Any]:
        if not params["namespace"]:
            raise Failure("auth names a Secret, which needs the option namespace, in which the Secret is.")
        return connect(params).get(paths.secrets(params["namespace"], name))

    return credentials.read(params["auth"], secret)


def ready_pods(pods: dict[str, t.Any]) -> list[str]:
    """Names out of a PodList."""
    return sorted(name_of(pod) for pod in items(pods, "items") if is_ready(pod))


def pods_of_pool(cluster: Api, namespace: str, server: str, pool: str) -> list[str]:
    selector = selectors.pool_pods(server, pool)
    pods = cluster.get(paths.pods(namespace), labelSelector=selector)
    names = ready_pods(pods)
    if not names:
        count = len(items(pods, "items"))
        what = f"None of the {count} pods" if count else "There is no pod"
        raise NoneReady(f"{what} of pool {pool} ({selector}) in namespace {namespace}{' is ready' if count else ''}.")
    return names


def pod_of_service(cluster: Api, namespace: str, service: str) -> str:
    """One of them, as C(kubectl port-forward) does."""
    names = endpoints.ready_pods(endpoints.slices(cluster, namespace, service))
    if not names:
        # Raises NotFound when that is why.
        cluster.get(paths.services(namespace, service))
        raise NoneReady(f"Service {namespace}/{service} has no ready endpoint.")
    return names[0]
