# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an adoption prints for people: the route to write, patches for a repository, lines for the inventory. Pure."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import yaml_document
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.service_target import targets
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._server import Server

FILL_IN = "FILL-IN"  # what only the user knows
PATH_TYPES = {"Exact": "Exact", "Prefix": "PathPrefix"}


def http_route(server: Server, service: Object, leading: t.Sequence[Object]) -> Object:
    """Return the HTTPRoute to the Service of a server that nothing else leads to which could weigh two pools.

    leading: what leads there, such as an Ingress, whose host names and paths it gets.
    """
    ingresses = [one for one in leading if one.get("kind") == "Ingress"]
    rules = [rule for one in ingresses for rule in items(one, "spec", "rules")]
    led = [
        (rule, path)
        for rule in rules
        for path in items(rule, "http", "paths")
        if mapping(path, "backend", "service").get("name") == server.service("blue")
    ]
    hosts = list(dict.fromkeys(str(rule["host"]) for rule, _path in led if rule.get("host")))
    matches = [
        {"path": {"type": PATH_TYPES.get(str(path.get("pathType")), "PathPrefix"), "value": path.get("path") or "/"}}
        for _rule, path in led
    ]
    # MCP streams stay open, so an answer has no time limit.
    rule = {
        **({"matches": [one for number, one in enumerate(matches) if one not in matches[:number]]} if matches else {}),
        "timeouts": {"request": "0s"},
        "backendRefs": [{"name": server.service("blue"), "port": _port(service)}],
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": server.route, "namespace": server.namespace},
        "spec": {
            "parentRefs": [{"name": FILL_IN, "namespace": FILL_IN}],
            "hostnames": hosts or [FILL_IN],
            "rules": [rule],
        },
    }


def _port(service: Object) -> int:
    """Return the port of the Service at which it leads to MCP; the first where none stands out."""
    ports = items(service, "spec", "ports")
    wanted = targets(ports)
    found = [one for one in ports if one.get("targetPort", one.get("port")) in wanted] or ports
    return int(found[0].get("port") or 0) if found else 0


def traefik_service(server: Server, service: Object) -> Object:
    """Return the TraefikService that an IngressRoute must lead to, in place of the Service."""
    services = [{"name": server.service("blue"), "port": _port(service), "weight": 100}]
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "TraefikService",
        "metadata": {"name": server.route, "namespace": server.namespace},
        "spec": {"weighted": {"services": services}},
    }


def as_yaml(objects: t.Iterable[Object]) -> str:
    return "---\n".join(map(_dumped, objects))


def _dumped(value: Object) -> str:
    """Return YAML. Names from Ansible are texts with a tag, which PyYAML does not know."""
    return yaml_document.dump(json.loads(json.dumps(value)))


def inventory(server: Server) -> str:
    """Return the lines for the inventory of an adopted server."""
    lines: Object = {f"mcp_{pool}": named(server.objects(pool)) for pool in ("blue", "green")}
    if server.route != server.name:
        lines["mcp_route"] = server.route
    if server.route_kind != "httproute":
        lines["mcp_route_kind"] = server.route_kind
    return _dumped(lines)


def named(objects: PoolObjects) -> t.Any:
    """Return a pool's objects as the inventory names them."""
    if objects.kind == "Deployment" and objects.workload == objects.service:
        return objects.workload
    key = "deployment" if objects.kind == "Deployment" else "stateful_set"
    return {key: objects.workload, "service": objects.service}
