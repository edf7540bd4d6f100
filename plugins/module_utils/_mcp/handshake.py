# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out the era and transport of a server, with at most one session open at a time."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Declined, Legacy, Modern, Transport
from ansible_collections.mcp.server.plugins.module_utils._mcp.http_sse import HttpSse
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import END, Trace
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

AUTO, SSE, ERAS = protocol.AUTO, protocol.SSE, protocol.ERAS
DISCOVER = "server/discover"


@dataclass
class Connections:
    """The connections to one server: one for requests, and one for the event stream of HTTP+SSE, opened when needed."""

    endpoint: Endpoint
    main: Connection  # for requests
    trace: Trace
    headers: dict[str, str]  # of every MCP request
    late: float  # seconds, see Streamable

    def __post_init__(self) -> None:
        self.stream = self.endpoint.connection()
        self.streamable = Streamable(self.main, self.endpoint.mcp_path, self.headers, self.late)

    @property
    def requests(self) -> int:
        return self.main.requests + self.stream.requests

    def close(self) -> None:
        """End all sessions, then close the connections."""
        self.end_sessions()
        self.stream.close()
        self.main.close()

    def end_sessions(self) -> None:
        """End all sessions. One that cannot be ended is a failed step, and does not make the server unhealthy."""
        for session in list(self.streamable.sessions):
            with suppress(Failure), self.trace.step(END, "DELETE") as bound:
                reply = self.streamable.end(session, bound)
                # 404: it has ended already. 405: this server does not let clients end sessions.
                if reply.status >= 300 and reply.status not in (404, 405):
                    raise Fault(reasons.of_reply(reply))

    def modern(self, *, required: bool) -> Modern | Declined:
        """Return a client, or Declined when this may be a legacy server. Raise Failure, also for that when required."""
        with self.trace.step("handshake", DISCOVER) as bound:
            # Silence leaves time for the other handshake.
            client = Modern.discover(self.streamable, bound if required else Deadline(bound.left / 2))
            if required and isinstance(client, Declined):
                cure = ": if this is a legacy server, set era to legacy or auto" if client.is_clear else ""
                raise Fault(f"{client.reason}{cure}")
            return client

    @contextmanager
    def legacy(
        self, problem_with: t.Callable[[Declined], str | None], revision: str | None = None
    ) -> t.Iterator[Legacy | Declined]:
        """Yield the answer to initialize, and end its sessions afterwards. The caller ends the handshake.

        problem_with: returns None for a refusal that is acceptable, or the predicate of the failure.
        """
        # The refusal of an earlier handshake may have opened one.
        self.end_sessions()
        try:
            with self.trace.step("handshake", "initialize") as bound:
                client = _initialize(self.streamable, bound, problem_with, revision)
            yield client
        finally:
            self.end_sessions()

    @contextmanager
    def sse(
        self, problem_with: t.Callable[[Declined], str | None], revision: str | None = None
    ) -> t.Iterator[Legacy | Declined]:
        """Yield the answer to initialize over HTTP+SSE, and close its stream afterwards; else as legacy()."""
        self.end_sessions()
        transport = HttpSse(self.stream, self.main, self.endpoint.mcp_path, self.headers, self.streamable.note)
        try:
            with self.trace.step("handshake", f"GET {self.endpoint.mcp_path}") as bound:
                try:
                    transport.open(bound)
                except Fault as fault:
                    # Other statuses tell of credentials or of an unhealthy server, not of the transport.
                    elsewhere = fault.evidence.get("status") in (None, 200, *protocol.OTHER_ERA_STATUSES)
                    cure = ": if this is a Streamable HTTP server, set era to auto" if elsewhere else ""
                    raise Fault(f"{fault.msg}{cure}", **fault.evidence) from None
            with self.trace.step("handshake", "initialize") as bound:
                client = _initialize(transport, bound, problem_with, revision)
            yield client
        finally:
            self.stream.close()
            self.end_sessions()


def _initialize(
    transport: Transport, bound: Deadline, problem_with: t.Callable[[Declined], str | None], revision: str | None
) -> Legacy | Declined:
    client = Legacy.initialize(transport, bound, revision or protocol.revisions(protocol.LEGACY)[-1])
    problem = problem_with(client) if isinstance(client, Declined) else None
    if problem:
        raise Fault(problem)
    return client


@contextmanager
def ready_client(connections: Connections, era: str) -> t.Iterator[Modern | Legacy]:
    """Yield a client after its handshake, in the newest way that C(era), one of ERAS, and the server allow."""
    refusal = None
    if era in (AUTO, protocol.MODERN):
        modern = connections.modern(required=era == protocol.MODERN)
        if isinstance(modern, Modern):
            yield modern
            return
        refusal = modern
    with ExitStack() as stack:
        try:
            client = stack.enter_context(_ready_legacy_client(connections, era))
        except Failure as failure:
            if refusal is None or refusal.is_clear:
                raise
            # The legacy handshake was only a guess: the first answer tells more.
            raise Failure(f"{DISCOVER} {refusal.reason}") from failure
        yield client


@contextmanager
def _ready_legacy_client(connections: Connections, era: str) -> t.Iterator[Legacy]:
    refusal = None
    if era != SSE:
        with connections.legacy(_problem_of_legacy if era == protocol.LEGACY else _problem_of_auto) as client:
            if isinstance(client, Legacy):
                initialized(connections, client)
                yield client
                return
            refusal = client
    opened = False
    try:
        with connections.sse(lambda refusal: refusal.reason) as client:
            opened = True
            client = t.cast(Legacy, client)
            initialized(connections, client)
            yield client
    except Failure as failure:
        if opened or refusal is None or failure.evidence.get("status", 200) not in (200, *protocol.OTHER_ERA_STATUSES):
            raise
        # HTTP+SSE was only a guess: the answer to initialize tells more.
        raise Failure(f"initialize {refusal.reason}") from failure


def initialized(connections: Connections, client: Legacy) -> None:
    with connections.trace.step("handshake", "notifications/initialized") as bound:
        client.initialized(bound)


def _problem_of_legacy(refusal: Declined) -> str:
    if refusal.answer is not None:
        return f"{refusal.reason}: if this is a modern server, set era to modern or auto"
    if refusal.reply.status in protocol.NO_POST_STATUSES:
        return f"{refusal.reason}; if this is an HTTP+SSE server, set era to sse or auto"
    return refusal.reason


def _problem_of_auto(refusal: Declined) -> str | None:
    tryable = refusal.answer is None and refusal.reply.status in protocol.NO_POST_STATUSES
    return None if tryable else refusal.reason


def accept_refusal(refusal: Declined) -> None:
    """Accept every refusal: a modern server need not serve legacy clients."""


def problem_of_revision(refusal: Declined) -> str | None:
    """Return why this answer does not tell whether the server accepts a revision; None when it refuses it."""
    return refusal.reason if refusal.reply.status in protocol.TRY_LATER_STATUSES else None
