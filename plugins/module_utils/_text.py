# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of others, made fit to be shown."""

from __future__ import annotations

import json
import typing as t


def printable(text: str | bytes, max_length: int) -> str:
    """Return text of others as a part of a sentence: one printable line, shortened to C(max_length) characters."""
    if isinstance(text, bytes):
        text = text[: 4 * max_length].decode("utf-8", errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * max_length]).split())
    return line if len(line) <= max_length else line[: max_length - 3] + "..."


def verdict_text(verdict: str) -> str:
    """Return a verdict for people: no_data as "no data"."""
    return verdict.replace("_", " ")


STARS = "********"
# Characters of the shortest value that is hidden. A shorter one is no secret, and its stars would spoil numbers.
SHORTEST = 4
SHORTEST_WORD = 8


def hide(text: str, secrets: t.Iterable[str]) -> str:
    """Return the text with stars for each secret in it, also for one that whoever made the text cut short."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, STARS)
        text = "...".join(_without_begin_of(form, part) for part in text.split("..."))
    return text


def _forms(secret: str) -> t.Iterator[str]:
    """Yield what it looks like in a text: as it is, on one line, in JSON; and its long words (a token without
    C(Bearer)).
    """
    if len(secret) >= SHORTEST:
        yield from (secret, " ".join(secret.split()) or secret, json.dumps(secret)[1:-1])
    yield from (word for word in secret.split() if len(word) >= SHORTEST_WORD)


def _without_begin_of(secret: str, part: str) -> str:
    for size in range(min(len(secret) - 1, len(part)), SHORTEST - 1, -1):
        if part.endswith(secret[:size]):
            return part[:-size] + STARS
    return part
