# SPDX-License-Identifier: GPL-3.0-or-later
"""Legacy MCP sessions that are kept open and used, to a loopback address, and what becomes of them.

python3 -m sandbox.sessions URL HOST SESSIONS SECONDS FILE: so many sessions
stay open for at most SECONDS or until SIGTERM, and one in ten holds a stream.
Beside them two or three visitors come each second, sessions of three lists,
which tell where new clients go. FILE gets a line of JSON for each event:
{at, who, pool, event}, times in epoch seconds. who: kept, visitor or stream.
pool: the one whose mark the session's id has, or "". event: opened, ended (on
our wish), 404, 400 or another status, which each end a session: a new one is
opened then. Or what went wrong below HTTP, after which the same session goes on
over a new connection. The last line is {lists}, how many were answered.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
import typing as t
from urllib.parse import urlsplit

LIST_EVERY = 5.0  # seconds, of each kept session
VISIT_EVERY = 0.4
OPEN_EVERY = 0.05  # at the start: the kept ones one after the other
STREAMS = 10  # one kept session in so many holds a GET stream
STEP = 20.0  # seconds for one answer

REVISION = "2025-11-25"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "sandbox", "version": "0"}},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer that is read to its end."""
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    else:
        await reader.readexactly(int(headers.get("content-length", 0)))
    return int(status_line.split()[1]), headers


class Broken(Exception):
    """A session that is lost, and how."""


class Session:
    """One legacy session over a connection of its own."""

    def __init__(self, address: tuple[str, int], host: str) -> None:
        self.address, self.host = address, host
        self.id = ""
        self.writer: asyncio.StreamWriter | None = None

    @property
    def pool(self) -> str:
        pool, dash, _rest = self.id.partition("-")
        return pool if dash and pool in ("blue", "green") else ""

    def request(self, method: str, body: bytes = b"") -> bytes:
        session = f"Mcp-Session-Id: {self.id}\r\nMCP-Protocol-Version: {REVISION}\r\n" if self.id else ""
        return (
            f"{method} /mcp HTTP/1.1\r\nHost: {self.host}\r\nAccept: application/json, text/event-stream\r\n{session}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    async def send(self, method: str, message: dict[str, t.Any] | None = None) -> None:
        """Raises Broken when the answer is not a good one, and whatever keeps it from being one."""
        try:
            if self.writer is None or self.writer.is_closing():
                self.reader, self.writer = await asyncio.wait_for(asyncio.open_connection(*self.address), STEP)
            self.writer.write(self.request(method, json.dumps(message).encode() if message else b""))
            status, headers = await asyncio.wait_for(answer(self.reader), STEP)
        except (OSError, EOFError, ValueError, TimeoutError):
            self.close()
            raise
        if headers.get("connection") == "close":
            self.close()
        if status not in (200, 202):
            raise Broken(f"{status}")
        self.id = self.id or headers.get("mcp-session-id", "")

    async def open(self) -> None:
        await self.send("POST", INITIALIZE)
        if not self.id:
            raise Broken("no session")
        await self.send("POST", INITIALIZED)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


class Keeper:
    def __init__(self, url: str, host: str, seconds: float, file: t.TextIO) -> None:
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            sys.exit(f"sessions: {url} is not on loopback; these sessions stay on the machine.")
        self.address, self.host, self.file = (parts.hostname, parts.port or 80), host, file
        self.end = time.monotonic() + seconds
        self.lists = 0
        self.stopped = False
        self.held: list[asyncio.Task[None]] = []

    def going(self) -> bool:
        return not self.stopped and time.monotonic() < self.end

    def tell(self, who: str, pool: str, event: str) -> None:
        self.file.write(json.dumps({"at": round(time.time(), 3), "who": who, "pool": pool, "event": event}) + "\n")
        self.file.flush()

    async def one(self, who: str, pause: float, lists: int | None, streams: bool = False) -> None:
        """One session from its begin to its end: after so many lists, or when all ends."""
        session = Session(self.address, self.host)
        try:
            await session.open()
            self.tell(who, session.pool, "opened")
            if streams:
                self.held.append(asyncio.create_task(self.hold(session)))
            while self.going() and lists != 0:
                await asyncio.sleep(pause)
                try:
                    await session.send("POST", LIST)
                except (OSError, EOFError, ValueError, TimeoutError) as error:
                    self.tell(who, session.pool, type(error).__name__)
                    continue
                self.lists += 1
                lists = lists and lists - 1
            await session.send("DELETE")
            self.tell(who, session.pool, "ended")
        except (Broken, OSError, EOFError, ValueError, TimeoutError) as error:
            self.tell(who, session.pool, str(error) or type(error).__name__)
        finally:
            session.close()

    async def hold(self, session: Session) -> None:
        """Reads the session's stream until the server ends it, also when the session is lost before."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(session.request("GET"))
            await reader.readuntil(b"\r\n\r\n")
            self.tell("stream", session.pool, "opened")
            # Of a chunked answer the end is the empty chunk: the gateway keeps the connection itself.
            while (line := await reader.readline()) and line != b"0\r\n":
                pass
            self.tell("stream", session.pool, "ended")
        except (OSError, EOFError, ValueError) as error:
            self.tell("stream", session.pool, type(error).__name__)
        finally:
            writer.close()

    async def keep(self, number: int) -> None:
        await asyncio.sleep(OPEN_EVERY * number)
        while self.going():
            await self.one("kept", LIST_EVERY, None, streams=number % STREAMS == 0)
            await asyncio.sleep(1)

    async def visit(self) -> None:
        visits: set[asyncio.Task[None]] = set()
        while self.going():
            visits.add(asyncio.create_task(self.one("visitor", 1.0, 3)))
            await asyncio.sleep(VISIT_EVERY)
        await asyncio.gather(*visits)

    async def run(self, sessions: int) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: setattr(self, "stopped", True))
        await asyncio.gather(self.visit(), *(self.keep(number) for number in range(sessions)))
        for stream in self.held:
            stream.cancel()
        self.file.write(json.dumps({"lists": self.lists}) + "\n")


if __name__ == "__main__":
    url, host, sessions, seconds, file = sys.argv[1:]
    with open(file, "w") as events:
        asyncio.run(Keeper(url, host, float(seconds), events).run(int(sessions)))
