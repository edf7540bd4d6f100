# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server made with the official SDK: sdk.py PORT stateful|stateless. Its health document counts the sessions that are open."""

from __future__ import annotations

import sys

import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import JSONResponse

server = MCPServer("weather", version="1.2.0", log_level="ERROR")


@server.tool()
def forecast(city: str) -> str:
    return f"{city}: rain"


@server.tool()
def stations() -> list[str]:
    return []


@server.custom_route("/health", methods=["GET"])
async def health(request: Request) -> JSONResponse:
    return JSONResponse(
        {"status": "HEALTHY", "version": "1.2.0", "open": len(server.session_manager._server_instances)}
    )


uvicorn.run(
    server.streamable_http_app(stateless_http=sys.argv[2] == "stateless"), port=int(sys.argv[1]), log_level="error"
)
