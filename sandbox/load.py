# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that call an MCP server all the time, to a loopback address, over connections that they keep.

python3 -m sandbox.load URL HOST RATE SECONDS FILE: at most RATE requests a
second, for at most SECONDS or until SIGTERM; then FILE gets {sent, failed,
seconds, rate, reasons, versions: {version: {answers, first, last}}}, times in
epoch seconds. One request in ten is an MCP tools/list, the rest ask /health.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

CLIENTS = 16
MCP_HEADERS = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n"
LIST = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})


class Load:
    def __init__(self, url: str, host: str, rate: float, seconds: float) -> None:
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            sys.exit(f"load: {url} is not on loopback; this load stays on the machine.")
        self.address = (parts.hostname, parts.port or 80)
        self.get = f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.post = f"POST /mcp HTTP/1.1\r\nHost: {host}\r\n{MCP_HEADERS}Content-Length: {len(LIST)}\r\n\r\n{LIST}".encode()
        self.pause = CLIENTS / rate
        self.end = time.monotonic() + seconds
        self.sent = 0
        self.reasons: Counter[str] = Counter()
        self.versions: dict[str, dict[str, float]] = {}
        self.stopped = False

    async def client(self, number: int) -> None:
        reader = writer = None
        due = time.monotonic() + self.pause * number / CLIENTS
        while not self.stopped and time.monotonic() < self.end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + self.pause, time.monotonic() - 1)
            mcp = self.sent % 10 == 9
            self.sent += 1
            try:
                if writer is None:
                    reader, writer = await asyncio.wait_for(asyncio.open_connection(*self.address), 5)
                writer.write(self.post if mcp else self.get)
                status, body = await asyncio.wait_for(self.answer(reader), 5)
                document = json.loads(body) if status == 200 else {}
                if status != 200 or (mcp and "result" not in document):
                    self.reasons[f"HTTP {status}"] += 1
                elif not mcp:
                    self.saw(f"{document['version']} {document['pool']}")
            except (OSError, EOFError, ValueError, KeyError, TimeoutError) as error:
                self.reasons[type(error).__name__] += 1
                if writer is not None:
                    writer.close()
                writer = None
        if writer is not None:
            writer.close()

    @staticmethod
    async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in head[1:])}
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), body

    def saw(self, version: str) -> None:
        now = time.time()
        seen = self.versions.setdefault(version, {"answers": 0, "first": now, "last": now})
        seen["answers"] += 1
        seen["last"] = now

    async def run(self) -> dict[str, object]:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: setattr(self, "stopped", True))
        start = time.monotonic()
        await asyncio.gather(*(self.client(number) for number in range(CLIENTS)))
        seconds = time.monotonic() - start
        return {
            "sent": self.sent,
            "failed": sum(self.reasons.values()),
            "seconds": round(seconds, 1),
            "rate": round(self.sent / seconds, 1),
            "reasons": dict(self.reasons),
            "versions": self.versions,
        }


if __name__ == "__main__":
    url, host, rate, seconds, file = sys.argv[1:]
    Path(file).write_text(json.dumps(asyncio.run(Load(url, host, float(rate), float(seconds)).run())))
