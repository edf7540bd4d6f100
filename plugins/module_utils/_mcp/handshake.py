# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding out how a server is to be spoken to, with at most one session open at a time."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Declined, Legacy, Modern
from ansible_collections.mcp.server.plugins.module_utils._mcp.http_sse import HttpSse
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import END, Trace
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

AUTO, SSE, ERAS = protocol.AUTO, protocol.SSE, protocol.ERAS


@dataclass
class Line:
    """To one server: an open connection for requests and one for the event stream of HTTP+SSE, opened at need.

    headers: of every MCP request. late: see Streamable.
    """

    endpoint: Endpoint
    connection: Connection
    trace: Trace
    headers: dict[str, str]
    late: float

    def __post_init__(self) -> None:
        self.stream = self.endpoint.connection()
        self.streamable = Streamable(self.connection, self.endpoint.mcp_path, self.headers, self.late)

    @property
    def requests(self) -> int:
        return self.connection.requests + self.stream.requests

    def close(self) -> None:
        """Ends what the server keeps for us."""
        self.end_sessions()
        self.stream.close()
        self.connection.close()

    def end_sessions(self) -> None:
        """A session that cannot be ended is seen in the steps, and does not make its server unhealthy."""
        for session in list(self.streamable.sessions):
            with suppress(Failure), self.trace.step(END, "DELETE") as bound:
                reply = self.streamable.end(session, bound)
                # 404: it is gone already. 405: this server does not let clients end sessions.
                if reply.status >= 300 and reply.status not in (404, 405):
                    raise Fault(reasons.of_reply(reply))

    def modern(self, *, required: bool) -> Modern | None:
        """Greeted, or None when the server is a legacy one."""
        with self.trace.step("handshake", "server/discover") as bound:
            client = Modern.discover(self.streamable, bound)
            if isinstance(client, Modern):
                return client
            if required:
                raise Fault(f"{client.reason}: if this is a legacy server, set era to legacy or auto")
        return None

    @contextmanager
    def legacy(
        self, may_decline: t.Callable[[Declined], str | None], revision: str | None = None
    ) -> t.Iterator[Legacy | Declined]:
        """Asked, but not greeted yet, and left at the end. may_decline: None, or what is wrong with that."""
        # The refusal of another greeting may have opened one.
        self.end_sessions()
        try:
            with self.trace.step("handshake", "initialize") as bound:
                client = Legacy.initialize(self.streamable, bound, revision or protocol.revisions(protocol.LEGACY)[-1])
                complaint = may_decline(client) if isinstance(client, Declined) else None
                if complaint:
                    raise Fault(complaint)
            yield client
        finally:
            self.end_sessions()

    @contextmanager
    def sse(self) -> t.Iterator[Legacy]:
        """Asked over HTTP+SSE, but not greeted yet, and left at the end."""
        self.end_sessions()
        transport = HttpSse(self.stream, self.connection, self.endpoint.mcp_path, self.headers, self.streamable.note)
        try:
            with self.trace.step("handshake", f"GET {self.endpoint.mcp_path}") as bound:
                try:
                    transport.open(bound)
                except Fault as fault:
                    # Not where the server refuses who asks, or is unwell.
                    elsewhere = fault.evidence.get("status") in (None, 200, *protocol.OTHER_ERA_STATUSES)
                    cure = ": if this is a Streamable HTTP server, set era to auto" if elsewhere else ""
                    raise Fault(f"{fault.msg}{cure}", **fault.evidence) from None
            with self.trace.step("handshake", "initialize") as bound:
                client = Legacy.initialize(transport, bound)
                if isinstance(client, Declined):
                    raise Fault(client.reason)
            yield client
        finally:
            self.stream.close()
            self.end_sessions()


@contextmanager
def shake_hands(line: Line, era: str) -> t.Iterator[Modern | Legacy]:
    """A client for which the server is ready, in the newest way that era (one of ERAS) and the server allow. Raises Failure."""
    modern = line.modern(required=era == protocol.MODERN) if era in (AUTO, protocol.MODERN) else None
    if modern is not None:
        yield modern
        return
    refusal = None
    if era != SSE:
        with line.legacy(_no_legacy if era == protocol.LEGACY else _no_legacy_nor_sse) as client:
            if isinstance(client, Legacy):
                initialized(line, client)
                yield client
                return
            refusal = client
    opened = False
    try:
        with line.sse() as client:
            opened = True
            initialized(line, client)
            yield client
    except Failure as failure:
        if opened or refusal is None or failure.evidence.get("status", 200) not in (200, *protocol.OTHER_ERA_STATUSES):
            raise
        # It was worth a try, and what the server said before tells more.
        raise Failure(f"initialize {refusal.reason}") from failure


def initialized(line: Line, client: Legacy) -> None:
    with line.trace.step("handshake", "notifications/initialized") as bound:
        client.initialized(bound)


def _no_legacy(refusal: Declined) -> str:
    if refusal.answer is not None:
        return f"{refusal.reason}: if this is a modern server, set era to modern or auto"
    if refusal.reply.status in protocol.NO_POST_STATUSES:
        return f"{refusal.reason}; if this is an HTTP+SSE server, set era to sse or auto"
    return refusal.reason


def _no_legacy_nor_sse(refusal: Declined) -> str | None:
    tryable = refusal.answer is None and refusal.reply.status in protocol.NO_POST_STATUSES
    return None if tryable else refusal.reason


def anything_goes(refusal: Declined) -> None:
    """A modern server need not serve legacy clients."""
