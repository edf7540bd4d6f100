# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server of the Python SDK 1.x: mcp1.py stateful|stateless|json|sse."""

from __future__ import annotations

import sys

import serve
from mcp.server.fastmcp import FastMCP
from pydantic import BaseModel

mode = sys.argv[1]
server = FastMCP("weather", stateless_http=mode == "stateless", json_response=mode == "json", log_level="CRITICAL")


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
    serve.run(app, lambda: serve.streams(app))
else:
    app = server.streamable_http_app()
    serve.run(app, lambda: serve.live(server.session_manager))
