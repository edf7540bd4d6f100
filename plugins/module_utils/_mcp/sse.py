# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Server-sent events out of bytes that arrive in pieces (the WHATWG HTML standard, section 9.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault

MAX_EVENT_BYTES = 4 * 1024 * 1024

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Event:
    """name: what it is, C(message) when the stream does not say."""

    name: str
    data: str


class Decoder:
    """Keeps what has not made a whole event yet: its cost is linear in the bytes, however they arrive."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._after_cr = False
        self._first_line = True
        self._begin()

    def _begin(self) -> None:
        self._name, self._data, self._bytes = "", [], 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes. Raises Fault when one is longer than MAX_EVENT_BYTES.

        An event without data is left out: the standard drops one that has no data
        line (comments, ids), and one whose data is empty primes a client that could
        resume the stream, and carries no message.
        """
        # A line ends with its CR already: waiting for the LF that may follow could be for ever.
        if self._after_cr and piece.startswith(b"\n"):
            piece, self._after_cr = piece[1:], False
        if piece:
            self._after_cr = piece.endswith(b"\r")
        events = []
        first, *others = _LINE_END.split(piece)
        self._grow(first)
        for other in others:
            if event := self._end_line():
                events.append(event)
            self._grow(other)
        return events

    def _grow(self, part: bytes) -> None:
        self._line += part
        self._bytes += len(part)
        if self._bytes > MAX_EVENT_BYTES:
            raise Fault(f"is answered with an event of more than {MAX_EVENT_BYTES >> 20} MiB")

    def _end_line(self) -> Event | None:
        text = self._line.decode("utf-8", errors="replace")
        self._line.clear()
        if self._first_line:
            self._first_line = False
            text = text.removeprefix("\ufeff")
        if not text:
            event = Event(self._name or "message", "\n".join(self._data))
            self._begin()
            return event if event.data else None
        field, _colon, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        return None
