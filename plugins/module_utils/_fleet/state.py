# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the servers of a fleet are, when it stops, whom to roll back, and its table. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.mcp.server.plugins.module_utils._table import table
from ansible_collections.mcp.server.plugins.module_utils._text import printable

# What to do with the other servers when the fleet stops.
STOP, ROLLBACK_WAVE, ROLLBACK_ALL = ON_FAILURE = ("stop", "rollback_wave", "rollback_all")

WAITING, WORKING = "waiting", "at work"
RELEASED, ALREADY, AT_STOP = "released", "released before", "paused as asked"
FAILED, ROLLED_BACK, PAUSED = "failed", "rolled back", "paused"
TAKEN_BACK, NOT_TAKEN_BACK = "taken back", "rollback failed"
NOT_BEGUN = "not begun"  # how a waiting server is called once the fleet has ended
GOOD = (RELEASED, ALREADY, AT_STOP)
STATES = (
    NOT_TAKEN_BACK,
    FAILED,
    ROLLED_BACK,
    PAUSED,
    TAKEN_BACK,
    WORKING,
    RELEASED,
    ALREADY,
    AT_STOP,
    WAITING,
    NOT_BEGUN,
)

MAX_TEXT = 300  # characters of a verdict
SHOWN_TEXT = 90  # of which the table shows so many
SHOWN_ROWS = 40  # rows of the table while the fleet is at work
SHOWN = 5  # names in a sentence


@dataclass(frozen=True)
class Row:
    """One server. wave: from 1. failed: whether it counts for the stop. text: what it does, or its verdict."""

    host: str
    wave: int
    state: str = WAITING
    weight: int | None = None
    failed: bool = False
    text: str = ""

    def document(self) -> dict[str, t.Any]:
        return asdict(self)


def stop_reason(rows: t.Sequence[Row], max_failed: int) -> str:
    """Return why the fleet stops, a clause; empty when it goes on."""
    failed = [row for row in rows if row.failed]
    if len(failed) <= max_failed:
        return ""
    allowed = f", of which {max_failed} may (mcp_waves_max_failed)" if max_failed else ""
    return f"{_named(failed)} failed{allowed}"


def to_roll_back(rows: t.Sequence[Row], max_failed: int, on_failure: str) -> list[str]:
    """Return the hosts that this run released and that go back, as the fleet has stopped."""
    if on_failure == STOP or not stop_reason(rows, max_failed):
        return []
    waves = {row.wave for row in rows if row.failed}
    return [row.host for row in rows if row.state == RELEASED and (on_failure == ROLLBACK_ALL or row.wave in waves)]


def is_bad(rows: t.Sequence[Row]) -> bool:
    """Return whether the play fails: any server has not the version, whatever number may fail."""
    return bool(bad(rows))


def bad(rows: t.Sequence[Row]) -> list[str]:
    """Return the hosts that have not the version."""
    return [row.host for row in rows if row.state not in GOOD]


def ended(rows: t.Sequence[Row]) -> list[Row]:
    """Return the rows once nothing more is done."""
    return [Row(**{**row.document(), "state": NOT_BEGUN}) if row.state == WAITING else row for row in rows]


def counts(rows: t.Sequence[Row]) -> str:
    """Return how many servers are in each state."""
    found = ((state, sum(row.state == state for row in rows)) for state in STATES)
    return ", ".join(f"{number} {state}" for state, number in found if number)


def lines(rows: t.Sequence[Row], *, whole: bool = False) -> list[str]:
    """Return the table. whole: with all servers; otherwise with those that have something to tell now."""
    waves = max((row.wave for row in rows), default=0)
    now = max((row.wave for row in rows if row.state != WAITING), default=1)
    shown = [row for row in rows if whole or row.wave == now or row.state not in (*GOOD, WAITING)]
    cut = shown if whole else shown[:SHOWN_ROWS]
    heading = ("SERVER", "WAVE", "STATE", "WEIGHT", "VERDICT")
    cells = [
        (
            row.host,
            f"{row.wave}/{waves}",
            row.state,
            "-" if row.weight is None else f"{row.weight} %",
            printable(row.text.rpartition("Cause: ")[2], SHOWN_TEXT),
        )
        for row in cut
    ]
    return [*table([heading, *cells]), f"{len(rows)} servers: {counts(rows)}"]


def summary(rows: t.Sequence[Row], version: str, max_failed: int) -> str:
    """Return how the fleet ended, one or two sentences."""
    about = f"Release of {version} to {len(rows)} servers in {_waves(rows)}"
    if not is_bad(rows):
        return f"{about}: {counts(rows)}."
    reason = stop_reason(rows, max_failed)
    first = next((row for row in rows if row.failed), None)
    why = f" {first.host}: {first.text}" if first and first.text else ""
    return f"{about} {f'stopped, as {reason}' if reason else 'went on'}: {counts(rows)}.{why}"


def _waves(rows: t.Sequence[Row]) -> str:
    number = max((row.wave for row in rows), default=0)
    return f"{number} wave{'' if number == 1 else 's'}"


def _named(rows: t.Sequence[Row]) -> str:
    names = ", ".join(f"{row.host} (wave {row.wave})" for row in rows[:SHOWN])
    return names + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
