# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Against servers that misbehave in one way each: every probe ends in time, in one sentence, with its session ended."""

from __future__ import annotations

import datetime
import gzip
import inspect
import json
import re
import socket
import ssl
import struct
import threading
import time
import typing as t
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ansible_collections.mcp.server.plugins.module_utils._mcp.calls import Call
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server import scripted
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    SESSION,
    Handler,
    Script,
    Scripted,
)

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Mcp-Session-Id: 0123456789abcdef\r\n\r\n"
)


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


OFFER = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "weather", "version": "1"},
}
RESULTS: dict[str, t.Any] = {
    "server/discover": {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}},
    "initialize": OFFER,
    "tools/list": {"tools": [{"name": "forecast", "inputSchema": {"type": "object"}}]},
    "tools/call": {"content": [{"type": "text", "text": "sunny"}]},
}

# Where a server misbehaves: the rest of it, the request, its name in the reason.
HEALTH = (MODERN, "GET", "GET /health")
DISCOVER = (MODERN, "server/discover", "server/discover")
INITIALIZE = (LEGACY, "initialize", "initialize")
INITIALIZED = (LEGACY, "notifications/initialized", "notifications/initialized")
MODERN_LIST = (MODERN, "tools/list", "tools/list")
LEGACY_LIST = (LEGACY, "tools/list", "tools/list")
LATER = (LEGACY, "tools/list", "tools/list")
CALL = (LEGACY, "tools/call", "tools/call forecast")
Level = tuple[dict[str, Script], str, str]
EVERYWHERE: dict[str, Level] = {
    "health": HEALTH,
    "discover": DISCOVER,
    "initialize": INITIALIZE,
    "initialized": INITIALIZED,
    "modern list": MODERN_LIST,
    "legacy list": LEGACY_LIST,
    "later": LATER,
    "call": CALL,
}
ANSWERED = {name: level for name, level in EVERYWHERE.items() if name not in ("health", "initialized")}
SLOW = {name: EVERYWHERE[name] for name in ("health", "initialize", "later")}

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: 0123456789abcdef\r\n"
JSON_CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NOT_HTTP = "got an answer that is not acceptable HTTP"
CUT = "was cut in the middle of the answer"
TIME_IS_UP = "got no complete answer within 0.(15|075) s"
TOO_LARGE = "returned more than 4 MiB"
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
    "a status line without end": (
        floods(b"HTTP/1.1 200 ", b"x" * 65536),
        rf"{NOT_HTTP} \(headers of more than 64 KiB\)",
    ),
    "another protocol": (
        sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        rf"{NOT_HTTP} \(a switch",
    ),
    "a header without a colon": (
        sends(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"),
        rf"{NOT_HTTP} \('no header' is no header\)",
    ),
    "a header name with a space": (sends(b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n"), "is no header"),
    "a header name of control characters": (sends(b"HTTP/1.1 200 OK\r\n\x1b[2J: 5\r\n\r\n"), r"'\[2J: 5' is no header"),
    "a thousand headers": (
        sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"),
        rf"{NOT_HTTP} \(more than 100 headers\)",
    ),
    "headers without end": (
        floods(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 999),
        rf"{NOT_HTTP} \(headers of more than 64 KiB\)",
    ),
    "a header without end": (
        floods(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
        rf"{NOT_HTTP} \(headers of more than 64 KiB\)",
    ),
    "headers that are cut": (sends(b"HTTP/1.1 200 OK\r\nX: y\r\n"), CUT),
    "100 and no more": (sends(b"HTTP/1.1 100 Continue\r\n\r\n"), "was cut without an answer"),
    "two lengths": (
        sends(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
        rf"{NOT_HTTP} \(two different values of Content-Length\)",
    ),
    "two lengths in one header": (
        sends(OK + b"Content-Length: 2, 3\r\n\r\n{} "),
        rf"{NOT_HTTP} \(two different values of Content-Length\)",
    ),
    "a negative length": (sends(OK + b"Content-Length: -2\r\n\r\n{}"), rf"{NOT_HTTP} \(Content-Length -2\)"),
    "a length with a sign": (sends(OK + b"Content-Length: +2\r\n\r\n{}"), rf"{NOT_HTTP} \(Content-Length \+2\)"),
    "a length of letters": (sends(OK + b"Content-Length: two\r\n\r\n{}"), rf"{NOT_HTTP} \(Content-Length two\)"),
    "a length of a thousand digits": (
        sends(OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n{}"),
        rf"{NOT_HTTP} \(Content-Length 9",
    ),
    "a length of a petabyte": (sends(OK + b"Content-Length: 1000000000000000\r\n\r\n{}"), TOO_LARGE),
    "a length that is too large": (sends(OK + b"Content-Length: 9\r\n\r\n{}"), CUT),
    "length and chunks": (
        sends(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        "both Content-Length and",
    ),
    "chunks twice": (
        sends(OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        rf"{NOT_HTTP} \(Transfer-Encoding chunked, chunked\)",
    ),
    "gzip beneath chunks": (
        sends(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        rf"{NOT_HTTP} \(Transfer-Encoding gzip, chunked\)",
    ),
    "a chunk of a negative size": (
        sends(JSON_CHUNKS + b"-2\r\n{}\r\n0\r\n\r\n"),
        rf"{NOT_HTTP} \('-2' is no size of a chunk\)",
    ),
    "a chunk of a size with 0x": (sends(JSON_CHUNKS + b"0x2\r\n{}\r\n0\r\n\r\n"), "'0x2' is no size of a chunk"),
    "a chunk of a size with _": (sends(JSON_CHUNKS + b"0_2\r\n{}\r\n0\r\n\r\n"), "'0_2' is no size of a chunk"),
    "a chunk of a size of letters": (sends(JSON_CHUNKS + b"\x1bz\r\n{}\r\n0\r\n\r\n"), "'z' is no size of a chunk"),
    "a chunk without a size": (sends(JSON_CHUNKS + b"\r\n{}\r\n0\r\n\r\n"), "'' is no size of a chunk"),
    "a chunk of a petabyte": (sends(JSON_CHUNKS + b"38d7ea4c68000\r\n{"), TOO_LARGE),
    "a chunk of 16 digits": (sends(JSON_CHUNKS + b"1000000000000000\r\n{"), "is no size of a chunk"),
    "a chunk that is too long": (
        sends(JSON_CHUNKS + b"1\r\n{}\r\n0\r\n\r\n"),
        rf"{NOT_HTTP} \(a chunk is longer than it says\)",
    ),
    "a chunk that is too short": (sends(JSON_CHUNKS + b"9\r\n{}\r\n0\r\n\r\n"), f"{CUT}|{NOT_HTTP}"),
    "a chunk without its end": (sends(JSON_CHUNKS + b"2\r\n{}0\r\n\r\n"), "a chunk is longer than it says"),
    "a chunk with an endless extension": (
        floods(JSON_CHUNKS + b"2;x=", b"y" * 65536),
        rf"{NOT_HTTP} \(a chunk's size or a trailer of more than 4 KiB\)",
    ),
    "an endless trailer": (floods(JSON_CHUNKS + b"0\r\nX: ", b"y" * 65536), "trailer of more than 4 KiB"),
    "no last chunk": (sends(JSON_CHUNKS + b"2\r\n{}\r\n"), CUT),
    "chunks that are cut": (sends(JSON_CHUNKS + b"2\r\n{"), CUT),
    "a body without end": (floods(OK + b"\r\n", b" " * 65536), TOO_LARGE),
    "chunks without end": (floods(JSON_CHUNKS, chunk(b" " * 65536)), TOO_LARGE),
    "gzip": (
        says(200, "{}", Content_Encoding="gzip"),
        "returned data in the encoding gzip, though none was requested: switch compression off",
    ),
    "brotli": (says(200, "{}", Content_Encoding="BR"), "returned data in the encoding BR,"),
    "an encoding of control characters": (
        says(200, "{}", Content_Encoding="\x1b[2J"),
        r"returned data in the encoding \[2J,",
    ),
    "a compressed bomb": (
        sends(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        "in the encoding gzip",
    ),
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
    "another id": (lambda a: {**a, "id": 77}, r"with id \d got an answer with id 77"),
    "another id as a string": (lambda a: {**a, "id": f"0{a['id']}"}, r'got an answer with id "0\d+"$'),
    "another id as a float": (lambda a: {**a, "id": a["id"] + 0.5}, r"got an answer with id \d+\.5$"),
    "the id as true": (lambda a: {**a, "id": True}, "got an answer with id true"),
    "the id as null": (lambda a: {**a, "id": None}, "got an answer with id null"),
    "no id": (lambda a: {"jsonrpc": "2.0", "result": a["result"]}, "got an answer with id null"),
    "a large id": (lambda a: {**a, "id": 2**64 + a["id"]}, "got an answer with id 18446744073709551"),
    "the id in a list": (lambda a: {**a, "id": [a["id"]]}, r"got an answer with id \[\d\]"),
    "a long id": (lambda a: {**a, "id": "\x1b" * 10_000}, r'got an answer with id "\\u001b'),
    "a batch": (lambda a: [a], "returned JSON that is not JSON-RPC 2.0"),
    "an empty batch": (lambda a: [], "returned JSON that is not JSON-RPC 2.0"),
    "JSON-RPC 1.0": (lambda a: {**a, "jsonrpc": "1.0"}, "returned JSON that is not JSON-RPC 2.0"),
    "a number as version": (lambda a: {**a, "jsonrpc": 2.0}, "returned JSON that is not JSON-RPC 2.0"),
    "null": (lambda a: None, "returned JSON that is not JSON-RPC 2.0"),
    "an empty object": (lambda a: {}, "returned JSON that is not JSON-RPC 2.0"),
    "no result": (lambda a: {"jsonrpc": "2.0", "id": a["id"]}, "returned neither a result nor an error"),
    "a list as result": (lambda a: {**a, "result": []}, "returned neither a result nor an error"),
    "null as result": (lambda a: {**a, "result": None}, "returned neither a result nor an error"),
    "a string as error": (
        lambda a: {"jsonrpc": "2.0", "id": a["id"], "error": "no"},
        "returned neither a result nor an error",
    ),
    "nothing": (lambda a: "", "returned 200 without JSON"),
    "half of it": (lambda a: json.dumps(a)[:-9], "returned 200 without JSON"),
    "two of them": (lambda a: json.dumps(a) * 2, "returned 200 without JSON"),
    "HTML as JSON": (lambda a: "<p>\x1b[2J", r"returned 200 without JSON .*<p> \[2J"),
    "deep nesting": (
        lambda a: json.dumps(a)[:-1] + ', "x": ' + "[" * 500 + "]" * 500 + "}",
        "returned 200 without JSON",
    ),
    "nesting without bottom": (lambda a: "[" * 200_000, "returned 200 without JSON"),
    "a huge number": (
        lambda a: json.dumps(a)[:-1] + ', "x": ' + "9" * 5000 + "}",
        "returned 200 without JSON",
    ),
    "an infinite number": (
        lambda a: json.dumps(a)[:-1] + ', "x": 1e999}',
        "returned 200 without JSON",
    ),
    "not a number": (lambda a: {**a, "x": float("nan")}, "returned 200 without JSON"),
    "half of a surrogate pair": (lambda a: {**a, "x": "\ud800"}, "returned 200 without JSON"),
    "a request of its own": (lambda a: {"jsonrpc": "2.0", "id": a["id"], "method": "ping"}, "returned 200 without"),
    "too much": (lambda a: {**a, "x": "x" * 5_000_000}, TOO_LARGE),
}

# Of an event stream: all its pieces.
STREAMS: dict[str, tuple[tuple[bytes, ...], str]] = {
    "nothing": ((), "got no answer before the event stream ended"),
    "only comments and priming": (
        (b": x\n\n", b"id: 1\ndata:\n\n", b"retry: 1\n\n"),
        "got no answer before the event stream ended",
    ),
    "no blank line at the end": (
        (b'data: {"jsonrpc": "2.0", "id": 1, "result": {}}\n',),
        "got no answer before the event stream ended",
    ),
    "no JSON": ((event("{"),), "returned an event that is not JSON"),
    "a huge number": ((event("9" * 5000),), "an event that is not JSON .*too large"),
    "half of a surrogate pair": ((event(r'"\ud800"'),), "an event that is not JSON .*surrogate"),
    "nesting without bottom": ((event("[" * 100_000),), "an event that is not JSON .*nested deeper than 100"),
    "another id": ((event('{"jsonrpc": "2.0", "id": 77, "result": {}}'),), "got an answer with id 77"),
    "a batch": ((event("[]"),), "returned JSON that is not JSON-RPC 2.0"),
    "an event without end": (
        tuple([b"data: " + b"x" * 65536 + b"\n"] * 70),
        "(returned more than|returned an event of more than) 4 MiB",
    ),
    "a line without end": (
        tuple([b"x" * 65536] * 70),
        "(returned more than|returned an event of more than) 4 MiB",
    ),
    "many events": (tuple([event('{"jsonrpc": "2.0", "method": "x"}') * 1000] * 85), f"{TOO_LARGE}|{TIME_IS_UP}"),
}

# Of one level only.
SINGLE: dict[str, tuple[Level, Script, str]] = {
    "health is HTML": (HEALTH, says(200, "<html>", "text/html"), "returned HTML"),
    "health is no JSON": (HEALTH, says(200, "ok"), r"returned 200 without JSON .*\(ok\)"),
    "health is a list": (HEALTH, says(200, "[]"), "does not satisfy status"),
    "health is nested too deeply": (
        HEALTH,
        says(200, '{"a":' * 200 + "1" + "}" * 200),
        "returned 200 without JSON",
    ),
    "health is infinite": (HEALTH, says(200, '{"status": "HEALTHY", "a": 1e999}'), "returned 200 without JSON"),
    "health is 500": (HEALTH, says(500, "boom"), r"returned 500 \(boom\)"),
    "health is 503 with a document": (HEALTH, says(503, '{"status": "DOWN"}'), "returned 503"),
    "health is 204": (HEALTH, says(204), "returned 204 without JSON"),
    "health is a redirect": (HEALTH, says(302, Location="/login"), r"was redirected \(302\) to /login"),
    "health is unwell": (HEALTH, says(200, '{"status": "DOWN"}'), "does not satisfy status == 'HEALTHY'"),
    "mcp is HTML": (DISCOVER, says(200, "<p>", "text/html; charset=utf-8"), "returned HTML"),
    "mcp is 500": (DISCOVER, says(500, "boom\nstack\x1b[2J"), r"returned 500 \(boom stack \[2J\)"),
    "mcp is a redirect to itself": (DISCOVER, says(307, Location="/mcp"), "to /mcp; redirects are not followed"),
    "mcp is a redirect to control characters": (
        DISCOVER,
        says(307, Location="/\x1b[2J"),
        r"to / \[2J; redirects are not followed",
    ),
    "mcp is a redirect to nowhere": (DISCOVER, says(308), "was redirected"),
    "mcp refuses the host": (DISCOVER, says(421, "Invalid Host header"), "does not accept this Host"),
    "mcp wants credentials": (DISCOVER, says(401), "returned 401"),
    "an error in place of the list": (
        LEGACY_LIST,
        scripted.unknown,
        r"failed with error -32601 \(Method not found\)",
    ),
    "an error of control characters": (
        LEGACY_LIST,
        json_says(lambda a: {"jsonrpc": "2.0", "id": a["id"], "error": {"code": 10**400, "message": "\x1b[2J\u202e"}}),
        r"failed with error 0 \(\[2J\)",
    ),
    "a call that fails": (CALL, gives({"isError": True, "content": [{"text": "\x1b[2J"}]}), r"failed: \[2J"),
    "a call that fails without a word": (
        CALL,
        gives({"isError": True, "content": [1, {"text": 2}]}),
        "failed: nothing more",
    ),
    "initialize is 500": (INITIALIZE, says(500, Mcp_Session_Id=SESSION), "returned 500"),
    "initialize is 204": (INITIALIZE, says(204, Mcp_Session_Id=SESSION), "returned 204"),
    "initialize is 202": (INITIALIZE, says(202, Mcp_Session_Id=SESSION), "returned 202"),
    "an unknown revision": (
        INITIALIZE,
        gives({"protocolVersion": "1.0.0"}),
        "protocol revision 1.0.0, which is not a legacy one",
    ),
    "a revision of a wrong type": (INITIALIZE, gives({"protocolVersion": ["2025-11-25"]}), "which is not a legacy one"),
    "initialized is refused": (INITIALIZED, says(400, "no"), r"returned 400 \(no\)"),
    "initialized loses the session": (
        INITIALIZED,
        says(404, "no"),
        r"returned 404 \(no\): it does not know the session",
    ),
    "another replica answers": (LEGACY_LIST, says(404, "no"), "another pod may have answered"),
    "another replica answers with 400": (LEGACY_LIST, says(400, "Invalid session ID"), "another pod may have"),
    "a request is refused": (LEGACY_LIST, says(400, "no"), r"returned 400 \(no\)$"),
    "an empty session id": (
        INITIALIZE,
        says(200, "{}", Mcp_Session_Id=""),
        "returned a session id that is not visible ASCII",
    ),
    "a session id with a control character": (
        INITIALIZE,
        says(200, "{}", Mcp_Session_Id="a\x01b"),
        "a session id that is not visible ASCII",
    ),
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
    "a list of a wrong type": (MODERN_LIST, gives({"tools": "all"}), "returned no list"),
    "a list of numbers": (LEGACY_LIST, gives({"tools": [1]}), "returned no list of tools that have a name"),
    "a list of names that are none": (
        LEGACY_LIST,
        gives({"tools": [{"name": 1}]}),
        "returned no list of tools that have a name",
    ),
    "no list": (LEGACY_LIST, gives({}), "returned no list of tools that have a name"),
    "a list that goes in circles": (
        MODERN_LIST,
        gives({"tools": [], "nextCursor": "x"}),
        "a cursor that is not text or came before",
    ),
    "a cursor that is a number": (LEGACY_LIST, gives({"tools": [], "nextCursor": 1}), "cursor"),
    "a list without end": (
        LEGACY_LIST,
        lambda handler, message: handler.result(message, {"tools": [], "nextCursor": str(time.monotonic_ns())}),
        "did not end after 100 pages",
    ),
    "a list without end of slow pages": (
        LEGACY_LIST,
        lambda handler, message: (
            time.sleep(0.02),
            handler.result(message, {"tools": [], "nextCursor": str(time.monotonic_ns())}),
        )[0],
        TIME_IS_UP,
    ),
    "a list that is too large": (LEGACY_LIST, gives({"tools": [{"name": "x" * 99}] * 50_000}), TOO_LARGE),
}


def _hostile() -> t.Iterator[t.Any]:
    """Each case: the server's scripts, and what the reason says."""

    def case(name: str, where: str, level: Level, script: Script, said: str) -> t.Any:
        base, key, subject = level
        return pytest.param(
            {**base, key: later(script) if where == "later" else script},
            f"^{re.escape(subject)} .*({said})",
            id=f"{name}, in {where}",
        )

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


@pytest.mark.parametrize(("scripts", "said"), list(_hostile()))
def test_hostile_servers(scripts: dict[str, Script], said: str, probed: t.Any) -> None:
    with Scripted(scripts) as server:
        started = time.monotonic()
        calls = [Call("forecast")] if "tools/call" in scripts else []
        found = probed(server.url, calls=calls, timeout=1.6, step_timeout=0.15 if TIME_IS_UP in said else 1)
        assert time.monotonic() - started < 1.8
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
def test_a_healthy_server_costs_one_connection(
    scripts: dict[str, Script], mode: str, requests: int, probed: t.Any
) -> None:
    with Scripted(scripts) as server:
        found = probed(server.url)
    assert (found["healthy"], found["session_mode"]) == (True, mode)
    assert (len(server.seen), server.connections) == (requests, 1)


def test_an_answer_among_other_events_on_a_stream_that_stays_open(probed: t.Any) -> None:
    def stream(handler: Handler, message: t.Any) -> None:
        answer = {
            "jsonrpc": "2.0",
            "id": message["id"],
            "result": {"tools": [{"name": "forecast", "inputSchema": {"type": "object"}}]},
        }
        notice = b'data: {"jsonrpc": "2.0", "method": "notifications/message"}\r\n\r\n'
        events = (
            b"id: 1\r\ndata:\r\n\r\n: ping\r\n\r\n" + notice + b"data: " + json.dumps(answer).encode() + b"\r\n\r\n"
        )
        handler.drip(CHUNKED + chunk(events), chunk(b": ping\n\n"))

    with Scripted({**LEGACY, "tools/list": stream}) as server:
        found = probed(server.url)
    assert found["tools"] == ["forecast"]
    assert found["seconds"] < 1


def test_health_alone(probed: t.Any) -> None:
    with Scripted(
        {"GET": says(503, '{"status": "DOWN", "version": "1.1.5", "instance_id": "blue-1", "pool": "blue"}')}
    ) as server:
        found = probed(server.url, era=None)
    assert server.requests == ["GET"]
    assert (found["healthy"], found["version"], found["instance_id"], found["pool"]) == (
        False,
        "1.1.5",
        "blue-1",
        "blue",
    )


def test_nothing_listens(probed: t.Any) -> None:
    with Scripted({}) as server:
        pass
    assert probed(server.url)["reason"] == "connection was refused, nothing listens there"


def http(
    body: bytes, *, kind: str = "application/json", version: str = "1.1", more: str = "", length: bool = True
) -> bytes:
    lines = [f"HTTP/{version} 200 OK", f"Content-Type: {kind}", f"Mcp-Session-Id: {SESSION}", *([more] if more else [])]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*pieces: bytes, more: str = "", kind: str = "application/json", last: bytes = b"0\r\n\r\n") -> bytes:
    return (
        http(b"", kind=kind, more="Transfer-Encoding: chunked" + more, length=False)
        + b"".join(map(chunk, pieces))
        + last
    )


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


def sse(stream: bytes) -> bytes:
    return chunked(*bytewise(stream), kind="text/event-stream; charset=utf-8")


def lines(body: bytes, end: bytes = b"\n") -> bytes:
    """An event of several lines of data."""
    pretty = json.dumps(json.loads(body), indent=1).encode()
    return b"".join(b"data: " + line + end for line in pretty.split(b"\n")) + end


def own(method: str) -> bytes:
    return event(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}))


KEEPS, CLOSES = False, True
# A right body in strange clothes: what is sent, and whether the server hangs up then.
LEGAL: dict[str, tuple[t.Callable[[bytes], bytes], bool]] = {
    "a length": (http, KEEPS),
    "a length, and hangs up": (http, CLOSES),
    "says that it hangs up": (lambda body: http(body, more="Connection: foo, Close"), CLOSES),
    "two lengths that are one": (lambda body: http(body, more=f"Content-Length: {len(body)}"), KEEPS),
    "a list of one length": (
        lambda body: http(body, more=f"Content-Length: {len(body)}, {len(body)}", length=False),
        KEEPS,
    ),
    "no length": (lambda body: http(body, length=False), CLOSES),
    "HTTP/1.0": (lambda body: http(body, version="1.0", length=False), CLOSES),
    "HTTP/1.0 with a length": (lambda body: http(body, version="1.0"), CLOSES),
    "HTTP/1.0 that keeps": (lambda body: http(body, version="1.0", more="Connection: keep-alive"), KEEPS),
    "no reason phrase": (lambda body: http(body).replace(b" OK", b""), KEEPS),
    "line feeds": (lambda body: http(body).replace(b"\r\n", b"\n"), KEEPS),
    "header names in capitals": (
        lambda body: http(body).replace(b"Content-Length", b"CONTENT-LENGTH").replace(b"Session-Id", b"session-ID"),
        KEEPS,
    ),
    "a folded header": (lambda body: http(body, more="X: a\r\n b\r\n\tc"), KEEPS),
    "many headers": (lambda body: http(body, more="\r\n".join(["X: y"] * 90)), KEEPS),
    "100 before": (lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + http(body), KEEPS),
    "103 before": (
        lambda body: b"HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 9\r\n\r\n" + http(body),
        KEEPS,
    ),
    "more than the length": (lambda body: http(body) + b"HTTP/1.1 500 Smuggled\r\n\r\n", KEEPS),
    "identity": (lambda body: http(body, more="Content-Encoding: Identity"), KEEPS),
    "chunks of a byte": (lambda body: chunked(*bytewise(body)), KEEPS),
    "chunks, and hangs up": (lambda body: chunked(body, more="\r\nConnection: close"), CLOSES),
    "a chunk in capitals and zeros": (
        lambda body: chunked(last=b"000%X \r\n%s\r\n000\r\n\r\n" % (len(body), body)),
        KEEPS,
    ),
    "chunks with extensions": (
        lambda body: chunked(last=b'%x;a=b;c="d"\r\n%s\r\n0;e\r\n\r\n' % (len(body), body)),
        KEEPS,
    ),
    "chunks with trailers": (lambda body: chunked(body, last=b"0\r\nMcp-Session-Id: x\r\nY: z\r\n\r\n"), KEEPS),
    "chunks with line feeds": (lambda body: chunked(last=b"%x\n%s\n0\n\n" % (len(body), body)), KEEPS),
    "white space": (lambda body: http(b" \r\n\t" + body + b"\n\n"), KEEPS),
}
# The same of the health document alone: official clients of MCP refuse these.
LEGAL_DOCUMENTS: dict[str, tuple[t.Callable[[bytes], bytes], bool]] = {
    "another type": (lambda body: http(body, kind="text/plain"), KEEPS),
    "names twice": (lambda body: http(b'{"status": "DOWN", ' + body[1:]), KEEPS),
    "names that nobody knows": (lambda body: http(body[:-1] + b', "x": [{}, null, -0.0, 1e99]}'), KEEPS),
    "invalid UTF-8 in a string": (lambda body: http(body[:-1] + b', "x": "\xff\xc3"}'), KEEPS),
}
# The same of MCP alone.
LEGAL_STREAMS: dict[str, tuple[t.Callable[[bytes], bytes], bool]] = {
    "line feeds": (lambda body: sse(lines(body)), KEEPS),
    "carriage returns": (lambda body: sse(lines(body, b"\r")), KEEPS),
    "both": (lambda body: sse(lines(body, b"\r\n")), KEEPS),
    "a byte order mark": (lambda body: sse(b"\xef\xbb\xbf" + event(body)), KEEPS),
    "all the fields": (
        lambda body: sse(b": hello\nretry: 3000\nid: 7\nevent: message\ndata:" + body + b"\nfoo\nbar: x\n\n"),
        KEEPS,
    ),
    "priming": (lambda body: sse(b"id: 0\ndata:\n\nid: 1\ndata: \n\nevent: message\n\n" + event(body)), KEEPS),
    "other events": (
        lambda body: sse(b"event: heartbeat\ndata: {\n\nevent: endpoint\ndata: /x\n\n" + event(body)),
        KEEPS,
    ),
    "a notification before": (
        lambda body: sse(event('{"jsonrpc": "2.0", "method": "notifications/message"}') + event(body)),
        KEEPS,
    ),
    "a ping before": (lambda body: sse(own("ping") + event(body)), KEEPS),
    "requests of its own before": (
        lambda body: sse(own("sampling/createMessage") + own("elicitation/create") + own("roots/list") + event(body)),
        KEEPS,
    ),
    "no end": (lambda body: chunked(event(body), kind="text/event-stream", last=b""), KEEPS),
    "no length": (lambda body: http(event(body), kind="text/event-stream", length=False), CLOSES),
    "no length and no end": (lambda body: http(event(body), kind="text/event-stream", length=False), KEEPS),
    "a length": (lambda body: http(event(body), kind="text/event-stream"), KEEPS),
    "half an event after it": (lambda body: sse(event(body) + b"data: {"), KEEPS),
    "no event after it": (lambda body: sse(event(body) + event("[") * 9), KEEPS),
    "a broken chunk after it": (lambda body: chunked(event(body), kind="text/event-stream", last=b"zz\r\n"), KEEPS),
}


def dressed(frame: t.Callable[[bytes], bytes], closes: bool, key: str) -> Script:
    def script(handler: Handler, message: t.Any) -> None:
        right = (
            {"status": "HEALTHY"} if key == "GET" else {"jsonrpc": "2.0", "id": message["id"], "result": RESULTS[key]}
        )
        # So that nothing else arrives between the answer and its end.
        handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        handler.write(frame(json.dumps(right).encode()))
        if closes:
            handler.connection.shutdown(socket.SHUT_WR)
            handler.close_connection = True
        else:
            handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    return script


def _legal() -> t.Iterator[t.Any]:
    for era, base in (("modern", MODERN), ("legacy", LEGACY)):
        keys = ["server/discover", "tools/list"] if era == "modern" else ["initialize", "tools/list"]
        for where, frames, its in (
            ("JSON", LEGAL, ["GET", *keys]),
            ("document", LEGAL_DOCUMENTS, ["GET"]),
            ("stream", LEGAL_STREAMS, keys),
        ):
            for name, (frame, closes) in frames.items():
                changed = {key: dressed(frame, closes, key) for key in its}
                yield pytest.param({**base, **changed}, era, id=f"{era} {where}: {name}")


@pytest.mark.parametrize(("scripts", "era"), list(_legal()))
def test_strange_servers_that_are_right(scripts: dict[str, Script], era: str, probed: t.Any) -> None:
    with Scripted(scripts) as server:
        found = probed(server.url, timeout=2, step_timeout=1)
    assert (found["healthy"], found["era"], found["tools"]) == (True, era, ["forecast"]), found["reason"]
    assert sorted(set(server.ended)) == sorted(server.opened)
    assert found["requests"] == len(server.seen)
    assert found["seconds"] < 1


def test_pages_that_are_too_large_together(probed: t.Any) -> None:
    def page(handler: Handler, message: t.Any) -> None:
        handler.result(
            message,
            {
                "tools": [{"name": "x" * 9999, "inputSchema": {"type": "object"}}] * 390,
                "nextCursor": str(time.monotonic_ns()),
            },
        )

    with Scripted({**LEGACY, "tools/list": page}) as server:
        found = probed(server.url, timeout=20, step_timeout=15)
    assert found["reason"] == "tools/list returned more than 16 MiB in all"
    assert server.requests.count("tools/list") == 5
    assert server.ended == [SESSION]


def test_no_content_without_a_length(probed: t.Any) -> None:
    def kept(handler: Handler, _message: t.Any) -> None:
        handler.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    with Scripted({**LEGACY, "notifications/initialized": kept, "DELETE": kept}) as server:
        found = probed(server.url, timeout=2, step_timeout=1)
    assert found["healthy"]
    assert (found["seconds"] < 1, server.connections) == (True, 1)


def test_a_body_where_there_is_none(probed: t.Any) -> None:
    accepted = sends(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
    with Scripted({**LEGACY, "notifications/initialized": accepted}) as server:
        assert probed(server.url)["healthy"]


def test_a_session_that_changes_with_each_answer(probed: t.Any) -> None:
    numbers = iter(range(100))

    def changing(key: str) -> Script:
        return lambda handler, message: handler.result(message, RESULTS[key], Mcp_Session_Id=f"session-{next(numbers)}")

    with Scripted({**LEGACY, **{key: changing(key) for key in ("initialize", "tools/list")}}) as server:
        assert probed(server.url)["healthy"]
    assert server.ended == sorted(server.opened)
    assert len(server.ended) == 2


def test_many_sessions_in_one_answer(probed: t.Any) -> None:
    def many(handler: Handler, message: t.Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": OFFER}).encode()
        handler.write(http(body, more="Mcp-Session-Id: other\r\nMcp-Session-Id: third"))

    with Scripted({**LEGACY, "initialize": many}) as server:
        assert probed(server.url)["healthy"]
    assert sorted(server.ended) == [SESSION, "other", "third"]


@pytest.mark.parametrize(
    "stage", ["GET", "server/discover", "initialize", "notifications/initialized", "tools/list", "DELETE"]
)
def test_a_server_that_goes_away(stage: str, probed: t.Any) -> None:
    """It closes the connection and its port."""

    def goes(handler: Handler, _message: t.Any) -> None:
        handler.server.shutdown()
        handler.server.server_close()
        handler.close_connection = True

    with Scripted({**LEGACY, stage: goes}) as server:
        found = probed(server.url, timeout=2, step_timeout=1)
    assert found["healthy"] is (stage == "DELETE")
    assert stage == "DELETE" or re.match(rf".*{stage}.* was cut without an answer", found["reason"])
    assert found["seconds"] < 1


@pytest.fixture
def silent() -> t.Iterator[t.Callable[[bytes, float], str]]:
    """A server that accepts, reads nothing, and says the same again and again, or nothing; its address."""
    stop = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    threads = []

    def start(says: bytes, pause: float) -> str:
        def work() -> None:
            with suppress(OSError):
                peer, _address = server.accept()
                with peer:
                    while not stop.wait(pause):
                        peer.sendall(says)

        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    stop.set()
    server.close()
    for thread in threads:
        thread.join(1)


@pytest.mark.parametrize(
    ("scheme", "says", "reason"),
    [
        ("http", b"", "GET /health got no complete answer within 0.3 s"),
        ("http", b"\0", "GET /health got an answer that is not acceptable HTTP"),
        ("https", b"", "connection could not be made within 0.3 s"),
        ("https", b"\x16", "connection (could not be made within 0.3 s|failed in TLS)"),
        ("https", b"\x16\x03\x03\x00\x01\x00", "connection (could not be made within 0.3 s|failed in TLS)"),
        (
            "https",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "connection failed in TLS .*; the server does not speak TLS here, its URL may begin with http://",
        ),
        ("https", b"SSH-2.0-x\r\n", "connection failed in TLS .*; the server does not speak TLS here"),
    ],
)
def test_a_server_that_does_not_read(scheme: str, says: bytes, reason: str, silent: t.Any, probed: t.Any) -> None:
    started = time.monotonic()
    found = probed(f"{scheme}://{silent(says, 0.02)}", timeout=2, step_timeout=0.3 if "within" in reason else 1)
    assert time.monotonic() - started < 1.5
    assert not found["healthy"]
    assert re.match(reason, found["reason"]), found["reason"]


class Authority:
    """A certificate authority for one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = self._write("ca", self._signed("ca", self._key, None, (-1, 1), own=True))

    def issue(self, kind: str, days: tuple[float, float] = (-1, 1), name: str = "mcp.example.com", **how: bool) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(kind, self._signed(name, key, name, days, **how), key)

    def _signed(
        self,
        subject: str,
        key: t.Any,
        dns: str | None,
        days: tuple[float, float],
        own: bool = False,
        for_clients: bool = False,
    ) -> x509.Certificate:
        def called(name: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(
            called(subject if own else "ca"), called(subject), key.public_key(), x509.random_serial_number()
        )
        builder = builder.not_valid_before(now + datetime.timedelta(days[0])).not_valid_after(
            now + datetime.timedelta(days[1])
        )
        builder = builder.add_extension(x509.BasicConstraints(dns is None, None), critical=True)
        # As RFC 5280 wants them, which Python checks from 3.13 on.
        issuer = key if own else self._key
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
        may = dict.fromkeys(inspect.signature(x509.KeyUsage).parameters, False)
        builder = builder.add_extension(
            x509.KeyUsage(**{**may, "key_cert_sign": dns is None, "digital_signature": True}), critical=True
        )
        if for_clients:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        if dns:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
        return builder.sign(issuer, hashes.SHA256())

    def _write(self, kind: str, certificate: x509.Certificate, key: t.Any = None) -> Path:
        path = self._folder / f"{kind}.pem"
        encoding = serialization.Encoding.PEM
        secret = (
            key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) if key else b""
        )
        path.write_bytes(certificate.public_bytes(encoding) + secret)
        return path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    ours, theirs = (Authority(tmp_path_factory.mktemp(name)) for name in ("ours", "theirs"))
    return {
        "ca": ours.path,
        "good": ours.issue("good"),
        "expired": ours.issue("expired", (-2, -1)),
        "too early": ours.issue("too early", (1, 2)),
        "self-signed": ours.issue("self-signed", own=True),
        "unknown": theirs.issue("unknown"),
        "for clients": ours.issue("for clients", for_clients=True),
        "client": ours.issue("client", name="mcp-health"),
    }


def accept_good(context: ssl.SSLContext, certificates: dict[str, Path]) -> None:
    context.load_cert_chain(certificates["good"])


def accept_with(kind: str) -> t.Callable[[ssl.SSLContext, dict[str, Path]], None]:
    return lambda context, certificates: context.load_cert_chain(certificates[kind])


def ask_for_client(version: ssl.TLSVersion) -> t.Callable[[ssl.SSLContext, dict[str, Path]], None]:
    def accept(context: ssl.SSLContext, certificates: dict[str, Path]) -> None:
        accept_good(context, certificates)
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates["ca"])

    return accept


def speak_old(context: ssl.SSLContext, certificates: dict[str, Path]) -> None:
    accept_good(context, certificates)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1


TRUSTED = {"ca_cert": "ca", "host": "mcp.example.com"}
UNTRUSTED = "connection failed because the certificate is not trusted"


@pytest.mark.parametrize(
    ("accept", "given", "reason"),
    [
        (accept_good, TRUSTED, None),
        (accept_good, {"validate_certs": False}, None),
        (accept_with("unknown"), {"validate_certs": False}, None),
        (accept_good, {"host": "mcp.example.com"}, f"{UNTRUSTED} .*local issuer.*; name its CA in endpoint.ca_cert"),
        (
            accept_good,
            {**TRUSTED, "host": "other.example.com"},
            f"{UNTRUSTED} .*mismatch.*; name the one that it is made for in endpoint.host",
        ),
        (
            accept_good,
            {"ca_cert": "ca"},
            f"{UNTRUSTED} .*IP address mismatch.*; name the one that it is made for in endpoint.host",
        ),
        (accept_with("expired"), TRUSTED, rf"{UNTRUSTED} \(certificate has expired\); renew it on the server"),
        (accept_with("too early"), TRUSTED, rf"{UNTRUSTED} \(certificate is not yet valid\); compare the clocks"),
        (
            accept_with("self-signed"),
            TRUSTED,
            rf"{UNTRUSTED} \(self.signed certificate\); name its CA in endpoint.ca_cert",
        ),
        (accept_with("for clients"), TRUSTED, rf"{UNTRUSTED} \(.*purpose\); replace it on the server"),
        (accept_with("unknown"), TRUSTED, f"{UNTRUSTED} .*; name its CA in endpoint.ca_cert"),
        (
            ask_for_client(ssl.TLSVersion.TLSv1_3),
            TRUSTED,
            r"GET /health failed in TLS \(.*CERTIFICATE_REQUIRED\); .* set endpoint.client_cert",
        ),
        (
            ask_for_client(ssl.TLSVersion.TLSv1_2),
            TRUSTED,
            r"connection failed in TLS \(.*HANDSHAKE_FAILURE\); .* set endpoint.client_cert",
        ),
        (ask_for_client(ssl.TLSVersion.TLSv1_3), {**TRUSTED, "client_cert": "client"}, None),
        (
            speak_old,
            TRUSTED,
            r"connection failed in TLS \(.*(UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION)\); the server's TLS is too old",
        ),
    ],
)
def test_tls(
    accept: t.Any, given: dict[str, t.Any], reason: str | None, certificates: dict[str, Path], probed: t.Any
) -> None:
    options = {key: str(certificates[value]) if key.endswith("_cert") else value for key, value in given.items()}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accept(context, certificates)
    with Scripted(MODERN) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        found = probed(server.url.replace("http:", "https:"), **options)
    assert found["healthy"] is (reason is None), found["reason"]
    assert reason is None or re.match(reason, found["reason"]), found["reason"]
    assert all(
        headers["Host"] == given.get("host", server.url.removeprefix("http://")) for _key, headers in server.seen
    )
    assert reason is not None or server.connections == 1


def test_tls_is_not_spoken(probed: t.Any) -> None:
    with Scripted(MODERN) as server:
        found = probed(server.url.replace("http:", "https:"), timeout=1)
    assert re.match(
        "connection failed in TLS .*; the server does not speak TLS here, its URL may begin with http://",
        found["reason"],
    )


def test_only_tls_is_spoken(certificates: dict[str, Path], probed: t.Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accept_good(context, certificates)
    with Scripted(MODERN) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        found = probed(server.url, timeout=1)
    assert re.match(
        r"GET /health (was cut|got an answer that is not acceptable HTTP \(TLS: the server's URL may begin with https://\))",
        found["reason"],
    )
