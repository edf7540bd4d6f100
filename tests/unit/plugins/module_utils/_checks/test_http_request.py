# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._checks.http_request import SEARCHED, address, complaint_about
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import Handler, Script, Scripted

Ran = t.Callable[..., t.Any]

SECRET = "s3cr3t-of-the-shop"


def says(status: int, body: str = "", **headers: str) -> Script:
    return lambda handler, _message: handler.answer(status, body, "text/plain", **headers)


def sends(raw: bytes) -> Script:
    def script(handler: Handler, _message: t.Any) -> None:
        handler.write(raw)
        handler.close_connection = True

    return script


def drips(head: bytes, forever: bytes, pause: float = 0.05) -> Script:
    return lambda handler, _message: handler.drip(head, forever, pause)


@pytest.mark.parametrize(
    ("given", "script", "reason"),
    [
        ({}, says(200), ""),
        ({"status": [503, 204]}, says(503, "down"), ""),
        ({"expect": "re+ady"}, says(200, "all ready\n"), ""),
        ({"status": [302]}, says(302, Location="http://elsewhere.example.com/"), ""),
        ({}, says(503, "no\r\ndatabase\x1b[2J"), "is answered 503 (no database [2J), expected is 200"),
        (
            {"status": [200, 204]},
            says(302, Location="http://elsewhere.example.com/"),
            "is redirected (302), which is not followed; expected is 200 or 204",
        ),
        (
            {"expect": "^ready"},
            says(200, "not ready"),
            "is answered 200, but '^ready' is not found in the answer (not ready)",
        ),
        ({}, sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "was cut in the middle of the answer"),
        ({}, sends(b""), "was cut without an answer: does the server listen on this port?"),
        ({}, sends(b"SSH-2.0-x\r\n"), "got an answer that is not acceptable HTTP ('SSH-2.0-x')"),
        ({}, drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "got no complete answer within 1 s"),
        ({}, drips(b"HTTP/1.1 200 OK\r\n\r\n", b"y"), "got no complete answer within 1 s"),
        ({}, drips(b"HTTP/1.1 200 OK\r\n\r\n", b"y" * 200_000, 0.0001), "is answered with more than 4 MiB"),
        ({}, lambda _handler, _message: time.sleep(1.5), "got no complete answer within 1 s"),
    ],
)
def test_answers(ran: Ran, given: dict[str, t.Any], script: Script, reason: str) -> None:
    with Scripted({"GET": script}) as server:
        (outcome,) = ran({"http": {"url": f"{server.url}/ready?key=1", **given}, "timeout": 1})
        assert outcome.reason == (f"GET {server.url}/ready {reason}" if reason else "")
        assert outcome.passed is not bool(reason)
        assert outcome.seconds < 2.5


def test_a_port_where_nobody_listens(ran: Ran) -> None:
    with Scripted({}) as server:
        url = server.url
    (outcome,) = ran({"http": {"url": url}})
    assert outcome.reason == f"GET {url}/ was refused, nothing listens there"


def test_what_is_sent(ran: Ran) -> None:
    bodies = []

    class Recording(Handler):
        def do_PUT(self) -> None:
            bodies.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(201)

    with Scripted({}) as server:
        server.RequestHandlerClass = Recording
        request = {
            "url": f"{server.url}/a?b=c",
            "method": "PUT",
            "body": "größe",
            "headers": {"host": "shop.example.com", "X-Try": True},
            "status": [201],
        }
        (outcome,) = ran({"http": request})
        assert outcome.passed, outcome.reason
        (again,) = ran({"http": {"url": server.url, "method": "PUT", "status": [201]}})
        assert again.passed, again.reason
    path, headers, body = bodies[0]
    assert (path, body.decode(), headers["Host"], headers["X-Try"]) == ("/a?b=c", "größe", "shop.example.com", "true")
    assert bodies[1][2] == b""


def test_an_interrupted_request_ends_within_a_second_and_has_no_outcome(ran: Ran, stop: threading.Event) -> None:
    with Scripted({"GET": drips(b"HTTP/1.1 200 OK\r\n\r\n", b"y")}) as server:
        threading.Timer(0.3, stop.set).start()
        began = time.monotonic()
        assert ran({"http": {"url": server.url}}) == []
        assert time.monotonic() - began < 0.3 + 1.2


def test_values_of_headers_are_shown_nowhere(ran: Ran, lines: list[str]) -> None:
    def echo(handler: Handler, _message: t.Any) -> None:
        token, key = handler.headers["Authorization"].partition(" ")[2], handler.headers["X-Key"]
        handler.answer(401, f"token {token} of {key} is unknown")

    with Scripted({"GET": echo}) as server:
        outcomes = ran(
            {
                "http": {
                    "url": server.url,
                    "headers": {"Authorization": f"Bearer {SECRET}", "X-Key": f"{'k' * 90}{SECRET}"},
                }
            }
        )
    assert "is answered 401 (token ******** of" in outcomes[0].reason
    assert "s3cr3t" not in f"{outcomes}{lines}"
    assert "kkkk" not in f"{outcomes}{lines}"


def test_a_certificate_that_is_not_trusted_names_our_option(ran: Ran, tmp_path: t.Any) -> None:
    (tmp_path / "ca.pem").write_text("none")
    (outcome,) = ran({"http": {"url": "https://127.0.0.1:1/", "ca_cert": str(tmp_path / "ca.pem")}})
    assert "http.ca_cert" in outcome.reason
    assert "endpoint" not in outcome.reason


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://shop.example.com", ("https://shop.example.com", "/")),
        ("http://[::1]:8080/a/b?c=d&e", ("http://[::1]:8080", "/a/b?c=d&e")),
        ("https://shop.example.com/a#part", ("https://shop.example.com", "/a")),
    ],
)
def test_addresses(url: str, parts: tuple[str, str]) -> None:
    assert address(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example.com/a",
        "ftp://shop/",
        "http:///a",
        "http://shop:port/",
        "http://shop/a b",
        "http://shop/\r\nX: y",
        "http://shöp/",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="is not the URL"):
        address(url)


def test_an_expression_is_searched_in_a_bounded_part() -> None:
    assert complaint_about(Reply(200, text="x" * (SEARCHED - 1) + "y"), [200], "y") == ""
    assert "in the first 256 KiB" in complaint_about(Reply(200, text="x" * SEARCHED + "y"), [200], "y")
