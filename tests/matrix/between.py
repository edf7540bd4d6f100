# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway in front of two servers: its requests go to the one or the other, whose answers name the pool."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import typing as t
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


class Seen(t.NamedTuple):
    """A request that was answered. what: the method of JSON-RPC, or of HTTP."""

    what: str
    pool: str
    status: int


class Between(ThreadingHTTPServer):
    """Used in a C(with). urls: of the servers, by pool. order: the pools of one request after the other."""

    daemon_threads = True

    def __init__(self, urls: t.Mapping[str, str], order: t.Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.urls = urls
        self.order = order
        self.seen: list[Seen] = []
        self._count = 0
        self._sessions: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def pool(self, session: str | None) -> str:
        """Return where a request goes. Those of a session go to where it was opened."""
        with self._lock:
            if session in self._sessions:
                return self._sessions[session]
            self._count += 1
            return self.order[self._count % len(self.order)]

    def keep(self, session: str | None, pool: str) -> None:
        if session:
            self._sessions[session] = pool

    def __enter__(self) -> Between:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Between

    def log_message(self, *args: t.Any) -> None:
        pass

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what = json.loads(body).get("method", "") if body else self.command
        pool = self.server.pool(self.headers["Mcp-Session-Id"])
        netloc = urlsplit(self.server.urls[pool]).netloc
        to = http.client.HTTPConnection(netloc, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            to.request(self.command, self.path, body or None, headers)
            threading.Thread(target=self._end_with_client, args=(to.sock,), daemon=True).start()
            answer = to.getresponse()
            self.server.seen.append(Seen(what, pool, answer.status))
            self.server.keep(answer.headers["Mcp-Session-Id"], pool)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("X-MCP-Pool", pool)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while piece := answer.read1():
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except (OSError, http.client.HTTPException, ValueError):
            self.close_connection = True
        finally:
            with suppress(OSError):
                to.close()

    def _end_with_client(self, server: socket.socket) -> None:
        """Close the connection to the server when the client closes its own, as gateways do."""
        with suppress(OSError):
            if not self.connection.recv(1, socket.MSG_PEEK):
                server.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_DELETE = _forward
