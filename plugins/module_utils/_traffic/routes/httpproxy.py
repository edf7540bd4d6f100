# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on Contour's HTTPProxy, and whether Contour took them.

A service without a weight has 0, unless no service of its route has one: then they share evenly. A mirror gets copies
of requests and is not a backend.
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
    copied,
    header_in,
    is_current,
    is_header,
    pool_of,
    some_only,
    why,
)

NEGATIONS = {"notpresent", "notcontains", "notexact"}


class HTTPProxy(Weighted):
    title, group, version, resource = "HTTPProxy", "projectcontour.io", "v1", "httpproxies"
    backends = "the services of a route"
    entry = "service"

    def lists(self, route: Route, server: Server) -> list[Backends]:
        return [
            _backends(number, rule, server) for number, rule in enumerate(mapping(route, "spec").get("routes") or [])
        ]

    def header(self, holder: dict[str, t.Any], name: str) -> str | None:
        return header_in(mapping(holder, "responseHeadersPolicy").get("set") or [], name)

    def set_header(self, holder: dict[str, t.Any], name: str, value: str) -> None:
        policy = holder["responseHeadersPolicy"] = mapping(holder, "responseHeadersPolicy")
        others = [one for one in policy.get("set") or [] if not is_header(one.get("name"), name)]
        policy["set"] = [*others, {"name": name, "value": value}]

    def notes(self, route: Route, server: Server) -> list[str]:
        warnings = [why(warning) for warning in _valid(route).get("warnings") or []]
        return [*super().notes(route, server), *(f"Contour warns: {warning}" for warning in warnings)]

    def refused(self, route: Route, server: Server) -> str:
        valid = _valid(route)
        return self.not_accepted(route, server) if valid.get("status") == "False" else ""

    def not_accepted(self, route: Route, server: Server) -> str:
        valid = _valid(route)
        if not valid:
            generation = route["metadata"].get("generation")
            return (
                f"Contour has not reported Valid for generation {generation}: check Contour, and the ingressClassName"
            )
        if valid.get("status") != "True":
            error = next(iter(valid.get("errors") or []), valid)
            return f"Contour says Valid is {valid.get('status')} ({why(error)})"
        return ""


KIND: Kind = HTTPProxy()


def _backends(number: int, rule: dict[str, t.Any], server: Server) -> Backends:
    every = list(enumerate(rule.get("services") or []))
    services = [(position, service) for position, service in every if not service.get("mirror")]
    evenly = not any(service.get("weight") for _position, service in services)
    references = [
        (
            pool_of(service.get("name"), server),
            Reference(f"/spec/routes/{number}/services/{position}/weight", 1 if evenly else service.get("weight") or 0),
        )
        for position, service in services
    ]
    # The weight of a mirror is the percentage of requests that it gets copies of.
    mirrors = [
        (pool, copied(service.get("weight") or 100))
        for _position, service in every
        if service.get("mirror") and (pool := pool_of(service.get("name"), server))
    ]
    return Backends(f"route {number}", references, _only(rule), mirrors)


def _only(rule: dict[str, t.Any]) -> str:
    """Return what the rule requires of some clients' requests. All its conditions must hold."""
    conditions = rule.get("conditions") or []
    headers = [condition["header"] for condition in conditions if condition.get("header")]
    queries = [condition["queryParameter"] for condition in conditions if condition.get("queryParameter")]
    # Requests without a header are those of everybody.
    required = [header.get("name") or "" for header in headers if not NEGATIONS.intersection(header)]
    return some_only(required, *(f"query parameter {query.get('name')}" for query in queries))


def _valid(route: Route) -> dict[str, t.Any]:
    """Return the condition Valid of the present generation; empty without one."""
    return next(
        (
            condition
            for condition in mapping(route, "status").get("conditions") or []
            if condition.get("type") == "Valid" and is_current(route, condition)
        ),
        {},
    )
