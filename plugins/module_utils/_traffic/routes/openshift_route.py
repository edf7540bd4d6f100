# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on an OpenShift Route, and whether the routers admitted it. They do not report for which generation."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Backends,
    Kind,
    Reference,
    Route,
    Weighted,
    pool_of,
    weight_of,
    why,
)

DEFAULT = 100  # the weight of a backend without one


class OpenShiftRoute(Weighted):
    title, group, version, resource = "Route", "route.openshift.io", "v1", "routes"
    rule, backends = "", "spec.to and spec.alternateBackends"

    def lists(self, route: Route, server: Server) -> list[Backends]:
        spec = mapping(route, "spec")
        places = [("/spec/to", spec.get("to") or {})]
        places += [
            (f"/spec/alternateBackends/{position}", backend)
            for position, backend in enumerate(spec.get("alternateBackends") or [])
        ]
        references = [
            (pool_of(backend.get("name"), server), Reference(f"{place}/weight", weight_of(backend, DEFAULT)))
            for place, backend in places
        ]
        return [Backends("the route", references)]

    def notes(self, route: Route, server: Server) -> list[str]:
        without = [] if self.not_accepted(route, server) else _not_admitting(route)
        return [*super().notes(route, server), *without]

    def refused(self, route: Route, server: Server) -> str:
        statuses = {admitted.get("status") for _router, admitted in _admitted(route)}
        return _not_admitting(route)[0] if statuses == {"False"} else ""

    def not_accepted(self, route: Route, server: Server) -> str:
        """Return why no router has it. One is enough: what others said stays in the status when they are gone."""
        routers = _admitted(route)
        if not routers:
            return "no router has reported on it: check the ingress controller, and its route selector"
        without = _not_admitting(route)
        return without[0] if len(without) == len(routers) else ""


KIND: Kind = OpenShiftRoute()


def _admitted(route: Route) -> list[tuple[str, dict[str, t.Any]]]:
    """Return each router's name with its condition Admitted, empty when it has not reported it."""
    return [
        (
            router.get("routerName", ""),
            next((one for one in router.get("conditions") or [] if one.get("type") == "Admitted"), {}),
        )
        for router in mapping(route, "status").get("ingress") or []
    ]


def _not_admitting(route: Route) -> list[str]:
    """Return what each router says that does not admit the route."""
    return [
        f"router {printable(router, 60)} says Admitted is {admitted.get('status')} ({why(admitted)})"
        for router, admitted in _admitted(route)
        if admitted.get("status") != "True"
    ]
