# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Streamable HTTP: JSON-RPC messages are POSTed to one path; the answer is JSON or an event stream."""

from __future__ import annotations

import json
import re
import typing as t
from contextlib import contextmanager, suppress

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply, Response
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc, sse
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._text import printable

SESSION = "Mcp-Session-Id"
JSON = "application/json"
EVENTS = "text/event-stream"
JSON_POST = {"Content-Type": JSON, "Accept": f"{JSON}, {EVENTS}"}
ENDED = "got no answer before the event stream ended"
MIN_RETRY = 0.1  # seconds before a stream is resumed, whatever the server says
_SESSION_ID = re.compile(r"[\x21-\x7e]+")


class _StreamEnded(Fault):
    """An event stream ended without the answer."""


class Streamable:
    """One path of one server. Methods raise Fault.

    headers: of every request (credentials). late: seconds. sessions: ids of the open sessions. Some servers open one
    even for a request that they refuse, so every response is searched for an id: before its body is read, and also
    when it begins up to C(late) seconds after the time limit.
    """

    def __init__(self, connection: Connection, path: str, headers: dict[str, str], late: float) -> None:
        self._connection = connection
        self._path = path
        self._headers = headers
        self._late = late
        self._last_id = 0
        self.sessions: list[str] = []

    @property
    def session_mode(self) -> str:
        return "stateful" if self.sessions else "stateless"

    @property
    def session_headers(self) -> dict[str, str]:
        return {SESSION: self.sessions[-1]} if self.sessions else {}

    def request(
        self, method: str, params: dict[str, t.Any], headers: dict[str, str], bound: Deadline
    ) -> tuple[Reply, jsonrpc.Answer | None]:
        """Send a request; return the HTTP reply and the answer, None when the reply is not JSON-RPC."""
        self._last_id += 1
        decoder = sse.Decoder()
        try:
            with self._post(jsonrpc.request(self._last_id, method, params), headers, bound) as response:
                if response.content_type != EVENTS:
                    reply = response.read()
                    return reply, _answer_in_reply(reply, self._last_id)
                reply = response.reply()
                return reply, _in_events(response, decoder, self._last_id)
        except _StreamEnded:
            if not decoder.last_id:
                raise
        while True:
            with suppress(_StreamEnded):
                return reply, self._resume(decoder, headers, bound)

    def _resume(self, decoder: sse.Decoder, headers: dict[str, str], bound: Deadline) -> jsonrpc.Answer:
        """Return the answer in the rest of a stream that the server closed before it, as it may (SEP-1699)."""
        bound.pause(max(decoder.retry, MIN_RETRY))
        decoder.restart()
        headers = {**self._headers, **headers, "Accept": EVENTS, "Last-Event-ID": decoder.last_id}
        with self._connection.request("GET", self._path, bound, headers) as response:
            if response.status != 200 or response.content_type != EVENTS:
                raise Fault(f"{ENDED}, and returned {response.status} when asked for the rest")
            return _in_events(response, decoder, self._last_id)

    def notify(self, method: str, headers: dict[str, str], bound: Deadline) -> Reply:
        """Send a notification, which has no JSON-RPC answer; return the HTTP reply."""
        with self._post(jsonrpc.notification(method), headers, bound) as response:
            return response.reply() if response.content_type == EVENTS else response.read()

    def end(self, session: str, bound: Deadline, headers: t.Mapping[str, str] | None = None) -> Reply:
        self.sessions.remove(session)
        headers = {**self._headers, **(headers or {}), SESSION: session}
        return self._connection.fetch("DELETE", self._path, bound, headers)

    @contextmanager
    def _post(self, message: dict[str, t.Any], headers: dict[str, str], bound: Deadline) -> t.Iterator[Response]:
        headers = {**JSON_POST, **self._headers, **headers}
        late = None if SESSION in headers else (self._late, self.note)
        with self._connection.request(
            "POST", self._path, bound, headers, json.dumps(message).encode(), late
        ) as response:
            self.note(response)
            yield response

    def note(self, response: Response) -> None:
        for session in response.headers.get_all(SESSION, []):
            if not _SESSION_ID.fullmatch(session):
                raise Fault("returned a session id that is not visible ASCII")
            if session not in self.sessions:
                self.sessions.append(session)


def _answer_in_reply(reply: Reply, id: int) -> jsonrpc.Answer | None:
    """Return the answer of a reply. Raise Fault when official clients would not read it for its type."""
    answer = answer_in_body(reply, id)
    if isinstance(answer, dict) and reply.content_type != JSON:
        kind = printable(reply.content_type, 40) or "without a type"
        raise Fault(f"returned JSON as {kind}, which official clients refuse: they read {JSON}")
    return answer


def answer_in_body(reply: Reply, id: int) -> jsonrpc.Answer | None:
    try:
        message = jsonrpc.parse(reply.text)
    except ValueError:
        return None
    if reply.status >= 400 and not jsonrpc.is_message(message):
        return None
    return jsonrpc.answer_to(id, message)


def answer_in_event(event: sse.Event, id: int) -> jsonrpc.Answer | None:
    """Return the answer in an event, or None when the event has none. Raise Fault."""
    if event.name != "message":
        return None
    try:
        message = jsonrpc.parse(event.data)
    except ValueError as error:
        raise Fault(f"returned an event that is not JSON ({error})") from None
    return jsonrpc.answer_to(id, message)


def _in_events(response: Response, decoder: sse.Decoder, id: int) -> jsonrpc.Answer:
    for piece in response.pieces():
        for event in decoder.feed(piece):
            answer = answer_in_event(event, id)
            if answer is not None:
                return answer
    raise _StreamEnded(ENDED)
