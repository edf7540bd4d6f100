# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on a Gateway API HTTPRoute, and whether its controllers took them.

Session affinity is made by rules that match ids that begin with a pool's name. Such a rule lists both pools: while
affinity is kept, the marked pool has all of its weight, and else its weights are those of the other rules.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Backends,
    Kind,
    Reference,
    Route,
    Split,
    Weighted,
    any_of,
    copied,
    header_in,
    is_current,
    is_header,
    pool_of,
    some_only,
    weight_of,
    why,
)

SESSION = "mcp-session-id"
CONDITIONS = ("Accepted", "ResolvedRefs")
PARTIAL = "PartiallyInvalid"
HEADER_FILTER = "ResponseHeaderModifier"
CORE = (None, "", "core")  # ways to name the API group of Services


class HTTPRoute(Weighted):
    title, group, version, resource = "HTTPRoute", "gateway.networking.k8s.io", "v1", "httproutes"
    backends = "the backendRefs of a rule that matches no session's mark"
    entry = "backendRef"

    def __init__(self, keeps_affinity: bool = True) -> None:
        self.keeps_affinity = keeps_affinity

    def lists(self, route: Route, server: Server) -> list[Backends]:
        return [
            _backends(number, rule, server) for number, rule in enumerate(mapping(route, "spec").get("rules") or [])
        ]

    def header(self, holder: dict[str, t.Any], name: str) -> str | None:
        modifiers = [mapping(one, "responseHeaderModifier") for one in _modifying(holder)]
        return header_in([entry for one in modifiers for how in ("set", "add") for entry in one.get(how) or []], name)

    def set_header(self, holder: dict[str, t.Any], name: str, value: str) -> None:
        # A backend may have one filter of each type.
        if not (modifying := _modifying(holder)):
            modifying = [{"type": HEADER_FILTER}]
            holder["filters"] = [*(holder.get("filters") or []), *modifying]
        modifier = modifying[0]["responseHeaderModifier"] = mapping(modifying[0], "responseHeaderModifier")
        for how in ("set", "add"):
            if how in modifier:
                modifier[how] = [one for one in modifier[how] or [] if not is_header(one.get("name"), name)]
        if not modifier.get("add", True):
            del modifier["add"]
        modifier["set"] = [*modifier.get("set", []), {"name": name, "value": value}]

    def affinity_splits(self, route: Route, server: Server) -> list[tuple[Split, str]]:
        """Return the splits of the rules for marked sessions, each with the pool whose mark the rule matches."""
        marked = [one for one in self.lists(route, server) if one.lists_both()]
        return [(self.split(one, server), pool) for pool in POOLS for one in marked if one.mark == pool]

    def has_affinity(self, route: Route, server: Server) -> bool:
        return {pool for _split, pool in self.affinity_splits(route, server)} == set(POOLS)

    def without_affinity(self) -> Kind:
        return HTTPRoute(keeps_affinity=False)

    def planned(self, route: Route, server: Server, wanted: Weights) -> list[tuple[Split, Weights]]:
        marked = [
            (split, pools.split(pool, 100) if self.keeps_affinity else wanted)
            for split, pool in self.affinity_splits(route, server)
        ]
        return [*marked, *super().planned(route, server, wanted)]

    def notes(self, route: Route, server: Server) -> list[str]:
        marked = ["sessions whose ids begin with a pool's name stay on it"] if self.has_affinity(route, server) else []
        reported = [note for parent in _parents(route) for note in parent.notes]
        return [*marked, *super().notes(route, server), *reported]

    def refused(self, route: Route, server: Server) -> str:
        parents = _parents(route)
        return next((refusal for parent in parents if (refusal := parent.refusal) and not parent.may_accept), "")

    def not_accepted(self, route: Route, server: Server) -> str:
        parents = _parents(route)
        if not parents:
            return "it has no parentRefs: name its Gateway there"
        return next((parent.pending for parent in parents if parent.pending), "")


KIND: Kind = HTTPRoute()


def mark(rule: dict[str, t.Any]) -> str | None:
    """Return the pool whose marked sessions this rule is for: each of its matches requires an id with that mark."""
    marks = {_mark(match) for match in rule.get("matches") or []}
    return marks.pop() if len(marks) == 1 else None


def _mark(match: dict[str, t.Any]) -> str | None:
    for header in match.get("headers") or []:
        if (header.get("name") or "").lower() == SESSION and header.get("type") == "RegularExpression":
            value = header.get("value") or ""
            return next((pool for pool in POOLS if value.startswith(f"^{pool}-")), None)
    return None


def _backends(number: int, rule: dict[str, t.Any], server: Server) -> Backends:
    backends = rule.get("backendRefs") or []
    references = [
        (
            _pool(backend, server),
            Reference(f"/spec/rules/{number}/backendRefs/{position}/weight", weight_of(backend, 1)),
        )
        for position, backend in enumerate(backends)
    ]
    matches = [
        some_only(
            [header.get("name") or "" for header in match.get("headers") or []],
            *(f"query parameter {query.get('name')}" for query in match.get("queryParams") or []),
        )
        for match in rule.get("matches") or []
    ]
    filters = [one for holder in (rule, *backends) for one in holder.get("filters") or []]
    mirrors = [
        (pool, copied(percent))
        for one in filters
        if isinstance(one, dict)  # of any other form it is not read: the weights do not depend on it
        and (mirror := one.get("requestMirror"))
        and (pool := _pool(mirror.get("backendRef") or {}, server))
        and (percent := _mirrored(mirror))
    ]
    return Backends(f"rule {number}", references, any_of(matches), mirrors, mark(rule))


def _modifying(holder: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the filters of a rule or a backend that change headers of its answers."""
    return [one for one in holder.get("filters") or [] if isinstance(one, dict) and one.get("type") == HEADER_FILTER]


def _mirrored(mirror: dict[str, t.Any]) -> float:
    """Return the percentage of requests that a mirror gets: all of them where it does not say."""
    if fraction := mirror.get("fraction"):
        return 100 * (fraction.get("numerator") or 0) / (fraction.get("denominator") or 100)
    percent: float = mirror.get("percent", 100)
    return percent


def _pool(backend: dict[str, t.Any], server: Server) -> str | None:
    is_service = backend.get("kind", "Service") == "Service" and backend.get("group") in CORE
    if not is_service or backend.get("namespace", server.namespace) != server.namespace:
        return None
    return pool_of(backend.get("name"), server)


class _Parent(t.NamedTuple):
    """A parent of the route, by what its controllers report."""

    pending: str  # why the route is not in force there; empty when it is
    refusal: str  # the same, when a controller refuses it
    may_accept: bool  # whether another controller accepted an earlier generation and has not reported on this one
    notes: list[str]


def _parents(route: Route) -> list[_Parent]:
    """Return the parents that the route names.

    Reports on removed parents, and of controllers that are gone, stay in the status. Of several controllers that report
    on one parent, one that accepted the route is enough.
    """
    reported: dict[tuple[t.Any, ...], list[dict[str, dict[str, t.Any]]]] = {}
    for parent in mapping(route, "status").get("parents") or []:
        conditions = {condition.get("type", ""): condition for condition in parent.get("conditions") or []}
        reported.setdefault(_parent_key(route, parent.get("parentRef") or {}), []).append(conditions)
    return [
        _parent(route, reference, reported.get(_parent_key(route, reference), [{}]))
        for reference in mapping(route, "spec").get("parentRefs") or []
    ]


def _parent(route: Route, reference: dict[str, t.Any], reports: list[dict[str, dict[str, t.Any]]]) -> _Parent:
    """Return one parent. reports: the conditions that each controller reports on it, by their type."""

    def accepted(conditions: dict[str, dict[str, t.Any]]) -> tuple[int, int]:
        current = [conditions[kind] for kind in CONDITIONS if is_current(route, conditions.get(kind, {}))]
        return sum(condition.get("status") == "True" for condition in current), len(current)

    best = max(reports, key=accepted)
    name = _parent_name(route, reference)
    pending, refusal = "", ""
    for kind in CONDITIONS:
        condition = best.get(kind, {})
        if not is_current(route, condition):
            generation = route["metadata"].get("generation")
            pending = pending or (
                f"{name} has not reported {kind} for generation {generation}: check the gateway's controller"
            )
        elif condition.get("status") != "True":
            said = f"{name} says {kind} is {condition.get('status')} ({why(condition)})"
            pending = pending or said
            refusal = refusal or (said if condition.get("status") == "False" else "")
    notes = []
    partial = best.get(PARTIAL, {})
    if partial.get("status") == "True" and is_current(route, partial):
        said = f"{name} says {PARTIAL} ({why(partial)})"
        # Else rules were dropped, which may be others than those of the pools.
        if str(partial.get("message")).lower().startswith("fall back"):
            pending, refusal = pending or said, refusal or said
        notes.append(said)
    if any(condition and not condition.get("observedGeneration") for condition in map(best.get, CONDITIONS)):
        notes.append(f"{name} does not report for which generation, so only the measured share shows what is in force")
    others = [one.get("Accepted", {}) for one in reports if one is not best]
    late = [one for one in others if one.get("status") == "True" and not is_current(route, one)]
    return _Parent(pending, refusal, bool(late), notes)


def _parent_name(route: Route, reference: dict[str, t.Any]) -> str:
    kind, namespace, name, _group, section, port = _parent_key(route, reference)
    part = ", ".join([*([f"section {section}"] if section else []), *([f"port {port}"] if port else [])])
    return printable(f"{kind} {namespace}/{name}{f' ({part})' if part else ''}", 300)


def _parent_key(route: Route, reference: dict[str, t.Any]) -> tuple[t.Any, ...]:
    namespace = reference.get("namespace") or route["metadata"].get("namespace")
    kind, group = reference.get("kind", "Gateway"), reference.get("group", "gateway.networking.k8s.io")
    return (
        kind,
        namespace,
        reference.get("name"),
        "" if group in CORE else group,
        reference.get("sectionName"),
        reference.get("port"),
    )
