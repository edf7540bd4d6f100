# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an MCP server offers, as a contract: in one form, without what changes while the contract stays, and its two hashes."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._contract import schema
from ansible_collections.mcp.server.plugins.module_utils._contract.escape import printable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

FORMAT = 1
SESSION_MODES = ("modern", "stateless", "stateful", "sse")

# The lists of a contract, with what an item's name is, and what people call an item.
LISTS = {
    "tools": ("name", "tool"),
    "prompts": ("name", "prompt"),
    "resources": ("uri", "resource"),
    "resource_templates": ("uriTemplate", "resource template"),
}
SCHEMAS = ("inputSchema", "outputSchema")

# Of each item: they change while the contract stays.
PASSING = frozenset({"_meta", "icons", "ttlMs", "cacheScope", "size"})
TEXTS = frozenset({"title", "description"})

Contract: t.TypeAlias = "dict[str, t.Any]"


def normalise(offer: dict[str, t.Any]) -> Contract:
    """The contract in an offer: plain data that JSON can hold; normalise(normalise(offer)) is the same.

    {format: 1, protocol_versions: [...], session_mode, capabilities: {...}, instructions: str or None,
    tools: [...], prompts: [...], resources: [...], resource_templates: [...]}: items as MCP has them, sorted by name or URI.

    Raises Failure, one sentence that names the item, for what no client could read: an item without its name, a part of the wrong
    type, one name twice with different contents (equal ones are one item), what is nested too deeply. A keyword of a JSON Schema
    that is not well formed is kept: no client needs it to read the list, and any change of it is undecidable.
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
        **{listed: _items(listed, offer.get(listed, [])) for listed in LISTS},
    }


def structure_hash(contract: Contract) -> str:
    """SHA-256 (hex) of what clients call and parse. Equal hashes: no difference but in texts.

    Different ones may come from schemas that accept the same: compare() decides.
    """
    return _hash(_without_texts(contract))


def text_hash(contract: Contract) -> str:
    """SHA-256 (hex) of what people and language models read."""
    return _hash(_texts(contract))


def _hash(value: t.Any) -> str:
    return hashlib.sha256(schema.key(value).encode()).hexdigest()


def _without_texts(contract: Contract) -> Contract:
    """Arguments and annotations have a title and a description as their items have."""

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
    for listed, (name, _noun) in LISTS.items():
        for item in contract[listed]:
            found += [[listed, item[name], list(place), texts] for place, texts in texts_of(item).items()]
    return found


def texts_of(item: dict[str, t.Any]) -> dict[tuple[str, ...], list[str]]:
    """The texts of an item by their place below it, sorted. Branches of a union share the union's place."""
    found = {(name,): [item[name]] for name in sorted(TEXTS) if name in item}
    if "title" in item.get("annotations", {}):
        found["annotations", "title"] = [item["annotations"]["title"]]
    for argument in item.get("arguments", ()):
        found |= {("arguments", argument["name"], name): [argument[name]] for name in sorted(TEXTS) if name in argument}
    for name in SCHEMAS:
        if name in item:
            found |= {(name, *place): values for place, values in annotations_of(item[name], schema.TEXTS).items()}
    return dict(sorted(found.items()))


def annotations_of(whole: t.Any, keywords: t.Collection[str]) -> dict[tuple[str, ...], list[str]]:
    """The values of these keywords in a schema and all that it holds, by their place in it.

    Branches of a union share the union's place, and definitions one, so that another name of a definition changes nothing.
    """
    found: dict[tuple[str, ...], list[str]] = {}

    def walk(part: t.Any, place: tuple[str, ...]) -> None:
        if not isinstance(part, dict):
            return
        for keyword in keywords & part.keys():
            found.setdefault((*place, keyword), []).append(schema.key(part[keyword]))
        for below, child in schema.children(part):
            walk(
                child,
                place
                if below[0] in ("anyOf", "oneOf", "allOf")
                else (*place, "$defs")
                if below[0] == "$defs"
                else (*place, *below),
            )

    walk(whole, ())
    return {place: sorted(values) for place, values in found.items()}


def _shown(value: t.Any) -> str:
    return printable(value if isinstance(value, str) else type(value).__name__)


def _capabilities(value: t.Any) -> dict[str, t.Any]:
    """false and null are what a capability that is not there is."""

    def said(part: t.Any) -> t.Any:
        if not isinstance(part, dict):
            return part
        return {
            name: said(child)
            for name, child in part.items()
            if child is not None and child is not False and name != "_meta"
        }

    if not isinstance(value, dict):
        raise Failure("The server's capabilities are not an object.")
    try:
        return said(schema.data(value))
    except schema.TooDeep:
        raise Failure(f"The server's capabilities are nested deeper than {schema.MAX_DEPTH} levels.") from None


def _items(listed: str, items: t.Any) -> list[dict[str, t.Any]]:
    name, noun = LISTS[listed]
    if not isinstance(items, list):
        raise Failure(f"The server's {listed} are not a list.")
    found: dict[str, dict[str, t.Any]] = {}
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or not isinstance(item.get(name), str):
            raise Failure(f"Item {number} of the server's {listed} has no {name}.")
        subject = f"The server's {noun} {printable(item[name])}"
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
    normal = {name: value for name, value in item.items() if value is not None and name not in PASSING}
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
                    f"{subject} has an argument {printable(argument['name'])} with a {name} of the wrong type: {type(argument[name]).__name__}."
                )
        normal = {
            name: value for name, value in argument.items() if value not in (None, "", False) and name not in PASSING
        }
        if schema.key(found.setdefault(argument["name"], normal)) != schema.key(normal):
            raise Failure(f"{subject} has the argument {printable(argument['name'])} twice.")
    return [found[name] for name in sorted(found)]
