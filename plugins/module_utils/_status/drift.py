# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find drift: where the pools differ in more than their image, and where what runs is not what was recorded. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._image import same_image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._release.record import (
    ROLLED_BACK,
    SUCCEEDED,
    Release,
    Side,
)
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, other
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_SHOWN = 8  # differences between the pools
MAX_VALUE = 40
MAX_DEPTH = 12
# Annotations and labels of the pod template that writing to it leaves behind, and that make no other pod.
_NOTES = ("kubectl.kubernetes.io/", "mcp.server/", "deployment.kubernetes.io/", "field.cattle.io/")
_HASH = "pod-template-hash"
# Below these, values are not shown: they may have a secret.
_SECRET = ("env", "envFrom", "command", "args", "annotations", "httpHeaders", "exec")
_MISSING = "(missing)"


def between_pools(
    workloads: t.Mapping[str, Object], names: t.Mapping[str, t.Sequence[str]], containers: t.Mapping[str, str]
) -> list[str]:
    """Return a sentence for each difference of the pod templates but the image and what names the pool.

    workloads: of both pools; with one alone there is nothing to compare. names: by pool, the names of its objects.
    containers: by pool, the name of the server's, whose image differs while versions do; empty where nobody knows which
    it is, so that no image counts.
    """
    if any(not mapping(workloads.get(pool), "spec", "template") for pool in POOLS):
        return []
    own = _own_labels(workloads)
    blue, green = (
        _normal(mapping(workloads[pool], "spec", "template"), {pool, *names[pool], *own[pool]}, containers[pool])
        for pool in POOLS
    )
    found = list(_differences(blue, green, ()))
    shown = [
        f"Pools differ in {_path(path)}: blue {_value(path, one)}, green {_value(path, other)}."
        for path, one, other in found[:MAX_SHOWN]
    ]
    if len(found) > MAX_SHOWN:
        shown.append(f"Pools differ in {len(found) - MAX_SHOWN} more fields.")
    return shown


def _own_labels(workloads: t.Mapping[str, Object]) -> dict[str, set[str]]:
    """Return, by pool, the values of the labels that tell its pods from the other's: they name the pool."""
    labels = {pool: mapping(workloads[pool], "spec", "selector", "matchLabels") for pool in POOLS}
    return {
        pool: {str(value) for key, value in labels[pool].items() if value != labels[other(pool)].get(key)}
        for pool in POOLS
    }


def _normal(value: t.Any, names: set[str], container: str, depth: int = 0) -> t.Any:
    """Return a value with lists of named things as mappings, and without what may differ between the pools."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {
            key: found
            for key, one in value.items()
            if not (isinstance(key, str) and (key.startswith(_NOTES) or key in (_HASH, "creationTimestamp")))
            if not (key == "image" and (not container or value.get("name") == container))
            if (found := _normal(one, names, container, depth + 1)) not in (None, {}, [])
        }
    if isinstance(value, list):
        named = [one for one in value if isinstance(one, dict) and isinstance(one.get("name"), str)]
        if named and len(named) == len(value) and len({one["name"] for one in named}) == len(named):
            return {one["name"]: _normal(one, names, container, depth + 1) for one in named}
        return [_normal(one, names, container, depth + 1) for one in value]
    if isinstance(value, str) and value in names:
        return "(this pool)"
    return value


def _differences(one: t.Any, other: t.Any, path: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], t.Any, t.Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}, key=str):
            yield from _differences(one.get(key), other.get(key), (*path, str(key)))
    elif one != other:
        yield path, one, other


def _path(path: t.Sequence[str]) -> str:
    return printable(".".join(path), 100)


def _value(path: t.Sequence[str], value: t.Any) -> str:
    """Return a value for people; not of a field that may have a secret."""
    if value is None:
        return _MISSING
    if any(part in _SECRET for part in path) or isinstance(value, (dict, list)):
        return "(set)"
    return printable(str(value), MAX_VALUE)


def from_record(
    release: Release | None, live: str | None, image_ref: str | None, digests: t.Collection[str]
) -> list[str]:
    """Return a sentence when the live pool does not run what the newest ended release left there.

    image_ref: of the live pool's workload. digests: that its ready pods run, without unknown ones.
    """
    side = _left_by(release)
    if side is None or live is None:
        return []
    if side["pool"] != live:
        return [f"Pool {live} is live, but the newest release in the record left all traffic on pool {side['pool']}."]
    recorded, digest = str(side.get("image_ref") or ""), str(side.get("digest") or "")
    if recorded and image_ref and not same_image(recorded, image_ref):
        return [
            f"Pool {live} has image {printable(image_ref, 120)}, but the record has {printable(recorded, 120)}: "
            "another client changed it."
        ]
    # A node may know the image of an index by its platform's digest; with the recorded one in the template it is right.
    if digest and digests and digest not in digests and digest not in str(image_ref):
        running = ", ".join(sorted(printable(one, 19) for one in digests))
        return [
            f"Pods of pool {live} run {running}, but the record has {printable(digest, 19)}: the tag was moved, or the "
            "node names another digest of the same image."
        ]
    return []


def of_pods(pool: str, digests: t.Collection[str]) -> list[str]:
    """Return a sentence when the ready pods of a pool run different images."""
    if len(digests) < 2:
        return []
    running = ", ".join(sorted(printable(one, 19) for one in digests))
    return [f"The pods of pool {pool} run different images: {running}."]


def _left_by(release: Release | None) -> Side | None:
    """Return the side that a release gave all traffic to; None when it runs, failed, or there is none."""
    if release is None:
        return None
    return {SUCCEEDED: release["to"], ROLLED_BACK: release["from"]}.get(release["outcome"])
