# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kind of route must tell: where it is, its weights, how they are changed, and whether the change is in force."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster.server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

Route = dict[str, t.Any]
Operation = dict[str, t.Any]  # of a JSON patch


class Rule(t.NamedTuple):
    """A rule of a Role."""

    group: str
    resource: str
    verbs: tuple[str, ...]


class Kind:
    """One kind of route. Apart from read and write its methods are pure functions on what read gave.

    title: what people call the object. per_connection: whether the share is one
    of connections, so that a connection that is kept stays where it is.
    """

    title: str
    group: str
    version: str
    resource: str
    per_connection = False

    def path(self, server: Server) -> str:
        start = f"/apis/{self.group}" if self.group else "/api"
        return f"{start}/{self.version}/namespaces/{server.namespace}/{self.resource}/{server.route}"

    def name(self, server: Server) -> str:
        return f"{self.title} {server.namespace}/{server.route}"

    def rules(self, server: Server) -> tuple[Rule, ...]:
        """What the Role must grant for this kind, beside what every release needs."""
        return (Rule(self.group, self.resource, ("get", "patch")),)

    def read(self, cluster: t.Any, server: Server) -> Route:
        """Raises NotFound, Forbidden, Unreachable, Failure."""
        return cluster.get(self.path(server))

    def weights(self, route: Route, server: Server) -> Weights:
        """Percent of each pool; a pool has 0 or 100 only when that is exact. No weight at all: 0 and 0.

        Raises Failure when the route does not lead to both pools.
        """
        raise NotImplementedError

    def reachable(self, route: Route, server: Server, wanted: Weights, *, planning: bool = False) -> Weights:
        """The weights to set for the wanted ones; with route_nearest it may be others. Raises Failure when there are none.

        planning: the idle pool is not deployed yet.
        """
        return wanted

    def patch(self, route: Route, server: Server, wanted: Weights) -> list[Operation]:
        """A JSON patch that sets the pools' weights and no other field; empty when the route has that split already."""
        raise NotImplementedError

    def writes(self, route: Route, server: Server, wanted: Weights) -> list[tuple[str, list[Operation]]]:
        """What to patch, in this order: paths with their JSON patches."""
        operations = self.patch(route, server, wanted)
        return [(self.path(server), operations)] if operations else []

    def write(self, cluster: t.Any, server: Server, route: Route, wanted: Weights, *, dry_run: bool) -> tuple[bool, Route]:
        """Whether anything was to be changed, and the route as it is then. Raises Conflict, NotFound, Forbidden, Unreachable, Failure."""
        writes = self.writes(route, server, wanted)
        answers = [cluster.patch(path, operations, "json", dry_run=dry_run) for path, operations in writes]
        return bool(writes), self.after(cluster, server, route, answers, dry_run=dry_run)

    def after(self, cluster: t.Any, server: Server, route: Route, answers: list[Route], *, dry_run: bool) -> Route:
        """The route once it is written, out of the API server's answers."""
        return answers[-1] if answers else route

    def refused(self, route: Route) -> str:
        """Why a controller will not have the route as it is now; empty when none said so, or the kind has no status."""
        return ""

    def not_accepted(self, route: Route) -> str:
        """Why the route is not in force at its present generation; empty when it is, or the kind has no status that tells."""
        return ""


class Reference(t.NamedTuple):
    """A weight. place: its JSON pointer, empty when it is what the other one leaves. text: whether it is written as a string."""

    place: str
    weight: int
    text: bool = False


Split = dict[str, Reference]  # by pool


class Weighted(Kind):
    """A kind whose objects carry a weight for each pool, maybe at several places (rules).

    backends: where a user adds the pools' Services, for what is said about a route without them.
    """

    backends: str

    def splits(self, route: Route, server: Server) -> list[Split]:
        """The places that have both pools. Others (a session pinned to one pool, another path) are not ours.

        Raises Failure when there is none.
        """
        raise NotImplementedError

    def total(self, route: Route, server: Server) -> int:
        """What the weights that are written come to together."""
        return 100

    def written(self, route: Route) -> Route:
        """The object that carries the weights."""
        return route

    def weights(self, route: Route, server: Server) -> Weights:
        """The mean where rules differ."""
        splits = [(split["blue"].weight, split["green"].weight) for split in self.splits(route, server)]
        parts = [100 * blue / (blue + green) for blue, green in splits if blue + green]
        if not parts:
            return dict.fromkeys(POOLS, 0)
        exact = sum(parts) / len(parts)
        blue = int(exact) if exact in (0, 100) else min(99, max(1, round(exact)))
        return {"blue": blue, "green": 100 - blue}

    def patch(self, route: Route, server: Server, wanted: Weights) -> list[Operation]:
        total = self.total(route, server)
        changes = [
            {"op": "add", "path": split[pool].place, "value": _value(wanted[pool] * total // 100, split[pool].text)}
            for split in self.splits(route, server)
            if not _is_split(split["blue"].weight, split["green"].weight, wanted)
            for pool in POOLS
            if split[pool].place
        ]
        return [unchanged(self.written(route)), *changes] if changes else []

    def shared(self, server: Server, lists: t.Iterable[tuple[str, t.Iterable[tuple[str | None, Reference]]]]) -> list[Split]:
        """The splits among lists of backends: (what the list is called, its backends with their pools)."""
        shared, seen = [], set()
        for called, backends in lists:
            found: Split = {}
            for pool, reference in backends:
                if pool is None:
                    continue
                if pool in found:
                    raise Failure(
                        f"{self.name(server)} lists Service {server.service(pool)} twice in {called}: list it once, so that its weight has one place."
                    )
                found[pool] = reference
            seen |= found.keys()
            if len(found) == len(POOLS):
                shared.append(found)
        if not shared:
            missing = [server.service(pool) for pool in POOLS if pool not in seen] or [server.service(pool) for pool in POOLS]
            where = "beside the other pool's Service" if len(missing) == 1 else "together"
            raise Failure(
                f"{self.name(server)} has no rule that lists both pools of {server}: add Service {' and Service '.join(missing)} {where} "
                f"to {self.backends}, the idle one with weight 0."
            )
        return shared


def unchanged(obj: Route) -> Operation:
    """Makes a change by somebody else a 409; after a failed test operation the API server answers 422, which says nothing."""
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]}


def pool_of(name: str | None, server: Server) -> str | None:
    """The pool whose Service has this name."""
    return next((pool for pool in POOLS if name == server.service(pool)), None)


def _value(weight: int, text: bool) -> int | str:
    return str(weight) if text else weight


def _is_split(blue: int, green: int, wanted: Weights) -> bool:
    return blue + green > 0 and blue * wanted["green"] == green * wanted["blue"]
