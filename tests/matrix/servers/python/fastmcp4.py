# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server of FastMCP 4: fastmcp4.py stateful|stateless|json|sse|bearer|guarded. With bearer, the token is in the environment."""

from __future__ import annotations

import os
import sys

import serve
from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from pydantic import AnyHttpUrl, BaseModel

mode = sys.argv[1]
listener = serve.listen()
guard = None
if mode == "bearer":
    tokens = StaticTokenVerifier(
        {os.environ["MATRIX_TOKEN"]: {"client_id": "matrix", "scopes": ["read"]}}, required_scopes=["read"]
    )
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    guard = RemoteAuthProvider(tokens, authorization_servers=[AnyHttpUrl("https://login.example")], base_url=base)
server = FastMCP("weather", version="1.2.0", list_page_size=serve.PAGE, auth=guard)


class Measurement(BaseModel):
    temperature: float


@server.tool
def forecast(city: str) -> str:
    return f"{city}: rain"


@server.tool
def broken() -> str:
    raise ValueError("the sensor is broken")


@server.tool
def measure() -> Measurement:
    return Measurement(temperature=21.5)


for number in range(7):
    server.tool(lambda: "ok", name=f"station_{number}")


@server.prompt
def greet() -> str:
    return "Say hello."


@server.prompt
def brief(city: str) -> str:
    return f"The weather of {city} in one sentence."


@server.resource("weather://stations")
def stations() -> str:
    return "none"


@server.resource("weather://forecast/{city}")
def forecast_of(city: str) -> str:
    return f"{city}: rain"


if mode == "sse":
    app = server.http_app(transport="sse")
    serve.run(app, lambda: serve.streams(app), listener)
else:
    app = server.http_app(
        stateless_http=mode == "stateless", json_response=mode == "json", host_origin_protection=mode == "guarded"
    )
    endpoint = next(route.endpoint for route in app.routes if route.path == "/mcp")
    unguarded = getattr(endpoint, "app", endpoint)  # it gets its session manager when it starts
    serve.run(app, lambda: serve.live(unguarded.session_manager), listener)
