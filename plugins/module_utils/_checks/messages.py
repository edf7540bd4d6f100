# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown of a check: one line, bounded, without the values of headers, environment and token. Pure."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import printable

STARS = "********"
# Characters of the shortest value that is hidden. A shorter one is no secret, and its stars would spoil numbers.
SHORTEST = 4
SHORTEST_WORD = 8

MAX_OUTPUT = 2000  # characters of a command's output that are kept as evidence
MAX_QUOTE = 200  # and in a sentence
_KEPT = 16 * 1024  # bytes of which that is made


def as_text(value: t.Any) -> str:
    """Return the value of a header or a variable as it is sent: YAML gives true and 8080."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def hide(text: str, secrets: t.Iterable[str]) -> str:
    """Return the text with stars for each secret in it, also for one that whoever made the text cut short."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, STARS)
        text = "...".join(_without_begin_of(form, part) for part in text.split("..."))
    return text


def _forms(secret: str) -> t.Iterator[str]:
    """Yield what it looks like in a text: as it is, on one line, in JSON; and its long words (a token without C(Bearer))."""
    if len(secret) >= SHORTEST:
        yield from (secret, " ".join(secret.split()) or secret, json.dumps(secret)[1:-1])
    yield from (word for word in secret.split() if len(word) >= SHORTEST_WORD)


def _without_begin_of(secret: str, part: str) -> str:
    for size in range(min(len(secret) - 1, len(part)), SHORTEST - 1, -1):
        if part.endswith(secret[:size]):
            return part[:-size] + STARS
    return part


class Tail:
    """The end of what a command writes, however much that is."""

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
            text = text[max(map(len, secrets), default=0) :]  # it may begin in the middle of one
        # Hidden again: what was on two lines is on one now.
        return hide(printable(text, len(text)), secrets)[-MAX_OUTPUT:]


def with_output(reason: str, output: str) -> str:
    """Return a reason with the end of the output that came before it."""
    if not output:
        return f"{reason}, without any output"
    return f"{reason}; its output ends with: {output if len(output) <= MAX_QUOTE else '...' + output[-MAX_QUOTE:]}"
