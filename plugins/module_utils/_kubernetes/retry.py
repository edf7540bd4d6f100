# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A write that collides with somebody else's is made again, on top of what is there then."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

LEAST = 5  # attempts, however short the patience is
# Seconds before the second attempt, then twice as long before each further one; at most so many
FIRST, LONGEST = 0.05, 1.0

Result = t.TypeVar("Result")


def on_conflict(
    attempt: t.Callable[[], Result],
    patience: float,
    again: t.Callable[[Conflict], None] = lambda conflict: None,
) -> Result:
    """Return what attempt() gives. While it raises Conflict it is called again, LEAST times and until the patience is over.

    patience: in seconds. again: called before each further attempt, with what ended the last one; for an attempt
    that does not read by itself.
    An Unanswered is a Conflict: whether the write was stored tells only a read.
    """
    bound, pause, attempts, said_at = Deadline(patience), FIRST, 1, 0.0
    while True:
        try:
            return attempt()
        except Conflict as failure:
            if attempts >= LEAST and not bound.left:
                raise
            conflict = failure
        if bound.elapsed - said_at >= outage.EVERY:
            said_at = bound.elapsed
            said = conflict.msg.rstrip(".")
            outage.current().progress(f"{said}; trying again, {bound.elapsed:.0f} of {patience:.0f} s")
        time.sleep(pause)
        pause, attempts = min(2 * pause, LONGEST), attempts + 1
        again(conflict)
