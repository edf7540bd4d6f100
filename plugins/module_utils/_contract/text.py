# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render contracts and their changes as text for people."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._contract import schema
from ansible_collections.mcp.server.plugins.module_utils._contract.compare import SEVERITIES, Change
from ansible_collections.mcp.server.plugins.module_utils._contract.escape import escaped_name
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import LISTS, SCHEMAS, Contract
from ansible_collections.mcp.server.plugins.module_utils._text import escaped

HEADINGS = {
    "breaking": "BREAKING: clients of the old version fail",
    "risky": "RISKY: clients may behave differently",
    "undecidable": "UNDECIDABLE: review these yourself",
    "compatible": "COMPATIBLE: clients of the old version notice nothing",
}


def render(changes: t.Sequence[Change], accepted: t.Collection[Change] = ()) -> str:
    """Return lines by severity, each with the path that accepts it; accepted ones last. Empty without changes."""
    blocks = []
    for severity in SEVERITIES:
        lines = [_line(change) for change in changes if change.severity == severity and change not in accepted]
        if lines:
            blocks.append("\n".join([HEADINGS[severity], *lines]))
    lines = [f"{_line(change)} ({change.severity})" for change in changes if change in accepted]
    if lines:
        blocks.append("\n".join(["ACCEPTED by name", *lines]))
    return "\n\n".join(blocks)


def _line(change: Change) -> str:
    return f"  {change.path}: {change.message}"


def diff(old: Contract, new: Contract, before: str = "old contract", after: str = "new contract") -> dict[str, str]:
    """Return both contracts in Ansible's form for --diff, under the headers before and after."""
    return {"before": _text(old), "after": _text(new), "before_header": before, "after_header": after}


def _text(contract: Contract) -> str:
    return "".join(f"{line}\n" for line in facts(contract))


def facts(contract: Contract) -> list[str]:
    """Return the contract as lines, one complete fact on each. Nothing is left out or cut.

    Types look like C(integer >= 1 <= 100), C([string]), C("a" | "b"). C(?) after a name means optional. What has no
    short form is JSON.
    """
    lines = [f"protocol version {escaped_name(version)}" for version in contract["protocol_versions"]]
    lines.append(f"session mode {contract['session_mode']}")
    lines += [f"capability {line}" for line in _leaves(contract["capabilities"], "")]
    lines += _quoted("instructions", contract["instructions"])
    for list_name, (name, noun) in LISTS.items():
        for item in contract[list_name]:
            lines += _item(
                f"{noun} {escaped_name(item[name])}", {part: value for part, value in item.items() if part != name}
            )
    return lines


def _leaves(value: dict[str, t.Any], prefix: str) -> t.Iterator[str]:
    for name, child in sorted(value.items()):
        here = prefix + escaped_name(name)
        if not isinstance(child, dict):
            yield here if child is True else f"{here} = {_json(child)}"
            continue
        yield here
        yield from _leaves(child, f"{here}.")


def _item(subject: str, item: dict[str, t.Any]) -> list[str]:
    lines = [subject]
    for part, value in sorted(item.items()):
        if part in SCHEMAS:
            lines += _fields(f"{subject} {part.removesuffix('Schema')}", "", value, "")
        elif part == "arguments":
            for argument in value:
                name = f"{subject} argument {_name(argument['name'])}{'' if argument.get('required') else '?'}"
                lines.append(name)
                lines += [
                    line
                    for text in sorted(argument.keys() - {"name", "required"})
                    for line in _quoted(f"{name} {escaped_name(text)}", argument[text])
                ]
        elif isinstance(value, dict):
            lines += [
                f"{subject} {escaped_name(part)} {escaped_name(name)} = {_json(child)}"
                for name, child in sorted(value.items())
            ]
        else:
            lines += _quoted(f"{subject} {escaped_name(part)}", value)
    return lines


def _quoted(subject: str, value: t.Any) -> list[str]:
    """Return a line for each line of a text, so that a diff shows only those that differ."""
    if isinstance(value, str):
        return [f"{subject}: {escaped_name(line)}" for line in value.split("\n")]
    return [] if value is None else [f"{subject} = {_json(value)}"]


def _json(value: t.Any) -> str:
    return escaped(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _name(name: str) -> str:
    """Return a name, quoted if it could be mistaken for something else."""
    return name if re.fullmatch(r"[\w$-]+", name) else _json(name)


# Schemas


def _fields(subject: str, name: str, part: t.Any, mark: str) -> list[str]:
    """Return a line for each named field, followed by its texts."""
    shown = f"{subject}{' ' * bool(name)}{name}{mark}"
    if not isinstance(part, dict):
        return [f"{shown}: {_type(part)}"]
    nested = {keyword: value for keyword, value in part.items() if keyword not in schema.TEXTS}
    below = nested.pop("properties", {}) if _is_record(part) else {}
    required = nested.get("required", [])
    if below:
        nested["required"] = [one for one in required if one not in below]
        if not nested["required"]:
            del nested["required"]
    definitions = nested.pop("$defs", {})
    items = nested.get("items")
    into_items = isinstance(items, dict) and _is_record(items) and nested.get("type") == ["array"]
    if into_items:
        del nested["items"]
    lines = [f"{shown}: {_type(nested)}"]
    for text in sorted(schema.TEXTS & part.keys()):
        lines += _quoted(f"{shown} {text}", part[text])
    for one, child in sorted(below.items()):
        lines += _fields(subject, f"{name}{'.' * bool(name)}{_name(one)}", child, "" if one in required else "?")
    if into_items:
        lines += _fields(subject, f"{name}[]", items, "")
    for one, child in sorted(definitions.items()):
        lines += _fields(f"{subject} where {_name(one)}", "", child, "")
    return lines


def _is_record(part: dict[str, t.Any]) -> bool:
    return (
        part.get("type") == ["object"]
        and isinstance(part.get("properties"), dict)
        and schema.is_names(part.get("required", []))
    )


def _type(part: t.Any) -> str:
    """Return a schema on one line."""
    if not isinstance(part, dict):
        return {True: "any", False: "nothing"}[part] if isinstance(part, bool) else f"JSON {_json(part)}"
    left = dict(part)
    words = [_base(left)]
    for keyword, sign in {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}.items():
        if schema.is_number(left.get(keyword)):
            words.append(f"{sign} {_json(left.pop(keyword))}")
    default = [f"= {_json(left.pop('default'))}"] if "default" in left else []
    texts = sorted(schema.TEXTS & left.keys())
    words += [f"{keyword} {_value(keyword, left[keyword])}" for keyword in sorted(left.keys() - set(texts))]
    return " ".join([*words, *default, *(f"{keyword} {_json(left[keyword])}" for keyword in texts)])


def _base(left: dict[str, t.Any]) -> str:
    """Return the beginning of a schema's line, and remove from C(left) what it covers."""
    types = left.get("type")
    if (
        isinstance(left.get("enum"), list)
        and left["enum"]
        and (types is None or types == ["string"] and all(isinstance(one, str) for one in left["enum"]))
    ):
        left.pop("type", None)
        return " | ".join(map(_json, left.pop("enum")))
    if isinstance(left.get("anyOf"), list) and left["anyOf"] and types is None:
        return _either(_bracketed(_type(branch)) for branch in left.pop("anyOf"))
    if types is None and isinstance(left.get("$ref"), str):
        return escaped_name(left.pop("$ref").removeprefix("#/$defs/"))
    if not schema.is_names(types) or not types:
        return "any"
    del left["type"]
    if types == ["array"] and isinstance(left.get("items"), dict):
        return f"[{_type(left.pop('items'))}]"
    if types == ["object"] and isinstance(left.get("properties"), dict) and schema.is_names(left.get("required", [])):
        required = left.pop("required", [])
        properties = left.pop("properties")
        unnamed = [name for name in required if name not in properties]
        if unnamed:
            left["required"] = unnamed
        return (
            "{"
            + ", ".join(
                f"{_name(name)}{'' if name in required else '?'}: {_type(child)}"
                for name, child in sorted(properties.items())
            )
            + "}"
        )
    return _either(map(escaped_name, types))


def _either(types: t.Iterable[str]) -> str:
    """Join the types of a union; null comes last, as people write it."""
    return " | ".join(sorted(types, key=lambda name: name == "null"))


def _bracketed(text: str) -> str:
    return f"({text})" if " | " in text else text


def _value(keyword: str, value: t.Any) -> str:
    if keyword in schema.SINGLE and schema.is_schema(value):
        return _bracketed(_type(value))
    if keyword in schema.LISTS and isinstance(value, list):
        return "[" + ", ".join(map(_type, value)) + "]"
    return _json(value)
