# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway that answers from the pools as an HTTPRoute of the fake API server says."""

from __future__ import annotations

import itertools
import json
import threading
import typing as t
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer


class Gateway:
    """route: the path of the HTTPRoute, whose first backend is blue. version: what a pool runs."""

    def __init__(self, api: ApiServer, route: str, version: t.Callable[[str], str]) -> None:
        self._api, self._route, self._version = api, route, version
        self._turn = itertools.count()

    def answer(self) -> dict[str, str]:
        """Return the health document of the pool whose turn it is: of 100 in a row, each has as many as its weight."""
        blue = self._api.objects[self._route]["spec"]["rules"][0]["backendRefs"][0]["weight"]
        pool = "blue" if next(self._turn) * 37 % 100 < blue else "green"
        return {"status": "HEALTHY", "pool": pool, "version": self._version(pool)}


@contextmanager
def serving(gateway: Gateway) -> t.Iterator[str]:
    """Answer each GET on loopback, and give the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps(gateway.answer()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
