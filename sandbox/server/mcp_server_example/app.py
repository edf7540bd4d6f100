# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server put together: MCP at /mcp, /health for people and probes of a release, /ready for the kubelet."""

from __future__ import annotations

import asyncio
import contextlib
import typing as t
from datetime import UTC, datetime

from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from . import faults, inventory
from .database import CHECK_INTERVAL, Database
from .lifecycle import Lifecycle, LifecycleMiddleware
from .marks import MarkMiddleware
from .metrics import SESSIONS_OPEN, MetricsMiddleware
from .settings import Settings


def build(settings: Settings, lifecycle: Lifecycle) -> ASGIApp:
    database = Database()

    @contextlib.asynccontextmanager
    async def lifespan(mcp: MCPServer) -> t.AsyncIterator[None]:
        await database.connect(faults.first_database_url(settings))
        # Ready means that /health knows about the database, not that the database is there.
        await database.check()
        tasks = [
            asyncio.create_task(_keep_checking(database)),
            asyncio.create_task(faults.misbehave(settings, mcp, database)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await database.close()

    version = faults.reported_version(settings)
    # Tool failures are answers, and a log line per request costs more than the request.
    mcp = MCPServer("mcp-server-example", version=version, lifespan=lifespan, log_level="WARNING")
    inventory.register(mcp, database, settings)

    @mcp.custom_route("/health", methods=["GET"])
    async def health(_request: Request) -> Response:
        # 200 in any case: a shared database that is down must not make every gateway and probe take out every pod at once.
        return JSONResponse(
            {
                "status": "HEALTHY" if database.reachable else "UNHEALTHY",
                "version": version,
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "instance_id": settings.instance_id,
                "buildTime": settings.build_time,
                "pool": settings.mcp_pool,
            }
        )

    @mcp.custom_route("/ready", methods=["GET"])
    async def ready(_request: Request) -> Response:
        return PlainTextResponse("draining", 503) if lifecycle.draining else PlainTextResponse("ready")

    stateless = settings.mcp_sessions == "stateless"
    app: ASGIApp = mcp.streamable_http_app(
        stateless_http=stateless,
        json_response=stateless,
        # The guard is for servers on a developer's own machine. Here the gateway matches hosts, and probes come by address.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    # The SDK has no public count, and only its own table knows of sessions that expired.
    SESSIONS_OPEN.set_function(lambda: len(mcp.session_manager._server_instances))
    if settings.mcp_sessions == "marked":
        app = MarkMiddleware(app, settings.mcp_pool)
    if settings.fault != "none":
        app = faults.FaultMiddleware(app, settings)
    return MetricsMiddleware(LifecycleMiddleware(app, lifecycle))


async def _keep_checking(database: Database) -> None:
    while True:
        await asyncio.sleep(CHECK_INTERVAL)
        await database.check()
