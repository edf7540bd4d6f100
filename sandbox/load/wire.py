# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 over one connection: what a load needs of it, at little cost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Head:
    """headers: by names in lower case."""

    status: int
    headers: dict[str, str]


class Connection:
    """Methods raise OSError and EOFError when the connection breaks, ValueError for what is not HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: tuple[str, int]) -> Connection:
        return cls(*await asyncio.open_connection(*address))

    def close(self) -> None:
        self._writer.close()

    @property
    def ended(self) -> bool:
        """Whether the other side has closed it."""
        return self._reader.at_eof() or self._reader.exception() is not None

    async def send(self, request: bytes) -> Head:
        self._writer.write(request)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
        return Head(int(lines[0].split()[1]), headers)

    async def body(self, head: Head) -> bytes:
        if head.headers.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(head.headers.get("content-length", 0)))
        body = b""
        while chunk := await self.chunk():
            body += chunk
        return body

    async def chunk(self) -> bytes:
        """The next piece of a chunked body, empty at its end."""
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        return (await self._reader.readexactly(size + 2))[:-2]
