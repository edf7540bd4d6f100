# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a fleet stops, whom it takes back, and its table."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._announce import fleet
from ansible_collections.mcp.server.plugins.module_utils._fleet import state
from ansible_collections.mcp.server.plugins.module_utils._fleet.state import (
    ALREADY,
    AT_STOP,
    FAILED,
    NOT_TAKEN_BACK,
    PAUSED,
    RELEASED,
    ROLLED_BACK,
    TAKEN_BACK,
    WAITING,
    WORKING,
    Row,
)

# Wave 1: released by an earlier run, and by this one. Wave 2: one failed. Wave 3 waits.
FLEET = [
    Row("a", 1, ALREADY, 100),
    Row("b", 1, RELEASED, 100),
    Row("c", 2, RELEASED, 100),
    Row("d", 2, ROLLED_BACK, 0, True, "v1.2.0 was rolled back; all traffic is on blue again. Cause: Errors."),
    Row("e", 2, ROLLED_BACK, 0, False, "The fleet stopped."),
    Row("f", 3, WAITING),
]


@pytest.mark.parametrize(
    ("rows", "max_failed", "says"),
    [
        (FLEET[:3], 0, ""),
        (FLEET, 0, "d (wave 2) failed"),
        (FLEET, 1, ""),
        (
            [*FLEET, Row("g", 3, PAUSED, 50, True)],
            1,
            "d (wave 2), g (wave 3) failed, of which 1 may (mcp_waves_max_failed)",
        ),
        ([Row("a", 1, WORKING, 50, True)], 0, "a (wave 1) failed"),  # it is known before its rollback has ended
    ],
)
def test_when_it_stops(rows: list[Row], max_failed: int, says: str) -> None:
    assert state.stop_reason(rows, max_failed) == says


@pytest.mark.parametrize(
    ("rows", "max_failed", "on_failure", "hosts"),
    [
        (FLEET, 0, "stop", []),
        (FLEET, 0, "rollback_wave", ["c"]),
        (FLEET, 0, "rollback_all", ["b", "c"]),  # never what an earlier run released
        (FLEET, 1, "rollback_all", []),  # as many may fail
        (FLEET[:3], 0, "rollback_all", []),
        ([*FLEET, Row("g", 1, FAILED, failed=True)], 0, "rollback_wave", ["b", "c"]),
    ],
)
def test_whom_it_rolls_back(rows: list[Row], max_failed: int, on_failure: str, hosts: list[str]) -> None:
    assert state.to_roll_back(rows, max_failed, on_failure) == hosts


@pytest.mark.parametrize(
    ("states", "bad"),
    [
        ((RELEASED, ALREADY, AT_STOP), ""),
        ((RELEASED, FAILED), "1"),
        ((RELEASED, WAITING), "1"),
        ((PAUSED, ROLLED_BACK, TAKEN_BACK, NOT_TAKEN_BACK, WORKING), "0 1 2 3 4"),
    ],
)
def test_who_has_not_the_version(states: tuple[str, ...], bad: str) -> None:
    rows = [Row(str(number), 1, one) for number, one in enumerate(states)]
    assert state.bad(rows) == bad.split() and state.is_bad(rows) is bool(bad)


def test_the_table_while_it_works_has_the_wave_at_work() -> None:
    assert state.lines(FLEET) == [
        "SERVER  WAVE  STATE        WEIGHT  VERDICT",
        "c       2/3   released     100 %",
        "d       2/3   rolled back  0 %     Errors.",
        "e       2/3   rolled back  0 %     The fleet stopped.",
        "6 servers: 2 rolled back, 2 released, 1 released before, 1 waiting",
    ]


def test_the_table_at_the_end_has_all() -> None:
    found = state.lines(state.ended(FLEET), whole=True)
    assert len(found) == 8 and found[6] == "f       3/3   not begun        -"
    assert "1 not begun" in found[7]


def test_a_table_of_many_is_cut_while_it_works() -> None:
    rows = [Row(f"s{number}", 1, WORKING) for number in range(200)]
    assert len(state.lines(rows)) == state.SHOWN_ROWS + 2 and len(state.lines(rows, whole=True)) == 202


def test_hostile_text_of_a_server_stays_in_its_cell() -> None:
    (_heading, row, _counts) = state.lines([Row("a", 1, FAILED, text="\x1b[2J\nPLAY RECAP" + "x" * 500)])
    assert "\x1b" not in row and "\n" not in row and len(row) < 200


def test_the_summary_names_the_first_cause() -> None:
    assert state.summary(state.ended(FLEET), "v1.2.0", 0) == (
        "Release of v1.2.0 to 6 servers in 3 waves stopped, as d (wave 2) failed: 2 rolled back, 2 released, "
        "1 released before, 1 not begun. d: v1.2.0 was rolled back; all traffic is on blue again. Cause: Errors."
    )
    assert state.summary(FLEET[:2], "v1.2.0", 0) == (
        "Release of v1.2.0 to 2 servers in 1 wave: 1 released, 1 released before."
    )


TREE = [{"name": "Team", "kind": "application"}, {"name": "Director", "kind": "business"}]


@pytest.mark.parametrize(
    ("rows", "outcome", "kind", "called"),
    [
        (FLEET[:3], "succeeded", "", []),
        (FLEET, "failed", "application", ["Team", "Director"]),
        ([FLEET[3], FLEET[4]], "rolled_back", "application", ["Team", "Director"]),
        ([FLEET[3], Row("x", 1, NOT_TAKEN_BACK, failed=True)], "failed", "business", ["Director"]),
    ],
)
def test_what_is_announced(rows: list[Row], outcome: str, kind: str, called: list[str]) -> None:
    found = fleet.event(rows, "v1.2.0", 0, TREE)
    assert (found["outcome"], found["kind"], [one["name"] for one in found["escalation"]]) == (outcome, kind, called)
    assert [row["host"] for row in found["fleet"]] == [row.host for row in rows]
