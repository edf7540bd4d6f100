# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outages of the API server: wait until it answers again.

Only reads are sent again. A write whose answer was lost may have been stored, so it raises Unanswered; the caller then
reads again, which waits here, and sees whether it was.
"""

from __future__ import annotations

import functools
import math
import threading
import time
import typing as t
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

EVERY = 5.0  # seconds between lines of progress
PAUSE = 1.0  # seconds until the next attempt, unless the API server says when
LONGEST = 5.0  # the most seconds that it may say, as an emergency has to try often

Answer = t.TypeVar("Answer")


class Unreachable(Failure):
    """The API server does not answer, or cannot serve now. again_in: seconds until the next attempt."""

    again_in = PAUSE


class Conflict(Failure):
    """Another client has changed the object since it was read."""


class Unanswered(Conflict):
    """It is unknown whether the write was stored: read the object again, as after a conflict."""


@dataclass
class Waiting:
    """How a task waits for the API server."""

    progress: t.Callable[[str], None] = lambda line: None
    # Called when the API server answers again; it may raise.
    regained: t.Callable[[], None] = lambda: None
    # How long it has waited in total.
    seconds: float = 0.0
    # When the last outage ended (monotonic).
    back_at: float = -math.inf
    # Whether an emergency continues without the run's Lease (_release/lease_renewal.py).
    without_lease: bool = False
    _shown_at: float = 0.0
    _away: bool = False
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ago(self) -> float:
        """Return the seconds since the last outage; infinity without one."""
        return time.monotonic() - self.back_at

    def say(self, line: t.Callable[[], str]) -> None:
        """Show that the API server does not answer, unless a thread has just shown it."""
        with self._mutex:
            self._away = True
            if time.monotonic() - self._shown_at < EVERY:
                return
            self._shown_at = time.monotonic()
        self.progress(line())

    def over(self, seconds: float) -> None:
        """Show once that the API server answers again, whichever thread notices first."""
        with self._mutex:
            self.back_at = time.monotonic()
            was_away, self._away = self._away, False
        if was_away:
            self.progress(f"the API server answers again, after {seconds:.0f} s")


# Of the running task. Not a parameter, as the code that waits is far below the code that knows the task.
_CURRENT: ContextVar[Waiting] = ContextVar("mcp_server_waiting", default=Waiting())  # noqa: B039, one task a process


@contextmanager
def waiting(how: Waiting) -> t.Iterator[Waiting]:
    """Have every Cluster that is created in this block wait in this way."""
    before = _CURRENT.set(how)
    try:
        yield how
    finally:
        _CURRENT.reset(before)


def current() -> Waiting:
    return _CURRENT.get()


def patiently(send: t.Callable[[], Answer], patience: float, how: Waiting) -> Answer:
    """Return send(), called again while it raises Unreachable, for at most C(patience) seconds. Raises Unreachable."""
    bound: Deadline | None = None
    while True:
        try:
            answer = send()
            if bound is not None:
                how.regained()
                how.over(bound.elapsed)
            break
        except Unreachable as failure:
            bound = bound or Deadline(patience)
            if not bound.left:
                raise _given_up(failure, patience) from None
            how.say(functools.partial(_waiting_line, failure, bound, patience))
            bound.pause(failure.again_in)
    if bound is not None:
        how.seconds += bound.elapsed
    return answer


def _waiting_line(failure: Unreachable, bound: Deadline, patience: float) -> str:
    cause = failure.msg.partition(";")[0].rstrip(".")
    return f"{cause}; waiting for it, {bound.elapsed:.0f} of {patience:.0f} s"


def _given_up(failure: Unreachable, patience: float) -> Unreachable:
    if not patience:
        return failure
    return Unreachable(f"{failure.msg.rstrip('.')}; gave up after {patience:.0f} s (api_retry_timeout).")
