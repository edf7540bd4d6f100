# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions
from ansible_collections.mcp.server.plugins.module_utils._mcp.calls import Call, parameter_headers, problem_with
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    Handler,
    Script,
    Scripted,
)

GOOD = {"content": [{"type": "text", "text": "rain"}], "structuredContent": {"days": [1, 2]}}


@pytest.mark.parametrize(
    ("result", "that", "problem"),
    [
        (GOOD, [], None),
        (GOOD, ["structuredContent.days | length(@) == `2`", "content[0].text == 'rain'"], None),
        (GOOD, ["structuredContent.days | length(@) == `3`"], "does not satisfy structuredContent"),
        ({**GOOD, "isError": False, "resultType": "complete"}, [], None),
        ({**GOOD, "isError": True}, [], "failed: rain"),
        ({"isError": True}, [], "failed: nothing more"),
        ({"isError": True, "content": [{"text": 7}, "x", {"text": "no\nroute\x1b[2J"}]}, [], "failed: no route [2J"),
        ({"resultType": "input_required"}, [], "asked for more input"),
    ],
)
def test_what_is_wrong_with_a_result(result: dict[str, t.Any], that: list[str], problem: str | None) -> None:
    said = problem_with(result, that)
    assert said == problem or (said is not None and problem is not None and said.startswith(problem))


@pytest.mark.parametrize(
    ("schema", "arguments", "headers"),
    [
        (
            {"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}},
            {"region": "eu"},
            {"Mcp-Param-Region": "eu"},
        ),
        (
            {"properties": {"n": {"x-mcp-header": "N"}, "b": {"x-mcp-header": "B"}}},
            {"n": 7, "b": True},
            {"Mcp-Param-N": "7", "Mcp-Param-B": "true"},
        ),
        (
            {"properties": {"a": {"properties": {"b": {"x-mcp-header": "Deep"}}}}},
            {"a": {"b": "ü"}},
            {"Mcp-Param-Deep": "=?base64?w7w=?="},
        ),
        ({"properties": {"region": {"x-mcp-header": "Region"}}}, {}, {}),
        ({"properties": {"region": {"x-mcp-header": "Region"}}}, {"region": None}, {}),
        ({"properties": {"region": {"x-mcp-header": "a b\r\nX"}}}, {"region": "eu"}, {}),
        ({"properties": {"region": {"x-mcp-header": ["Region"]}}}, {"region": "eu"}, {}),
        ({"properties": []}, {"region": "eu"}, {}),
        (True, {"region": "eu"}, {}),
        (None, {}, {}),
    ],
)
def test_arguments_that_are_sent_in_headers_too(
    schema: t.Any, arguments: dict[str, t.Any], headers: dict[str, str]
) -> None:
    assert parameter_headers(schema, arguments) == headers


def test_an_expression_that_is_none_is_named_before_anything_is_asked() -> None:
    with pytest.raises(Failure, match="health expression 'status =' is not JMESPath"):
        expressions.check("health", ["status ="])


def calls(result: dict[str, t.Any]) -> Script:
    return lambda handler, message: handler.result(message, result)


def tools(handler: Handler, message: t.Any) -> None:
    handler.result(
        message,
        {
            "tools": [
                {
                    "name": "forecast",
                    "inputSchema": {"type": "object", "properties": {"city": {"x-mcp-header": "City"}}},
                }
            ]
        },
    )


@pytest.mark.parametrize("scripts", [MODERN, LEGACY])
@pytest.mark.parametrize(
    ("tool", "result", "reason"),
    [
        ("forecast", GOOD, None),
        ("forecast", {**GOOD, "isError": True}, "tools/call forecast failed: rain"),
        ("stations", GOOD, "tools/call stations failed: the server does not list this tool"),
    ],
)
def test_a_call(
    probed: t.Any, scripts: dict[str, Script], tool: str, result: dict[str, t.Any], reason: str | None
) -> None:
    with Scripted({**scripts, "tools/list": tools, "tools/call": calls(result)}) as server:
        found = probed(server.url, lists=[], calls=[Call(tool, {"city": "Bern"}, ["isError != `true`"])])
    assert (found["healthy"], found["reason"], found["level"]) == (
        reason is None,
        reason,
        None if reason is None else "call",
    )
    assert found["levels"]["call"]["ok"] is (reason is None)
    # Only modern servers compare headers with the message.
    headers = [headers for method, headers in server.seen if method == "tools/call"]
    if scripts is MODERN and tool == "forecast":
        assert (headers[0]["Mcp-Method"], headers[0]["Mcp-Name"], headers[0]["Mcp-Param-City"]) == (
            "tools/call",
            "forecast",
            "Bern",
        )
    assert server.opened == set(server.ended)
