# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of route, by its name in the option route_kind.

Each is imported where it is used, since an emergency waits for imports; by statements outside of match, since Ansible packs a
module with those that it finds, and ansible-core 2.21 does not look into match.
"""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind


def kind_of(server: Server) -> Kind:
    kind = server.route_kind
    if kind == "service":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.service import KIND
    elif kind == "httpproxy":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httpproxy import KIND
    elif kind == "traefik":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.traefik import KIND
    elif kind == "openshift_route":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.openshift_route import KIND
    elif kind == "istio":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.istio import KIND
    elif kind == "ingress_nginx":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.ingress_nginx import KIND
    elif kind == "custom":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.custom import KIND
    else:
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httproute import KIND
    return KIND
