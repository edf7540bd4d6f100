# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An MCP server in a namespace: the names of its objects, and what its Deployments and Services say."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.mcp.server.plugins.module_utils._image import digest_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths, selectors, service_target
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import NAME, PoolObjects, pool_objects
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

POOLS = ("blue", "green")
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

HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")  # written into routes; fewer than HTTP allows
_API_VERSION = re.compile(rf"({NAME.pattern}/)?[a-z0-9]+")


def other(pool: str) -> str:
    return POOLS[1 - POOLS.index(pool)]


@dataclass(frozen=True)
class Server:
    """The server's names. The fields are those of OPTIONS, blue and green as they were read.

    An object reads the Service of each pool once: it lives as long as a task, and releases don't change these.
    """

    namespace: str
    name: str
    pool_name_format: str
    route: str
    container: str  # empty where the pool's Service tells it, see container_in()
    route_kind: str = "httproute"
    route_nearest: bool = False
    route_custom: dict[str, t.Any] | None = None
    blue: PoolObjects | None = None  # None for the names by pool_name_format
    green: PoolObjects | None = None
    pool_header: str = "X-MCP-Pool"
    port: int | None = None  # None where the pool's Service tells it, see port_in()
    is_single: bool = False  # see single()
    # By pool, the Service that was read, and where.
    _services: dict[str, tuple[Api, Object]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_params(cls, params: dict[str, t.Any]) -> Server:
        """Return the server by a task's options. Raises Failure for invalid names."""
        name = params["server"]
        server = cls(
            params["namespace"],
            name,
            params["pool_name_format"],
            params["route"] or name,
            params["container"] or "",
            params.get("route_kind", "httproute"),
            params.get("route_nearest", False),
            params.get("route_custom"),
            pool_header=params.get("pool_header") or cls.pool_header,  # null counts as given to ansible-core
            port=params.get("port"),
        )
        names = {option: getattr(server, option) for option in ("namespace", "name", "route")}
        if server.container:
            names["container"] = server.container
        for option, value in {**names, "pool_name_format": server.pool_name("blue")}.items():
            if not NAME.fullmatch(value):
                raise Failure(
                    f"{'server' if option == 'name' else option} gives {value!r}, which is not a valid name in "
                    "Kubernetes: "
                    "use only lower-case letters, digits, dots and hyphens."
                )
        emergency = bool(params.get("rollback"))  # which needs neither a header nor a port
        if not (emergency or HEADER_NAME.fullmatch(server.pool_header)):
            raise Failure(
                f"pool_header is {server.pool_header!r}, which is not a valid name of a header: use only letters, "
                "digits and hyphens."
            )
        blue, green = (pool_objects(pool, params.get(pool), server.pool_name(pool)) for pool in POOLS)
        server = replace(server, blue=blue, green=green)
        _refuse_shared(server)
        if not emergency and server.port is not None and not 0 < server.port < 65536:
            raise Failure(f"port (mcp_port) is {server.port}: it must be from 1 to 65535.")
        _refuse_custom(server)
        return server

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @classmethod
    def single(cls, params: dict[str, t.Any]) -> Server:
        """Return a server that is one workload without pools, by the option workload. Raises Failure.

        Both pools are these objects, so that what works on a pool works on it.
        """
        name = params["server"]
        objects = pool_objects("workload", params["workload"], name, "mcp_staging_workload")
        objects = objects or PoolObjects(name, "Deployment", name)
        return replace(
            cls.from_params({**params, "blue": None, "green": None}), blue=objects, green=objects, is_single=True
        )

    def pool_title(self, pool: str) -> str:
        """Return what messages call the pool, or the workload of a server without pools."""
        return self.workload_title(pool) if self.is_single else f"pool {pool}"

    def _option(self, pool: str) -> str:
        return "workload (mcp_staging_workload)" if self.is_single else f"{pool} (mcp_{pool})"

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
        """Return the image_ref and the replicas of the pool's workload.

        Raises Failure when the server's container cannot be told.
        """
        return self.deployed(cluster, cluster.get(self.workload_path(pool)), pool)

    def deployed(self, cluster: Api, workload: Object, pool: str) -> tuple[str, int]:
        """Return the same as image(), of a workload that was read."""
        replicas = mapping(workload, "spec").get("replicas")
        name = self.container_in(cluster, workload, pool)
        containers = items(workload, "spec", "template", "spec", "containers")
        image = next(one.get("image") or "" for one in containers if one.get("name") == name)
        return image, 1 if replicas is None else replicas

    def container_in(self, cluster: Api, workload: Object, pool: str) -> str:
        """Return the name of the container that is the MCP server, by the pod template of the pool's workload.

        That is the one in the option, the only one, the one that the pool's Service leads to, or the one with the
        server's name. Only a template with several containers makes this read the Service. Raises Failure.
        """
        containers = items(workload, "spec", "template", "spec", "containers")
        names = [str(container.get("name")) for container in containers]
        listed = f"{self.workload_title(pool)} has the containers {', '.join(names) or 'none'}"
        advice = "set container (mcp_container) to the one that is the MCP server."
        if self.container:
            if self.container not in names:
                raise Failure(f"{listed} and no {self.container}: {advice}")
            return self.container
        if len(names) == 1:
            return names[0]
        serving = service_target.containers_with(containers, self._targets(cluster, pool))
        if len(serving) == 1 and serving[0] != self.name and self.name in names:
            # A proxy before the server, perhaps: a release must not give it the server's image.
            raise Failure(
                f"{listed}: Service {self.service(pool)} leads to {serving[0]}, but {self.name} has the server's "
                f"name; {advice}"
            )
        if len(serving) == 1:
            return serving[0]
        if self.name in names:
            return self.name
        raise Failure(
            f"{listed}, and none is the only one with the port that Service {self.service(pool)} leads to: {advice}"
        )

    def containers(self, cluster: Api) -> list[str]:
        """Return the name of the container in each pool, mostly one, sorted. Raises Failure."""
        if self.container:
            return [self.container]
        return sorted({self.container_in(cluster, cluster.get(self.workload_path(pool)), pool) for pool in POOLS})

    def _targets(self, cluster: Api, pool: str) -> list[service_target.Target]:
        """Return the port that the pool's pods serve MCP at; none or several when it cannot be told."""
        if self.port is not None:
            return [self.port]
        try:
            return service_target.targets(items(self.pool_service(cluster, pool), "spec", "ports"))
        except (NotFound, Forbidden):
            return []

    def pool_service(self, cluster: Api, pool: str) -> Object:
        """Return the pool's Service. Raises Failure."""
        if pool not in self._services or self._services[pool][0] is not cluster:
            name = self.service(pool)
            try:
                self._services[pool] = cluster, cluster.get(paths.services(self.namespace, name))
            except NotFound:
                raise NotFound(
                    f"Service {self.namespace}/{name} does not exist: create it, or name the Service that selects the "
                    f"pods of {self.pool_title(pool)} in {self._option(pool)}."
                ) from None
        return self._services[pool][1]

    def selector(self, cluster: Api, pool: str) -> dict[str, str]:
        """Return the labels by which the pool's Service selects its pods. Raises Failure."""
        spec = mapping(self.pool_service(cluster, pool), "spec")
        name = f"Service {self.namespace}/{self.service(pool)}"
        if spec.get("type") == "ExternalName":
            raise Failure(
                f"{name} is an ExternalName, which has no pods: name the Service that selects the pods of "
                f"{self.pool_title(pool)} in {self._option(pool)}."
            )
        selector = mapping(spec, "selector")
        if not selector:
            raise Failure(
                f"{name} has no selector, so the pods of {self.pool_title(pool)} cannot be told: give it a selector, "
                f"or name another Service in {self._option(pool)}."
            )
        return selector

    def pods(self, cluster: Api, pool: str) -> list[Object]:
        """Return the pods that the pool's Service selects, ready or not. Raises Failure."""
        selector = selectors.labels(self.selector(cluster, pool))
        return items(cluster.get(paths.pods(self.namespace), labelSelector=selector), "items")

    def port_in(self, cluster: Api, pod: Object, pool: str) -> int:
        """Return the port at which a pod of this pool serves MCP. Raises Failure.

        That is the one in the option, or the one that the pool's Service leads to.
        """
        if self.port is not None:
            return self.port
        service = self.pool_service(cluster, pool)
        wanted = service_target.targets(items(service, "spec", "ports"))
        found = {service_target.port_in(mapping(pod, "spec"), target) for target in wanted} - {None}
        if len(found) == 1:
            return t.cast(int, found.pop())
        name = f"Service {self.namespace}/{self.service(pool)}"
        if found or not wanted:
            raise Failure(
                f"{name} has the ports {service_target.ports_of(service)}, and none is named mcp or http: set port "
                "(mcp_port) to the port of the pods at which the server speaks MCP."
            )
        raise Failure(
            f"{name} leads to the port {wanted[0]!r}, which no container of pod "
            f"{mapping(pod, 'metadata').get('name')} has: correct targetPort, or set port (mcp_port)."
        )

    def digest(self, cluster: Api, pool: str) -> str:
        """Return the digest that the pool's ready pods run; empty when none is ready or they differ."""
        digests = set(self.digests(cluster, pool).values())
        return digests.pop() if len(digests) == 1 else ""

    def digests(self, cluster: Api, pool: str) -> dict[str, str]:
        """Return the digest that each ready pod of the pool runs, by the pod's name; empty where it is unknown."""
        container = self.container or self.container_in(cluster, cluster.get(self.workload_path(pool)), pool)
        return {
            mapping(pod, "metadata").get("name") or "": digest_of(status.get("imageID") or "")
            for pod in self.pods(cluster, pool)
            for status in items(pod, "status", "containerStatuses")
            if status.get("name") == container and status.get("ready")
            if not mapping(pod, "metadata").get("deletionTimestamp")
        }


def _refuse_shared(server: Server) -> None:
    """Raise Failure when both pools have an object of the same name."""
    blue, green = (server.objects(pool) for pool in POOLS)
    same = [f"Service {blue.service}"] if blue.service == green.service else []
    if blue[:2] == green[:2]:
        same.insert(0, blue.title)
    if not same:
        return
    if server.blue is None and server.green is None:
        raise Failure(
            f"pool_name_format is {server.pool_name_format!r}: it must contain {{pool}}, as in {{server}}-{{pool}}."
        )
    raise Failure(
        f"blue (mcp_blue) and green (mcp_green) both have {' and '.join(same)}: each pool needs its own. What is left "
        f"out has the name by pool_name_format, {server.pool_name_format!r}."
    )


def _refuse_custom(server: Server) -> None:
    custom = server.route_custom
    if server.route_kind != "custom":
        return
    if not custom:
        raise Failure(
            "route_kind is custom but route_custom is missing: set it to the object and the places of its weights."
        )
    for option, pattern in (("api_version", _API_VERSION), ("resource", NAME)):
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
