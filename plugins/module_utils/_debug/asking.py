# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to ask when the user names nothing: the Services of both pools."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._debug.probes import DNS, HTTP, MCP, TCP, Probe
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import service_target
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

HEADLESS = "None"  # as clusterIP


class Found(t.NamedTuple):
    """What to ask, and sentences on what could not be found out."""

    probes: list[Probe]
    notes: list[str]


def of_server(cluster: Api, server: Server, params: dict[str, t.Any]) -> Found:
    """Return the probes of both pools' Services. What fails is a note, as the other pool is asked all the same.

    Raises Unreachable.
    """
    found = Found([], [])
    for pool in POOLS:
        name = f"{server.service(pool)}.{server.namespace}.svc"
        found.probes.append(Probe(DNS, name))
        try:
            service = server.pool_service(cluster, pool)
            ready = server.ready_endpoints(cluster, pool)
        except Unreachable:  # without the API server nothing can be asked
            raise
        except Failure as failure:
            found.notes.append(f"pool {pool} is asked for its name only: {failure.msg}")
            continue
        if not ready:
            found.notes.append(
                f"pool {pool} has no ready pod (Service {server.service(pool)} has no ready endpoint), so it is asked "
                "for its name only"
            )
            continue
        port = port_of(service, server.port)
        if port is None:
            found.notes.append(f"Service {server.service(pool)} has no TCP port, so it is asked for its name only")
            continue
        found.probes.extend(at(name, port, params))
    return found


def at(host: str, port: int, params: dict[str, t.Any]) -> list[Probe]:
    """Return the probes of an address at which a server serves MCP. params: of the task. Raises Failure."""
    option = {**endpoint.defaults(), **(params.get("endpoint") or {})}
    scheme = (option.get("pods") or {}).get("scheme") or "http"
    # As clients name the server: many servers refuse any other Host.
    named = endpoint.pod_hosts(option, port)[0] if _is_named(option) else ""
    health = Answering.from_params(params).health_path
    asked = [Probe(TCP, f"{host}:{port}")]
    if health:
        asked.append(Probe(HTTP, f"{scheme}://{host}:{port}{health}", named))
    return [*asked, Probe(MCP, f"{scheme}://{host}:{port}{option['mcp_path']}", named)]


def _is_named(option: dict[str, t.Any]) -> bool:
    return bool(option.get("url") or option.get("host") or (option.get("pods") or {}).get("host"))


def port_of(service: Object, wanted: int | None) -> int | None:
    """Return the port of a Service at which it serves MCP; None without a TCP port. Pure.

    wanted: the port of its pods, where that is known. A Service without an address of its own leads to its pods'
    ports directly.
    """
    ports = [port for port in items(service, "spec", "ports") if port.get("protocol") in (None, "TCP")]
    targets = service_target.targets(ports)
    chosen = [port for port in ports if _target(port) == wanted] or [port for port in ports if _target(port) in targets]
    if not chosen:
        return None
    target, number = _target(chosen[0]), chosen[0].get("port")
    if mapping(service, "spec").get("clusterIP") == HEADLESS and isinstance(target, int):
        return target
    return number if isinstance(number, int) else None


def _target(port: Object) -> t.Any:
    target = port.get("targetPort") or port.get("port")
    return int(target) if isinstance(target, str) and target.isdecimal() else target
