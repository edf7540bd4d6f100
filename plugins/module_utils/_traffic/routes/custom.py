# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights at given places of any object. The paths to them are a small part of JMESPath that can also be written."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions as jmes
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Kind,
    Reference,
    Route,
    Rule,
    Split,
    Weighted,
)

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_STEP = re.compile(
    rf"""\.?(?P<field>{_NAME})|\.?"(?P<quoted>[^"\\]+)"|\[(?P<index>[0-9]+)\]"""
    rf"""|\[\?\s*(?P<key>{_NAME}(?:\.{_NAME})*)\s*==\s*'(?P<value>[^'\\]*)'\s*\]"""
)


@dataclass(frozen=True)
class Filter:
    """The one element of a list whose key has this value. key: field names, from the outside in."""

    key: tuple[str, ...]
    value: str

    def __str__(self) -> str:
        return f"[?{'.'.join(self.key)}=='{self.value}']"


class Custom(Weighted):
    def path(self, server: Server) -> str:
        custom = _custom(server)
        return paths.resource(custom["api_version"], server.namespace, _resource(custom), server.route)

    def name(self, server: Server) -> str:
        return f"{_custom(server)['kind']} {server.namespace}/{server.route}"

    def rules(self, server: Server) -> tuple[Rule, ...]:
        group, slash, _version = _custom(server)["api_version"].partition("/")
        return (Rule(group if slash else "", _resource(_custom(server)), ("get", "patch"), (server.route,)),)

    def total(self, route: Route, server: Server) -> int:
        total: int = _custom(server)["total"]
        return total

    def splits(self, route: Route, server: Server) -> list[Split]:
        custom = _custom(server)
        found = {pool: self._reference(route, server, pool) for pool in POOLS if custom.get(pool)}
        for pool in POOLS:
            if pool not in found:
                found[pool] = Reference("", max(0, custom["total"] - found[other(pool)].weight))
        return [found]

    def not_accepted(self, route: Route, server: Server) -> str:
        expressions = _custom(server)["accepted"]
        jmes.check("route_custom.accepted", expressions)
        complaint = jmes.problem(expressions, {"metadata": {}, "status": {}, **route})
        return f"it {complaint}" if complaint else ""

    def _reference(self, route: Route, server: Server, pool: str) -> Reference:
        path = _custom(server)[pool]
        try:
            pointer, value = find(route, steps(path))
        except ValueError as error:
            raise Failure(
                f"{self.name(server)} has no weight of {pool} at {path!r} (route_custom.{pool}): {error}."
            ) from None
        if isinstance(value, bool) or not (
            value is None or isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit())
        ):
            raise Failure(
                f"{self.name(server)} has {value!r} at {path!r} (route_custom.{pool}), which is not a weight. "
                "Name the place of a whole number."
            )
        return Reference(pointer, int(value or 0), text=isinstance(value, str))


KIND: Kind = Custom()


def steps(path: str) -> list[str | int | Filter]:
    """Return the steps of a path. Raises ValueError with the reason when it is not one that can be written."""
    found: list[str | int | Filter] = []
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if not step or (step[0].startswith(".") != bool(found) and step["index"] is None and step["key"] is None):
            raise ValueError(
                f"from {path[position:]!r} on it is not a path that can be written; "
                """it may have fields (a.b, a."x.y/z"), positions ([0]) and filters ([?name=='x'])"""
            )
        if step["index"] is not None:
            found.append(int(step["index"]))
        elif step["key"] is not None:
            found.append(Filter(tuple(step["key"].split(".")), step["value"]))
        else:
            found.append(step["field"] or step["quoted"])
        position = step.end()
    if not found or isinstance(found[-1], Filter):
        raise ValueError("it must end with a field or a position")
    return found


def find(obj: t.Any, path: t.Sequence[str | int | Filter]) -> tuple[str, t.Any]:
    """Return the JSON pointer of the place and its value, None when only the last field is missing.

    Raises ValueError with the reason when the place does not exist, or there are several.
    """
    pointer = ""
    for number, step in enumerate(path):
        here = pointer or "the object"
        if isinstance(step, str):
            if not isinstance(obj, dict) or (step not in obj and number < len(path) - 1):
                raise ValueError(f"{here} has no field {step}")
            pointer, obj = f"{pointer}/{step.replace('~', '~0').replace('/', '~1')}", obj.get(step)
            continue
        if not isinstance(obj, list):
            raise ValueError(f"{here} is no list")
        if isinstance(step, Filter):
            positions = [position for position, element in enumerate(obj) if _value(element, step.key) == step.value]
            if len(positions) != 1:
                raise ValueError(f"{here} has {len(positions)} elements for {step}, and must have one")
            (step,) = positions
        if step >= len(obj):
            raise ValueError(f"{here} has only {len(obj)} elements")
        pointer, obj = f"{pointer}/{step}", obj[step]
    return pointer, obj


def _value(element: t.Any, key: t.Iterable[str]) -> t.Any:
    for name in key:
        element = element.get(name) if isinstance(element, dict) else None
    return element


def _custom(server: Server) -> dict[str, t.Any]:
    """Return the option route_custom, which Server.from_params() asks for with this kind."""
    if server.route_custom is None:
        raise Failure("route_kind is custom, and route_custom is missing.")
    return server.route_custom


def _resource(custom: dict[str, t.Any]) -> str:
    return custom["resource"] or f"{custom['kind'].lower()}s"
