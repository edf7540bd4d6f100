# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Server-sent events out of bytes that arrive in pieces (the WHATWG HTML standard, section 9.2)."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\r(?!\Z)|\n")


class Decoder:
    """Keeps what has not made a whole event yet."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._first_line = True

    def feed(self, piece: bytes) -> list[str]:
        """The data of each event that this piece completes; events without data (comments, ids, priming) are left out."""
        # A CR at the very end may be half of a CRLF: it stays in the rest.
        *lines, self._rest = _LINE_END.split(self._rest + piece)
        return [data for line in lines if (data := self._line(line))]

    def _line(self, line: bytes) -> str:
        text = line.decode("utf-8", errors="replace")
        if self._first_line:
            self._first_line = False
            text = text.removeprefix("\ufeff")
        if not text:
            data, self._data = "\n".join(self._data), []
            return data
        name, _colon, value = text.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
        return ""
