# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Normalise what an MCP server offers to a contract, without what changes while the contract stays; hash it."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._contract import schema
from ansible_collections.mcp.server.plugins.module_utils._contract.escape import escaped_name
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

FORMAT = 1
SESSION_MODES = ("modern", "stateless", "stateful", "sse")

# The lists of a contract, with the property that names an item, and the noun for an item.
LISTS = {
    "tools": ("name", "tool"),
    "prompts": ("name", "prompt"),
    "resources": ("uri", "resource"),
    "resource_templates": ("uriTemplate", "resource template"),
}
SCHEMAS = ("inputSchema", "outputSchema")

# Properties of items that change while the contract stays.
VOLATILE = frozenset({"_meta", "icons", "ttlMs", "cacheScope", "size"})
TEXTS = frozenset({"title", "description"})

Contract: t.TypeAlias = "dict[str, t.Any]"


def normalise(offer: dict[str, t.Any]) -> Contract:
    """Return the contract of an offer: plain data for JSON. normalise(normalise(offer)) is the same.

    {format: 1, protocol_versions: [...], session_mode, capabilities: {...}, instructions: str or None,
    tools: [...], prompts: [...], resources: [...], resource_templates: [...]}. Items are as in MCP, sorted by name or
    URI.

    Raise Failure, which names the item, for what no client could read: an item without its name, a part of the wrong
    type, a duplicate name with different contents (equal items are one), too deep nesting. A malformed keyword of a
    JSON Schema is kept: no client needs it to read the list, and any change of it is undecidable.
    """
    versions, mode, instructions = (
        offer.get("protocol_versions", []),
        offer.get("session_mode"),
        offer.get("instructions"),
    )
    if not schema.is_names(versions):
        raise Failure("The server's protocol versions are not a list of names.")
    if mode not in SESSION_MODES:
        raise Failure(f"The server's session mode {_shown(mode)} is not one of {', '.join(SESSION_MODES)}.")
    if not isinstance(instructions, (str, type(None))):
        raise Failure("The server's instructions are not text.")
    return {
        "format": FORMAT,
        "protocol_versions": sorted(set(versions)),
        "session_mode": mode,
        "capabilities": _capabilities(offer.get("capabilities", {})),
        "instructions": instructions or None,
        **{list_name: _items(list_name, offer.get(list_name, [])) for list_name in LISTS},
    }


def structure_hash(contract: Contract) -> str:
    """Return the SHA-256 (hex) of what clients call and parse.

    Contracts with equal hashes differ in texts only. Different hashes may come from equivalent schemas: compare()
    decides.
    """
    return _hash(_without_texts(contract))


def text_hash(contract: Contract) -> str:
    """Return the SHA-256 (hex) of what people and language models read."""
    return _hash(_texts(contract))


def _hash(value: t.Any) -> str:
    return hashlib.sha256(schema.key(value).encode()).hexdigest()


def _without_texts(contract: Contract) -> Contract:
    """Return the contract without titles and descriptions, also of arguments and annotations."""

    def item(value: dict[str, t.Any]) -> dict[str, t.Any]:
        kept = {name: part for name, part in value.items() if name not in TEXTS}
        for name in SCHEMAS:
            if name in kept:
                kept[name] = schema.without(kept[name], schema.TEXTS)
        if "annotations" in kept:
            hints = {name: part for name, part in kept.pop("annotations").items() if name != "title"}
            kept |= {"annotations": hints} if hints else {}
        if "arguments" in kept:
            kept["arguments"] = [item(argument) for argument in kept["arguments"]]
        return kept

    return {
        **{name: value for name, value in contract.items() if name != "instructions"},
        **{name: list(map(item, contract[name])) for name in LISTS},
    }


def _texts(contract: Contract) -> list[t.Any]:
    found: list[t.Any] = [contract["instructions"]]
    for list_name, (name, _noun) in LISTS.items():
        for item in contract[list_name]:
            found += [[list_name, item[name], list(place), texts] for place, texts in texts_of(item).items()]
    return found


def texts_of(item: dict[str, t.Any]) -> dict[tuple[str, ...], list[str]]:
    """Return the texts of an item by their place in it, sorted. Branches of a union share the union's place."""
    found: dict[tuple[str, ...], list[str]] = {(name,): [item[name]] for name in sorted(TEXTS) if name in item}
    if "title" in item.get("annotations", {}):
        found["annotations", "title"] = [item["annotations"]["title"]]
    for argument in item.get("arguments", ()):
        found |= {("arguments", argument["name"], name): [argument[name]] for name in sorted(TEXTS) if name in argument}
    for name in SCHEMAS:
        if name in item:
            found |= {(name, *place): values for place, values in annotations_of(item[name], schema.TEXTS).items()}
    return dict(sorted(found.items()))


def annotations_of(whole: t.Any, keywords: t.Collection[str]) -> dict[tuple[str, ...], list[str]]:
    """Return the values of these keywords in a schema and its subschemas, by their place in it.

    Branches of a union share the union's place. Definitions share one place, so that renaming one changes nothing.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for place, part in _placed(whole, ()):
        for keyword in keywords & part.keys() if isinstance(part, dict) else ():
            found.setdefault((*place, keyword), []).append(schema.key(part[keyword]))
    return {place: sorted(values) for place, values in found.items()}


def places_of(whole: t.Any) -> set[tuple[str, ...]]:
    """Return the places, as in annotations_of(), at which there is a schema."""
    return {place for place, _part in _placed(whole, ())}


def _placed(part: t.Any, place: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], t.Any]]:
    yield place, part
    if not isinstance(part, dict):
        return
    for below, child in schema.children(part):
        if below[0] in ("anyOf", "oneOf", "allOf"):
            yield from _placed(child, place)
        else:
            yield from _placed(child, (*place, "$defs") if below[0] == "$defs" else (*place, *below))


def _shown(value: t.Any) -> str:
    return escaped_name(value if isinstance(value, str) else type(value).__name__)


def _capabilities(value: t.Any) -> dict[str, t.Any]:
    """Return the capabilities without those that are false or null, which mean the same as absent.

    So does an empty C(experimental): some SDKs send it always.
    """

    def present(part: t.Any) -> t.Any:
        if not isinstance(part, dict):
            return part
        return {
            name: present(child)
            for name, child in part.items()
            if child is not None and child is not False and name != "_meta"
        }

    if not isinstance(value, dict):
        raise Failure("The server's capabilities are not an object.")
    try:
        capabilities: dict[str, t.Any] = present(schema.data(value))
    except schema.TooDeep:
        raise Failure(f"The server's capabilities are nested deeper than {schema.MAX_DEPTH} levels.") from None
    return {name: part for name, part in capabilities.items() if name != "experimental" or part != {}}


def _items(list_name: str, items: t.Any) -> list[dict[str, t.Any]]:
    name, noun = LISTS[list_name]
    if not isinstance(items, list):
        raise Failure(f"The server's {list_name} are not a list.")
    found: dict[str, dict[str, t.Any]] = {}
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or not isinstance(item.get(name), str):
            raise Failure(f"Item {number} of the server's {list_name} has no {name}.")
        subject = f"The server's {noun} {escaped_name(item[name])}"
        try:
            normal = _item(subject, item)
        except schema.TooDeep:
            raise Failure(f"{subject} is nested deeper than {schema.MAX_DEPTH} levels.") from None
        if schema.key(found.setdefault(item[name], normal)) != schema.key(normal):
            raise Failure(
                f"{subject} is listed twice with different contents: which one a client gets depends on the client."
            )
    return [found[name] for name in sorted(found)]


def _item(subject: str, item: dict[str, t.Any]) -> dict[str, t.Any]:
    wanted = {"annotations": dict, "execution": dict, "inputSchema": dict, "outputSchema": dict, "arguments": list}
    wanted |= dict.fromkeys(("name", "title", "description", "mimeType"), str)
    for name, kind in wanted.items():
        if not isinstance(item.get(name), (kind, type(None))):
            raise Failure(f"{subject} has a {name} of the wrong type: {type(item[name]).__name__}.")
    normal = {name: value for name, value in item.items() if value is not None and name not in VOLATILE}
    normal = {
        name: schema.canonical(value) if name in SCHEMAS else schema.data(value) for name, value in normal.items()
    }
    if "annotations" in normal:
        normal["annotations"] = {
            name: value for name, value in normal["annotations"].items() if name != "lastModified" and value is not None
        }
        if not isinstance(normal["annotations"].get("title", ""), str):
            raise Failure(f"{subject} has a title of the wrong type in its annotations.")
    if "arguments" in normal:
        normal["arguments"] = _arguments(subject, normal["arguments"])
    return {name: value for name, value in normal.items() if value not in ({}, "", []) or name in SCHEMAS}


def _arguments(subject: str, arguments: list[t.Any]) -> list[dict[str, t.Any]]:
    found: dict[str, dict[str, t.Any]] = {}
    for number, argument in enumerate(arguments, 1):
        if not isinstance(argument, dict) or not isinstance(argument.get("name"), str):
            raise Failure(f"{subject} has an argument, number {number}, without a name.")
        for name, kind in {"title": str, "description": str, "required": bool}.items():
            if not isinstance(argument.get(name), (kind, type(None))):
                raise Failure(
                    f"{subject} has an argument {escaped_name(argument['name'])} "
                    f"with a {name} of the wrong type: {type(argument[name]).__name__}."
                )
        normal = {
            name: value for name, value in argument.items() if value not in (None, "", False) and name not in VOLATILE
        }
        if schema.key(found.setdefault(argument["name"], normal)) != schema.key(normal):
            raise Failure(f"{subject} has the argument {escaped_name(argument['name'])} twice.")
    return [found[name] for name in sorted(found)]
