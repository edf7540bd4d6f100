# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Escape texts of a contract for one line on a screen.

A server is not trusted with the screen. Nothing is left out of a text, as a contract's names and values have to be
told apart.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import escaped

MAX_EXCERPT = 200  # characters


def escaped_name(name: str) -> str:
    """Return the name escaped; two different names never look the same."""
    return escaped(name.replace("\\", "\\\\"))


def json_excerpt(value: t.Any, max_length: int = MAX_EXCERPT) -> str:
    """Return the value as JSON on one line, cut after max_length characters."""
    text = escaped(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return text if len(text) <= max_length else f"{text[:max_length]}..."
