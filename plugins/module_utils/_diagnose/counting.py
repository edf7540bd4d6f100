# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count the patterns in a stream of lines: how often, the first and the last time, and a few lines. Pure.

Memory does not grow with the stream.
"""

from __future__ import annotations

import re
import typing as t
from collections import deque
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._diagnose.expressions import MAX_LINE
from ansible_collections.mcp.server.plugins.module_utils._diagnose.patterns import Searched
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._text import printable

NEWEST = 2  # lines kept, beside the first
SHOWN = 200  # characters of a line that is shown
BLOCK, BLOCK_LINES = 64 * 1024, 1000  # characters and lines that are looked at together


class Counts(t.NamedTuple):
    """What was found in one stream, by the name of the pattern."""

    tallies: dict[str, Tally]
    lines: int = 0
    # The time of its last line; empty where it has none.
    end: str = ""


@dataclass
class Tally:
    """What was found of one pattern in one stream."""

    count: int = 0
    # Times as the cluster gave them; empty where it gave none.
    first: str = ""
    last: str = ""
    _first_line: str = ""
    _newest: deque[str] = field(default_factory=lambda: deque(maxlen=NEWEST))

    def add(self, at: str, line: str) -> None:
        if not self.count:
            self.first, self._first_line = at, line
        else:
            self._newest.append(line)
        self.count += 1
        self.last = at or self.last

    def lines(self) -> list[str]:
        """Return the first line and the newest ones, redacted, each different one once."""
        # A secret that is cut off is no longer known as one, so the line is redacted as it is, and then cut.
        shown = [printable(redact(line), SHOWN) for line in (self._first_line, *self._newest)]
        return list(dict.fromkeys(shown))


def count(lines: t.Iterable[tuple[str, str]], patterns: t.Sequence[Searched], about: t.Collection[str] = ()) -> Counts:
    """Return what was found, and how many lines there were.

    lines: time and text of each. about: lower-case texts, of which a line must contain one to count; empty for all: in
    the log of a gateway, the lines of other servers are nobody's business here.
    """
    found: dict[str, Tally] = {}
    number, end, mentions = 0, "", _mentions(about)
    for block in _blocks(lines):
        number += len(block)
        end = block[-1][0] or end
        # Most blocks have nothing, and this is what a large log costs.
        all_lower = "\n".join(line[:MAX_LINE] for _at, line in block).lower()
        likely = [one for one in patterns if one.expression.may_be_in(all_lower)]
        for at, line in block if likely else ():
            short = line[:MAX_LINE]
            lower = short.lower()
            if not mentions(lower):
                continue
            for pattern, expression in likely:
                if expression.is_in(short, lower):
                    found.setdefault(pattern.name, Tally()).add(at, line[: 4 * MAX_LINE])
    return Counts(found, number, end)


def _mentions(about: t.Collection[str]) -> t.Callable[[str], t.Any]:
    """Return what tells whether a line has one of these names or addresses, and not one that only contains it."""
    if not about:
        return bool
    names = "|".join(re.escape(one) for one in sorted(about))
    return re.compile(rf"(?<![a-z0-9.-])(?:{names})(?![a-z0-9-]|\.[a-z0-9])").search


def _blocks(lines: t.Iterable[tuple[str, str]]) -> t.Iterator[list[tuple[str, str]]]:
    """Yield the lines in blocks of a limited size."""
    block: list[tuple[str, str]] = []
    size = 0
    for one in lines:
        block.append(one)
        size += len(one[1])
        if size >= BLOCK or len(block) >= BLOCK_LINES:
            yield block
            block, size = [], 0
    if block:
        yield block
