# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls side by side in threads that nobody has to wait for: a name that is never resolved must not keep a process from ending."""

from __future__ import annotations

import contextvars
import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, started

Found = t.TypeVar("Found")


def run_concurrently(calls: t.Iterable[t.Callable[[], Found]], seconds: float, late: Found) -> list[Found]:
    """Return what each call returns, or late for one that has not ended after so many seconds. Raises what a call raises."""
    bound = Deadline(seconds)
    # In a copy of the context, so that each waits for the API server as this task does.
    answers = [started(functools.partial(contextvars.copy_context().run, call)) for call in calls]
    return [_ended(answer, bound, late) for answer in answers]


def _ended(answer: t.Callable[[float], Found], bound: Deadline, late: Found) -> Found:
    try:
        return answer(max(bound.left, 0.01))
    except TimeoutError:
        return late
