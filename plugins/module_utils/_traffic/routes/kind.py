# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kind of route must tell: where it is, its weights, how they are changed, and whether the change is in force."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

Route = dict[str, t.Any]
Operation = dict[str, t.Any]  # of a JSON patch

STABLE = "mcp.server/stable"  # the pool to return to, see plan.note
RUN = "mcp.server/run"  # the run that wrote the weights last
IS_RUN = re.compile(r"[A-Za-z0-9._:-]{1,100}")
NOTES = "/metadata/annotations"


class Stamp(t.NamedTuple):
    """What is written on the route together with weights, as annotations.

    stable: the note of the stable pool, None to remove what is there. run: the id of the run, empty when there is none.
    alone: whether a stable pool that is not noted yet is written also where the weights are right already.
    """

    stable: str | None
    run: str = ""
    alone: bool = False


class Rule(t.NamedTuple):
    """A rule of a Role. names: of the objects that it is narrowed to (resourceNames); none where Kubernetes can't narrow it."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()


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
        return (Rule(self.group, self.resource, ("get", "patch"), (server.route,)),)

    def read(self, cluster: Api, server: Server) -> Route:
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

    def has_affinity(self, route: Route, server: Server) -> bool:
        """Whether it keeps a session whose id begins with a pool's name on that pool, for both pools (docs/sessions.md)."""
        return False

    def without_affinity(self) -> Kind:
        """This kind as it writes when marked sessions go where the weights lead, as everybody else."""
        return self

    def written(self, route: Route) -> Route:
        """The object that carries the weights, and what is noted of them."""
        return route

    def run(self, route: Route) -> str:
        """Return the id of the run that wrote the weights last, empty when that is not known."""
        run = _notes(self.written(route)).get(RUN) or ""
        return run if IS_RUN.fullmatch(run) else ""

    def stable(self, route: Route, server: Server) -> pools.Stable | None:
        """Return the pool to return to as it was noted; None when the traffic was moved by somebody else since."""
        found = self.noted(route)
        return found[0] if found and self.is_as_written(route, server, found[1]) else None

    def noted(self, route: Route) -> tuple[pools.Stable, Weights] | None:
        """Return the pool to return to with the weights that were written, whoever wrote others since."""
        return pools.noted(_notes(self.written(route)).get(STABLE))

    def is_as_written(self, route: Route, server: Server, weights: Weights) -> bool:
        """Return whether the route still is as it was when these weights were written."""
        return self.weights(route, server) == weights

    def field(self, route: Route, server: Server) -> str:
        """Return the JSON pointer of a field of written() that carries the weights, to tell who wrote it."""
        return "/spec"

    def writes(
        self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None
    ) -> list[tuple[str, list[Operation]]]:
        """What to patch, in this order: paths with JSON patches that set the weights and no other field; none when they are so already.

        stamp: goes into the patch of the object that carries the weights.
        """
        raise NotImplementedError

    def write(
        self, cluster: Api, server: Server, route: Route, wanted: Weights, stamp: Stamp | None = None, *, dry_run: bool
    ) -> tuple[bool, Route]:
        """Whether anything was to be changed, and the route as it is then. Raises Conflict, NotFound, Forbidden, Unreachable, Failure."""
        writes = self.writes(route, server, wanted, stamp)
        answers = [cluster.patch(path, operations, "json", dry_run=dry_run) for path, operations in writes]
        return bool(writes), self.after(cluster, server, route, answers, dry_run=dry_run)

    def after(self, cluster: Api, server: Server, route: Route, answers: list[Route], *, dry_run: bool) -> Route:
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

    def weights(self, route: Route, server: Server) -> Weights:
        """The mean where rules differ."""
        splits = [(split["blue"].weight, split["green"].weight) for split in self.splits(route, server)]
        parts = [100 * blue / (blue + green) for blue, green in splits if blue + green]
        return percent(sum(parts), sum(100 - part for part in parts))

    def field(self, route: Route, server: Server) -> str:
        try:
            places = [reference.place for split in self.splits(route, server) for reference in split.values()]
        except Failure:  # it leads elsewhere now
            places = []
        return next(filter(None, places), super().field(route, server))

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

    def patch(self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None) -> list[Operation]:
        """A JSON patch for the object that carries the weights; empty when every place is as wanted already."""
        total = self.total(route, server)
        changes = [
            {"op": "add", "path": split[pool].place, "value": str(parts[pool]) if split[pool].text else parts[pool]}
            for split, parts in ((split, _parts(its, total)) for split, its in self.planned(route, server, wanted))
            if not _is_split(split["blue"].weight, split["green"].weight, parts)
            for pool in POOLS
            if split[pool].place
        ]
        return stamped(self.written(route), changes, stamp)

    def writes(
        self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None
    ) -> list[tuple[str, list[Operation]]]:
        operations = self.patch(route, server, wanted, stamp)
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
            missing = [server.service(pool) for pool in POOLS if pool not in seen] or [
                server.service(pool) for pool in POOLS
            ]
            where = "beside the other pool's Service" if len(missing) == 1 else "together"
            lacks = f"has no {self.rule} that lists" if self.rule else "does not list"
            raise Failure(
                f"{self.name(server)} {lacks} both pools of {server}: add Service {' and Service '.join(missing)} {where} "
                f"to {self.backends}, the idle one with weight 0."
            )
        return shared


def both(found: t.Iterable[Split]) -> list[Split]:
    return [split for split in found if len(split) == len(POOLS)]


def stamped(obj: Route, changes: list[Operation], stamp: Stamp | None) -> list[Operation]:
    """Return a JSON patch of the object, as it was read, with these changes and the stamp; empty when there is nothing to write."""
    missing = stamp is not None and stamp.alone and _notes(obj).get(STABLE) != stamp.stable
    if not changes and not missing:
        return []
    return [
        *unchanged(obj, changes),
        *changes,
        *(_noting(obj, stamp, [change["path"] for change in changes]) if stamp else []),
    ]


def unchanged(obj: Route, changes: list[Operation]) -> list[Operation]:
    """Have the API server refuse a patch when somebody else changed what it is about since it was read.

    A write of the status changes resourceVersion and not generation. Annotations change only the former: so the one that tells the
    last run is compared, and what is at the places that are changed, for kinds that have weights in annotations. To a real API
    server a key that is missing equals null.
    """
    metadata = obj["metadata"]
    if metadata.get("generation") is None:
        return [{"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}]
    compared = {
        "/metadata/generation": metadata["generation"],
        **{change["path"]: at(obj, change["path"]) for change in changes},
    }
    if metadata.get("annotations") is None:
        compared[NOTES] = None
    elif IS_RUN.fullmatch(
        run := metadata["annotations"].get(RUN, "-")
    ):  # what may be written in more than one way in JSON never is equal
        compared[place_of(RUN)] = run if RUN in metadata["annotations"] else None
    return [{"op": "test", "path": path, "value": value} for path, value in compared.items()]


def at(obj: t.Any, pointer: str) -> t.Any:
    """Return what is at a JSON pointer; None when its last step is missing."""
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in steps:
        obj = obj[int(step)] if isinstance(obj, list) else obj[step]
    return obj[int(last)] if isinstance(obj, list) else obj.get(last)


def place_of(note: str) -> str:
    """Return the JSON pointer of an annotation."""
    return f"{NOTES}/{note.replace('~', '~0').replace('/', '~1')}"


def _notes(obj: Route) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def _noting(obj: Route, stamp: Stamp, places: list[str]) -> list[Operation]:
    taken = field_managers.taken_from(obj, places)
    wanted = {
        name: value
        for name, value in ((STABLE, stamp.stable), (RUN, stamp.run), (field_managers.TAKEN, taken))
        if value
    }
    if obj["metadata"].get("annotations") is None:
        return [{"op": "add", "path": NOTES, "value": wanted}] if wanted else []
    old = [
        name
        for name, is_old in ((STABLE, not stamp.stable), (field_managers.TAKEN, taken == ""))
        if is_old and name in _notes(obj)
    ]
    added = [{"op": "add", "path": place_of(name), "value": value} for name, value in wanted.items()]
    return [*added, *({"op": "remove", "path": place_of(name)} for name in old)]


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
