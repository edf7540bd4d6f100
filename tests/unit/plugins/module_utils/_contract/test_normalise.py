# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.mcp.server.plugins.module_utils._contract import schema
from ansible_collections.mcp.server.plugins.module_utils._contract.compare import compare
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import normalise, structure_hash, text_hash
from ansible_collections.mcp.server.plugins.module_utils._contract.text import diff
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def contract(**offer):
    return normalise({"session_mode": "stateless", **offer})


def search(**input):
    return contract(tools=[{"name": "search", "inputSchema": {"type": "object", **input}}])


def test_a_contract_is_plain_sorted_data():
    offer = {
        "protocol_versions": ["2026-07-28", "2025-06-18"],
        "session_mode": "modern",
        "capabilities": {"tools": {"listChanged": False}, "_meta": {}, "resources": {"subscribe": True}},
        "instructions": None,
        "tools": [
            {"name": "b", "inputSchema": {"type": "object"}, "outputSchema": None, "_meta": {"a": 1}, "icons": []},
            {
                "name": "a",
                "description": "",
                "inputSchema": {"type": "object", "required": ["y", "x"], "properties": {"_meta": {"const": 1.0}}},
            },
        ],
        "prompts": [{"name": "p", "arguments": [{"name": "z", "required": False}, {"name": "y", "required": True}]}],
        "resources": [
            {"uri": "file:///x", "name": "x", "size": 7, "annotations": {"lastModified": "2026-01-01", "priority": 1.0}}
        ],
    }
    before = copy.deepcopy(offer)
    assert normalise(offer) == {
        "format": 1,
        "protocol_versions": ["2025-06-18", "2026-07-28"],
        "session_mode": "modern",
        "capabilities": {"tools": {}, "resources": {"subscribe": True}},
        "instructions": None,
        "tools": [
            {
                "name": "a",
                "inputSchema": {"type": ["object"], "required": ["x", "y"], "properties": {"_meta": {"enum": [1]}}},
            },
            {"name": "b", "inputSchema": {"type": ["object"]}},
        ],
        "prompts": [{"name": "p", "arguments": [{"name": "y", "required": True}, {"name": "z"}]}],
        "resources": [{"uri": "file:///x", "name": "x", "annotations": {"priority": 1}}],
        "resource_templates": [],
    }
    assert offer == before


def nested(levels, leaf):
    for _level in range(levels):
        leaf = {"type": "array", "items": leaf}
    return leaf


@pytest.mark.parametrize(
    "offer, sentence",
    [
        ({"tools": {}}, "The server's tools are not a list."),
        ({"tools": [7]}, "Item 1 of the server's tools has no name."),
        ({"tools": [{"name": "a"}, {"name": 7}]}, "Item 2 of the server's tools has no name."),
        ({"resources": [{"name": "a"}]}, "Item 1 of the server's resources has no uri."),
        (
            {"tools": [{"name": "a", "inputSchema": True}]},
            "The server's tool a has a inputSchema of the wrong type: bool.",
        ),
        ({"tools": [{"name": "a", "annotations": 7}]}, "The server's tool a has a annotations of the wrong type: int."),
        (
            {"tools": [{"name": "a", "annotations": {"title": 7}}]},
            "The server's tool a has a title of the wrong type in its annotations.",
        ),
        (
            {"tools": [{"name": "a"}, {"name": "a", "description": "b"}]},
            "The server's tool a is listed twice with different contents: "
            "which one a client gets depends on the client.",
        ),
        (
            {"prompts": [{"name": "p", "arguments": [{}]}]},
            "The server's prompt p has an argument, number 1, without a name.",
        ),
        (
            {"prompts": [{"name": "p", "arguments": [{"name": "a", "required": "yes"}]}]},
            "The server's prompt p has an argument a with a required of the wrong type: str.",
        ),
        (
            {"prompts": [{"name": "p", "arguments": [{"name": "a"}, {"name": "a", "required": True}]}]},
            "The server's prompt p has the argument a twice.",
        ),
        (
            {"tools": [{"name": "a\x1b[2J", "inputSchema": nested(99, {})}]},
            "The server's tool a\\x1b[2J is nested deeper than 64 levels.",
        ),
        (
            {"tools": [{"name": "a", "inputSchema": {"default": [[]] * 2, "enum": [nested(99, 1)]}}]},
            "The server's tool a is nested deeper than 64 levels.",
        ),
        ({"capabilities": []}, "The server's capabilities are not an object."),
        ({"capabilities": {"a": nested(99, 1)}}, "The server's capabilities are nested deeper than 64 levels."),
        ({"instructions": 7}, "The server's instructions are not text."),
        ({"protocol_versions": [7]}, "The server's protocol versions are not a list of names."),
        (
            {"session_mode": "sticky"},
            "The server's session mode sticky is not one of modern, stateless, stateful, sse.",
        ),
    ],
)
def test_what_no_client_could_read_is_a_failure(offer, sentence):
    with pytest.raises(Failure) as failure:
        contract(**offer)
    assert failure.value.msg == sentence


def test_an_item_that_is_listed_twice_alike_is_one_item():
    assert contract(tools=[{"name": "a", "_meta": {"a": 1}}, {"name": "a"}]) == contract(tools=[{"name": "a"}])


X = {"x": {"type": "string", "title": "X", "description": "Which one."}}


@pytest.mark.parametrize(
    "one, other, structure, texts",
    [
        (search(properties=X), search(properties={"x": {"type": "string"}}), True, False),
        (search(properties={"title": {"type": "string"}}), search(), False, True),
        (search(properties=X), search(properties={"x": {**X["x"], "type": "integer"}}), False, True),
        (
            search(properties=X),
            search(properties={"x": {"$ref": "#/$defs/X"}}, **{"$defs": X | {"X": X["x"]}}),
            True,
            True,
        ),
        (search(**{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "urn:x"}), search(), True, True),
        (contract(instructions="a"), contract(), True, False),
        (
            contract(prompts=[{"name": "a", "arguments": [{"name": "b", "title": "c"}]}]),
            contract(prompts=[{"name": "a", "arguments": [{"name": "b"}]}]),
            True,
            False,
        ),
        (contract(tools=[{"name": "a", "annotations": {"title": "b"}}]), contract(tools=[{"name": "a"}]), True, False),
        (contract(protocol_versions=["a"]), contract(), False, True),
        (contract(session_mode="sse"), contract(), False, True),
        (contract(capabilities={"tools": {}}), contract(), False, True),
    ],
)
def test_which_hash_changes(one, other, structure, texts):
    assert (structure_hash(one) == structure_hash(other), text_hash(one) == text_hash(other)) == (structure, texts)


def test_the_hashes_are_the_same_tomorrow():
    """They stand in release records: another form of the contract needs another number of its format."""
    made = contract(
        protocol_versions=["2025-06-18"],
        tools=[{"name": "search", "description": "Finds.", "inputSchema": {"type": "object", "properties": X}}],
    )
    assert structure_hash(made) == "b4d754970d2f8af81002b35cfb70c99cc3208069090da8c6459abcaab27fa44e"
    assert text_hash(made) == "d3e273adece8d1cacf18502aaaccd842df6567fb49b01921a8c580e51df2f8f5"


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}, "B": {}}}, {"type": ["string"]}),
        ({"$ref": "#"}, {"$ref": "#"}),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
            {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        ),
        (
            {"properties": {"a": {"$ref": "#/properties/b"}, "b": {"type": "null"}}},
            {"properties": {"a": {"type": ["null"]}, "b": {"type": ["null"]}}},
        ),
        ({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"minLength": 1}}}, {"minLength": 1}),
        ({"$ref": "https://127.0.0.1/x"}, {"$ref": "https://127.0.0.1/x"}),
        ({"$ref": 7}, {"$ref": 7}),
        (
            {"not": {"$id": "urn:x", "$ref": "#/$defs/A"}, "$defs": {"A": {}}},
            {"not": {"$id": "urn:x", "$ref": "$id:#/$defs/A"}},
        ),
        ({"items": True, "minItems": 0, "required": [], "additionalProperties": {}, "uniqueItems": False}, {}),
        ({"additionalProperties": 1}, {"additionalProperties": 1}),
    ],
)
def test_references(given, expected):
    assert schema.canonical(given) == expected


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"minimum": 5, "exclusiveMinimum": True}, {"exclusiveMinimum": 5}),
        ({"maximum": 5, "exclusiveMaximum": False}, {"maximum": 5}),
        ({"exclusiveMinimum": True}, {}),
        ({"minimum": "5", "exclusiveMinimum": True}, {"minimum": "5"}),
        ({"minimum": 5, "exclusiveMinimum": 5}, {"minimum": 5, "exclusiveMinimum": 5}),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1}, {"minimum": 1}),
        ({"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991}, {"type": ["integer"]}),
        ({"type": "integer", "minimum": 0, "maximum": 9007199254740991}, {"type": ["integer"], "minimum": 0}),
        ({"type": "number", "maximum": 9007199254740991}, {"type": ["number"], "maximum": 9007199254740991}),
        ({"type": "integer", "maximum": -9007199254740991}, {"type": ["integer"], "maximum": -9007199254740991}),
    ],
)
def test_bounds(given, expected):
    assert schema.canonical(given) == expected


def bomb(levels):
    """Each definition holds the next one twice."""
    definitions = {
        f"D{level}": {"type": "object", "properties": dict.fromkeys("ab", {"$ref": f"#/$defs/D{level + 1}"})}
        for level in range(levels)
    }
    return {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/D0"}},
        "$defs": {**definitions, f"D{levels}": {"type": "string"}},
    }


def web(count, leaf):
    """Each definition holds all of them."""
    every = {f"p{number}": {"$ref": f"#/$defs/D{number}"} for number in range(count)}
    return {
        "type": "object",
        "properties": every,
        "$defs": {f"D{number}": {"type": "object", "properties": {**every, "leaf": leaf}} for number in range(count)},
    }


def union(count, leaf):
    """Unions of objects in unions of objects."""
    for _level in range(count):
        leaf = {"anyOf": [{"type": "object", "properties": {name: leaf}} for name in "abc"]}
    return {"type": "object", "properties": {"x": leaf}}


def ring(count, leaf):
    """Definitions in a circle: two of coprime lengths meet in as many pairs as their product."""
    definitions = {
        f"D{number}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/$defs/D{(number + 1) % count}"}, "leaf": leaf},
        }
        for number in range(count)
    }
    return {"type": "object", "properties": {"x": {"$ref": "#/$defs/D0"}}, "$defs": definitions}


def chain(count, leaf):
    """Each definition is the next one or null."""
    definitions = {
        f"D{number}": {"anyOf": [{"$ref": f"#/$defs/D{number + 1}"}, {"type": "null"}]} for number in range(count)
    }
    return {"type": "object", "properties": {"x": {"$ref": "#/$defs/D0"}}, "$defs": {**definitions, f"D{count}": leaf}}


def itself(leaf):
    """What tells the branches apart is the union itself."""
    branch = {"type": "object", "properties": {"k": {"$ref": "#/$defs/D"}, "leaf": leaf}, "required": ["k"]}
    return {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/D"}},
        "$defs": {"D": {"oneOf": [branch, {**branch, "required": ["k", "leaf"]}]}},
    }


def deep(count, leaf):
    for _level in range(count):
        leaf = {"anyOf": [{"type": "object", "properties": {"x": leaf}}, {"type": "null"}]}
    return {"type": "object", "properties": {"x": leaf}}


@pytest.mark.parametrize(
    "one, other",
    [
        (ring(30, {"type": "string"}), ring(31, {"type": "integer"})),
        (chain(500, {"type": "string"}), chain(500, {"type": "integer"})),
        (itself({"type": "string"}), itself({"type": "integer"})),
        (deep(30, {"type": "string"}), deep(30, {"type": "integer"})),
        (
            {"type": "object", "properties": {"x": nested(60, {"type": "string"})}},
            {"type": "object", "properties": {"x": nested(60, {"type": "integer"})}},
        ),
        (bomb(30), {**bomb(30), "maxProperties": 1}),
        (bomb(30), bomb(31)),
        (web(12, {"type": "string"}), web(12, {"type": "integer"})),
        (web(40, {"type": "string"}), web(40, {"type": "integer"})),
        (union(5, {"type": "string"}), union(5, {"type": "integer"})),
        ({"enum": list(range(5000))}, {"enum": list(range(1, 5001))}),
    ],
    ids=["rings", "chain", "itself", "deep", "deep arrays", "bomb", "bombs", "web", "big web", "unions", "long enum"],
)
def test_schemas_made_to_explode_end_in_time_and_are_never_taken_for_equal(one, other, cpu_time):
    with cpu_time:
        old, new = (contract(tools=[{"name": "a", "inputSchema": side}]) for side in (one, other))
        assert [change.severity for change in compare(old, new)][:1] in (["breaking"], ["undecidable"])
        assert compare(old, old) == []
        diff(old, new)
    assert cpu_time.seconds < 10


def big(maximum):
    fields = {
        f"field{number}": {
            "type": "integer",
            "maximum": maximum,
            "title": f"Field {number}",
            "description": "What it is.",
        }
        for number in range(20)
    }
    return contract(
        tools=[
            {
                "name": f"tool{number}",
                "inputSchema": {"type": "object", "properties": fields},
                "outputSchema": {"type": "object", "properties": fields},
            }
            for number in range(200)
        ]
    )


def test_two_hundred_tools_of_twenty_inputs_take_well_under_a_second(cpu_time):
    old, new = big(100), big(50)
    with cpu_time:
        changes = compare(old, new)
    assert len(changes) == 8000
    assert cpu_time.seconds < 3
