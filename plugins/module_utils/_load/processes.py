# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a load tool: a pipe of processes in a group of their own, which ends with this one, however that ends."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
import typing as t
from contextlib import contextmanager, suppress

from ansible_collections.mcp.server.plugins.module_utils._checks.messages import Tail
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

MAX_LINE = 1024 * 1024  # bytes
TERMINATING = 1.0  # seconds between SIGTERM and SIGKILL
NOT_STARTED = 127  # exit code, as of a shell

# Starts the processes, and ends them when the other end of the lifeline is closed: also when this process was killed.
# It handles SIGTERM, which it sends to its own group, and does not ignore it: that would be inherited.
_SUPERVISOR = """
import json, os, select, signal, subprocess, sys, time
lifeline, commands = int(sys.argv[1]), json.loads(sys.argv[2])
signal.signal(signal.SIGTERM, lambda *_: None)
before, started = None, []
try:
    for number, command in enumerate(commands):
        out = subprocess.PIPE if number + 1 < len(commands) else None
        started.append(subprocess.Popen(command, stdin=before, stdout=out))
        if before is not None:
            before.close()
        before = started[-1].stdout
except (OSError, ValueError) as error:
    sys.stderr.write(f"it could not be started ({getattr(error, 'strerror', None) or type(error).__name__})")
    sys.stderr.flush()
    for one in started:
        one.kill()
    os._exit(127)
for number in (0, 1):
    os.close(number)
ends = None
while any(one.poll() is None for one in started):
    if ends is None and select.select([lifeline], [], [], 0.02)[0]:
        ends = time.monotonic() + 1
        os.killpg(0, signal.SIGTERM)
    elif ends is not None:
        time.sleep(0.02)
        if time.monotonic() > ends:
            os.killpg(0, signal.SIGKILL)
codes = [one.returncode for one in started if one.returncode]
os._exit((codes[0] if codes[0] > 0 else 128 - codes[0]) if codes else 0)
"""


class OutOfTime(Exception):
    """It did not end within its time."""


class Running:
    """A pipe of processes. tail: the end of what they write to stderr."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.tail = Tail()

    def lines(self, bound: Deadline) -> t.Iterator[bytes | None]:
        """Yield the lines of the output, None for one of more than MAX_LINE bytes. Raise OutOfTime."""
        buffer, skipping = bytearray(), False
        for piece in self._pieces(bound):
            buffer += piece
            *whole, rest = buffer.split(b"\n")
            for line in whole:
                if not skipping:
                    yield bytes(line)
                skipping = False
            buffer = rest
            if len(buffer) > MAX_LINE:
                if not skipping:
                    yield None
                buffer, skipping = bytearray(), True

    def _pieces(self, bound: Deadline) -> t.Iterator[bytes]:
        out, errors = t.cast(t.Any, self._process.stdout), t.cast(t.Any, self._process.stderr)
        with selectors.DefaultSelector() as waiting:
            waiting.register(out, selectors.EVENT_READ)
            waiting.register(errors, selectors.EVENT_READ)
            while waiting.get_map():
                if not bound.left:
                    raise OutOfTime
                for key, _events in waiting.select(min(bound.left, 0.5)):
                    piece = os.read(key.fd, 256 * 1024)
                    if not piece:
                        waiting.unregister(key.fileobj)
                    elif key.fileobj is errors:
                        self.tail.add(piece)
                    else:
                        yield piece

    def code(self, bound: Deadline) -> int:
        """Return the exit code: that of the first process of the pipe that failed. Raise OutOfTime."""
        try:
            code = self._process.wait(max(bound.left, 0.1))
        except subprocess.TimeoutExpired:
            raise OutOfTime from None
        return code if code >= 0 else 128 - code


@contextmanager
def running(
    commands: t.Sequence[t.Sequence[str]],
    environment: t.Mapping[str, str],
    given: t.Iterable[bytes] = (),
) -> t.Iterator[Running]:
    """Start the processes, each of which reads what the one before it writes. None of them outlives the block.

    given: what the first one reads.
    """
    lifeline, mine = os.pipe()
    try:
        try:
            # AnsibleModule.run_command can't be ended together with its children.
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                [sys.executable, "-I", "-S", "-c", _SUPERVISOR, str(lifeline), json.dumps(commands)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                pass_fds=(lifeline,),
                start_new_session=True,
                bufsize=0,
            )
        finally:
            os.close(lifeline)
        try:
            threading.Thread(target=_write, args=(process, given), daemon=True).start()
            yield Running(process)
        finally:
            os.close(mine)
            mine = -1
            _end(process)
    finally:
        if mine >= 0:
            os.close(mine)


def _write(process: subprocess.Popen[bytes], given: t.Iterable[bytes]) -> None:
    pipe = t.cast(t.Any, process.stdin)
    try:
        with suppress(OSError, ValueError):
            for piece in given:
                view = memoryview(piece)
                while view:
                    view = view[pipe.write(view) :]
    finally:  # else the first process would wait for more until its time is over
        with suppress(OSError):
            pipe.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the rest of the group, also after a supervisor that ended by itself."""
    deadline = time.monotonic() + TERMINATING + 0.5
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(TERMINATING)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
