# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route of a server that is adopted: the idle pool listed in it beside the live one, and the way back. Pure.

The route keeps what its rules were in an annotation, which is written in the same request. The way back puts that
there again, but for rules that somebody has changed since.
"""

from __future__ import annotations

import copy
import json
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.field_managers import TAKEN
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import kind as kinds
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Operation, Route, Weighted

BEFORE = "mcp.server/before-adoption"  # the annotation of the route
MAX_NOTE = 200_000  # characters; the API server takes 256 KiB of annotations
# Backends that may be taken for the pools' are in lists, but for the first one of an OpenShift Route.
TO, MORE = "/spec/to", "/spec/alternateBackends"


class Place(t.NamedTuple):
    """A list of backends that has the live pool's Service.

    pointer: its JSON pointer; TO for the backends of an OpenShift Route. weights: of each pool that it lists. others:
    the sum of the other weights.
    """

    rule: str
    pointer: str
    backends: list[Object]
    positions: dict[str, int]  # of the pools in the list
    weights: dict[str, int]
    others: int


class Change(t.NamedTuple):
    """What becomes of a list of backends."""

    place: Place
    after: list[Object]


class Plan(t.NamedTuple):
    """What becomes of a route. problems: why it can't be, a sentence for each."""

    changes: list[Change]
    problems: list[str]


def places(kind: Weighted, route: Route, server: Server) -> list[Place]:
    """Return the lists that have the Service of a pool. Raises Failure for one that has it twice."""
    found = []
    for one in kind.lists(route, server):
        listed = {pool: reference for pool, reference in one.references if pool is not None}
        if not listed:
            continue
        kind.split(one, server)
        pointer = _list_of(next(iter(listed.values())).place)
        every = {pool: _position(reference.place) for pool, reference in listed.items()}
        weights = {pool: reference.weight for pool, reference in listed.items()}
        found.append(Place(one.name, pointer, _read(route, pointer), every, weights, one.total(of_pools=False)))
    return found


def _list_of(weight: str) -> str:
    """Return the pointer of the list of backends, by that of the weight of one."""
    return TO if weight.startswith((f"{TO}/", f"{MORE}/")) else weight.rsplit("/", 2)[0]


def _position(weight: str) -> int:
    if weight.startswith(f"{TO}/"):
        return 0
    position = int(weight.rsplit("/", 2)[1])
    return position + 1 if weight.startswith(f"{MORE}/") else position


def _read(route: Route, pointer: str) -> list[Object]:
    if pointer == TO:
        return [mapping(route, "spec", "to"), *(mapping(route, "spec").get("alternateBackends") or [])]
    found: list[Object] = kinds.at(route, pointer)
    return found


def _written(pointer: str, backends: list[Object]) -> list[Operation]:
    if pointer != TO:
        return [{"op": "add", "path": pointer, "value": backends}]
    return [
        {"op": "add", "path": TO, "value": backends[0]},
        {"op": "add", "path": MORE, "value": backends[1:]},
    ]


def adopted(kind: Weighted, route: Route, server: Server) -> Plan:
    """Return what becomes of the route: both pools in each rule that has the live one, which keeps its traffic."""
    changes, problems = [], []
    every = places(kind, route, server)
    for place in every:
        if problem := _problem(kind, place, server):
            problems.append(problem)
            continue
        after = _with_both(kind, place, server)
        if after != place.backends:
            changes.append(Change(place, after))
    if not any("blue" in place.weights for place in every):
        problems.append(f"{kind.name(server)} does not lead to Service {server.service('blue')}.")
    return Plan(changes, problems)


def _problem(kind: Weighted, place: Place, server: Server) -> str:
    name, where = kind.name(server), f"{place.rule} of {kind.name(server)}"
    if "blue" not in place.weights:
        return f"{where} leads to Service {server.service('green')} alone: take it out of it."
    if "green" in place.weights:
        return ""
    if not place.weights["blue"]:
        return f"{where} gives Service {server.service('blue')} no traffic: its weight is 0."
    if place.others and place.weights["blue"] != 100:
        return (
            f"{where} gives Service {server.service('blue')} the weight {place.weights['blue']} beside other backends. "
            f"A release sets 100 for both pools together, which would change what the others get: bring the weights to "
            "a form in which it has 100."
        )
    if "subset" in mapping(place.backends[place.positions["blue"]], "destination"):
        return (
            f"{name} leads to a subset of Service {server.service('blue')}, which a DestinationRule defines by labels "
            "that the idle pool's pods may not have: lead to the Service itself."
        )
    return ""


def _with_both(kind: Weighted, place: Place, server: Server) -> list[Object]:
    """Return the backends with both pools: new ones get 100 and 0, and those that were there keep what they have."""
    backends = copy.deepcopy(place.backends)
    blue = place.positions["blue"]
    green = place.positions.get("green")
    if green is None:
        green = blue + 1
        backends[blue]["weight"] = 100
        backends.insert(green, _of_green(backends[blue], server))
    _header(kind, backends[blue], "blue", server)
    _header(kind, backends[green], "green", server)
    return backends


def _header(kind: Weighted, backend: Object, pool: str, server: Server) -> None:
    if kind.entry and server.pool_header and kind.header(backend, server.pool_header) != pool:
        kind.set_header(backend, server.pool_header, pool)


def _of_green(blue: Object, server: Server) -> Object:
    """Return the idle pool's backend: the live one's with another Service and without traffic."""
    green = {**copy.deepcopy(blue), "weight": 0}
    if "destination" in green:  # Istio's, whose host may have the namespace and the domain behind the name
        _name, dot, rest = str(green["destination"].get("host")).partition(".")
        green["destination"]["host"] = f"{server.service('green')}{dot}{rest}"
    else:
        green["name"] = server.service("green")
    return green


def patch(route: Route, changes: t.Sequence[Change]) -> list[Operation]:
    """Return the JSON patch of an adoption; a conflict when the route was changed since it was read."""
    if not changes:
        return []
    # A rule that has both pools already gets a header only, and what it was before is noted, if it ever had one.
    added = {one.place.pointer: one.place.backends for one in changes if "green" not in one.place.weights}
    noted = {**_noted(route), **added}
    note = json.dumps(noted, separators=(",", ":"), sort_keys=True)
    if len(note) > MAX_NOTE:
        raise Failure(
            "The rules of the route are too large to be kept in an annotation: list the pools yourself "
            "(docs/routes.md)."
        )
    return _patch(route, changes, {BEFORE: note})


def _patch(
    route: Route, changes: t.Sequence[Change], notes: t.Mapping[str, str], removed: t.Iterable[str] = ()
) -> list[Operation]:
    operations = [one for change in changes for one in _written(change.place.pointer, change.after)]
    annotations = route["metadata"].get("annotations")
    gone = [{"op": "remove", "path": kinds.place_of(name)} for name in removed if name in (annotations or {})]
    if not (operations or gone):
        return []
    added: list[Operation] = [
        {"op": "add", "path": kinds.place_of(name), "value": value} for name, value in notes.items()
    ]
    if notes and annotations is None:
        added = [{"op": "add", "path": kinds.NOTES, "value": dict(notes)}]
    return [*_unchanged(route), *operations, *added, *gone]


def _unchanged(route: Route) -> list[Operation]:
    """Return the tests of the patch: neither the spec nor our annotations were changed since the route was read."""
    tests = kinds.unchanged(route, [])
    annotations = route["metadata"].get("annotations")
    if annotations is not None:
        tests.append({"op": "test", "path": kinds.place_of(BEFORE), "value": annotations.get(BEFORE)})
    return tests


def is_adopted(route: Route) -> bool:
    return BEFORE in (route["metadata"].get("annotations") or {})


def _noted(route: Route) -> dict[str, list[Object]]:
    """Return the backends before the adoption, by the pointer of their list. Raises Failure for a note that is none."""
    text = (route["metadata"].get("annotations") or {}).get(BEFORE)
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    valid = isinstance(found, dict) and all(
        isinstance(one, list) and all(isinstance(backend, dict) for backend in one) for one in found.values()
    )
    if not valid:
        raise Failure(
            f"The route's annotation {BEFORE}, which has what it was before the adoption, was changed and can't be "
            "read. Take the idle pool's Service out of the route yourself, and remove the annotation."
        )
    return t.cast(dict[str, list[Object]], found)


def undone(kind: Weighted, route: Route, server: Server) -> Plan:
    """Return what becomes of the route without the idle pool: what it was, where nobody has changed it since."""
    noted = _noted(route)
    changes, problems = [], []
    for place in places(kind, route, server):
        if "green" not in place.weights:
            continue
        if place.weights["green"]:
            problems.append(has_traffic(kind.name(server), place.rule, server))
            continue
        before = _before(kind, place, noted, server)
        if before is None:
            problems.append(
                f"{place.rule} of {kind.name(server)} is not as the adoption left it: somebody has changed its "
                f"backends since. Take Service {server.service('green')} out of it yourself, then run this again."
            )
        else:
            changes.append(Change(place, before))
    return Plan(changes, problems)


def has_traffic(name: str, rule: str, server: Server) -> str:
    return (
        f"{rule} of {name} gives traffic to Service {server.service('green')}, the pool that the adoption "
        f"added: bring all traffic back to {server.workload('blue')} first (rollback.yml, or a release to it)."
    )


def _before(kind: Weighted, place: Place, noted: t.Mapping[str, list[Object]], server: Server) -> list[Object] | None:
    """Return the backends before the adoption; None where the list is not what the adoption made of any.

    Rules may have moved in the route since.
    """
    here = [noted[place.pointer]] if place.pointer in noted else []
    for before in [*here, *noted.values()]:
        was = _place_of(place, before, server)
        # Without the header where the gateway refuses it.
        made = [] if was is None else [_with_both(kind, was, its) for its in (server, replace(server, pool_header=""))]
        if _without_weights(place.backends) in map(_without_weights, made):
            return before
    return None


def _place_of(place: Place, before: list[Object], server: Server) -> Place | None:
    positions = [number for number, one in enumerate(before) if _service(one) == server.service("blue")]
    if len(positions) != 1 or any(_service(one) == server.service("green") for one in before):
        return None
    return place._replace(backends=before, positions={"blue": positions[0]}, weights={"blue": 1})


def _service(backend: Object) -> str:
    host = mapping(backend, "destination").get("host")
    return str(host).partition(".")[0] if host is not None else str(backend.get("name"))


def _without_weights(backends: t.Iterable[Object]) -> list[Object]:
    return [{key: value for key, value in one.items() if key != "weight"} for one in backends]


def undo_patch(route: Route, changes: t.Sequence[Change]) -> list[Operation]:
    """Return the JSON patch of the way back. It also takes away what releases have noted on the route."""
    return _patch(route, changes, {}, removed=(BEFORE, kinds.STABLE, kinds.RUN, TAKEN))


def merge_patch(kind: Weighted, route: Route, server: Server, changes: t.Sequence[Change]) -> Object:
    """Return what to change in the manifest of the route, as far up as a merge patch replaces a list."""
    operations = [one for change in changes for one in _written(change.place.pointer, change.after)]
    after = kinds.applied(route, operations)
    keys = list(dict.fromkeys(one["path"].split("/")[2] for one in operations))
    group = f"{kind.group}/{kind.version}" if kind.group else kind.version
    return {
        "apiVersion": route.get("apiVersion") or group,
        "kind": route.get("kind") or kind.title,
        "metadata": {"name": server.route, "namespace": server.namespace},
        "spec": {key: after["spec"][key] for key in keys},
    }
