# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retry a write that conflicts with the write of another client, on top of that one."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

MIN_ATTEMPTS = 5  # however short the patience is
# Seconds before the second attempt, doubled before each further one, up to the second value.
FIRST, LONGEST = 0.05, 1.0

Result = t.TypeVar("Result")


def on_conflict(
    attempt: t.Callable[[], Result],
    patience: float,
    again: t.Callable[[Conflict], None] = lambda conflict: None,
) -> Result:
    """Return attempt(), called again while it raises Conflict.

    It is called at least MIN_ATTEMPTS times, and for C(patience) seconds.

    again: called with the conflict before each further attempt; for an attempt that does not read the object itself.
    Unanswered is a Conflict too, as only reading the object shows whether the write was stored.
    """
    bound, pause, attempts, shown_at = Deadline(patience), FIRST, 1, 0.0
    while True:
        try:
            return attempt()
        except Conflict as failure:
            if attempts >= MIN_ATTEMPTS and not bound.left:
                raise
            conflict = failure
        if bound.elapsed - shown_at >= outage.EVERY:
            shown_at = bound.elapsed
            cause = conflict.msg.rstrip(".")
            outage.current().progress(f"{cause}; trying again, {bound.elapsed:.0f} of {patience:.0f} s")
        time.sleep(pause)
        pause, attempts = min(2 * pause, LONGEST), attempts + 1
        again(conflict)
