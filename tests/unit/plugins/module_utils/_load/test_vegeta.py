# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._load import vegeta
from ansible_collections.mcp.server.plugins.module_utils._load.options import Plan
from ansible_collections.mcp.server.plugins.module_utils._load.vegeta import Reading, Target, Way

GOOD = b'{"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}'
PLAN = Plan(rate=50, seconds=10, workers=20, sessions=5, answer_timeout=2.5)


def line(**more: t.Any) -> bytes:
    body = more.pop("body", GOOD)
    found = {
        "attack": "",
        "seq": 0,
        "code": 200,
        "timestamp": "2026-11-28T01:43:09.970700568Z",
        "latency": 811_178,
        "error": "",
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "headers": {},
        **more,
    }
    return json.dumps(found).encode()


def read(*lines: bytes, max_body: int = 65_536) -> vegeta.Figures:
    reading = Reading(max_body)
    for one in lines:
        reading.line(one)
    return reading.figures()


def test_good_answers() -> None:
    found = read(
        *(line(timestamp=f"2026-11-28T01:43:{10 + n // 50:02}.{n % 50 * 2:02}Z", latency=5_000_000) for n in range(100))
    )
    assert (found.sent, found.failed, found.p95_ms) == (100, 0, 5.0)
    assert found.seconds == pytest.approx(1.985, abs=0.001)
    assert found.in_flight == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"code": 500, "error": "500 Internal Server Error", "body": b"<html>"}, "HTTP status 500"),
        ({"code": 302, "body": b""}, "HTTP status 302"),
        ({"code": 202, "body": b""}, "HTTP status 202"),
        (
            {"code": 0, "error": 'Post "http://10.0.0.1/mcp?key=secret": dial tcp 10.0.0.1:80: connect: refused'},
            "no answer (dial tcp 10.0.0.1:80: connect: refused)",
        ),
        (
            {"body": b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "<b>no</b>"}}'},
            "JSON-RPC error -32601",
        ),
        ({"body": b'{"jsonrpc": "2.0", "id": 1, "error": {"code": "x"}}'}, "a JSON-RPC error"),
        (
            {"body": b'{"jsonrpc": "2.0", "id": 1, "result": {"isError": true}}'},
            "the tool says that it failed (isError)",
        ),
        ({"body": b'{"jsonrpc": "2.0", "id": 1, "result": 5}'}, "an answer that is not JSON-RPC"),
        ({"body": b"<html>It works</html>"}, "an answer that is not JSON-RPC"),
        ({"body": b""}, "an answer that is not JSON-RPC"),
        ({"body": None}, "an answer that is not JSON-RPC"),
        ({"body": b"{" * 10_000}, "an answer that is not JSON-RPC"),
        ({"body": b"data: " + b"[" * 20_000 + b"\n\n"}, "an answer that is not JSON-RPC"),
        (
            {"body": b'event: message\ndata: {"jsonrpc": "2.0", "id": 1, "error": {"code": 5}}\n\n'},
            "JSON-RPC error 5",
        ),
        (
            {"body": b': ping\n\ndata: {"jsonrpc": "2.0", "method": "notifications/message"}\n\ndata: x\n\n'},
            "an answer that is not JSON-RPC",
        ),
    ],
)
def test_answers_that_count_as_failed(more: dict[str, t.Any], reason: str) -> None:
    found = read(line(), line(**more))
    assert (found.sent, found.failed, found.problems) == (2, 1, {reason: 1})


@pytest.mark.parametrize(
    "other", [b"data: {'\n\n", b'data: {"jsonrpc": "2.0", "method": "notifications/progress"}\n\n']
)
def test_the_answer_in_an_event_stream(other: bytes) -> None:
    stream = b"id: 1\ndata: \n\n" + (other if b"jsonrpc" in other else b"") + b"data: " + GOOD + b"\n\n"
    assert read(line(body=stream)).failed == 0


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"no JSON",
        b"[]",
        b"5",
        line(latency="x"),
        line(latency=-5),
        line(code="200"),
        line(timestamp="now"),
        line(timestamp=5),
        line(error=None),
        line(body=5),
        line(body="a"),
        line(latency=1e300),
        b"[" * 100_000,
        b'{"latency": 5}',
    ],
)
def test_what_is_no_result_counts_as_failed(garbage: bytes) -> None:
    assert read(garbage).failed == 1


@pytest.mark.parametrize(
    ("error", "own"),
    [
        ('Post "http://a/mcp": dial tcp 10.0.0.1:80: socket: too many open files', 1),
        ('Post "http://a/mcp": dial tcp 0.0.0.0:0->10.0.0.1:80: connect: cannot assign requested address', 1),
        ('Post "http://a/mcp": dial tcp 10.0.0.1:80: connect: connection refused', 0),
    ],
)
def test_what_this_machine_could_not_send_is_not_the_servers_failure(error: str, own: int) -> None:
    found = read(line(code=0, error=error, body=None))
    assert (found.failed, found.own) == (1, own)


def test_the_end_of_the_targets_is_no_request() -> None:
    assert read(line(), line(code=0, error="no targets to attack")).sent == 1


def test_of_a_long_answer_only_the_beginning_is_known() -> None:
    long = b'{"jsonrpc": "2.0", "id": 1, "result": {"text": "' + b"x" * 5000
    error = b'{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "' + b"x" * 5000
    found = read(line(body=long[:4096]), line(body=error[:4096]), max_body=4096)
    assert (found.sent, found.failed, found.unread) == (2, 1, 2)
    assert vegeta.max_body(100) == 65_536 and vegeta.max_body(40_000) == 4096


def test_a_flood_of_reasons_and_answers_is_bounded() -> None:
    reading = Reading(65_536)
    for number in range(2000):
        reading.line(line(code=1000 + number, body=GOOD + b" " * number))
        reading.line(line(body=GOOD + b" " * number))
    assert len(reading.figures().problems) <= vegeta.MAX_KINDS + 1
    assert len(reading._known) <= vegeta.MAX_KNOWN


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01T00:00:01.5Z", 1.5),
        ("1970-01-01T02:00:01.250000000+02:00", 1.25),
        ("1970-01-01T02:00:01+02:00", 1),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert vegeta.seconds_of(text) == seconds


def test_a_target_is_one_line() -> None:
    text = Target("http://127.0.0.1/mcp", {"Accept": "a\nb"}, b'{"id":\n1}').line()
    assert text.count(b"\n") == 1
    found = json.loads(text)
    assert found["header"] == {"Accept": ["a\nb"]} and base64.b64decode(found["body"]) == b'{"id":\n1}'


def test_the_commands() -> None:
    attack, encode = vegeta.commands("/bin/vegeta", PLAN, Way(), 4096)
    assert attack[:2] == ["/bin/vegeta", "attack"] and encode == ["/bin/vegeta", "encode", "-to=json"]
    assert {"-rate=50/1s", "-duration=10s", "-timeout=2.5s", "-max-workers=20", "-redirects=-1"} <= set(attack)
    assert not [word for word in attack if word.startswith(("-insecure", "-cert", "-root", "-connect-to"))]
    way = Way("mcp.example.com:443:10.0.0.1:8443", "ca.pem", "me.pem", "", validate_certs=False)
    assert vegeta.commands("vegeta", PLAN, way, 4096)[0][-5:] == [
        "-connect-to=mcp.example.com:443:10.0.0.1:8443",
        "-root-certs=ca.pem",
        "-cert=me.pem",
        "-key=me.pem",
        "-insecure",
    ]
