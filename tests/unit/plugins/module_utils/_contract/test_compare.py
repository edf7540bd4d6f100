# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules as a table: what was, what is, and what that does to clients."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._contract.compare import (
    SESSION_MODES,
    accepted,
    compare,
    verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import SESSION_MODES as MODES
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import normalise


def contract(**offer):
    return normalise({"session_mode": "stateless", **offer})


def tool(input=None, output=None, **more):
    return {
        "name": "search",
        "inputSchema": {"type": "object", **(input or {})},
        **({"outputSchema": output} if output is not None else {}),
        **more,
    }


def changes(old, new, prefix=""):
    return [(change.severity, change.path.removeprefix(prefix), change.change) for change in compare(old, new)]


def of(**properties):
    return {"type": "object", "properties": properties}


def required(*names, **properties):
    return {**of(**properties), "required": list(names)}


STRING, INTEGER, NUMBER, NULL, BOOLEAN = ({"type": kind} for kind in ("string", "integer", "number", "null", "boolean"))
ANY: dict = {}


def maybe(schema):
    return {"anyOf": [schema, NULL]}


def array(items=None, **more):
    return {"type": "array", **({"items": items} if items else {}), **more}


def closed(schema):
    return {**schema, "additionalProperties": False}


B, R, U, C = "breaking", "risky", "undecidable", "compatible"
P = "properties/x"
CAT = required("kind", "n", kind={"const": "cat"}, n=INTEGER)
DOG = required("kind", kind={"const": "dog"})
BIRD = required("kind", kind={"const": "bird"})

# One property x: old, new, the findings as an input and as an output: (severity, path below x, change).
ONE_PROPERTY = [
    # type
    (STRING, STRING, [], []),
    ({"type": ["string"]}, STRING, [], []),
    (INTEGER, NUMBER, [(C, "type", "widened")], [(B, "type", "widened")]),
    (NUMBER, INTEGER, [(B, "type", "narrowed")], [(C, "type", "narrowed")]),
    (STRING, INTEGER, [(B, "type", "changed")], [(B, "type", "changed")]),
    (STRING, ANY, [(C, "type", "widened")], [(B, "type", "widened")]),
    (ANY, STRING, [(B, "type", "narrowed")], [(C, "type", "narrowed")]),
    (ANY, {"type": ["array", "boolean", "null", "number", "object", "string"]}, [], []),
    ({"type": ["integer", "number"]}, NUMBER, [], []),
    (STRING, {"type": ["string", "null"]}, [(C, "type", "widened")], [(B, "type", "widened")]),
    ({"type": ["null", "string"]}, maybe(STRING), [], []),
    (maybe(STRING), STRING, [(B, "type", "narrowed")], [(C, "type", "narrowed")]),
    (STRING, maybe(STRING), [(C, "type", "widened")], [(B, "type", "widened")]),
    (maybe(STRING), maybe(INTEGER), [(B, "type", "changed")], [(B, "type", "changed")]),
    (maybe(INTEGER), maybe(NUMBER), [(C, "type", "widened")], [(B, "type", "widened")]),
    ({"anyOf": [STRING, INTEGER]}, {"anyOf": [INTEGER, STRING]}, [], []),
    ({"anyOf": [STRING, INTEGER, NUMBER]}, {"anyOf": [STRING, NUMBER]}, [], []),
    # boolean schemas
    (True, ANY, [], []),
    (True, {"title": "X"}, [(R, "title", "changed")], [(R, "title", "changed")]),
    (False, STRING, [(C, "", "widened")], [(B, "", "widened")]),
    (STRING, False, [(B, "", "narrowed")], [(C, "", "narrowed")]),
    # enum and const
    ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, [], []),
    ({"const": "a"}, {"enum": ["a"]}, [], []),
    ({"enum": ["a"]}, {"type": "string", "enum": ["a"]}, [], []),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, [(B, "enum", "narrowed")], [(C, "enum", "narrowed")]),
    ({"const": "a"}, {"enum": ["a", "b"]}, [(C, "enum", "widened")], [(R, "enum", "widened")]),
    ({"enum": ["a", "b"]}, {"enum": ["a", "c"]}, [(B, "enum", "changed")], [(B, "enum", "changed")]),
    ({"enum": ["a"]}, STRING, [(C, "enum", "widened")], [(B, "enum", "widened")]),
    (STRING, {"enum": ["a"]}, [(B, "enum", "narrowed")], [(C, "enum", "narrowed")]),
    ({"enum": ["a"]}, {**STRING, "minLength": 2}, [(B, "enum", "changed")], [(B, "enum", "changed")]),
    ({"enum": [1, 2]}, {**INTEGER, "minimum": 1, "maximum": 2}, [(C, "enum", "widened")], [(B, "enum", "widened")]),
    ({"enum": ["a"]}, {**STRING, "pattern": "^a"}, [(U, "enum", "changed")], [(U, "enum", "changed")]),
    ({"enum": ["a"]}, {"enum": ["a", None]}, [(C, "type", "widened")], [(B, "type", "widened")]),
    ({"const": 1}, {"const": True}, [(B, "type", "changed")], [(B, "type", "changed")]),
    ({"const": 1}, {"const": 1.0}, [], []),
    (BOOLEAN, {"enum": [False, True]}, [], []),
    (BOOLEAN, {"const": True}, [(B, "enum", "narrowed")], [(C, "enum", "narrowed")]),
    ({"anyOf": [{"const": "a"}, {"const": "b"}]}, {"enum": ["a", "b"]}, [], []),
    (maybe({"enum": ["a", "b"]}), maybe({"enum": ["a"]}), [(B, "enum", "narrowed")], [(C, "enum", "narrowed")]),
    # numbers
    (INTEGER, {**INTEGER, "minimum": 1}, [(B, "minimum", "narrowed")], [(C, "minimum", "narrowed")]),
    ({**INTEGER, "minimum": 1}, {**INTEGER, "minimum": 0}, [(C, "minimum", "widened")], [(B, "minimum", "widened")]),
    ({**INTEGER, "minimum": 1}, {**INTEGER, "exclusiveMinimum": 0}, [], []),
    (
        {**NUMBER, "minimum": 1},
        {**NUMBER, "exclusiveMinimum": 0},
        [(C, "minimum", "widened")],
        [(B, "minimum", "widened")],
    ),
    (
        {**NUMBER, "minimum": 0},
        {**NUMBER, "exclusiveMinimum": 0},
        [(B, "minimum", "narrowed")],
        [(C, "minimum", "narrowed")],
    ),
    ({**NUMBER, "maximum": 9}, {**NUMBER, "maximum": 10}, [(C, "maximum", "widened")], [(B, "maximum", "widened")]),
    (
        {**NUMBER, "maximum": 9},
        {**NUMBER, "exclusiveMaximum": 9},
        [(B, "maximum", "narrowed")],
        [(C, "maximum", "narrowed")],
    ),
    ({**NUMBER, "maximum": 9}, {**NUMBER, "maximum": 9, "exclusiveMaximum": 10}, [], []),
    (
        {**NUMBER, "multipleOf": 6},
        {**NUMBER, "multipleOf": 3},
        [(C, "multipleOf", "widened")],
        [(B, "multipleOf", "widened")],
    ),
    (
        {**NUMBER, "multipleOf": 0.3},
        {**NUMBER, "multipleOf": 0.1},
        [(C, "multipleOf", "widened")],
        [(B, "multipleOf", "widened")],
    ),
    (
        {**NUMBER, "multipleOf": 2},
        {**NUMBER, "multipleOf": 3},
        [(B, "multipleOf", "changed")],
        [(B, "multipleOf", "changed")],
    ),
    (INTEGER, {**INTEGER, "multipleOf": 1}, [], []),
    ({"type": "string", "minimum": 1}, {"type": "string", "minimum": 9}, [], []),
    # strings
    (STRING, {**STRING, "minLength": 0}, [], []),
    (STRING, {**STRING, "minLength": 1}, [(B, "minLength", "narrowed")], [(C, "minLength", "narrowed")]),
    (
        {**STRING, "maxLength": 9},
        {**STRING, "maxLength": 8},
        [(B, "maxLength", "narrowed")],
        [(C, "maxLength", "narrowed")],
    ),
    ({**STRING, "maxLength": 9}, STRING, [(C, "maxLength", "widened")], [(B, "maxLength", "widened")]),
    (STRING, {**STRING, "pattern": "a"}, [(B, "pattern", "narrowed")], [(C, "pattern", "narrowed")]),
    ({**STRING, "pattern": "a"}, STRING, [(C, "pattern", "widened")], [(B, "pattern", "widened")]),
    (
        {**STRING, "pattern": "a"},
        {**STRING, "pattern": "[a]"},
        [(U, "pattern", "changed")],
        [(U, "pattern", "changed")],
    ),
    (STRING, {**STRING, "format": "uri"}, [(R, "format", "changed")], [(R, "format", "changed")]),
    # arrays
    (array(STRING), array(STRING), [], []),
    (array(INTEGER), array(NUMBER), [(C, "items/type", "widened")], [(B, "items/type", "widened")]),
    (array(), array(STRING), [(B, "items/type", "narrowed")], [(C, "items/type", "narrowed")]),
    (array(), array(minItems=1), [(B, "minItems", "narrowed")], [(C, "minItems", "narrowed")]),
    (array(maxItems=3), array(maxItems=4), [(C, "maxItems", "widened")], [(B, "maxItems", "widened")]),
    (array(), array(uniqueItems=True), [(B, "uniqueItems", "narrowed")], [(C, "uniqueItems", "narrowed")]),
    (array(uniqueItems=False), array(), [], []),
    (
        array(prefixItems=[STRING, INTEGER]),
        array(prefixItems=[STRING, NUMBER]),
        [(C, "prefixItems/1/type", "widened")],
        [(B, "prefixItems/1/type", "widened")],
    ),
    (array(prefixItems=[STRING], maxItems=1), {"type": "array", "prefixItems": [STRING], "items": False}, [], []),
    (
        {"type": "array", "items": [STRING], "additionalItems": False},
        {"type": "array", "prefixItems": [STRING], "items": False},
        [],
        [],
    ),
    (
        array(prefixItems=[STRING], maxItems=1),
        array(prefixItems=[STRING, STRING], maxItems=2),
        [(C, "maxItems", "widened")],
        [(B, "maxItems", "widened")],
    ),
    (
        array(STRING),
        array(prefixItems=[INTEGER], items=STRING),
        [(B, "prefixItems/0/type", "changed")],
        [(B, "prefixItems/0/type", "changed")],
    ),
    (array(contains=STRING), array(contains=INTEGER), [(U, "contains", "changed")], [(U, "contains", "changed")]),
    # objects
    (of(a=STRING), of(a=STRING, b=STRING), [(C, "properties/b", "added")], [(C, "properties/b", "added")]),
    (
        closed(of(a=STRING)),
        closed(of(a=STRING, b=STRING)),
        [(C, "properties/b", "added")],
        [(B, "properties/b", "added")],
    ),
    (of(a=STRING, b=STRING), of(a=STRING), [(R, "properties/b", "removed")], [(B, "properties/b", "removed")]),
    (
        closed(of(a=STRING, b=STRING)),
        closed(of(a=STRING)),
        [(B, "properties/b", "removed")],
        [(B, "properties/b", "removed")],
    ),
    (
        of(a=STRING),
        required("a", a=STRING),
        [(B, "properties/a", "now required")],
        [(C, "properties/a", "now required")],
    ),
    (
        required("a", a=STRING),
        of(a=STRING),
        [(C, "properties/a", "no longer required")],
        [(B, "properties/a", "no longer required")],
    ),
    (of(), required("a", a=STRING), [(B, "properties/a", "now required")], [(C, "properties/a", "now required")]),
    (
        closed(of()),
        closed(required("a", a=STRING)),
        [(B, "properties/a", "now required")],
        [(B, "properties/a", "now required")],
    ),
    (required("a", a=STRING), of(), [(R, "properties/a", "removed")], [(B, "properties/a", "removed")]),
    (
        required("a"),
        of(a=STRING),
        [(B, "properties/a/type", "narrowed"), (C, "properties/a", "no longer required")],
        [(B, "properties/a", "no longer required"), (C, "properties/a/type", "narrowed")],
    ),
    # zod lists an argument with a default as required, and fills it in
    (
        of(a=STRING),
        required("a", a={**STRING, "default": "b"}),
        [(R, "properties/a", "now required")],
        [(C, "properties/a", "now required")],
    ),
    (
        closed(of()),
        closed(required("a", a={**STRING, "default": "b"})),
        [(R, "properties/a", "now required")],
        [(B, "properties/a", "now required")],
    ),
    (
        of(a=INTEGER),
        required("a", a={**STRING, "default": "b"}),
        [(B, "properties/a/type", "changed"), (R, "properties/a", "now required")],
        [(B, "properties/a/type", "changed"), (C, "properties/a", "now required")],
    ),
    # zod 4 writes the pattern of a format; a URL has none
    (
        {**STRING, "format": "uri"},
        {**STRING, "format": "uri", "pattern": "^a"},
        [(B, "pattern", "narrowed")],
        [(C, "pattern", "narrowed")],
    ),
    (
        {**STRING, "format": "email"},
        {**STRING, "format": "email", "pattern": "^a"},
        [(R, "pattern", "narrowed")],
        [(C, "pattern", "narrowed")],
    ),
    (
        STRING,
        {**STRING, "format": "email", "pattern": "^a"},
        [(B, "pattern", "narrowed"), (R, "format", "changed")],
        [(R, "format", "changed"), (C, "pattern", "narrowed")],
    ),
    # false, as converters write it
    ({**of(a=STRING), "additionalProperties": {"not": {}}}, closed(of(a=STRING)), [], []),
    ({"anyOf": [{"not": {}}, STRING]}, STRING, [], []),
    ({"anyOf": [{"not": STRING}, STRING]}, ANY, [(U, "not", "changed")], [(U, "not", "changed")]),
    # clients send what is declared, if anything is
    (of(), closed(of()), [(B, "additionalProperties", "narrowed")], [(C, "additionalProperties", "narrowed")]),
    (
        of(a=STRING),
        closed(of(a=STRING)),
        [(R, "additionalProperties", "narrowed")],
        [(C, "additionalProperties", "narrowed")],
    ),
    (
        {"anyOf": [CAT, DOG]},
        {"anyOf": [closed(CAT), closed(DOG)]},
        [(R, "additionalProperties", "narrowed")],
        [(C, "additionalProperties", "narrowed")],
    ),
    (
        {"anyOf": [CAT, DOG]},
        {"anyOf": [closed(CAT), closed(DOG), closed(BIRD)]},
        [(R, "additionalProperties", "narrowed"), (C, "anyOf", "widened")],
        [(B, "anyOf", "widened"), (C, "additionalProperties", "narrowed")],
    ),
    (
        {"anyOf": [CAT, DOG]},
        {"anyOf": [closed(required("kind", kind={"const": "cat"})), closed(DOG)]},
        [(B, "anyOf", "changed"), (R, "additionalProperties", "narrowed")],
        [(B, "anyOf", "changed"), (C, "additionalProperties", "narrowed")],
    ),
    (
        of(a=STRING, b=STRING),
        closed(of(a=STRING)),
        [(B, "properties/b", "removed"), (R, "additionalProperties", "narrowed")],
        [(B, "properties/b", "removed"), (C, "additionalProperties", "narrowed")],
    ),
    (
        {**of(a=STRING), "additionalProperties": STRING},
        closed(of(a=STRING)),
        [(B, "additionalProperties", "narrowed")],
        [(C, "additionalProperties", "narrowed")],
    ),
    (closed(of()), of(), [(C, "additionalProperties", "widened")], [(B, "additionalProperties", "widened")]),
    ({**of(), "additionalProperties": True}, of(), [], []),
    (
        {**of(), "additionalProperties": INTEGER},
        {**of(), "additionalProperties": NUMBER},
        [(C, "additionalProperties/type", "widened")],
        [(B, "additionalProperties/type", "widened")],
    ),
    (
        {**of(), "additionalProperties": INTEGER},
        {**of(a=STRING), "additionalProperties": INTEGER},
        [(B, "properties/a/type", "changed"), (C, "properties/a", "added")],
        [(B, "properties/a/type", "changed"), (C, "properties/a", "added")],
    ),
    (
        {**of(a=INTEGER), "additionalProperties": NUMBER},
        {**of(), "additionalProperties": NUMBER},
        [(R, "properties/a", "removed"), (C, "properties/a/type", "widened")],
        [(B, "properties/a", "removed"), (B, "properties/a/type", "widened")],
    ),
    ({**of(), "minProperties": 1}, of(), [(C, "minProperties", "widened")], [(B, "minProperties", "widened")]),
    (of(), {**of(), "maxProperties": 1}, [(B, "maxProperties", "narrowed")], [(C, "maxProperties", "narrowed")]),
    (
        of(),
        {**of(), "patternProperties": {"^a": STRING}},
        [(U, "patternProperties", "changed")],
        [(U, "patternProperties", "changed")],
    ),
    (
        {**closed(of()), "patternProperties": {"^a": STRING}},
        {**closed(of(ab=STRING)), "patternProperties": {"^a": STRING}},
        [(U, "properties/ab", "added")],
        [(U, "properties/ab", "added")],
    ),
    (
        of(),
        {**of(), "propertyNames": {"maxLength": 3}},
        [(B, "propertyNames/maxLength", "narrowed")],
        [(C, "propertyNames/maxLength", "narrowed")],
    ),
    (of(), {**of(), "propertyNames": STRING}, [], []),
    (
        of(a=STRING),
        {**of(a=STRING), "dependentRequired": {"a": ["b"]}},
        [(B, "dependentRequired/a", "narrowed")],
        [(C, "dependentRequired/a", "narrowed")],
    ),
    (required("b"), {**required("b"), "dependentRequired": {"a": ["b"]}}, [], []),
    (
        {"unevaluatedProperties": False, "additionalProperties": True},
        {"unevaluatedProperties": False},
        [(U, "", "changed")],
        [(U, "", "changed")],
    ),
    (of(), {**of(), "unevaluatedProperties": False}, [(U, "", "changed")], [(U, "", "changed")]),
    # unions
    ({"anyOf": [CAT, DOG]}, {"anyOf": [DOG, CAT]}, [], []),
    ({"anyOf": [CAT, DOG]}, {"anyOf": [CAT, DOG, BIRD]}, [(C, "anyOf", "widened")], [(B, "anyOf", "widened")]),
    ({"anyOf": [CAT, DOG, BIRD]}, {"anyOf": [CAT, DOG]}, [(B, "anyOf", "narrowed")], [(C, "anyOf", "narrowed")]),
    (
        {"anyOf": [CAT, DOG]},
        {"anyOf": [{**CAT, "required": ["kind"]}, DOG]},
        [(C, "properties/n", "no longer required")],
        [(B, "properties/n", "no longer required")],
    ),
    ({"oneOf": [CAT, DOG]}, {"anyOf": [CAT, DOG]}, [], []),
    ({"oneOf": [CAT, DOG], "discriminator": {"propertyName": "kind"}}, {"oneOf": [CAT, DOG]}, [], []),
    ({"oneOf": [CAT, DOG]}, {"oneOf": [CAT, DOG, BIRD]}, [(C, "anyOf", "widened")], [(B, "anyOf", "widened")]),
    (
        {"oneOf": [of(a=STRING), of(b=STRING)]},
        {"oneOf": [of(a=STRING), of(c=STRING)]},
        [(U, "oneOf", "changed")],
        [(U, "oneOf", "changed")],
    ),
    # branches of oneOf may say again what the other side says outside, and are of its kinds
    (
        required("a", a=STRING),
        {"oneOf": [required("a", a=STRING), required("b", b={**STRING, "format": "uuid"})]},
        [(U, "oneOf", "changed")],
        [(U, "oneOf", "changed")],
    ),
    (
        {"oneOf": [required("a", a=STRING), required("b", b=STRING)]},
        STRING,
        [(B, "type", "changed")],
        [(B, "type", "changed")],
    ),
    (
        {**of(a=STRING), "oneOf": [required("a"), required("b")]},
        of(a=INTEGER),
        [(U, "oneOf", "changed"), (B, "properties/a/type", "changed")],
        [(U, "oneOf", "changed"), (B, "properties/a/type", "changed")],
    ),
    # no branch can say again what it does not name
    (
        {**of(a=STRING, b=STRING), "oneOf": [required("a"), required("b")]},
        required("c", a=STRING, b=STRING, c=STRING),
        [(U, "oneOf", "changed"), (B, "properties/c", "now required")],
        [(U, "oneOf", "changed"), (C, "properties/c", "now required")],
    ),
    (
        of(a=STRING, b=STRING),
        {**of(a=STRING), "oneOf": [required("a"), of(a={**STRING, "minLength": 2})]},
        [(U, "oneOf", "changed"), (R, "properties/b", "removed")],
        [(U, "oneOf", "changed"), (B, "properties/b", "removed")],
    ),
    # a branch that one side lacks has annotations of its own
    (
        {"anyOf": [STRING, of(a=STRING)]},
        {"anyOf": [STRING, of(a=STRING), array(of(b={**STRING, "default": "c"}))]},
        [(C, "type", "widened")],
        [(B, "type", "widened")],
    ),
    (
        of(),
        {**of(), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        [(B, "anyOf", "narrowed")],
        [(C, "anyOf", "narrowed")],
    ),
    # the rest of the logic
    ({"allOf": [STRING]}, STRING, [], []),
    ({"allOf": [STRING, {"minLength": 1}]}, STRING, [(C, "minLength", "widened")], [(B, "minLength", "widened")]),
    ({"allOf": [of(a=STRING), required("b", b=STRING)]}, required("b", a=STRING, b=STRING), [], []),
    ({"allOf": [closed(of(a=STRING)), of(b=STRING)]}, {"allOf": [of(b=STRING), closed(of(a=STRING))]}, [], []),
    (
        {**STRING, "not": {"const": "a"}},
        {**STRING, "not": {"const": "b"}},
        [(U, "not", "changed")],
        [(U, "not", "changed")],
    ),
    ({**STRING, "not": {"const": "a"}}, STRING, [(U, "not", "changed")], [(U, "not", "changed")]),
    (
        of(),
        {**of(), "if": {}, "then": {}},
        [(U, "if", "changed"), (U, "then", "changed")],
        [(U, "if", "changed"), (U, "then", "changed")],
    ),
    (STRING, {**STRING, "frobnicate": 1}, [(U, "frobnicate", "changed")], [(U, "frobnicate", "changed")]),
    ({"type": "word"}, {"type": "sentence"}, [(U, "type", "changed")], [(U, "type", "changed")]),
    ({"type": "word"}, {"type": "word"}, [], []),
    (of(), {"type": "object", "properties": 5}, [(U, "properties", "changed")], [(U, "properties", "changed")]),
    # annotations
    ({**STRING, "default": "a"}, {**STRING, "default": "b"}, [(R, "default", "changed")], [(R, "default", "changed")]),
    (
        {**STRING, "description": "a"},
        {**STRING, "description": "b"},
        [(R, "description", "changed")],
        [(R, "description", "changed")],
    ),
    ({**INTEGER, "default": 1.0}, {**INTEGER, "default": 1}, [], []),
    (
        of(title=STRING),
        of(title=INTEGER),
        [(B, "properties/title/type", "changed")],
        [(B, "properties/title/type", "changed")],
    ),
    ({**STRING, "x-mcp-header": "Region"}, STRING, [(C, "x-mcp-header", "removed")], [(U, "x-mcp-header", "changed")]),
    (STRING, {**STRING, "x-mcp-header": "Region"}, [(B, "x-mcp-header", "added")], [(U, "x-mcp-header", "changed")]),
    (
        {**STRING, "x-mcp-header": "Region"},
        {**STRING, "x-mcp-header": "Zone"},
        [(B, "x-mcp-header", "changed")],
        [(U, "x-mcp-header", "changed")],
    ),
    # references
    ({"$ref": "#/$defs/Leaf"}, STRING, [], []),
    ({"$ref": "#/$defs/Leaf", "minLength": 1}, STRING, [(C, "minLength", "widened")], [(B, "minLength", "widened")]),
    ({"$ref": "#/$defs/Leaf", "description": "a"}, {**STRING, "description": "a"}, [], []),
    ({"$ref": "#/$defs/Node"}, {"$ref": "#/$defs/Node"}, [], []),
    ({"$ref": "#/$defs/Node"}, {"$ref": "#/$defs/Copy"}, [], []),
    (
        {"$ref": "#/$defs/Node"},
        {"$ref": "#/$defs/Wide"},
        [(C, "properties/value/type", "widened")],
        [(B, "properties/value/type", "widened")],
    ),
    ({"$ref": "http://127.0.0.1/x"}, {"$ref": "http://127.0.0.1/x"}, [], []),
    (
        {"$ref": "http://127.0.0.1/x"},
        {"$ref": "http://127.0.0.1/y"},
        [(U, "$ref", "changed")],
        [(U, "$ref", "changed")],
    ),
    (
        {"$ref": "#/$defs/Gone"},
        STRING,
        [(U, "$ref", "changed"), (B, "type", "narrowed")],
        [(U, "$ref", "changed"), (C, "type", "narrowed")],
    ),
]
DEFINITIONS = {
    "Leaf": STRING,
    "Node": of(value=INTEGER, next={"$ref": "#/$defs/Node"}),
    "Copy": of(value=INTEGER, next={"$ref": "#/$defs/Copy"}),
    "Wide": of(value=NUMBER, next={"$ref": "#/$defs/Wide"}),
    "Unused": False,
}


@pytest.mark.parametrize("old, new, as_input, as_output", ONE_PROPERTY)
def test_a_property_changes(old, new, as_input, as_output):
    def below(place):
        return f"tools/search/{place}/{P}"

    def found(place, one, other):
        return [
            (change.severity, change.path.removeprefix(below(place)).lstrip("/"), change.change)
            for change in compare(contract(tools=[one]), contract(tools=[other]))
            if change.path.startswith(below(place))
        ]

    old, new = ({**of(x=side), "$defs": DEFINITIONS} for side in (old, new))
    assert sorted(found("inputSchema", tool(old), tool(new))) == sorted(as_input)
    assert sorted(found("outputSchema", tool(output=old), tool(output=new))) == sorted(as_output)


def prompt(*arguments, **more):
    return {"prompts": [{"name": "greet", "arguments": list(arguments), **more}]}


def resource(**more):
    return {"resources": [{"uri": "file:///x", "name": "x", **more}]}


def template(uri, **more):
    return {"resource_templates": [{"uriTemplate": uri, "name": "x", **more}]}


def tools(**more):
    return {"tools": [tool(**more)]}


def hints(**annotations):
    return tools(annotations=annotations)


CITY, CITY_REQUIRED = {"name": "city"}, {"name": "city", "required": True}

SERVER = [
    # protocol versions
    ({"protocol_versions": ["2025-06-18"]}, {}, [(B, "protocol_versions/2025-06-18", "removed")]),
    ({}, {"protocol_versions": ["2025-06-18"]}, [(C, "protocol_versions/2025-06-18", "added")]),
    ({"protocol_versions": ["a", "b", "a"]}, {"protocol_versions": ["b", "a"]}, []),
    # capabilities
    ({"capabilities": {"tools": {}}}, {}, [(B, "capabilities/tools", "removed")]),
    ({}, {"capabilities": {"tools": {}}}, [(C, "capabilities/tools", "added")]),
    ({"capabilities": {"prompts": {}}}, {}, [(R, "capabilities/prompts", "removed")]),
    ({"capabilities": {"resources": {}}}, {}, [(R, "capabilities/resources", "removed")]),
    ({"capabilities": {"completions": {}}}, {}, [(R, "capabilities/completions", "removed")]),
    (
        {"capabilities": {"completions": {}}, **prompt()},
        prompt(),
        [(B, "capabilities/completions", "removed")],
    ),
    ({"capabilities": {"tasks": {}}, **tools()}, tools(), [(R, "capabilities/tasks", "removed")]),
    (
        {"capabilities": {"tasks": {}}, **tools(execution={"taskSupport": "optional"})},
        tools(execution={"taskSupport": "optional"}),
        [(B, "capabilities/tasks", "removed")],
    ),
    (
        {"capabilities": {"resources": {}}, **template("file:///{path}")},
        template("file:///{path}"),
        [(B, "capabilities/resources", "removed")],
    ),
    (
        {"capabilities": {"prompts": {}}, **prompt()},
        {},
        [(B, "capabilities/prompts", "removed"), (B, "prompts/greet", "removed")],
    ),
    (
        {"capabilities": {"resources": {"subscribe": True}}},
        {"capabilities": {"resources": {}}},
        [(B, "capabilities/resources/subscribe", "removed")],
    ),
    (
        {"capabilities": {"tools": {"listChanged": True}}},
        {"capabilities": {"tools": {"listChanged": False}}},
        [(R, "capabilities/tools/listChanged", "removed")],
    ),
    (
        {"capabilities": {"tools": {}}},
        {"capabilities": {"tools": {"listChanged": True}}},
        [(C, "capabilities/tools/listChanged", "added")],
    ),
    ({"capabilities": {"tools": {"listChanged": False}, "logging": None}}, {"capabilities": {"tools": {}}}, []),
    (
        {"capabilities": {"experimental": {"a": {}}}},
        {"capabilities": {"experimental": {}}},
        [(B, "capabilities/experimental/a", "removed")],
    ),
    ({"capabilities": {"experimental": {}}}, {"capabilities": {}}, []),
    ({"tools": [tool()]}, {"tools": [{"name": "search"}]}, [(B, "tools/search/inputSchema", "removed")]),
    (
        {"tools": [{"name": "search", "inputSchema": {}}]},
        tools(input=required("a", a=STRING)),
        [(U, "tools/search/inputSchema", "added")],
    ),
    (
        {"tools": [{"name": "search", "inputSchema": {"$schema": "http://json-schema.org/draft-07/schema#"}}]},
        {"tools": [{"name": "search", "inputSchema": {}}]},
        [],
    ),
    # the arguments of a tool are a list, even when it has none
    (tools(), tools(input=closed(of())), [(R, "tools/search/inputSchema/additionalProperties", "narrowed")]),
    (
        tools(),
        tools(input=closed(of(a=STRING))),
        [
            (B, "tools/search/inputSchema/additionalProperties", "narrowed"),
            (C, "tools/search/inputSchema/properties/a", "added"),
        ],
    ),
    (
        {"capabilities": {"extensions": {"a": 1}}},
        {"capabilities": {"extensions": {"a": 2}}},
        [(U, "capabilities/extensions/a", "changed")],
    ),
    ({"capabilities": {"tools": {}}}, {"capabilities": {"tools": 7}}, [(U, "capabilities/tools", "changed")]),
    # texts
    ({"instructions": "a"}, {"instructions": "b"}, [(R, "instructions", "changed")]),
    ({"instructions": ""}, {"instructions": None}, []),
    (tools(description="a"), tools(description="b"), [(R, "tools/search/description", "changed")]),
    (tools(title="a"), tools(), [(R, "tools/search/title", "changed")]),
    (hints(title="a"), hints(title="b"), [(R, "tools/search/annotations/title", "changed")]),
    # what passes
    (tools(_meta={"a": 1}, icons=[1]), tools(_meta={"a": 2}), []),
    (resource(size=1, annotations={"lastModified": "a"}), resource(size=2, annotations={"lastModified": "b"}), []),
    # tools
    (tools(), {}, [(B, "tools/search", "removed")]),
    ({}, tools(), [(C, "tools/search", "added")]),
    (tools(output=of(a=STRING)), tools(), [(B, "tools/search/outputSchema", "removed")]),
    (tools(), tools(output=of(a=STRING)), [(C, "tools/search/outputSchema", "added")]),
    (
        tools(),
        tools(execution={"taskSupport": "required"}),
        [(B, "tools/search/execution/taskSupport", "now required")],
    ),
    (tools(), tools(execution={"taskSupport": "optional"}), [(C, "tools/search/execution/taskSupport", "added")]),
    (tools(execution={"taskSupport": "optional"}), tools(), [(B, "tools/search/execution/taskSupport", "removed")]),
    (
        tools(execution={"taskSupport": "required"}),
        tools(execution={"taskSupport": "optional"}),
        [(C, "tools/search/execution/taskSupport", "no longer required")],
    ),
    (tools(execution={"taskSupport": "forbidden"}), tools(), []),
    (tools(), tools(execution={"taskSupport": 1}), [(U, "tools/search/execution/taskSupport", "changed")]),
    (tools(), tools(future={"a": 1}), [(U, "tools/search/future", "changed")]),
    (hints(readOnlyHint=True), hints(readOnlyHint=False), [(R, "tools/search/annotations/readOnlyHint", "changed")]),
    (hints(readOnlyHint=True, destructiveHint=False), hints(readOnlyHint=True), []),
    (hints(readOnlyHint=False), hints(readOnlyHint=True), [(C, "tools/search/annotations/readOnlyHint", "changed")]),
    (hints(readOnlyHint=False), hints(), []),
    (hints(destructiveHint=False), hints(), [(R, "tools/search/annotations/destructiveHint", "changed")]),
    (hints(), hints(destructiveHint=True), []),
    (
        hints(destructiveHint=True),
        hints(destructiveHint=False),
        [(C, "tools/search/annotations/destructiveHint", "changed")],
    ),
    (hints(idempotentHint=True), hints(), [(R, "tools/search/annotations/idempotentHint", "changed")]),
    (hints(openWorldHint=False), hints(), [(R, "tools/search/annotations/openWorldHint", "changed")]),
    (hints(), hints(future=1), [(R, "tools/search/annotations/future", "changed")]),
    # prompts
    (prompt(), {}, [(B, "prompts/greet", "removed")]),
    ({}, prompt(), [(C, "prompts/greet", "added")]),
    (prompt(), prompt(CITY), [(C, "prompts/greet/arguments/city", "added")]),
    (prompt(), prompt(CITY_REQUIRED), [(B, "prompts/greet/arguments/city", "now required")]),
    (prompt(CITY), prompt(CITY_REQUIRED), [(B, "prompts/greet/arguments/city", "now required")]),
    (prompt(CITY_REQUIRED), prompt(CITY), [(C, "prompts/greet/arguments/city", "no longer required")]),
    (prompt(CITY), prompt(), [(B, "prompts/greet/arguments/city", "removed")]),
    (prompt({**CITY, "required": False}), prompt(CITY), []),
    (prompt(CITY), prompt({**CITY, "description": "a"}), [(R, "prompts/greet/arguments/city/description", "changed")]),
    (prompt(description="a"), prompt(description="b"), [(R, "prompts/greet/description", "changed")]),
    # resources and templates
    (resource(), {}, [(B, "resources/file:///x", "removed")]),
    ({}, resource(), [(C, "resources/file:///x", "added")]),
    (resource(mimeType="text/plain"), resource(mimeType="text/html"), [(B, "resources/file:///x/mimeType", "changed")]),
    (resource(mimeType="text/plain"), resource(mimeType="Text/Plain"), []),
    (resource(mimeType="text/plain"), resource(), [(R, "resources/file:///x/mimeType", "removed")]),
    (resource(), resource(mimeType="text/plain"), [(C, "resources/file:///x/mimeType", "added")]),
    (resource(), resource(name="y"), [(R, "resources/file:///x/name", "changed")]),
    (resource(annotations={"priority": 1}), resource(), [(R, "resources/file:///x/annotations/priority", "changed")]),
    (template("f:{a}"), {}, [(B, "resource_templates/f:{a}", "removed")]),
    ({}, template("f:{a}"), [(C, "resource_templates/f:{a}", "added")]),
    (template("f:{a}"), template("f:{b}"), [(R, "resource_templates/f:{a}", "changed")]),
    (template("f:{a}"), template("f:{a}{?q}"), [(C, "resource_templates/f:{a}", "widened")]),
    (
        template("f:{a}"),
        template("f:{+a}"),
        [(B, "resource_templates/f:{a}", "removed"), (C, "resource_templates/f:{+a}", "added")],
    ),
    (
        template("f:{?a}"),
        template("f:{?b}"),
        [(B, "resource_templates/f:{?a}", "removed"), (C, "resource_templates/f:{?b}", "added")],
    ),
    (
        template("f:{a}", mimeType="a/b"),
        template("f:{a}", mimeType="a/c"),
        [(B, "resource_templates/f:{a}/mimeType", "changed")],
    ),
]


@pytest.mark.parametrize("old, new, expected", SERVER)
def test_a_server_changes(old, new, expected):
    assert changes(contract(**old), contract(**new)) == expected


@pytest.mark.parametrize(
    "old, new, severity",
    [
        ("modern", "stateless", C),
        ("stateless", "modern", C),
        ("modern", "stateful", B),
        ("stateless", "stateful", B),
        ("modern", "sse", B),
        ("stateless", "sse", B),
        ("stateful", "sse", B),
        ("stateful", "stateless", R),
        ("stateful", "modern", R),
        ("sse", "modern", B),
        ("sse", "stateless", B),
        ("sse", "stateful", B),
    ],
)
def test_the_session_mode_changes(old, new, severity):
    assert changes(contract(session_mode=old), contract(session_mode=new)) == [(severity, "session_mode", "changed")]


def test_every_pair_of_session_modes_has_a_verdict():
    assert SESSION_MODES.keys() == {(old, new) for old in MODES for new in MODES if old != new}


OLD = contract(tools=[tool(of(limit={"type": "integer", "maximum": 100}), description="Finds.")], **resource())
NEW = contract(
    tools=[tool(required("limit", limit={"type": "integer", "maximum": 50}), description="Finds things.")],
    session_mode="modern",
)


def test_the_worst_comes_first_then_by_path():
    assert changes(OLD, NEW) == [
        (B, "resources/file:///x", "removed"),
        (B, "tools/search/inputSchema/properties/limit", "now required"),
        (B, "tools/search/inputSchema/properties/limit/maximum", "narrowed"),
        (R, "tools/search/description", "changed"),
        (C, "session_mode", "changed"),
    ]


@pytest.mark.parametrize(
    "names, left",
    [
        ([], 5),
        (["tools/search"], 2),
        (["tools/search/inputSchema/properties/limit"], 3),
        (["tools/search/inputSchema/properties/limit/maximum"], 4),
        (["tools/sea", "search", "tools/search/"], 5),
        (["tools", "resources", "session_mode"], 0),
        (["resources/file:", "resources/file://"], 5),
    ],
)
def test_a_name_accepts_that_path_and_what_is_below(names, left):
    taken, rest = accepted(compare(OLD, NEW), names)
    assert len(rest) == left and len(taken) == 5 - left


def test_a_resource_is_not_below_another_one():
    old = contract(resources=[{"uri": "file:///a"}, {"uri": "file:///a/b"}])
    taken, rest = accepted(compare(old, contract()), ["resources/file:///a"])
    assert [change.path for change in taken] == ["resources/file:///a"] and [change.path for change in rest] == [
        "resources/file:///a/b"
    ]


@pytest.mark.parametrize(
    "old, new, expected",
    [
        (OLD, OLD, "identical"),
        (OLD, NEW, "breaking"),
        (contract(instructions="a"), contract(instructions="b"), "risky"),
        (contract(), contract(**tools()), "compatible"),
        (contract(**tools()), contract(**tools(future=1)), "undecidable"),
        (contract(instructions="a", **tools()), contract(instructions="b", **tools(future=1)), "risky"),
    ],
)
def test_the_verdict_is_the_worst(old, new, expected):
    assert verdict(compare(old, new)) == expected


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        (
            tools(),
            tools(input=required("limit", limit=INTEGER)),
            "Tool search now requires the input limit: clients that do not send it fail.",
        ),
        (
            tools(input=of(tags=array({**STRING, "maxLength": 9}))),
            tools(input=of(tags=array({**STRING, "maxLength": 5}))),
            "Tool search accepts less for the input tags[]: maxLength 9 became 5.",
        ),
        (
            tools(output=of(at=of(unit={"enum": ["C"]}))),
            tools(output=of(at=of(unit={"enum": ["C", "F"]}))),
            'Tool search may return more for the output at.unit: enum "F" is new.',
        ),
        (
            tools(output=of(a=STRING)),
            tools(output=of(a=INTEGER)),
            "Tool search may return other things for the output a: type string became integer.",
        ),
        (
            tools(input=of(a=STRING)),
            tools(),
            "Tool search ignores the input a now: what clients send there may have no effect.",
        ),
        (
            tools(description="Finds."),
            tools(description="Finds\x1b[2J."),
            'Tool search has changed the description: "Finds." became "Finds\\u001b[2J.".',
        ),
        (
            tools(input=of(a={**STRING, "pattern": "a"})),
            tools(input=of(a={**STRING, "pattern": "b"})),
            "Tool search has changed the input a, pattern a became b: the effect on clients cannot be decided.",
        ),
        ({"tools": [{"name": "a\n\u202eb"}]}, {}, "Tool a\\n\\u202eb is gone: clients that use it fail."),
    ],
)
def test_sentences(old, new, sentence):
    assert [change.message for change in compare(contract(**old), contract(**new))] == [sentence]


def test_nested_branches_that_overlap_are_not_followed_again_at_each_level():
    def nested(limit):
        schema = of(a={**STRING, "minLength": limit})
        for level in range(16):
            schema = {"oneOf": [schema, of(**{f"b{level}": STRING})]}
        return schema

    old, new = (contract(tools=[tool(of(x=nested(limit)))]) for limit in (1, 2))
    # More steps than a comparison may have would leave the whole input undecided.
    assert changes(old, new, "tools/search/inputSchema/") == [("undecidable", "properties/x/oneOf", "changed")]
