# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_version_check: whether a version's image exists, what each pool runs, and whether that is the version."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _registry, _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions, fetch_health
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._registry import Image, digest_of, registry_for, tagged
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import Object, is_finished, is_leaving, is_ready

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **_registry.OPTIONS,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "version": _versions.OPTION,
        "image": {"type": "str"},
        "pool": {"type": "str", "choices": list(POOLS)},
        "check_registry": {"type": "bool", "default": True},
        "server_version": {"type": "str", "default": "off", "choices": ["off", "warn", "enforce"]},
        "endpoint": endpoint.OPTION,
        "port": {"type": "int", "default": 8080},
        "timeout": {"type": "float", "default": 10.0},
    },
    required_one_of=[("version", "namespace")],
    required_together=[("version", "image"), ("namespace", "server"), ("registry_username", "registry_password")],
    required_by={"pool": ["namespace", "version"]},
)

# At most so many pods are asked at once
PARALLEL = 8


@dataclass(frozen=True)
class Wanted:
    """What a pool should run. digests: those by which a node may know the image; empty when the registry was not asked."""

    image: Image
    version: str
    digests: frozenset[str] = frozenset()


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    wanted = None if params["version"] in (None, "") else _wanted(task)
    server = Server.from_params(params) if params["namespace"] else None
    complaints = []

    known = {"image_ref": str(wanted.image) if wanted else None, "digest": None, "exists": None}
    registry = registry_for(wanted.image, params) if wanted and params["check_registry"] else None
    if registry:
        known["digest"] = registry.digest(wanted.image)
        known["exists"] = known["digest"] is not None
        if not known["exists"]:
            complaints.append(
                f"{wanted.image} is not in the registry {registry.url}: push it, or correct image or version."
            )

    pools = _pools(server, params) if server else {}
    if params["pool"]:
        judged = pools[params["pool"]]
        if known["exists"]:
            digests = {known["digest"]}
            if any(pod["ready"] and pod["digest"] not in digests for pod in judged["pods"]):
                digests |= registry.aliases(wanted.image)
            wanted = Wanted(wanted.image, wanted.version, frozenset(digests))
        complaints += mismatches(params["pool"], judged, wanted)
        doubts = doubtful(judged, wanted) if params["server_version"] != "off" else []
        if params["server_version"] == "enforce":
            complaints += doubts
        else:
            for doubt in doubts:
                task.warn(doubt)

    result = {"changed": False, "registry_image": known, "pools": pools, "mismatches": complaints}
    if complaints:
        raise Failure(" ".join(complaints), **result)
    return result


def _wanted(task: Task) -> Wanted:
    version = _versions.text_of(task.params)
    wanted = Wanted(tagged(task.params["image"], version), version)
    if _versions.is_moving(version):
        task.warn(
            f"Version {version} is a moving tag: it may name another image once it was checked. Release a tag that stays, or a digest."
        )
    if not _versions.is_comparable(version):
        task.warn(_versions.not_compared(version))
    return wanted


def mismatches(name: str, pool: dict[str, t.Any], wanted: Wanted) -> list[str]:
    """A sentence for each way in which the pool (see RETURN) does not run what is wanted."""
    found, comparable = [], _versions.is_comparable(wanted.version)
    if not _is(pool["image_ref"], wanted):
        found.append(f"The {name} Deployment has image {pool['image_ref']}, expected is {wanted.image}.")
    ready = [pod for pod in pool["pods"] if pod["ready"]]
    if not ready:
        found.append(f"The {name} pool has no ready pod.")
    for pod in ready:
        if not _is(pod["image_ref"], wanted):
            found.append(f"Pod {pod['name']} has image {pod['image_ref']}, expected is {wanted.image}.")
        elif wanted.digests and pod["digest"] not in wanted.digests:
            expected = " or ".join(sorted(wanted.digests))
            found.append(
                f"Pod {pod['name']} runs {pod['digest'] or 'an image of unknown digest'}, "
                f"but the registry has {expected} as {wanted.image}: the tag was moved, or the node has an old copy."
            )
        if pod["problem"]:
            found.append(f"Pod {pod['name']} does not tell its version: {pod['problem'].rstrip('.')}.")
        elif comparable and not _versions.is_reported(pod["health_version"], wanted.version):
            found.append(
                f"Pod {pod['name']} says that its version is {pod['health_version']}, expected is {wanted.version}."
            )
    return found


def doubtful(pool: dict[str, t.Any], wanted: Wanted) -> list[str]:
    """A sentence for each ready pod whose serverInfo has another version; often that is a library's."""
    return [
        f"Pod {pod['name']} gives version {pod['server_version']} in serverInfo, expected is {wanted.version}."
        for pod in pool["pods"]
        if pod["ready"]
        and _versions.is_comparable(wanted.version)
        and not _versions.is_reported(pod["server_version"], wanted.version)
    ]


def _is(reference: str, wanted: Wanted) -> bool:
    """Whether it names the wanted image; pinned to a digest, it must be one of the image's."""
    try:
        image = Image.parse(reference)
    except Failure:
        return False
    pinned = not image.digest or not wanted.digests or image.digest in wanted.digests
    return (image.host, image.repository, image.tag) == (
        wanted.image.host,
        wanted.image.repository,
        wanted.image.tag,
    ) and pinned


def _pools(server: Server, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What runs in each pool."""
    cluster = connect(params)
    pools = {}
    for pool in POOLS:
        image, replicas = server.image(cluster, pool)
        found = cluster.get(paths.pods(server.namespace), labelSelector=selectors.pool_pods(server.name, pool))["items"]
        pods = [describe(pod, server.container) for pod in found if not (is_finished(pod) or is_leaving(pod))]
        ready = [pod for pod in pods if pod["ready"]]
        pools[pool] = {"image_ref": image, "replicas": replicas, "ready": len(ready), "pods": pods}
        with ThreadPoolExecutor(PARALLEL) as threads:
            for pod, said in zip(
                ready, threads.map(lambda one: _ask(cluster, server, one["name"], params), ready), strict=True
            ):
                pod.update(said)
    return pools


def describe(pod: Object, container: str) -> dict[str, t.Any]:
    """What the cluster says of the pod; what the pod says of itself is open yet."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    image_id = next((status.get("imageID", "") for status in statuses if status["name"] == container), "")
    return {
        "name": pod["metadata"]["name"],
        # Not the status's: that may be another tag of the same image
        "image_ref": next((one["image"] for one in pod["spec"]["containers"] if one["name"] == container), ""),
        "digest": digest_of(image_id) or None,
        "ready": is_ready(pod),
        "health_version": None,
        "server_version": None,
        "problem": None,
    }


def _ask(cluster: Api, server: Server, pod: str, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The versions that the pod gives in its health document and, when that is of interest, in serverInfo."""
    target = endpoint.in_pod(cluster, server.namespace, pod, params["port"], params["endpoint"])
    said: dict[str, t.Any] = {}
    try:
        with closing(target.connection()) as connection:
            said["health_version"] = fetch_health(connection, target.health_path, Deadline(params["timeout"])).get(
                "version"
            )
    except Failure as failure:
        said["problem"] = failure.msg
    if params["server_version"] != "off":
        answer = probe(target, Settings(Assertions(), AUTO, params["timeout"], params["timeout"], lists=()))
        said["server_version"] = (answer["server_info"] or {}).get("version")
    return said
