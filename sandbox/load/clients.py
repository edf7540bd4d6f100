# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of an MCP server: those that keep their connection, those that open one for each request, and those that hold
a stream.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from .tally import Tally
from .wire import Connection, Head

CLIENTS = 16  # that ask, without those that hold a stream
PATIENCE = 5.0  # seconds for one answer, and for the beginning of a stream
PAUSE = 0.1  # seconds after which a client whose stream ended opens the next
MODERN = "2026-07-28"
META = {
    f"io.modelcontextprotocol/{key}": value for key, value in (("protocolVersion", MODERN), ("clientCapabilities", {}))
}
# It tells version and pool as the health document does.
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "which_instance", "arguments": {}}}
LISTEN = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "subscriptions/listen",
    "params": {"notifications": {"toolsListChanged": True}, "_meta": META},
}


class Unwell(ValueError):
    """An answer that is not the one wanted; says why."""


class Clients:
    """At most C(rate) requests a second, C(new) of them (0 to 1) each over a new connection, and so many streams, until
    stop().
    """

    def __init__(self, address: tuple[str, int], host: str, rate: float, new: float, streams: int) -> None:
        self.address = address
        self.health = f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.call = _post(host, CALL, {"MCP-Protocol-Version": "2025-11-25"})
        self.listen = _post(host, LISTEN, {"MCP-Protocol-Version": MODERN, "Mcp-Method": LISTEN["method"]})
        self.interval = CLIENTS / rate
        self.of_new = round(CLIENTS * new)
        self.tallies = {"kept": Tally(), "new": Tally(), "streams": Tally()}
        self.streams: list[dict[str, Any]] = []
        self._wanted = streams
        self._over = asyncio.Event()

    def stop(self) -> None:
        self._over.set()

    async def run(self, seconds: float) -> dict[str, Any]:
        start = time.monotonic()
        holding = [asyncio.create_task(self._hold()) for _stream in range(self._wanted)]
        asking = [asyncio.create_task(self._ask(number)) for number in range(CLIENTS)]
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            self.stop()
        await asyncio.gather(*asking)
        for task in holding:
            task.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
        sent = self.tallies["kept"].sent + self.tallies["new"].sent
        took = time.monotonic() - start
        return {
            "sent": sent,
            "failed": sum(tally.failed for tally in self.tallies.values()),
            "failures": {
                f"{kind}: {reason}": seen.count
                for kind, tally in self.tallies.items()
                for reason, seen in tally.failures.items()
            },
            "rate": round(sent / took, 1),
            **{kind: tally.document() for kind, tally in self.tallies.items()},
            "held": self.streams,
        }

    async def _ask(self, number: int) -> None:
        """One client. One request in ten is a tool call, the rest ask for the health document."""
        keeps = number >= self.of_new
        tally = self.tallies["kept" if keeps else "new"]
        connection: Connection | None = None
        due = time.monotonic() + self.interval * number / CLIENTS
        count = number
        while not self._over.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + self.interval, time.monotonic() - 1)
            count += 1
            tally.sent += 1
            keep = False
            try:
                async with asyncio.timeout(PATIENCE):
                    if connection is None or connection.ended:
                        connection = await Connection.open(self.address)
                    head = await connection.send(self.call if count % 10 == 0 else self.health)
                    tally.answered(_who(head, await connection.body(head)))
                keep = keeps and head.headers.get("connection") != "close"
            except (OSError, EOFError, ValueError) as error:
                tally.fell(_reason(error))
            if connection is not None and not keep:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    async def _hold(self) -> None:
        """One client that holds a stream open, and opens the next when it ended."""
        tally = self.tallies["streams"]
        while True:
            tally.sent += 1
            stream: dict[str, Any] = {"opened": None, "pool": "", "ended": None, "why": "the load is over"}
            connection: Connection | None = None
            try:
                async with asyncio.timeout(PATIENCE):
                    connection = await Connection.open(self.address)
                    head = await connection.send(self.listen)
                if not head.headers.get("content-type", "").startswith("text/event-stream"):
                    raise Unwell(f"HTTP {head.status} {(await connection.body(head))[:100]!r}")
                # The gateway says which pool it chose: a stream itself does not tell.
                stream |= {"opened": time.time(), "pool": head.headers.get("x-mcp-pool", "")}
                self.streams.append(stream)
                while await connection.chunk():
                    pass
                stream |= {"ended": time.time(), "why": "the server ended it"}
            except (OSError, EOFError, ValueError) as error:
                if stream["opened"]:
                    stream |= {"ended": time.time(), "why": _reason(error)}
                else:
                    tally.fell(_reason(error))
            finally:
                if connection is not None:
                    connection.close()
            await asyncio.sleep(PAUSE)


def _post(host: str, message: dict[str, Any], headers: dict[str, str]) -> bytes:
    body = json.dumps(message)
    headers = {
        "Host": host,
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def _who(head: Head, body: bytes) -> str:
    """The version and the pool that answered. Raises Unwell."""
    if head.status != 200:
        raise Unwell(f"HTTP {head.status} {body[:100]!r}")
    document = json.loads(body)
    document = document.get("result", {}).get("structuredContent", document)
    try:
        return f"{document['version']} {document['pool']}"
    except KeyError:
        raise Unwell(f"neither version nor pool in {body[:100]!r}") from None


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, Unwell) else f"{type(error).__name__} {error}".strip()
