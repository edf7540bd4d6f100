# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom to call when a release or a rollback failed: the inventory's escalation tree. Pure."""

from __future__ import annotations

import typing as t

# Documented in modules/mcp_announce.py
OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {"name": {"type": "str", "required": True}, "contact": {"type": "str"}, "when": {"type": "str"}},
}


def lines(tree: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """One for each whom to call, in the order of the tree."""
    return [
        f"{number}. {_prefixed(one.get('when'))}{one['name']}{_bracketed(one.get('contact'))}"
        for number, one in enumerate(tree, 1)
    ]


def _prefixed(text: str | None) -> str:
    return f"{text}: " if text else ""


def _bracketed(text: str | None) -> str:
    return f" ({text})" if text else ""
