# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API server of api_server.py over HTTP on loopback, for the real client, with port-forwards over WebSocket."""

from __future__ import annotations

import base64
import hashlib
import json
import select
import socket
import struct
import threading
import typing as t
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import (
    PATCH_TYPES,
    Conflict,
    Unreachable,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import UNKNOWN_FORMAT, ApiServer, Request, StatusError

KINDS = {content_type: kind for kind, content_type in PATCH_TYPES.items()}
WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
BINARY, CLOSE = 2, 8
STATUSES = {Conflict: 409, Forbidden: 403, NotFound: 404, Unreachable: 503}


class HttpApiServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # as many servers start at once in a benchmark

    def __init__(self, api: ApiServer, port: int = 0) -> None:
        self.api = api
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: HttpApiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.forward()
            return
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        try:
            body = json.loads(sent) if sent else None
            query = dict(parse_qsl(url.query))
            request = Request(self.command, url.path, body, self.patch_kind(), query)
            creates = self.command == "POST" or (request.kind == "apply" and url.path not in self.server.api.objects)
            answer = self.server.api.serve(request)
            if isinstance(answer, dict):
                self.send(201 if creates else 200, json.dumps(answer))
            else:
                self.stream([answer] if isinstance(answer, bytes) else answer)
        except StatusError as error:
            self.send(error.status, error.body, error.headers)
        except Failure as failure:  # which a test gave to fail()
            status = next((code for kind, code in STATUSES.items() if isinstance(failure, kind)), 500)
            self.send(status, StatusError(status, failure.msg).body)
        except OSError:
            self.close_connection = True  # without an answer

    def send(self, status: int, text: str, headers: t.Mapping[str, str] = MappingProxyType({})) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, pieces: t.Iterable[bytes]) -> None:
        """Answer as the API server does with a log, of which it does not know the length."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in filter(None, pieces):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def forward(self) -> None:
        """Forward a port of a pod, by the protocol v4.channel.k8s.io: data on channel 0, errors on channel 1."""
        url = urlsplit(self.path)
        namespace, pod = url.path.split("/")[-4], url.path.split("/")[-2]
        port = int(dict(parse_qsl(url.query))["ports"])
        self.close_connection = True
        try:
            target = self.server.api.port_forward(namespace, pod, port)
        except Failure as failure:
            self.send(500, StatusError(500, failure.msg).body)
            return
        digest = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + WEBSOCKET).encode()).digest()
        self.send_response(101)
        for name, value in {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": base64.b64encode(digest).decode(),
            "Sec-WebSocket-Protocol": self.headers["Sec-WebSocket-Protocol"],
        }.items():
            self.send_header(name, value)
        self.end_headers()
        for channel in (0, 1):
            self.frame(bytes([channel]) + struct.pack("<H", port))
        with target:
            self.relay(target)

    def relay(self, target: socket.socket) -> None:
        """Pass on what the client and the pod say, until one of them has said all."""
        received = b""
        with suppress(OSError):
            while True:
                readable, _writable, _failed = select.select([self.connection, target], [], [])
                if self.connection in readable:
                    piece = self.connection.recv(65536)
                    opcodes, said, received = frames(received + piece)
                    target.sendall(said)
                    if not piece or CLOSE in opcodes:
                        return
                elif data := target.recv(65536):
                    self.frame(b"\0" + data)
                else:
                    break
        with suppress(OSError):
            self.frame(b"", CLOSE)
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            while self.connection.recv(65536):  # what is not read when a connection is closed resets it
                pass

    def frame(self, data: bytes, opcode: int = BINARY) -> None:
        short = len(data) if len(data) < 126 else 126 if len(data) < 2**16 else 127
        length = {126: struct.pack("!H", len(data) % 2**16), 127: struct.pack("!Q", len(data))}.get(short, b"")
        self.wfile.write(bytes([0x80 | opcode, short]) + length + data)

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def patch_kind(self) -> str:
        if self.command != "PATCH":
            return ""
        try:
            return KINDS[self.headers.get("Content-Type", "")]
        except KeyError:
            raise StatusError(415, UNKNOWN_FORMAT) from None

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.api.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, *_words: t.Any) -> None:
        pass


def frames(received: bytes) -> tuple[list[int], bytes, bytes]:
    """Return the opcodes of a client's frames, the data in them without the channel, and what is no whole frame yet."""
    opcodes, said = [], b""
    while len(received) >= 2:
        size, start = received[1] & 0x7F, 2
        if size > 125:
            start = 4 if size == 126 else 10
            if len(received) < start:
                break
            size = int.from_bytes(received[2:start], "big")
        if len(received) < start + 4 + size:
            break
        mask, data = received[start : start + 4], received[start + 4 : start + 4 + size]
        opcodes.append(received[0] & 0x0F)
        if opcodes[-1] == BINARY:
            said += bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))[1:]
        received = received[start + 4 + size :]
    return opcodes, said, received


@contextmanager
def serving(api: ApiServer, port: int = 0) -> t.Iterator[str]:
    """Serve it on loopback, and give its URL."""
    server = HttpApiServer(api, port)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
