# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy before the cluster's API server: slow, without space, or without one API, for one kubeconfig alone.

A sandbox that others use at the same time can't be given these faults itself. What comes out of it is the real API
server's, but for the requests that a test has refused, which get the answer that a real API server gives in that state.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import ssl
import tempfile
import threading
import time
import typing as t
import urllib.parse
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from ansible_collections.mcp.server.tests.unit.fakes.certificates import Authority

WRITES = ("POST", "PUT", "PATCH", "DELETE")
MAX_HEAD = 65536

Answer = tuple[int, dict[str, t.Any]]


class Request(t.NamedTuple):
    """at: the monotonic time at which it came. path: without its query."""

    at: float
    method: str
    path: str

    @property
    def writes(self) -> bool:
        """Return whether it stores something: reviews of rights and users are created, and never stored."""
        return self.method in WRITES and "review" not in self.path


def status(code: int, message: str, reason: str = "") -> Answer:
    """Return an answer as an API server gives it."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code}
    return code, {**body, **({"reason": reason} if reason else {})}


def no_space(request: Request) -> Answer | None:
    """Refuse every write as an API server does while etcd has the alarm NOSPACE: reads go on."""
    return status(500, "etcdserver: mvcc: database space exceeded") if request.writes else None


def no_metrics(request: Request) -> Answer | None:
    """Answer as an API server does whose APIService v1beta1.metrics.k8s.io has no backend."""
    if not request.path.startswith("/apis/metrics.k8s.io"):
        return None
    return status(503, "the server is currently unable to handle the request", "ServiceUnavailable")


class FaultyApi(socketserver.ThreadingTCPServer):
    """kubeconfig: of one user of the real API server, whose credentials it hands on.

    delay: seconds by which each answer is late. refuse: returns an answer in the API server's place, or None.
    answered: called when the API server has answered, before the client knows. requests: what was asked.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, kubeconfig: str | Path, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.delay = 0.0
        self.refuse: t.Callable[[Request], Answer | None] = lambda request: None
        self.answered: t.Callable[[Request], None] = lambda request: None
        self.requests: list[Request] = []
        content = yaml.safe_load(Path(kubeconfig).read_text())
        cluster = content["clusters"][0]["cluster"]
        where = urllib.parse.urlsplit(cluster["server"])
        self.there = (where.hostname or "", where.port or 443)
        self.trust = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        authority = Authority()
        self.own = _context(authority)
        (folder / "ca.pem").write_text(authority.pem)
        cluster |= {"server": f"https://127.0.0.1:{self.server_address[1]}", "certificate-authority": "ca.pem"}
        del cluster["certificate-authority-data"]
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(content))

    def writes(self) -> list[Request]:
        return [one for one in self.requests if one.writes]

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Say nothing: clients are killed and time out here."""


class _Exchange(socketserver.BaseRequestHandler):
    """One request and its answer, after which the connection is closed."""

    server: FaultyApi

    def handle(self) -> None:
        with suppress(OSError), self.server.own.wrap_socket(self.request, server_side=True) as client:
            head, body = _received(client)
            if not head:
                return
            method, target, _version = head.split("\r\n", 1)[0].split(" ")
            request = Request(time.monotonic(), method, urllib.parse.urlsplit(target).path)
            self.server.requests.append(request)
            refusal = self.server.refuse(request)
            if refusal:
                time.sleep(self.server.delay)
                client.sendall(_written(*refusal))
                return
            with (
                socket.create_connection(self.server.there) as plain,
                self.server.trust.wrap_socket(plain, server_hostname=self.server.there[0]) as there,
            ):
                upgrades = "\r\nupgrade:" in head.lower()
                there.sendall((head if upgrades else _once(head)).encode("latin-1") + body)
                first = there.recv(MAX_HEAD)
                self.server.answered(request)
                time.sleep(self.server.delay)
                client.sendall(first)
                if upgrades:
                    threading.Thread(target=_pump, args=(client, there), daemon=True).start()
                _pump(there, client)


def _received(client: socket.socket) -> tuple[str, bytes]:
    """Return the head of a request, as text, and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(MAX_HEAD)
        if not more or len(data) > MAX_HEAD:
            return "", b""
        data += more
    head, _blank, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1") + "\r\n\r\n"
    lengths = [line.partition(":")[2] for line in text.split("\r\n") if line.lower().startswith("content-length:")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0 and (more := client.recv(missing)):
        body, missing = body + more, missing - len(more)
    return text, body


def _once(head: str) -> str:
    lines = [line for line in head.rstrip("\r\n").split("\r\n") if not line.lower().startswith("connection:")]
    return "\r\n".join([*lines, "Connection: close", "", ""])


def _written(code: int, body: dict[str, t.Any]) -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {code} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return (head + "Connection: close\r\n\r\n").encode() + data


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def _decoded(data: str) -> str:
    import base64

    return base64.b64decode(data).decode()


def _context(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.pair("127.0.0.1")
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(pair.certificate + pair.key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


@contextmanager
def faulty_api(kubeconfig: str | Path, folder: Path) -> t.Iterator[FaultyApi]:
    """Serve a proxy for this kubeconfig; its own kubeconfig is in the folder."""
    server = FaultyApi(kubeconfig, folder)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def killer(process: t.Any, number: int) -> t.Callable[[Request], None]:
    """Return what kills the process group of a play once the API server has stored this many writes, or more."""
    count, mutex = 0, threading.Lock()

    def count_and_kill(request: Request) -> None:
        nonlocal count
        if not request.writes:
            return
        with mutex:
            count += 1
            if count == number:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    return count_and_kill
