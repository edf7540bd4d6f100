# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import queue
import time
import typing as t
from contextlib import suppress

import pytest

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp.http_sse import path_of
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import Handler, Script, Scripted


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("/messages/?session_id=1", "/messages/?session_id=1"),
        ("messages?x", "/mcp/messages?x"),
        ("?sessionId=1", "/mcp/sse?sessionId=1"),
        ("http://mcp.example.com/m", "/m"),
        ("https://mcp.example.com/m", "/m"),
        ("//mcp.example.com/m", "/m"),
        (" /m ", "/m"),
        ("https://other.example.com/m", None),
        ("//other.example.com/m", None),
        ("http://mcp.example.com:81/m", None),
        ("http://[", None),
        ("/a b", None),
        ("/grüße", None),
        ("/m\x00", None),
        ("mailto:a@b", None),
    ],
)
def test_where_messages_are_posted(endpoint: str, path: str | None) -> None:
    if path is None:
        with pytest.raises(Fault, match="does not name a path of this server"):
            path_of(endpoint, "mcp.example.com", "/mcp/sse")
    else:
        assert path_of(endpoint, "mcp.example.com", "/mcp/sse") == path


def refuses(handler: Handler, message: t.Any) -> None:
    handler.answer(405, "Method Not Allowed", "text/plain")


class Stream:
    """A scripted HTTP+SSE server: what it puts into the stream, instead of the usual, for each message that it gets."""

    def __init__(self, first: str = "event: endpoint\ndata: /mcp?session=1\n\n", **instead: str) -> None:
        self.first = first
        self.instead = instead
        self.outbox: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.over = False

    def get(self, handler: Handler, message: t.Any) -> None:
        handler.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + self.first.encode())
        with suppress(OSError):
            for _time in range(500):
                try:
                    piece = self.outbox.get(timeout=0.02)
                except queue.Empty:
                    piece = ": ping\n\n"
                handler.write(piece.encode())
        self.over = True
        handler.close_connection = True

    def post(self, result: t.Any) -> Script:
        def script(handler: Handler, message: t.Any) -> None:
            if handler.path != "/mcp?session=1":
                refuses(handler, message)
                return
            handler.answer(202, "Accepted", "text/plain")
            answer = f"data: {json.dumps({'jsonrpc': '2.0', 'id': message.get('id'), 'result': result})}\n\n"
            self.outbox.put(self.instead.get(message["method"].rpartition("/")[2], answer))

        return script

    def scripts(self) -> dict[str, Script]:
        offer = {
            "protocolVersion": "2024-11-05",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "old", "version": "1"},
        }
        return {
            "GET": self.get,
            "server/discover": refuses,
            "initialize": self.post(offer),
            "notifications/initialized": lambda handler, message: handler.answer(202),
            "tools/list": self.post({"tools": [{"name": "forecast", "inputSchema": {"type": "object"}}]}),
        }


@pytest.mark.parametrize("era", ["auto", "sse"])
def test_a_server_of_the_first_revision(probed: t.Any, era: str) -> None:
    stream = Stream()
    stream.outbox.put('event: other\ndata: {}\n\ndata: {"jsonrpc": "2.0", "method": "notifications/message"}\n\n')
    with Scripted(stream.scripts()) as server:
        found = probed(server.url, era, health=[])
        assert found["healthy"], found["reason"]
        assert (found["era"], found["session_mode"], found["protocol_version"]) == ("legacy", "sse", "2024-11-05")
        assert found["tools"] == ["forecast"]
        deadline = time.monotonic() + 2
        while not stream.over and time.monotonic() < deadline:
            time.sleep(0.01)
        assert stream.over


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (
            Stream("event: message\ndata: {}\n\n"),
            "GET /mcp returned an event stream that does not begin with an endpoint event",
        ),
        (
            Stream("event: endpoint\ndata: https://elsewhere.example/x\n\n"),
            "GET /mcp returned an endpoint event that does not name",
        ),
        (Stream(""), "GET /mcp got no complete answer within 0.5 s"),
        (Stream(list=""), "tools/list got no complete answer within 0.5 s"),
        (Stream(list="data: {\n\n"), "tools/list returned an event that is not JSON"),
        (
            Stream(list='data: {"jsonrpc": "2.0", "id": 99, "result": {}}\n\n'),
            "tools/list with id 2 got an answer with id 99",
        ),
        (
            Stream(initialize='data: {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "no"}}\n\n'),
            "initialize failed with error -32602",
        ),
    ],
)
def test_streams_that_lead_nowhere(probed: t.Any, stream: Stream, reason: str) -> None:
    with Scripted(stream.scripts()) as server:
        started = time.monotonic()
        found = probed(server.url, "sse", health=[], step_timeout=0.5)
    assert found["reason"].startswith(reason)
    assert time.monotonic() - started < 3


def test_a_server_that_is_neither(probed: t.Any) -> None:
    with Scripted({**Stream().scripts(), "GET": refuses, "initialize": refuses}) as server:
        found = probed(server.url, health=[])
    assert found["reason"] == "initialize returned 405 (Method Not Allowed)"
    assert found["level"] == "handshake"
