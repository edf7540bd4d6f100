# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of others, made fit to be shown on a terminal, a page or a chat."""

from __future__ import annotations

import json
import re
import typing as t

MAX_MESSAGE = 10_000  # characters of a message or a line of progress


def printable(text: str | bytes, max_length: int) -> str:
    """Return text of others as a part of a sentence: one printable line, shortened to C(max_length) characters."""
    if isinstance(text, bytes):
        text = text[: 4 * max_length].decode("utf-8", errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * max_length]).split())
    return line if len(line) <= max_length else line[: max_length - 3] + "..."


def escaped(text: str, keep: str = "") -> str:
    """Return the text with escapes for what moves the cursor, ends the line or turns the direction of writing.

    keep: characters that stay. Nothing is left out, unlike in printable().
    """
    if text.isprintable():
        return text
    odd = {char for char in set(text) if not char.isprintable() and char not in keep}
    return text.translate({ord(char): char.encode("unicode_escape").decode() for char in odd})


def one_line(text: str) -> str:
    """Return a message or a line of progress so that it stays one line, and moves nothing."""
    text = escaped(" ".join(text[: 2 * MAX_MESSAGE].splitlines()), keep="\t")
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 3]}..."


def fit_for_screen(value: t.Any) -> t.Any:
    """Return a task's result with escapes in all its texts, which may have several lines; msg has one."""
    if isinstance(value, str):
        return value if value.isprintable() else escaped(value, keep="\n\t")
    if isinstance(value, t.Mapping):
        return {
            fit_for_screen(key): one_line(one) if key == "msg" and isinstance(one, str) else fit_for_screen(one)
            for key, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [fit_for_screen(one) for one in value]
    return value


_AFTER = "\u200b"  # a space without width: what it follows begins nothing
_MENTION = re.compile(r"(?<![\w.])@(?=\w)")  # not of an image's digest, v1.2.0@sha256:...
_MARKUP = re.compile(r"[<!](?=\S)|](?=\()|:(?=//)")


def inert(text: str, max_length: int) -> str:
    """Return text of others for a chat: one line without mentions, links and tags, in Markdown, HTML or Slack's."""
    return _MARKUP.sub(rf"\g<0>{_AFTER}", _MENTION.sub(f"@{_AFTER}", printable(text, max_length)))


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
