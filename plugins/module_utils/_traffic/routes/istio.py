# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on the HTTP rules of an Istio VirtualService; its tcp and tls rules are left alone.

Its status is not read: Istio's webhook refuses a wrong object when it is written.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Kind,
    Reference,
    Route,
    Split,
    Weighted,
    weight_of,
)


class VirtualService(Weighted):
    title, group, version, resource = "VirtualService", "networking.istio.io", "v1", "virtualservices"
    backends = "the route of an http rule"

    def splits(self, route: Route, server: Server) -> list[Split]:
        return self.shared(
            server,
            (
                (
                    f"http rule {number}",
                    (
                        (
                            _pool(backend, server),
                            Reference(f"/spec/http/{number}/route/{position}/weight", weight_of(backend, 0)),
                        )
                        for position, backend in enumerate(rule.get("route") or [])
                    ),
                )
                for number, rule in enumerate(mapping(route, "spec").get("http") or [])
            ),
        )


KIND: Kind = VirtualService()


def _pool(backend: dict[str, t.Any], server: Server) -> str | None:
    """Return the backend's pool. Its host is a Service's name, alone or with its namespace, as in DNS."""
    name, _dot, rest = backend["destination"]["host"].partition(".")
    namespace, _dot, domain = rest.partition(".")
    if namespace not in ("", server.namespace) or (domain and not f"{domain}.".startswith("svc.")):
        return None
    return next((pool for pool in POOLS if name == server.service(pool)), None)
