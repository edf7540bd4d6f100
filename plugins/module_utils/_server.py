# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An MCP server in a namespace: the names of its objects, and what its Deployments and Services say."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._image import digest_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

POOLS = ("blue", "green")
WORKLOADS = ("Deployment", "StatefulSet")
Weights = dict[str, int]  # percent of each pool
# Each is a file in _traffic/routes.
ROUTE_KINDS = ("httproute", "service", "httpproxy", "traefik", "openshift_route", "istio", "ingress_nginx", "custom")

# Documented in doc_fragments/server.py
OPTIONS: dict[str, t.Any] = {
    "namespace": {"type": "str", "required": True},
    "server": {"type": "str", "required": True},
    "pool_name_format": {"type": "str", "default": "{server}-{pool}"},
    "blue": {"type": "raw"},
    "green": {"type": "raw"},
    "route": {"type": "str"},
    "route_kind": {"type": "str", "choices": list(ROUTE_KINDS), "default": "httproute"},
    "route_nearest": {"type": "bool", "default": False},
    "route_custom": {
        "type": "dict",
        "options": {
            "api_version": {"type": "str", "required": True},
            "kind": {"type": "str", "required": True},
            "resource": {"type": "str"},
            "blue": {"type": "str"},
            "green": {"type": "str"},
            "total": {"type": "int", "default": 100},
            "accepted": {"type": "list", "elements": "str", "default": []},
        },
        "required_one_of": [("blue", "green")],
    },
    "container": {"type": "str"},
    "port": {"type": "int"},
    "health_path": {"type": "str"},
    "health_checks": {"type": "list", "elements": "str", "default": []},
    "pool_header": {"type": "str", "default": "X-MCP-Pool"},
    "pool_key": {"type": "str", "default": "pool", "no_log": False},
}

# Names become parts of paths.
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")  # written into routes; fewer than HTTP allows
_API_VERSION = re.compile(rf"({_NAME.pattern}/)?[a-z0-9]+")


def other(pool: str) -> str:
    return POOLS[1 - POOLS.index(pool)]


class PoolObjects(t.NamedTuple):
    """The names of a pool's objects."""

    workload: str  # the Deployment or StatefulSet
    kind: str  # one of WORKLOADS
    service: str

    @property
    def title(self) -> str:
        """Return what messages call the workload, without its namespace."""
        return f"{self.kind} {self.workload}"


@dataclass(frozen=True)
class Server:
    """The server's names. The fields are those of OPTIONS, blue and green as they were read."""

    namespace: str
    name: str
    pool_name_format: str
    route: str
    container: str
    route_kind: str = "httproute"
    route_nearest: bool = False
    route_custom: dict[str, t.Any] | None = None
    blue: PoolObjects | None = None  # None for the names by pool_name_format
    green: PoolObjects | None = None
    pool_header: str = "X-MCP-Pool"

    @classmethod
    def from_params(cls, params: dict[str, t.Any]) -> Server:
        """Return the server by a task's options. Raises Failure for invalid names."""
        name = params["server"]
        server = cls(
            params["namespace"],
            name,
            params["pool_name_format"],
            params["route"] or name,
            params["container"] or name,
            params.get("route_kind", "httproute"),
            params.get("route_nearest", False),
            params.get("route_custom"),
            pool_header=params.get("pool_header", cls.pool_header),
        )
        if server.pool_name("blue") == server.pool_name("green"):
            raise Failure(
                f"pool_name_format is {server.pool_name_format!r}: it must contain {{pool}}, as in {{server}}-{{pool}}."
            )
        names = {option: getattr(server, option) for option in ("namespace", "name", "route", "container")}
        for option, value in {**names, "pool_name_format": server.pool_name("blue")}.items():
            if not _NAME.fullmatch(value):
                raise Failure(
                    f"{'server' if option == 'name' else option} gives {value!r}, which is not a valid name in "
                    "Kubernetes: "
                    "use only lower-case letters, digits, dots and hyphens."
                )
        if not _HEADER.fullmatch(server.pool_header):
            raise Failure(
                f"pool_header is {server.pool_header!r}, which is not a valid name of a header: use only letters, "
                "digits and hyphens."
            )
        _refuse_custom(server)
        return server

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    def pool_name(self, pool: str) -> str:
        return self.pool_name_format.replace("{server}", self.name).replace("{pool}", pool)

    def objects(self, pool: str) -> PoolObjects:
        """Return the names of the pool's objects."""
        named: PoolObjects | None = getattr(self, pool)
        return named or PoolObjects(self.pool_name(pool), "Deployment", self.pool_name(pool))

    def service(self, pool: str) -> str:
        return self.objects(pool).service

    def workload(self, pool: str) -> str:
        return self.objects(pool).workload

    def workload_title(self, pool: str) -> str:
        """Return what messages call the pool's workload, such as C(Deployment production/mcp-server-blue)."""
        return f"{self.objects(pool).kind} {self.namespace}/{self.workload(pool)}"

    def workload_path(self, pool: str) -> str:
        of_kind = paths.deployments if self.objects(pool).kind == "Deployment" else paths.stateful_sets
        return of_kind(self.namespace, self.workload(pool))

    def ready_endpoints(self, cluster: Api, pool: str) -> int:
        """Return how many pods the pool's Service sends traffic to. Raises Failure."""
        return endpoints.count_ready(endpoints.slices(cluster, self.namespace, self.service(pool)))

    def image(self, cluster: Api, pool: str) -> tuple[str, int]:
        """Return the image_ref and the replicas of the pool's Deployment.

        Raises Failure when it lacks the container.
        """
        return self.deployed(cluster.get(self.workload_path(pool)), pool)

    def deployed(self, deployment: dict[str, t.Any], pool: str) -> tuple[str, int]:
        """Return the same as image(), of a Deployment that was read."""
        replicas = mapping(deployment, "spec").get("replicas")
        for container in items(deployment, "spec", "template", "spec", "containers"):
            if container.get("name") == self.container:
                return container.get("image") or "", 1 if replicas is None else replicas
        raise Failure(
            f"{self.workload_title(pool)} has no container {self.container}: "
            "set the option container to the name of the server's container."
        )

    def digest(self, cluster: Api, pool: str) -> str:
        """Return the digest that the pool's ready pods run; empty when none is ready or they differ."""
        digests = set(self.digests(cluster, pool).values())
        return digests.pop() if len(digests) == 1 else ""

    def digests(self, cluster: Api, pool: str) -> dict[str, str]:
        """Return the digest that each ready pod of the pool runs, by the pod's name; empty where it is unknown."""
        selector = selectors.pool_pods(self.name, pool)
        pods = items(cluster.get(paths.pods(self.namespace), labelSelector=selector), "items")
        return {
            mapping(pod, "metadata").get("name") or "": digest_of(status.get("imageID") or "")
            for pod in pods
            for status in items(pod, "status", "containerStatuses")
            if status.get("name") == self.container and status.get("ready")
            if not mapping(pod, "metadata").get("deletionTimestamp")
        }


def _refuse_custom(server: Server) -> None:
    custom = server.route_custom
    if server.route_kind != "custom":
        return
    if not custom:
        raise Failure(
            "route_kind is custom but route_custom is missing: set it to the object and the places of its weights."
        )
    for option, pattern in (("api_version", _API_VERSION), ("resource", _NAME)):
        if custom[option] and not pattern.fullmatch(custom[option]):
            raise Failure(
                f"route_custom.{option} is {custom[option]!r}: write it as kubectl api-resources does, "
                "such as networking.k8s.io/v1 and ingresses."
            )
    if not custom["resource"] and not re.fullmatch("[A-Za-z0-9]+", custom["kind"]):
        raise Failure(
            f"route_custom.kind is {custom['kind']!r}: write it as kubectl api-resources does, such as Ingress."
        )
    if custom["total"] < 1:
        raise Failure(f"route_custom.total is {custom['total']}: it must be more than 0.")
