# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the servers answer to single requests: the ground that the probe is built on. A new release of an SDK that changes it shows here."""

from __future__ import annotations

import http.client
import json
import typing as t

from .conftest import Server
from .fleet import TOKEN
from .rows import LEGACY, MODERN, Answer

META = "io.modelcontextprotocol/"
BOTH = "application/json, text/event-stream"

Message = dict[str, t.Any] | None


def _message(method: str, **params: t.Any) -> dict[str, t.Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def _modern(
    method: str, *, version: str = MODERN[-1], meta: bool = True, **params: t.Any
) -> tuple[dict[str, t.Any], dict[str, str]]:
    """A message, and the headers that go with it."""
    context = {
        META + "protocolVersion": version,
        META + "clientInfo": {"name": "matrix", "version": "1"},
        META + "clientCapabilities": {},
    }
    message = _message(method, **params, **({"_meta": context} if meta else {}))
    return message, {"MCP-Protocol-Version": version, "Mcp-Method": method}


INITIALIZE = _message(
    "initialize", protocolVersion=LEGACY[-1], capabilities={}, clientInfo={"name": "matrix", "version": "1"}
)
LIST = _message("tools/list")
MODERN_LIST, MODERN_HEADERS = _modern("tools/list")

# Method, message and headers of those cases that need no session.
REQUESTS: dict[str, tuple[str, Message, dict[str, str]]] = {
    "list without session": ("POST", LIST, {}),
    "ping without session": ("POST", _message("ping"), {}),
    "list in unknown session": ("POST", LIST, {"Mcp-Session-Id": "no-such-session"}),
    "initialize, only JSON accepted": ("POST", INITIALIZE, {"Accept": "application/json"}),
    "GET without session": ("GET", None, {"Accept": "text/event-stream"}),
    "DELETE without session": ("DELETE", None, {}),
    "initialize with foreign Host": ("POST", INITIALIZE, {"Host": "mcp.example.com"}),
    "initialize with foreign Origin": ("POST", INITIALIZE, {"Origin": "https://browser.example"}),
    "initialize with slash at the end": ("POST", INITIALIZE, {}),
    "modern list": ("POST", MODERN_LIST, MODERN_HEADERS),
    "modern list, wrong Mcp-Method": ("POST", MODERN_LIST, {**MODERN_HEADERS, "Mcp-Method": "prompts/list"}),
    "modern list, unknown version": ("POST", *_modern("tools/list", version="2099-01-01")),
    "modern list, no _meta": ("POST", *_modern("tools/list", meta=False)),
    "modern ping": ("POST", *_modern("ping")),
    "modern call, no Mcp-Name": ("POST", *_modern("tools/call", name="measure", arguments={})),
}


def test_the_answers(server: Server) -> None:
    row = server.row
    answers = {}
    for case in row.wire:
        if case in REQUESTS:
            method, message, headers = REQUESTS[case]
            path = row.path + ("/" if case == "initialize with slash at the end" else "")
            answers[case], _session = _ask(server, method, path, message, headers)
    if row.session_mode == "stateful":
        opened, session = _ask(server, "POST", row.path, INITIALIZE, {}, end=False)
        assert (opened, session is not None) == ((200, None), True)
        assert row.mode != "colour" or str(session).startswith("blue-")
        headers = {"Mcp-Session-Id": str(session)}
        answers["DELETE of a session"], _none = _ask(server, "DELETE", row.path, None, headers)
        answers["list in ended session"], _none = _ask(server, "POST", row.path, LIST, headers)
    assert answers == row.wire


def _ask(
    server: Server, method: str, path: str, message: Message, headers: dict[str, str], *, end: bool = True
) -> tuple[Answer, str | None]:
    """The answer, and the session that it names. With end, such a session is ended again."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
    guard = {"Authorization": f"Bearer {TOKEN}"} if server.row.guarded else {}
    body = json.dumps(message) if message else None
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", "Accept": BOTH, **guard, **headers})
        response = connection.getresponse()
        session = response.headers.get("Mcp-Session-Id")
        code = None if method == "GET" and response.status == 200 else _code(response)
    finally:
        connection.close()
    if end and session and method == "POST":
        _ask(server, "DELETE", path, None, {"Mcp-Session-Id": session})
    return (response.status, code), session


def _code(response: http.client.HTTPResponse) -> int | None:
    """Of the JSON-RPC error in the body."""
    if response.headers.get("Content-Type", "").startswith("text/event-stream"):
        while not (line := response.readline()).startswith(b"data: {"):
            assert line, "no message before the stream ends"
        text = line.removeprefix(b"data: ")
    else:
        text = response.read()
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return (
        answer["error"]["code"]
        if isinstance(answer, dict) and "error" in answer and isinstance(answer["error"], dict)
        else None
    )
