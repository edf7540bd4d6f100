# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of route kinds, by their name in the option route_kind.

To add a kind: a file in this directory with its KIND, its name in _server.ROUTE_KINDS, and a row here. The tests then
ask for its choice in doc_fragments/server.py, its rows in docs/routes.md, and its objects in
tests/unit/fakes/routes.py.
"""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._server import ROUTE_KINDS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind


def has_others(cluster: Api, server: Server) -> bool:
    """Return whether the route may have other backends than the pools: also when it can't be read."""
    try:
        kind = kind_of(server)
        return kind.part(kind.read(cluster, server), server) < 1
    except Failure:
        return True


def kind_of(server: Server) -> Kind:
    """Return the kind of the server's route. Raises Failure for one that is not in the table."""
    kind = server.route_kind
    # lazy: emergency path. By statements, since Ansible packs what it finds imported; not in match, where ansible-core
    # 2.21 does not look.
    if kind == "httproute":
        from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httproute import KIND
    elif kind == "service":
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
        raise Failure(f"route_kind is {kind!r}: it must be one of {', '.join(ROUTE_KINDS)}.")
    return KIND
