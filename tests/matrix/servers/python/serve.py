# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How every Python server of the matrix is run: on a free port that it prints, until its standard input ends, so that none outlives the tests."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import typing as t

import uvicorn

PAGE = 4


def listen() -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named: without it each answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def run(app: t.Any, sessions: t.Callable[[], int], listener: socket.socket | None = None) -> None:
    """GET /sessions gives the sessions that the SDK knows, the requests that are being answered and all that there were; it is none of them."""
    listener = listener or listen()
    seen = {"requests": 0, "open": 0}

    async def counting(scope: t.Any, receive: t.Any, send: t.Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
        elif scope["path"] == "/sessions":
            body = json.dumps({"sessions": sessions(), **seen}).encode()
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
            )
            await send({"type": "http.response.body", "body": body})
        else:
            seen["requests"] += 1
            seen["open"] += 1
            try:
                await app(scope, receive, send)
            finally:
                seen["open"] -= 1

    threading.Thread(target=_end_with_input, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(counting, log_level="critical")).run([listener])


def live(manager: t.Any) -> int:
    """The sessions of a Streamable HTTP app. Up to 1.26 the table keeps those that were ended too: they answer 404, but are never freed."""
    return sum(not transport.is_terminated for transport in manager._server_instances.values())


def streams(app: t.Any) -> int:
    """The sessions of an HTTP+SSE app: its transport keeps them, and only its route knows the transport. Up to 1.26 it keeps the ended ones too."""
    (transport,) = {
        id(owner): owner for route in app.routes if (owner := getattr(getattr(route, "app", None), "__self__", None))
    }.values()
    # 2.x wraps what 1.x has.
    return sum(not getattr(writer, "_inner", writer)._closed for writer in transport._read_stream_writers.values())


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)
