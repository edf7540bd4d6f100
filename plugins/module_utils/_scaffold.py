# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are written into somebody's repository, and stay theirs: what was changed by hand is kept. Pure.

A file says in one of its first lines, by a hash of its text, what was written. There is no other record that could be
lost, or be committed without the file.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

PLACE = "@STAMP@"  # in a text that has no stamp yet
LINES = 3  # from the start, in which the stamp is
CREATED, UPDATED, UNCHANGED, KEPT = "created", "updated", "unchanged", "kept"

_STAMP = re.compile(r"sha256:[0-9a-f]{64}")


class Decision(t.NamedTuple):
    """What becomes of a file. text: that it would have, were it written now."""

    state: str
    text: str


def stamped(text: str) -> str:
    """Return a text with its stamp at its place."""
    return text.replace(PLACE, f"sha256:{_hash(text)}", 1)


def is_ours(text: str) -> bool:
    """Return whether a text is still as it was written. Git may have changed how its lines end."""
    text = text.replace("\r\n", "\n")
    head = "".join(text.splitlines(keepends=True)[:LINES])
    found = _STAMP.search(head)
    return found is not None and found[0] == f"sha256:{_hash(_STAMP.sub(PLACE, head, count=1) + text[len(head) :])}"


def decide(before: str | None, content: str, *, once: bool, overwrite: bool) -> Decision:
    """Return what becomes of a file.

    before: its text; empty when there is none, None when it is no text. once: whether it is only made where it is
    missing. overwrite: whether a change by hand is given up.
    """
    text = content if once else stamped(content)
    if not before and before is not None:
        return Decision(CREATED, text)
    if before is not None and before.replace("\r\n", "\n") == text:
        return Decision(UNCHANGED, text)
    if overwrite or (before is not None and not once and is_ours(before)):
        return Decision(UPDATED, text)
    return Decision(UNCHANGED if once else KEPT, text)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
