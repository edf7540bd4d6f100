# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one announcement of a fleet, in the form of payload.event(). Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation
from ansible_collections.mcp.server.plugins.module_utils._announce.payload import MAX_REASON, Event
from ansible_collections.mcp.server.plugins.module_utils._fleet import state
from ansible_collections.mcp.server.plugins.module_utils._release.record import FAILED, ROLLED_BACK, SUCCEEDED
from ansible_collections.mcp.server.plugins.module_utils._text import printable


def event(
    rows: t.Sequence[state.Row], version: str, max_failed: int, tree: t.Sequence[dict[str, t.Any]]
) -> dict[str, t.Any]:
    """Return what is announced of these servers. tree: the option escalation."""
    states = {row.state for row in rows}
    outcome = FAILED
    if not state.is_bad(rows):
        outcome = SUCCEEDED
    elif not states & {state.RELEASED, state.ALREADY, state.PAUSED, state.FAILED, state.NOT_TAKEN_BACK}:
        outcome = ROLLED_BACK
    kind = ""
    if outcome != SUCCEEDED:
        kind = escalation.BUSINESS if state.NOT_TAKEN_BACK in states else escalation.APPLICATION
    causes = [f"{row.host}: {row.text}" for row in rows if row.failed]
    found: Event = {
        "namespace": "",
        "server": "",
        "outcome": outcome,
        "kind": kind,
        "failure": printable(" ".join(causes), MAX_REASON),
        "summary": printable(state.summary(rows, version, max_failed), MAX_REASON),
        "release": None,
        "bypassed": [],
        "bypass_reason": "",
        "bypassed_version": "",
        "escalation": [
            {key: one.get(key) or "" for key in ("when", "name", "contact", "kind")}
            for one in (escalation.chosen(tree, kind) if kind else [])
        ],
        "fleet": [row.document() for row in rows],
    }
    return found
