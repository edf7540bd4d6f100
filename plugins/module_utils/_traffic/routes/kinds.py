# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of route, by its name in the option route_kind."""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import (
    custom,
    httpproxy,
    httproute,
    ingress_nginx,
    istio,
    openshift_route,
    service,
    traefik,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind

KINDS: dict[str, Kind] = {
    "httproute": httproute.KIND,
    "service": service.KIND,
    "httpproxy": httpproxy.KIND,
    "traefik": traefik.KIND,
    "openshift_route": openshift_route.KIND,
    "istio": istio.KIND,
    "ingress_nginx": ingress_nginx.KIND,
    "custom": custom.KIND,
}


def kind_of(server: Server) -> Kind:
    return KINDS[server.route_kind]
