# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a check ends: by itself, at its time limit, or because the release is interrupted."""

from __future__ import annotations

import threading
import time
import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._http.connection import Dial
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

SLICE = 0.05  # seconds between two looks whether it is over
GRACE = 0.75  # seconds that an interrupted check has for ending what it began (MCP sessions, processes)


class Limit:
    """seconds: of the check. stop: set when the release is interrupted."""

    def __init__(self, seconds: float, stop: threading.Event) -> None:
        self.seconds = seconds
        self.stop = stop
        self._deadline: Deadline | None = Deadline(seconds)
        self._ended = threading.Event()
        self._noticed: float | None = None

    def over(self) -> bool:
        """Return whether the check has to end now."""
        return self._stopped() or not (self._deadline is None or self._deadline.left)

    def overdue(self) -> bool:
        """Return whether it has not ended, though its time was over a while ago."""
        deadline = self._deadline
        return deadline is not None and deadline.elapsed > self.seconds + GRACE

    def end(self) -> None:
        """End whatever goes on: nobody waits for the check any longer."""
        self._ended.set()

    @contextmanager
    def not_counted(self) -> t.Iterator[None]:
        """Let the API server take its own time, and begin to count afterwards.

        That it is away is no fault of what is checked.
        """
        self._deadline = None
        try:
            yield
        finally:
            self._deadline = Deadline(self.seconds)

    def dial(self, dial: Dial) -> Dial:
        """Return a dial whose sockets end their waits when the release is interrupted."""
        return lambda bound: t.cast(t.Any, _Socket(dial(bound), self))

    def cuts(self) -> bool:
        """Return whether a wait on a socket has to end: the first after the interruption at once, others after GRACE."""
        if not self._stopped():
            return False
        if self._noticed is None:
            self._noticed = time.monotonic()
            return True
        return time.monotonic() - self._noticed > GRACE

    def _stopped(self) -> bool:
        return self.stop.is_set() or self._ended.is_set()


class _Socket:
    """As much of a socket as _http/connection.py uses.

    An interruption looks like a time-out, after which sessions are ended as ever.
    """

    def __init__(self, sock: t.Any, limit: Limit) -> None:
        self._sock = sock
        self._limit = limit
        self._seconds: float | None = None
        self.close = sock.close

    def settimeout(self, seconds: float) -> None:
        self._seconds = seconds

    def recv(self, size: int) -> bytes:
        return self._in_slices(self._sock.recv, size)

    def send(self, data: bytes) -> int:
        return self._in_slices(self._sock.send, data)

    def _in_slices(self, call: t.Callable[[t.Any], t.Any], argument: t.Any) -> t.Any:
        if not self._seconds:
            self._sock.settimeout(0)
            return call(argument)
        bound = Deadline(self._seconds)
        while not self._limit.cuts():
            self._sock.settimeout(max(min(SLICE, bound.left), 0.001))
            try:
                return call(argument)
            except TimeoutError:
                if not bound.left:
                    raise
        raise TimeoutError
