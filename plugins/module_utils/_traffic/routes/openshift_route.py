# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on an OpenShift Route, and whether the routers admitted it. They do not report for which generation."""

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

DEFAULT = 100  # the weight of a backend without one


class OpenShiftRoute(Weighted):
    title, group, version, resource = "Route", "route.openshift.io", "v1", "routes"
    rule, backends = "", "spec.to and spec.alternateBackends"

    def splits(self, route: Route, server: Server) -> list[Split]:
        spec = mapping(route, "spec")
        places = [("/spec/to", mapping(spec, "to"))]
        places += [
            (f"/spec/alternateBackends/{position}", backend)
            for position, backend in enumerate(spec.get("alternateBackends") or [])
        ]
        return self.shared(
            server,
            [
                (
                    "its backends",
                    [
                        (
                            pool_of(backend.get("name"), server),
                            Reference(f"{place}/weight", weight_of(backend, DEFAULT)),
                        )
                        for place, backend in places
                    ],
                )
            ],
        )

    def refused(self, route: Route, server: Server) -> str:
        return next(
            (_report(router, admitted) for router, admitted in _admitted(route) if admitted.get("status") == "False"),
            "",
        )

    def not_accepted(self, route: Route, server: Server) -> str:
        routers = _admitted(route)
        if not routers:
            return "no router has reported on it: check the ingress controller, and its route selector"
        return next((_report(router, admitted) for router, admitted in routers if admitted.get("status") != "True"), "")


KIND: Kind = OpenShiftRoute()


def _admitted(route: Route) -> list[tuple[str, dict[str, t.Any]]]:
    """Return each router's name with its condition Admitted, empty when it has not reported it."""
    return [
        (
            router.get("routerName") or "",
            next((one for one in router.get("conditions") or [] if one["type"] == "Admitted"), {}),
        )
        for router in mapping(route, "status").get("ingress") or []
    ]


def _report(router: str, admitted: dict[str, t.Any]) -> str:
    why = f"{admitted.get('reason')}: {admitted.get('message')}"
    return f"router {router} says Admitted is {admitted.get('status')} ({why})"
