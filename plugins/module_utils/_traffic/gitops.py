# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the fields that a release writes, and find the GitOps tools that would overwrite them."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.gitops import Claim, Field, claims, refusal
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling


def find(cluster: Api, server: Server) -> list[Claim]:
    """Return the fields of route, Deployments and autoscalers that tools manage.

    An object that does not exist or can't be read counts as managed by none. Raises Unreachable.
    """
    return claims([*_route(cluster, server), *_deployments(cluster, server), *_autoscalers(cluster, server)])


def check(cluster: Api, server: Server, ignores: t.Collection[str]) -> None:
    """Raise Failure when a tool would overwrite what a release writes. ignores: choices of gitops_ignores."""
    refused = refusal(find(cluster, server), ignores)
    if refused:
        raise Failure(refused)


def _route(cluster: Api, server: Server) -> list[Field]:
    kind = kind_of(server)
    try:
        route = kind.read(cluster, server)
        # To another pool with all of it: such a shift patches the route and no pods
        elsewhere = next(pool for pool, weight in kind.weights(route, server).items() if weight != 100)
        writes = kind.writes(route, server, pools.split(elsewhere, 100))
    except Unreachable:
        raise
    except Failure:
        return []
    obj = kind.written(route)
    pointers = [
        operation["path"] for _path, operations in writes for operation in operations if operation["op"] != "test"
    ]
    return [Field("route", _title(pointer), kind.name(server), obj, pointer) for pointer in pointers]


def _deployments(cluster: Api, server: Server) -> list[Field]:
    found = []
    for pool in POOLS:
        name = server.workload_title(pool)
        try:
            obj = cluster.get(server.workload_path(pool))
        except (NotFound, Forbidden):
            continue
        found.append(Field("replicas", "replicas", name, obj, "/spec/replicas"))
        try:
            own = server.container_in(cluster, obj, pool)
        except Unreachable:
            raise
        except Failure:
            continue
        for number, container in enumerate(items(obj, "spec", "template", "spec", "containers")):
            if container.get("name") == own:
                found.append(Field("image", "image", name, obj, f"/spec/template/spec/containers/{number}/image"))
    return found


def _autoscalers(cluster: Api, server: Server) -> list[Field]:
    return [
        Field(
            "autoscaler",
            "minReplicas",
            f"HorizontalPodAutoscaler {server.namespace}/{one.name}",
            one.obj,
            "/spec/minReplicas",
        )
        for one in autoscaling.find(cluster, server, warn=lambda text: None).values()
    ]


def _title(pointer: str) -> str:
    """Return spec.rules for /spec/rules/0/backendRefs/1/weight: lists are mostly written as a whole."""
    keys = itertools.takewhile(lambda key: not key.isdecimal(), pointer.split("/")[1:])
    return ".".join(key.replace("~1", "/").replace("~0", "~") for key in keys)
