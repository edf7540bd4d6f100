# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The weight in the annotations of an ingress-nginx canary.

The Ingress C(route) leads to one pool, C(route)-canary beside it to the other. ingress-nginx reports no status for the
weight.
"""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Kind,
    Operation,
    Reference,
    Route,
    Rule,
    Split,
    Stamp,
    Weighted,
    place_of,
    pool_of,
)

CANARY = "nginx.ingress.kubernetes.io/canary"
BY_HEADER, BY_COOKIE = f"{CANARY}-by-header", f"{CANARY}-by-cookie"
MIRROR = "nginx.ingress.kubernetes.io/mirror-target"
WEIGHT, TOTAL = f"{CANARY}-weight", f"{CANARY}-weight-total"


class IngressNginx(Weighted):
    """A route that was read is C(main) and C(canary), an Ingress each; only the latter is written."""

    title, group, version, resource = "Ingress", "networking.k8s.io", "v1", "ingresses"

    def read(self, cluster: Api, server: Server) -> Route:
        main = cluster.get(self.path(server))
        try:
            return {"main": main, "canary": cluster.get(self._canary_path(server))}
        except NotFound:
            raise Failure(
                f"{self.name(server)}-canary does not exist: create it beside {server.route}, "
                "with the same rules for the other pool's Service, "
                f"and the annotations {CANARY}: 'true' and {WEIGHT}: '0'."
            ) from None

    def rules(self, server: Server) -> tuple[Rule, ...]:
        canary = f"{server.route}-canary"
        return (
            Rule(self.group, self.resource, ("get",), (server.route, canary)),
            Rule(self.group, self.resource, ("patch",), (canary,)),
        )

    def splits(self, route: Route, server: Server) -> list[Split]:
        main, canary = self._pool(route["main"], server), self._pool(route["canary"], server)
        if main == canary:
            raise Failure(
                f"{self.name(server)} and {server.route}-canary both lead to Service {server.service(main)}: "
                f"let the canary lead to Service {server.service(other(main))}."
            )
        annotations = _annotations(route["canary"])
        if annotations.get(CANARY) != "true":
            raise Failure(f"{self.name(server)}-canary is not a canary: add the annotation {CANARY}: 'true'.")
        weight, total = self._number(annotations, WEIGHT, 0, server), self.total(route, server)
        return [{canary: Reference(place_of(WEIGHT), weight, text=True), main: Reference("", max(0, total - weight))}]

    def total(self, route: Route, server: Server) -> int:
        return self._number(_annotations(route["canary"]), TOTAL, 100, server)

    def notes(self, route: Route, server: Server) -> list[str]:
        """Return what of the annotations goes beside or before the weight."""
        canary = self._pool(route["canary"], server)
        found = []
        for name, where in (("header", BY_HEADER), ("cookie", BY_COOKIE)):
            if value := _annotations(route["canary"]).get(where):
                client = f"{name} {printable(value, 60)}"
                found.append(f"requests with {client} go to {canary} or away from it whatever its weight")
        for its in ("main", "canary"):
            if target := _annotations(route[its]).get(MIRROR):
                found.append(f"the {its} Ingress sends copies of all its requests to {printable(target, 200)}")
        return found

    def written(self, route: Route) -> Route:
        canary: Route = route["canary"]
        return canary

    def writes(
        self, route: Route, server: Server, wanted: dict[str, int], stamp: Stamp | None = None
    ) -> list[tuple[str, list[Operation]]]:
        return [
            (self._canary_path(server), operations)
            for _path, operations in super().writes(route, server, wanted, stamp)
        ]

    def after(self, cluster: Api, server: Server, route: Route, answers: list[Route], *, dry_run: bool) -> Route:
        return {**route, "canary": answers[-1]} if answers else route

    def _canary_path(self, server: Server) -> str:
        return f"{self.path(server)}-canary"

    def _number(self, annotations: dict[str, str], key: str, default: int, server: Server) -> int:
        value = annotations.get(key) or str(default)
        if not (value.isascii() and value.isdigit()):
            raise Failure(
                f"{self.name(server)}-canary has the annotation {key}: {value!r}, which is not a whole number. "
                "Correct it."
            )
        return int(value)

    def _pool(self, ingress: Route, server: Server) -> str:
        """Return the only pool that this Ingress leads to. Raises Failure when there is not exactly one."""
        spec = mapping(ingress, "spec")
        backends = [
            path.get("backend")
            for rule in spec.get("rules") or []
            for path in (rule.get("http") or {}).get("paths") or []
        ]
        backends += [spec["defaultBackend"]] if spec.get("defaultBackend") else []
        found = {pool_of(((backend or {}).get("service") or {}).get("name"), server) for backend in backends}
        pools = [pool for pool in POOLS if pool in found]
        if len(pools) != 1:
            name = f"{self.title} {server.namespace}/{ingress['metadata']['name']}"
            services = f"Services {server.service('blue')} and {server.service('green')}"
            raise Failure(
                f"{name} leads to {'both pools' if pools else 'no pool'} of {server}: "
                f"let it lead to one of the {services}, and its canary or main Ingress to the other."
            )
        return pools[0]


KIND: Kind = IngressNginx()


def _annotations(ingress: Route) -> dict[str, str]:
    return ingress["metadata"].get("annotations") or {}
