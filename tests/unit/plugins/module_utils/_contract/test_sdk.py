# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of a function, as the official SDK and pydantic make a tool, a prompt or a resource of it."""

# Annotations are evaluated here: pydantic reads them.
from __future__ import annotations

import asyncio
import datetime
import enum
import typing as t

import pytest
from mcp.server import MCPServer
from pydantic import BaseModel, ConfigDict, Field

from ansible_collections.mcp.server.plugins.module_utils._contract.compare import compare
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import normalise, structure_hash


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Colours(enum.Enum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Place(BaseModel):
    city: str
    street: str | None = None


class Address(BaseModel):
    city: str
    street: str | None = None
    country: str = "DE"


class Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    city: str


class ExactAddress(BaseModel):
    model_config = ConfigDict(extra="forbid")
    city: str
    country: str = "DE"


class Node(BaseModel):
    value: int
    below: list[Node] = []


class Tree(BaseModel):
    value: float
    below: list[Tree] = []


class Cat(BaseModel):
    kind: t.Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: t.Literal["dog"]


class Bird(BaseModel):
    kind: t.Literal["bird"]


Percent = t.Annotated[int, Field(ge=0, le=100)]
Half = t.Annotated[int, Field(ge=0, le=50)]
# Not Cat | Dog: ansible-test's pylint takes that for an operation on classes.
Pet = t.Annotated[t.Union[Cat, Dog], Field(discriminator="kind")]  # noqa: UP007
Pets = t.Annotated[t.Union[Cat, Dog, Bird], Field(discriminator="kind")]  # noqa: UP007

B, R, C = "breaking", "risky", "compatible"
MISSING = object()
NOTHING: list = []


def contract(server):
    lists = {
        "tools": server.list_tools(),
        "prompts": server.list_prompts(),
        "resources": server.list_resources(),
        "resource_templates": server.list_resource_templates(),
    }
    dumped = {
        name: [item.model_dump(by_alias=True, exclude_none=True, mode="json") for item in asyncio.run(items)]
        for name, items in lists.items()
    }
    return normalise(
        {
            "protocol_versions": ["2026-07-28"],
            "session_mode": "stateless",
            "capabilities": {},
            "instructions": None,
            **dumped,
        }
    )


def tool(parameter, default=MISSING, result=str):
    """A tool with the input x, or with none."""
    given = {} if parameter is None else {"x": parameter}

    def search(x=default):
        return None

    if default is MISSING:

        def search(x):  # noqa: F811
            return None

    if parameter is None:

        def search():  # noqa: F811
            return None

    search.__annotations__ = {**given, "return": result}
    server = MCPServer("test")
    server.tool()(search)
    return contract(server)


def found(old, new, below):
    """Without titles: pydantic writes a model's name there."""
    return [
        (change.severity, change.path.removeprefix(below).lstrip("/"), change.change)
        for change in compare(old, new)
        if not change.path.endswith("/title")
    ]


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ((None,), (str, "a"), [(C, "", "added")]),
        ((None,), (str,), [(B, "", "now required")]),
        ((str, "a"), (None,), [(R, "", "removed")]),
        ((str, "a"), (str,), [(B, "", "now required")]),
        ((str,), (str, "a"), [(C, "", "no longer required")]),
        ((str, "a"), (str, "b"), [(R, "default", "changed")]),
        ((str,), (str | None,), [(C, "type", "widened")]),
        ((str | None, None), (str, "a"), [(B, "type", "narrowed"), (R, "default", "changed")]),
        ((t.Optional[str],), (str | None,), NOTHING),  # noqa: UP045
        ((int,), (float,), [(C, "type", "widened")]),
        ((float,), (int,), [(B, "type", "narrowed")]),
        ((int,), (str,), [(B, "type", "changed")]),
        ((int | str,), (str | int,), NOTHING),
        ((int | str,), (int | str | float,), [(C, "type", "widened")]),
        ((int | None,), (int | str | None,), [(C, "type", "widened")]),
        ((int | str,), (str,), [(B, "type", "narrowed")]),
        ((t.Any,), (str,), [(B, "type", "narrowed")]),
        ((t.Literal["a"],), (t.Literal["a", "b"],), [(C, "enum", "widened")]),
        ((t.Literal["a", "b"],), (t.Literal["b", "a"],), NOTHING),
        ((t.Literal["a", "b"],), (t.Literal["a"],), [(B, "enum", "narrowed")]),
        ((t.Literal["a", "b"] | None,), (t.Literal["a"] | None,), [(B, "enum", "narrowed")]),
        ((t.Literal["a", "b"],), (str,), [(C, "enum", "widened")]),
        ((Colour,), (Colours,), [(C, "enum", "widened")]),
        ((Colours,), (Colour,), [(B, "enum", "narrowed")]),
        ((Colour,), (t.Literal["blue", "red"],), NOTHING),
        ((Colour, Colour.RED), (Colour, Colour.BLUE), [(R, "default", "changed")]),
        ((int,), (Percent,), [(B, "maximum", "narrowed"), (B, "minimum", "narrowed")]),
        ((Percent,), (Half,), [(B, "maximum", "narrowed")]),
        ((Half,), (Percent,), [(C, "maximum", "widened")]),
        ((Percent | None,), (Half | None,), [(B, "maximum", "narrowed")]),
        ((list[int],), (list[float],), [(C, "items/type", "widened")]),
        ((list[str],), (t.Annotated[list[str], Field(max_length=3)],), [(B, "maxItems", "narrowed")]),
        ((list[str],), (set[str],), [(B, "uniqueItems", "narrowed")]),
        ((dict[str, int],), (dict[str, float],), [(C, "additionalProperties/type", "widened")]),
        ((dict[str, int],), (dict[Colour, int],), [(B, "propertyNames/enum", "narrowed")]),
        ((tuple[int, str],), (tuple[float, str],), [(C, "prefixItems/0/type", "widened")]),
        ((tuple[int, str],), (tuple[int, str, int],), [(B, "minItems", "narrowed"), (C, "maxItems", "widened")]),
        ((Place,), (Address,), [(C, "properties/country", "added")]),
        ((Address,), (Place,), [(R, "properties/country", "removed")]),
        ((Exact,), (ExactAddress,), [(C, "properties/country", "added")]),
        ((ExactAddress,), (Exact,), [(B, "properties/country", "removed")]),
        ((Place,), (Exact,), [(B, "properties/street", "removed"), (R, "additionalProperties", "narrowed")]),
        ((Place | None, None), (Address | None, None), [(C, "properties/country", "added")]),
        ((list[Place],), (list[Address],), [(C, "items/properties/country", "added")]),
        ((Node,), (Tree,), [(C, "properties/value/type", "widened")]),
        ((Tree,), (Node,), [(B, "properties/value/type", "narrowed")]),
        ((Node,), (Node | None,), [(C, "type", "widened")]),
        ((Pet,), (Pets,), [(C, "anyOf", "widened")]),
        ((Pets,), (Pet,), [(B, "anyOf", "narrowed")]),
        ((Cat | Dog,), (Pet,), NOTHING),
        ((str,), (datetime.date,), [(R, "format", "changed")]),
        (
            (t.Annotated[str, Field(description="a")],),
            (t.Annotated[str, Field(description="b")],),
            [(R, "description", "changed")],
        ),
    ],
    ids=str,
)
def test_a_parameter_changes(old, new, expected):
    assert found(tool(*old), tool(*new), "tools/search/inputSchema/properties/x") == expected


@pytest.mark.parametrize(
    "old, new, expected",
    [
        (Place, Address, [(C, "properties/country", "added")]),
        (Address, Place, [(B, "properties/country", "removed")]),
        (Exact, ExactAddress, [(B, "properties/country", "added")]),
        (list[int], list[float], [(B, "properties/result/items/type", "widened")]),
        (float, int, [(C, "properties/result/type", "narrowed")]),
        (list[Colour], list[Colours], [(R, "properties/result/items/enum", "widened")]),
        (list[Colours], list[Colour], [(C, "properties/result/items/enum", "narrowed")]),
        (str, str | None, [(B, "properties/result/type", "widened")]),
        (
            Node,
            Tree,
            [(B, "properties/below/items/properties/value/type", "widened"), (B, "properties/value/type", "widened")],
        ),
    ],
    ids=str,
)
def test_a_result_changes(old, new, expected):
    assert found(tool(None, result=old), tool(None, result=new), "tools/search/outputSchema") == expected


def test_a_model_with_another_name_has_another_title_and_the_same_structure():
    Other = type("Other", (Place,), {"__module__": __name__})
    old, new = tool(Place | None), tool(Other | None)
    assert structure_hash(old) == structure_hash(new)
    assert {(change.severity, change.path.rsplit("/", 1)[1]) for change in compare(old, new)} == {(R, "title")}


def test_prompts_and_resources_of_the_sdk():
    old, new = MCPServer("test"), MCPServer("test")

    @old.prompt(name="greet")
    def greet(name: str, city: str = "Ulm") -> str:
        return name

    @new.prompt(name="greet")
    def greet_again(name: str, city: str, mood: str = "") -> str:
        return name

    @old.resource("file:///{path}", name="files")
    def files(path: str) -> str:
        return path

    @new.resource("file:///{name}", name="files")
    def named(name: str) -> str:
        return name

    @old.resource("file:///log", name="log", mime_type="text/plain")
    def log() -> str:
        return ""

    @new.resource("file:///log", name="log", mime_type="application/json")
    def json_log() -> str:
        return ""

    assert found(contract(old), contract(new), "") == [
        (B, "prompts/greet/arguments/city", "now required"),
        (B, "resources/file:///log/mimeType", "changed"),
        (R, "resource_templates/file:///{path}", "changed"),
        (C, "prompts/greet/arguments/mood", "added"),
    ]
