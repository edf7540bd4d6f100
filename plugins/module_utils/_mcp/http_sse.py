# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP+SSE, the transport of revision 2024-11-05: answers come on a stream that is opened first and says where to POST."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urljoin, urlsplit

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply, Response
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc, reasons, sse
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import (
    EVENTS,
    JSON_POST,
    answer_in_body,
    answer_in_event,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline


class HttpSse:
    """One stream of one server; its methods raise Fault. The session ends with the stream, which its owner closes.

    stream, posts: two connections to the same server, of which the first is ours alone. note: is shown the answer to
    the GET, since servers of the other transport open sessions for it.
    """

    session_mode = "sse"
    session_headers: t.ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        stream: Connection,
        posts: Connection,
        path: str,
        headers: dict[str, str],
        note: t.Callable[[Response], None],
    ) -> None:
        self._stream = stream
        self._posts = posts
        self._path = path
        self._headers = headers
        self._note = note
        self._last_id = 0
        self._target = ""

    def open(self, bound: Deadline) -> None:
        """Raises Fault when there is no such stream here; its evidence has the HTTP status."""
        response = self._stream.begin("GET", self._path, bound, {"Accept": EVENTS, **self._headers})
        self._note(response)
        if response.status != 200 or response.content_type != EVENTS:
            with self._stream.bounded(bound):
                raise Fault(reasons.of_reply(response.read()), status=response.status)
        self._events = _events(response.pieces())
        with self._stream.bounded(bound):
            first = next(self._events, None)
        if first is None or first.name != "endpoint":
            raise Fault("is answered with an event stream that does not begin with an endpoint event", status=200)
        # The address holds the session's id: no sentence may quote it.
        self._target = path_of(first.data, self._stream.authority, self._path)

    def ask(
        self, method: str, params: dict[str, t.Any], headers: dict[str, str], bound: Deadline
    ) -> tuple[Reply, jsonrpc.Answer | None]:
        self._last_id += 1
        reply = self._post(jsonrpc.request(self._last_id, method, params), headers, bound)
        if reply.status >= 300:
            return reply, answer_in_body(reply, self._last_id)
        with self._stream.bounded(bound):
            for event in self._events:
                answer = answer_in_event(event, self._last_id)
                if answer is not None:
                    return Reply(200, EVENTS), answer
        raise Fault("is not answered before the event stream ends")

    def tell(self, method: str, headers: dict[str, str], bound: Deadline) -> Reply:
        return self._post(jsonrpc.notification(method), headers, bound)

    def _post(self, message: dict[str, t.Any], headers: dict[str, str], bound: Deadline) -> Reply:
        with self._posts.request(
            "POST", self._target, bound, {**JSON_POST, **self._headers, **headers}, json.dumps(message).encode()
        ) as response:
            return response.read()


def path_of(endpoint: str, authority: str, path: str) -> str:
    """Path and query of the endpoint event. Raises Fault when it leads to another server, whom our requests are not for."""
    try:
        split = urlsplit(urljoin(f"http://{authority}{path}", endpoint.strip()))
        usable = (
            split.netloc == authority and endpoint.isascii() and endpoint.isprintable() and " " not in endpoint.strip()
        )
    except ValueError:
        usable = False
    if not usable:
        raise Fault("is answered with an endpoint event that does not name a path of this server")
    return split.path + (f"?{split.query}" if split.query else "")


def _events(pieces: t.Iterable[bytes]) -> t.Iterator[sse.Event]:
    decoder = sse.Decoder()
    for piece in pieces:
        yield from decoder.feed(piece)
