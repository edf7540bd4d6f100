# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A receiver of our own: listens for the one notification of the test alert, for as long as the test lasts."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import threading
import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_BYTES = 1024 * 1024  # of a notification
PATIENCE = 30.0  # seconds for which an address may be in use by the test of another server
READING = 5.0  # seconds without a byte


def address(text: str) -> tuple[str, int]:
    """Return host and port. Raises Failure for another form."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise Failure(
            f"receiver_listen (mcp_alert_receiver_listen) is {printable(text, 80)!r}: write HOST:PORT, such as "
            "10.0.0.5:9099, an address of the machine that runs the play."
        )
    return host.strip("[]"), int(port)


class Receiver:
    """What arrived."""

    def __init__(self, label: str, value: str) -> None:
        """label, value: of the alert that is waited for."""
        self._label, self._value = label, value
        self.arrived = threading.Event()

    def take(self, body: bytes) -> None:
        """Look for the alert in the body of a notification, which anybody may have sent."""
        try:
            found = json.loads(body)
            alerts = found["alerts"]
            if any(one["labels"].get(self._label) == self._value for one in alerts):
                self.arrived.set()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return


@contextmanager
def listening(host: str, port: int, receiver: Receiver) -> t.Iterator[None]:
    """Listen for the length of the block. Raises Failure."""

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = READING

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isdecimal() and int(length) <= MAX_BYTES):
                self.send_error(413)
                return
            receiver.take(self.rfile.read(int(length)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: t.Any) -> None:
            """Say nothing: what is asked is written by others."""

    server = _bound(host, port, Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _bound(host: str, port: int, handler: type[http.server.BaseHTTPRequestHandler]) -> http.server.ThreadingHTTPServer:
    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

        def server_bind(self) -> None:
            """Ask no name server for the machine's name, as HTTPServer would."""
            socketserver.TCPServer.server_bind(self)
            self.server_name, self.server_port = host, port

        def handle_error(self, request: t.Any, client_address: t.Any) -> None:
            """Say nothing of a connection that broke."""

    bound = Deadline(PATIENCE)
    while True:
        try:
            return Server((host, port), handler)
        except OSError as error:
            if not bound.pause(0.5):
                raise Failure(
                    f"The address {printable(host, 80)}:{port} cannot be listened at "
                    f"({printable(error.strerror or 'no reason given', 80)}). Set receiver_listen "
                    "(mcp_alert_receiver_listen) to a free port at an address of the machine that runs the play."
                ) from None
