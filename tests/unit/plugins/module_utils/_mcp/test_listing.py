# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp import listing
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

TOOLS = listing.KINDS["tools"]


def read(*pages: t.Any) -> list[str]:
    """Names from pages of (names, next cursor)."""
    following = dict(zip([None, *(cursor for _names, cursor in pages)], pages, strict=False))

    def request(method: str, params: dict[str, t.Any], bound: Deadline) -> dict[str, t.Any]:
        names, cursor = following[params.get("cursor")]
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
        return {"tools": tools} if cursor is None else {"tools": tools, "nextCursor": cursor}

    return [item["name"] for item in listing.whole(request, TOOLS, Deadline(5))]


def test_all_pages_are_read_and_an_empty_cursor_is_a_cursor() -> None:
    assert read((["a"], "x"), (["b"], ""), (["c"], None)) == ["a", "b", "c"]


def test_a_circle_of_cursors_is_noticed() -> None:
    with pytest.raises(Fault, match="a cursor that is not text or came before"):
        read((["a"], "x"), (["b"], "y"), (["c"], "x"))


def test_a_list_without_an_end_is_given_up() -> None:
    numbers = itertools.count()
    with pytest.raises(Fault, match="did not end after"):
        listing.whole(lambda *_args: {"tools": [], "nextCursor": str(next(numbers))}, TOOLS, Deadline(5))


@pytest.mark.parametrize("result", [{}, {"tools": None}, {"tools": {}}, {"tools": ["a"]}, {"tools": [{"name": 1}]}])
def test_what_is_no_list(result: t.Any) -> None:
    with pytest.raises(Fault, match="no list of tools that have a name"):
        listing.whole(lambda *_args: result, TOOLS, Deadline(5))


def test_templates_need_no_answer_but_tools_do() -> None:
    def refuse(*_args: t.Any) -> t.Any:
        raise Fault("is refused", code=-32601)

    assert listing.whole(refuse, listing.KINDS["resource_templates"], Deadline(5)) == []
    with pytest.raises(Fault, match="is refused"):
        listing.whole(refuse, TOOLS, Deadline(5))
