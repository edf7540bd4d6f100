# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import fetch_health, kept, version_problem
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

DOCUMENT = {"status": "HEALTHY", "version": "1.2.0", "checks": [{"ok": True}, {"ok": False}]}
GOOD = "status == 'HEALTHY'"


class Connection:
    def __init__(self, status: int, text: str) -> None:
        self._reply = Reply(status, "text/plain", text=text)

    def fetch(self, *_request: t.Any) -> Reply:
        return self._reply


def asked(status: int, text: str, *checks: str) -> t.Any:
    """Return the document, or the failure."""
    try:
        return fetch_health(t.cast(t.Any, Connection(status, text)), "/healthz", Deadline(1), checks)
    except Failure as failure:
        return failure


@pytest.mark.parametrize(
    ("status", "text", "checks", "found"),
    [
        (200, json.dumps(DOCUMENT), [GOOD, "length(checks) > `1`"], DOCUMENT),
        (200, "ok", [], None),
        (200, "", [], None),
        (204, "", [], None),
        (202, '{"ok": true}', ["ok"], {"ok": True}),
        (200, "[1, 2]", ["length(@) == `2`"], [1, 2]),
        (200, "3", [], 3),
        (200, '{"version": NaN}', [], None),
        (200, "[" * 5000, [], None),
        (200, "1" * 5000, [], None),
    ],
)
def test_a_healthy_answer(status: int, text: str, checks: list[str], found: t.Any) -> None:
    assert asked(status, text, *checks) == found


@pytest.mark.parametrize(
    ("status", "text", "checks", "reason", "health"),
    [
        (503, "no healthy upstream", [], "returned 503 (no healthy upstream)", None),
        (503, json.dumps(DOCUMENT), [GOOD], "returned 503", DOCUMENT),
        (404, "", [], "returned 404: the server has nothing at this path", None),
        (301, "", [], "was redirected (301)", None),
        (200, "ok", [GOOD], "returned 200 without JSON (ok), which health_checks need", None),
        (200, "", [GOOD], "returned 200 without JSON (nothing more), which health_checks need", None),
        (200, '{"status": NaN}', [GOOD], "returned 200 without JSON", None),
        (200, "[1]", [GOOD], "does not satisfy status == 'HEALTHY': got [1]", None),
        (200, "null", [GOOD], "does not satisfy", None),
        (200, json.dumps(DOCUMENT), ["status == 'UP'"], "does not satisfy status == 'UP'", DOCUMENT),
        (200, json.dumps(DOCUMENT), ["status"], "does not satisfy status:", DOCUMENT),
        (200, json.dumps(DOCUMENT), ["length(status, status)"], "does not satisfy length", DOCUMENT),
        (200, json.dumps(DOCUMENT), ["checks[?!ok] | length(@) == `0`"], "does not satisfy", DOCUMENT),
    ],
)
def test_an_unhealthy_answer(status: int, text: str, checks: list[str], reason: str, health: t.Any) -> None:
    failure = asked(status, text, *checks)
    assert isinstance(failure, Failure) and failure.msg.startswith(f"GET /healthz {reason}")
    assert (failure.evidence["status"], failure.evidence.get("health")) == (status, health)


@pytest.mark.parametrize(
    ("reported", "expected", "problem"),
    [
        ("1.2.0", "v1.2.0", None),
        ("1.2.0", "v1.1.5", "reports version 1.2.0, expected v1.1.5"),
        (None, "1", "reports version none, expected 1"),
        ([1] * 1000, "1", "reports version [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ..., expected 1"),
        (2, "2", None),
    ],
)
def test_a_version(reported: t.Any, expected: str, problem: str | None) -> None:
    assert version_problem(reported, expected) == problem


@pytest.mark.parametrize(
    ("said", "expected", "same"),
    [("1.2.0", "v1.2.0", True), ("v1.2.0", "1.2.0", True), ("1.2", "1.2.0", False), (None, "1", False)],
)
def test_versions(said: str | None, expected: str, same: bool) -> None:
    assert _versions.is_reported(said, expected) is same


def test_what_a_result_repeats() -> None:
    assert kept(DOCUMENT) == DOCUMENT
    assert [kept(odd) for odd in ([1], 3, None, {"version": "1" * 2**20})] == [None] * 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Answering()),
        ({"health_path": None, "health_checks": [], "pool_header": "", "pool_key": None}, Answering()),
        ({"health_path": ""}, Answering()),
        ({"health_path": "/healthz", "health_checks": [GOOD]}, Answering("/healthz", (GOOD,))),
        ({"pool_header": "X-Colour", "pool_key": "colour"}, Answering(pool_header="X-Colour", pool_key="colour")),
    ],
)
def test_the_options(given: dict[str, t.Any], expected: Answering) -> None:
    assert Answering.from_params(given) == expected


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"health_path": "healthz"}, "health_path 'healthz' is not a path, such as /healthz."),
        ({"health_path": "/a b"}, "health_path '/a b' is not a path"),
        ({"health_path": "/a\r\nX: y"}, "is not a path"),
        ({"pool_header": "X Pool"}, "pool_header 'X Pool' is not the name of a header."),
        ({"pool_header": "X:\n"}, "is not the name of a header"),
        ({"health_checks": [GOOD]}, "health_checks are for what health_path answers, which is not set"),
        ({"health_path": "/h", "health_checks": ["a ="]}, "health_checks expression 'a =' is not JMESPath"),
    ],
)
def test_options_that_cannot_be(given: dict[str, t.Any], reason: str) -> None:
    with pytest.raises(Failure) as failure:
        Answering.from_params(given)
    assert reason in failure.value.msg and "\n" not in failure.value.msg
