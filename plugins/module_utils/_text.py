# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of others, made fit to be shown."""

from __future__ import annotations


def printable(text: str | bytes, max_length: int) -> str:
    """Return text of others as a part of a sentence: one printable line, shortened to C(max_length) characters."""
    if isinstance(text, bytes):
        text = text[: 4 * max_length].decode("utf-8", errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * max_length]).split())
    return line if len(line) <= max_length else line[: max_length - 3] + "..."


def verdict_text(verdict: str) -> str:
    """Return a verdict for people: no_data as "no data"."""
    return verdict.replace("_", " ")
