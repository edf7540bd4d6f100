# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show which cluster a task acts on, and as which user, when it connects."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

_tell: t.Callable[[str], None] | None = None


@contextmanager
def announcing(tell: t.Callable[[str], None]) -> t.Iterator[None]:
    """Call tell() for every connection that this block makes, in any thread: a process has one task."""
    global _tell
    before, _tell = _tell, tell
    try:
        yield
    finally:
        _tell = before


def announce(line: str) -> None:
    if _tell is not None:
        _tell(line)
