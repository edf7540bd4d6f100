# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Galaxy, ours: the part of its API v3 that ansible-galaxy (galaxy/api.py) and release/ use."""

from __future__ import annotations

import hashlib
import json
import threading
import typing as t
from contextlib import contextmanager, suppress
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN = "planted-galaxy-token-5e1f"


def command_lines() -> t.Iterator[str]:
    """Return the command line of each process, which anybody may read."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            yield file.read_bytes().decode(errors="replace")


class Galaxy:
    """hangs: whether it answers nothing about versions. pending: how often a version is asked for until it is there."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.uploaded: list[bytes] = []
        self.refused = 0
        self.hangs = threading.Event()
        self.is_asked = threading.Event()
        self.pending = 0
        self.on_command_lines = False  # whether the token was, at any time
        self.stored = ""  # the sha256 that it says; empty for that of what was uploaded

    def answer(self, method: str, path: str, headers: t.Any, body: bytes) -> tuple[int, dict[str, t.Any]]:
        self.on_command_lines |= any(TOKEN in line for line in command_lines())
        if path == "/api/":
            return 200, {"available_versions": {"v3": "v3/"}}
        if path.startswith("/api/v3/collections/mcp/server/versions/"):
            self.is_asked.set()
            while self.hangs.is_set():
                threading.Event().wait(0.05)
            if not self.uploaded or self.pending > 0:
                self.pending -= bool(self.uploaded)
                return 404, {"errors": [{"status": "404", "code": "not_found"}]}
            found = self.stored or hashlib.sha256(self.uploaded[0]).hexdigest()
            return 200, {"version": path.split("/")[-2], "artifact": {"sha256": found}}
        if headers["Authorization"] != f"Token {TOKEN}":
            return 401, {"errors": [{"status": "401", "code": "not_authenticated", "title": "No token."}]}
        if method == "POST" and path == "/api/v3/artifacts/collections/":
            form = BytesParser().parsebytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
            parts = {
                str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
                for part in t.cast(list[t.Any], form.get_payload())
            }
            if hashlib.sha256(parts["file"]).hexdigest() != parts["sha256"].decode():
                return 400, {"errors": [{"status": "400", "code": "invalid", "title": "sha256"}]}
            if self.uploaded:
                self.refused += 1
                return 400, {"errors": [{"status": "400", "code": "conflict", "title": "Artifact already exists."}]}
            self.uploaded.append(parts["file"])
            return 202, {"task": "/api/v3/imports/collections/11111111-2222-3333-4444-555555555555/"}
        if path.startswith("/api/v3/imports/collections/"):
            return 200, {"state": "completed", "finished_at": "2026-11-28T06:00:00Z", "messages": []}
        return 404, {"errors": [{"status": "404", "code": "not_found", "title": path}]}


@contextmanager
def listening() -> t.Iterator[Galaxy]:
    galaxy = Galaxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            galaxy.asked.append(f"{self.command} {self.path}")
            status, answer = galaxy.answer(self.command, self.path, self.headers, body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def handle(self) -> None:
            with suppress(ConnectionError):  # of a run that was killed
                super().handle()

        def log_message(self, *args: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    galaxy.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield galaxy
    finally:
        galaxy.hangs.clear()
        server.shutdown()
        server.server_close()
