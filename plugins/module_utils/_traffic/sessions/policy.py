# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a change of weights may do to open MCP sessions. Pure: plain data in, a decision out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._release import pools as pools_by_weight
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights, other

KEEP, DRAIN, BREAK = POLICIES = ("keep", "drain", "break")
AUTO = "auto"
MODES = ("modern", "stateless", "stateful", "sse")
# The modes in which any pool can answer any request
ANYWHERE = ("modern", "stateless")

# Documented in modules/mcp_traffic_shift.py
METRIC: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "name": {"type": "str", "required": True},
        "port": {"type": "int", "default": 9090},
        "path": {"type": "str", "default": "/metrics"},
    },
}

GO, WAIT, REFUSE = "go", "wait", "refuse"


@dataclass(frozen=True)
class Sessions:
    """How a pool keeps its clients' sessions."""

    mode: str | None  # one of MODES, None when it has no pod that could keep any, or when it is not known
    marked: bool = False  # whether its session ids begin with the pool's name
    unknown: str = ""  # why the mode is not known, a sentence

    def safe(self, route_marked: bool) -> bool:
        """Return whether its sessions survive any weights.

        An unknown mode does not count as safe: most servers keep sessions in their pods, and a share for the other pool
        would break each of them. route_marked: whether the route has session affinity.
        """
        if self.mode is None:
            return not self.unknown
        return self.mode in ANYWHERE or (self.mode == "stateful" and self.marked and route_marked)


class Decision(t.NamedTuple):
    """Whether the weights may be written."""

    action: str  # GO, WAIT (until the losing pool has no open session) or REFUSE
    reason: str = ""  # of a refusal, a sentence


def losing(before: Weights, wanted: Weights) -> str | None:
    """Return the pool that loses traffic, if one does."""
    return next((pool for pool in POOLS if wanted[pool] < before[pool]), None)


def concerned(before: Weights, wanted: Weights) -> list[str]:
    """Return the pools whose sessions the change may end, the losing one first.

    For a split these are both: sessions of each would reach the other.
    """
    loser = losing(before, wanted)
    if loser is None:
        return []
    return [loser, other(loser)] if pools_by_weight.whole(wanted) is None else [loser]


def at_risk(before: Weights, wanted: Weights, pools: dict[str, Sessions], route_marked: bool) -> str | None:
    """Return the pool whose open sessions the change would end, if there is one."""
    loser = losing(before, wanted)
    return loser if loser and not pools[loser].safe(route_marked) else None


def decide(
    policy: str,
    before: Weights,
    wanted: Weights,
    pools: dict[str, Sessions],
    route_marked: bool,
    still_open: int | None,
    counted: bool,
) -> Decision:
    """Decide whether the weights may be written now, after a wait, or not.

    policy: one of POLICIES. pools: the sessions of concerned(), as far as known. still_open: sessions of the losing
    pool, None when not known. counted: whether a metric counts them.
    """
    was_split = pools_by_weight.whole(before) is None
    if pools_by_weight.whole(wanted) is None:
        # Before the first share the mode was known, or a person has set the split.
        if was_split:
            pools = {pool: its for pool, its in pools.items() if not its.unknown}
        broken = next((pool for pool, its in pools.items() if not its.safe(route_marked)), None)
        return Decision(REFUSE, _no_split(broken, pools[broken], route_marked)) if broken else Decision(GO)
    loser = at_risk(before, wanted, pools, route_marked)
    # In a split without affinity sessions are broken already: its end must not wait.
    if loser is None or was_split or policy == BREAK or still_open == 0:
        return Decision(GO)
    if policy == DRAIN:
        no_metric = (
            f"sessions=drain waits until no session of pool {loser} is open, and nothing counts them: set "
            "sessions_metric (mcp_sessions_metric), or set sessions (mcp_sessions) to break, to lose them."
        )
        return Decision(WAIT) if counted else Decision(REFUSE, no_metric)
    if pools[loser].unknown:
        return Decision(
            REFUSE,
            f"it is not known whether pool {loser} keeps sessions, which end when all traffic leaves it. "
            f"{pools[loser].unknown} Set session_mode (mcp_session_mode) to what it is, or sessions (mcp_sessions) to "
            "break, to lose them.",
        )
    if still_open is None:
        why = "could not be read" if counted else "is not set"
        number = f"an unknown number of open sessions (sessions_metric {why})"
    else:
        number = f"{still_open} open sessions"
    drain = f"drain, so that {loser} serves until they have ended"
    advice = (
        f"Set sessions (mcp_sessions) to {drain}, or to break, to lose them."
        if counted
        else "Set sessions (mcp_sessions) to break, to lose them; or count them by sessions_metric "
        f"(mcp_sessions_metric), and set sessions to {drain}."
    )
    return Decision(
        REFUSE,
        f"pool {loser} has {number} that only it can answer ({pools[loser].mode}); "
        f"they end when all traffic leaves it. {advice}",
    )


def _no_split(pool: str, sessions: Sessions, route_marked: bool) -> str:
    if sessions.unknown:
        return (
            f"it is not known whether pool {pool} keeps sessions: in a split, their requests would also reach the "
            f"other pool, which does not know them. {sessions.unknown} Set session_mode (mcp_session_mode) to what it "
            "is."
        )
    if sessions.mode == "sse":
        lacks = "HTTP+SSE has no session ids that a route could match"
    elif sessions.marked:
        lacks = "their ids have the pool's mark, but the route has no rules for it"
    elif route_marked:
        lacks = f"the route has rules for marks, but session ids of this pool do not begin with {pool}-"
    else:
        lacks = "their ids have no mark that the route could match"
    return (
        f"pool {pool} keeps sessions ({sessions.mode}), and {lacks}; "
        "in a split their requests would reach the other pool, which does not know them. "
        "Shift all traffic at once (a single step of 100 in mcp_steps) with sessions (mcp_sessions) set to break, or "
        "to drain where sessions_metric counts them; or mark the sessions (docs/sessions.md)."
    )
