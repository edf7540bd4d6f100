# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of an MCP server that a release needs, made out of plain options. Pure."""

from __future__ import annotations

import functools
import math
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._guard.job import SERVICE_ACCOUNT
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import rights
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import pool_header

RBAC = "rbac.authorization.k8s.io"
# Users and groups that whoever reaches the cluster, or any of its pods, is or belongs to.
EVERYBODY = ("system:anonymous", "system:authenticated", "system:serviceaccounts", "system:unauthenticated")
PROBE_PERIOD = 2  # seconds
ROLLOUT = 120  # seconds that a rollout may take beside the start of a pod
# By which an object is known as installed by this collection.
MANAGED_BY, US = "app.kubernetes.io/managed-by", "mcp.server"
APP = "app"  # the label with the server's name

# Documented in doc_fragments/releaser.py
RELEASER: dict[str, t.Any] = {
    "releasers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "kind": {"type": "str", "required": True, "choices": ["User", "Group", "ServiceAccount"]},
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str"},
        },
    },
    "guard": {"type": "bool", "default": False},
    "guard_service_account": {"type": "str", "default": SERVICE_ACCOUNT},
}

# The keys of the option manifests, in the order in which the objects are applied: the route leads to Services.
KEYS = (
    "service_account",
    "role",
    "role_binding",
    "service_blue",
    "service_green",
    "deployment_blue",
    "deployment_green",
    "disruption_budget_blue",
    "disruption_budget_green",
    "route",
)


@dataclass(frozen=True)
class Settings:
    """What the objects of a server are made of. The fields are options of mcp_install."""

    image_ref: str
    replicas: int = 2
    port: int = 8080
    metrics_port: int | None = None
    ready_path: str | None = None
    startup_seconds: int = 120
    termination_seconds: int = 60
    pre_stop_seconds: int = 10
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    env: list[Object] = field(default_factory=list)
    env_from: list[Object] = field(default_factory=list)
    resources: Object = field(default_factory=dict)
    pull_secrets: list[str] = field(default_factory=list)
    run_as_user: int | None = None
    gateway: Object | None = None
    hostname: str = ""
    releasers: list[Object] = field(default_factory=list)
    guard: bool = False
    guard_service_account: str = ""


def problem(settings: Settings) -> str:
    """Return a sentence on options that contradict each other; empty without any."""
    ports = {"port": settings.port, "metrics_port": settings.metrics_port}
    wrong = [name for name, port in ports.items() if port is not None and not 1 <= port <= 65535]
    if wrong:
        return f"{wrong[0]} is {ports[wrong[0]]}: it must be from 1 to 65535."
    if settings.metrics_port == settings.port:
        return f"port and metrics_port are both {settings.port}: leave out metrics_port, or give it another number."
    if settings.replicas < 1:
        return f"replicas is {settings.replicas}: the pool that gets the traffic needs at least 1."
    if settings.startup_seconds < PROBE_PERIOD:
        return f"startup_seconds is {settings.startup_seconds}: it must be at least {PROBE_PERIOD}."
    if not 0 <= settings.pre_stop_seconds < settings.termination_seconds:
        return (
            f"pre_stop_seconds is {settings.pre_stop_seconds} and termination_seconds {settings.termination_seconds}: "
            "the first is a part of the second, so it must be 0 or more, and smaller."
        )
    if settings.ready_path is not None and not settings.ready_path.startswith("/"):
        return f"ready_path is {settings.ready_path!r}: it must begin with a slash."
    if settings.run_as_user == 0:
        return "run_as_user is 0, which is root: the pods must run as another user."
    everybody = [one["name"] for one in settings.releasers if one["name"] in EVERYBODY]
    if everybody:
        return f"releasers has {everybody[0]}, so everybody could release: name who may."
    return ""


def names(server: Server) -> dict[str, tuple[str, str]]:
    """Return kind and name of each object, by its key. There is no route where that is no HTTPRoute."""
    found = {
        "service_account": ("ServiceAccount", server.name),
        "role": ("Role", releaser(server)),
        "role_binding": ("RoleBinding", releaser(server)),
        **{f"service_{pool}": ("Service", server.service(pool)) for pool in POOLS},
        **{f"deployment_{pool}": ("Deployment", server.workload(pool)) for pool in POOLS},
        **{f"disruption_budget_{pool}": ("PodDisruptionBudget", server.workload(pool)) for pool in POOLS},
        "route": ("HTTPRoute", server.route),
    }
    return {key: found[key] for key in KEYS if key != "route" or server.route_kind == "httproute"}


def objects(server: Server, settings: Settings, without: t.Collection[str] = ()) -> dict[str, Object]:
    """Return the objects by their key (KEYS), in the order in which they are applied. Raises Failure.

    without: keys of objects that the user supplies. There is no RoleBinding without releasers.
    """
    make: dict[str, t.Callable[[], Object | None]] = {
        "service_account": lambda: service_account(server),
        "role": lambda: role(server, settings),
        "role_binding": lambda: role_binding(server, settings),
        **{f"service_{pool}": functools.partial(service, server, pool, settings) for pool in POOLS},
        **{f"deployment_{pool}": functools.partial(deployment, server, pool, settings) for pool in POOLS},
        **{f"disruption_budget_{pool}": functools.partial(disruption_budget, server, pool) for pool in POOLS},
        "route": lambda: route(server, settings),
    }
    made = {key: make[key]() for key in names(server) if key not in without}
    return {key: one for key, one in made.items() if one is not None}


def releaser(server: Server) -> str:
    """Return the name of the releaser's Role and its RoleBinding."""
    return f"{server.name}-releaser"


def _object(api_version: str, kind: str, server: Server, name: str, body: Object) -> Object:
    labels = {APP: server.name, MANAGED_BY: US}
    metadata = {"name": name, "namespace": server.namespace, "labels": labels}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def pod_labels(server: Server, pool: str) -> dict[str, str]:
    return {APP: server.name, "pool": pool}


def service_account(server: Server) -> Object:
    # An MCP server rarely speaks with the API server, and a token in a pod is worth stealing.
    return _object("v1", "ServiceAccount", server, server.name, {"automountServiceAccountToken": False})


def role(server: Server, settings: Settings, autoscalers: t.Sequence[str] = ()) -> Object:
    """Return the releaser's Role: the rights that mcp_preflight asks for, those of a guard only with one.

    autoscalers: the names of those that scale the pools; the usual names without any.
    """
    account = settings.guard_service_account or SERVICE_ACCOUNT
    wanted = rights(server, account, autoscalers)
    rules = [right.rule() for right in wanted if settings.guard or right.only_with != "guard"]
    return _object(f"{RBAC}/v1", "Role", server, releaser(server), {"rules": rules})


def role_binding(server: Server, settings: Settings) -> Object | None:
    if not settings.releasers:
        return None
    name = releaser(server)
    body = {
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
        "subjects": [_subject(server, one) for one in settings.releasers],
    }
    return _object(f"{RBAC}/v1", "RoleBinding", server, name, body)


def _subject(server: Server, releaser: Object) -> Object:
    subject = {"kind": releaser["kind"], "name": releaser["name"]}
    if releaser["kind"] == "ServiceAccount":
        return {**subject, "namespace": releaser.get("namespace") or server.namespace}
    return {**subject, "apiGroup": RBAC}


def service(server: Server, pool: str, settings: Settings) -> Object:
    port = {"name": "mcp", "port": settings.port, "targetPort": "mcp", "protocol": "TCP", "appProtocol": "http"}
    body = {"spec": {"selector": pod_labels(server, pool), "ports": [port]}}
    return _object("v1", "Service", server, server.service(pool), body)


def deployment(server: Server, pool: str, settings: Settings) -> Object:
    """Return a pool's Deployment. Blue gets the traffic first; green waits for a release, without pods."""
    labels = pod_labels(server, pool)
    metadata: Object = {"labels": labels}
    if settings.metrics_port is not None:
        metadata["annotations"] = {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(settings.metrics_port),
        }
    spec = {
        "replicas": settings.replicas if pool == "blue" else 0,
        # More than a start takes, or the Deployment would count as failed before its pods do.
        "progressDeadlineSeconds": settings.startup_seconds + ROLLOUT,
        "selector": {"matchLabels": labels},
        "template": {"metadata": metadata, "spec": _pod(server, settings)},
    }
    return _object("apps/v1", "Deployment", server, server.workload(pool), {"spec": spec})


def _pod(server: Server, settings: Settings) -> Object:
    user = {} if settings.run_as_user is None else {"runAsUser": settings.run_as_user}
    pod: Object = {
        "serviceAccountName": server.name,
        "automountServiceAccountToken": False,
        # Both contexts together are what Pod Security calls restricted.
        "securityContext": {"runAsNonRoot": True, **user, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": settings.termination_seconds,
        "containers": [_container(server, settings)],
    }
    if settings.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in settings.pull_secrets]
    return pod


def _container(server: Server, settings: Settings) -> Object:
    probe: Object = {"tcpSocket": {"port": "mcp"}}
    if settings.ready_path is not None:
        probe = {"httpGet": {"path": settings.ready_path, "port": "mcp"}}
    ports = [{"name": "mcp", "containerPort": settings.port, "protocol": "TCP"}]
    if settings.metrics_port is not None:
        ports.append({"name": "metrics", "containerPort": settings.metrics_port, "protocol": "TCP"})
    container: Object = {
        "name": server.container,
        "image": settings.image_ref,
        "env": _env(settings.env),
        "ports": ports,
        # No liveness probe: it would end streams that are open whenever the server is slow.
        "startupProbe": {
            **probe,
            "periodSeconds": PROBE_PERIOD,
            "failureThreshold": math.ceil(settings.startup_seconds / PROBE_PERIOD),
        },
        "readinessProbe": {**probe, "periodSeconds": PROBE_PERIOD},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    # A gateway needs a moment to hear that the pod ends; until then it sends new requests, which must be answered.
    if settings.pre_stop_seconds:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": settings.pre_stop_seconds}}}
    given = {
        "command": settings.command,
        "args": settings.args,
        "envFrom": settings.env_from,
        "resources": settings.resources,
    }
    return {**container, **{key: value for key, value in given.items() if value}}


def _env(env: t.Sequence[Object]) -> list[Object]:
    """Return the environment, with the pod's pool for a health document that names it (docs/mcp.md)."""
    pool: Object = {"name": "MCP_POOL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['pool']"}}}
    return [*([] if any(one.get("name") == pool["name"] for one in env) else [pool]), *env]


def disruption_budget(server: Server, pool: str) -> Object:
    # Not minAvailable, which would block the drain of a node for a pool of one pod.
    body = {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": pod_labels(server, pool)}}}
    return _object("policy/v1", "PodDisruptionBudget", server, server.workload(pool), body)


def route(server: Server, settings: Settings) -> Object:
    """Return the HTTPRoute with all traffic on blue. Raises Failure."""
    if not settings.gateway:
        raise Failure(
            "gateway is not set: give the name (and the namespace) of the Gateway that the HTTPRoute belongs to, or "
            "set route_kind."
        )
    if not settings.hostname:
        raise Failure("The host name of the HTTPRoute is not known: set endpoint.url, or hostname.")
    parent = {"name": settings.gateway["name"]}
    for key, option in (("namespace", "namespace"), ("sectionName", "section_name")):
        if settings.gateway.get(option):
            parent[key] = settings.gateway[option]
    backends = [
        {"group": "", "kind": "Service", "name": server.service(pool), "port": settings.port, "weight": weight}
        for pool, weight in zip(POOLS, (100, 0), strict=True)
    ]
    # MCP streams stay open, so an answer has no time limit.
    rule = {"timeouts": {"request": "0s"}, "backendRefs": backends}
    spec = {"parentRefs": [parent], "hostnames": [settings.hostname], "rules": [rule]}
    made = _object("gateway.networking.k8s.io/v1", "HTTPRoute", server, server.route, {"spec": spec})
    return pool_header.with_pool_header(made, server)
