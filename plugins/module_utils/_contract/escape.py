# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers say, made fit for a line on someone's screen: a server is not trusted with it."""

from __future__ import annotations

import json
import typing as t

LONGEST = 200


def escaped(text: str) -> str:
    """One line in which nothing moves the cursor or turns the writing round."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def printable(text: str) -> str:
    """A name, escaped: two names never look the same."""
    return escaped(text.replace("\\", "\\\\"))


def value(value: t.Any, longest: int = LONGEST) -> str:
    """JSON on one line, cut when it is long."""
    text = escaped(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return text if len(text) <= longest else f"{text[:longest]}..."
