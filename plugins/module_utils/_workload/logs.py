# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs of containers, read as streams: bounded in time and size, whatever the containers write.

The lines are text of others: they may have secrets (_redact.py) and characters that move the cursor (_text.py).
"""

from __future__ import annotations

import functools
import queue
import threading
import typing as t
from contextlib import closing
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, BadRequest, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, started

MAX_LINE = 16 * 1024  # bytes of a line; the rest of a longer one is left out
CUT = "..."  # at the end of such a line
AT_ONCE = 8  # containers
MAX_BYTES = 64 * 1024 * 1024  # of all logs together, unless the caller says otherwise
NO_LIMIT = 1 << 40  # bytes of one log, which the budget of all ends before
GRACE = 0.25  # seconds after the deadline, for a thread to tell what it has met

# Why a log was not read, or not whole.
GONE = "gone"  # the pod does not exist any more
NONE = "none"  # the container has not begun, or there is no previous one
FORBIDDEN = "forbidden"  # the right to get pods/log is missing
CUT_SHORT = "cut"  # the time or the bytes were over, or the API server stopped
FAILED = "failed"


class Container(t.NamedTuple):
    """One container of a pod, or the one that ran before its last restart."""

    pod: str
    name: str
    previous: bool = False

    def __str__(self) -> str:
        return f"{self.pod}/{self.name}{' (previous)' if self.previous else ''}"


@dataclass(frozen=True)
class Part:
    """Which part of a log. None: no limit. limit_bytes: from its beginning, which is after the tail."""

    tail_lines: int | None = None
    since_seconds: int | None = None
    limit_bytes: int | None = None
    # Whether each line begins with the time at which it was written.
    timestamps: bool = False

    def query(self, container: Container) -> dict[str, str]:
        """Return it as the API server takes it."""
        numbers = {
            "tailLines": self.tail_lines,
            "sinceSeconds": self.since_seconds,
            "limitBytes": self.limit_bytes,
        }
        return {
            "container": container.name,
            **({"previous": "true"} if container.previous else {}),
            **({"timestamps": "true"} if self.timestamps else {}),
            **{name: str(number) for name, number in numbers.items() if number is not None},
        }


@dataclass(frozen=True)
class Ending:
    """How the reading of one log ended. reason: empty when it was read to its end, else one of those above."""

    container: Container
    reason: str = ""
    # A sentence; empty without a reason.
    message: str = ""
    bytes: int = 0
    lines: int = 0


class Budget:
    """Bytes that several readers share. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._mutex = threading.Lock()

    def take(self, size: int) -> int:
        """Return how many of these bytes may be used."""
        with self._mutex:
            granted = max(0, min(size, self._left))
            self._left -= granted
            return granted


def lines(
    cluster: Api, namespace: str, container: Container, part: Part, seconds: float, max_bytes: int = MAX_BYTES
) -> t.Iterator[str]:
    """Yield the lines of one log, without their ends. Raises what Api.stream raises."""
    path = paths.pod_log(namespace, container.pod)
    stream = cluster.stream(path, seconds=seconds, max_bytes=max_bytes, **part.query(container))
    with closing(t.cast("t.Generator[bytes, None, None]", stream)):
        yield from split(stream)


def split(pieces: t.Iterable[bytes]) -> t.Iterator[str]:
    """Yield the lines of a text that comes in pieces, each with at most MAX_LINE bytes of it. Pure."""
    begun = b""
    for piece in pieces:
        *ended, last = piece.split(b"\n")
        for line in ended:
            yield _text(begun + line[: MAX_LINE + 1 - len(begun)])
            begun = b""
        begun += last[: MAX_LINE + 1 - len(begun)]
    if begun:
        yield _text(begun)


def _text(line: bytes) -> str:
    text = line[:MAX_LINE].decode("utf-8", errors="replace")
    return text + CUT if len(line) > MAX_LINE else text.removesuffix("\r")


def read(
    cluster: Api,
    namespace: str,
    containers: t.Sequence[Container],
    part: Part,
    take: t.Callable[[Container, str], t.Any],
    *,
    seconds: float,
    max_bytes: int = MAX_BYTES,
    at_once: int = AT_ONCE,
) -> list[Ending]:
    """Read the logs of several containers at once, and return how each ended. Never raises for one of them.

    take: called with each line; for one container in the order of its lines, for several at the same time, and not
    any more once this has returned. seconds, max_bytes: of all logs together.
    """
    bound, budget = Deadline(seconds), Budget(max_bytes)
    waiting: queue.SimpleQueue[Container] = queue.SimpleQueue()
    for container in containers:
        waiting.put(container)
    # A thread that hangs in the library below must not write into what the caller has by then.
    gate, endings = _Gate(take), dict[Container, Ending]()

    def work() -> None:
        while True:
            try:
                container = waiting.get_nowait()
            except queue.Empty:
                return
            endings[container] = _ended(cluster, namespace, container, part, gate, bound, budget)

    workers = [started(work) for _worker in range(min(at_once, len(containers)))]
    for worker in workers:
        try:
            worker(bound.left + GRACE)
        except TimeoutError:
            break
    gate.close()
    late = functools.partial(Ending, reason=CUT_SHORT, message=f"Its log was not read within {seconds:g} s.")
    return [endings.get(container) or late(container) for container in containers]


class _Gate:
    """Passes lines on until it is closed."""

    def __init__(self, take: t.Callable[[Container, str], t.Any]) -> None:
        self._take = take
        self._is_open = True

    def pass_on(self, container: Container, line: str) -> None:
        if self._is_open:
            self._take(container, line)

    def close(self) -> None:
        self._is_open = False


def _ended(
    cluster: Api, namespace: str, container: Container, part: Part, gate: _Gate, bound: Deadline, budget: Budget
) -> Ending:
    size = count = 0
    reason = message = ""

    def counted(pieces: t.Iterable[bytes]) -> t.Iterator[bytes]:
        nonlocal size, reason, message
        for piece in pieces:
            granted = budget.take(len(piece))
            size += granted
            yield piece[:granted]
            if granted < len(piece):
                reason, message = CUT_SHORT, "The logs together are larger than what is read of them."
                return

    if not bound.left:
        return Ending(container, CUT_SHORT, f"Its log was not read within {bound.seconds:g} s.")
    path = paths.pod_log(namespace, container.pod)
    stream = cluster.stream(path, seconds=bound.left, max_bytes=NO_LIMIT, **part.query(container))
    try:
        with closing(t.cast("t.Generator[bytes, None, None]", stream)):
            for line in split(counted(stream)):
                gate.pass_on(container, line)
                count += 1
    except Failure as failure:
        reason, message = reason_of(failure), failure.msg
    return Ending(container, reason, message, size, count)


def reason_of(failure: Failure) -> str:
    """Return why a log was not read, by what Api.stream raised. Pure."""
    kinds: tuple[tuple[type[Failure], str], ...] = (
        (NotFound, GONE),
        (BadRequest, NONE),
        (Forbidden, FORBIDDEN),
        (Unreachable, CUT_SHORT),
    )
    return next((reason for kind, reason in kinds if isinstance(failure, kind)), FAILED)
