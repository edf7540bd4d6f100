# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_version_consistency: compares everything that names the version of the live server."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils import _results, _versions
from ansible_collections.mcp.server.plugins.module_utils._compatibility import consistency
from ansible_collections.mcp.server.plugins.module_utils._compatibility.consistency import Identity, Source
from ansible_collections.mcp.server.plugins.module_utils._git.describe import Described, describe
from ansible_collections.mcp.server.plugins.module_utils._image import Image, same_name
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint, handshake, hosts, protocol, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import fetch_health, version_text
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_contract, mcp_release
from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_contract import ReadContract
from ansible_collections.mcp.server.plugins.module_utils._registry import registry as registries
from ansible_collections.mcp.server.plugins.module_utils._registry.registry import registry_for
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._status import drift
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        **registries.OPTIONS,
        "endpoint": endpoint.OPTION,
        "auth": auth.OPTION,
        "pool": {"type": "str", "choices": list(POOLS)},
        "source": {"type": "path"},
        "compare_version": _versions.COMPARE,
        "timeout": {"type": "float", "default": 20.0},
        "step_timeout": {"type": "float", "default": 5.0},
    },
    required_together=[("registry_username", "registry_password")],
)

MAX_PODS = 3  # that are asked, where the first ones do not answer well
IMAGE_LABELS = "org.opencontainers.image."


@dataclass(frozen=True)
class Pool:
    """What the cluster knows of the pool that is looked at. current: the newest release in the record."""

    name: str
    image_ref: str
    digests: tuple[str, ...]
    current: record.Release | None
    is_live: bool


@dataclass(frozen=True)
class Registered:
    """What the registry knows of the image. missing: why nothing is known. broken: whether that is a fault."""

    digests: frozenset[str] = frozenset()
    labels: t.Mapping[str, str] | None = None
    missing: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Told:
    """What the pod says of itself. missing: why it says nothing. info: its serverInfo."""

    health: Source
    server_info: Source
    contract: Identity


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    targets.check_times(params)
    cluster, server = connect(params), Server.from_params(params)
    pool = _pool(cluster, server, params["pool"])

    with ThreadPoolExecutor(3) as threads:
        cloned = threads.submit(_cloned, params["source"])
        registered = threads.submit(_registered, pool, params)
        told = threads.submit(_told, cluster, server, pool, params)
        git, described = cloned.result()
        image, pod = registered.result(), told.result()

    commit = described.commit if described else ""
    found = consistency.judge(
        [_tag(pool), git, _label(pool, image), pod.health, pod.server_info],
        [
            Identity(consistency.REVISION, missing=image.missing)
            if image.missing
            else consistency.revision(_labelled(image, "revision"), commit),
            Identity(consistency.DIGEST, missing=image.missing, broken=image.broken)
            if image.missing
            else consistency.digest(pool.image_ref, pool.digests, image.digests),
            _recorded(pool),
            pod.contract,
        ],
        commit,
    )
    for one in found:
        if not one["ok"] and not one["required"]:
            task.warn(one["message"])
    result = {
        "changed": False,
        "pool": pool.name,
        "image_ref": pool.image_ref,
        "checks": found,
        "host_notes": hosts.notes(),
    }
    if failed := _results.problems(found):
        raise Failure(" ".join(failed), **result)
    return result


def _pool(cluster: Api, server: Server, name: str | None) -> Pool:
    """Return the pool by its name, or the live one. Raise Failure."""
    recorded, _weights, live = mcp_release.look(cluster, server)
    pool = name or live
    digests = sorted(set(server.digests(cluster, pool).values()) - {""})
    return Pool(pool, server.image(cluster, pool)[0], tuple(digests), recorded.current, pool == live)


def _tag(pool: Pool) -> Source:
    try:
        tag = Image.parse(pool.image_ref).tag
    except Failure as failure:
        return Source(consistency.TAG, missing=failure.msg, broken=True)
    return Source(consistency.TAG, tag, missing=f"Pool {pool.name} has its image by a digest alone.")


def _cloned(path: str | None) -> tuple[Source, Described | None]:
    """Return what Git says of the clone, and its commit."""
    if not path:
        return Source(consistency.GIT, missing="mcp_source is not set, so git describe is not compared."), None
    try:
        found = describe(path)
    except Failure as failure:
        return Source(consistency.GIT, missing=failure.msg, broken=True), None
    return Source(consistency.GIT, found.version), found


def _registered(pool: Pool, params: dict[str, t.Any]) -> Registered:
    """Ask the registry for the image's digests and labels."""
    if not params["check_registry"]:
        return Registered(missing="The registry is not asked (mcp_check_registry is false).")
    try:
        image = Image.parse(pool.image_ref)
        registry = registry_for(image, params)
        # Where a tag has moved, the digest in the pods' image is still the one that counts.
        digest = registry.digest(image)
        if digest is None:
            return Registered()
        aliases = registry.aliases(image) if any(one != digest for one in pool.digests) else set()
        config = mapping(registry.config(image), "config")
    except Failure as failure:
        return Registered(missing=failure.msg, broken=True)
    labels = {name: one for name, one in mapping(config, "Labels").items() if isinstance(one, str)}
    return Registered(frozenset({digest, *aliases}), labels)


def _labelled(image: Registered, name: str) -> str:
    return (image.labels or {}).get(f"{IMAGE_LABELS}{name}", "").strip()


def _label(pool: Pool, image: Registered) -> Source:
    """Return the version in the image's labels. Images inherit the labels of their base."""
    version, name = _labelled(image, "version"), _labelled(image, "ref.name")
    if version and name and not same_name(name, pool.image_ref):
        shown, base = printable(version, 40), printable(name, 80)
        missing = f"The image's label {IMAGE_LABELS}version, {shown}, is that of its base, {base}."
        return Source(consistency.LABEL, missing=missing, required=False)
    missing = image.missing or f"The image has no label {IMAGE_LABELS}version."
    return Source(consistency.LABEL, version, missing, required=False)


def _recorded(pool: Pool) -> Identity:
    if not pool.is_live:
        return Identity(consistency.RECORD, missing=f"Pool {pool.name} is not live, so the record is not compared.")
    problems = drift.from_record(pool.current, pool.name, pool.image_ref, pool.digests)
    ended = pool.current is not None and pool.current["outcome"] in (record.SUCCEEDED, record.ROLLED_BACK)
    return consistency.of_record(problems, has_record=ended)


def _told(cluster: Api, server: Server, pool: Pool, params: dict[str, t.Any]) -> Told:
    """Ask a ready pod of the pool for its versions and its contract: the next one where one does not answer well."""
    try:
        pods = targets.pods_of_pool(cluster, server, pool.name)[:MAX_PODS]
        asked = [targets.in_pool(cluster, server, pod, pool.name, params) for pod in pods]
    except targets.NoneReady as failure:
        return _silent(failure.msg, params)
    except Failure as failure:
        return _silent(failure.msg, params, broken=True)
    told = [_told_by(asked[0], pool, params)]
    for target in asked[1:]:
        if not (told[-1].contract.broken or told[-1].health.broken):
            return told[-1]
        told.append(_told_by(target, pool, params))
    return told[-1] if not (told[-1].contract.broken or told[-1].health.broken) else told[0]


def _silent(reason: str, params: dict[str, t.Any], *, broken: bool = False) -> Told:
    """Return that a pod says nothing, for this reason."""
    required = {one: one in params["compare_version"] or broken for one in (_versions.HEALTH, _versions.SERVER_INFO)}
    return Told(
        Source(consistency.HEALTH, missing=reason, required=required[_versions.HEALTH], broken=broken),
        Source(consistency.SERVER_INFO, missing=reason, required=required[_versions.SERVER_INFO], broken=broken),
        Identity(consistency.CONTRACT, missing=reason, broken=broken),
    )


def _told_by(target: Endpoint, pool: Pool, params: dict[str, t.Any]) -> Told:
    health = _health(target, params)
    health = replace(health, required=_versions.HEALTH in params["compare_version"] or health.broken)
    if params["auth"] and params["auth"]["expect_401"]:
        reason = "The server is only checked for refusing (auth.expect_401), so it is not asked for this."
        return replace(_silent(reason, params), health=health)

    def read(era: str) -> ReadContract:
        return mcp_contract.read_one(target, mcp_contract.settings_of(params, era))

    try:
        found = read(handshake.AUTO)
        contract = _contract(pool, found, lambda: read(protocol.LEGACY))
        if contract.problem:  # a busy server refuses what it offers at other times
            contract = _contract(pool, read(handshake.AUTO), lambda: read(protocol.LEGACY))
    except Failure as failure:
        return replace(_silent(failure.msg, params, broken=True), health=health)
    return Told(health, _server_info(found, required=_versions.SERVER_INFO in params["compare_version"]), contract)


def _health(target: Endpoint, params: dict[str, t.Any]) -> Source:
    if target.health_path is None:
        return Source(consistency.HEALTH, missing="mcp_health_path is not set, so no health document is compared.")
    try:
        with closing(target.connection()) as connection:
            document = fetch_health(connection, target.health_path, Deadline(params["step_timeout"]))
    except Failure as failure:
        return Source(consistency.HEALTH, missing=failure.msg, broken=True)
    found = version_text(document.get("version")) if isinstance(document, dict) else None
    return Source(consistency.HEALTH, found or "", missing="The health document has no version.")


def _server_info(read: ReadContract, *, required: bool) -> Source:
    info = read.server_info
    version = info.get("version")
    return Source(
        consistency.SERVER_INFO,
        version if isinstance(version, str) else "",
        missing="The server has no version in serverInfo, or an empty one, as SDKs send it when none is set.",
        required=required,
        name=str(info.get("name") or ""),
        is_modern=read.era == protocol.MODERN,
    )


def _contract(pool: Pool, read: ReadContract, legacy: t.Callable[[], ReadContract]) -> Identity:
    """Compare the contract with the one that the release recorded. legacy: reads it in that era. Raise Failure."""
    current = pool.current
    side = current["to"] if current is not None and current["outcome"] in (record.SUCCEEDED, record.RUNNING) else None
    recorded = side.get("contract", {}).get("structure_hash", "") if side and side["pool"] == pool.name else ""
    hashes = [read.hashes()["structure_hash"]]
    if recorded and recorded not in hashes and mcp_contract.serves_both(read):
        hashes.append(mcp_contract.for_legacy_clients(read, legacy()).hashes()["structure_hash"])
    return consistency.contract(recorded, hashes)
