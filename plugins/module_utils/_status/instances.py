# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe instances: the pods of an MCP server, one by one. Pure: objects in, plain data out."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._image import digest_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._status import quantities
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    condition,
    is_finished,
    is_leaving,
    is_ready,
    name_of,
)

Instance = dict[str, t.Any]

MAX_WORD = 60  # characters of a reason that a cluster gives
TERMINATING = "Terminating"


def describe(
    pod: Object, container: str, pool: str | None, usage: t.Mapping[str, Object], now: datetime.datetime
) -> Instance:
    """Return what the cluster knows of a pod, as RETURN of mcp_instances_info lists it.

    container: the MCP server's; empty when it is unknown, and all containers count together. usage: by the pod's name,
    its object of the metrics API.
    """
    name, spec = name_of(pod), mapping(pod, "spec")
    own = _named(items(pod, "status", "containerStatuses"), container)
    image_ref = str(_named(items(pod, "spec", "containers"), container).get("image") or "")
    restarts, reason, restarted_at = restarted(pod, container)
    created = _times.parse(mapping(pod, "metadata").get("creationTimestamp"))
    return {
        "namespace": str(mapping(pod, "metadata").get("namespace") or ""),
        "pod": name,
        "pool": pool,
        "labels": dict(mapping(pod, "metadata", "labels")),
        "node": str(spec.get("nodeName") or "") or None,
        "ready": is_ready(pod),
        "state": state(pod),
        "finished": is_finished(pod),
        # The tag, which the cluster knows; what the server itself reports is health_version.
        "version": tag_of(image_ref) or None,
        "health_version": None,
        "instance_id": None,
        "image_ref": image_ref,
        "digest": digest_of(str(own.get("imageID") or "")) or None,
        "restarts": restarts,
        "restart_reason": reason or None,
        "restarted_at": restarted_at,
        "created": _times.iso(created, "seconds") if created else None,
        "age_seconds": max(0, round((now - created).total_seconds())) if created else None,
        **resources(pod, usage.get(name), container),
        "sessions": None,
        "problem": None,
    }


def _named(containers: t.Sequence[Object], name: str) -> Object:
    """Return the container of this name; without a name the first one."""
    return next((one for one in containers if not name or one.get("name") == name), {})


def tag_of(image_ref: str) -> str:
    """Return the tag of an image reference; empty without one."""
    return image_ref.partition("@")[0].rpartition("/")[2].partition(":")[2]


def state(pod: Object) -> str:
    """Return the state of a pod in one word, as kubectl get pods shows it in most cases."""
    status = mapping(pod, "status")
    if is_leaving(pod):
        return TERMINATING
    word = str(status.get("reason") or status.get("phase") or "Unknown")
    if not is_finished(pod):
        if condition(pod, "PodScheduled").get("reason") in ("SchedulingGated", "Unschedulable"):
            word = str(condition(pod, "PodScheduled").get("reason"))
        for one in items(pod, "status", "initContainerStatuses"):
            ended = mapping(one, "state", "terminated")
            if (ended and ended.get("exitCode") == 0) or one.get("started"):
                continue
            reason = ended.get("reason") or mapping(one, "state", "waiting").get("reason")
            return printable(f"Init:{reason or one.get('name')}", MAX_WORD)
    for one in items(pod, "status", "containerStatuses"):
        reason = mapping(one, "state", "waiting").get("reason") or mapping(one, "state", "terminated").get("reason")
        if reason:
            word = str(reason)
            break
    return printable(word, MAX_WORD)


def restarted(pod: Object, container: str) -> tuple[int, str, str | None]:
    """Return how often the pod's containers were restarted, why the last one was, and when that was.

    Why is by its newest end. Of another container than the server's, the reason begins with its name.
    """
    statuses = [*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")]
    restarts, ends = 0, []
    for status in statuses:
        count = status.get("restartCount")
        # An init container that has done its work and was not restarted has count 0.
        restarts += count if isinstance(count, int) else 0
        for field in ("lastState", "state"):
            ended = mapping(status, field, "terminated")
            # One that has just failed again says more than its end before that; one that has done its work does not.
            if ended and count and (field == "lastState" or ended.get("exitCode") != 0):
                ends.append((str(ended.get("finishedAt") or ""), str(status.get("name") or ""), ended))
    if not ends:
        return restarts, "", None
    at, name, ended = max(ends, key=lambda one: one[:2])
    reason = str(ended.get("reason") or "unknown reason")
    code = ended.get("exitCode")
    shown = f"{reason}, exit code {code}" if isinstance(code, int) else reason
    if container and name != container:
        shown = f"{name}: {shown}"
    parsed = _times.parse(at)
    return restarts, printable(shown, 2 * MAX_WORD), _times.iso(parsed, "seconds") if parsed else None


def resources(pod: Object, usage: Object | None, container: str) -> dict[str, float | None]:
    """Return memory in bytes and CPU in cores, used and allowed; None where nobody knows, or nothing limits it."""
    found: dict[str, float | None] = {}
    for resource, key in (("memory", "memory_bytes"), ("cpu", "cpu_cores")):
        used = [
            quantities.number(mapping(one, "usage").get(resource))
            for one in items(usage, "containers")
            if not container or one.get("name") == container
        ]
        limits = [
            quantities.number(mapping(one, "resources", "limits").get(resource))
            for one in items(pod, "spec", "containers")
            if not container or one.get("name") == container
        ]
        limit_key = key.replace("_", "_limit_", 1)
        found[key], found[limit_key] = _sum(used), _sum(limits) or None
    return found


def _sum(found: t.Sequence[float | None]) -> float | None:
    """Return the sum; None without any, or when one of them is unknown."""
    return sum(t.cast(t.Sequence[float], found)) if found and None not in found else None


def by_pod(metrics: t.Iterable[Object]) -> dict[str, Object]:
    """Return objects of the metrics API by the name of their pod."""
    return {name_of(one): one for one in metrics}


def versions(found: t.Iterable[t.Any]) -> str:
    """Return the versions of instances for people: what they report, or their tags when none reports any."""
    known = [mapping(one) for one in found]
    reported = {str(one["health_version"]) for one in known if one.get("health_version")}
    return ", ".join(sorted(reported or {str(one["version"]) for one in known if one.get("version")}))
