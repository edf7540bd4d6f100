# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Aligned lines of text. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import printable

Row = t.Sequence[str]

MAX_CELL = 100  # characters; image references may be long


def table(rows: t.Sequence[Row], max_cell: int = MAX_CELL) -> list[str]:
    """Return aligned lines. Servers, and whoever edits objects, choose the text of cells."""
    shown = [[printable(cell, max_cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
