# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load's clients, against a server on loopback that counts what they do."""

from __future__ import annotations

import asyncio
import json
import typing as t

import pytest

from sandbox.load.clients import CLIENTS, Clients

DOCUMENT = json.dumps({"version": "1.2.0", "pool": "green"})
STREAM = (
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-MCP-Pool: green\r\nTransfer-Encoding: "
    "chunked\r\n\r\n4\r\n: hi\r\n"
)
CALLED = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": json.loads(DOCUMENT)}})


def answer(body: str, status: str = "200 OK", header: str = "") -> str:
    return f"HTTP/1.1 {status}\r\n{header}Content-Length: {len(body)}\r\n\r\n{body}"


class Server:
    """health: the answer to every /health. stream_end: what follows an open stream, None to keep it open."""

    def __init__(self, health: str = answer(DOCUMENT), stream_end: str | None = None) -> None:
        self.health = health
        self.stream_end = stream_end
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            lengths = [line.split()[1] for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
            await reader.readexactly(int(lengths[0]) if lengths else 0)
            streams = b"Mcp-Method: subscriptions/listen" in head
            writer.write((STREAM if streams else answer(CALLED) if head.startswith(b"POST") else self.health).encode())
            if streams and self.stream_end is not None:
                writer.write(self.stream_end.encode())
                break
        writer.close()


def got(server: Server, new: float = 0.5, streams: int = 0) -> dict[str, t.Any]:
    async def run() -> dict[str, t.Any]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await server.serve(reader, writer)
            except (EOFError, OSError):
                writer.close()

        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with listening:
            return await Clients(listening.sockets[0].getsockname()[:2], "mcp.example", 200, new, streams).run(0.5)

    return asyncio.run(run())


def test_kept_and_new_connections():
    server = Server()
    clients = got(server)
    assert clients["failed"] == 0 and clients["sent"] == clients["kept"]["sent"] + clients["new"]["sent"]
    for kind in ("kept", "new"):
        (seen,) = clients[kind]["answers"].items()
        assert seen[0] == "1.2.0 green" and seen[1]["count"] == clients[kind]["sent"] > CLIENTS
        assert seen[1]["first"] < seen[1]["last"]
        assert sum(count for _second, _who, count in clients[kind]["seconds"]) == seen[1]["count"]
    assert server.connections == CLIENTS / 2 + clients["new"]["sent"]


def test_a_kept_connection_that_the_server_ends_with_an_answer():
    server = Server(answer(DOCUMENT, header="Connection: close\r\n"))
    clients = got(server, new=0)
    assert clients["failed"] == 0
    assert server.connections > CLIENTS


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (answer("no healthy upstream", "503 Service Unavailable"), "HTTP 503 b'no healthy upstream'"),
        (answer("{}"), "neither version nor pool in b'{}'"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "JSONDecodeError"),
    ],
)
def test_what_is_no_answer_is_a_failure(health, reason):
    clients = got(Server(health))
    asked = clients["kept"]["sent"] - sum(
        seen["count"] for seen in clients["kept"]["answers"].values()
    )  # all but the tool calls
    (failure,) = clients["kept"]["failures"].items()
    assert failure[0].startswith(reason) and failure[1]["count"] == asked
    assert clients["failed"] == sum(clients["failures"].values()) > asked


def test_streams():
    clients = got(Server(), streams=2)
    assert [(stream["pool"], stream["ended"]) for stream in clients["held"]] == [("green", None)] * 2


@pytest.mark.parametrize(("end", "why"), [("0\r\n\r\n", "the server ended it"), ("", "IncompleteReadError")])
def test_streams_that_end_are_opened_again(end, why):
    clients = got(Server(stream_end=end), streams=2)
    assert clients["streams"]["sent"] == len(clients["held"]) > 4
    ended = [stream for stream in clients["held"] if stream["ended"]]
    assert ended and all(stream["why"].startswith(why) and stream["opened"] <= stream["ended"] for stream in ended)
