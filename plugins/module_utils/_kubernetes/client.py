# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to one API server: return its answer, or raise NoAnswer. connection.py gives both their meaning."""

from __future__ import annotations

import json
import sys
import traceback
import typing as t
import urllib.parse
from collections import deque
from contextlib import suppress

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Permanent, checked
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import tls
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.credentials import Credentials, Headers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.dial import Dialler, unknown_to
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, bounded, missing_library
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_BYTES = 64 * 1024 * 1024  # of an answer: a list of a large namespace
MAX_REFUSAL = 64 * 1024  # bytes of an answer that is no stream
IDLE = 8  # keep-alive connections
# Seconds after which an idle connection is not used again: a firewall may have dropped it silently.
MAX_IDLE = 30.0
# Seconds for which no server closes an idle connection. A write, which is not sent twice, uses no older one; when an
# older one turns out to be closed, that says nothing about the server.
JUST_USED = 1.0

Query = t.Sequence[tuple[str, str]]


class Answer(t.NamedTuple):
    status: int
    body: str
    headers: t.Mapping[str, str]
    reason: str = ""


class NoAnswer(Exception):
    """No usable answer arrived. final: whether it is useless to try again."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.final = reason, final


class Refusal(Exception):
    """A WebSocket or a stream was not opened; the server gave this answer instead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


def _first(size: int, pieces: t.Iterable[bytes]) -> t.Iterator[bytes]:
    """Yield the first so many bytes of the pieces."""
    for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


class Client:
    """A client of one API server. Thread-safe. seconds: how long a credential plugin may take."""

    def __init__(self, access: Access, seconds: float) -> None:
        self.host = access.host
        self._credentials = Credentials(access.user, seconds)
        self._dial = Dialler(access, self._credentials)
        self._idle: deque[tuple[Connection, Deadline]] = deque(maxlen=IDLE)

    def send(
        self,
        method: str,
        path: str,
        seconds: float,
        *,
        query: Query = (),
        body: t.Any = None,
        content_type: str | None = None,
    ) -> Answer:
        """Return the answer, whatever its status. seconds: for all of it. Raises NoAnswer, Failure."""
        data = None if body is None else json.dumps(body).encode()
        headers: Headers = {"Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = content_type or "application/json"
        target = self._target(path, query)
        proxy = self._dial.proxy if self._dial.forwards else None
        if proxy is not None:
            headers |= proxy.authorization
        who = self._credentials.headers()
        answer = self._sent(method, target, Deadline(seconds), {**headers, **who}, data)
        if proxy is not None and answer.status == 407:
            raise unknown_to(proxy)
        # A request that was not authenticated has changed nothing, so it may be sent again.
        if answer.status == 401 and self._credentials.renew(who):
            self._idle.clear()
            answer = self._sent(method, target, Deadline(seconds), {**headers, **self._credentials.headers()}, data)
        return answer

    def _sent(self, method: str, target: str, bound: Deadline, headers: Headers, data: bytes | None) -> Answer:
        connection, was_idle = self._connection(MAX_IDLE if method == "GET" else JUST_USED)
        subject = "the connection"
        try:
            connection.open(bound)
            was_idle = was_idle and connection.reused
            subject = "the request"
            with connection.request(method, target, bound, headers, data) as response:
                text = response.read().text
        except Permanent as fault:
            raise Failure(f"The request to the API server {self.host} {fault.msg}.") from None
        except Fault as fault:
            if was_idle and subject == "the request" and isinstance(fault.__context__, ConnectionError):
                return self._sent(method, target, bound, headers, data)
            # Without the advice, which is for MCP endpoints.
            raise NoAnswer(
                f"{subject} {fault.msg.partition(';')[0]}", final=tls.refuses_ours(fault.__context__)
            ) from None
        self._idle.append((connection, Deadline(MAX_IDLE)))
        return Answer(response.status, text, t.cast(t.Mapping[str, str], response.headers))

    def stream(self, path: str, bound: Deadline, query: Query, max_bytes: int) -> t.Iterator[bytes]:
        """Yield the pieces of an answer as they arrive, at most so many bytes of it.

        Raises Refusal, NoAnswer, Failure; the first piece, which may be empty, comes when the answer has begun.
        """
        who = self._credentials.headers()
        try:
            yield from self._streamed(path, bound, query, who, max_bytes)
            return
        except Refusal as refusal:
            if refusal.answer.status != 401 or not self._credentials.renew(who):
                raise
        yield from self._streamed(path, bound, query, self._credentials.headers(), max_bytes)

    def _streamed(
        self, path: str, bound: Deadline, query: Query, who: Headers, max_bytes: int
    ) -> t.Generator[bytes, None, None]:
        proxy = self._dial.proxy if self._dial.forwards else None
        # A connection of its own, closed afterwards: to read a long answer to its end only to keep it is no use.
        connection = Connection(self._dial, self._dial.authority, sys.maxsize, proxied=self._dial.forwards)
        headers = {"Accept": "*/*", **(proxy.authorization if proxy is not None else {}), **who}
        try:
            response = connection.begin("GET", self._target(path, query), bound, headers)
            if proxy is not None and response.status == 407:
                raise unknown_to(proxy)
            is_refused = not 200 <= response.status <= 299
            with connection.bounded(bound):
                pieces = _first(MAX_REFUSAL if is_refused else max_bytes, response.pieces())
                if is_refused:
                    text = b"".join(pieces).decode("utf-8", errors="replace")
                    told = t.cast(t.Mapping[str, str], response.headers)
                    raise Refusal(Answer(response.status, text, told))
                yield b""
                yield from pieces
        except Permanent as fault:
            raise Failure(f"The request to the API server {self.host} {fault.msg}.") from None
        except Fault as fault:
            final = tls.refuses_ours(fault.__context__)
            raise NoAnswer(f"the request {fault.msg.partition(';')[0]}", final=final) from None
        finally:
            connection.close()

    def _target(self, path: str, query: Query) -> str:
        return f"{self._dial.base}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")

    def _connection(self, longest: float) -> tuple[Connection, bool]:
        """Return a connection, and whether it was idle for a while. longest: seconds of idleness that are allowed."""
        with suppress(IndexError):
            while True:
                connection, since = self._idle.pop()
                if since.elapsed < longest:
                    return connection, since.elapsed >= JUST_USED
                connection.close()
        return Connection(self._dial, self._dial.authority, MAX_BYTES, proxied=self._dial.forwards), False

    def websocket(self, path: str, query: Query, protocol: str, seconds: float) -> t.Any:
        """Return an open WebSocket (of websocket-client), which the caller closes.

        Raises Refusal, NoAnswer, Failure.
        """
        who = self._credentials.headers()
        try:
            return self._websocket(path, query, {**who, "Sec-WebSocket-Protocol": protocol}, seconds)
        except Refusal as refusal:
            if refusal.answer.status != 401 or not self._credentials.renew(who):
                raise
        return self._websocket(
            path, query, {**self._credentials.headers(), "Sec-WebSocket-Protocol": protocol}, seconds
        )

    def _websocket(self, path: str, query: Query, headers: Headers, seconds: float) -> t.Any:
        try:
            import websocket  # lazy: emergency path
        except ImportError:
            raise Failure(missing_library("websocket-client"), exception=traceback.format_exc()) from None
        try:
            lines = [f"{name}: {value}" for name, value in checked(headers)]
        except Fault as fault:
            raise Failure(f"The request to {self.host} {fault.msg}.") from None
        url = f"ws://{self._dial.authority}{self._dial.base}{path}?{urllib.parse.urlencode(query)}"
        bound, made = Deadline(seconds), websocket.WebSocket(skip_utf8_validation=False)

        def opened() -> t.Any:
            sock = self._dial(bound, tunnel=True)
            try:
                sock.settimeout(max(bound.left, 0.001))
                # A redirect would get the credentials.
                made.connect(url, header=lines, socket=sock, redirect_limit=0)
                if made.getstatus() != 101:  # older versions of websocket-client accept any status
                    raise websocket.WebSocketException("Redirect limit exhausted")
                made.settimeout(None)
            except BaseException:
                with suppress(OSError):
                    sock.close()
                raise
            return made

        try:
            return bounded(opened, seconds)
        except websocket.WebSocketBadStatusException as error:
            body = getattr(error, "resp_body", None) or b""
            text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else str(body)
            raise Refusal(Answer(int(error.status_code), text, {})) from None
        except (websocket.WebSocketException, OSError, ValueError) as error:
            status = made.getstatus() or 0
            if 300 <= status < 400:
                raise Refusal(Answer(status, "", made.getheaders() or {})) from None
            reason = f"the connection failed ({printable(str(error), 200) or type(error).__name__})"
            raise NoAnswer(reason, final=tls.refuses_ours(error)) from None
