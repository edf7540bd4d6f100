# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server that is away for a while: who waits for it, how long, and what happens when it is back.

Only what reads is sent again. A write whose answer was lost may have been stored,
so it ends as Unanswered: whoever writes reads again, which waits here, and sees.
"""

from __future__ import annotations

import math
import threading
import time
import typing as t
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

EVERY = 5.0  # seconds between lines of progress
PAUSE = 1.0  # seconds until it is asked again, unless it says when
LONGEST = 5.0  # of what it says: an emergency is not silent for longer, and one more question does no harm

Answer = t.TypeVar("Answer")


class Unreachable(Failure):
    """No answer from the API server, or the one of a server that can't serve now. again_in: seconds until it may."""

    again_in = PAUSE


class Conflict(Failure):
    """The object was changed by somebody else since it was read."""


class Unanswered(Conflict):
    """It is not known whether the object was changed by us: to be read again, as after a conflict."""


@dataclass
class Waiting:
    """How a task waits.

    regained: called when an API server that was away is back; it may raise. seconds: waited so far. back_at: when it was back last (monotonic).
    without_lease: whether an emergency goes on without the run's Lease (_release/lease_renewal.py).
    """

    progress: t.Callable[[str], None] = lambda line: None
    regained: t.Callable[[], None] = lambda: None
    seconds: float = 0.0
    back_at: float = -math.inf
    without_lease: bool = False
    _said: float = 0.0
    _away: bool = False
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ago(self) -> float:
        """Seconds since an outage was over; endless when there was none."""
        return time.monotonic() - self.back_at

    def say(self, line: t.Callable[[], str]) -> None:
        """Shows that it is away, unless that was shown just now, by whichever thread."""
        with self._one:
            self._away = True
            if time.monotonic() - self._said < EVERY:
                return
            self._said = time.monotonic()
        self.progress(line())

    def over(self, seconds: float) -> None:
        """Shows that it is back, once, whichever thread sees it first."""
        with self._one:
            self.back_at = time.monotonic()
            was_away, self._away = self._away, False
        if was_away:
            self.progress(f"the API server answers again, after {seconds:.0f} s")


# Of the task that runs. Not an argument, since what waits is far below what knows the task.
_CURRENT: ContextVar[Waiting] = ContextVar("mcp_server_waiting", default=Waiting())  # noqa: B039, a module's process has one task


@contextmanager
def waiting(how: Waiting) -> t.Iterator[Waiting]:
    """Every Cluster that is made in this block waits so."""
    before = _CURRENT.set(how)
    try:
        yield how
    finally:
        _CURRENT.reset(before)


def current() -> Waiting:
    return _CURRENT.get()


def patiently(send: t.Callable[[], Answer], patience: float, how: Waiting) -> Answer:
    """What send() gives, called again while it raises Unreachable, for at most so many seconds. Raises Unreachable."""
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
            how.say(
                lambda failure=failure, bound=bound: (
                    f"{failure.msg.partition(';')[0].rstrip('.')}; waiting for it, {bound.elapsed:.0f} of {patience:.0f} s"
                )
            )
            bound.pause(failure.again_in)
    if bound is not None:
        how.seconds += bound.elapsed
    return answer


def _given_up(failure: Unreachable, patience: float) -> Unreachable:
    return (
        Unreachable(f"{failure.msg.rstrip('.')}; it was waited for, for {patience:.0f} s (api_retry_timeout).")
        if patience
        else failure
    )
