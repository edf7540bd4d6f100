# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the quotas of a namespace leave room for a second pool at full size. Pure."""

from __future__ import annotations

import typing as t
from decimal import Decimal

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping

# Resources of a quota by the field of a container, and by how the quota may call them.
COMPUTE = {
    "cpu": ("requests", "cpu"),
    "requests.cpu": ("requests", "cpu"),
    "limits.cpu": ("limits", "cpu"),
    "memory": ("requests", "memory"),
    "requests.memory": ("requests", "memory"),
    "limits.memory": ("limits", "memory"),
    "ephemeral-storage": ("requests", "ephemeral-storage"),
    "requests.ephemeral-storage": ("requests", "ephemeral-storage"),
    "limits.ephemeral-storage": ("limits", "ephemeral-storage"),
}
PODS = ("pods", "count/pods")
# Scopes that the pods of a server are in. A quota with another one, such as of a priority, is not looked at.
SCOPES = {"NotTerminating", "NotBestEffort"}


def quantity(text: t.Any) -> Decimal | None:
    """Return a quantity as Kubernetes writes it, such as 500m or 1Gi; None for what is none."""
    from kubernetes.utils.quantity import parse_quantity

    try:
        return Decimal(parse_quantity(str(text)))
    except ValueError:
        return None


def of_pod(pod: Object, limit_ranges: t.Iterable[Object] = ()) -> dict[tuple[str, str], Decimal]:
    """Return what one pod takes of each resource, with the defaults that a LimitRange gives to its containers."""
    defaults = [
        one for limits in limit_ranges for one in items(limits, "spec", "limits") if one.get("type") == "Container"
    ]
    ends = [one for one in items(pod, "initContainers") if one.get("restartPolicy") != "Always"]
    stays = [*items(pod, "containers"), *(one for one in items(pod, "initContainers") if one not in ends)]
    found: dict[tuple[str, str], Decimal] = {}
    for place in sorted(set(COMPUTE.values())):
        together = sum((_of_container(one, place, defaults) for one in stays), Decimal(0))
        # An init container runs before the others, so only the largest one may count.
        largest = max((_of_container(one, place, defaults) for one in ends), default=Decimal(0))
        overhead = quantity(mapping(pod, "overhead").get(place[1])) or Decimal(0)
        found[place] = max(together, largest) + overhead
    return found


def _of_container(container: Object, place: tuple[str, str], defaults: t.Sequence[Object]) -> Decimal:
    which, resource = place
    own = mapping(container, "resources")
    given = [mapping(own, which).get(resource)]
    if which == "requests":
        given.append(mapping(own, "limits").get(resource))  # which is the request where there is none
        given += [mapping(one, "defaultRequest").get(resource) for one in defaults]
    given += [mapping(one, "default").get(resource) for one in defaults]
    return next((found for one in given if one is not None and (found := quantity(one)) is not None), Decimal(0))


def problems(pod: Object, replicas: int, quotas: t.Iterable[Object], limit_ranges: t.Sequence[Object]) -> list[str]:
    """Return a sentence for each quota that leaves no room for as many more of these pods."""
    needs = of_pod(pod, limit_ranges)
    found = []
    for one in quotas:
        name = mapping(one, "metadata").get("name")
        if not _applies(mapping(one, "spec")):
            continue
        used = mapping(one, "status", "used")
        for resource, hard in (mapping(one, "status", "hard") or mapping(one, "spec", "hard")).items():
            need = (
                Decimal(replicas)
                if resource in PODS
                else needs.get(COMPUTE.get(resource, ("", "")), Decimal(0)) * replicas
            )
            most, taken = quantity(hard), quantity(used.get(resource, 0))
            if need and most is not None and taken is not None and taken + need > most:
                found.append(
                    f"ResourceQuota {name} leaves no room for the second pool at full size: {resource} is {hard}, "
                    f"{used.get(resource, 0)} are taken, and {replicas} more pods take {_shown(need, resource)}."
                )
    return found


def _applies(spec: Object) -> bool:
    scopes = set(spec.get("scopes") or [])
    scopes |= {str(one.get("scopeName")) for one in items(spec, "scopeSelector", "matchExpressions")}
    return scopes <= SCOPES


def _shown(value: Decimal, resource: str) -> str:
    """Return a quantity for people."""
    if resource.endswith(("memory", "storage")):
        return f"{value / 2**20:.0f}Mi"
    if resource.endswith("cpu"):
        return f"{value * 1000:.0f}m"
    return f"{value:.0f}"
