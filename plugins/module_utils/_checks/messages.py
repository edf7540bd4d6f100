# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of checks for people: one line, bounded, without the values of headers, environment and token. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import hide, printable

MAX_OUTPUT = 2000  # characters of a command's output that are kept as evidence
MAX_QUOTE = 200  # characters of it in a message
_KEPT = 16 * 1024  # bytes of output that are kept until its end


def as_text(value: t.Any) -> str:
    """Return the value of a header or a variable as text: YAML makes a bool of true, and an int of 8080."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


class Tail:
    """The end of a command's output, however long that is."""

    def __init__(self) -> None:
        self._bytes = b""
        self._cut = False

    def add(self, piece: bytes) -> None:
        whole = self._bytes + piece
        self._cut = self._cut or len(whole) > _KEPT
        self._bytes = whole[-_KEPT:]

    def text(self, secrets: t.Sequence[str] = ()) -> str:
        """Return its last MAX_OUTPUT characters on one line."""
        text = hide(self._bytes.decode("utf-8", errors="replace"), secrets)
        if self._cut:
            text = text[max(map(len, secrets), default=0) :]  # its beginning may be the rest of a secret
        # Hidden again: what was on two lines is on one now.
        return hide(printable(text, len(text)), secrets)[-MAX_OUTPUT:]


def with_output(reason: str, output: str) -> str:
    """Return a reason with the end of the output that came before it."""
    if not output:
        return f"{reason}, without any output"
    return f"{reason}; its output ends with: {output if len(output) <= MAX_QUOTE else '...' + output[-MAX_QUOTE:]}"
