# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server on this machine that only repeats one answer: what a load generator reaches there is its own limit.

It is a process of its own, and shares the machine's cores with the generator, so the true limit is higher than what is
measured. It listens on loopback only, and ends with this process, or after a minute.
"""

from __future__ import annotations

import sys
import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._load.processes import OutOfTime, Running, running
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

STARTING = 10.0  # seconds

_SERVER = r"""
import asyncio, resource, sys
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection for each request that waits
body = sys.stdin.buffer.read()
kind, _, body = body.partition(b"\n")
answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(body), body)
class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""
    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            whole = end + 4 + (int(head[at + 15:].split(b"\r\n", 1)[0]) if at >= 0 else 0)
            if len(self.buffer) < whole:
                return
            self.buffer = self.buffer[whole:]
            self.transport.write(answer)
async def main():
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@contextmanager
def canned_server(content_type: str, body: bytes, environment: t.Mapping[str, str]) -> t.Iterator[str]:
    """Yield the URL of a server that repeats this answer, until the block ends. Raise Failure."""
    command = [sys.executable, "-I", "-c", _SERVER]
    with running([command], environment, [content_type.encode("latin-1", "replace"), b"\n", body]) as server:
        yield f"http://127.0.0.1:{_port(server)}"


def _port(server: Running) -> int:
    try:
        for line in server.lines(Deadline(STARTING)):
            return int(line or b"")
    except (OutOfTime, ValueError):
        pass
    raise Failure("The server of this machine by which the load generator is measured did not start. Try again.")
