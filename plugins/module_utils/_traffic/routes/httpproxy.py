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
    Kind,
    Reference,
    Route,
    Split,
    Weighted,
    pool_of,
    weight_of,
)


class HTTPProxy(Weighted):
    title, group, version, resource = "HTTPProxy", "projectcontour.io", "v1", "httpproxies"
    backends = "the services of a route"

    def splits(self, route: Route, server: Server) -> list[Split]:
        return self.shared(
            server,
            (
                (f"route {number}", _backends(number, rule, server))
                for number, rule in enumerate(mapping(route, "spec").get("routes") or [])
            ),
        )

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
        if valid["status"] != "True":
            error = next(iter(valid.get("errors") or []), valid)
            return f"Contour says Valid is {valid['status']} ({error.get('reason')}: {error.get('message')})"
        return ""


KIND: Kind = HTTPProxy()


def _backends(number: int, rule: dict[str, t.Any], server: Server) -> t.Iterator[tuple[str | None, Reference]]:
    services = [
        (position, service) for position, service in enumerate(rule.get("services") or []) if not service.get("mirror")
    ]
    evenly = not any(service.get("weight") for _position, service in services)
    for position, service in services:
        weight = 1 if evenly else weight_of(service, 0)
        yield pool_of(service["name"], server), Reference(f"/spec/routes/{number}/services/{position}/weight", weight)


def _valid(route: Route) -> dict[str, t.Any]:
    """Return the condition Valid of the present generation; empty without one."""
    return next(
        (
            condition
            for condition in mapping(route, "status").get("conditions") or []
            if condition["type"] == "Valid"
            and condition.get("observedGeneration", -1) == route["metadata"].get("generation", 0)
        ),
        {},
    )
