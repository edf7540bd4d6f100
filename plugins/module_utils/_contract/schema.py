# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring JSON Schemas (dialect 2020-12, MCP's default) into one canonical, equivalent form.

A schema is a dict or a bool, as in JSON. Malformed parts are kept: their comparison is undecidable.
"""

from __future__ import annotations

import json
import typing as t
from urllib.parse import unquote

Schema: t.TypeAlias = "dict[str, t.Any] | bool"

# Levels of nested schemas and values. Real tools have less than 20. The comparison takes a few stack frames for each.
MAX_DEPTH = 64
# Schemas that one schema may have after its definitions were inlined.
MAX_UNFOLDED = 5000

# Keywords with subschemas: by name, in a list, one.
MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SINGLE = frozenset(
    {
        *("additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else"),
        *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
    }
)

TEXTS = frozenset({"title", "description", "$comment", "examples", "example"})
# They inform clients, and accept or refuse nothing. format: JSON Schema 2020-12 validation, section 7.2.1.
NOTES = frozenset(
    {"default", "format", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema"}
)
# SEP-2243: the argument is also sent in a header of this name.
HEADER = "x-mcp-header"
ANNOTATIONS = TEXTS | NOTES | {HEADER}

# Keywords of 2020-12 mean the same in these dialects, once the older forms of tuples and bounds are rewritten.
DIALECTS = ("draft-04/schema", "draft-06/schema", "draft-07/schema", "draft/2019-09/schema", "draft/2020-12/schema")

# Values that restrict nothing.
TRIVIAL: dict[str, tuple[t.Any, ...]] = {
    **dict.fromkeys(("minLength", "minItems", "minProperties"), (0,)),
    "uniqueItems": (False,),
    **dict.fromkeys(("additionalProperties", "items", "propertyNames"), (True, {})),
    **dict.fromkeys(("required", "prefixItems"), ([],)),
    **dict.fromkeys(("properties", "patternProperties", "dependentRequired", "dependentSchemas"), ({},)),
}

# The bounds of the integers that JavaScript tells apart: zod 4 writes them for every integer, zod 3 does not.
SAFE = {"minimum": -(2**53 - 1), "maximum": 2**53 - 1}

# Prefix of a local reference below a nested $id, to which it is relative. It is not followed.
FOREIGN = "$id:"

# Keywords that depend on others of the same schema, so that schemas with them are not merged.
DEPENDENT = frozenset(
    {
        *(
            "additionalProperties",
            "patternProperties",
            "unevaluatedProperties",
            "unevaluatedItems",
            "items",
            "prefixItems",
        ),
        *("contains", "minContains", "maxContains", "if", "then", "else", "$ref", "$id", "$schema", "$dynamicRef"),
    }
)


class TooDeep(Exception):
    """Nested deeper than MAX_DEPTH."""


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def key(value: t.Any) -> str:
    """Return the same text for equal JSON values only. C(==) also takes true for 1."""
    return _ENCODER.encode(value)


def data(value: t.Any, depth: int = 0) -> t.Any:
    """Return a JSON value with one form of each number: 1.0 becomes 1. Raise TooDeep."""
    if depth > MAX_DEPTH:
        raise TooDeep
    if isinstance(value, dict):
        return {name: data(child, depth + 1) for name, child in value.items()}
    if isinstance(value, list):
        return [data(child, depth + 1) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_schema(value: t.Any) -> bool:
    return isinstance(value, (dict, bool))


def is_number(value: t.Any) -> bool:
    """Return whether it is a finite number: Python's parser also reads NaN and infinity."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value - value == 0


def is_names(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def unique(values: t.Iterable[t.Any]) -> list[t.Any]:
    """Return the values sorted, without duplicates."""
    return list({key(value): value for value in sorted(values, key=_order)}.values())


def _order(value: t.Any) -> tuple[str, str]:
    """Return a sort key: by what a schema accepts first, so that a text never reorders branches."""
    return key(without(value, TEXTS)), key(value)


def children(schema: dict[str, t.Any]) -> t.Iterator[tuple[tuple[str, ...], t.Any]]:
    """Yield the subschemas with their places."""
    for keyword, value in schema.items():
        if keyword in MAPS and isinstance(value, dict):
            yield from (((keyword, name), child) for name, child in value.items())
        elif keyword in LISTS and isinstance(value, list):
            yield from (((keyword, str(number)), child) for number, child in enumerate(value))
        elif keyword in SINGLE:
            yield (keyword,), value


def rebuilt(schema: dict[str, t.Any], change: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
    """Return the schema with every subschema changed."""
    new = dict(schema)
    for keyword, value in schema.items():
        if keyword in MAPS and isinstance(value, dict):
            new[keyword] = {name: change(child) for name, child in value.items()}
        elif keyword in LISTS and isinstance(value, list):
            new[keyword] = [change(child) for child in value]
        elif keyword in SINGLE:
            new[keyword] = change(value)
    return new


def without(schema: t.Any, keywords: t.Collection[str]) -> t.Any:
    """Return the schema without these keywords, at all levels. Properties of these names stay."""
    if not isinstance(schema, dict):
        return schema
    kept = {keyword: value for keyword, value in schema.items() if keyword not in keywords}
    return rebuilt(kept, lambda child: without(child, keywords))


def pointed(root: t.Any, ref: t.Any) -> t.Any:
    """Return the target of a local C($ref) (RFC 6901). Raise LookupError for all others: nothing is fetched."""
    if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
        raise LookupError(ref)
    found = root
    for part in unquote(ref).split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and part.isdecimal() and len(part) < 5:
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found[part]
        else:
            raise LookupError(ref)
    if not is_schema(found):
        raise LookupError(ref)
    return found


def canonical(schema: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the schema in canonical form; canonical(canonical(s)) == canonical(s).

    Definitions are inlined. Recursive ones stay in C($defs), and all do when the schema would have more than
    MAX_UNFOLDED schemas then. A C($ref) that is not local is kept. Raise TooDeep.
    """
    try:
        return _Canonical(schema, unfold=True).whole()
    except (_TooLarge, TooDeep):
        return _Canonical(schema, unfold=False).whole()


class _TooLarge(Exception):
    pass


class _Canonical:
    def __init__(self, root: dict[str, t.Any], *, unfold: bool) -> None:
        self._root = root
        self._unfold = unfold
        try:
            self._entangled = '"unevaluated' in key(root)
        except RecursionError:
            raise TooDeep from None
        self._count = 0
        self._names: dict[str, str] = {}
        self._definitions: dict[str, t.Any] = {}
        self._waiting: list[tuple[str, t.Any, tuple[str, ...]]] = []

    def whole(self) -> dict[str, t.Any]:
        root = self._schema({name: value for name, value in self._root.items() if name != "$id"}, ("#",), 0)
        if not isinstance(root, dict):
            root = {} if root is True else {"allOf": [root]}
        while self._waiting:
            name, target, under = self._waiting.pop()
            self._definitions[name] = self._schema(target, under, 0)
        return {**root, "$defs": self._definitions} if self._definitions else root

    def _schema(self, schema: t.Any, under: tuple[str, ...], depth: int) -> t.Any:
        """under: the references that are being followed."""
        self._count += 1
        if depth > MAX_DEPTH:
            raise TooDeep
        if self._unfold and self._count > MAX_UNFOLDED:
            raise _TooLarge
        if not isinstance(schema, dict):
            return data(schema, depth)
        if "$id" in schema and depth:
            under = (*under, FOREIGN)
        # OpenAPI's discriminator says again what the branches' const say.
        dropped = {"discriminator"} if FOREIGN in under else {"discriminator", "$defs", "definitions"}
        own = {name: value for name, value in schema.items() if name not in dropped}
        if FOREIGN in under and str(own.get("$ref")).startswith("#"):
            own["$ref"] = FOREIGN + own["$ref"]
        try:
            target = pointed(self._root, own.get("$ref"))
        except LookupError:
            target = None
        if target is None:
            found = self._keywords(own, under, depth)
            # Go's and zod's converters write false so.
            return False if found.keys() - ANNOTATIONS == {"not"} and found["not"] in (True, {}) else found
        ref = own.pop("$ref")
        found = self._reference(ref, target, under, depth)
        if not own:
            return found
        own = self._keywords(own, under, depth)
        if own.keys() <= ANNOTATIONS and isinstance(found, dict):
            return {**found, **own}
        return _merged({**own, "allOf": [*_list(own.get("allOf")), found]})

    def _reference(self, ref: str, target: t.Any, under: tuple[str, ...], depth: int) -> t.Any:
        if ref == "#":
            return {"$ref": ref}
        known = ref in self._names
        if not self._unfold:
            name = self._name(ref)
            if not known:
                self._waiting.append((name, target, (*under, ref)))
            return {"$ref": f"#/$defs/{name}"}
        if ref not in under and not (known and self._names[ref] in self._definitions):
            body = self._schema(target, (*under, ref), depth + 1)
            # A recursive definition got its name inside itself.
            if ref not in self._names:
                return body
            self._definitions[self._name(ref)] = body
        return {"$ref": f"#/$defs/{self._name(ref)}"}

    def _name(self, ref: str) -> str:
        """Return the name in $defs for this reference: unique, and without characters to escape."""
        if ref not in self._names:
            name = unquote(ref).removeprefix("#/").removeprefix("$defs/").removeprefix("definitions/")
            name = "".join("." if char in "/~%#" else char for char in name)
            while name in self._names.values():
                name += "_"
            self._names[ref] = name
        return self._names[ref]

    def _keywords(self, schema: dict[str, t.Any], under: tuple[str, ...], depth: int) -> dict[str, t.Any]:
        schema = _modern(schema)
        new = rebuilt(
            {
                name: data(value, depth) if name not in MAPS | LISTS | SINGLE else value
                for name, value in schema.items()
            },
            lambda child: self._schema(child, under, depth + 1),
        )
        # Malformed keywords have no subschemas, and were not changed.
        new = {
            name: data(value, depth) if name in MAPS | LISTS and value is schema[name] else value
            for name, value in new.items()
        }
        return _merged(_sorted(new, self._entangled))


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _modern(schema: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the schema with tuples and bounds as in 2020-12, and without C($schema) where that changes nothing."""
    dialect = schema.get("$schema")
    if isinstance(dialect, str) and dialect.rstrip("#").endswith(DIALECTS):
        schema = {name: value for name, value in schema.items() if name != "$schema"}
    if isinstance(schema.get("items"), list) and "prefixItems" not in schema:
        rest = schema.get("additionalItems", True)
        schema = {
            **{name: value for name, value in schema.items() if name != "additionalItems"},
            "prefixItems": schema["items"],
            "items": rest,
        }
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool):  # draft-04: it says how to read the bound
            kept = {name: value for name, value in schema.items() if name != exclusive}
            if schema[exclusive] and is_number(kept.get(bound)):
                kept[exclusive] = kept.pop(bound)
            schema = kept
    return schema


def _sorted(schema: dict[str, t.Any], entangled: bool) -> dict[str, t.Any]:
    """Return the schema with sets sorted, and without keywords that restrict nothing.

    entangled: there are unevaluated* keywords, for which additionalProperties: true has a meaning.
    """
    new = dict(schema)
    if isinstance(new.get("type"), str):
        new["type"] = [new["type"]]
    if is_names(new.get("type")):
        types = set(new["type"])
        new["type"] = sorted(types - {"integer"} if "number" in types else types)
    if "const" in new and "enum" not in new:
        new["enum"] = [new.pop("const")]
    if isinstance(new.get("enum"), list):
        new["enum"] = unique(new["enum"])
    if is_names(new.get("required")):
        new["required"] = sorted(set(new["required"]))
    if isinstance(new.get("dependentRequired"), dict):
        new["dependentRequired"] = {
            name: sorted(set(names)) if is_names(names) else names for name, names in new["dependentRequired"].items()
        }
    for keyword in ("allOf", "anyOf", "oneOf"):
        if isinstance(new.get(keyword), list) and all(map(is_schema, new[keyword])):
            # A value may match two equal branches of oneOf, and then matches not one.
            new[keyword] = unique(new[keyword]) if keyword != "oneOf" else sorted(new[keyword], key=_order)
    if "integer" in _list(new.get("type")):
        new = {keyword: value for keyword, value in new.items() if SAFE.get(keyword) != value or keyword not in SAFE}
    trivial = TRIVIAL.keys() - ({"additionalProperties", "items"} if entangled else set())
    return {
        keyword: value
        for keyword, value in new.items()
        if keyword not in trivial or key(value) not in map(key, TRIVIAL[keyword])
    }


def _merged(schema: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the schema with members of C(allOf), and single ones of C(anyOf) and C(oneOf), merged where possible."""
    members = _list(schema.get("allOf")) if isinstance(schema.get("allOf", []), list) else None
    if members is None:
        return schema
    base = {name: value for name, value in schema.items() if name != "allOf"}
    for keyword in ("anyOf", "oneOf"):
        if isinstance(base.get(keyword), list) and len(base[keyword]) == 1:
            members = [*members, *base.pop(keyword)]
    left = []
    for member in unique(members):
        merged = _merge(base, member)
        if merged is None:
            left.append(member)
        else:
            base = merged
    return {**base, "allOf": unique([*_list(base.get("allOf")), *left])} if left else base


def _merge(base: dict[str, t.Any], member: t.Any) -> dict[str, t.Any] | None:
    """Return both schemas as one, or None when keywords of one would change the meaning of the other's."""
    if member is True:
        return base
    if not isinstance(member, dict):
        return None
    of_base, of_member = base.keys() - ANNOTATIONS, member.keys() - ANNOTATIONS
    if of_base and of_member:
        shared = of_base & of_member
        if (of_base | of_member) & DEPENDENT or not shared <= {"type", "required", "properties"}:
            return None
        if "type" in shared and base["type"] != member["type"]:
            return None
        if "properties" in shared and (
            not all(isinstance(part["properties"], dict) for part in (base, member))
            or base["properties"].keys() & member["properties"]
        ):
            return None
        if "required" in shared and not (is_names(base["required"]) and is_names(member["required"])):
            return None
    both = {**member, **base}
    if of_base and of_member and "properties" in shared:
        both["properties"] = {**member["properties"], **base["properties"]}
    if of_base and of_member and "required" in shared:
        both["required"] = sorted({*member["required"], *base["required"]})
    return both
