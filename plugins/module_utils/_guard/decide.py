# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a guard does, from what it sees. Pure: plain data in, a decision out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils._release.lease import PAUSED, Holder
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release, is_running

WAIT, PAUSE, KEEP, ROLL_BACK, END = "wait", "pause", "keep", "rollback", "end"

# Seconds of a Lease's age that are believed unseen: the runner's clock and the API server's tell it, and may differ. The rest must be seen to pass.
BELIEVED = 30.0
# Seconds for which a Lease must be seen without a holder: a run takes one that was deleted again at its next renewal.
EMPTY = 20.0


@dataclass(frozen=True)
class Observation:
    """What the guard sees at one moment.

    holder: who has the Lease, None when nobody has. unchanged: seconds for which
    it was seen as it is. release: the newest of the record.
    """

    holder: Holder | None
    unchanged: float
    release: Release | None


class Decision(t.NamedTuple):
    """what: WAIT, PAUSE, KEEP (the Lease of a release that is paused), ROLL_BACK or END. why: a clause for the record, empty for WAIT."""

    what: str
    why: str = ""


def silence(holder: Holder, unchanged: float, now: datetime | None) -> float:
    """Seconds since the runner was heard of. now: the API server's time, None when it is not known."""
    age = 0.0 if now is None else (now - holder.renewed).total_seconds()
    return max(unchanged, min(age, unchanged + BELIEVED))


def gone(holder: Holder | None, unchanged: float, now: datetime | None) -> str:
    """Why nobody sees to the release, a clause; empty while somebody does."""
    if holder is None:
        return "its run ended, and left it as it is" if unchanged > EMPTY else ""
    silent = silence(holder, unchanged, now)
    return f"the run of {holder.by} was last heard of {silent:.0f} s ago" if silent > holder.duration else ""


def paused(sight: Observation) -> str:
    """Return until when the release is paused, its Lease being a guard's; empty when it is not, or somebody goes on with it."""
    holder, release = sight.holder, sight.release
    if release is None or not (holder is None or holder.process == PAUSED):
        return ""
    return (release.get("paused") or {}).get("until") or ""


def decide(sight: Observation, guarded: str, action: str, now: datetime | None, breach: str = "") -> Decision:
    """guarded: the id of the release. action: PAUSE or ROLL_BACK, when the runner has died. breach: why a trigger says that the release is bad.

    A runner that lives sees to its triggers itself. One that gave the Lease back paused the release: it had its reason, such as monitoring that was down.
    """
    release = sight.release
    if release is None or release["id"] != guarded:
        return Decision(END, f"the newest release is {release['id'] if release else 'not recorded any more'}")
    if not is_running(release):
        return Decision(END, f"the release has ended: {release['outcome']}")
    if until := paused(sight):
        if breach:
            return Decision(ROLL_BACK, f"it is paused, and {breach}")
        if now is not None and now >= datetime.fromisoformat(until):
            return Decision(ROLL_BACK, f"it was paused until {until}, and nobody went on with it")
        return Decision(KEEP, f"paused until {until}")
    why = gone(sight.holder, sight.unchanged, now)
    if not why:
        return Decision(WAIT)
    if breach:
        return Decision(ROLL_BACK, f"{why}, and {breach}")
    return Decision(PAUSE if sight.holder is None else action, why)
