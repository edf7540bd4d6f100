# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Streamable HTTP: JSON-RPC messages are POSTed to one path and answered there, as JSON or as an event stream."""

from __future__ import annotations

import json
import re
import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply, Response
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc, sse
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

SESSION = "Mcp-Session-Id"
EVENTS = "text/event-stream"
JSON_POST = {"Content-Type": "application/json", "Accept": f"application/json, {EVENTS}"}
_SESSION_ID = re.compile(r"[\x21-\x7e]+")


class Streamable:
    """One path of one server; its methods raise Fault.

    headers: of every request (credentials). sessions: the ids of all sessions
    that the server has opened for us and we have not ended. Some servers open
    one even for a request that they refuse, so every answer is looked at,
    before its body is read, and even one that comes too late, by at most
    C(late) seconds.
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

    def ask(
        self, method: str, params: dict[str, t.Any], headers: dict[str, str], bound: Deadline
    ) -> tuple[Reply, jsonrpc.Answer | None]:
        """The answer, or None when something else than JSON-RPC came instead."""
        self._last_id += 1
        with self._post(jsonrpc.request(self._last_id, method, params), headers, bound) as response:
            if response.content_type == EVENTS:
                return response.reply(), _in_events(response, self._last_id)
            reply = response.read()
            return reply, answer_in_body(reply, self._last_id)

    def tell(self, method: str, headers: dict[str, str], bound: Deadline) -> Reply:
        """Send a notification, which has no answer."""
        with self._post(jsonrpc.notification(method), headers, bound) as response:
            return response.reply() if response.content_type == EVENTS else response.read()

    def end(self, session: str, bound: Deadline) -> Reply:
        self.sessions.remove(session)
        return self._connection.fetch("DELETE", self._path, bound, {**self._headers, SESSION: session})

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
                raise Fault("is answered with a session id that is not visible ASCII")
            if session not in self.sessions:
                self.sessions.append(session)


def answer_in_body(reply: Reply, id: int) -> jsonrpc.Answer | None:
    try:
        message = jsonrpc.parse(reply.text)
    except ValueError:
        return None
    if reply.status >= 400 and not jsonrpc.is_message(message):
        return None
    return jsonrpc.answer_to(id, message)


def answer_in_event(event: sse.Event, id: int) -> jsonrpc.Answer | None:
    """None when it is something else that the server has to say. Raises Fault."""
    if event.name != "message":
        return None
    try:
        message = jsonrpc.parse(event.data)
    except ValueError as error:
        raise Fault(f"is answered with an event that is not JSON ({error})") from None
    return jsonrpc.answer_to(id, message)


def _in_events(response: Response, id: int) -> jsonrpc.Answer:
    decoder = sse.Decoder()
    for piece in response.pieces():
        for event in decoder.feed(piece):
            answer = answer_in_event(event, id)
            if answer is not None:
                return answer
    raise Fault("is not answered before the event stream ends")
