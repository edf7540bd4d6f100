# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the server leaves: without failing a request, and without waiting for streams that never end."""

from __future__ import annotations

import asyncio
import socket
import typing as t

import uvicorn
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The longest that requests in flight may take after the drain, in seconds.
GRACE = 10


class Lifecycle:
    """`draining`: takes requests, but wants no new clients. `ending`: streams that are open must end now."""

    def __init__(self) -> None:
        self.draining = False
        self.ending = asyncio.Event()


def is_stream(scope: Scope) -> bool:
    """Whether the answer stays open until somebody ends it: MCP's GET stream (legacy) and subscriptions/listen (modern)."""
    return scope["path"] == "/mcp" and (
        scope["method"] == "GET" or (b"mcp-method", b"subscriptions/listen") in scope["headers"]
    )


class LifecycleMiddleware:
    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self.app = app
        self.lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif is_stream(scope):
            await self.stream(scope, receive, send)
        elif self.lifecycle.draining:
            await self.app(scope, receive, _last_of_connection(send))
        else:
            await self.app(scope, receive, send)

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a stream; at the end pretend that the client left, then complete the answer for the client that did not."""
        unfinished = False
        ending = self.lifecycle.ending

        async def watched_send(message: Message) -> None:
            nonlocal unfinished
            unfinished = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        async def receive_until_end() -> Message:
            waits: list[asyncio.Future[t.Any]] = [
                asyncio.ensure_future(receive()),
                asyncio.ensure_future(ending.wait()),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                return {"type": "http.disconnect"} if ending.is_set() else waits[0].result()
            finally:
                for wait in waits:
                    wait.cancel()

        await self.app(scope, receive_until_end, watched_send)
        if unfinished:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _last_of_connection(send: Send) -> Send:
    """Tell keep-alive clients to connect anew, to another pod: closing their idle connections later could meet a request on its way."""

    async def closing_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return closing_send


class DrainingServer(uvicorn.Server):
    """Serves on for a while after SIGTERM, so that gateway and kube-proxy see the pod leave before its socket closes."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, drain_seconds: float) -> None:
        super().__init__(config)
        self.lifecycle = lifecycle
        self.drain_seconds = drain_seconds
        # sse-starlette would cut every event stream at the signal, answers to requests in flight included.
        AppStatus.disable_automatic_graceful_drain()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifecycle.draining = True
        # Who holds a stream has to find another pod, and can at once. One that is opened from now on has the time of the drain.
        self.lifecycle.ending.set()
        self.lifecycle.ending = asyncio.Event()
        await asyncio.sleep(self.drain_seconds)
        self.lifecycle.ending.set()
        await super().shutdown(sockets)
