# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that goes wrong on purpose. FAULT names it, FAULT_AFTER is when it begins, FAULT_SECONDS for how long
clients and scrapes meet it.

With FAULT_FROM=gateway what clients meet in answers begins FAULT_AFTER seconds after the first request that came
through a
gateway (it has X-Forwarded-For): every check of a pod by itself passes, however long the pod waits for its traffic.

Two exceptions from FAULT_AFTER: V(version) holds from the start, and C(health-check) is a process of its own that knows
a V(database) fault only if it holds from the start.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import time
import typing as t

from mcp.server import MCPServer
from prometheus_client import REGISTRY, Metric
from prometheus_client.registry import Collector
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .database import Database
from .inventory import READ_ONLY, Item, find_items
from .settings import Settings

WRONG_VERSION = "1.0.0"
NOWHERE = "postgresql://127.0.0.1:1/nowhere"
SERVED = ("/mcp", "/health")
PAGE = "<!doctype html><title>It works</title><h1>It works</h1><p>This is a web server, not an MCP server.</p>"


def reported_version(settings: Settings) -> str:
    return WRONG_VERSION if settings.fault == "version" else settings.version


def first_database_url(settings: Settings) -> str:
    return NOWHERE if settings.fault == "database" and not settings.fault_after else settings.database_url


class FaultMiddleware:
    """The faults that a client meets in an answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.begin = math.inf
        if settings.fault_from == "start":
            self.begin = time.monotonic() + settings.fault_after

    @property
    def end(self) -> float:
        return self.begin + self.settings.fault_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.begin == math.inf and any(name == b"x-forwarded-for" for name, _value in scope.get("headers", ())):
            self.begin = time.monotonic() + self.settings.fault_after
        begun = scope["type"] == "http" and self.begin <= time.monotonic() < self.end
        answer = await self.misbehave(scope["path"]) if begun else None
        await (answer or self.app)(scope, receive, send)

    async def misbehave(self, path: str) -> Response | None:
        """An answer in place of the server's, or None for the server's own."""
        match self.settings.fault:
            case "errors" if path in SERVED and random.random() < self.settings.fault_rate:
                return PlainTextResponse("Internal Server Error", 500)
            case "slow" if path in SERVED:
                await asyncio.sleep(self.settings.fault_delay)
            case "not-mcp" if path != "/ready":
                return HTMLResponse(PAGE)
            case "unready" if path == "/ready":
                return PlainTextResponse("not ready", 503)
        return None


async def misbehave(settings: Settings, mcp: MCPServer, database: Database) -> None:
    """The faults that happen inside; runs beside the server."""
    await asyncio.sleep(settings.fault_after)
    match settings.fault:
        case "crash":
            os._exit(1)
        case "database":
            await database.connect(NOWHERE)
        case "contract":
            break_contract(mcp, database)
        case "slow-scrape":
            REGISTRY.register(slow := Slow(settings.fault_delay))
            await asyncio.sleep(settings.fault_seconds)
            REGISTRY.unregister(slow)
        case "leak":
            hoard = []
            while True:
                # Not zeroes: the kernel gives those no memory before they are written.
                hoard.append(b"x" * int(settings.fault_mib_per_second * 2**20))
                await asyncio.sleep(1)


class Slow(Collector):
    """Metrics that are long in coming, and hold up all others."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def describe(self) -> t.Iterable[Metric]:
        return ()

    def collect(self) -> t.Iterable[Metric]:
        time.sleep(self.seconds)
        return ()


def break_contract(mcp: MCPServer, database: Database) -> None:
    """Remove one tool, and require a new argument of another."""

    async def search_inventory(warehouse: str, text: str, limit: int = 20) -> list[Item]:
        """Find items in stock by a part of their name."""
        return await find_items(database, text, limit)

    mcp.remove_tool("reorder_point")
    mcp.remove_tool("search_inventory")
    mcp.add_tool(search_inventory, annotations=READ_ONLY)
