# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties for arbitrary bytes. Nothing waits: the server is an object that answers while it is written to."""

from __future__ import annotations

import json
import math
import random
import time
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.calls import Call
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._mcp.sse import Decoder, Event
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")

LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
FIELDS = st.sampled_from([b"data", b"event", b"id", b"retry", b"", b"dat", b"Data", b" data", b"\xef\xbb\xbfdata"])
VALUES = st.one_of(
    st.sampled_from([b"", b" ", b": ", b"a", b" a", b"{}", "ä€😀".encode(), b"\xf0\x9f", b"\xef\xbb\xbf"]),
    st.binary(max_size=5),
)
LINES = st.one_of(
    st.just(b""), st.builds(lambda *parts: b"".join(parts), FIELDS, st.sampled_from([b":", b": ", b""]), VALUES)
)
STREAMS = st.builds(
    lambda start, lines: start + b"".join(line + end for line, end in lines),
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb"]),
    st.lists(st.tuples(LINES, LINE_ENDS), max_size=20),
)
NAMES = st.sampled_from(["jsonrpc", "id", "method", "result", "error", "code", "tools", "name"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([1, 2**63, 10**4000, "2.0", "\ud800", "\x1b[2J"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=8,
)
MESSAGES = JSON | st.dictionaries(NAMES, JSON, max_size=3).map(lambda members: {"jsonrpc": "2.0", **members})


def reference(stream: bytes) -> list[Event]:
    """WHATWG HTML, 9.2.5 and 9.2.6, word by word, except that an event with empty data is not dispatched."""
    text = stream.decode("utf-8", errors="replace").removeprefix("\ufeff")
    events, data, name, line, index = [], "", "", "", 0
    while index < len(text):
        char = text[index]
        index += 1
        if char not in "\r\n":
            line += char
            continue
        if char == "\r" and text[index : index + 1] == "\n":
            index += 1
        if line == "":
            data = data[:-1] if data.endswith("\n") else data
            if data != "":
                events.append(Event(name or "message", data))
            data, name = "", ""
        elif not line.startswith(":"):
            field, value = line.split(":", 1) if ":" in line else (line, "")
            value = value[1:] if value.startswith(" ") else value
            if field == "event":
                name = value
            elif field == "data":
                data += value + "\n"
        line = ""
    return events


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:stop] for start, stop in zip(places, places[1:], strict=False)]


@settings(max_examples=600)
@given(STREAMS | st.binary(max_size=60), st.lists(st.integers(0, 999), max_size=12))
def test_events_are_those_of_the_standard_however_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    decoder = Decoder()
    assert [event for piece in pieces(stream, cuts) for event in decoder.feed(piece)] == reference(stream)


@settings(max_examples=200)
@given(STREAMS)
def test_events_are_those_of_the_standard_byte_by_byte(stream: bytes) -> None:
    decoder = Decoder()
    assert [event for byte in stream for event in decoder.feed(bytes([byte]))] == reference(stream)


@settings(max_examples=500)
@given(MESSAGES)
def test_a_message_is_an_answer_or_none_or_a_fault(message: t.Any) -> None:
    try:
        answer = jsonrpc.answer_to(1, message)
    except Fault as fault:
        assert fault.msg.isprintable()
        assert len(fault.msg) < 200
    else:
        assert answer is None or isinstance(answer, (dict, jsonrpc.Error))


@settings(max_examples=500)
@given(st.text(max_size=30) | JSON.map(json.dumps))
def test_a_text_is_json_that_can_be_written_again_or_a_value_error(text: str) -> None:
    try:
        value = jsonrpc.parse(text)
    except ValueError as error:
        assert str(error)
    else:
        assert json.loads(json.dumps(value, ensure_ascii=False, allow_nan=False).encode()) == value


SESSION = "mcp-session-id"
OFFER = {
    "capabilities": {"tools": {}, "prompts": {}, "resources": {}},
    "serverInfo": {"name": "weather", "version": "1"},
}
RESULTS = {
    "server/discover": {"supportedVersions": ["2026-07-28"], **OFFER},
    "initialize": {"protocolVersion": "2025-11-25", **OFFER},
    "tools/list": {"tools": [{"name": "forecast", "inputSchema": {"type": "object"}}]},
    "prompts/list": {"prompts": [{"name": "summary", "arguments": []}]},
    "resources/list": {"resources": [{"uri": "a://b", "name": "b"}]},
    "resources/templates/list": {"resourceTemplates": []},
    "tools/call": {"content": [{"type": "text", "text": "sunny"}]},
}
HEALTHY = {"status": "HEALTHY", "version": "1.2.0"}
NASTY = [
    *(
        b"",
        b"\0",
        b"\x1b[2J",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b":",
        b" ",
        b"0",
        b"-1",
        b"9" * 5000,
        b"ffffffff\r\n",
        b"0\r\n\r\n",
    ),
    *(
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
    ),
    *(
        b"Mcp-Session-Id: \x01\r\n",
        b"Mcp-Session-Id: other\r\n",
        b"Content-Type: text/event-stream\r\n",
        b"Connection: close\r\n",
        b"Location: \x1b[2J\r\n",
    ),
    *(
        b'"',
        b"{",
        b"[" * 300,
        b"[" * 100_000,
        b"null",
        b"NaN",
        b"1e999",
        rb"\ud800",
        b"\xff",
        b"true",
        b'"nextCursor": "x", ',
        b"data: ",
        b"event: x\n",
    ),
]
SWAPS = [
    *(
        (b"200 OK", b"%d X" % status)
        for status in (
            100,
            101,
            103,
            199,
            204,
            206,
            301,
            304,
            307,
            400,
            401,
            403,
            404,
            405,
            406,
            421,
            429,
            500,
            503,
            999,
        )
    ),
    *((b"HTTP/1.1", other) for other in (b"HTTP/1.0", b"HTTP/2", b"http/1.1")),
    *((b"application/json", other) for other in (b"text/event-stream", b"text/html", b"")),
    *((b"Content-Length", other) for other in (b"X", b"Transfer-Encoding", b"content-length")),
    *((b'"result"', other) for other in (b'"error"', b'"method"', b'"x"')),
    *((b'"id": ', other) for other in (b'"id": 7', b'"id": -', b'"x": ', b'"id": "1", "x": ')),
    *((b"2025-11-25", other) for other in (b"2024-11-05", b"2026-07-28", b"1", rb"\u001b[2J", rb"\u202e")),
    *((b"2026-07-28", other) for other in (b"2025-11-25", b"x")),
    *((b"[", other) for other in (b"{", b"[1, ", b"[null, ", b'["', b"[{}, ")),
    *((b": {", other) for other in (b": [", b': "', b': {"a": {"a": 1}, ', b": null, {")),
    *((b'"sunny"', other) for other in (b"1", rb'"\u001b[2J"', b"null")),
    *((b'"content"', other) for other in (b'"isError": true, "content"', b'"resultType": "input_required", "content"')),
    (b"\r\n", b"\n"),
    (b"\n", b"\r"),
    (b"data: ", b"data:"),
]
STYLES = ("modern", "modern stream", "legacy", "legacy stream", "sse")


class Server:
    """Answers correctly, in its style, except to spoiled requests; may stay silent, reset or close after those."""

    def __init__(self, style: str, spoils: dict[int, int], after: str, size: int) -> None:
        self._style = style
        self._spoils = spoils
        self._after = after
        self.size = size
        self.peers: list[Peer] = []
        self.stream: Peer | None = None
        self.requests = 0
        self.opened: list[str] = []
        self.ended: list[str] = []

    def dial(self, _bound: Deadline) -> t.Any:
        self.peers.append(Peer(self))
        return self.peers[-1]

    def hear(self, peer: Peer, asked: str, body: bytes) -> None:
        method, path = asked.split(" ", 2)[:2]
        headers = {
            name.lower(): value for name, _colon, value in (line.partition(": ") for line in asked.split("\r\n")[1:])
        }
        self.requests += 1
        if method == "DELETE":
            self.ended.append(headers[SESSION])
        message = json.loads(body) if body else {}
        session = (
            f"session-{self.requests}"
            if method == "POST" and self._style.startswith("legacy") and SESSION not in headers
            else ""
        )
        answer = self._answer(method, path, message, session, peer)
        head = answer[: answer.index(b"\r\n\r\n") + 4]
        session = session if session.encode() in head else ""
        after = "keep"
        if self.requests in self._spoils:
            spoilt = spoil(answer, random.Random(self._spoils[self.requests]))
            session = session if spoilt.startswith(head) else ""
            answer, after = spoilt, self._after
        if session:
            self.opened.append(session)
        peer.say(answer, after)

    def _answer(self, method: str, path: str, message: t.Any, session: str, peer: Peer) -> bytes:
        if path == "/health":
            return reply(200, json.dumps(HEALTHY))
        asked = message.get("method")
        if self._style == "sse":
            if method == "GET":
                self.stream = peer
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                return head + b"event: endpoint\ndata: /messages?id=1\n\n"
            if path != "/messages?id=1":
                return reply(405, "")
            if "id" in message and self.stream is not None:
                answer = f"event: message\r\ndata: {json.dumps(result_of(message))}\r\n\r\n".encode()
                if self.requests in self._spoils:
                    answer = spoil(answer, random.Random(self._spoils[self.requests] + 1))
                self.stream.say(answer, "keep")
            return reply(202, "Accepted")
        if method != "POST" or "id" not in message:
            return reply(202, "")
        if (
            self._style.startswith("modern")
            and asked == "initialize"
            or self._style.startswith("legacy")
            and asked == "server/discover"
        ):
            error = {"code": -32601, "message": "Method not found"}
            return reply(404, json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}), session)
        text = json.dumps(result_of(message))
        if self._style.endswith("stream"):
            data = f"id: 1\r\ndata: \r\n\r\n: hello\r\n\r\ndata: {text}\r\n\r\n".encode()
            head = [
                "HTTP/1.1 200 OK",
                "Content-Type: text/event-stream",
                "Transfer-Encoding: chunked",
                *([f"Mcp-Session-Id: {session}"] if session else []),
            ]
            return "\r\n".join([*head, "", ""]).encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
        return reply(200, text, session)


def result_of(message: t.Any) -> t.Any:
    return {"jsonrpc": "2.0", "id": message["id"], "result": RESULTS.get(message["method"], {})}


def reply(status: int, text: str, session: str = "") -> bytes:
    head = [
        f"HTTP/1.1 {status} OK",
        "Content-Type: application/json",
        f"Content-Length: {len(text)}",
        *([f"Mcp-Session-Id: {session}"] if session else []),
    ]
    return "\r\n".join([*head, "", text]).encode()


def spoil(data: bytes, dice: random.Random) -> bytes:
    """Some of the ways in which an answer can be wrong."""
    for _time in range(dice.choice([1, 1, 1, 2, 4])):
        place, length = dice.randrange(len(data) + 1), dice.choice([0, 1, 2, 9, 99])
        match dice.randrange(7):
            case 0:
                data = data[:place]
            case 1:
                data = data[:place] + dice.choice(NASTY) + data[place + length :]
            case 2:
                data = data[:place] + dice.randbytes(length) + data[place + length :]
            case 3:
                data = data[:place] + data[place : place + length] * dice.choice([2, 3, 1000]) + data[place + length :]
            case 4:
                data = dice.choice(NASTY) + dice.randbytes(length)
            case _:
                swap, other = dice.choice([each for each in SWAPS if each[0] in data] or [(b"", b"")])
                data = data.replace(swap, other, dice.choice([1, -1])) if swap else data
    return data


class Peer:
    """A socket, as far as Connection uses one."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._heard = b""
        self._said = b""
        self._after = "keep"
        self._patience: float | None = None
        self.closed = False

    def settimeout(self, seconds: float) -> None:
        assert seconds is not None and math.isfinite(seconds)
        self._patience = seconds

    def send(self, data: bytes) -> int:
        assert not self.closed
        if self._after == "reset":
            raise ConnectionResetError
        self._heard += data
        head, end, rest = self._heard.partition(b"\r\n\r\n")
        length = next((int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")), 0)
        if end and len(rest) >= length:
            self._heard = b""
            self._server.hear(self, head.decode(), rest)
        return len(data)

    def say(self, data: bytes, after: str) -> None:
        self._said += data
        self._after = after

    def recv(self, size: int) -> bytes:
        assert not self.closed
        if self._said:
            piece = self._said[: min(size, self._server.size)]
            self._said = self._said[len(piece) :]
            return piece
        if self._after == "close":
            return b""
        if self._after == "reset":
            raise ConnectionResetError
        raise TimeoutError if self._patience else BlockingIOError

    def close(self) -> None:
        self.closed = True


def probe_of(server: Server, era: str) -> dict[str, t.Any]:
    answering = Answering("/health", ("status == 'HEALTHY'",))
    asked = Settings(
        era,
        timeout=20,
        step_timeout=20,
        health=True,
        expect_version="v1.2.0",
        lists=("tools", "prompts", "resources", "resource_templates"),
        calls=[Call("forecast", {"city": "Bern"}, ["content[0].text == 'sunny'"])],
    )
    return probe(Endpoint("a test", "mcp.example.com", server.dial, "/mcp", answering), asked)


def check(server: Server, found: dict[str, t.Any]) -> None:
    assert found["healthy"] is (found["reason"] is None)
    if found["reason"] is not None:
        assert found["reason"].isprintable(), found["reason"]
        assert 0 < len(found["reason"]) < 600
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    assert found["requests"] == server.requests
    assert all(peer.closed for peer in server.peers)
    assert set(server.opened) <= set(server.ended), (server.opened, server.ended, found["reason"])


@pytest.mark.parametrize("size", [1, 9, 65536])
@pytest.mark.parametrize("style", STYLES)
def test_the_server_is_right_when_nothing_is_spoilt(style: str, size: int) -> None:
    server = Server(style, {}, "keep", size)
    found = probe_of(server, "auto")
    assert (found["reason"], found["tools"]) == (None, ["forecast"])
    check(server, found)
    assert bool(server.opened) is style.startswith("legacy")


@settings(max_examples=2000)
@given(
    style=st.sampled_from(STYLES),
    era=st.sampled_from(["auto", "auto", "modern", "legacy", "sse"]),
    spoils=st.dictionaries(st.integers(1, 12), st.integers(0, 2**32), min_size=1, max_size=3),
    after=st.sampled_from(["keep", "keep", "close", "reset"]),
    size=st.sampled_from([1, 7, 100, 65536]),
)
def test_whatever_a_server_says_there_is_a_verdict_and_nothing_is_left(
    style: str, era: str, spoils: dict[int, int], after: str, size: int
) -> None:
    server = Server(style, spoils, after, size)
    started = time.monotonic()
    found = probe_of(server, era)
    assert time.monotonic() - started < 5
    check(server, found)
