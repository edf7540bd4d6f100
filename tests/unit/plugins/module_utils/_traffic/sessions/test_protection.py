# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions at risk: the refusal, the wait and the report. How pods are asked is tested with the modules."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release.pools import split
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions, protection
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

BLUE, GREEN, TENTH = split("blue", 100), split("green", 100), split("green", 10)
METRIC = {"name": "open", "port": 9090, "path": "/metrics"}


class Sessions:
    """A change of weights while pods report these numbers of open sessions."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *counts: int | None, wanted: dict[str, int] = GREEN, **params: t.Any
    ) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.counts = iter(counts)
        given = {"session_mode": "stateful", "sessions": "keep", "sessions_metric": METRIC, "drain_timeout": 60.0}
        task = Task({**given, **params}, progress=self.lines.append, warn=self.warnings.append)
        api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2"))
        shift = Shift(task, api, Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp"), None)
        shift.read()
        self.protection = protection.SessionProtection(shift, BLUE, wanted, planning=False)
        monkeypatch.setattr(open_sessions, "count", lambda *_given: next(self.counts))
        monkeypatch.setattr(protection, "POLL_INTERVAL", 0.001)

    @property
    def result(self) -> dict[str, t.Any]:
        return t.cast(dict[str, t.Any], self.protection.shift.result["sessions"])


@pytest.mark.parametrize(
    ("params", "counts", "waits", "refused"),
    [
        ({}, [7], False, "pool blue has 7 open sessions"),
        ({}, [None], False, "pool blue has an unknown number of open sessions"),
        ({}, [0], False, ""),
        ({"sessions": "break"}, [7], False, ""),
        ({"sessions": "drain"}, [7], True, ""),
        ({"sessions": "drain"}, [None], True, ""),
        ({"sessions": "drain"}, [0], False, ""),
        ({"sessions": "drain", "sessions_metric": None}, [None], False, "nothing counts them"),
        ({"session_mode": "stateless"}, [], False, ""),
        ({"wanted": TENTH}, [7], False, "in a split their requests would reach the other pool"),
        ({"wanted": BLUE}, [], False, ""),
    ],
)
def test_sessions_before_the_write(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, t.Any], counts: list[int | None], waits: bool, refused: str
) -> None:
    sessions = Sessions(monkeypatch, *counts, **params)
    if refused:
        with pytest.raises(Failure, match=f"Refusing to shift traffic of prod/mcp: .*{refused}"):
            sessions.protection.decide()
    else:
        assert sessions.protection.decide() is waits
    mode = params.get("session_mode", "stateful")
    expected = {
        "mode": None if params.get("wanted") == BLUE else mode,
        "marked": False,
        "at_risk_before": counts[0] if counts else 0,
        "at_risk_after": None if counts else 0,
    }
    assert sessions.result == expected and not list(sessions.counts)


def test_a_drain_shows_each_number_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(monkeypatch, 3, 3, 3, 1, None, 0)
    sessions.protection.at_risk = "blue"
    sessions.protection.wait()
    assert [line.partition(",")[0] for line in sessions.lines] == [
        "draining blue: 3 sessions open",
        "draining blue: 1 session open",
        "draining blue: an unknown number of sessions open",
        "draining blue: no open sessions",
    ]
    assert not sessions.warnings


def test_a_drain_without_progress_is_shown_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "PROGRESS_INTERVAL", 0.0)
    sessions = Sessions(monkeypatch, 3, 3, 3, 0)
    sessions.protection.at_risk = "blue"
    sessions.protection.wait()
    assert len(sessions.lines) == 4


def test_a_drain_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(monkeypatch, drain_timeout=0.05)
    sessions.protection.at_risk, sessions.counts = "blue", itertools.repeat(2)
    sessions.protection.wait()
    assert sessions.warnings == ["drain_timeout is over: 2 sessions of pool blue still open."]
    assert len(sessions.lines) == 1


@pytest.mark.parametrize(
    ("at_risk", "count", "line"),
    [
        ("blue", 2, "2 sessions of pool blue were left behind"),
        ("blue", 1, "1 session of pool blue were left behind"),
        ("blue", 0, None),
        ("blue", None, None),
        (None, 5, None),
    ],
)
def test_what_was_lost(
    monkeypatch: pytest.MonkeyPatch, at_risk: str | None, count: int | None, line: str | None
) -> None:
    sessions = Sessions(monkeypatch, count)
    sessions.protection.at_risk = at_risk
    sessions.protection.report()
    assert sessions.lines == ([line] if line else [])
    assert sessions.result["at_risk_after"] == (count if at_risk else None)
