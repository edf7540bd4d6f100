# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MCP requests in place of a health path: the cheapest one by which a server shows that it answers.

It depends on the server's era and on whether it keeps sessions, which the first request finds out. The two pools may
differ in that: an answer that only says so is followed by another request, and counts by what that one brings.
"""

from __future__ import annotations

import threading
import time
import typing as t
from contextlib import closing, suppress

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, eras, jsonrpc, protocol, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.http_sse import HttpSse
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import (
    ANSWER_TIMEOUT,
    CONNECTIONS,
    NO_ANSWER,
    RATE,
    Said,
    pool_values,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

DISCOVER, PING, INITIALIZE, STREAM, METADATA = "server/discover", "ping", "initialize", "GET", "metadata"
SLOW_RATE = 1.0  # new sessions per second: some servers keep each for ever
SLOW_CONNECTIONS = 5
LATE = 2.0  # seconds for which a late answer is waited for, to end the session that it opens
END_TIMEOUT = 2.0  # seconds to end a session
# By which servers say that they don't know a request, and not that they fail.
_STATUSES = protocol.OTHER_ERA_STATUSES | {422}
INTERNAL_ERROR = -32603


class Declined(Exception):
    """An answer that a server of another mode gives. is_clear: whether others would not give it as well."""

    def __init__(self, reason: str, status: int = NO_ANSWER, *, is_clear: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.is_clear = is_clear


class Pace:
    """Who may open a session now: at most one a second, and few at once. Thread-safe."""

    def __init__(self, rate: float = SLOW_RATE, at_once: int = SLOW_CONNECTIONS) -> None:
        self._every = 1 / rate
        self._lock = threading.Lock()
        self._next = 0.0
        self._open = threading.BoundedSemaphore(at_once)

    def turn(self, stop: threading.Event) -> bool:
        """Wait for a turn, which done() ends; return whether there is one, False when stop is set."""
        while not self._open.acquire(timeout=0.1):
            if stop.is_set():
                return False
        with self._lock:
            at = max(time.monotonic(), self._next)
            self._next = at + self._every
        if stop.wait(max(0.0, at - time.monotonic())):
            self.done()
            return False
        return True

    def done(self) -> None:
        self._open.release()


class Known:
    """What this run has learnt of a server: the request that it is asked by."""

    def __init__(self, way: str = "") -> None:
        self.way = way  # empty until the first good answer
        self.opens_sessions = False
        self.alternates = False  # between pools that accept no request in common
        self.refused_at = -1 / SLOW_RATE  # when no other request was accepted either, on the monotonic clock
        self.keeping: set[tuple[str, str]] = set()  # servers, by their serverInfo, that let no client end a session
        self.metadata_path = ""
        self.lock = threading.Lock()  # held while another request than the known one is tried
        self.pace = Pace()

    @property
    def is_slow(self) -> bool:
        return self.opens_sessions or self.alternates or not self.way

    def learn(self, way: str) -> None:
        """Note a request that was answered."""
        # Each server but a modern one accepts initialize, which therefore stays where pools differ.
        if self.way in (INITIALIZE, STREAM) and way != self.way:
            self.alternates = True
        self.way = way


# By address and path. A process has one task, so this is what a run has learnt.
_KNOWN: dict[tuple[str, ...], Known] = {}


def of(endpoint: Endpoint) -> OwnRequests:
    """Return the requests for a server, with what this run has learnt of it."""
    key = (endpoint.name, endpoint.authority, endpoint.mcp_path, str(endpoint.guarded))
    return OwnRequests(endpoint, _KNOWN.setdefault(key, Known(METADATA if endpoint.guarded else "")))


class OwnRequests:
    """Asks a server by MCP requests."""

    def __init__(self, endpoint: Endpoint, known: Known) -> None:
        self._endpoint = endpoint
        self._known = known

    @property
    def rate(self) -> float:
        return SLOW_RATE if self._known.is_slow else RATE

    @property
    def connections(self) -> int:
        if not self._known.way:
            return 1
        return SLOW_CONNECTIONS if self._known.is_slow else CONNECTIONS

    @property
    def note(self) -> str:
        if self._known.opens_sessions:
            return f"the server keeps sessions, so that {SLOW_RATE:g} new one a second is opened"
        if self._known.alternates:
            return f"the pools accept no request in common, so that {SLOW_RATE:g} a second is sent"
        return ""

    def ask(self, connection: Connection, stop: threading.Event) -> Said | None:
        known, way = self._known, self._known.way
        said = None
        if way:
            try:
                return self._paced(self._preferred(way), connection, stop, known.is_slow)
            except Declined as declined:
                said = self._failed(declined.reason, declined.status)
        with known.lock:
            if known.way == way:
                # Where nothing else was accepted a moment ago, a refusal is a failure.
                if said and time.monotonic() - known.refused_at < 1 / SLOW_RATE:
                    return said
                found = self._find(way, connection, stop)
                if found is None or not found.reason or said is None:
                    return found
                known.refused_at = time.monotonic()
                return said
        # Meanwhile another request has told what this one would have. A refusal tells nothing else.
        return None if way else self.ask(connection, stop)

    def _preferred(self, way: str) -> str:
        """Return the request to send: where serverInfo names the pool, one that is answered with it."""
        return INITIALIZE if way == PING and self._endpoint.server_infos else way

    def _find(self, refused: str, connection: Connection, stop: threading.Event) -> Said | None:
        """Send other requests than the refused one until the server accepts one, which is learnt."""
        known, refusals = self._known, dict[str, Declined]()
        # What the specification lets a client do: the modern request first. To most that know another, legacy is known.
        for way in (INITIALIZE, DISCOVER, STREAM) if refused else (DISCOVER, INITIALIZE, STREAM):
            posted = refusals.get(INITIALIZE)
            if way == refused or (way == STREAM and posted and posted.status not in protocol.NO_POST_STATUSES):
                continue
            try:
                said = self._paced(way, connection, stop, way != DISCOVER)
            except Declined as declined:
                refusals[way] = declined
                continue
            if said is not None and not said.reason:
                known.learn(self._cheapest(way, connection) if not refused else way)
            return said
        told = refusals.get(DISCOVER)
        if told is None or told.is_clear:
            told = refusals.get(INITIALIZE) or told or next(iter(refusals.values()))
        return self._failed(told.reason, told.status)

    def _cheapest(self, way: str, connection: Connection) -> str:
        """Return ping for a server without sessions that answers it."""
        if way != INITIALIZE or self._known.opens_sessions:
            return way
        with suppress(Declined):
            said = self._asked(PING, connection)
            if not said.reason and not self._known.opens_sessions:
                return PING
        return way

    def _paced(self, way: str, connection: Connection, stop: threading.Event, paced: bool) -> Said | None:
        """Send a request, once it is its turn where that matters; None when stop is set before. Raise Declined."""
        if not paced:
            return self._asked(way, connection)
        if not self._known.pace.turn(stop):
            return None
        try:
            return self._asked(way, connection)
        finally:
            self._known.pace.done()

    def _asked(self, way: str, connection: Connection) -> Said:
        """Send a request, end the session that it opens, and return what came. Raise Declined."""
        start, reason, info = time.monotonic(), "", dict[str, t.Any]()
        streamable = Streamable(connection, self._endpoint.mcp_path, dict(self._endpoint.headers), LATE)
        try:
            try:
                info = self._send(way, connection, streamable)
            except Fault as fault:
                reason = f"{way} {fault.msg}"
            seconds = time.monotonic() - start
            status = connection.latest.status if connection.latest is not None else NO_ANSWER
            if status in (401, 403) and not self._endpoint.headers and "this Host" not in reason:
                reason = f"{way} is answered {status} without credentials: name them in auth (mcp_auth)"
            values = pool_values(connection, self._endpoint.answering.pool_header)
            return Said(reason, status, seconds, values, server_info=info, keeps=way != STREAM)
        finally:
            self._end(way, connection, streamable, info)

    def _send(self, way: str, connection: Connection, streamable: Streamable) -> dict[str, t.Any]:
        """Send a request; return the serverInfo in its answer. Raise Declined, and Fault."""
        # The silence of an unknown server leaves time for another request.
        bound = Deadline(ANSWER_TIMEOUT if self._known.way or way != DISCOVER else ANSWER_TIMEOUT / 2)
        if way == METADATA:
            return self._read_metadata(connection, bound)
        if way == STREAM:
            return self._open_stream(connection, streamable, bound)
        if way == PING:
            # Without the revision, which the pools need not have in common.
            reply, answer = streamable.request(PING, {}, {}, bound)
            if eras.declined(reply, answer) and not _is_failure(answer):
                raise Declined(f"{PING} {reasons.of_exchange(reply, answer)}", reply.status)
            eras.result_in(reply, answer)
            return {}
        client = (eras.Modern.discover if way == DISCOVER else eras.Legacy.initialize)(streamable, bound)
        if isinstance(client, eras.Declined):
            return self._declined(way, client)
        return client.offer.server_info

    def _declined(self, way: str, client: eras.Declined) -> t.NoReturn:
        """Raise Declined, and Fault where the server would not answer so."""
        if client.fault is not None and self._known.way == way:
            raise client.fault
        if _is_failure(client.answer) or (client.reply.status >= 400 and client.reply.status not in _STATUSES):
            raise Fault(client.reason)
        raise Declined(f"{way} {client.reason}", client.reply.status or NO_ANSWER, is_clear=client.is_clear)

    def _open_stream(self, connection: Connection, streamable: Streamable, bound: Deadline) -> dict[str, t.Any]:
        with closing(self._endpoint.connection()) as posts:
            headers = dict(self._endpoint.headers)
            stream = HttpSse(connection, posts, self._endpoint.mcp_path, headers, streamable.note)
            try:
                stream.open(bound)
            except Fault as fault:
                if fault.evidence.get("status") in (200, *_STATUSES):
                    raise Declined(f"{STREAM} {fault.msg}", fault.evidence["status"]) from None
                raise
            self._known.opens_sessions = True
            if not self._endpoint.server_infos:
                return {}
            client = eras.Legacy.initialize(stream, bound)
            if isinstance(client, eras.Declined):
                raise Fault(client.reason)
            return client.offer.server_info

    def _read_metadata(self, connection: Connection, bound: Deadline) -> dict[str, t.Any]:
        """Ask for the document that a guarded server shows to everyone. Raise Fault."""
        known, path = self._known, self._endpoint.mcp_path
        reply = Reply(0)
        paths = (known.metadata_path, auth.WELL_KNOWN + path.rstrip("/"), auth.WELL_KNOWN)
        for path in dict.fromkeys(path for path in paths if path):
            reply = connection.fetch("GET", path, bound, {"Accept": "application/json"})
            if reply.status == 200:
                known.metadata_path = path
                return {}
            if reply.status != 404:
                break
        raise Fault(f"{reasons.of_reply(reply)}: with auth.expect_401, {auth.WELL_KNOWN} is asked for")

    def _end(self, way: str, connection: Connection, streamable: Streamable, info: dict[str, t.Any]) -> None:
        """End what a request has opened, as far as the server lets clients do that."""
        known = self._known
        if way == STREAM:
            connection.close()
        known.opens_sessions |= bool(streamable.sessions)
        server = (str(info.get("name"))[:128], str(info.get("version"))[:128])
        for session in list(streamable.sessions):
            if server in known.keeping:
                return
            with suppress(Fault):
                if streamable.end(session, Deadline(END_TIMEOUT)).status in (405, 501):
                    known.keeping.add(server)

    def _failed(self, reason: str, status: int) -> Said:
        return Said(reason, status, 0.0)


def _is_failure(answer: jsonrpc.Answer | None) -> bool:
    """Return whether this error says that the server fails, and not that it does not know a request."""
    return isinstance(answer, jsonrpc.Error) and answer.code == INTERNAL_ERROR
