# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the official clients require of results: they refuse a whole answer for one value of a wrong type. Pure.

The shapes are those of the specification. tests/matrix/quirks.py has what the clients make of departures from them.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._text import printable

# A type; the only value; a list of one kind; an object by key, where "name!" is required, and "*" is any other key.
Kind: t.TypeAlias = "type | str | list[Kind] | dict[str, Kind]"

_META: dict[str, Kind] = {"_meta": dict}
_ICONS: Kind = [{"src!": str, "mimeType": str}]
_IMPLEMENTATION: Kind = {"name!": str, "version!": str, "title": str, "websiteUrl": str, "icons": _ICONS}
_LIST: Kind = {"listChanged": bool}
CAPABILITIES: Kind = {
    **dict.fromkeys(("logging", "completions", "tasks"), dict),
    "tools": _LIST,
    "prompts": _LIST,
    "resources": {"listChanged": bool, "subscribe": bool},
    "experimental": {"*": dict},
}
OFFER: Kind = {
    "capabilities!": CAPABILITIES,
    "serverInfo!": _IMPLEMENTATION,
    "instructions": str,
    **_META,
}
DISCOVERED: Kind = {"capabilities": CAPABILITIES, "instructions": str, **_META}

_SCHEMA: Kind = {"type!": "object", "properties": {"*": dict}, "required": [str], "$schema": str}
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_NAMED: dict[str, Kind] = {"name!": str, "title": str, "description": str, "icons": _ICONS, **_META}
ITEMS: dict[str, Kind] = {
    "tools": {
        **_NAMED,
        "inputSchema!": _SCHEMA,
        "outputSchema": _SCHEMA,
        "annotations": {"title": str, **dict.fromkeys(_HINTS, bool)},
        "execution": dict,
    },
    "prompts": {
        **_NAMED,
        "arguments": [{"name!": str, "title": str, "description": str, "required": bool}],
    },
    "resources": {**_NAMED, "uri!": str, "mimeType": str, "annotations": dict},
    "resourceTemplates": {**_NAMED, "uriTemplate!": str, "mimeType": str, "annotations": dict},
}
TASK_SUPPORT = ("forbidden", "optional", "required")
TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

_DEFINITIONS = "#/$defs/"
_NOUNS = {str: "text", bool: "true or false", dict: "an object"}


def problem(value: t.Any, kind: Kind, place: str) -> str | None:
    """Return what is wrong with a value, as a clause that begins with its place; None when it has this shape."""
    if isinstance(kind, dict):
        return _problem_of_object(value, kind, place)
    if isinstance(kind, list):
        if not isinstance(value, list):
            return f"{place} is {_shown(value)}, not a list"
        return _first(problem(item, kind[0], f"{place}[{number}]") for number, item in enumerate(value))
    if isinstance(kind, str):
        return None if value == kind else f"{place} is {_shown(value)}, not {kind!r}"
    return None if isinstance(value, kind) else f"{place} is {_shown(value)}, not {_NOUNS[kind]}"


def problem_of_item(item: dict[str, t.Any], key: str) -> str | None:
    """Return what is wrong with an item of a list, as problem() does; key: of ITEMS."""
    place = printable(str(item.get("name") or item.get("uri") or item.get("uriTemplate") or "an item"), 60)
    found = problem(item, ITEMS[key], place)
    if found or key != "tools":
        return found
    support = item.get("execution", {}).get("taskSupport", TASK_SUPPORT[0])
    if support not in TASK_SUPPORT:
        return f"{place}.execution.taskSupport is {_shown(support)}"
    # The TypeScript client compiles it when it lists.
    schema = item.get("outputSchema", {})
    return _problem_of_schema(schema, schema, f"{place}.outputSchema")


def _problem_of_object(value: t.Any, kind: dict[str, Kind], place: str) -> str | None:
    if not isinstance(value, dict):
        return f"{place} is {_shown(value)}, not an object"
    for name in kind:
        if name.endswith("!") and name[:-1] not in value:
            return f"{place} has no {name[:-1]}"
    return _first(
        problem(child, expected, f"{place}.{printable(name, 60)}")
        for name, child in value.items()
        if (expected := kind.get(f"{name}!", kind.get(name, kind.get("*")))) is not None
    )


def _problem_of_schema(schema: t.Any, root: dict[str, t.Any], place: str) -> str | None:
    if isinstance(schema, list):
        return _first(_problem_of_schema(child, root, place) for child in schema)
    if not isinstance(schema, dict):
        return None
    types = schema.get("type", [])
    for one in types if isinstance(types, list) else [types]:
        if isinstance(one, str) and one not in TYPES:
            return f"{place} has the unknown type {_shown(one)}"
    ref = schema.get("$ref")
    name = ref.removeprefix(_DEFINITIONS) if isinstance(ref, str) and ref.startswith(_DEFINITIONS) else ""
    if name.isidentifier() and name not in root.get("$defs", {}):
        return f"{place} refers to {_shown(ref)}, which is not there"
    below = [child for name, child in schema.items() if name not in ("const", "enum", "default", "examples")]
    return _first(_problem_of_schema(child, root, place) for child in below)


def _first(problems: t.Iterable[str | None]) -> str | None:
    return next((found for found in problems if found), None)


def refuse(found: str | None) -> None:
    """Raise the Fault for a problem that was found."""
    if found:
        raise Fault(f"returned a result that official clients refuse: {found}")


def _shown(value: t.Any) -> str:
    return printable(json.dumps(value), 40)
