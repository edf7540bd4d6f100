# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The counters of the guide's gates, and the middleware that feeds them."""

from __future__ import annotations

import json
import time
import typing as t

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .lifecycle import is_stream

disable_created_metrics()

REQUESTS = Counter("mcp_server_requests", "Answered HTTP requests by status code; /ready is not counted.", ["code"])
# Bounds hit the guide's limits (0.2, 0.3 and 0.5 s) exactly, so that a quantile near them needs no guessing.
DURATION = Histogram(
    "mcp_server_request_duration_seconds",
    "Time to the end of the answer; streams are left out.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10),
)
DATABASE_REQUESTS = Counter("mcp_server_database_requests", "Database queries that were tried.")
DATABASE_ERRORS = Counter("mcp_server_database_errors", "Database queries that failed, connection errors included.")
OPERATIONS = Counter(
    "mcp_server_operations",
    "MCP requests that were answered 200, by outcome: ok, error (of JSON-RPC) or tool_error (isError).",
    ["outcome"],
)
SESSIONS_OPEN = Gauge("mcp_server_sessions_open", "Open stateful MCP sessions.")

# rate() and increase() see nothing of a series' first sample: without a 0 before it, the first errors would not count.
for code in (200, 202, 400, 404, 405, 406, 413, 500, 503):
    REQUESTS.labels(code)
for outcome in ("ok", "error", "tool_error"):
    OPERATIONS.labels(outcome)

LARGEST = 2**20  # bytes of an answer that is looked into


def outcomes(body: bytes) -> t.Iterator[str]:
    """Of each JSON-RPC answer in a body, which is JSON or a stream of events."""
    for line in [body] if body.startswith(b"{") else body.splitlines():
        try:
            message = json.loads(line.removeprefix(b"data:"))
        except ValueError:
            continue
        if isinstance(message, dict) and "error" in message:
            yield "error"
        elif isinstance(message, dict) and isinstance(message.get("result"), dict):
            yield "tool_error" if message["result"].get("isError") else "ok"


class MetricsMiddleware:
    """Counts an answer when it starts, as a stream may take hours to end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The kubelet asks /ready, and its 503 is no user's error.
        if scope["type"] != "http" or scope["path"] == "/ready":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        answered = False
        body: bytearray | None = None  # of an answer to an MCP request, while it may be looked into

        async def counting_send(message: Message) -> None:
            nonlocal answered, body
            if message["type"] == "http.response.start":
                answered = True
                REQUESTS.labels(message["status"]).inc()
                body = (
                    bytearray()
                    if scope["method"] == "POST" and scope["path"] == "/mcp" and message["status"] == 200
                    else None
                )
            elif body is not None:
                body += message.get("body", b"")
                if len(body) > LARGEST:
                    body = None
                elif not message.get("more_body"):
                    for outcome in outcomes(bytes(body)):
                        OPERATIONS.labels(outcome).inc()
            await send(message)

        try:
            await self.app(scope, receive, counting_send)
        except Exception:
            if not answered:  # uvicorn will answer 500
                REQUESTS.labels(500).inc()
            raise
        finally:
            if not is_stream(scope):
                DURATION.observe(time.perf_counter() - started)
