# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the servers that a task names: a public address, or pods, which are looked up each time as they come and go."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths, selectors, service_target
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint, handshake
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_ready, name_of

# Documented in doc_fragments/probe.py
OPTIONS: dict[str, t.Any] = {
    **CLUSTER_OPTIONS,
    **SERVER_OPTIONS,
    **lease_renewal.OPTION,
    "endpoint": endpoint.OPTION,
    "namespace": {"type": "str"},
    "server": {"type": "str"},
    "pod": {"type": "str"},
    "service": {"type": "str"},
    "pool": {"type": "str"},
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

    cluster, namespace = connect(params), params["namespace"]
    if params["pool"]:
        if params["pool"] not in POOLS:
            raise Failure(f"pool is {params['pool']!r}: it must be blue or green.")
        server, pool = Server.from_params(params), params["pool"]
        return lambda: [in_pool(cluster, server, pod, pool, params) for pod in pods_of_pool(cluster, server, pool)]

    def one() -> list[Endpoint]:
        name, port, group = params["pod"], params["port"], ""
        if params["service"]:
            group = f"service {params['service']}"
            name, port = pod_of_service(cluster, namespace, params["service"], port)
        port = port or port_of_pod(cluster, namespace, name)
        return [endpoint.in_pod(cluster, namespace, name, port, params["endpoint"], group, answering)]

    return one


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


def pods_of_pool(cluster: Api, server: Server, pool: str) -> list[Object]:
    """Return the pool's ready pods, by name. Raise NoneReady, and Failure."""
    pods = server.pods(cluster, pool)
    ready = sorted((pod for pod in pods if is_ready(pod)), key=name_of)
    if not ready:
        what = f"None of the {len(pods)} pods" if pods else "There is no pod"
        selects = selectors.labels(server.selector(cluster, pool))
        raise NoneReady(
            f"{what} of {server.pool_title(pool)} (Service {server.namespace}/{server.service(pool)}, which selects "
            f"{selects}){' is ready' if pods else ''}."
        )
    return ready


def in_pool(cluster: Api, server: Server, pod: Object, pool: str, params: dict[str, t.Any]) -> Endpoint:
    """Return the endpoint of a pod of the pool, by the task's options. Raise Failure."""
    port, answering = server.port_in(cluster, pod, pool), Answering.from_params(params)
    return endpoint.in_pod(cluster, server.namespace, name_of(pod), port, params["endpoint"], f"pool {pool}", answering)


def port_of_pod(cluster: Api, namespace: str, pod: str) -> int:
    """Return the port at which a pod serves MCP, by what its containers declare. Raise Failure."""
    found = service_target.own_ports(mapping(cluster.get(paths.pods(namespace, pod)), "spec"))
    if len(found) == 1:
        return found[0]
    listed = f"the ports {', '.join(map(str, found))}, and none is named mcp or http" if found else "no port"
    raise Failure(
        f"Pod {namespace}/{pod} declares {listed}: set port (mcp_port) to the one at which the server speaks MCP."
    )


def pod_of_service(cluster: Api, namespace: str, service: str, port: int | None) -> tuple[str, int]:
    """Return one of the Service's ready pods, as C(kubectl port-forward) does, and its port. Raise Failure.

    port: the option, None to take where the Service leads to.
    """
    found = endpoints.slices(cluster, namespace, service)
    names = endpoints.ready_pods(found)
    if not names:
        # Raises NotFound when that is why.
        cluster.get(paths.services(namespace, service))
        raise NoneReady(f"Service {namespace}/{service} has no ready endpoint.")
    if port is not None:
        return names[0], port
    # In them, named ports are numbers already.
    ports = [port for one in found if names[0] in endpoints.ready_pods([one]) for port in items(one, "ports")]
    wanted = [target for target in service_target.targets(ports) if isinstance(target, int)]
    if len(wanted) == 1:
        return names[0], wanted[0]
    listed = f"the ports {', '.join(map(str, wanted))}, and none is named mcp or http" if wanted else "no port"
    raise Failure(
        f"Service {namespace}/{service} leads to {listed}: set port (mcp_port) to the one at which the server speaks "
        "MCP."
    )
