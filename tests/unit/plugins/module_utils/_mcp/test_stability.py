# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import time
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp.stability import Rounds, percentile, summary
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server import scripted
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    Handler,
    Script,
    Scripted,
)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([1], 95, 1),
        ([2, 1], 50, 1),
        ([3, 1, 2], 50, 2),
        (range(1, 101), 95, 95),
        (range(1, 21), 95, 19),
        (range(1, 20), 95, 19),
        ([1, 9], 100, 9),
    ],
)
def test_percentiles_by_the_nearest_rank(values: t.Sequence[float], percent: int, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_no_answers_have_no_times() -> None:
    assert summary([]) == {"rounds": 0, "p50": None, "p95": None, "max": None}


def after(good: int, bad: Script) -> Script:
    """Lists tools so often, and then does something else."""
    numbers = itertools.count()

    def script(handler: Handler, message: t.Any) -> None:
        if next(numbers) < good:
            scripted.tools(handler, message)
        else:
            bad(handler, message)

    return script


def slow(handler: Handler, message: t.Any) -> None:
    time.sleep(0.05)
    scripted.tools(handler, message)


@pytest.mark.parametrize("scripts", [MODERN, LEGACY])
def test_all_rounds_are_good(probed: t.Any, scripts: dict[str, Script]) -> None:
    with Scripted(scripts) as server:
        found = probed(server.url, stability=Rounds(20, 1))
    assert found["healthy"], found["reason"]
    assert found["stability"]["rounds"] == 20
    assert 0 < found["stability"]["p50"] <= found["stability"]["p95"] <= found["stability"]["max"] < 1
    assert server.requests.count("tools/list") == 21
    assert len(server.opened) == (scripts is LEGACY)


LOST = (
    ": it does not know the session, so another pod may have answered; "
    "send all requests of a session to one pod (docs/sessions.md)"
)
BOTH = {**MODERN, "initialize": scripted.initialize, "notifications/initialized": scripted.accepted}


def test_a_server_of_both_eras_is_asked_in_a_session_too(probed: t.Any) -> None:
    """Its modern requests can't lose one."""
    with Scripted(BOTH) as server:
        found = probed(server.url, stability=Rounds(20))
    assert found["healthy"], found["reason"]
    assert (found["era"], found["session_mode"], found["stability"]["rounds"]) == ("modern", "stateful", 20)
    assert server.requests.count("tools/list") == 1 + 20 + 20
    assert server.opened == set(server.ended)


def test_a_server_of_both_eras_that_loses_sessions(probed: t.Any) -> None:
    with Scripted({**BOTH, "tools/list": after(1 + 20 + 4, lambda handler, message: handler.answer(404))}) as server:
        found = probed(server.url, stability=Rounds(20))
    assert found["reason"] == f"stability (tools/list), round 5 of 20 of one session, returned 404 (nothing more){LOST}"
    assert found["stability"]["rounds"] == 4


@pytest.mark.parametrize(
    ("session", "mark"),
    [
        ("blue-1", "blue"),
        ("green-0f", "green"),
        ("blue", None),
        ("bluefish-1", None),
        ("red-1", None),
        ("0f-blue-1", None),
    ],
)
@pytest.mark.parametrize("scripts", [BOTH, LEGACY])
def test_the_mark_of_a_session(probed: t.Any, scripts: dict[str, Script], session: str, mark: str | None) -> None:
    result = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "weather", "version": "1"},
    }
    with Scripted(
        {**scripts, "initialize": lambda handler, message: handler.result(message, result, Mcp_Session_Id=session)}
    ) as server:
        found = probed(server.url)
    assert (found["session_mode"], found["session_mark"]) == ("stateful", mark)


def test_a_session_that_is_lost_on_the_way(probed: t.Any) -> None:
    lost = after(
        4,
        lambda handler, _message: handler.answer(
            404, '{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "Session not found"}}'
        ),
    )
    with Scripted({**LEGACY, "tools/list": lost}) as server:
        found = probed(server.url, stability=Rounds(20))
    assert (
        found["reason"]
        == f"stability (tools/list), round 4 of 20 of one session, failed with error -32600 (Session not found){LOST}"
    )
    assert (found["level"], found["stability"]["rounds"]) == ("stability", 3)


def test_a_server_that_becomes_slow(probed: t.Any) -> None:
    with Scripted({**MODERN, "tools/list": after(3, slow)}) as server:
        found = probed(server.url, stability=Rounds(10, 0.02))
    assert found["reason"].startswith("stability (tools/list) is too slow: 95 % of 10 answers took up to 0.0")
    assert found["reason"].endswith("(0.020 s allowed)")


def test_rounds_end_with_the_probe(probed: t.Any) -> None:
    started = time.monotonic()
    with Scripted({**MODERN, "tools/list": after(1, slow)}) as server:
        found = probed(server.url, timeout=1, stability=Rounds(1000))
    assert "got no complete answer within" in found["reason"]
    assert time.monotonic() - started < 1.5


def test_what_a_server_without_lists_is_asked(probed: t.Any) -> None:
    def initialize(handler: Handler, message: t.Any) -> None:
        result = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "serverInfo": {"name": "weather", "version": "1"},
        }
        handler.result(message, result)

    def ping(handler: Handler, message: t.Any) -> None:
        handler.result(message, {})

    with Scripted({**LEGACY, "initialize": initialize, "ping": ping}) as server:
        found = probed(server.url, stability=Rounds(2))
    assert found["healthy"], found["reason"]
    assert server.requests.count("ping") == 2
