# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note that break_glass.yml writes on each object that it changes, with the values to restore. Pure.

The note stands in an annotation and is written in the same request as the change. Anybody may have edited it.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._text import printable

ANNOTATION = "mcp.server/break-glass"
MAX_WORDS = 200  # characters of a name or a reason


class Change(t.NamedTuple):
    """One changed field: the value before, and the one that was set. None where the field was, or is, missing."""

    old: t.Any
    new: t.Any


class Note(t.NamedTuple):
    """Who changed an object in an outage, and how."""

    # ISO 8601; empty where it cannot be read.
    since: str
    by: str
    reason: str
    # By the name of the field, as break_glass writes it.
    changes: dict[str, Change]

    def __str__(self) -> str:
        """Return since when, by whom and why, a clause."""
        since = f"since {_times.day(self.since)} " if self.since else ""
        return f"{since}by {self.by or 'an unknown user'}: {self.reason or 'no reason given'}"


def read(obj: t.Any) -> Note | None:
    """Return the note on an object as the API server returned it; None without one.

    A note that cannot be read has no changes: the glass is broken all the same.
    """
    found = mapping(obj, "metadata", "annotations").get(ANNOTATION)
    if found is None:
        return None
    try:
        note = json.loads(found)
    except (TypeError, ValueError, RecursionError):
        note = None
    changes = mapping(note, "changes")
    return Note(
        since if isinstance(since := mapping(note).get("since"), str) and _times.parse(since) else "",
        printable(str(mapping(note).get("by") or ""), MAX_WORDS),
        printable(str(mapping(note).get("reason") or ""), MAX_WORDS),
        {
            name: Change(one["old"], one["new"])
            for name, one in changes.items()
            if isinstance(one, dict) and one.keys() >= {"old", "new"}
        },
    )


def text(note: Note) -> str:
    """Return the annotation's value."""
    changes = {name: change._asdict() for name, change in note.changes.items()}
    return json.dumps({**note._asdict(), "changes": changes}, sort_keys=True)
