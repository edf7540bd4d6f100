# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular expressions of users, with a bound on the work that one line of a log may cost. Pure.

Python's matcher backtracks: some expressions take years for a line of 60 characters, and whoever writes to a log
chooses the line. So an expression is judged before it is used: by how many ways it can match at one place of a line.
"""

from __future__ import annotations

import importlib
import re
import typing as t

MAX_LINE = 1000  # characters of a line that are searched
MAX_WAYS = 2500  # at one place of a line
MAX_LENGTH = 1000  # characters of an expression

Node = tuple[t.Any, t.Any]


class Expression(t.NamedTuple):
    """A regular expression that is safe to search for, without regard to case."""

    search: t.Callable[[str], t.Any]
    # Lower-case texts of which each match contains at least one; empty where none is sure.
    literals: frozenset[str]

    def may_be_in(self, lower: str) -> bool:
        """Return whether it may be found in lines. lower: their text in lower case."""
        return not self.literals or any(one in lower for one in self.literals)

    def is_in(self, line: str, lower: str) -> bool:
        """Return whether it is found. line: at most MAX_LINE characters. lower: the same in lower case."""
        return self.may_be_in(lower) and self.search(line) is not None


class Invalid(Exception):
    """The expression is no regular expression, or not a safe one; the text is a clause that says why."""


def compiled(text: str) -> Expression:
    """Return the expression. Raises Invalid."""
    if not text or len(text) > MAX_LENGTH:
        raise Invalid(f"it must have 1 to {MAX_LENGTH} characters")
    try:
        expression = re.compile(text, re.IGNORECASE)
        # Private to Python's library, and the only reader of expressions that agrees with its matcher.
        nodes = list(importlib.import_module("re._parser").parse(text, re.IGNORECASE))
    except (re.error, RecursionError, OverflowError) as error:
        raise Invalid(f"it is not a regular expression ({error})") from None
    if expression.match("") is not None:
        raise Invalid("it matches every line")
    ways = _ways(nodes)
    if ways > MAX_WAYS:
        raise Invalid(
            f"it may match in {_shown(ways)} ways at one place of a line, and {MAX_WAYS} are allowed: have at most one "
            "* or +, write .{0,40} in place of .*, and repeat no group that holds a repeat"
        )
    return Expression(expression.search, frozenset(_literals(nodes)))


def _shown(ways: int) -> str:
    return str(ways) if ways < 10**9 else "more than 1,000,000,000"


def _ways(nodes: t.Iterable[Node]) -> int:
    """Return how many ways a matcher may try at one place, at most; capped, as the product grows fast."""
    total = 1
    for node in nodes:
        total = min(total * _ways_of(node), 10**12)
    return total


def _ways_of(node: Node) -> int:
    kind, of = str(node[0]), node[1]
    if kind == "BRANCH":
        return sum(_ways(one) for one in of[1])
    if kind == "SUBPATTERN":
        return _ways(of[-1])
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = int(of[0]), min(int(of[1]), MAX_LINE), list(of[2])
        once = _ways(inner)
        if once == 1:
            return max(most - least, 0) + 1
        # Each repeat has the choices of the group once more.
        return int(sum(min(once**count, 10**12) for count in range(least, min(most, least + 50) + 1)))
    if kind == "ATOMIC_GROUP":
        return _ways(of)
    if kind in ("ASSERT", "ASSERT_NOT"):
        return _ways(of[1])
    if kind in ("GROUPREF", "GROUPREF_EXISTS", "GROUPREF_IGNORE"):
        return 10**12  # what it costs depends on what was matched before
    return 1


def _literals(nodes: t.Sequence[Node]) -> set[str]:
    """Return lower-case texts of which each match contains at least one: of the best part of a sequence."""
    found: list[set[str]] = []
    run = ""
    for node in [*nodes, (None, None)]:
        if str(node[0]) == "LITERAL":
            char = chr(node[1])
            # A few letters have another length, or two forms, in lower case: what is not ASCII ends the run.
            if char.isascii():
                run += char.lower()
                continue
        if run:
            found.append({run})
        run = ""
        found.append(_literals_of(node))
    sure = [one for one in found if one]
    return max(sure, key=lambda texts: min(map(_rarity, texts)), default=set())


def _rarity(text: str) -> int:
    """Return how rare a text may be: numbers such as a status are rarer than words that each line of a log has."""
    return len(text) + (3 if any(char.isdigit() for char in text) else 0)


def _literals_of(node: Node) -> set[str]:
    kind, of = str(node[0]), node[1]
    if kind == "BRANCH":
        each = [_literals(list(one)) for one in of[1]]
        return set().union(*each) if all(each) else set()
    if kind == "SUBPATTERN":
        # Flags of a group, such as (?-i:...), change nothing of what its texts are in lower case.
        return _literals(list(of[-1]))
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and int(of[0]) > 0:
        return _literals(list(of[2]))
    return set()
