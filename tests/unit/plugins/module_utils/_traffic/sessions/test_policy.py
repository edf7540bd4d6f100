# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release.pools import split
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions.policy import (
    BREAK,
    DRAIN,
    GO,
    KEEP,
    POLICIES,
    REFUSE,
    WAIT,
    Sessions,
    at_risk,
    concerned,
    decide,
    losing,
)

BLUE, GREEN, HALF = split("blue", 100), split("green", 100), split("green", 50)
TENTH = split("green", 10)


@pytest.mark.parametrize(
    "before, wanted, loser, pools",
    [
        (BLUE, BLUE, None, []),
        (BLUE, TENTH, "blue", ["blue", "green"]),
        (TENTH, HALF, "blue", ["blue", "green"]),
        (HALF, TENTH, "green", ["green", "blue"]),
        (BLUE, GREEN, "blue", ["blue"]),
        (GREEN, BLUE, "green", ["green"]),
        (TENTH, BLUE, "green", ["green"]),
        ({"blue": 0, "green": 0}, BLUE, None, []),
    ],
)
def test_who_is_concerned(before, wanted, loser, pools):
    assert losing(before, wanted) == loser and concerned(before, wanted) == pools


@pytest.mark.parametrize(
    "pool, route_marked, safe",
    [
        (Sessions("modern"), False, True),
        (Sessions("stateless"), False, True),
        (Sessions(None), False, True),  # it has no pod
        (Sessions(None, unknown="Pod a is cut."), False, False),
        (Sessions(None, unknown="Pod a is cut."), True, False),
        (Sessions("stateful"), False, False),
        (Sessions("stateful"), True, False),
        (Sessions("stateful", marked=True), False, False),
        (Sessions("stateful", marked=True), True, True),
        (Sessions("sse"), True, False),
        (Sessions("sse", marked=True), True, False),
    ],
)
@pytest.mark.parametrize("policy", POLICIES)
def test_whose_sessions_live_on(pool, route_marked, safe, policy):
    """Every policy allows every share where they do, and no share but all or nothing where they don't."""
    pools = {"blue": pool, "green": pool}
    assert at_risk(BLUE, GREEN, pools, route_marked) == (None if safe else "blue")
    for wanted in (TENTH, HALF):
        assert decide(policy, BLUE, wanted, pools, route_marked, None, True).action == (GO if safe else REFUSE)
    if safe:
        assert decide(policy, BLUE, GREEN, pools, route_marked, 0, True).action == GO


@pytest.mark.parametrize(
    "policy, still_open, counted, action, says",
    [
        (KEEP, 0, True, GO, ""),
        (KEEP, 12, True, REFUSE, "pool blue has 12 open sessions that only it can answer (stateful)"),
        (KEEP, 12, True, REFUSE, "Set sessions (mcp_sessions) to drain, so that blue serves until they have ended, or"),
        (KEEP, None, True, REFUSE, "an unknown number of open sessions (sessions_metric could not be read)"),
        (KEEP, None, False, REFUSE, "pool blue has an unknown number of open sessions (sessions_metric is not set)"),
        (KEEP, None, False, REFUSE, "Set sessions (mcp_sessions) to break, to lose them; or count them by sessions_m"),
        (DRAIN, 0, True, GO, ""),
        (DRAIN, 12, True, WAIT, ""),
        (DRAIN, None, True, WAIT, ""),
        (DRAIN, None, False, REFUSE, "nothing counts them: set sessions_metric (mcp_sessions_metric), or set sessions"),
        (BREAK, 12, True, GO, ""),
        (BREAK, None, False, GO, ""),
    ],
)
@pytest.mark.parametrize("mode", ["stateful", "sse"])
def test_all_at_once(policy, still_open, counted, action, says, mode):
    pools = {"blue": Sessions(mode)}
    decision = decide(policy, BLUE, GREEN, pools, False, still_open, counted)
    assert decision.action == action and says.replace("stateful", mode) in decision.reason


@pytest.mark.parametrize(
    "policy, before, wanted, still_open, counted, action, says",
    [
        (KEEP, BLUE, TENTH, None, False, REFUSE, "it is not known whether pool blue keeps sessions: in a split"),
        (BREAK, BLUE, TENTH, None, False, REFUSE, "Pod a is cut. Set session_mode (mcp_session_mode) to what it is."),
        (KEEP, BLUE, GREEN, None, False, REFUSE, "Pod a is cut. Set session_mode (mcp_session_mode) to what it is, or"),
        (KEEP, BLUE, GREEN, 3, True, REFUSE, "it is not known whether pool blue keeps sessions, which end"),
        (KEEP, BLUE, GREEN, 0, True, GO, ""),
        (DRAIN, BLUE, GREEN, None, False, REFUSE, "nothing counts them"),
        (DRAIN, BLUE, GREEN, 3, True, WAIT, ""),
        (BREAK, BLUE, GREEN, None, False, GO, ""),
        # A release goes on, and one that goes back is not held up
        (KEEP, TENTH, HALF, None, False, GO, ""),
        (KEEP, HALF, GREEN, None, False, GO, ""),
        (KEEP, HALF, BLUE, None, False, GO, ""),
    ],
)
def test_a_mode_that_is_not_known(policy, before, wanted, still_open, counted, action, says):
    unknown = Sessions(None, unknown="Pod a is cut.")
    pools = dict.fromkeys(concerned(before, wanted), unknown)
    decision = decide(policy, before, wanted, pools, False, still_open, counted)
    assert decision.action == action and says in decision.reason


def test_an_end_to_a_split_that_breaks_sessions_is_not_held_up():
    assert decide(KEEP, HALF, BLUE, {"green": Sessions("stateful")}, False, 7, True).action == GO


def test_a_new_version_that_keeps_sessions_gets_no_share_either():
    decision = decide(KEEP, BLUE, TENTH, {"blue": Sessions("stateless"), "green": Sessions("stateful")}, False, 0, True)
    assert decision.action == REFUSE and decision.reason.startswith("pool green keeps sessions (stateful)")


@pytest.mark.parametrize(
    "pool, route_marked, says",
    [
        (Sessions("stateful"), False, "their ids have no mark that the route could match"),
        (Sessions("stateful"), True, "ids of this pool do not begin with blue-"),
        (Sessions("stateful", marked=True), False, "the route has no rules for it"),
        (Sessions("sse"), True, "HTTP+SSE has no session ids"),
    ],
)
def test_why_there_is_no_share(pool, route_marked, says):
    reason = decide(KEEP, BLUE, TENTH, {"blue": pool, "green": pool}, route_marked, 0, True).reason
    assert says in reason and "sessions (mcp_sessions) set to break" in reason and "docs/sessions.md" in reason
