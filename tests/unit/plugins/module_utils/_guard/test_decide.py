# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.mcp.server.plugins.module_utils._guard.decide import (
    END,
    KEEP,
    PAUSE,
    ROLL_BACK,
    WAIT,
    Observation,
    decide,
    seconds_silent,
)
from ansible_collections.mcp.server.plugins.module_utils._release.lease import PAUSED, Holder

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OURS = "2026-11-24T11:00:00.000Z-v2"


def held(age: float) -> Holder:
    """Renewed so many seconds ago, by the two clocks."""
    return Holder("run", "eva@runner", "", NOW - timedelta(hours=1), NOW - timedelta(seconds=age))


def release(outcome: str = "running", identifier: str = OURS) -> dict[str, t.Any]:
    return {"id": identifier, "by": "eva@runner", "outcome": outcome}


@pytest.mark.parametrize(
    ("age", "unchanged", "seconds"),
    [
        (10, 8, 10),  # both tell the same
        (70, 68, 70),
        (70, 0, 30),  # a guard that has just started, or could not look: the clocks are believed in part
        (3600, 5, 35),  # a runner's clock that is an hour behind
        (-3600, 5, 5),  # an hour ahead
        (-3600, 65, 65),
    ],
)
def test_how_long_the_runner_has_been_silent(age: float, unchanged: float, seconds: float) -> None:
    assert seconds_silent(held(age), unchanged, NOW) == seconds
    # Without the API server's time only what was seen counts.
    assert seconds_silent(held(age), unchanged, None) == unchanged


@pytest.mark.parametrize(
    ("holder", "unchanged", "newest", "action", "breach", "what", "why"),
    [
        (held(10), 8, release(), ROLL_BACK, "", WAIT, ""),
        (held(60), 58, release(), ROLL_BACK, "", WAIT, ""),
        (held(61), 58, release(), ROLL_BACK, "", ROLL_BACK, "the run of eva@runner last renewed its Lease 61 s ago"),
        (held(61), 58, release(), PAUSE, "", PAUSE, "the run of eva@runner last renewed its Lease 61 s ago"),
        (
            held(61),
            58,
            release(),
            PAUSE,
            "p95 is 2 s",
            ROLL_BACK,
            "the run of eva@runner last renewed its Lease 61 s ago, and p95 is 2 s",
        ),
        (held(10), 8, release(), ROLL_BACK, "p95 is 2 s", WAIT, ""),  # a runner that lives sees to that
        # A run that gave the Lease back paused it: it had a reason, and is not dead.
        (
            None,
            0,
            release(),
            ROLL_BACK,
            "p95 is 2 s",
            WAIT,
            "",
        ),  # it may have been deleted: a run that lives takes it again
        (None, 21, release(), ROLL_BACK, "", PAUSE, "its run ended without finishing it"),
        (None, 600, release(), ROLL_BACK, "", PAUSE, "its run ended without finishing it"),
        (None, 21, release(), PAUSE, "p95 is 2 s", ROLL_BACK, "its run ended without finishing it, and p95 is 2 s"),
        (held(61), 58, release("succeeded"), ROLL_BACK, "", END, "the release has ended: succeeded"),
        (held(61), 58, release("rolled_back"), ROLL_BACK, "p95 is 2 s", END, "the release has ended: rolled_back"),
        (held(61), 58, release(identifier="another"), ROLL_BACK, "", END, "the newest release is another"),
        (held(10), 8, release(identifier="another"), ROLL_BACK, "", END, "the newest release is another"),
        (held(61), 58, release(identifier="0 before"), ROLL_BACK, "", END, "the newest release is 0 before"),
        (held(61), 58, None, ROLL_BACK, "", END, "the newest release is no longer recorded"),
        (None, 20, release(), ROLL_BACK, "", WAIT, ""),
    ],
)
def test_what_a_guard_does(holder, unchanged, newest, action, breach, what, why) -> None:
    assert decide(Observation(holder, unchanged, newest), OURS, action, NOW, breach) == (what, why)


GUARD = Holder("guard", "the guard of prod/mcp", PAUSED, NOW - timedelta(hours=1), NOW - timedelta(seconds=8))


@pytest.mark.parametrize(
    ("holder", "newest", "left", "breach", "what", "why"),
    [
        (None, release(), 60, "", KEEP, "paused until "),  # it was handed over just now
        (GUARD, release(), 60, "", KEEP, "paused until "),
        (GUARD, release(), 0, "", ROLL_BACK, "and nobody continued it"),
        (GUARD, release(), 60, "p95 is 2 s", ROLL_BACK, "it is paused, and p95 is 2 s"),
        (held(8), release(), -60, "", WAIT, ""),  # somebody goes on with it
        (GUARD, release("rolled_back"), 60, "", END, "the release has ended: rolled_back"),
        (GUARD, release(identifier="another"), 60, "", END, "the newest release is another"),
    ],
)
def test_what_a_guard_does_with_a_release_that_is_paused(holder, newest, left, breach, what, why) -> None:
    paused = {**newest, "paused": {"until": (NOW + timedelta(seconds=left)).isoformat()}}
    found = decide(Observation(holder, 5, paused), OURS, PAUSE, NOW, breach)
    assert found.what == what and why in found.why


def test_a_pause_without_a_readable_end_lasts() -> None:
    """The record may be edited; a guard that cannot tell the end must not roll back."""
    paused = {**release(), "paused": {"at": "x", "reason": "y", "until": "tomorrow"}}
    assert decide(Observation(None, 21, paused), OURS, ROLL_BACK, NOW).what == PAUSE
    assert decide(Observation(GUARD, 5, paused), OURS, ROLL_BACK, NOW).what == WAIT
