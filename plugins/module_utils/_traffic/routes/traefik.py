# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on Traefik's TraefikService, to which an IngressRoute leads. Traefik reports no status on it."""

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
    pool_of,
    weight_of,
)


class TraefikService(Weighted):
    title, group, version, resource = "TraefikService", "traefik.io", "v1alpha1", "traefikservices"
    rule, backends = "", "spec.weighted.services"

    def lists(self, route: Route, server: Server) -> list[Backends]:
        services = mapping(route, "spec", "weighted").get("services") or []
        references = [
            (_pool(service, server), Reference(f"/spec/weighted/services/{position}/weight", weight_of(service, 1)))
            for position, service in enumerate(services)
        ]
        return [Backends("spec.weighted.services", references)]


KIND: Kind = TraefikService()


def _pool(service: dict[str, t.Any], server: Server) -> str | None:
    if service.get("kind", "Service") != "Service" or service.get("namespace", server.namespace) != server.namespace:
        return None
    return pool_of(service.get("name"), server)
