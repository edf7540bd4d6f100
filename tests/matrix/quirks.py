# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Legacy servers, each with one quirk. Whether they are healthy is what the official clients make of them."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import SESSION, Handler, Script

INITIALIZE, TOOLS = "initialize", "tools/list"
SERVER = {"name": "weather", "version": "1.2.0"}
TOOL = {"name": "forecast", "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
RESULTS: dict[str, dict[str, t.Any]] = {
    INITIALIZE: {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": SERVER},
    TOOLS: {"tools": [TOOL]},
}
MISSING = object()


def offer(**changed: t.Any) -> dict[str, Script]:
    """Another result of initialize. MISSING removes a key."""
    return {INITIALIZE: _result(INITIALIZE, changed)}


def server(**changed: t.Any) -> dict[str, Script]:
    return offer(serverInfo=_with(SERVER, changed))


def tool(**changed: t.Any) -> dict[str, Script]:
    return tools(tools=[_with(TOOL, changed)])


def tools(**changed: t.Any) -> dict[str, Script]:
    return {TOOLS: _result(TOOLS, changed)}


def message(method: str, **changed: t.Any) -> dict[str, Script]:
    """Another JSON-RPC message around the result."""

    def script(handler: Handler, asked: t.Any) -> None:
        _answer(handler, json.dumps(_with({"jsonrpc": "2.0", "id": asked["id"], "result": RESULTS[method]}, changed)))

    return {method: script}


def text(
    method: str, change: t.Callable[[str], str], kind: str = "application/json", status: int = 200
) -> dict[str, Script]:
    """The right answer as another text, of another type, with another status."""

    def script(handler: Handler, asked: t.Any) -> None:
        said = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": RESULTS[method]})
        _answer(handler, change(said), kind, status)

    return {method: script}


def says(method: str, status: int, body: str = "", kind: str = "text/plain") -> dict[str, Script]:
    return {method: lambda handler, _asked: handler.answer(status, body, kind)}


def stream(method: str, before: str = "", name: str = "", after: str = "") -> dict[str, Script]:
    def change(said: str) -> str:
        return f"{before}{f'event: {name}{chr(10)}' if name else ''}data: {said}\n\n{after}"

    return text(method, change, "text/event-stream")


def _with(base: dict[str, t.Any], changed: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in {**base, **changed}.items() if value is not MISSING}


def _result(method: str, changed: dict[str, t.Any]) -> Script:
    def script(handler: Handler, asked: t.Any) -> None:
        said = {"jsonrpc": "2.0", "id": asked["id"], "result": _with(RESULTS[method], changed)}
        _answer(handler, json.dumps(said))

    return script


def _answer(handler: Handler, body: str, kind: str = "application/json", status: int = 200) -> None:
    opened = (
        {"Mcp_Session_Id": SESSION} if handler.command == "POST" and "Mcp-Session-Id" not in handler.headers else {}
    )
    handler.answer(status, body, kind, **opened)


PLAIN: dict[str, Script] = {
    "GET": lambda handler, _asked: handler.answer(405),
    "DELETE": lambda handler, _asked: handler.answer(200),
    "server/discover": says("", 400, "Bad Request: no valid session ID provided")[""],
    INITIALIZE: _result(INITIALIZE, {}),
    "notifications/initialized": lambda handler, _asked: handler.answer(202),
    TOOLS: _result(TOOLS, {}),
}


def schema(**changed: t.Any) -> dict[str, Script]:
    return tool(inputSchema=_with(TOOL["inputSchema"], changed))


QUIRKS: dict[str, dict[str, Script]] = {
    "none": {},
    # initialize
    "no serverInfo": offer(serverInfo=MISSING),
    "serverInfo is null": offer(serverInfo=None),
    "serverInfo is a list": offer(serverInfo=[]),
    "serverInfo is text": offer(serverInfo="weather"),
    "the server has no name": server(name=MISSING),
    "the server's name is a number": server(name=7),
    "the server's name is empty": server(name=""),
    "the server has no version": server(version=MISSING),
    "the server's version is a number": server(version=1.2),
    "the server's version is null": server(version=None),
    "the server's title is a number": server(title=7),
    "the server's title is null": server(title=None),
    "the server's icons are text": server(icons="icon.png"),
    "the server's website is a number": server(websiteUrl=7),
    "the server's website is null": server(websiteUrl=None),
    "the server's website is no URL": server(websiteUrl="no url"),
    "the server has another key": server(vendor={"a": 1}),
    "no capabilities": offer(capabilities=MISSING),
    "capabilities are null": offer(capabilities=None),
    "capabilities are a list": offer(capabilities=[]),
    "capabilities are empty": offer(capabilities={}),
    "tools: true": offer(capabilities={"tools": True}),
    "tools: null": offer(capabilities={"tools": None}),
    "tools: []": offer(capabilities={"tools": []}),
    "tools: text": offer(capabilities={"tools": "yes"}),
    "tools with another key": offer(capabilities={"tools": {"paged": True}}),
    "listChanged is text": offer(capabilities={"tools": {"listChanged": "maybe"}}),
    "listChanged is null": offer(capabilities={"tools": {"listChanged": None}}),
    "listChanged is a number": offer(capabilities={"tools": {"listChanged": 1}}),
    "prompts: true": offer(capabilities={"tools": {}, "prompts": True}),
    "resources: true": offer(capabilities={"tools": {}, "resources": True}),
    "subscribe is text": offer(capabilities={"tools": {}, "resources": {"subscribe": "maybe"}}),
    "logging: true": offer(capabilities={"tools": {}, "logging": True}),
    "logging: null": offer(capabilities={"tools": {}, "logging": None}),
    "completions: true": offer(capabilities={"tools": {}, "completions": True}),
    "experimental: a number inside": offer(capabilities={"tools": {}, "experimental": {"a": 1}}),
    "experimental: true inside": offer(capabilities={"tools": {}, "experimental": {"a": True}}),
    "experimental: true": offer(capabilities={"tools": {}, "experimental": True}),
    "experimental: an object inside": offer(capabilities={"tools": {}, "experimental": {"a": {}}}),
    "an unknown capability": offer(capabilities={"tools": {}, "weather": 7}),
    "tasks: true": offer(capabilities={"tools": {}, "tasks": True}),
    "instructions are a number": offer(instructions=7),
    "instructions are null": offer(instructions=None),
    "instructions are a list": offer(instructions=["a"]),
    "another key": offer(weather=1),
    "_meta is text": offer(_meta="x"),
    "_meta is null": offer(_meta=None),
    "no protocolVersion": offer(protocolVersion=MISSING),
    "protocolVersion is a number": offer(protocolVersion=20251125),
    "the oldest revision": offer(protocolVersion="2024-11-05"),
    "the revision before": offer(protocolVersion="2025-06-18"),
    "an unknown old revision": offer(protocolVersion="2023-01-01"),
    "a revision of the future": offer(protocolVersion="2099-01-01"),
    "the revision draft": offer(protocolVersion="DRAFT-2026-v1"),
    # tools/list
    "no inputSchema": tool(inputSchema=MISSING),
    "inputSchema is null": tool(inputSchema=None),
    "inputSchema is true": tool(inputSchema=True),
    "inputSchema is empty": tool(inputSchema={}),
    "inputSchema is text": tool(inputSchema="object"),
    "inputSchema is a list": tool(inputSchema=[]),
    "inputSchema of an array": tool(inputSchema={"type": "array"}),
    "inputSchema of types": tool(inputSchema={"type": ["object"]}),
    "inputSchema of type Object": tool(inputSchema={"type": "Object"}),
    "inputSchema is a union": tool(inputSchema={"anyOf": [{"type": "object"}]}),
    "inputSchema is a union of objects": tool(inputSchema={"type": "object", "anyOf": [{"required": ["a"]}]}),
    "properties are a list": schema(properties=[]),
    "properties are null": schema(properties=None),
    "a property is true": schema(properties={"city": True}),
    "a property is null": schema(properties={"city": None}),
    "a property is text": schema(properties={"city": "string"}),
    "required is text": schema(required="city"),
    "required is null": schema(required=None),
    "required has a number": schema(required=[7]),
    "an unknown type": schema(properties={"city": {"type": "city"}}),
    "$schema is a number": schema(**{"$schema": 7}),
    "outputSchema is text": tool(outputSchema="object"),
    "outputSchema is null": tool(outputSchema=None),
    "outputSchema is empty": tool(outputSchema={}),
    "outputSchema of an array": tool(outputSchema={"type": "array", "items": {}}),
    "outputSchema that cannot be compiled": tool(outputSchema={"type": "object", "properties": {"a": {"type": "x"}}}),
    "outputSchema with a reference to nothing": tool(outputSchema={"type": "object", "$ref": "#/$defs/none"}),
    "annotations are null": tool(annotations=None),
    "annotations are text": tool(annotations="read only"),
    "a hint is text": tool(annotations={"readOnlyHint": "maybe"}),
    "a hint is null": tool(annotations={"readOnlyHint": None}),
    "a hint is a number": tool(annotations={"readOnlyHint": 1}),
    "the title of annotations is a number": tool(annotations={"title": 7}),
    "an unknown hint": tool(annotations={"weatherHint": 7}),
    "the description is a number": tool(description=7),
    "the description is null": tool(description=None),
    "the title is a number": tool(title=7),
    "the title is null": tool(title=None),
    "icons are text": tool(icons="icon.png"),
    "an icon has no source": tool(icons=[{"mimeType": "image/png"}]),
    "execution is text": tool(execution="sync"),
    "an unknown taskSupport": tool(execution={"taskSupport": "sometimes"}),
    "the tool's _meta is a list": tool(_meta=[]),
    "the tool's _meta is null": tool(_meta=None),
    "no name": tool(name=MISSING),
    "the name is a number": tool(name=7),
    "the name is null": tool(name=None),
    "the name is empty": tool(name=""),
    "the name has spaces": tool(name="the forecast"),
    "the name is long": tool(name="f" * 300),
    "two tools of one name": tools(tools=[TOOL, TOOL]),
    "no tools": tools(tools=[]),
    "the tools are an object": tools(tools={"forecast": TOOL}),
    "the tools are null": tools(tools=None),
    "no list of tools": tools(tools=MISSING),
    "a tool is text": tools(tools=["forecast"]),
    "a tool is null": tools(tools=[None]),
    "an empty cursor at the end": tools(nextCursor=None),
    "a cursor that is a number": tools(nextCursor=7),
    # messages
    "the id is text": {
        TOOLS: lambda handler, asked: _answer(
            handler, json.dumps({"jsonrpc": "2.0", "id": str(asked["id"]), "result": RESULTS[TOOLS]})
        )
    },
    "the id is null": message(TOOLS, id=None),
    "no jsonrpc": message(TOOLS, jsonrpc=MISSING),
    "jsonrpc is 1.0": message(TOOLS, jsonrpc="1.0"),
    "jsonrpc is a number": message(TOOLS, jsonrpc=2.0),
    "an error that is null": message(TOOLS, error=None),
    "an error and a result": message(TOOLS, error={"code": 1, "message": "no"}),
    "another key in the message": message(TOOLS, server="weather"),
    "the result is null": message(TOOLS, result=None),
    "the result is a list": message(TOOLS, result=[]),
    # HTTP
    **{
        f"{method} as {kind or 'no type'}": text(method, str, kind)
        for method in (INITIALIZE, TOOLS)
        for kind in (
            "text/plain",
            "text/json",
            "text/html",
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/octet-stream",
            "application/vnd.api+json",
            "application/problem+json",
            "",
        )
    },
    **{
        f"{method} with status {status}": text(method, str, status=status)
        for method in (INITIALIZE, TOOLS)
        for status in (201, 203, 206)
    },
    "a byte order mark": text(TOOLS, lambda said: "\ufeff" + said),
    "a batch of one": text(TOOLS, lambda said: f"[{said}]"),
    "spaces and lines around": text(TOOLS, lambda said: f"\n  {said}\n"),
    "comments in JSON": text(TOOLS, lambda said: f"{said} // tools"),
    **{
        f"initialized is answered {status}": says("notifications/initialized", status)
        for status in (200, 201, 204, 400, 404, 405, 500)
    },
    "initialized is answered with a result": says(
        "notifications/initialized", 200, '{"jsonrpc": "2.0", "id": 0, "result": {}}', "application/json"
    ),
    **{f"GET is answered {status}": says("GET", status) for status in (400, 401, 404, 500)},
    "GET is answered with a page": says("GET", 200, "<p>", "text/html"),
    **{f"DELETE is answered {status}": says("DELETE", status) for status in (404, 405, 500)},
    # events
    "a stream": stream(TOOLS),
    "a stream of events of the name message": stream(TOOLS, name="message"),
    "a stream of events of another name": stream(TOOLS, name="answer"),
    "a stream with a notification first": stream(
        TOOLS,
        'data: {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}\n\n',
    ),
    "a stream with an unknown notification first": stream(TOOLS, 'data: {"jsonrpc": "2.0", "method": "weather"}\n\n'),
    "a stream with text first": stream(TOOLS, "data: hello\n\n"),
    "a stream with comments": stream(TOOLS, ": hello\n\n"),
    "a stream with more after the answer": stream(TOOLS, after="data: hello\n\n"),
    "a stream with a priming event": stream(TOOLS, "id: 1\ndata:\n\n"),
    "a stream for initialize": stream(INITIALIZE),
}
