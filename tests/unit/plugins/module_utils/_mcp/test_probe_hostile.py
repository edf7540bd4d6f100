# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Against servers that misbehave in one way each: every probe ends in time, in one sentence, with its session ended."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import struct
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from .servers import scripted
from .servers.scripted import LEGACY, MODERN, SESSION, Handler, Script, Scripted

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nMcp-Session-Id: 0123456789abcdef\r\n\r\n"


def says(status: int, body: str = "", kind: str = "text/plain", **headers: str) -> Script:
    return lambda handler, _message: handler.answer(status, body, kind, **headers)


def gives(result: t.Any) -> Script:
    return lambda handler, message: handler.result(message, result)


def sends(raw: bytes) -> Script:
    """Exactly these bytes, and the end."""

    def script(handler: Handler, _message: t.Any) -> None:
        handler.write(raw)
        handler.close_connection = True

    return script


def drips(head: bytes, forever: bytes) -> Script:
    return lambda handler, _message: handler.drip(head, forever)


def spells(text: bytes) -> Script:
    def script(handler: Handler, _message: t.Any) -> None:
        for byte in text:
            handler.write(bytes([byte]))
            time.sleep(0.05)

    return script


def floods(head: bytes, forever: bytes) -> Script:
    return lambda handler, _message: handler.drip(head, forever, pause=0.0001)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(data: str | bytes) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else data.encode()) + b"\n\n"


def streams(*pieces: bytes) -> Script:
    """A whole event stream."""
    return sends(CHUNKED + b"".join(map(chunk, pieces)) + b"0\r\n\r\n")


def json_says(change: t.Callable[[t.Any], t.Any]) -> Script:
    """A change of an answer that would be right, or the text that it becomes."""

    def script(handler: Handler, message: t.Any) -> None:
        said = change({"jsonrpc": "2.0", "id": message["id"], "result": RESULTS[message["method"]]})
        handler.answer(200, said if isinstance(said, str) else json.dumps(said))

    return script


def resets(raw: bytes) -> Script:
    """The bytes, and then the RST that loses what is on its way."""

    def script(handler: Handler, _message: t.Any) -> None:
        handler.write(raw)
        time.sleep(0.01)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.hang_up()

    return script


def half_closes(handler: Handler, _message: t.Any) -> None:
    handler.connection.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    handler.close_connection = True


def hangs(_handler: Handler, _message: t.Any) -> None:
    time.sleep(1.5)


def later(script: Script) -> Script:
    """An honest first page, and then this."""

    def paged(handler: Handler, message: t.Any) -> None:
        if "cursor" in message["params"]:
            script(handler, message)
        else:
            handler.result(message, {"tools": [], "nextCursor": "second"})

    return paged


OFFER = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "weather", "version": "1"}}
RESULTS: dict[str, t.Any] = {
    "server/discover": {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}},
    "initialize": OFFER,
    "tools/list": {"tools": [{"name": "forecast"}]},
}

# Where a server misbehaves: the rest of it, the request, its name in the reason.
HEALTH = (MODERN, "GET", "GET /health")
DISCOVER = (MODERN, "server/discover", "server/discover")
INITIALIZE = (LEGACY, "initialize", "initialize")
INITIALIZED = (LEGACY, "notifications/initialized", "notifications/initialized")
MODERN_LIST = (MODERN, "tools/list", "tools/list")
LEGACY_LIST = (LEGACY, "tools/list", "tools/list")
LATER = (LEGACY, "tools/list", "tools/list")
Level = tuple[dict[str, Script], str, str]
EVERYWHERE: dict[str, Level] = {
    "health": HEALTH,
    "discover": DISCOVER,
    "initialize": INITIALIZE,
    "initialized": INITIALIZED,
    "modern list": MODERN_LIST,
    "legacy list": LEGACY_LIST,
    "later": LATER,
}
ANSWERED = {name: level for name, level in EVERYWHERE.items() if name not in ("health", "initialized")}
SLOW = {name: EVERYWHERE[name] for name in ("health", "initialize", "later")}

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: 0123456789abcdef\r\n"
JSON_CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NOT_HTTP = "got an answer that is not acceptable HTTP"
CUT = "was cut in the middle of the answer"
TIME_IS_UP = "got no complete answer within 0.3 s"
TOO_LARGE = "is answered with more than 4 MiB"
BOMB = gzip.compress(b"{" + b" " * 10_000_000)

# Of bytes: script, and the rest of the reason's sentence.
WIRE: dict[str, tuple[Script, str]] = {
    "HTTP/0.9": (sends(b"<html>hello</html>"), rf"{NOT_HTTP} \('<html>hello</html>'\)"),
    "SSH": (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), rf"{NOT_HTTP} \('SSH-2.0-OpenSSH_9.2'\)"),
    "SSH that stays": (drips(b"SSH-2.0-OpenSSH_9.2\r\n", b""), rf"{NOT_HTTP} \('SSH-2.0-OpenSSH_9.2'\)"),
    "control characters": (sends(b"\x1b[2J\x07\x00\xff\r\n"), rf"{NOT_HTTP} \('\[2J"),
    "frames of HTTP/2": (sends(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"), NOT_HTTP),
    "the preface of HTTP/2": (sends(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), rf"{NOT_HTTP} \('PRI \* HTTP/2.0"),
    "HTTP/2 in words": (sends(b"HTTP/2 200 OK\r\n\r\n"), rf"{NOT_HTTP} \('HTTP/2 200 OK'\)"),
    "TLS": (sends(b"\x15\x03\x01\x00\x02\x02\x46"), rf"{NOT_HTTP} \(TLS: the server's URL may begin with https://\)"),
    "a status of letters": (sends(b"HTTP/1.1 OK\r\n\r\n"), rf"{NOT_HTTP} \('HTTP/1.1 OK'\)"),
    "a status of four digits": (sends(b"HTTP/1.1 2000 OK\r\n\r\n"), NOT_HTTP),
    "a status below 100": (sends(b"HTTP/1.1 099 OK\r\n\r\n"), NOT_HTTP),
    "a status line without end": (floods(b"HTTP/1.1 200 ", b"x" * 65536), rf"{NOT_HTTP} \(headers of more than 64 KiB\)"),
    "another protocol": (sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), rf"{NOT_HTTP} \(a switch"),
    "a header without a colon": (sends(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"), rf"{NOT_HTTP} \('no header' is no header\)"),
    "a header name with a space": (sends(b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n"), "is no header"),
    "a header name of control characters": (sends(b"HTTP/1.1 200 OK\r\n\x1b[2J: 5\r\n\r\n"), r"'\[2J: 5' is no header"),
    "a thousand headers": (sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"), rf"{NOT_HTTP} \(more than 100 headers\)"),
    "headers without end": (floods(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 999), rf"{NOT_HTTP} \(headers of more than 64 KiB\)"),
    "a header without end": (floods(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536), rf"{NOT_HTTP} \(headers of more than 64 KiB\)"),
    "headers that are cut": (sends(b"HTTP/1.1 200 OK\r\nX: y\r\n"), CUT),
    "100 and no more": (sends(b"HTTP/1.1 100 Continue\r\n\r\n"), "was cut without an answer"),
    "two lengths": (sends(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), rf"{NOT_HTTP} \(two different values of Content-Length\)"),
    "two lengths in one header": (sends(OK + b"Content-Length: 2, 3\r\n\r\n{} "), rf"{NOT_HTTP} \(two different values of Content-Length\)"),
    "a negative length": (sends(OK + b"Content-Length: -2\r\n\r\n{}"), rf"{NOT_HTTP} \(Content-Length -2\)"),
    "a length with a sign": (sends(OK + b"Content-Length: +2\r\n\r\n{}"), rf"{NOT_HTTP} \(Content-Length \+2\)"),
    "a length of letters": (sends(OK + b"Content-Length: two\r\n\r\n{}"), rf"{NOT_HTTP} \(Content-Length two\)"),
    "a length of a thousand digits": (sends(OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n{}"), rf"{NOT_HTTP} \(Content-Length 9"),
    "a length of a petabyte": (sends(OK + b"Content-Length: 1000000000000000\r\n\r\n{}"), TOO_LARGE),
    "a length that is too large": (sends(OK + b"Content-Length: 9\r\n\r\n{}"), CUT),
    "length and chunks": (sends(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), "both Content-Length and"),
    "chunks twice": (sends(OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), rf"{NOT_HTTP} \(Transfer-Encoding chunked, chunked\)"),
    "gzip beneath chunks": (sends(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), rf"{NOT_HTTP} \(Transfer-Encoding gzip, chunked\)"),
    "a chunk of a negative size": (sends(JSON_CHUNKS + b"-2\r\n{}\r\n0\r\n\r\n"), rf"{NOT_HTTP} \('-2' is no size of a chunk\)"),
    "a chunk of a size with 0x": (sends(JSON_CHUNKS + b"0x2\r\n{}\r\n0\r\n\r\n"), "'0x2' is no size of a chunk"),
    "a chunk of a size with _": (sends(JSON_CHUNKS + b"0_2\r\n{}\r\n0\r\n\r\n"), "'0_2' is no size of a chunk"),
    "a chunk of a size of letters": (sends(JSON_CHUNKS + b"\x1bz\r\n{}\r\n0\r\n\r\n"), "'z' is no size of a chunk"),
    "a chunk without a size": (sends(JSON_CHUNKS + b"\r\n{}\r\n0\r\n\r\n"), "'' is no size of a chunk"),
    "a chunk of a petabyte": (sends(JSON_CHUNKS + b"38d7ea4c68000\r\n{"), TOO_LARGE),
    "a chunk of 16 digits": (sends(JSON_CHUNKS + b"1000000000000000\r\n{"), "is no size of a chunk"),
    "a chunk that is too long": (sends(JSON_CHUNKS + b"1\r\n{}\r\n0\r\n\r\n"), rf"{NOT_HTTP} \(a chunk is longer than it says\)"),
    "a chunk that is too short": (sends(JSON_CHUNKS + b"9\r\n{}\r\n0\r\n\r\n"), f"{CUT}|{NOT_HTTP}"),
    "a chunk without its end": (sends(JSON_CHUNKS + b"2\r\n{}0\r\n\r\n"), "a chunk is longer than it says"),
    "a chunk with an endless extension": (floods(JSON_CHUNKS + b"2;x=", b"y" * 65536), rf"{NOT_HTTP} \(a chunk's size or a trailer of more than 4 KiB\)"),
    "an endless trailer": (floods(JSON_CHUNKS + b"0\r\nX: ", b"y" * 65536), "trailer of more than 4 KiB"),
    "no last chunk": (sends(JSON_CHUNKS + b"2\r\n{}\r\n"), CUT),
    "chunks that are cut": (sends(JSON_CHUNKS + b"2\r\n{"), CUT),
    "a body without end": (floods(OK + b"\r\n", b" " * 65536), TOO_LARGE),
    "chunks without end": (floods(JSON_CHUNKS, chunk(b" " * 65536)), TOO_LARGE),
    "gzip": (says(200, "{}", Content_Encoding="gzip"), "is answered in the encoding gzip, though none was asked for: switch compression off"),
    "brotli": (says(200, "{}", Content_Encoding="BR"), "is answered in the encoding BR,"),
    "an encoding of control characters": (says(200, "{}", Content_Encoding="\x1b[2J"), r"is answered in the encoding \[2J,"),
    "a compressed bomb": (sends(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB), "in the encoding gzip"),
    "nothing": (sends(b""), "was cut without an answer"),
    "a reset": (resets(b""), "was cut"),
    "a reset in the headers": (resets(b"HTTP/1.1 200 OK\r\nX"), "was cut"),
    "a reset in the body": (resets(OK + b"Content-Length: 9\r\n\r\n{"), "was cut"),
    "half a connection": (half_closes, "was cut without an answer"),
}

# The same, that end when the time or the size does.
FLOODS: dict[str, tuple[Script, str]] = {
    "100 without end": (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 999), f"{TIME_IS_UP}|{TOO_LARGE}"),
    "103 without end": (floods(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 999), f"{TIME_IS_UP}|{TOO_LARGE}"),
    "many extensions": (floods(JSON_CHUNKS, b"1" + b";x" * 2000 + b"\r\n \r\n"), f"{TIME_IS_UP}|{TOO_LARGE}"),
    "trailers without end": (floods(JSON_CHUNKS + b"0\r\n", b"X: y\r\n" * 9999), f"{TIME_IS_UP}|{TOO_LARGE}"),
}

TOO_SLOW: dict[str, Script] = {
    "never": hangs,
    "the status line": spells(b"HTTP/1.1 200 OK\r\n"),
    "the rest of the status line": drips(b"HTTP/1.1 200 ", b"x"),
    "a header": drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "headers": drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "provisional answers": drips(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a body with a length": drips(OK + b"Content-Length: 999\r\n\r\n", b" "),
    "a body without a length": drips(OK + b"\r\n", b" "),
    "the size of a chunk": drips(JSON_CHUNKS, b"0"),
    "chunks": drips(JSON_CHUNKS, chunk(b" ")),
    "trailers": drips(JSON_CHUNKS + b"0\r\n", b"X: y\r\n"),
    "a body that is too short and stays": drips(OK + b"Content-Length: 9\r\n\r\n{}", b""),
    "comments": drips(CHUNKED, chunk(b": ping\n\n")),
    "an event": drips(CHUNKED + chunk(b"data: "), chunk(b"{")),
    "notifications": drips(CHUNKED, chunk(event('{"jsonrpc": "2.0", "method": "notifications/message"}'))),
    "priming events": drips(CHUNKED, chunk(b"id: 1\ndata:\n\n")),
}

# Of a JSON answer: what becomes of the right one.
JSON_ANSWERS: dict[str, tuple[t.Callable[[t.Any], t.Any], str]] = {
    "another id": (lambda a: {**a, "id": 77}, r"with id \d is answered with id 77"),
    "the id as a string": (lambda a: {**a, "id": str(a["id"])}, r'is answered with id "\d+"$'),
    "the id as a float": (lambda a: {**a, "id": float(a["id"])}, r"is answered with id \d+\.0$"),
    "the id as true": (lambda a: {**a, "id": True}, "is answered with id true"),
    "the id as null": (lambda a: {**a, "id": None}, "is answered with id null"),
    "no id": (lambda a: {"jsonrpc": "2.0", "result": a["result"]}, "is answered with id null"),
    "a large id": (lambda a: {**a, "id": 2**64 + a["id"]}, "is answered with id 18446744073709551"),
    "the id in a list": (lambda a: {**a, "id": [a["id"]]}, r"is answered with id \[\d\]"),
    "a long id": (lambda a: {**a, "id": "\x1b" * 10_000}, r'is answered with id "\\u001b'),
    "a batch": (lambda a: [a], "is answered with JSON that is not JSON-RPC 2.0"),
    "an empty batch": (lambda a: [], "is answered with JSON that is not JSON-RPC 2.0"),
    "JSON-RPC 1.0": (lambda a: {**a, "jsonrpc": "1.0"}, "is answered with JSON that is not JSON-RPC 2.0"),
    "a number as version": (lambda a: {**a, "jsonrpc": 2.0}, "is answered with JSON that is not JSON-RPC 2.0"),
    "null": (lambda a: None, "is answered with JSON that is not JSON-RPC 2.0"),
    "an empty object": (lambda a: {}, "is answered with JSON that is not JSON-RPC 2.0"),
    "no result": (lambda a: {"jsonrpc": "2.0", "id": a["id"]}, "is answered with neither a result nor an error"),
    "a list as result": (lambda a: {**a, "result": []}, "is answered with neither a result nor an error"),
    "null as result": (lambda a: {**a, "result": None}, "is answered with neither a result nor an error"),
    "a string as error": (lambda a: {"jsonrpc": "2.0", "id": a["id"], "error": "no"}, "is answered with neither a result nor an error"),
    "nothing": (lambda a: "", "is answered 200 without the JSON that was asked for"),
    "half of it": (lambda a: json.dumps(a)[:-9], "is answered 200 without the JSON that was asked for"),
    "two of them": (lambda a: json.dumps(a) * 2, "is answered 200 without the JSON that was asked for"),
    "HTML as JSON": (lambda a: "<p>\x1b[2J", r"is answered 200 without the JSON that was asked for .*<p> \[2J"),
    "deep nesting": (lambda a: json.dumps(a)[:-1] + ', "x": ' + "[" * 500 + "]" * 500 + "}", "is answered 200 without the JSON"),
    "nesting without bottom": (lambda a: "[" * 200_000, "is answered 200 without the JSON that was asked for"),
    "a huge number": (lambda a: json.dumps(a)[:-1] + ', "x": ' + "9" * 5000 + "}", "is answered 200 without the JSON that was asked for"),
    "an infinite number": (lambda a: json.dumps(a)[:-1] + ', "x": 1e999}', "is answered 200 without the JSON that was asked for"),
    "not a number": (lambda a: {**a, "x": float("nan")}, "is answered 200 without the JSON that was asked for"),
    "half of a surrogate pair": (lambda a: {**a, "x": "\ud800"}, "is answered 200 without the JSON that was asked for"),
    "a request of its own": (lambda a: {"jsonrpc": "2.0", "id": a["id"], "method": "ping"}, "is answered 200 without"),
    "too much": (lambda a: {**a, "x": "x" * 5_000_000}, TOO_LARGE),
}

# Of an event stream: all its pieces.
STREAMS: dict[str, tuple[tuple[bytes, ...], str]] = {
    "nothing": ((), "is not answered before the event stream ends"),
    "only comments and priming": ((b": x\n\n", b"id: 1\ndata:\n\n", b"retry: 1\n\n"), "is not answered before the event stream ends"),
    "no blank line at the end": ((b'data: {"jsonrpc": "2.0", "id": 1, "result": {}}\n',), "is not answered before the event stream ends"),
    "no JSON": ((event("{"),), "is answered with an event that is not JSON"),
    "a huge number": ((event("9" * 5000),), "an event that is not JSON .*too large"),
    "half of a surrogate pair": ((event(r'"\ud800"'),), "an event that is not JSON .*surrogate"),
    "nesting without bottom": ((event("[" * 100_000),), "an event that is not JSON .*nested deeper than 100"),
    "another id": ((event('{"jsonrpc": "2.0", "id": 77, "result": {}}'),), "is answered with id 77"),
    "a batch": ((event("[]"),), "is answered with JSON that is not JSON-RPC 2.0"),
    "an event without end": (tuple([b"data: " + b"x" * 65536 + b"\n"] * 70), "is answered with (more than|an event of more than) 4 MiB"),
    "a line without end": (tuple([b"x" * 65536] * 70), "is answered with (more than|an event of more than) 4 MiB"),
    "many events": (tuple([event('{"jsonrpc": "2.0", "method": "x"}') * 1000] * 120), f"{TOO_LARGE}|{TIME_IS_UP}"),
}

# Of one level only.
SINGLE: dict[str, tuple[Level, Script, str]] = {
    "health is HTML": (HEALTH, says(200, "<html>", "text/html"), "is answered with HTML"),
    "health is no JSON": (HEALTH, says(200, "ok"), r"is answered 200 without the JSON .*\(ok\)"),
    "health is a list": (HEALTH, says(200, "[]"), "is answered with JSON that is not an object"),
    "health is nested too deeply": (HEALTH, says(200, '{"a":' * 200 + "1" + "}" * 200), "is answered 200 without the JSON"),
    "health is infinite": (HEALTH, says(200, '{"status": "HEALTHY", "a": 1e999}'), "is answered 200 without the JSON"),
    "health is 500": (HEALTH, says(500, "boom"), r"is answered 500 \(boom\)"),
    "health is 503 with a document": (HEALTH, says(503, '{"status": "DOWN"}'), "is answered 503"),
    "health is 204": (HEALTH, says(204), "is answered 204 without the JSON"),
    "health is a redirect": (HEALTH, says(302, Location="/login"), r"is redirected \(302\) to /login"),
    "health is unwell": (HEALTH, says(200, '{"status": "DOWN"}'), "does not satisfy status == 'HEALTHY'"),
    "mcp is HTML": (DISCOVER, says(200, "<p>", "text/html; charset=utf-8"), "is answered with HTML"),
    "mcp is 500": (DISCOVER, says(500, "boom\nstack\x1b[2J"), r"is answered 500 \(boom stack \[2J\)"),
    "mcp is a redirect to itself": (DISCOVER, says(307, Location="/mcp"), "to /mcp; redirects are not followed"),
    "mcp is a redirect to control characters": (DISCOVER, says(307, Location="/\x1b[2J"), r"to / \[2J; redirects are not followed"),
    "mcp is a redirect to nowhere": (DISCOVER, says(308), "is redirected"),
    "mcp refuses the host": (DISCOVER, says(421, "Invalid Host header"), "does not accept this Host"),
    "mcp wants credentials": (DISCOVER, says(401), "is answered 401"),
    "an error in place of the list": (LEGACY_LIST, scripted.unknown, r"is refused with error -32601 \(Method not found\)"),
    "an error of control characters": (
        LEGACY_LIST,
        json_says(lambda a: {"jsonrpc": "2.0", "id": a["id"], "error": {"code": 10**400, "message": "\x1b[2J\u202e"}}),
        r"is refused with error 0 \(\[2J\)",
    ),
    "initialize is 500": (INITIALIZE, says(500, Mcp_Session_Id=SESSION), "is answered 500"),
    "initialize is 204": (INITIALIZE, says(204, Mcp_Session_Id=SESSION), "is answered 204"),
    "initialize is 202": (INITIALIZE, says(202, Mcp_Session_Id=SESSION), "is answered 202"),
    "an unknown revision": (INITIALIZE, gives({"protocolVersion": "1.0.0"}), "protocol revision 1.0.0, which is no legacy one"),
    "a revision of a wrong type": (INITIALIZE, gives({"protocolVersion": ["2025-11-25"]}), "which is no legacy one"),
    "initialized is refused": (INITIALIZED, says(400, "no"), r"is answered 400 \(no\)"),
    "initialized loses the session": (INITIALIZED, says(404, "no"), "is answered 404"),
    "an empty session id": (INITIALIZE, says(200, "{}", Mcp_Session_Id=""), "is answered with a session id that is not visible ASCII"),
    "a session id with a control character": (INITIALIZE, says(200, "{}", Mcp_Session_Id="a\x01b"), "a session id that is not visible ASCII"),
    "a session id that goes on in the next line": (
        INITIALIZE,
        sends(b"HTTP/1.1 200 OK\r\nmcp-session-id: a\r\n Host: b\r\nContent-Length: 0\r\n\r\n"),
        "a session id that is not visible ASCII",
    ),
    "a session id with a carriage return": (
        INITIALIZE,
        sends(b"HTTP/1.1 200 OK\r\nmcp-session-id: a\rHost: b\r\nContent-Length: 0\r\n\r\n"),
        "a session id that is not visible ASCII",
    ),
    "a session id in Latin 1": (
        INITIALIZE,
        sends(b"HTTP/1.1 200 OK\r\nmcp-session-id: a\xe4\r\nContent-Length: 0\r\n\r\n"),
        "a session id that is not visible ASCII",
    ),
    "a session id that is too long": (
        INITIALIZE,
        sends(b"HTTP/1.1 200 OK\r\nmcp-session-id: " + b"a" * 70_000 + b"\r\n\r\n"),
        rf"{NOT_HTTP} \(headers of more than 64 KiB\)",
    ),
    "a list of a wrong type": (MODERN_LIST, gives({"tools": "all"}), "is answered without a list"),
    "a list of numbers": (LEGACY_LIST, gives({"tools": [1]}), "is answered without a list of tools that have a name"),
    "a list of names that are none": (LEGACY_LIST, gives({"tools": [{"name": 1}]}), "is answered without a list of tools that have a name"),
    "no list": (LEGACY_LIST, gives({}), "is answered without a list of tools that have a name"),
    "a list that goes in circles": (MODERN_LIST, gives({"tools": [], "nextCursor": "x"}), "circle"),
    "a cursor that is a number": (LEGACY_LIST, gives({"tools": [], "nextCursor": 1}), "cursor"),
    "a list without end": (
        LEGACY_LIST,
        lambda handler, message: handler.result(message, {"tools": [], "nextCursor": str(time.monotonic_ns())}),
        "has no end after 100 pages",
    ),
    "a list without end of slow pages": (
        LEGACY_LIST,
        lambda handler, message: (time.sleep(0.02), handler.result(message, {"tools": [], "nextCursor": str(time.monotonic_ns())}))[0],
        TIME_IS_UP,
    ),
    "a list that is too large": (LEGACY_LIST, gives({"tools": [{"name": "x" * 99}] * 50_000}), TOO_LARGE),
    "pages that are too large together": (
        LEGACY_LIST,
        lambda handler, message: handler.result(message, {"tools": [{"name": "x" * 999}] * 3900, "nextCursor": str(time.monotonic_ns())}),
        f"{TIME_IS_UP}|has no end",
    ),
}


def _hostile() -> t.Iterator[t.Any]:
    """Each case: the server's scripts, and what the reason says."""

    def case(name: str, where: str, level: Level, script: Script, said: str) -> t.Any:
        base, key, subject = level
        return pytest.param({**base, key: later(script) if where == "later" else script}, f"^{re.escape(subject)} .*({said})", id=f"{name}, in {where}")

    for name, (script, said) in WIRE.items():
        yield from (case(name, where, level, script, said) for where, level in EVERYWHERE.items())
    for name, (script, said) in FLOODS.items():
        yield from (case(name, where, level, script, said) for where, level in SLOW.items())
    for name, script in TOO_SLOW.items():
        yield from (case(f"drips {name}", where, level, script, TIME_IS_UP) for where, level in SLOW.items())
    for name, (change, said) in JSON_ANSWERS.items():
        yield from (case(f"JSON: {name}", where, level, json_says(change), said) for where, level in ANSWERED.items())
    for name, (pieces, said) in STREAMS.items():
        yield from (case(f"stream: {name}", where, level, streams(*pieces), said) for where, level in ANSWERED.items())
    for name, (level, script, said) in SINGLE.items():
        yield case(name, level[2], level, script, said)


@pytest.fixture(autouse=True)
def all_closed(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """No connection is left open."""
    made: list[socket.socket] = []
    create = socket.create_connection

    def recording(*args: t.Any, **options: t.Any) -> socket.socket:
        made.append(create(*args, **options))
        return made[-1]

    monkeypatch.setattr(socket, "create_connection", recording)
    yield
    assert [sock.fileno() for sock in made] == [-1] * len(made)


@pytest.mark.parametrize(("scripts", "said"), _hostile())
def test_hostile_servers(scripts: dict[str, Script], said: str, probed: t.Any) -> None:
    with Scripted(scripts) as server:
        started = time.monotonic()
        found = probed(server.url, timeout=0.8, step_timeout=0.3)
        assert time.monotonic() - started < 1.2
    assert not found["healthy"]
    assert found["steps"][-1 if found["steps"][-1]["level"] != "end" else -2]["ok"] is False
    assert re.search(said, found["reason"]), found["reason"]
    assert found["reason"].isprintable()
    assert len(found["reason"]) < 400
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    assert server.ended == sorted(filter(scripted.is_session_id, server.opened))


def test_a_session_is_ended_though_the_time_is_up(probed: t.Any) -> None:
    with Scripted({**LEGACY, "tools/list": lambda *_a: time.sleep(1)}) as server:
        found = probed(server.url, timeout=0.4, step_timeout=5)
    assert found["reason"].startswith("tools/list got no complete answer within 0.")
    assert server.ended == [SESSION]


def test_a_session_that_is_opened_too_late(probed: t.Any) -> None:
    def late(handler: Handler, message: t.Any) -> None:
        time.sleep(0.3)
        scripted.initialize(handler, message)

    with Scripted({**LEGACY, "initialize": late}) as server:
        found = probed(server.url, "legacy", step_timeout=0.2)
    assert found["reason"] == "initialize got no complete answer within 0.2 s"
    assert server.ended == [SESSION]


def test_a_session_that_is_opened_by_the_refusal_of_the_other_era(probed: t.Any) -> None:
    with Scripted({**LEGACY, "server/discover": says(400, "Missing session ID", Mcp_Session_Id="stray")}) as server:
        found = probed(server.url)
    assert found["healthy"]
    assert server.ended == ["stray", SESSION]
    assert all(headers.get("Mcp-Session-Id") != "stray" for key, headers in server.seen if key != "DELETE")


def test_a_session_that_cannot_be_ended_is_seen_in_the_steps(probed: t.Any) -> None:
    with Scripted({**LEGACY, "DELETE": says(500)}) as server:
        found = probed(server.url)
    assert found["healthy"]
    assert found["steps"][-1]["level"] == "end"
    assert not found["steps"][-1]["ok"]


@pytest.mark.parametrize(("scripts", "mode", "requests"), [(MODERN, "modern", 4), (LEGACY, "stateful", 6)])
def test_a_healthy_server_costs_one_connection(scripts: dict[str, Script], mode: str, requests: int, probed: t.Any) -> None:
    with Scripted(scripts) as server:
        found = probed(server.url)
    assert (found["healthy"], found["session_mode"]) == (True, mode)
    assert (len(server.seen), server.connections) == (requests, 1)


def test_an_answer_among_other_events_on_a_stream_that_stays_open(probed: t.Any) -> None:
    def stream(handler: Handler, message: t.Any) -> None:
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": {"tools": [{"name": "forecast"}]}}
        notice = b'data: {"jsonrpc": "2.0", "method": "notifications/message"}\r\n\r\n'
        events = b"id: 1\r\ndata:\r\n\r\n: ping\r\n\r\n" + notice + b"data: " + json.dumps(answer).encode() + b"\r\n\r\n"
        handler.drip(CHUNKED + chunk(events), chunk(b": ping\n\n"))

    with Scripted({**LEGACY, "tools/list": stream}) as server:
        found = probed(server.url)
    assert found["tools"] == ["forecast"]
    assert found["seconds"] < 1


def test_a_connection_that_the_server_closes_after_each_answer(probed: t.Any) -> None:
    def closing(script: Script) -> Script:
        def last(handler: Handler, message: t.Any) -> None:
            handler.close_connection = True
            script(handler, message)

        return last

    body = b'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n{"status": "HEALTHY"}'
    with Scripted({**MODERN, "GET": closing(sends(body))}) as server:
        assert probed(server.url)["healthy"]
    assert server.connections == 2


def test_health_alone(probed: t.Any) -> None:
    with Scripted({"GET": says(503, '{"status": "DOWN", "version": "1.1.5", "instance_id": "blue-1", "pool": "blue"}')}) as server:
        found = probed(server.url, era=None)
    assert server.requests == ["GET"]
    assert (found["healthy"], found["version"], found["instance_id"], found["pool"]) == (False, "1.1.5", "blue-1", "blue")


def test_nothing_listens(probed: t.Any) -> None:
    with Scripted({}) as server:
        pass
    assert probed(server.url)["reason"] == "connection was refused, nothing listens there"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=mcp.example.com", "-addext", "subjectAltName=DNS:mcp.example.com"]
    key, cert = path.with_name("key.pem"), path.with_name("cert.pem")
    subprocess.run([*command, *names, "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=30)
    path.write_text(key.read_text() + cert.read_text())
    return path


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"ca": True, "host": "mcp.example.com"}, None),
        ({"validate_certs": False}, None),
        ({"host": "mcp.example.com"}, "connection failed because the certificate is not trusted .*ca_cert"),
        ({"ca": True, "host": "other.example.com"}, "connection failed because .*mismatch.* endpoint.host"),
    ],
)
def test_tls(given: dict[str, t.Any], reason: str | None, certificate: Path, probed: t.Any) -> None:
    ca = {"ca_cert": str(certificate)} if given.get("ca") else {}
    with Scripted(MODERN) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        found = probed(server.url.replace("http:", "https:"), **ca, **{key: value for key, value in given.items() if key != "ca"})
    assert found["healthy"] is (reason is None)
    assert reason is None or re.search(reason, found["reason"]), found["reason"]
    assert all(headers["Host"] == given.get("host", server.url.removeprefix("http://")) for _key, headers in server.seen)


def test_tls_is_not_spoken(probed: t.Any) -> None:
    with Scripted(MODERN) as server:
        found = probed(server.url.replace("http:", "https:"), timeout=1)
    assert found["reason"].startswith("connection failed in TLS")
