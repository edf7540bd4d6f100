# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that says what a test tells it to, and counts requests, connections and sessions."""

from __future__ import annotations

import json
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Script = t.Callable[["Handler", t.Any], None]

SESSION = "0123456789abcdef"


class Handler(BaseHTTPRequestHandler):
    """One request. A script calls the methods below."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Scripted

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, *args: t.Any) -> None:
        pass

    def do_GET(self) -> None:
        self._play("GET", None)

    def do_DELETE(self) -> None:
        self.server.ended.append(self.headers["Mcp-Session-Id"])
        self._play("DELETE", None)

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._play(message["method"], message)

    def _play(self, key: str, message: t.Any) -> None:
        self.server.seen.append((key, dict(self.headers)))
        try:
            self.server.scripts[key](self, message)
        except ConnectionError:
            self.close_connection = True

    def answer(self, status: int, body: str = "", kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        data = body.encode()
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        if "Mcp_Session_Id" in headers and self.command == "POST":
            self.server.opened.add(headers["Mcp_Session_Id"])
        self.end_headers()
        self.wfile.write(data)

    def write(self, raw: bytes) -> None:
        if SESSION.encode() in raw and self.command == "POST":
            self.server.opened.add(SESSION)
        self.wfile.write(raw)

    def result(self, message: t.Any, result: t.Any, **headers: str) -> None:
        self.answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), **headers)

    def hang_up(self) -> None:
        """Close without the FIN that the end of a request sends."""
        self.connection.close()
        # Lets go of the descriptor, which the files share.
        self.wfile.close()
        self.rfile.close()
        self.close_connection = True

    def drip(self, head: bytes, forever: bytes, pause: float = 0.05) -> None:
        """Send a beginning, then the same again and again until the other side has had enough."""
        self.write(head)
        # More than any test allows, but no thread is left behind for good.
        for _time in range(int(10 / pause)):
            self.wfile.write(forever)
            self.wfile.flush()
            time.sleep(pause)
        self.close_connection = True


def healthy(handler: Handler, message: t.Any) -> None:
    handler.answer(200, json.dumps({"status": "HEALTHY", "version": "1.2.0"}))


def discover(handler: Handler, message: t.Any) -> None:
    handler.result(message, {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}})


def tools(handler: Handler, message: t.Any) -> None:
    handler.result(message, {"tools": [{"name": "forecast", "inputSchema": {"type": "object"}}]})


def unknown(handler: Handler, message: t.Any) -> None:
    handler.answer(
        404,
        json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "Method not found"}}),
    )


def initialize(handler: Handler, message: t.Any) -> None:
    result = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "weather", "version": "1"},
    }
    handler.result(message, result, Mcp_Session_Id=SESSION)


def accepted(handler: Handler, message: t.Any) -> None:
    handler.answer(202)


def is_session_id(text: str) -> bool:
    """Others cannot be sent back."""
    return bool(text) and all("\x21" <= each <= "\x7e" for each in text)


MODERN: dict[str, Script] = {
    "GET": healthy,
    "DELETE": accepted,
    "server/discover": discover,
    "tools/list": tools,
    "initialize": unknown,
}
LEGACY: dict[str, Script] = {
    **MODERN,
    "server/discover": unknown,
    "initialize": initialize,
    "notifications/initialized": accepted,
}


class Scripted(ThreadingHTTPServer):
    """Used in a C(with); scripts: what to do for GET, DELETE and each method."""

    daemon_threads = True

    def __init__(self, scripts: dict[str, Script]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.scripts = scripts
        self.connections = 0
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.opened: set[str] = set()
        self.ended: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def requests(self) -> list[str]:
        return [key for key, _headers in self.seen]

    def __enter__(self) -> Scripted:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exc: t.Any) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A client that hangs up is what these tests are about."""
