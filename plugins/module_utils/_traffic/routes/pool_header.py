# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The header by which a route says which pool answered: whether a route sets it, and what to add to one. Pure."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Route, Weighted, at, shifted
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of


class Entry(t.NamedTuple):
    """The entry of a pool in a rule."""

    rule: str  # what messages call the rule
    pool: str
    place: str  # its JSON pointer
    measured: bool  # whether requests that measure the share may match the rule
    value: str | None  # what it sets the header to
    of_rule: str | None  # what its rule sets it to, for every backend


def names_pools(route: Route, server: Server) -> bool | None:
    """Return whether the route sets pool_header to the pool's name, on answers of both pools by every rule of theirs.

    None for a kind that can't set a header on each backend's answers. Rules that are left alone do not count.
    """
    kind = _kind(server)
    if kind is None:
        return None
    measured = [one for one in _entries(kind, route, server) if one.measured]
    return bool(measured) and all(one.value == one.pool and one.of_rule is None for one in measured)


def problem(route: Route, server: Server) -> str:
    """Return a sentence on a route that sets the header to something else than the pool, or for one pool only.

    Empty where all its rules set it, or none does.
    """
    kind = _kind(server)
    if kind is None:
        return ""
    told, every = f"{kind.name(server)} sets {server.pool_header}", _entries(kind, route, server)
    for one in every:
        if one.of_rule is not None:
            return (
                f"{told} to {printable(one.of_rule, 60)!r} for all of {one.rule}, whichever pool answers: "
                "remove it there, or give pool_header another name."
            )
        if one.value not in (None, one.pool):
            return (
                f"{told} to {printable(str(one.value), 60)!r} on the answers of Service {server.service(one.pool)} in "
                f"{one.rule}, which is pool {one.pool}: correct it, or give pool_header another name."
            )
    measured = [one for one in every if one.measured]
    without = next((one for one in measured if one.value is None), None)
    if without and any(one.value for one in measured):
        return (
            f"{told} on the answers of other backends, but not on those of Service {server.service(without.pool)} in "
            f"{without.rule}: {cure(server)}."
        )
    return ""


def cure(server: Server) -> str:
    """Return what to add to the route so that it names the pools, a clause; empty for a kind that can't."""
    kind = _kind(server)
    if kind is None:
        return ""
    lines = []
    for pool in POOLS:
        added: Route = {}
        kind.set_header(added, server.pool_header, pool)
        lines.append(f"to the {kind.entry} of Service {server.service(pool)} `{_flow(added)[1:-1]}`")
    return f"in {kind.name(server)}, add in every rule that lists both pools {' and '.join(lines)}"


def with_pool_header(route: Route, server: Server) -> Route:
    """Return the route with the header on each pool's answers, in every rule; as it is for a kind that can't."""
    kind = _kind(server)
    if kind is None:
        return route
    changed = copy.deepcopy(route)
    for one in _entries(kind, route, server):
        kind.set_header(at(changed, one.place), server.pool_header, one.pool)
    return changed


def _kind(server: Server) -> Weighted | None:
    kind = kind_of(server)
    return kind if isinstance(kind, Weighted) and kind.entry else None


def _entries(kind: Weighted, route: Route, server: Server) -> list[Entry]:
    every = kind.lists(route, server)
    found = shifted(every)
    return [
        Entry(
            one.name,
            pool,
            place,
            one in found or (one.mark is not None and one.lists_both()),
            kind.header(at(route, place), server.pool_header),
            kind.header(at(route, _above(place, 2)), server.pool_header),
        )
        for one in every
        for pool, reference in one.references
        if pool is not None
        for place in [_above(reference.place, 1)]  # beside its weight
    ]


def _above(place: str, levels: int) -> str:
    return place.rsplit("/", levels)[0]


def _flow(value: t.Any) -> str:
    """Return YAML on one line, of texts that need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    return "[" + ", ".join(map(_flow, value)) + "]" if isinstance(value, list) else str(value)
