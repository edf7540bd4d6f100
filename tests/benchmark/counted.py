# SPDX-License-Identifier: GPL-3.0-or-later
"""What a play costs: the memory of its processes, and the requests that it makes of a server."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import subprocess
import threading
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

EVERY = 0.5  # seconds between looks at the memory


class Memory:
    """The most memory that a play had, MiB; PSS: what processes share is counted once.

    play: of its first process. worker: of the largest of the others. together: of all at one time. private: what a
    worker shares with no other process, of the largest. workers: how many there were at one time.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.play = self.worker = self.together = self.private = 0.0
        self.workers = 0
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look)

    def __enter__(self) -> t.Self:
        self._looking.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            play = _mebibytes(self.pid)
            below = _below(self.pid)
            workers = [_mebibytes(pid) for pid in below]
            self.workers = max(self.workers, len(below))
            self.private = max([self.private, *(_mebibytes(pid, "Private_(?:Clean|Dirty)") for pid in below)])
            self.play = max(self.play, play)
            self.worker = max([self.worker, *workers])
            self.together = max(self.together, play + sum(workers))


def _mebibytes(pid: int, kind: str = "Pss") -> float:
    try:
        found = re.findall(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:  # it has ended meanwhile
        return 0.0
    return sum(map(int, found)) / 1024


def _below(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they started."""
    children: list[int] = []
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for file in Path(f"/proc/{pid}/task").glob("*/children"):
            children += map(int, file.read_text().split())
    return [*children, *(one for child in children for one in _below(child))]


class Proxy:
    """A proxy on loopback that counts the requests to an HTTPS server. A connection that is upgraded (port-forward) is
    one request.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self.requests = 0
        self.url = ""
        self._to = (host, port, context)

    async def serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port, context = self._to
        try:
            answers, server = await asyncio.open_connection(host, port, ssl=context)
        except OSError:
            writer.close()
            return
        back = asyncio.create_task(_copy(answers, writer))
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                server.write(head)
                if re.search(rb"\r\nupgrade:", head, re.IGNORECASE):
                    await _copy(reader, server)
                    break
                length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
                server.write(await reader.readexactly(int(length[1]) if length else 0))
                await server.drain()
        except (asyncio.IncompleteReadError, OSError):  # the client is done
            pass
        finally:
            server.close()
            await back


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:  # one side is gone
        pass
    finally:
        writer.close()


@contextmanager
def proxy(host: str, port: int, context: ssl.SSLContext) -> t.Iterator[Proxy]:
    counting, ready = Proxy(host, port, context), threading.Event()
    threading.Thread(target=lambda: asyncio.run(counting.serve(ready)), daemon=True).start()
    if not ready.wait(10):
        raise SystemExit("the counting proxy does not start")
    yield counting


class Cost(t.NamedTuple):
    """seconds: of the play. failed: whether it ended with an error."""

    seconds: float
    memory: Memory
    failed: bool


def measured(command: t.Sequence[str], cwd: Path, environment: t.Mapping[str, str], log: Path) -> Cost:
    """Run a play, which prints into the log, and return what it cost."""
    started = time.monotonic()
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process,
    ):
        try:
            with Memory(process.pid) as memory:
                process.wait()
        finally:
            process.kill()
    return Cost(time.monotonic() - started, memory, process.returncode != 0)
