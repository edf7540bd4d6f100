# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decode server-sent events from pieces of bytes (the WHATWG HTML standard, section 9.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault

MAX_EVENT_BYTES = 4 * 1024 * 1024

RETRY = 1.0  # seconds, as in the official clients
_ID = re.compile(r"[\x21-\x7e]{0,1000}")  # that a header can carry
_MILLISECONDS = re.compile("[0-9]{1,6}")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Event:
    """An event of a stream."""

    name: str  # "message" when the stream names none
    data: str


class Decoder:
    """Decodes a stream. It keeps an incomplete event; its cost is linear in the bytes, however they arrive.

    last_id: of the newest event that had one, by which a client resumes the stream. retry: seconds to wait before that.
    """

    def __init__(self) -> None:
        self.last_id = ""
        self.retry = RETRY
        self.restart()

    def restart(self) -> None:
        """Begin with the stream that goes on after the last id."""
        self._id = self.last_id
        self._line = bytearray()
        self._after_cr = False
        self._first_line = True
        self._begin()

    def _begin(self) -> None:
        self._name = ""
        self._data: list[str] = []
        self._bytes = 0

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that this piece completes. Raise Fault when one is longer than MAX_EVENT_BYTES.

        Events without data are left out: the standard drops those without a data line (comments, ids), and those with
        empty data only prepare a client for resuming the stream.
        """
        # A CR ends the line: waiting for an LF that may follow could take for ever.
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
            raise Fault(f"returned an event of more than {MAX_EVENT_BYTES >> 20} MiB")

    def _end_line(self) -> Event | None:
        text = self._line.decode("utf-8", errors="replace")
        self._line.clear()
        if self._first_line:
            self._first_line = False
            text = text.removeprefix("\ufeff")
        if not text:
            event = Event(self._name or "message", "\n".join(self._data))
            self.last_id = self._id
            self._begin()
            return event if event.data else None
        field, _colon, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and _ID.fullmatch(value):
            self._id = value
        elif field == "retry" and _MILLISECONDS.fullmatch(value):
            self.retry = int(value) / 1000
        return None
