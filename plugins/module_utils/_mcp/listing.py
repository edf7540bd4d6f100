# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that a server gives page by page."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._mcp.fault import Fault
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

MAX_PAGES = 100

Ask = t.Callable[[str, dict[str, t.Any], Deadline], dict[str, t.Any]]


def whole(ask: Ask, method: str, key: str, bound: Deadline) -> list[dict[str, t.Any]]:
    """The items of all pages. An empty cursor is a cursor: only its absence ends the list."""
    items: list[dict[str, t.Any]] = []
    seen: set[str] = set()
    params: dict[str, t.Any] = {}
    for _page in range(MAX_PAGES):
        result = ask(method, params, bound)
        page = result.get(key)
        if not isinstance(page, list) or not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in page):
            raise Fault(f"is answered without a list of named {key}")
        items += page
        cursor = result.get("nextCursor")
        if cursor is None:
            return items
        if not isinstance(cursor, str) or cursor in seen:
            raise Fault("is answered with a cursor that leads in a circle")
        seen.add(cursor)
        params = {"cursor": cursor}
    raise Fault(f"has no end after {MAX_PAGES} pages")
