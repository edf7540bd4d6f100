# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change of weights does to open MCP sessions, and whether it may. Pure: plain data in, a decision out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._release import pools as pools_by_weight
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights, other

KEEP, DRAIN, BREAK = POLICIES = ("keep", "drain", "break")
AUTO = "auto"
MODES = ("modern", "stateless", "stateful", "sse")
# How a pool keeps sessions, for which it does not matter which pool answers
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
    """How a pool keeps its clients' sessions. mode: one of MODES, None when that is not known.

    marked: whether the ids that it gives begin with its name.
    """

    mode: str | None
    marked: bool = False

    def safe(self, route_marked: bool) -> bool:
        """Whether its sessions live on, whatever the weights are. What is not known is not held against it."""
        return self.mode in (None, *ANYWHERE) or (self.mode == "stateful" and self.marked and route_marked)


class Decision(t.NamedTuple):
    """action: GO, WAIT (until the losing pool has no session left) or REFUSE. reason: of a refusal, a sentence."""

    action: str
    reason: str = ""


def losing(before: Weights, wanted: Weights) -> str | None:
    """The pool that loses traffic, if one does."""
    return next((pool for pool in POOLS if wanted[pool] < before[pool]), None)


def concerned(before: Weights, wanted: Weights) -> list[str]:
    """The pools whose sessions the change touches, the losing one first: with a split both, as the sessions of each would meet the other."""
    loser = losing(before, wanted)
    if loser is None:
        return []
    return [loser, other(loser)] if pools_by_weight.whole(wanted) is None else [loser]


def at_risk(before: Weights, wanted: Weights, pools: dict[str, Sessions], route_marked: bool) -> str | None:
    """The pool whose open sessions would end with the change, if there is one."""
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
    """pools: of concerned(), as far as they tell. still_open: sessions on the losing pool, None when not known. counted: whether a metric tells them."""
    if pools_by_weight.whole(wanted) is None:
        broken = next((pool for pool, its in pools.items() if not its.safe(route_marked)), None)
        return Decision(REFUSE, _no_split(broken, pools[broken], route_marked)) if broken else Decision(GO)
    loser = at_risk(before, wanted, pools, route_marked)
    # Where clients without a mark were split, their sessions are broken already: to end that, nothing is waited for.
    if loser is None or pools_by_weight.whole(before) is None or policy == BREAK or still_open == 0:
        return Decision(GO)
    if policy == DRAIN:
        no_metric = (
            "sessions=drain waits until no session is open, so it has to know their number: set sessions_metric."
        )
        return Decision(WAIT) if counted else Decision(REFUSE, no_metric)
    number = (
        "an unknown number of sessions open (sessions_metric is not set, or does not tell)"
        if still_open is None
        else f"{still_open} sessions open"
    )
    return Decision(
        REFUSE,
        f"pool {loser} has {number}, kept by itself ({pools[loser].mode}), which end when all traffic leaves it at once. "
        f"Set sessions to drain, so that {loser} serves until they have ended, or to break, which accepts that they are lost.",
    )


def _no_split(pool: str, sessions: Sessions, route_marked: bool) -> str:
    if sessions.mode == "sse":
        lacks = "HTTP+SSE has no session ids that a route could see"
    elif sessions.marked:
        lacks = "their ids carry the pool's mark, but the route has no rules for it"
    elif route_marked:
        lacks = f"the route has rules for the pools' marks, but ids of this pool do not begin with {pool}-"
    else:
        lacks = "their ids carry no mark of the pool that the route could follow"
    return (
        f"pool {pool} keeps sessions ({sessions.mode}), and {lacks}; in a split their requests would meet the other pool, which knows none of them. "
        "Move all traffic at once (a single step of 100) with sessions set to drain or break, or mark the sessions: docs/sessions.md."
    )
