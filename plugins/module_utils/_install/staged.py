# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of a server without pools, from the user's own manifests, with the image of a version. Pure."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._install.supplied import refuse_twice
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

STAGED = "mcp.server/staged"  # an annotation of a workload: the server whose version it has
# Their pods need what else is applied, so they come last.
WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")


def with_image(
    objects: t.Sequence[Object],
    server: Server,
    image_ref: str,
    container_in: t.Callable[[Object], str],
    source: str,
) -> list[Object]:
    """Return the objects in the order to apply them; the server's container has the image. Raises Failure.

    server: one without pools. container_in: returns the name of the server's container in its workload.
    """
    refuse_twice(objects, source)
    found = [one for one in objects if is_workload(one, server)]
    if not found:
        there = ", ".join(f"{one['kind']} {one['metadata']['name']}" for one in objects if one["kind"] in WITH_PODS)
        raise Failure(
            f"{source} has no {server.objects(POOLS[0]).title}{f', but {there}' if there else ''}: name the server's "
            "workload in workload (mcp_staging_workload)."
        )
    changed = copy.deepcopy(found[0])
    name = container_in(changed)
    for container in items(changed, "spec", "template", "spec", "containers"):
        if container.get("name") == name:
            container["image"] = image_ref
    changed["metadata"]["annotations"] = {**mapping(changed, "metadata", "annotations"), STAGED: server.name}
    ordered = sorted(objects, key=lambda one: one["kind"] in WITH_PODS)
    return [changed if one is found[0] else one for one in ordered]


def of_another(wanted: Object, live: Object, server: Server) -> str:
    """Return a sentence on the workload of another server, whose image an apply would set back; empty without any."""
    its = mapping(live, "metadata", "annotations").get(STAGED)
    if its in (None, server.name):
        return ""
    name = f"{wanted['kind']} {wanted['metadata']['name']}"
    return (
        f"{name} is the workload of server {printable(str(its), 80)}, whose own staging gives it its image, and this "
        "run would set that back: leave it out, or give each server a folder of its own."
    )


def is_workload(obj: Object, server: Server) -> bool:
    """Return whether this is the workload of a server without pools."""
    wanted = server.objects(POOLS[0])
    return (obj["kind"], obj["metadata"]["name"]) == (wanted.kind, wanted.workload)
