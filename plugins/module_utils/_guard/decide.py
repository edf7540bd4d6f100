# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a guard does, by what it observes. Pure: plain data in, a decision out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._release.lease import PAUSED, Holder
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release, is_running

WAIT, PAUSE, KEEP, ROLL_BACK, END = "wait", "pause", "keep", "rollback", "end"

# Seconds of a Lease's age that the guard need not have observed: its dates tell them, but clocks may differ.
BELIEVED = 30.0
# Seconds for which the guard must observe a Lease without a holder: after a deletion the run takes it at its next
# renewal.
EMPTY = 20.0


@dataclass(frozen=True)
class Observation:
    """What the guard observes at one moment."""

    # Of the Lease; None without one.
    holder: Holder | None
    # Seconds for which the Lease has been seen as it is.
    unchanged: float
    # The newest of the record.
    release: Release | None


class Decision(t.NamedTuple):
    # WAIT, PAUSE, KEEP (hold the Lease of a paused release), ROLL_BACK or END.
    what: str
    # A clause for the record; empty for WAIT.
    why: str = ""


def seconds_silent(holder: Holder, unchanged: float, now: datetime | None) -> float:
    """Return the seconds since the run last renewed the Lease. now: the API server's time, None when unknown."""
    age = 0.0 if now is None else (now - holder.renewed).total_seconds()
    return max(unchanged, min(age, unchanged + BELIEVED))


def abandoned(holder: Holder | None, unchanged: float, now: datetime | None) -> str:
    """Return why no run works on the release any more, a clause; empty while one does."""
    if holder is None:
        return "its run ended without finishing it" if unchanged > EMPTY else ""
    silent = seconds_silent(holder, unchanged, now)
    return f"the run of {holder.by} last renewed its Lease {silent:.0f} s ago" if silent > holder.duration else ""


def paused(observed: Observation) -> str:
    """Return until when the release is paused (ISO 8601); empty when it is not, or when a run continues it."""
    holder, release = observed.holder, observed.release
    if release is None or not (holder is None or holder.process == PAUSED):
        return ""
    pause = release.get("paused")
    until = pause.get("until", "") if pause else ""
    return until if _times.parse(until) else ""


def decide(observed: Observation, guarded: str, action: str, now: datetime | None, breach: str = "") -> Decision:
    """Decide what to do now.

    guarded: the id of the release. action: PAUSE or ROLL_BACK, for when the run has died. breach: why a trigger says
    that the release is bad, a clause; empty otherwise.

    A run that is alive judges its triggers itself. A run that returned the Lease has paused the release for a reason,
    such as monitoring that is down, so the guard does not roll it back.
    """
    release = observed.release
    if release is None or release["id"] != guarded:
        return Decision(END, f"the newest release is {release['id'] if release else 'no longer recorded'}")
    if not is_running(release):
        return Decision(END, f"the release has ended: {release['outcome']}")
    if until := paused(observed):
        if breach:
            return Decision(ROLL_BACK, f"it is paused, and {breach}")
        end = _times.parse(until)
        if now is not None and end is not None and now >= end:
            return Decision(ROLL_BACK, f"it was paused until {until}, and nobody continued it")
        return Decision(KEEP, f"paused until {until}")
    why = abandoned(observed.holder, observed.unchanged, now)
    if not why:
        return Decision(WAIT)
    if breach:
        return Decision(ROLL_BACK, f"{why}, and {breach}")
    return Decision(PAUSE if observed.holder is None else action, why)
