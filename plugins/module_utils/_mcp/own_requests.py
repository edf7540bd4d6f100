# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MCP requests in place of a health path: the cheapest one by which a server shows that it answers.

It depends on the server's era and on whether it keeps sessions, which the first request finds out. The two pools may
differ in that: a refusal that only says so is followed by another request, whose answer stands for it. Only an answer
of the same pool does, or a pool that fails would be excused by the other one.
"""

from __future__ import annotations

import threading
import time
import typing as t
from contextlib import closing, suppress

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, eras, jsonrpc, protocol, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.asking import Later
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.http_sse import HttpSse
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import (
    ANSWER_TIMEOUT,
    CONNECTIONS,
    NO_ANSWER,
    RATE,
    Said,
    pool_in,
    pool_values,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, without_part_of_secrets

DISCOVER, PING, INITIALIZE, STREAM, METADATA = "server/discover", "ping", "initialize", "GET", "metadata"
SLOW_RATE = 1.0  # new sessions per second: some servers keep each for ever
SLOW_CONNECTIONS = 5
LATE = 2.0  # seconds for which a late answer is waited for, to end the session that it opens
END_TIMEOUT = 2.0  # seconds to end a session
# By which servers say that they don't know a request, and not that they fail.
_STATUSES = protocol.OTHER_ERA_STATUSES | {422}
INTERNAL_ERROR = -32603
UNKNOWN_FAILS = (200, 500, 501)  # statuses by which servers may fail at a request that they don't know
TRYING = 8.0  # seconds to reach the pool that has refused a request, and to find what it accepts
DOUBT = 60.0  # seconds after which such refusals count as failed, though the gateway sent few requests to the pool
WAITING = 1.0  # seconds for which others wait for that
ORDER = (INITIALIZE, DISCOVER, STREAM)  # most servers accept the first one, whatever else they know


class Declined(Exception):
    """An answer that a server of another mode gives. is_clear: whether others would not give it as well."""

    def __init__(self, reason: str, *, is_clear: bool = True) -> None:
        super().__init__(reason)
        self.said = Said(reason, NO_ANSWER, 0.0)
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
        has_turn = False
        try:
            while not (has_turn or stop.is_set()):
                with self._lock:
                    left = self._next - time.monotonic()
                    if has_turn := left <= 0:
                        self._next = time.monotonic() + self._every
                if not has_turn:
                    stop.wait(left)
            return has_turn
        finally:  # also when a signal interrupts it
            if not has_turn:
                self.done()

    def done(self) -> None:
        self._open.release()


class Known:
    """What this run has learnt of a server: the request that it is asked by."""

    def __init__(self, way: str = "") -> None:
        self.way = way  # empty until the first good answer
        # Requests, by the pool that the header named; of those that were refused the statuses
        self.accepted: dict[str | None, set[str]] = {}
        self.refused: dict[str | None, dict[str, int]] = {}
        self.doubted: dict[str | None, float] = {}  # when a pool refused the known request first
        self.opens_sessions = False
        self.changed = False  # whether another request has taken the place of the first one
        self.alternates = False  # between pools that accept no request in common
        self.keeping: set[tuple[str, str]] = set()  # servers, by their serverInfo, that let no client end a session
        self.metadata_path = ""
        self.lock = threading.Lock()  # held while other requests than the known one are tried
        self.pace = Pace()

    @property
    def is_slow(self) -> bool:
        return self.opens_sessions or self.alternates or not self.way

    def accept(self, way: str, said: Said) -> None:
        """Note a request that was accepted."""
        pool = pool_in(said.values)
        self.accepted.setdefault(pool, set()).add(way)
        self.refused.pop(pool, None)
        self.doubted.pop(pool, None)

    def change(self, way: str, said: Said) -> None:
        """Note a request that a pool accepted, which refused the known one."""
        # It was given up before as the other pool refused it.
        self.alternates |= way in self.accepted.get(pool_in(said.values), ())
        self.changed = True
        self.accept(way, said)
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
    def request(self) -> str:
        """Return the request that the server is asked by; empty before the first good answer."""
        return self._known.way

    @property
    def note(self) -> str:
        if self._known.opens_sessions:
            return "the server keeps sessions: one new session a second"
        if self._known.alternates:
            return "the pools accept no request in common: one request a second"
        return ""

    def ask(self, connection: Connection, stop: threading.Event) -> Said | None:
        known, way = self._known, self._known.way
        if not way:
            with known.lock:
                if not known.way:
                    return self._first(connection, stop)
            return self.ask(connection, stop)
        try:
            said = self._paced(self._preferred(way), connection, stop, known.is_slow)
        except Declined as declined:
            refusal = declined.said
        else:
            if said is not None and not said.reason:
                known.accept(way, said)
            return said
        if not known.lock.acquire(timeout=WAITING):
            return None
        try:
            # Meanwhile another request may have told what this refusal does: it tells nothing else.
            return self._instead(way, refusal, connection, stop) if known.way == way else None
        finally:
            known.lock.release()

    def _preferred(self, way: str) -> str:
        """Return the request to send: where serverInfo names the pool, one that is answered with it."""
        return INITIALIZE if way == PING and self._endpoint.server_infos else way

    def _first(self, connection: Connection, stop: threading.Event) -> Said | None:
        """Find the request that the server accepts, in the order in which the specification lets clients try."""
        refusals: dict[str, Declined] = {}
        for way in (DISCOVER, INITIALIZE, STREAM):
            if way == STREAM and refusals[INITIALIZE].said.status not in protocol.NO_POST_STATUSES:
                break
            try:
                said = self._paced(way, connection, stop, way != DISCOVER)
            except Declined as declined:
                refusals[way] = declined
                continue
            # Some servers fail at a request that they don't know, which must not keep them from being asked by others.
            if way == DISCOVER and said is not None and said.reason and said.status in UNKNOWN_FAILS:
                refusals[way] = Declined(said.reason, is_clear=False)
                refusals[way].said = said
                continue
            if said is not None and not said.reason:
                self._known.accept(way, said)
                self._known.way = self._cheapest(way, connection)
            return said
        return refusals[INITIALIZE if refusals[DISCOVER].is_clear else DISCOVER].said

    def _instead(self, refused: str, refusal: Said, connection: Connection, stop: threading.Event) -> Said | None:
        """Return what the pool that refused a request answers to others; its refusal when it accepts none of them.

        None when the gateway sends none of them to this pool in time.
        """
        known, pool = self._known, pool_in(refusal.values)
        mine = known.accepted.get(pool, set())
        if refused in mine if pool else (known.changed or known.accepted.keys() != {None}):
            return refusal  # it accepted this one before, or is not known to be of a pool
        if time.monotonic() - known.doubted.setdefault(pool, time.monotonic()) > DOUBT:
            return refusal
        # Of a pool that gets few requests, what was refused earlier counts too.
        statuses = known.refused.setdefault(pool, {})
        statuses[refused] = refusal.status
        bound = Deadline(TRYING)
        while bound.left and not stop.is_set():
            ways = [way for way in (sorted(mine) if pool and mine else ORDER) if way not in statuses]
            if statuses.get(INITIALIZE, 404) not in protocol.NO_POST_STATUSES:
                ways = [way for way in ways if way != STREAM]
            if not ways:
                return refusal
            try:
                # Until one has opened a session, nothing is slow.
                said = self._paced(ways[0], connection, stop, known.opens_sessions)
            except Declined as declined:
                if pool_in(declined.said.values) == pool:
                    statuses[ways[0]] = declined.said.status
            else:
                if said is None:
                    return None
                answered = pool_in(said.values)
                if answered == pool and not said.reason:
                    known.change(ways[0], said)
                if answered == pool or (answered is None and said.reason):
                    return said
            stop.wait(1 / RATE)
        return None

    def _cheapest(self, way: str, connection: Connection) -> str:
        """Return ping for a server without sessions that answers it."""
        if way == INITIALIZE and not self._known.opens_sessions:
            with suppress(Declined):
                if not self._asked(PING, connection).reason and not self._known.opens_sessions:
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
        start, reason, info, declined = time.monotonic(), "", dict[str, t.Any](), None
        try:
            headers = dict(self._endpoint.headers)
        except Failure as failure:  # they are read here where nothing waits for them
            return Said(failure.msg, NO_ANSWER, 0.0)
        streamable = Streamable(connection, self._endpoint.mcp_path, headers, LATE)
        try:
            try:
                info = self._send(way, connection, streamable)
            except Declined as refused:
                declined, reason = refused, refused.said.reason
            except Fault as fault:
                reason = f"{way} {fault.msg}"
            said = self._said(way, connection, reason, time.monotonic() - start, info)
            given = self._endpoint.headers
            if said.status == 401 and isinstance(given, Later) and given.renew(headers):
                return self._asked(way, connection)
            if declined is not None:
                declined.said = said
                raise declined
            return said
        finally:
            self._end(way, connection, streamable, info)

    def _said(self, way: str, connection: Connection, reason: str, seconds: float, info: dict[str, t.Any]) -> Said:
        status = connection.latest.status if connection.latest is not None else NO_ANSWER
        if status in (401, 403) and not self._endpoint.headers and "this Host" not in reason:
            reason = f"{way} is answered {status} without credentials: name them in auth (mcp_auth)"
        values = pool_values(connection, self._endpoint.answering.pool_header)
        # A server may repeat what it refuses, and reasons are recorded and announced.
        reason = without_part_of_secrets(reason) if reason else ""
        return Said(reason, status, seconds, values, server_info=info, keeps=way != STREAM)

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
                raise Declined(f"{PING} {reasons.of_exchange(reply, answer)}")
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
        raise Declined(f"{way} {client.reason}", is_clear=client.is_clear)

    def _open_stream(self, connection: Connection, streamable: Streamable, bound: Deadline) -> dict[str, t.Any]:
        with closing(self._endpoint.connection()) as posts:
            headers = dict(self._endpoint.headers)
            stream = HttpSse(connection, posts, self._endpoint.mcp_path, headers, streamable.note)
            try:
                stream.open(bound)
            except Fault as fault:
                if fault.evidence.get("status") in (200, *_STATUSES):
                    raise Declined(f"{STREAM} {fault.msg}") from None
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


def _is_failure(answer: jsonrpc.Answer | None) -> bool:
    """Return whether this error says that the server fails, and not that it does not know a request."""
    return isinstance(answer, jsonrpc.Error) and answer.code == INTERNAL_ERROR
