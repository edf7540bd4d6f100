# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls side by side, in threads that end with the process: a name that is never resolved must not keep it alive."""

from __future__ import annotations

import contextvars
import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, started

Found = t.TypeVar("Found")


def begun(calls: t.Iterable[t.Callable[[], Found]]) -> list[t.Callable[[float], Found]]:
    """Start the calls side by side; return for each a function that waits for it, as started() does."""
    # In a copy of the context, so that each waits for the API server as this task does.
    return [started(functools.partial(contextvars.copy_context().run, call)) for call in calls]


def run_concurrently(calls: t.Iterable[t.Callable[[], Found]], seconds: float, late: Found) -> list[Found]:
    """Return what each call returns, or late for one that has not ended in time. Raise what one raises."""
    bound = Deadline(seconds)
    return [_ended(answer, bound, late) for answer in begun(calls)]


def _ended(answer: t.Callable[[float], Found], bound: Deadline, late: Found) -> Found:
    try:
        return answer(max(bound.left, 0.01))
    except TimeoutError:
        return late
