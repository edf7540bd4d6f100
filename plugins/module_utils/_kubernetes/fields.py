# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read optional fields of objects. The API server leaves out what is empty, or answers null. Pure."""

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]


def mapping(obj: t.Any, *path: str) -> Object:
    """Return the mapping at this path; an empty one where a part of the path is missing or no mapping."""
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj if isinstance(obj, dict) else {}


def items(obj: t.Any, *path: str) -> list[Object]:
    """Return the mappings in the list at this path; none where a part of the path is missing or no list."""
    *parents, last = path
    found = mapping(obj, *parents).get(last)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
