# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Session ids that begin with the pool's colour, so that a route can keep a session on its pool. The SDK makes ids of its own."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"mcp-session-id"


class MarkMiddleware:
    """Puts the mark on the ids of answers and takes it off those of requests. An id of another colour stays as it is: the SDK knows no such session."""

    def __init__(self, app: ASGIApp, pool: str) -> None:
        self.app = app
        self.mark = f"{pool}-".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def marking_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, self.mark + value if name.lower() == HEADER else value)
                    for name, value in message.get("headers", ())
                ]
                message = {**message, "headers": headers}
            await send(message)

        headers = [
            (name, value.removeprefix(self.mark) if name == HEADER else value) for name, value in scope["headers"]
        ]
        await self.app({**scope, "headers": headers}, receive, marking_send)
