# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    SESSION,
    Handler,
    Script,
    Scripted,
)

Ran = t.Callable[..., t.Any]

TOKEN = "t0ken-of-the-shop"


def gives(result: t.Any) -> Script:
    return lambda handler, message: handler.result(message, result)


def hangs(_handler: Handler, _message: t.Any) -> None:
    time.sleep(3)


RAIN = gives({"content": [{"type": "text", "text": "rain"}], "structuredContent": {"days": [1, 2]}})
CALL = {"mcp": {"tool": "forecast", "arguments": {"region": "eu"}, "expect": "length(structuredContent.days) > `1`"}}


@pytest.mark.parametrize("era", [MODERN, LEGACY], ids=["modern", "legacy"])
def test_a_tool_that_gives_what_is_expected(ran: Ran, era: dict[str, Script], lines: list[str]) -> None:
    with Scripted({**era, "tools/call": RAIN}) as server:
        (outcome,) = ran(CALL, url=server.url)
        assert outcome.passed, outcome.reason
        assert set(server.ended) == server.opened
        assert "GET" not in server.requests
    assert lines == ["check smoke (mcp, 30 s at most)", f"check smoke passed after {outcome.seconds:.1f} s"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (gives({"content": []}), "tools/call forecast does not satisfy length(structuredContent.days) > `1`: got"),
        (
            gives({"isError": True, "content": [{"type": "text", "text": "no\ndatabase\x1b[2J"}]}),
            "tools/call forecast failed: no database [2J",
        ),
        (lambda handler, _message: handler.answer(503, "down"), "tools/call forecast returned 503 (down)"),
        (
            lambda handler, _message: handler.drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
            "tools/call forecast got no complete answer within",
        ),
        (lambda handler, _message: handler.hang_up(), "tools/call forecast was cut"),
    ],
)
def test_a_tool_that_does_not(ran: Ran, script: Script, reason: str) -> None:
    with Scripted({**LEGACY, "tools/call": script}) as server:
        (outcome,) = ran({**CALL, "timeout": 2}, url=server.url)
        assert outcome.reason.startswith(reason)
        assert "\x1b" not in outcome.reason
        assert outcome.seconds < 3.5
        assert server.ended == [SESSION]


def test_a_tool_that_is_not_listed(ran: Ran) -> None:
    with Scripted(LEGACY) as server:
        (outcome,) = ran({"mcp": {"tool": "other"}}, url=server.url)
        assert outcome.reason == "tools/call other failed: the server does not list this tool"
        assert server.ended == [SESSION]


@pytest.mark.parametrize("slow", ["tools/call", "initialize", "tools/list"])
def test_an_interrupted_call_ends_within_a_second_with_its_session(ran: Ran, stop: threading.Event, slow: str) -> None:
    began: list[float] = []

    def late(handler: Handler, message: t.Any) -> None:
        began.append(time.monotonic())
        threading.Timer(0.2, stop.set).start()
        time.sleep(0.5)
        LEGACY.get(slow, RAIN)(handler, message)

    with Scripted({**LEGACY, "tools/call": RAIN, slow: late}) as server:
        assert ran(CALL, url=server.url) == []
        assert time.monotonic() - began[0] < 0.2 + 1.8
        assert server.ended == [SESSION]


def test_an_interrupted_call_to_a_server_that_hangs_ends_within_a_second(ran: Ran, stop: threading.Event) -> None:
    with Scripted({**LEGACY, "tools/call": hangs, "DELETE": hangs}) as server:
        threading.Timer(0.3, stop.set).start()
        began = time.monotonic()
        assert ran(CALL, url=server.url) == []
        assert time.monotonic() - began < 0.3 + 1.8


def test_without_an_endpoint_a_ready_pod_of_the_pool_is_asked(ran: Ran) -> None:
    """What a pod answers is in the target mcp_flow_check."""
    service = {"metadata": {"name": "weather-green"}, "spec": {"selector": {"pool": "green"}, "ports": [{"port": 80}]}}
    api = ApiServer({"/api/v1/namespaces/shop/services/weather-green": service})
    (outcome,) = ran(CALL, cluster=api)
    assert outcome.reason.startswith("There is no pod of pool green (Service shop/weather-green")


@pytest.mark.parametrize("padding", ["", "x" * 160], ids=["whole", "cut"])
def test_the_token_is_sent_and_shown_nowhere(ran: Ran, tmp_path: Path, lines: list[str], padding: str) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    option = {"token_file": str(tmp_path / "token"), "token_env": None, "token_secret": None, "expect_401": False}

    def echo(handler: Handler, message: t.Any) -> None:
        handler.result(message, {"content": [{"text": padding + handler.headers["Authorization"]}]})

    with Scripted({**LEGACY, "tools/call": echo}) as server:
        outcomes = ran(CALL, url=server.url, auth=option)
        assert all(headers["Authorization"] == f"Bearer {TOKEN}" for _key, headers in server.seen)
    assert "********" in outcomes[0].reason
    assert "t0ken" not in f"{outcomes}{lines}"


def test_a_token_of_a_secret(ran: Ran) -> None:
    cluster = ApiServer({"/api/v1/namespaces/shop/secrets/mcp": {"data": {}}})
    option = {
        "token_file": None,
        "token_env": None,
        "token_secret": {"name": "mcp", "key": "token"},
        "expect_401": False,
    }
    (outcome,) = ran(CALL, url="http://127.0.0.1:1", auth=option, cluster=cluster)
    assert outcome.reason.startswith("No bearer token in key token of Secret mcp")
