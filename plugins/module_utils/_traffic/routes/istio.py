# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on the HTTP rules of an Istio VirtualService; its tcp and tls rules are left alone.

Its status is not read: Istio's webhook refuses a wrong object when it is written.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Backends,
    Kind,
    Reference,
    Route,
    Weighted,
    any_of,
    copied,
    header_in,
    is_header,
    pool_of,
    some_only,
)


class VirtualService(Weighted):
    title, group, version, resource = "VirtualService", "networking.istio.io", "v1", "virtualservices"
    backends = "the route of an http rule"
    entry = "destination"

    def lists(self, route: Route, server: Server) -> list[Backends]:
        return [_backends(number, rule, server) for number, rule in enumerate(mapping(route, "spec").get("http") or [])]

    def header(self, holder: dict[str, t.Any], name: str) -> str | None:
        response = mapping(holder, "headers", "response")
        entries = [entry for how in ("set", "add") for entry in (response.get(how) or {}).items()]
        return header_in([{"name": key, "value": value} for key, value in entries], name)

    def set_header(self, holder: dict[str, t.Any], name: str, value: str) -> None:
        headers = holder["headers"] = mapping(holder, "headers")
        response = headers["response"] = mapping(headers, "response")
        for how in ("set", "add"):
            if how in response:
                response[how] = {key: one for key, one in (response[how] or {}).items() if not is_header(key, name)}
        response["set"] = {**response.get("set", {}), name: value}


KIND: Kind = VirtualService()


def _backends(number: int, rule: dict[str, t.Any], server: Server) -> Backends:
    every = rule.get("route") or []
    references = [
        (
            _pool(backend.get("destination"), server),
            # A destination that is alone needs no weight.
            Reference(
                f"/spec/http/{number}/route/{position}/weight", backend.get("weight") or (100 if len(every) == 1 else 0)
            ),
        )
        for position, backend in enumerate(every)
    ]
    return Backends(f"http rule {number}", references, any_of(_only(rule)), list(_mirrors(rule, server)))


def _only(rule: dict[str, t.Any]) -> list[str]:
    """Return what each match of the rule requires of some clients' requests."""
    return [
        some_only(
            match.get("headers") or {},
            *(f"query parameter {name}" for name in match.get("queryParams") or {}),
            *(f"source label {name}" for name in match.get("sourceLabels") or {}),
            *([f"source namespace {match['sourceNamespace']}"] if match.get("sourceNamespace") else []),
        )
        for match in rule.get("match") or []
    ]


def _mirrors(rule: dict[str, t.Any], server: Server) -> t.Iterator[tuple[str, str]]:
    """Yield the pools that get copies; the older fields of a percentage count, too."""
    if pool := _pool(rule.get("mirror"), server):
        older = rule.get("mirrorPercent", rule.get("mirror_percent", 100))
        yield pool, copied(_percentage(rule.get("mirrorPercentage"), older))
    for mirror in rule.get("mirrors") or []:
        if pool := _pool(mirror.get("destination"), server):
            yield pool, copied(_percentage(mirror.get("percentage"), 100))


def _percentage(percentage: dict[str, t.Any] | None, default: float) -> float:
    """Return the value of Istio's Percent, in which a missing one is 0."""
    return default if percentage is None else percentage.get("value") or 0


def _pool(destination: dict[str, t.Any] | None, server: Server) -> str | None:
    """Return the pool of a destination. Its host is a Service's name, alone or with its namespace, as in DNS."""
    name, _dot, rest = ((destination or {}).get("host") or "").partition(".")
    namespace, _dot, domain = rest.partition(".")
    if namespace not in ("", server.namespace) or (domain and not f"{domain}.".startswith("svc.")):
        return None
    return pool_of(name, server)
