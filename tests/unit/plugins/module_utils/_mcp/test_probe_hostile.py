# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Against servers that misbehave in one way each: every probe ends in time, in one sentence, with its session ended."""

from __future__ import annotations

import json
import re
import ssl
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


def floods(head: bytes, forever: bytes) -> Script:
    return lambda handler, _message: handler.drip(head, forever, pause=0.0001)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


HOSTILE: dict[str, tuple[dict[str, Script], dict[str, Script], str]] = {
    "health is HTML": (MODERN, {"GET": says(200, "<html>", "text/html")}, "GET /health is answered with HTML"),
    "health is no JSON": (MODERN, {"GET": says(200, "ok")}, r"GET /health is answered 200 without the JSON .*\(ok\)"),
    "health is a list": (MODERN, {"GET": says(200, "[]")}, "GET /health is answered with JSON that is not an object"),
    "health is 500": (MODERN, {"GET": says(500, "boom")}, r"GET /health is answered 500 \(boom\)"),
    "health is 503 with a document": (MODERN, {"GET": says(503, '{"status": "DOWN"}')}, "GET /health is answered 503"),
    "health is a redirect": (MODERN, {"GET": says(302, Location="/login")}, r"GET /health is redirected \(302\) to /login"),
    "health is unwell": (MODERN, {"GET": says(200, '{"status": "DOWN"}')}, "GET /health does not satisfy status == 'HEALTHY'"),
    "health drips its headers": (MODERN, {"GET": drips(b"HTTP/1.1 200 OK\r\nX: ", b"x")}, "GET /health got no complete answer within"),
    "health drips its body": (MODERN, {"GET": drips(b"HTTP/1.1 200 OK\r\n\r\n", b" ")}, "GET /health got no complete answer within"),
    "health has no end": (MODERN, {"GET": floods(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536)}, "GET /health .*more than 4 MiB"),
    "health never answers": (MODERN, {"GET": lambda *_a: time.sleep(2)}, "GET /health got no complete answer within"),
    "health hangs up": (MODERN, {"GET": sends(b"")}, "GET /health was cut without an answer"),
    "health is cut": (MODERN, {"GET": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")}, "GET /health was cut in the middle"),
    "health promises a petabyte": (
        MODERN,
        {"GET": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n{")},
        "GET /health is answered with more than 4 MiB",
    ),
    "health has a petabyte's chunk": (
        MODERN,
        {"GET": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n38d7ea4c68000\r\n{")},
        "GET /health is answered with more than 4 MiB",
    ),
    "health is not HTTP": (MODERN, {"GET": sends(b"SSH-2.0-x\r\n")}, "GET /health got an answer that is not acceptable HTTP"),
    "health has endless headers": (MODERN, {"GET": floods(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 999)}, "not acceptable HTTP"),
    "health has bad chunks": (
        MODERN,
        {"GET": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")},
        "GET /health (was cut|got an answer)",
    ),
    "mcp is HTML": (MODERN, {"server/discover": says(200, "<p>", "text/html; charset=utf-8")}, "server/discover is answered with HTML"),
    "mcp is 500": (MODERN, {"server/discover": says(500, "boom\nstack\x1b[2J")}, r"server/discover is answered 500 \(boom stack \[2J\)"),
    "mcp is a redirect": (MODERN, {"server/discover": says(307, Location="/mcp/")}, "to /mcp/; redirects are not followed"),
    "mcp refuses the host": (MODERN, {"server/discover": says(421, "Invalid Host header")}, "does not accept this Host"),
    "mcp wants credentials": (MODERN, {"server/discover": says(401)}, "server/discover is answered 401"),
    "a wrong id": (
        MODERN,
        {"server/discover": says(200, '{"jsonrpc": "2.0", "id": 7, "result": {}}', "application/json")},
        "server/discover with id 1 is answered with id 7",
    ),
    "a result of a wrong type": (MODERN, {"server/discover": gives([])}, "neither a result nor an error"),
    "deep JSON": (MODERN, {"server/discover": says(200, "[" * 200_000)}, "without the JSON that was asked for"),
    "a list of a wrong type": (MODERN, {"tools/list": gives({"tools": "all"})}, "tools/list is answered without a list"),
    "a list that goes in circles": (MODERN, {"tools/list": gives({"tools": [], "nextCursor": "x"})}, "tools/list .* circle"),
    "a list that is an error": (LEGACY, {"tools/list": scripted.unknown}, r"tools/list is refused with error -32601 \(Method not found\)"),
    "initialize is 500": (LEGACY, {"initialize": says(500, Mcp_Session_Id=SESSION)}, "initialize is answered 500"),
    "initialize never ends": (LEGACY, {"initialize": drips(CHUNKED, chunk(b": ping\n\n"))}, "initialize got no complete answer"),
    "initialize drips its headers": (
        LEGACY,
        {"initialize": drips(b"HTTP/1.1 200 OK\r\nX: ", b"x")},
        "initialize got no complete answer",
    ),
    "initialize is cut": (LEGACY, {"initialize": sends(CHUNKED + chunk(b"data: {")[:-2])}, "initialize was cut in the middle"),
    "initialize has no answer": (
        LEGACY,
        {"initialize": sends(CHUNKED + chunk(b"data: \n\n: x\n\n") + b"0\r\n\r\n")},
        "initialize is not answered before the event stream ends",
    ),
    "an event that is no JSON": (LEGACY, {"initialize": sends(CHUNKED + chunk(b"data: {\n\n"))}, "an event that is not JSON"),
    "an unknown revision": (LEGACY, {"initialize": gives({"protocolVersion": "1.0.0"})}, "protocol revision 1.0.0, which is no legacy one"),
    "initialized is refused": (LEGACY, {"notifications/initialized": says(400, "no")}, r"notifications/initialized is answered 400 \(no\)"),
    "the list drips": (LEGACY, {"tools/list": drips(CHUNKED, b"1\r\n:\r\n")}, "tools/list got no complete answer"),
}


@pytest.mark.parametrize(("base", "changed", "said"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_servers(base: dict[str, Script], changed: dict[str, Script], said: str, probed: t.Any) -> None:
    with Scripted({**base, **changed}) as server:
        started = time.monotonic()
        found = probed(server.url, timeout=1.2, step_timeout=0.6)
        assert time.monotonic() - started < 1.3
    assert not found["healthy"]
    assert found["steps"][-1 if found["steps"][-1]["level"] != "end" else -2]["ok"] is False
    assert re.search(said, found["reason"]), found["reason"]
    assert "\n" not in found["reason"]
    assert server.ended == sorted(server.opened)


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
