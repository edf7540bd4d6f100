# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a Service leads to: which port of its pods, and which container has it. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items

Target: t.TypeAlias = "int | str"  # the number of a port, or a name that each pod gives to one of its ports

# What tells the port for MCP from others. Of several ports, the first rule that leaves one target decides.
_RULES: tuple[t.Callable[[Object], bool], ...] = (
    lambda port: True,
    lambda port: port.get("name") == "mcp",
    lambda port: port.get("name") in ("http", "https"),
    lambda port: str(port.get("appProtocol") or "").lower().endswith(("http", "https", "h2c", "mcp")),
)


def targets(ports: t.Iterable[Object]) -> list[Target]:
    """Return where the Service's port for MCP leads to; several when none of its ports stands out.

    ports: of a Service, or of its EndpointSlice, where each port is its own target.
    """
    tcp = [port for port in ports if port.get("protocol") in (None, "TCP")]
    found: list[Target] = []
    for rule in _RULES:
        those = list(dict.fromkeys(target for port in tcp if rule(port) and (target := _target(port)) is not None))
        if len(those) == 1:
            return those
        found = found or those
    return found


def _target(port: Object) -> Target | None:
    target = port.get("targetPort") or port.get("port")
    return int(target) if isinstance(target, str) and target.isdecimal() else target


def declared(pod_spec: Object) -> list[Object]:
    """Return the TCP ports that the containers of a pod declare, as Services find them: sidecars last."""
    sidecars = [one for one in items(pod_spec, "initContainers") if one.get("restartPolicy") == "Always"]
    return [
        port
        for container in (*items(pod_spec, "containers"), *sidecars)
        for port in items(container, "ports")
        if port.get("protocol") in (None, "TCP")
    ]


def port_in(pod_spec: Object, target: Target) -> int | None:
    """Return the number of the port in this pod; None when no container has a port of that name."""
    if isinstance(target, int):
        return target
    found = (port.get("containerPort") for port in declared(pod_spec) if port.get("name") == target)
    return next(found, None)


def own_ports(pod_spec: Object) -> list[int]:
    """Return the ports of a pod at which it may serve MCP, by what its containers declare alone."""
    ports = [{**port, "port": port.get("containerPort")} for port in declared(pod_spec)]
    return [target for target in targets(ports) if isinstance(target, int)]


def containers_with(containers: t.Iterable[Object], wanted: t.Collection[Target]) -> list[str]:
    """Return the names of the containers that declare one of these ports."""
    return [
        str(container.get("name"))
        for container in containers
        if any(
            port.get("protocol") in (None, "TCP")
            and (port.get("name") in wanted or port.get("containerPort") in wanted)
            for port in items(container, "ports")
        )
    ]


def ports_of(service: Object) -> str:
    """Return the Service's ports, for people."""
    shown = [f"{port.get('name') or 'unnamed'} ({port.get('port')})" for port in items(service, "spec", "ports")]
    return ", ".join(shown) or "none"
