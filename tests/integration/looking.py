# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of a namespace before and after a play, and what differs, field by field."""

from __future__ import annotations

import json
import typing as t

KINDS = "httproute,service,deployment,horizontalpodautoscaler,configmap,lease,secret,job,networkpolicy"
# What the API server and the controllers count and write, of any object.
COUNTED = ("resourceVersion", "generation", "managedFields", "creationTimestamp", "uid", "selfLink")
NOT_OURS = ("kube-root-ca.crt",)
MISSING = "(not there)"

Objects = dict[str, dict[str, t.Any]]  # by "Kind name"
Differences = dict[str, tuple[t.Any, t.Any]]  # by "Kind name path.to.field": before and after


def cleaned(one: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return an object as people and we wrote it. Pure."""
    found = {key: value for key, value in one.items() if key != "status"}
    found["metadata"] = {key: value for key, value in one["metadata"].items() if key not in COUNTED}
    annotations = {
        key: value for key, value in (found["metadata"].get("annotations") or {}).items() if "kubectl" not in key
    }
    annotations.pop("deployment.kubernetes.io/revision", None)
    found["metadata"]["annotations"] = annotations
    return found


def looked_at(kubectl: t.Callable[..., str], namespace: str) -> Objects:
    """Return what people and we wrote into the objects of the namespace."""
    found = json.loads(kubectl("-n", namespace, "get", KINDS, "-o", "json"))["items"]
    return {
        f"{one['kind']} {one['metadata']['name']}": cleaned(one)
        for one in found
        if one["metadata"]["name"] not in NOT_OURS
    }


def differences(before: Objects, after: Objects) -> Differences:
    """Return what differs, by object and path. Pure."""
    found: Differences = {}
    for name in sorted({*before, *after}):
        _compare(found, name, before.get(name, MISSING), after.get(name, MISSING))
    return found


def _compare(found: Differences, path: str, before: t.Any, after: t.Any) -> None:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            joint = " " if path.count(" ") == 1 else "."
            _compare(found, f"{path}{joint}{key}", before.get(key, MISSING), after.get(key, MISSING))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            _compare(found, f"{path}[{index}]", one, other)
    else:
        found[path] = (before, after)
