# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of route, by its name in the option route_kind.

Each is imported where it is used, since an emergency waits for imports; by statements, since Ansible packs a module with those that it finds.
"""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind


def kind_of(server: Server) -> Kind:
    match server.route_kind:
        case "service":
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.service import KIND
        case "httpproxy":
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httpproxy import KIND
        case "traefik":
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.traefik import KIND
        case "openshift_route":
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.openshift_route import KIND
        case "istio":
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.istio import KIND
        case "ingress_nginx":
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.ingress_nginx import KIND
        case "custom":
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.custom import KIND
        case _:
            from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httproute import KIND
    return KIND
