# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._checks import http_request, run
from ansible_collections.mcp.server.plugins.module_utils._checks.context import Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.run import Outcome, failure_sentence

Ran = t.Callable[..., t.Any]

GOOD = {"command": {"argv": [sys.executable, "-c", ""]}}
BAD = {"name": "b\x1b[2Jad", "command": {"argv": [sys.executable, "-c", "exit(2)"]}}


def test_the_first_failure_ends_them(ran: Ran, lines: list[str]) -> None:
    outcomes = ran(GOOD, BAD, GOOD)
    assert [(outcome.name, outcome.kind, outcome.passed) for outcome in outcomes] == [
        ("smoke", "command", True),
        ("b [2Jad", "command", False),
    ]
    assert [line.partition(" after ")[0] for line in lines] == [
        "check smoke (command, 30 s at most)",
        "check smoke passed",
        "check b [2Jad (command, 30 s at most)",
        "check b [2Jad failed",
    ]


def test_nothing_begins_after_an_interruption(ran: Ran, stop: threading.Event, lines: list[str]) -> None:
    stop.set()
    assert ran(GOOD) == []
    assert lines == []


def test_none_at_all(ran: Ran) -> None:
    assert ran() == []


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ([], ""),
        ([Outcome("a", "mcp", True, 1.0)], ""),
        (
            [Outcome("a", "mcp", True, 1.0), Outcome("b", "http", False, 3.21, "it is late.")],
            "Check b failed after 3.2 s: it is late.",
        ),
    ],
)
def test_the_sentence_of_a_failure(outcomes: list[Outcome], sentence: str) -> None:
    assert failure_sentence(outcomes) == sentence


def test_a_check_that_does_not_end_by_itself_is_left_behind(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(run.KINDS, "command", lambda *_: time.sleep(10))
    (outcome,) = ran({**GOOD, "timeout": 0.2})
    assert outcome.reason == "did not end within 0.2 s (timeout)"
    assert outcome.seconds < 3


def test_a_name_that_is_resolved_for_ever_is_left_behind_when_interrupted(
    ran: Ran,
    stop: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: time.sleep(10))
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    assert ran({"http": {"url": "http://shop.example.com/"}}) == []
    assert time.monotonic() - began < 0.2 + 1.8


def test_an_unforeseen_error_is_a_failure_without_its_text(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_args: t.Any) -> Verdict:
        raise RuntimeError("s3cr3t")

    monkeypatch.setitem(run.KINDS, "command", breaks)
    (outcome,) = ran(GOOD)
    assert outcome.reason == "the check could not be run (RuntimeError)"


def test_a_check_that_passed_before_the_interruption_counts(
    ran: Ran,
    stop: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stops(*_args: t.Any) -> Verdict:
        stop.set()
        return Verdict()

    monkeypatch.setitem(run.KINDS, "command", stops)
    assert [outcome.passed for outcome in ran(GOOD, GOOD)] == [True]


def test_the_time_of_the_api_server_does_not_count(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(_options: t.Any, _context: t.Any, limit: t.Any) -> Verdict:
        with limit.not_counted():
            time.sleep(1.5)
        return Verdict("late" if limit.over() else "")

    monkeypatch.setitem(run.KINDS, "command", waits)
    (outcome,) = ran({**GOOD, "timeout": 0.2})
    assert outcome.passed


def test_reasons_are_bounded(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_request, "_send", lambda *_: http_request.Reply(200))
    (outcome,) = ran({"http": {"url": "http://shop.example.com/" + "x" * 5000, "expect": "y"}})
    assert len(outcome.reason) <= run.MAX_REASON
