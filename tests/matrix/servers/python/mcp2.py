# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server of the Python SDK 2.x: mcp2.py stateful|stateless|json|sse|bearer. With bearer, the token is in the environment."""

from __future__ import annotations

import os
import sys
import typing as t

import serve
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl, BaseModel

mode = sys.argv[1]
listener = serve.listen()


class OneToken:
    async def verify_token(self, token: str) -> AccessToken | None:
        return (
            AccessToken(token=token, client_id="matrix", scopes=["read"])
            if token == os.environ["MATRIX_TOKEN"]
            else None
        )


guard: dict[str, t.Any] = {}
if mode == "bearer":
    resource = AnyHttpUrl(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp")
    guard = {
        "auth": AuthSettings(
            issuer_url=AnyHttpUrl("https://login.example"), resource_server_url=resource, required_scopes=["read"]
        ),
        "token_verifier": OneToken(),
    }
server = MCPServer("weather", version="1.2.0", log_level="CRITICAL", **guard)


class Measurement(BaseModel):
    temperature: float


@server.tool()
def forecast(city: str) -> str:
    return f"{city}: rain"


@server.tool()
def broken() -> str:
    raise ValueError("the sensor is broken")


@server.tool()
def measure() -> Measurement:
    return Measurement(temperature=21.5)


for number in range(7):
    server.add_tool(lambda: "ok", name=f"station_{number}")


@server.prompt()
def greet() -> str:
    return "Say hello."


@server.prompt()
def brief(city: str) -> str:
    return f"The weather of {city} in one sentence."


@server.resource("weather://stations")
def stations() -> str:
    return "none"


@server.resource("weather://forecast/{city}")
def forecast_of(city: str) -> str:
    return f"{city}: rain"


if mode == "sse":
    app = server.sse_app()
    serve.run(app, lambda: serve.streams(app), listener)
else:
    app = server.streamable_http_app(stateless_http=mode == "stateless", json_response=mode == "json")
    serve.run(app, lambda: serve.live(server.session_manager), listener)
