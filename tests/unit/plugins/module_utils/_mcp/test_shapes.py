# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a departure. Whether the official clients refuse it is tested against them, in tests/matrix."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp.shapes import OFFER, problem, problem_of_item

SERVER = {"name": "weather", "version": "1"}
TOOL: dict[str, t.Any] = {"name": "forecast", "inputSchema": {"type": "object"}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"serverInfo": {**SERVER, "vendor": 7}, "weather": 7}, None),
        ({"serverInfo": {"name": "weather"}}, "it.serverInfo has no version"),
        ({"serverInfo": []}, "it.serverInfo is [], not an object"),
        ({"capabilities": {"tools": True}}, "it.capabilities.tools is true, not an object"),
        ({"capabilities": {"tools": {"listChanged": 1}}}, "it.capabilities.tools.listChanged is 1, not true or false"),
        ({"capabilities": {"experimental": {"a\x1b": 1}}}, "it.capabilities.experimental.a is 1, not an object"),
        ({"serverInfo": {**SERVER, "icons": [{"src": "a"}, {}]}}, "it.serverInfo.icons[1] has no src"),
        ({"instructions": ["x" * 99]}, f'it.instructions is ["{"x" * 35}..., not text'),
    ],
)
def test_offers(changed: dict[str, t.Any], said: str | None) -> None:
    assert problem({"capabilities": {}, "serverInfo": SERVER, **changed}, OFFER, "it") == said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"inputSchema": {"type": "array"}}, "forecast.inputSchema.type is \"array\", not 'object'"),
        ({"inputSchema": {"type": "object", "properties": {"type": {}, "$ref": {}}}}, None),
        ({"inputSchema": {"type": "object", "required": [7]}}, "forecast.inputSchema.required[0] is 7, not text"),
        ({"execution": {"taskSupport": "sometimes"}}, 'forecast.execution.taskSupport is "sometimes"'),
        (
            {"outputSchema": {"type": "object", "properties": {"a": {"type": ["x", "null"]}}}},
            'forecast.outputSchema has the unknown type "x"',
        ),
        (
            {"outputSchema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"c": {}}}},
            'forecast.outputSchema refers to "#/$defs/b", which is not there',
        ),
        ({"outputSchema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {}}}}, None),
        ({"outputSchema": {"type": "object", "default": {"type": "x"}}}, None),
    ],
)
def test_tools(changed: dict[str, t.Any], said: str | None) -> None:
    assert problem_of_item({**TOOL, **changed}, "tools") == said


def test_an_item_without_a_name() -> None:
    assert problem_of_item({"uri": "weather://a"}, "resources") == "weather://a has no name"
