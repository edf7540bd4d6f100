# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pod asks of a node and of its namespace: requests and limits, with the defaults of LimitRanges. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._status import quantities
from ansible_collections.mcp.server.plugins.module_utils._text import printable

Resources = dict[str, float]  # cores, bytes or a count, by the resource's name
BYTES = ("memory", "ephemeral-storage")


class Container(t.NamedTuple):
    """A container's requests and limits."""

    name: str
    requests: Resources
    limits: Resources
    is_init: bool = False  # one that ends before the others start
    starts_first: bool = False  # an init container that goes on (a sidecar)


class Needs(t.NamedTuple):
    """What one pod asks for."""

    containers: tuple[Container, ...]
    requests: Resources
    limits: Resources
    as_a_whole: bool = False  # whether the pod itself has some of them, for all containers together

    @property
    def best_effort(self) -> bool:
        """Return whether it has the quality of service BestEffort."""
        return not any(of.get(name) for of in (self.requests, self.limits) for name in ("cpu", "memory"))


def of_pod(spec: Object, limit_ranges: t.Iterable[Object] = ()) -> Needs:
    """Return what a pod with this spec asks for. limit_ranges: those of its namespace, whose defaults it gets."""
    limits, requests = _defaults(limit_ranges)
    containers = tuple(
        _container(one, kind, limits, requests)
        for kind in ("initContainers", "containers")
        for one in items(spec, kind)
    )
    overhead, whole = resources(mapping(spec, "overhead")), mapping(spec, "resources")
    limits_of_pod = resources(mapping(whole, "limits"))
    requests_of_pod = {**limits_of_pod, **resources(mapping(whole, "requests"))}
    return Needs(
        containers,
        _sum([{**_effective([one._asdict() for one in containers], "requests"), **requests_of_pod}, overhead]),
        {**_effective([one._asdict() for one in containers], "limits"), **limits_of_pod},
        bool(whole),
    )


def priority(spec: Object) -> float:
    """Return a pod's priority, which the API server writes into its spec; 0 without one."""
    found = spec.get("priority")
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else 0


def resources(found: t.Mapping[str, t.Any]) -> Resources:
    """Return quantities as numbers, without what is none."""
    return {str(name): number for name, text in found.items() if (number := quantities.number(text)) is not None}


def shown(found: Resources) -> str:
    """Return resources for people, such as C(100m CPU and 64 MiB memory)."""
    parts = [amount(name, value) for name, value in sorted(found.items()) if value]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else "nothing"


def amount(name: str, value: float) -> str:
    """Return one of them for people. name: of the resource, also as a quota calls it."""
    last = name.rpartition(".")[2] if name.startswith(("requests.", "limits.")) else name
    if last == "cpu":
        return f"{value:g} CPU" if value >= 1 or not value else f"{value * 1000:.0f}m CPU"
    if last in BYTES:
        return f"{value / 2**20:.0f} MiB {last}"
    return f"{value:g} {printable(last, 60)}"


def _container(one: Object, kind: str, default_limits: Resources, default_requests: Resources) -> Container:
    given = mapping(one, "resources")
    limits, requests = resources(mapping(given, "limits")), resources(mapping(given, "requests"))
    # As the API server does: a limit alone is the request, too; then the LimitRange's defaults.
    requests = {**default_requests, **limits, **requests}
    limits = {**default_limits, **limits}
    is_init = kind == "initContainers"
    sidecar = is_init and one.get("restartPolicy") == "Always"
    return Container(str(one.get("name")), requests, limits, is_init and not sidecar, sidecar)


def _defaults(limit_ranges: t.Iterable[Object]) -> tuple[Resources, Resources]:
    """Return the limits and the requests that containers without any get."""
    limits: Resources = {}
    requests: Resources = {}
    for limit in (one for each in limit_ranges for one in items(each, "spec", "limits")):
        if limit.get("type") == "Container":
            given = resources(mapping(limit, "default"))
            limits |= given
            requests |= {**given, **resources(mapping(limit, "defaultRequest"))}
    return limits, requests


def _effective(containers: t.Sequence[t.Mapping[str, t.Any]], which: str) -> Resources:
    """Return the sum of those that run together, or what the largest init container needs beside the sidecars."""
    total: Resources = {}
    highest: Resources = {}
    for one in containers:
        if one["is_init"]:
            for name, value in _sum([one[which], total]).items():
                highest[name] = max(value, highest.get(name, 0.0))
        else:
            total = _sum([total, one[which]])
    return {name: max(total.get(name, 0.0), highest.get(name, 0.0)) for name in {*total, *highest}}


def _sum(several: t.Iterable[Resources]) -> Resources:
    total: Resources = {}
    for one in several:
        for name, value in one.items():
            total[name] = total.get(name, 0.0) + value
    return total
