# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List a server's tools, prompts, resources and resource templates, page by page."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol, shapes
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

MAX_PAGES = 100
END = object()

Request = t.Callable[[str, dict[str, t.Any], Deadline], dict[str, t.Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of items that servers list."""

    method: str  # that lists them
    key: str  # of the result, with the items
    id: str  # the property that identifies an item
    capability: str  # of servers that have such items


KINDS = {
    "tools": Kind("tools/list", "tools", "name", "tools"),
    "prompts": Kind("prompts/list", "prompts", "name", "prompts"),
    "resources": Kind("resources/list", "resources", "uri", "resources"),
    "resource_templates": Kind("resources/templates/list", "resourceTemplates", "uriTemplate", "resources"),
}


def whole(request: Request, kind: Kind, bound: Deadline) -> list[dict[str, t.Any]]:
    """Return the items of all pages. Only a missing cursor ends the list, an empty one does not. Raise Fault."""
    items: list[dict[str, t.Any]] = []
    seen: set[str] = set()
    params: dict[str, t.Any] = {}
    for _page in range(MAX_PAGES):
        try:
            result = request(kind.method, params, bound)
        except Fault as fault:
            # No capability tells whether there are templates.
            if kind is KINDS["resource_templates"] and fault.evidence.get("code") == protocol.METHOD_NOT_FOUND:
                return items
            raise
        page = result.get(kind.key)
        if not isinstance(page, list) or not all(
            isinstance(item, dict) and isinstance(item.get(kind.id), str) for item in page
        ):
            raise Fault(f"returned no list of {kind.key} that have a {kind.id}")
        for item in page:
            shapes.refuse(shapes.problem_of_item(item, kind.key))
        items += page
        cursor = result.get("nextCursor", END)
        if cursor is END:
            return items
        if not isinstance(cursor, str) or cursor in seen:
            raise Fault("returned a cursor that is not text or came before")
        seen.add(cursor)
        params = {"cursor": cursor}
    raise Fault(f"did not end after {MAX_PAGES} pages")
