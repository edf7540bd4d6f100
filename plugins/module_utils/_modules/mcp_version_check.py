# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_version_check: checks that a version's image exists, and that a pool runs it."""

from __future__ import annotations

import functools
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import NONE, Credentials
from ansible_collections.mcp.server.plugins.module_utils._image import Image, digest_of, same_image, tagged
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint, hosts, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import fetch_health, version_text
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._registry import registry as registries
from ansible_collections.mcp.server.plugins.module_utils._registry.registry import Registry, registry_for
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    Object,
    is_finished,
    is_leaving,
    is_ready,
    name_of,
)

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        **registries.OPTIONS,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "version": _versions.OPTION,
        "image": {"type": "str"},
        "pool": {"type": "str", "choices": list(POOLS)},
        "digests": {"type": "bool", "default": False},
        "compare_version": _versions.COMPARE,
        "endpoint": endpoint.OPTION,
        "auth": auth.OPTION,
        "timeout": {"type": "float", "default": 10.0},
    },
    required_one_of=[("version", "namespace")],
    required_together=[("version", "image"), ("namespace", "server"), ("registry_username", "registry_password")],
    required_by={"pool": ["namespace", "version"]},
)

PARALLEL = 8  # pods asked at once


@dataclass(frozen=True)
class Wanted:
    """What a pool should run."""

    image: Image
    version: str
    # By which a node may know the image; empty when the registry was not asked.
    digests: frozenset[str] = frozenset()
    compared: tuple[str, ...] = ()  # which reported versions must agree, as compare_version


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if problem := _versions.compare_problem(params):
        raise Failure(problem)
    has_version = params["version"] not in (None, "") or params["pool"]
    wanted = _wanted(task) if has_version else None
    server = Server.from_params(params) if params["namespace"] else None
    problems = []

    known: dict[str, t.Any] = {
        "image_ref": str(wanted.image) if wanted else None,
        "digest": None,
        "digests": [],
        "exists": None,
    }
    registry = registry_for(wanted.image, params) if wanted and params["check_registry"] else None
    if wanted and registry:
        known["digest"] = registry.digest(wanted.image)
        known["exists"] = known["digest"] is not None
        if not known["exists"]:
            problems.append(
                f"{wanted.image} is not in the registry {registry.url}: push it, or correct image or version."
            )
        elif params["digests"]:
            known["digests"] = sorted({known["digest"]} | registry.aliases(wanted.image))

    pools = _pools(server, params) if server and (params["pool"] or not params["digests"]) else {}
    if wanted and params["pool"]:
        pool = pools[params["pool"]]
        if registry and known["exists"]:
            wanted = replace(wanted, digests=_digests(registry, wanted.image, known["digest"], pool))
        problems += mismatches(params["pool"], pool, wanted)

    result = {
        "changed": False,
        "registry_image": known,
        "pools": pools,
        "mismatches": problems,
        "host_notes": hosts.notes(),
    }
    if problems:
        raise Failure(" ".join(problems), **result)
    return result


def _wanted(task: Task) -> Wanted:
    """Return what the options ask for, and warn of a version that cannot be checked well. Raises Failure."""
    version = _versions.text_of(task.params)
    compared = tuple(task.params["compare_version"])
    wanted = Wanted(tagged(task.params["image"], version), version, compared=compared)
    if _versions.is_moving(version):
        task.warn(
            f"Version {version} is a moving tag: it may point to another image after this check. "
            "Release a fixed tag or a digest."
        )
    if compared and not _versions.is_comparable(version):
        task.warn(_versions.not_compared(version))
    return wanted


def _digests(registry: Registry, image: Image, digest: str, pool: dict[str, t.Any]) -> frozenset[str]:
    """Return the digests by which a node may know the image. Asks for others only when a ready pod has another one."""
    if all(pod["digest"] == digest for pod in pool["pods"] if pod["ready"]):
        return frozenset({digest})
    return frozenset({digest} | registry.aliases(image))


def mismatches(name: str, pool: dict[str, t.Any], wanted: Wanted) -> list[str]:
    """Return a sentence for each way in which the pool (see RETURN) does not run what is wanted."""
    found = []
    if not _is_wanted(pool["image_ref"], wanted):
        found.append(f"The {name} pool has image {pool['image_ref']}, expected {wanted.image}.")
    ready = [pod for pod in pool["pods"] if pod["ready"]]
    if not ready:
        found.append(f"The {name} pool has no ready pod.")
    for pod in ready:
        if not _is_wanted(pod["image_ref"], wanted):
            found.append(f"Pod {pod['name']} has image {pod['image_ref']}, expected {wanted.image}.")
        elif wanted.digests and pod["digest"] not in wanted.digests:
            expected = " or ".join(sorted(wanted.digests))
            found.append(
                f"Pod {pod['name']} runs {pod['digest'] or 'an image of unknown digest'}, "
                f"but the registry has {expected} as {wanted.image}: the tag was moved, or the node has an old copy."
            )
        found += [sentence for source in wanted.compared if (sentence := _other_version(pod, source, wanted.version))]
    if not wanted.digests and len(running := {pod["digest"] or "an unknown digest" for pod in ready}) > 1:
        found.append(
            f"The pods of the {name} pool run different images of {wanted.image}: {', '.join(sorted(running))}."
        )
    return found


def _other_version(pod: dict[str, t.Any], source: str, version: str) -> str:
    """Return a sentence when the pod reports another version in the source; empty when it can't be compared."""
    reported = pod["health_version" if source == _versions.HEALTH else "server_version"]
    if not _versions.is_comparable(version) or _versions.is_reported(reported, version):
        return ""
    if reported is None and pod["problem"]:
        return f"Pod {pod['name']} reports no version: {pod['problem'].rstrip('.')}."
    where = "" if source == _versions.HEALTH else " in serverInfo"
    shown = "no version" if reported is None else f"version {reported}"
    return f"Pod {pod['name']} reports {shown}{where}, expected {version}."


def _is_wanted(image_ref: str, wanted: Wanted) -> bool:
    """Return whether this names the wanted image. A digest in it must be one of the image's.

    With such a digest it may also be a mirror's, as an admission webhook writes it.
    """
    try:
        image = Image.parse(image_ref)
    except Failure:
        return False
    expected = wanted.image
    if image.digest in wanted.digests:
        return same_image(image_ref, str(replace(expected, digest=image.digest)))
    is_same = (image.host, image.repository, image.tag) == (expected.host, expected.repository, expected.tag)
    return is_same and (not image.digest or not wanted.digests)


def _pools(server: Server, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what runs in each pool, as in RV(pools)."""
    cluster = connect(params)
    credentials = targets.credentials_of(params) if _versions.SERVER_INFO in params["compare_version"] else NONE
    pools = {}
    for pool in POOLS:
        workload = cluster.get(server.workload_path(pool))
        image, replicas = server.deployed(cluster, workload, pool)
        container = server.container_in(cluster, workload, pool)
        found = [pod for pod in server.pods(cluster, pool) if not (is_finished(pod) or is_leaving(pod))]
        pods = [describe(pod, container) for pod in found]
        asked = [pod for pod in found if is_ready(pod)]
        pools[pool] = {"image_ref": image, "replicas": replicas, "ready": len(asked), "pods": pods}
        if params["compare_version"]:
            ask = functools.partial(_ask, cluster, server, params, credentials, pool)
            with ThreadPoolExecutor(PARALLEL) as threads:
                ready = (pod for pod in pods if pod["ready"])
                for described, versions in zip(ready, threads.map(ask, asked), strict=True):
                    described.update(versions)
    return pools


def describe(pod: Object, container: str) -> dict[str, t.Any]:
    """Return what the cluster knows of the pod, without the versions that the pod itself reports."""
    statuses, containers = items(pod, "status", "containerStatuses"), items(pod, "spec", "containers")
    image_id = next((status.get("imageID") or "" for status in statuses if status.get("name") == container), "")
    return {
        "name": name_of(pod),
        # Not of the status, which may have another tag of the same image.
        "image_ref": next((one.get("image") or "" for one in containers if one.get("name") == container), ""),
        "digest": digest_of(image_id) or None,
        "ready": is_ready(pod),
        "health_version": None,
        "server_version": None,
        "problem": None,
    }


def _ask(
    cluster: Api, server: Server, params: dict[str, t.Any], credentials: Credentials, pool: str, pod: Object
) -> dict[str, t.Any]:
    """Return the versions that the pod reports, of those that are compared."""
    target = targets.in_pool(cluster, server, pod, pool, params)
    versions: dict[str, t.Any] = {}
    if _versions.HEALTH in params["compare_version"] and target.health_path is not None:
        try:
            with closing(target.connection()) as connection:
                document = fetch_health(connection, target.health_path, Deadline(params["timeout"]))
            versions["health_version"] = version_text(document.get("version")) if isinstance(document, dict) else None
        except Failure as failure:
            versions["problem"] = failure.msg
    if _versions.SERVER_INFO in params["compare_version"]:
        bound = params["timeout"]
        answer = probe(target, Settings(AUTO, bound, bound, lists=(), credentials=credentials))
        versions["server_version"] = version_text((answer["server_info"] or {}).get("version"))
        if versions["server_version"] is None:
            versions["problem"] = versions.get("problem") or answer["reason"]
    return versions
