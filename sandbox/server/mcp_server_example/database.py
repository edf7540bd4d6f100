# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PostgreSQL behind a small pool that may be down at any time, also at the start."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import typing as t

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from .metrics import DATABASE_ERRORS, DATABASE_REQUESTS

logger = logging.getLogger(__name__)

# Seconds. A query waits less long for a connection than the pool tries to open it: on a busy machine, attempts that are
# given up and begun anew would keep the database from ending any of them.
CONNECTION_TIMEOUT = 2
OPENING_TIMEOUT = 10
QUERY_TIMEOUT = 4
CHECK_INTERVAL = 5

# Several pods start at once, and concurrent CREATE TABLE IF NOT EXISTS collide: the lock makes them queue.
SCHEMA = """
SELECT pg_advisory_xact_lock(7301);
CREATE TABLE IF NOT EXISTS items (sku text PRIMARY KEY, name text NOT NULL, quantity integer NOT NULL);
INSERT INTO items VALUES
    ('BLT-M6', 'Bolt M6', 1200), ('BLT-M8', 'Bolt M8', 640), ('NUT-M6', 'Nut M6', 1500),
    ('WSH-M6', 'Washer M6', 2100), ('BRG-608', 'Ball bearing 608', 85), ('BLT-GT2', 'Timing belt GT2', 34)
ON CONFLICT DO NOTHING
"""


class DatabaseError(Exception):
    """A query failed; the cause is in the log, not in the message, as clients of the server see that one."""


async def _create_schema(connection: psycopg.AsyncConnection) -> None:
    async with connection.transaction():
        await connection.execute(SCHEMA)


class Database:
    def __init__(self) -> None:
        self.reachable = False  # what the last query showed
        self._pool: AsyncConnectionPool | None = None

    async def connect(self, url: str) -> None:
        """Use this database from now on; returns before it is reached."""
        await self.close()
        self._pool = AsyncConnectionPool(
            url,
            kwargs={"connect_timeout": OPENING_TIMEOUT},
            configure=_create_schema,
            check=AsyncConnectionPool.check_connection,
            min_size=1,
            max_size=4,
            timeout=CONNECTION_TIMEOUT,
            # The pool's own retries back off to minutes; after this the next query starts afresh.
            reconnect_timeout=CHECK_INTERVAL,
            open=False,
        )
        await self._pool.open()

    async def close(self) -> None:
        if self._pool:
            await self._pool.close(timeout=1)

    async def query(self, sql: t.LiteralString, parameters: t.Sequence[t.Any] = ()) -> list[dict[str, t.Any]]:
        """Rows as mappings. Raises DatabaseError."""
        assert self._pool
        DATABASE_REQUESTS.inc()
        try:
            async with (
                asyncio.timeout(QUERY_TIMEOUT),
                self._pool.connection() as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                rows = await (await cursor.execute(sql, parameters)).fetchall()
        except (psycopg.Error, TimeoutError) as error:
            DATABASE_ERRORS.inc()
            self.reachable = False
            logger.warning("database query failed: %s", error)
            raise DatabaseError("The inventory database does not answer") from error
        self.reachable = True
        return rows

    async def check(self) -> None:
        """Keep `reachable` fresh, and the error counters moving, where no client asks for the database."""
        with contextlib.suppress(DatabaseError):  # counted and logged
            await self.query("SELECT 1")
