# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers with a quirk that the official clients live with: they are healthy."""

from __future__ import annotations

import json
import socket
import time
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._http.addresses import connected
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server import scripted
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    SESSION,
    Handler,
    Script,
    Scripted,
)

TOOLS = {"tools": [{"name": "forecast", "inputSchema": {"type": "object"}}]}


def says(status: int, body: str = "", kind: str = "text/plain") -> Script:
    return lambda handler, _message: handler.answer(status, body, kind)


def answers(change: t.Callable[[dict[str, t.Any]], t.Any], result: dict[str, t.Any]) -> Script:
    def script(handler: Handler, message: t.Any) -> None:
        said = change({"jsonrpc": "2.0", "id": message["id"], "result": result})
        handler.answer(200, said if isinstance(said, str) else json.dumps(said))

    return script


def hangs(_handler: Handler, _message: t.Any) -> None:
    time.sleep(1)


def without_capabilities(handler: Handler, message: t.Any) -> None:
    result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "weather", "version": "1"}}
    handler.result(message, result, Mcp_Session_Id=SESSION)


def primes(handler: Handler, _message: t.Any) -> None:
    handler.answer(200, "id: 1\nretry: 100\ndata:\n\n", "text/event-stream")


def goes_on(handler: Handler, message: t.Any) -> None:
    """The rest of the stream that was closed after its first event."""
    if handler.path == "/health":
        scripted.healthy(handler, message)
    elif handler.headers.get("Last-Event-ID") == "1":
        found = {"jsonrpc": "2.0", "id": 3, "result": TOOLS}
        handler.answer(200, f"id: 2\ndata: {json.dumps(found)}\n\n", "text/event-stream")
    else:
        handler.answer(405)


QUIRKS: dict[str, dict[str, Script]] = {
    **{
        f"server/discover is answered {status}": {**LEGACY, "server/discover": says(status, "no")}
        for status in (200, 202, 401, 402, 403, 409, 410, 418, 422, 429)
    },
    "server/discover is answered with a page": {**LEGACY, "server/discover": says(200, "<p>", "text/html")},
    "server/discover is never answered": {**LEGACY, "server/discover": hangs},
    "server/discover has another id": {**LEGACY, "server/discover": answers(lambda a: {**a, "id": 99}, {})},
    "the id is text": {**MODERN, "tools/list": answers(lambda a: {**a, "id": str(a["id"])}, TOOLS)},
    "the id is a float": {**MODERN, "tools/list": answers(lambda a: {**a, "id": float(a["id"])}, TOOLS)},
    "tools without the capability": {**LEGACY, "initialize": without_capabilities},
    "a stream is closed after its first event": {**LEGACY, "tools/list": primes, "GET": goes_on},
}


@pytest.mark.parametrize("scripts", QUIRKS.values(), ids=QUIRKS)
def test_quirks_that_clients_live_with(scripts: dict[str, Script], probed: t.Any) -> None:
    with Scripted(scripts) as server:
        found = probed(server.url, timeout=4, step_timeout=0.6)
    assert found["healthy"], found["reason"]
    assert found["tools"] == ["forecast"]
    assert server.ended == sorted(server.opened)


def test_no_tools_and_no_capability(probed: t.Any) -> None:
    with Scripted({**LEGACY, "initialize": without_capabilities, "tools/list": scripted.unknown}) as server:
        found = probed(server.url)
    assert found["healthy"] and found["tools"] == []


def test_a_name_whose_first_address_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as alive:
        good, dead = alive.getsockname(), ("127.0.0.1", 1)
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in (dead, good)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: list(found))
        tried: list[t.Any] = []
        connect = socket.socket.connect

        def recorded(sock: socket.socket, address: t.Any) -> None:
            tried.append(address)
            connect(sock, address)

        monkeypatch.setattr(socket.socket, "connect", recorded)
        for _time in range(2):
            connected("mcp.example.com", 80, Deadline(2)).close()
    assert tried == [dead, good, good]
