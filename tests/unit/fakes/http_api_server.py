# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API server of api_server.py over HTTP on loopback, for the real client."""

from __future__ import annotations

import json
import threading
import typing as t
from contextlib import contextmanager
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
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        try:
            body = json.loads(sent) if sent else None
            query = dict(parse_qsl(url.query))
            answer = self.server.api.serve(Request(self.command, url.path, body, self.patch_kind(), query))
            self.send(201 if self.command == "POST" else 200, json.dumps(answer))
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
