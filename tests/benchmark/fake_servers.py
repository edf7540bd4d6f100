# SPDX-License-Identifier: GPL-3.0-or-later
"""Any number of MCP servers that are none: one fake API server that has their objects, and one gateway that answers for all of them.

In a process of its own, so that what it costs is not the benchmark's.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import math
import multiprocessing
import random
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
GATEWAY = {"name": "gateway", "namespace": NAMESPACE}
CONDITIONS = ("Accepted", "ResolvedRefs")


def route_path(server: str) -> str:
    return f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/httproutes/{server}"


def objects(server: str) -> dict[str, dict[str, t.Any]]:
    """Return a server's objects by path: both pools are ready, blue has the traffic."""
    backends = [
        {"name": f"{server}-{pool}", "port": 8080, "weight": weight} for pool, weight in (("blue", 100), ("green", 0))
    ]
    found: dict[str, dict[str, t.Any]] = {
        route_path(server): {
            "spec": {"parentRefs": [GATEWAY], "rules": [{"backendRefs": backends}]},
            "status": _accepted(1),
        }
    }
    for pool, version in VERSIONS.items():
        name, labels = f"{server}-{pool}", {"app": server, "pool": pool}
        container = {"name": server, "image": f"{IMAGE}:{version}"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        sizes = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
        found[f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}"] = {
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
            "status": {"observedGeneration": 1, **sizes},
        }
        ports = [{"port": 8080, "targetPort": 8080}]
        found[f"/api/v1/namespaces/{NAMESPACE}/services/{name}"] = {"spec": {"selector": labels, "ports": ports}}
        found[f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices/{name}-1"] = {
            "metadata": {"labels": {"kubernetes.io/service-name": name}},
            "endpoints": [
                {
                    "addresses": ["192.0.2.1"],
                    "targetRef": {"kind": "Pod", "name": f"{name}-1"},
                    "conditions": {"ready": True},
                }
            ],
        }
        ready = [{"type": "Ready", "status": "True"}]
        digest = f"{IMAGE}@sha256:{hashlib.sha256(version.encode()).hexdigest()}"
        running = {
            "image": container["image"],
            "imageID": digest,
            "ready": True,
            "restartCount": 0,
            "state": {"running": {}},
        }
        statuses = [{"name": server, **running}]
        found[f"/api/v1/namespaces/{NAMESPACE}/pods/{name}-1"] = {
            "metadata": {"labels": labels},
            "spec": {"containers": [container]},
            "status": {"phase": "Running", "conditions": ready, "containerStatuses": statuses},
        }
    return found


def _accepted(generation: int) -> dict[str, t.Any]:
    conditions = [{"type": kind, "status": "True", "observedGeneration": generation} for kind in CONDITIONS]
    return {"parents": [{"parentRef": GATEWAY, "controllerName": "example.com/gateway", "conditions": conditions}]}


class Gateway:
    """Answers for the servers as the weights of their routes say. They are stateless MCP servers, and know the pool that a request came to."""

    def __init__(self, routes: t.Mapping[str, dict[str, t.Any]]) -> None:
        self.routes = routes  # objects by path, as the API server has them now
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
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                    + data
                )
        except (asyncio.IncompleteReadError, OSError):  # the client is done
            pass
        finally:
            writer.close()

    def answer(self, server: str, method: str, path: str, body: bytes) -> tuple[str, t.Any]:
        green = self.routes[route_path(server)]["spec"]["rules"][0]["backendRefs"][1]["weight"]
        pool = "green" if random.uniform(0, 100) < green else "blue"
        version = VERSIONS[pool].removeprefix("v")
        if path == "/health":
            return "200 OK", {"status": "HEALTHY", "version": version, "pool": pool}
        if method != "POST":
            return "405 Method Not Allowed", None
        message = json.loads(body)
        if "id" not in message:
            return "202 Accepted", None
        results = {
            "initialize": {
                "protocolVersion": message.get("params", {}).get("protocolVersion"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": server, "version": version},
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
    from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
    from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving

    api = ApiServer({path: one for server in servers for path, one in objects(server).items()})

    def accept() -> None:
        """As the gateway's controller does, of whichever route has changed."""
        for path in map(route_path, servers):
            generation = api.objects[path]["metadata"]["generation"]
            if api.objects[path]["status"]["parents"][0]["conditions"][0]["observedGeneration"] != generation:
                api.change(f"{path}/status", {"status": _accepted(generation)})

    api.call(accept, "PATCH", "/httproutes/", times=math.inf, after=True)
    gateway, ready = Gateway(api.objects), threading.Event()
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
