# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request of ours through the gateway, and what came of it: to the health path, or an MCP request in its place."""

from __future__ import annotations

import threading
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import fetch_health
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

RATE = 200.0  # requests per second; a server in trouble can still bear these
CONNECTIONS = 8
ANSWER_TIMEOUT = 3.0  # seconds for one answer
NO_ANSWER = 599  # in place of a status: nothing came


@dataclass(frozen=True)
class Said:
    """What came of one request."""

    reason: str  # why it counts as failed, a clause; empty when it does not
    status: int  # of HTTP, or NO_ANSWER
    seconds: float  # how long it took
    values: tuple[str, ...] = ()  # of the header pool_header
    document: dict[str, t.Any] = field(default_factory=dict)  # the health document
    server_info: dict[str, t.Any] = field(default_factory=dict)
    keeps: bool = True  # whether the connection may serve another request


class Way(t.Protocol):
    """How a server is asked. Thread-safe."""

    @property
    def rate(self) -> float:
        """Requests per second, at most."""

    @property
    def connections(self) -> int:
        """Requests at the same time, at most."""

    @property
    def note(self) -> str:
        """Why it is slower than others, a clause; empty where it is not."""

    def ask(self, connection: Connection, stop: threading.Event) -> Said | None:
        """Send one request. None: it tells nothing of the server, or stop was set. Raises nothing."""


@dataclass(frozen=True)
class HealthPath:
    """Asks for the health path."""

    endpoint: Endpoint
    path: str
    note: str = ""

    @property
    def rate(self) -> float:
        return RATE

    @property
    def connections(self) -> int:
        return CONNECTIONS

    def ask(self, connection: Connection, stop: threading.Event) -> Said | None:
        start, reason, status = time.monotonic(), "", 200
        answering = self.endpoint.answering
        try:
            document = fetch_health(connection, self.path, Deadline(ANSWER_TIMEOUT), answering.health_checks)
        except Failure as failure:
            document, reason = failure.evidence.get("health"), failure.msg
            status = failure.evidence.get("status", NO_ANSWER)
        document = document if isinstance(document, dict) else {}
        values = pool_values(connection, answering.pool_header)
        return Said(reason, status, time.monotonic() - start, values, document)


def pool_in(values: t.Collection[str]) -> str | None:
    """Return the pool that the header names. Two name none: each of two filters or proxies has added one. Pure."""
    found = set(values)
    return found.pop() if len(found) == 1 and found <= set(POOLS) else None


def pool_values(connection: Connection, header: str) -> tuple[str, ...]:
    """Return the values by which the header of the latest answer names a pool; none before an answer."""
    lines = connection.latest.headers.get_all(header, []) if connection.latest is not None else []
    return tuple(value.strip() for line in lines for value in line.split(","))
