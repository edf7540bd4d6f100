# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of an emergency, as tables. What it does is tested with the module (test_single_shift.py)."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import other
from ansible_collections.mcp.server.plugins.module_utils._task import Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import emergency
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions


@pytest.mark.parametrize(
    ("replicas", "planned", "too_small"),
    [
        (1, 2, True),
        (1, 3, True),
        (2, 2, False),
        (3, 2, False),
        (0, 2, False),  # scaled up before the traffic came, or sent there by force
        (2, 0, False),  # not known
        (0, 0, False),
    ],
)
def test_which_pool_gets_its_size_back(replicas: int, planned: int, too_small: bool) -> None:
    assert emergency.is_too_small(replicas, planned) is too_small


@pytest.mark.parametrize(
    ("expected", "reported", "warning", "problem"),
    [
        ("v1.1.5", ["1.1.5"], "", ""),
        ("v1.1.5", ["v1.1.5", "1.1.5"], "", ""),
        ("v1.1.5", ["1.0.0"], "", "answers report version 1.0.0, not v1.1.5"),
        ("v1.1.5", ["1.0.0", "1.1.5"], "", "answers report version 1.0.0, 1.1.5, not v1.1.5"),
        ("v1.1.5", [], "The version was not verified: the health document does not report one.", ""),
        ("", ["1.0.0"], "", ""),
        ("", [], "", ""),
        ("sha-abc1234", [], "The version was not verified: the health document does not report one.", ""),
    ],
)
def test_which_version_is_another_one(expected: str, reported: list[str], warning: str, problem: str) -> None:
    assert emergency.other_version(expected, reported) == (warning, problem)


def test_a_version_that_servers_do_not_report_is_not_compared() -> None:
    warning, problem = emergency.other_version("sha-abc1234", ["1.0.0"])
    assert "sha-abc1234" in warning and problem == ""


def release(name: str, pool: str = "blue", outcome: str = record.RUNNING) -> t.Any:
    sides = {"from": {"pool": pool}, "to": {"pool": other(pool)}}
    end = None if outcome == record.RUNNING else "T1"
    return {"id": name, "reason": "weekly", "outcome": outcome, "ended": end, "steps": [], **sides}


def rolled_back(one: t.Any) -> t.Any:
    return {**one, "outcome": "rolled_back", "ended": "T9", "reason": "5xx"}


OLD = release("old", "green", "succeeded")


@pytest.mark.parametrize(
    ("current", "release", "after"),
    [
        # The newest one came from the pool that the traffic goes back to: it is the one that is rolled back.
        (release("new"), release("new"), [rolled_back(release("new")), OLD]),
        (release("new"), release("stand-in"), [rolled_back(release("new")), OLD]),
        (
            release("new", outcome="succeeded"),
            release("new"),
            [rolled_back(release("new", outcome="succeeded")), OLD],
        ),
        # A named pool that the newest one did not come from: an entry of its own, and nothing runs any longer.
        (
            release("new"),
            release("named", "green"),
            [
                rolled_back(release("named", "green")),
                {**release("new"), "outcome": "rolled_back", "ended": "T9"},
                OLD,
            ],
        ),
        (
            release("new", outcome="failed"),
            release("named", "green"),
            [rolled_back(release("named", "green")), release("new", outcome="failed"), OLD],
        ),
        (None, release("stand-in"), [rolled_back(release("stand-in"))]),
        (rolled_back(release("new")), release("new"), [rolled_back(release("new")), OLD]),
    ],
)
def test_what_the_record_says_afterwards(current: t.Any, release: t.Any, after: list[t.Any]) -> None:
    before = record.ReleaseRecord(current, (OLD,) if current else ())
    found = emergency.ended(before, release, "T9", "5xx")
    assert [found.current, *found.history] == after
    assert emergency.ended(found, release, "T10", "again") == found


def test_the_history_stays_bounded() -> None:
    full = record.ReleaseRecord(release("new"), (OLD,) * record.KEPT)
    found = emergency.ended(full, release("named", "green"), "T9", "5xx")
    assert len(found.history) == record.KEPT and found.history[0]["id"] == "new"


@pytest.mark.parametrize(
    ("count", "lines"), [(7, ["this rollback ends 7 open sessions of pool green"]), (0, []), (None, [])]
)
def test_sessions_that_a_rollback_ends_are_told(
    monkeypatch: pytest.MonkeyPatch, count: int | None, lines: list[str]
) -> None:
    told: list[str] = []
    monkeypatch.setattr(open_sessions, "count", lambda *_given: count)
    task = Task({"sessions_metric": {"name": "open"}}, progress=told.append)
    kind = SimpleNamespace(has_affinity=lambda *_given: True)
    result: dict[str, t.Any] = {"sessions": {}, "bad_pool": "green"}
    emergency._report_sessions(
        t.cast(t.Any, SimpleNamespace(task=task, kind=kind, route={}, server=None, cluster=None, result=result))
    )
    assert result["sessions"] == {"marked": True, "at_risk_after": count} and told == lines
