# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make data that anybody may have edited fit a type, here a TypedDict of the release record. Pure.

A value of another type is left out, as is a key that the type has not; a number is taken for text and text for a
number. Texts and lists are cut, so that the size of the whole is bounded.
"""

from __future__ import annotations

import functools
import types
import typing as t

MAX_TEXT = 500  # characters
MAX_ITEMS = 50  # of a list

_LARGEST = 1e15
_ODD = object()  # in place of a value that does not fit

# An emergency reads the record: to evaluate the hints of each step anew took 0.07 s of a full record.
_hints = functools.cache(t.get_type_hints)


def sound(kind: t.Any, found: t.Any) -> t.Any:
    """Return the value as this type; None where it cannot be."""
    fitting = _fitting(kind, found)
    return None if fitting is _ODD else fitting


def _fitting(kind: t.Any, found: t.Any) -> t.Any:
    if t.is_typeddict(kind):
        return _items(_hints(kind), found)
    origin, arguments = t.get_origin(kind), t.get_args(kind)
    if origin in (t.Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not types.NoneType)
        return None if found is None else _fitting(inner, found)
    if origin is list:
        if not isinstance(found, list):
            return _ODD
        fitting = [_fitting(arguments[0], one) for one in found[:MAX_ITEMS]]
        return [one for one in fitting if one is not _ODD]
    if origin is dict:
        keys = list(found)[:MAX_ITEMS] if isinstance(found, dict) else []
        return _items(dict.fromkeys(keys, arguments[1]), found)
    if kind is t.Any:
        return _scalar(found)
    return _CONVERSIONS[kind](found)


def _items(kinds: t.Mapping[str, t.Any], found: t.Any) -> t.Any:
    if not isinstance(found, dict):
        return _ODD
    fitting = {key: _fitting(kind, found[key]) for key, kind in kinds.items() if key in found}
    return {key: value for key, value in fitting.items() if value is not _ODD}


def _scalar(found: t.Any) -> t.Any:
    if found is None or isinstance(found, bool):
        return found
    return _text(found) if isinstance(found, str) else _number(found)


def _text(found: t.Any) -> t.Any:
    if isinstance(found, str):
        return found[:MAX_TEXT]
    number = _number(found)
    return number if number is _ODD else str(found)


def _number(found: t.Any) -> t.Any:
    """Return a finite number of at most 15 digits."""
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        return _ODD
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return _ODD
    if not abs(number) < _LARGEST:  # nor is NaN
        return _ODD
    if not isinstance(found, str):
        return found
    return int(number) if number.is_integer() else number


def _whole(found: t.Any) -> t.Any:
    number = _number(found)
    return int(number) if number is not _ODD and number == int(number) else _ODD


def _truth(found: t.Any) -> t.Any:
    return found if isinstance(found, bool) else _ODD


_CONVERSIONS: dict[t.Any, t.Callable[[t.Any], t.Any]] = {str: _text, int: _whole, float: _number, bool: _truth}
