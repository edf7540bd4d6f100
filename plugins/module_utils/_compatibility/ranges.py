# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges of versions in the forms that people write into a matrix. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

Numbers: t.TypeAlias = "tuple[int, ...]"

FORMS = "1.2.x, 1.24+, 1.0.x - 1.2.x or 1.2.3; several with commas"
MAX_TEXT = 200  # characters of a range

_NUMBERS = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", re.ASCII)
# A whole number alone, as in 2.x and 2+, is a bound, and no version.
_BOUND = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,2})(\.[xX*])?", re.ASCII)


class Range(t.NamedTuple):
    """Versions from the lowest to the highest one, with all that begin with it. None is no limit."""

    lowest: Numbers | None
    highest: Numbers | None


def numbers(version: t.Any) -> Numbers | None:
    """Return the numbers that a version begins with, such as (1, 27, 3) of v1.27.3+k3s1; None of what has none.

    A date, a hash, a digest and a branch have none that could be compared with a release's.
    """
    if not isinstance(version, str) or not _versions.is_comparable(version[:MAX_TEXT]):
        return None
    found = _NUMBERS.match(version)
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def parse(text: str) -> list[Range]:
    """Return the ranges of a text; of an empty one, none. Raise Failure when it has another form."""
    if len(text) > MAX_TEXT:
        raise Failure(f"A range of versions is longer than {MAX_TEXT} characters: write it as {FORMS}.")
    return [_range(part.strip(), text) for part in text.split(",") if part.strip()]


def has(ranges: t.Sequence[Range], version: Numbers) -> bool:
    """Return whether a version is in one of them. No range has all."""
    return not ranges or any(_in_range(one, version) for one in ranges)


def _in_range(one: Range, version: Numbers) -> bool:
    if one.lowest is not None and _padded(version) < _padded(one.lowest):
        return False
    return one.highest is None or version[: len(one.highest)] <= one.highest


def _padded(version: Numbers) -> Numbers:
    return (*version, 0, 0, 0)[:3]


def _range(text: str, whole: str) -> Range:
    first, dash, last = (part.strip() for part in text.partition(" - "))
    if dash:
        one = Range(_bound(first, whole), _bound(last, whole))
        if t.cast("Numbers", one.lowest) > t.cast("Numbers", one.highest):
            raise Failure(f"{_shown(whole)} is a range that ends before it begins: write the lower version first.")
        return one
    if text.endswith("+"):
        return Range(_bound(text[:-1], whole), None)
    bound = _bound(text, whole)
    return Range(bound, bound)


def _bound(text: str, whole: str) -> Numbers:
    found = _BOUND.fullmatch(text)
    if found is None:
        raise Failure(f"{_shown(whole)} is no range of versions: write it as {FORMS}.")
    return tuple(int(part) for part in found[1].split("."))


def _shown(text: str) -> str:
    return f'"{printable(text, 60)}"'
