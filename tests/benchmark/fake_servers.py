# SPDX-License-Identifier: GPL-3.0-or-later
"""Any number of MCP servers that are none: one fake API server that has their objects, and one gateway that answers
for all of them.

In a process of its own, so that what it costs is not the benchmark's.
"""

from __future__ import annotations

import asyncio
import functools
import json
import multiprocessing
import re
import sys
import threading
import typing as t
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "benchmark"
DOMAIN = "mcp.example"
IMAGE = "ghcr.io/org/mcp-server"
VERSIONS = {"blue": "v1.1.5", "green": "v1.2.0"}


def route_path(server: str) -> str:
    return f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/httproutes/{server}"


class Gateway:
    """Answers for the servers as the weights of their routes say. They are stateless MCP servers, and know the pool
    that a request came to.

    healths: by server, gives the health document of the pool whose turn it is.
    """

    def __init__(self, healths: t.Mapping[str, t.Callable[[], dict[str, str]]]) -> None:
        self.healths = healths
        self.requests: Counter[str] = Counter()
        self.port = 0

    async def serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                host = re.search(rf"\r\nhost: *([^.\r]+)\.{re.escape(DOMAIN)}", head, re.IGNORECASE)
                if host is None:
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    continue
                self.requests[host[1]] += 1
                status, document = self.answer(host[1], *head.split(" ", 2)[:2], body)
                data = json.dumps(document).encode() if document is not None else b""
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: "
                    f"{len(data)}\r\n\r\n".encode()
                    + data
                )
        except (asyncio.IncompleteReadError, OSError):  # the client is done
            pass
        finally:
            writer.close()

    def answer(self, server: str, method: str, path: str, body: bytes) -> tuple[str, t.Any]:
        health = self.healths[server]()
        if path == "/health":
            return "200 OK", health
        if method != "POST":
            return "405 Method Not Allowed", None
        message = json.loads(body)
        if "id" not in message:
            return "202 Accepted", None
        results = {
            "initialize": {
                "protocolVersion": message.get("params", {}).get("protocolVersion"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": server, "version": health["version"]},
            },
            "ping": {},
            "tools/list": {"tools": [{"name": "which", "inputSchema": {"type": "object"}}]},
        }
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] in results:
            return "200 OK", {**answer, "result": results[message["method"]]}
        return "200 OK", {**answer, "error": {"code": -32601, "message": "Method not found"}}


class Fakes(t.NamedTuple):
    """api, gateway: their URLs. counts: gives how many requests both got so far."""

    api: str
    gateway: str
    counts: t.Callable[[], tuple[int, int]]


def _serve(servers: t.Sequence[str], pipe: t.Any) -> None:
    sys.path[:0] = [str(ROOT / "playbooks" / "collections")]
    from ansible_collections.mcp.server.tests.unit.fakes import gateway as fake_gateway
    from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
    from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
    from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

    images = {pool: f"{IMAGE}:{version}" for pool, version in VERSIONS.items()}
    api = ApiServer()
    for server in servers:
        for path, one in mcp_server(NAMESPACE, server, **images, replicas=1).items():
            api.put(path, one)
    Controllers(api)

    def version(pool: str) -> str:
        return VERSIONS[pool].removeprefix("v")

    healths = {server: fake_gateway.Gateway(api, route_path(server), version).answer for server in servers}
    gateway, ready = Gateway(healths), threading.Event()
    threading.Thread(target=lambda: asyncio.run(gateway.serve(ready)), daemon=True).start()
    ready.wait()
    with serving(api) as url:
        pipe.send((url, f"http://127.0.0.1:{gateway.port}"))
        while pipe.recv() == "counts":
            pipe.send((len(api.log), sum(gateway.requests.values())))


@contextmanager
def fakes(servers: t.Sequence[str]) -> t.Iterator[Fakes]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=functools.partial(_serve, servers, theirs), daemon=True
    )
    process.start()

    def counts() -> tuple[int, int]:
        ours.send("counts")
        return ours.recv()

    try:
        yield Fakes(*ours.recv(), counts)
    finally:
        ours.send("over")
        process.join(10)
        process.kill()
