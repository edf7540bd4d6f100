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

    mode: str | None  # one of MODES, None when not known
    marked: bool = False  # whether its session ids begin with the pool's name

    def safe(self, route_marked: bool) -> bool:
        """Return whether its sessions survive any weights. An unknown mode counts as safe.

        route_marked: whether the route has session affinity.
        """
        return self.mode in (None, *ANYWHERE) or (self.mode == "stateful" and self.marked and route_marked)


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
    if pools_by_weight.whole(wanted) is None:
        broken = next((pool for pool, its in pools.items() if not its.safe(route_marked)), None)
        return Decision(REFUSE, _no_split(broken, pools[broken], route_marked)) if broken else Decision(GO)
    loser = at_risk(before, wanted, pools, route_marked)
    # In a split without affinity sessions are broken already: its end must not wait.
    if loser is None or pools_by_weight.whole(before) is None or policy == BREAK or still_open == 0:
        return Decision(GO)
    if policy == DRAIN:
        no_metric = "sessions=drain waits until no session is open, and must count them: set sessions_metric."
        return Decision(WAIT) if counted else Decision(REFUSE, no_metric)
    number = (
        "an unknown number of open sessions (sessions_metric is not set, or could not be read)"
        if still_open is None
        else f"{still_open} open sessions"
    )
    return Decision(
        REFUSE,
        f"pool {loser} has {number} that only it can answer ({pools[loser].mode}); "
        "they end when all traffic leaves it. "
        f"Set sessions to drain, so that {loser} serves until they have ended, or to break, to lose them.",
    )


def _no_split(pool: str, sessions: Sessions, route_marked: bool) -> str:
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
        "Shift all traffic at once (a single step of 100) with sessions set to drain or break, "
        "or mark the sessions (docs/sessions.md)."
    )
