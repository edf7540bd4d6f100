# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of all kinds of route: where its object is, its weights, how they change, and whether that is in force."""

from __future__ import annotations

import copy
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers, paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

Route = dict[str, t.Any]
Operation = dict[str, t.Any]  # of a JSON patch

STABLE = "mcp.server/stable"  # the pool to roll back to, see pools.note()
RUN = "mcp.server/run"  # the run that wrote the weights last
IS_RUN = re.compile(r"[A-Za-z0-9._:-]{1,100}")
NOTES = "/metadata/annotations"


class Stamp(t.NamedTuple):
    """The annotations that are written on the route together with weights."""

    stable: str | None  # the note of the stable pool, None to remove it
    run: str = ""  # the id of the run that writes, empty when there is none
    alone: bool = False  # whether a missing note is written even when the weights are right already


class Rule(t.NamedTuple):
    """A rule of a Role."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()  # resourceNames; empty where Kubernetes can't narrow the rule to names


class Kind:
    """One kind of route. Apart from read() and write() its methods are pure functions of what read() returned."""

    title: str  # what people call the object
    group: str
    version: str
    resource: str
    per_connection = False  # whether the share is one of connections: one that is kept alive stays on its pool
    pod_label = ""  # a label that is put on pods, so that a Deployment's template must not have it

    def path(self, server: Server) -> str:
        """Return the API path of the route's object."""
        api_version = f"{self.group}/{self.version}" if self.group else self.version
        return paths.resource(api_version, server.namespace, self.resource, server.route)

    def name(self, server: Server) -> str:
        """Return what messages call the route."""
        return f"{self.title} {server.namespace}/{server.route}"

    def rules(self, server: Server) -> tuple[Rule, ...]:
        """Return what the Role must grant for this kind, beside what every release needs."""
        return (Rule(self.group, self.resource, ("get", "patch"), (server.route,)),)

    def read(self, cluster: Api, server: Server) -> Route:
        """Return the route as the API server has it. Raises NotFound, Forbidden, Unreachable and Failure."""
        return cluster.get(self.path(server))

    def weights(self, route: Route, server: Server) -> Weights:
        """Return the percentage of each pool: 0 or 100 only when that is exact, 0 and 0 when there is no weight at all.

        Raises Failure when the route does not lead to both pools.
        """
        raise NotImplementedError

    def reachable(self, route: Route, server: Server, wanted: Weights, *, planning: bool = False) -> Weights:
        """Return the weights to set for the wanted ones; with route_nearest these may differ. Raises Failure for none.

        planning: the idle pool is not deployed yet.
        """
        return wanted

    def part(self, route: Route, server: Server, wanted: Weights | None = None) -> float:
        """Return the part (0 to 1) of the route's traffic that both pools get together; the mean where rules differ.

        wanted: the part once these weights are written.
        """
        return 1.0

    def notes(self, route: Route, server: Server) -> list[str]:
        """Return what else to know about the route, such as rules that no shift changes: a clause for each."""
        return []

    def has_affinity(self, route: Route, server: Server) -> bool:
        """Return whether it keeps marked sessions of both pools on their pool (docs/sessions.md)."""
        return False

    def without_affinity(self) -> Kind:
        """Return this kind as it writes without affinity: marked sessions follow the weights as all others."""
        return self

    def written(self, route: Route) -> Route:
        """Return the object that carries the weights and their annotations."""
        return route

    def run(self, route: Route) -> str:
        """Return the id of the run that wrote the weights last, empty when that is not known."""
        run = _notes(self.written(route)).get(RUN) or ""
        return run if IS_RUN.fullmatch(run) else ""

    def stable(self, route: Route, server: Server) -> pools.Stable | None:
        """Return the noted pool to roll back to; None when another client has shifted the traffic since."""
        found = self.noted(route)
        return found[0] if found and self.is_as_written(route, server, found[1]) else None

    def noted(self, route: Route) -> tuple[pools.Stable, Weights] | None:
        """Return the noted pool to roll back to and the weights written with the note, whoever wrote others since."""
        return pools.noted(_notes(self.written(route)).get(STABLE))

    def is_as_written(self, route: Route, server: Server, weights: Weights) -> bool:
        """Return whether the route still is as it was when these weights were written."""
        return self.weights(route, server) == weights

    def field(self, route: Route, server: Server) -> str:
        """Return the JSON pointer of a field of written() that carries weights, to find out who wrote it."""
        return "/spec"

    def writes(
        self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None
    ) -> list[tuple[str, list[Operation]]]:
        """Return paths with the JSON patches that set the weights, in this order; empty when the weights are right.

        stamp: goes into the patch of the object that carries the weights.
        """
        raise NotImplementedError

    def write(
        self, cluster: Api, server: Server, route: Route, wanted: Weights, stamp: Stamp | None = None, *, dry_run: bool
    ) -> tuple[bool, Route]:
        """Write the weights; return whether anything was changed, and the route as it is then.

        Raises Conflict, NotFound, Forbidden, Unreachable and Failure.
        """
        writes = self.writes(route, server, wanted, stamp)
        answers = [cluster.patch(path, operations, "json", dry_run=dry_run) for path, operations in writes]
        return bool(writes), self.after(cluster, server, route, answers, dry_run=dry_run)

    def after(self, cluster: Api, server: Server, route: Route, answers: list[Route], *, dry_run: bool) -> Route:
        """Return the route once it is written, from the API server's answers to the patches."""
        return answers[-1] if answers else route

    def refused(self, route: Route, server: Server) -> str:
        """Return why a controller refuses the present route; empty when none does, or the kind has no status."""
        return ""

    def not_accepted(self, route: Route, server: Server) -> str:
        """Return why the present generation is not in force; empty when it is, or the kind has no status for it."""
        return ""


class Reference(t.NamedTuple):
    """A weight of one pool."""

    place: str  # its JSON pointer, empty when it is what the other pool's leaves of the total
    weight: int
    text: bool = False  # whether it is written as a string


Split = dict[str, Reference]  # by pool


class Backends(t.NamedTuple):
    """What one rule has of the pools and of other backends."""

    name: str  # what messages call the rule
    references: t.Sequence[tuple[str | None, Reference]]  # each with its pool, None for a backend of no pool
    only: str = ""  # what requests must have to match, such as a header; empty where all clients' requests may match
    mirrors: t.Sequence[tuple[str, str]] = ()  # pools that get copies of requests, each with the part that is copied
    mark: str | None = None  # the pool whose marked sessions it is for

    def split(self) -> Split:
        return {pool: reference for pool, reference in self.references if pool is not None}

    def lists_both(self) -> bool:
        return len(self.split()) == len(POOLS)

    def total(self, *, of_pools: bool) -> int:
        """Return the sum of the weights of the pools, or of the other backends."""
        return sum(reference.weight for pool, reference in self.references if (pool is not None) is of_pools)


class Weighted(Kind):
    """A kind whose objects carry a weight for each pool."""

    rule = "rule"  # for messages: what lists the pools, empty when there can be only one
    backends = ""  # for messages: where a user adds the pools' Services
    entry = ""  # for messages: what lists one pool; empty where the route can't set a header on a backend's answers

    def lists(self, route: Route, server: Server) -> list[Backends]:
        """Return the backends of each rule."""
        return []

    def header(self, holder: dict[str, t.Any], name: str) -> str | None:
        """Return what a rule, or the entry of a backend, sets this header to on answers; None when it does not."""
        return None

    def set_header(self, holder: dict[str, t.Any], name: str, value: str) -> None:
        """Make the entry of a backend set this header on its answers."""
        raise NotImplementedError

    def splits(self, route: Route, server: Server) -> list[Split]:
        """Return the places that list both pools. Others (rules for marked sessions, other paths) are left alone.

        Raises Failure when there is none, or when one lists a pool twice.
        """
        every = self.lists(route, server)
        found = shifted(every)
        if not found:
            raise Failure(self._lacking(every, server))
        return [self.split(one, server) for one in found]

    def split(self, one: Backends, server: Server) -> Split:
        """Return the weights that a rule has of both pools. Raises Failure when it lists one twice."""
        listed = [pool for pool, _reference in one.references]
        if twice := next((pool for pool in POOLS if listed.count(pool) > 1), None):
            raise Failure(
                f"{self.name(server)} lists Service {server.service(twice)} twice in {one.name}. List it once."
            )
        return one.split()

    def part(self, route: Route, server: Server, wanted: Weights | None = None) -> float:
        if not (found := shifted(self.lists(route, server))):
            return 1.0
        if wanted is not None:
            found = shifted(self.lists(applied(route, self.patch(route, server, wanted)), server))
        sums = [(one.total(of_pools=True), one.total(of_pools=False)) for one in found]
        parts = [pools_sum / (pools_sum + others) for pools_sum, others in sums if pools_sum + others]
        return sum(parts) / len(parts) if parts else 1.0

    def notes(self, route: Route, server: Server) -> list[str]:
        every = self.lists(route, server)
        found = shifted(every)
        return [note for one in every for note in _notes_of(one, shifted=one in found)]

    def _lacking(self, every: list[Backends], server: Server) -> str:
        seen = {pool for one in every for pool in one.split()}
        missing = [server.service(pool) for pool in POOLS if pool not in seen] or [
            server.service(pool) for pool in POOLS
        ]
        where = "beside the other pool's Service" if len(missing) == 1 else "together"
        lacks = f"has no {self.rule} that lists" if self.rule else "does not list"
        return (
            f"{self.name(server)} {lacks} both pools of {server}: "
            f"add Service {' and Service '.join(missing)} {where} to {self.backends}, the idle pool's with weight 0."
        )

    def total(self, route: Route, server: Server) -> int:
        """Return the sum of the weights in each split."""
        return 100

    def weights(self, route: Route, server: Server) -> Weights:
        """Return the percentages; their mean where rules differ."""
        splits = [(split["blue"].weight, split["green"].weight) for split in self.splits(route, server)]
        parts = [100 * blue / (blue + green) for blue, green in splits if blue + green]
        return percent(sum(parts), sum(100 - part for part in parts))

    def field(self, route: Route, server: Server) -> str:
        try:
            places = [reference.place for split in self.splits(route, server) for reference in split.values()]
        except Failure:  # it no longer lists both pools
            places = []
        return next(filter(None, places), super().field(route, server))

    def reachable(self, route: Route, server: Server, wanted: Weights, *, planning: bool = False) -> Weights:
        total = self.total(route, server)
        if not wanted["blue"] * total % 100:
            return wanted
        if not server.route_nearest:
            raise Failure(
                f"{self.name(server)} can't give green {wanted['green']} %: its weights are parts of {total}. "
                "Set a weight that is a whole number of these, or set route_nearest."
            )
        blue = min(max(1, round(wanted["blue"] * total / 100)), total - 1)
        return percent(blue, total - blue)

    def planned(self, route: Route, server: Server, wanted: Weights) -> list[tuple[Split, Weights]]:
        """Return every place to write, with its weights."""
        return [(split, wanted) for split in self.splits(route, server)]

    def patch(self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None) -> list[Operation]:
        """Return a JSON patch of the object that carries the weights; empty when every place is as wanted already."""
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


def shifted(every: t.Iterable[Backends]) -> list[Backends]:
    """Return the rules whose weights a shift sets: those that list both pools.

    A rule for some requests only, such as those of testers, is left alone, unless there are no others.
    """
    found = [one for one in every if one.mark is None and one.lists_both()]
    return [one for one in found if not one.only] or found


def header_in(entries: t.Iterable[t.Any], name: str) -> str | None:
    """Return the value of a header in a list of names and values; all of them, where it is there more than once."""
    found = [str(one.get("value")) for one in entries if isinstance(one, dict) and is_header(one.get("name"), name)]
    return ", ".join(found) if found else None


def is_header(key: t.Any, name: str) -> bool:
    return str(key).lower() == name.lower()


# Headers that clients send of their own accord, so that a rule that matches them is for a kind of request of everybody.
ALL_CLIENTS = re.compile(r":.*|accept|content-type|last-event-id|mcp-.*")


def some_only(headers: t.Iterable[str], *others: str) -> str:
    """Return what a match requires that only some clients' requests have; empty for nothing.

    headers: the names that it matches. others: all else that it requires of a client, such as a query parameter.
    """
    names = [f"header {printable(name, 60)}" for name in headers if not ALL_CLIENTS.fullmatch(name.lower())]
    return " and ".join([*names, *(printable(other, 60) for other in others)])


def any_of(matches: t.Sequence[str]) -> str:
    """Return what one of these matches requires, see some_only(); empty where one of them requires nothing."""
    return " or ".join(dict.fromkeys(matches)) if matches and all(matches) else ""


def _notes_of(one: Backends, *, shifted: bool) -> t.Iterator[str]:
    """Yield what to know about a rule. shifted: whether a shift sets its weights."""
    pools_sum, others = one.total(of_pools=True), one.total(of_pools=False)
    if shifted and one.only:
        yield f"{one.name} takes only requests with {one.only}, and no rule for all others lists both pools"
    elif not shifted and one.mark is None and one.split():
        weights = percent(*(sum(found.weight for its, found in one.references if its == pool) for pool in POOLS))
        leads = " and ".join(f"{pool} at {weights[pool]} %" for pool in one.split())
        yield f"{one.name}{f' (requests with {one.only})' if one.only else ''} leads to {leads} and is left alone"
    if shifted and others:
        yield f"{one.name} gives {percent_text(100 * others / (pools_sum + others))} % of its traffic to other backends"
    for pool, part in one.mirrors:
        yield f"{one.name} sends copies of {part} to {pool}, which count in that pool's metrics"


def copied(percent: float) -> str:
    """Return the part of a rule's requests that a mirror gets."""
    return "all its requests" if percent >= 100 else f"{percent_text(percent)} % of its requests"


def is_current(route: Route, condition: dict[str, t.Any]) -> bool:
    """Return whether a condition was reported, and not for an earlier generation.

    Some controllers leave the generation out, or take it from another object: what they report counts, and the measured
    share decides.
    """
    observed = condition.get("observedGeneration") or 0
    return bool(condition) and (not observed or observed >= route["metadata"].get("generation", 0))


def why(condition: dict[str, t.Any]) -> str:
    """Return the reason and message of a condition, which others wrote."""
    said = [printable(str(condition[key]), 300) for key in ("reason", "message") if condition.get(key)]
    return ": ".join(said) or "no reason given"


def of_all(weights: Weights, part: float) -> dict[str, float]:
    """Return the percentages of all the route's traffic. part: what both pools get of it, see Kind.part()."""
    return {pool: round(weight * part, 2) for pool, weight in weights.items()}


def percent_text(value: float) -> str:
    """Return a percentage as text."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def applied(obj: Route, operations: t.Iterable[Operation]) -> Route:
    """Return the object as a JSON patch of its weights leaves it."""
    obj = copy.deepcopy(obj)
    for operation in operations:
        if operation["op"] == "add":
            parent, _slash, last = operation["path"].rpartition("/")
            at(obj, parent)[last.replace("~1", "/").replace("~0", "~")] = operation["value"]
    return obj


def stamped(obj: Route, changes: list[Operation], stamp: Stamp | None) -> list[Operation]:
    """Return a JSON patch of the object as it was read: the changes and the stamp; empty for nothing to write."""
    missing = stamp is not None and stamp.alone and _notes(obj).get(STABLE) != stamp.stable
    if not changes and not missing:
        return []
    return [
        *unchanged(obj, changes),
        *changes,
        *(_noting(obj, stamp, [change["path"] for change in changes]) if stamp else []),
    ]


def unchanged(obj: Route, changes: list[Operation]) -> list[Operation]:
    """Return the tests of a JSON patch that make it a conflict when the object was changed since it was read.

    A write of the status changes resourceVersion and not generation, and so do annotations. Therefore the generation is
    compared, the annotation of the run that wrote last, and, for kinds with weights in annotations, what is at the
    changed places. To an API server a missing key equals null.
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
    # Only an id: text that JSON can write in more than one way may not compare equal.
    elif IS_RUN.fullmatch(metadata["annotations"].get(RUN) or "-"):
        compared[place_of(RUN)] = metadata["annotations"].get(RUN)
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
    """Return the pool whose Service has this name, if one has."""
    return next((pool for pool in POOLS if name == server.service(pool)), None)


def weight_of(backend: dict[str, t.Any], default: int) -> int:
    weight = backend.get("weight")
    return default if weight is None else weight


def percent(blue: float, green: float) -> Weights:
    """Return the percentages of two weights: 0 or 100 only when that is exact, 0 and 0 when both weights are 0."""
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
