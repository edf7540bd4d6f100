# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server lists: tools, prompts, resources and resource templates, page by page."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

MAX_PAGES = 100

Ask = t.Callable[[str, dict[str, t.Any], Deadline], dict[str, t.Any]]


@dataclass(frozen=True)
class Kind:
    """method: lists them. key: of the result. id: the property by which one is known. capability: of servers that have them."""

    method: str
    key: str
    id: str
    capability: str


KINDS = {
    "tools": Kind("tools/list", "tools", "name", "tools"),
    "prompts": Kind("prompts/list", "prompts", "name", "prompts"),
    "resources": Kind("resources/list", "resources", "uri", "resources"),
    "resource_templates": Kind("resources/templates/list", "resourceTemplates", "uriTemplate", "resources"),
}


def whole(ask: Ask, kind: Kind, bound: Deadline) -> list[dict[str, t.Any]]:
    """The items of all pages. An empty cursor is a cursor: only its absence ends the list. Raises Fault."""
    items: list[dict[str, t.Any]] = []
    seen: set[str] = set()
    params: dict[str, t.Any] = {}
    for _page in range(MAX_PAGES):
        try:
            result = ask(kind.method, params, bound)
        except Fault as fault:
            # No capability says whether there are templates.
            if kind is KINDS["resource_templates"] and fault.evidence.get("code") == protocol.METHOD_NOT_FOUND:
                return items
            raise
        page = result.get(kind.key)
        if not isinstance(page, list) or not all(
            isinstance(item, dict) and isinstance(item.get(kind.id), str) for item in page
        ):
            raise Fault(f"is answered without a list of {kind.key} that have a {kind.id}")
        items += page
        cursor = result.get("nextCursor")
        if cursor is None:
            return items
        if not isinstance(cursor, str) or cursor in seen:
            raise Fault("is answered with a cursor that leads in a circle")
        seen.add(cursor)
        params = {"cursor": cursor}
    raise Fault(f"has no end after {MAX_PAGES} pages")
