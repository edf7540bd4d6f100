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
    of connections, so that a connection that is kept stays where it is. pod_label:
    a label of pods that is ours, so that a Deployment's template must not have it.
    """

    title: str
    group: str
    version: str
    resource: str
    per_connection = False
    pod_label = ""

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

    def note(self, route: Route, server: Server) -> str:
        """What else a user should know about it before a release: the end of a sentence."""
        return ""

    def marked(self, route: Route, server: Server) -> bool:
        """Whether it keeps a session whose id begins with a pool's name on that pool, for both pools (docs/sessions.md)."""
        return False

    def unpinned(self) -> Kind:
        """This kind as it writes when marked sessions go where the weights lead, as everybody else."""
        return self

    def writes(self, route: Route, server: Server, wanted: Weights) -> list[tuple[str, list[Operation]]]:
        """What to patch, in this order: paths with JSON patches that set the weights and no other field; none when they are so already."""
        raise NotImplementedError

    def write(self, cluster: t.Any, server: Server, route: Route, wanted: Weights, *, dry_run: bool) -> tuple[bool, Route]:
        """Whether anything was to be changed, and the route as it is then. Raises Conflict, NotFound, Forbidden, Unreachable, Failure."""
        writes = self.writes(route, server, wanted)
        answers = [cluster.patch(path, operations, "json", dry_run=dry_run) for path, operations in writes]
        return bool(writes), self.after(cluster, server, route, answers, dry_run=dry_run)

    def after(self, cluster: t.Any, server: Server, route: Route, answers: list[Route], *, dry_run: bool) -> Route:
        """The route once it is written, out of the API server's answers."""
        return answers[-1] if answers else route

    def refused(self, route: Route, server: Server) -> str:
        """Why a controller will not have the route as it is now; empty when none said so, or the kind has no status."""
        return ""

    def not_accepted(self, route: Route, server: Server) -> str:
        """Why the route is not in force at its present generation; empty when it is, or the kind has no status that tells."""
        return ""


class Reference(t.NamedTuple):
    """A weight. place: its JSON pointer, empty when it is what the other one leaves. text: whether it is written as a string."""

    place: str
    weight: int
    text: bool = False


Split = dict[str, Reference]  # by pool
Lists: t.TypeAlias = "t.Iterable[tuple[str, t.Iterable[tuple[str | None, Reference]]]]"  # what a list of backends is called, its backends with their pools


class Weighted(Kind):
    """A kind whose objects carry a weight for each pool.

    For what is said about a route without them: rule is what lists the pools, empty when there can be only one;
    backends is where a user adds the pools' Services.
    """

    rule, backends = "rule", ""

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
        return percent(sum(parts), sum(100 - part for part in parts))

    def reachable(self, route: Route, server: Server, wanted: Weights, *, planning: bool = False) -> Weights:
        total = self.total(route, server)
        if not wanted["blue"] * total % 100:
            return wanted
        if not server.route_nearest:
            raise Failure(
                f"{self.name(server)} can't give green {wanted['green']} %: its weights are parts of {total}; "
                f"set a share that comes to a whole number of them, or set route_nearest."
            )
        blue = min(max(1, round(wanted["blue"] * total / 100)), total - 1)
        return percent(blue, total - blue)

    def planned(self, route: Route, server: Server, wanted: Weights) -> list[tuple[Split, Weights]]:
        """Every place that is ours, with what it gets."""
        return [(split, wanted) for split in self.splits(route, server)]

    def patch(self, route: Route, server: Server, wanted: Weights) -> list[Operation]:
        """A JSON patch for the object that carries the weights; empty when every place is as wanted already."""
        total = self.total(route, server)
        changes = [
            {"op": "add", "path": split[pool].place, "value": str(parts[pool]) if split[pool].text else parts[pool]}
            for split, parts in ((split, _parts(its, total)) for split, its in self.planned(route, server, wanted))
            if not _is_split(split["blue"].weight, split["green"].weight, parts)
            for pool in POOLS
            if split[pool].place
        ]
        return [unchanged(self.written(route)), *changes] if changes else []

    def writes(self, route: Route, server: Server, wanted: Weights) -> list[tuple[str, list[Operation]]]:
        operations = self.patch(route, server, wanted)
        return [(self.path(server), operations)] if operations else []

    def listed(self, server: Server, lists: Lists) -> list[Split]:
        """What each list has of the pools. Raises Failure when it has one twice."""
        every = []
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
            every.append(found)
        return every

    def shared(self, server: Server, lists: Lists) -> list[Split]:
        """The splits among lists of backends. Raises Failure when there is none."""
        every = self.listed(server, lists)
        shared, seen = both(every), {pool for found in every for pool in found}
        if not shared:
            missing = [server.service(pool) for pool in POOLS if pool not in seen] or [server.service(pool) for pool in POOLS]
            where = "beside the other pool's Service" if len(missing) == 1 else "together"
            lacks = f"has no {self.rule} that lists" if self.rule else "does not list"
            raise Failure(
                f"{self.name(server)} {lacks} both pools of {server}: add Service {' and Service '.join(missing)} {where} "
                f"to {self.backends}, the idle one with weight 0."
            )
        return shared


def both(found: t.Iterable[Split]) -> list[Split]:
    return [split for split in found if len(split) == len(POOLS)]


def unchanged(obj: Route) -> Operation:
    """Makes a change by somebody else a 409; after a failed test operation the API server answers 422, which says nothing."""
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]}


def pool_of(name: str | None, server: Server) -> str | None:
    """The pool whose Service has this name."""
    return next((pool for pool in POOLS if name == server.service(pool)), None)


def percent(blue: float, green: float) -> Weights:
    """A pool has 0 or 100 only when that is exact; no weight at all is 0 and 0."""
    if not blue + green:
        return dict.fromkeys(POOLS, 0)
    exact = 100 * blue / (blue + green)
    share = int(exact) if exact in (0, 100) else min(99, max(1, round(exact)))
    return {"blue": share, "green": 100 - share}


def _parts(wanted: Weights, total: int) -> Weights:
    blue = round(wanted["blue"] * total / 100)
    return {"blue": blue, "green": total - blue}


def _is_split(blue: int, green: int, wanted: Weights) -> bool:
    return blue + green > 0 and blue * wanted["green"] == green * wanted["blue"]
