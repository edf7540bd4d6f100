# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text from outside, made fit to be shown."""

from __future__ import annotations


def printable(text: str | bytes, most: int) -> str:
    """What fits into a sentence of what a server chose to say."""
    if isinstance(text, bytes):
        text = text[: 4 * most].decode("utf-8", errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 3] + "..."


def verdict_text(verdict: str) -> str:
    """Return a verdict for people: no_data as "no data"."""
    return verdict.replace("_", " ")
