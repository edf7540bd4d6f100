# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import ANNOTATION, Change, Note

NOTE = Note("2026-11-27T03:00:00Z", "ana@host", "INC-1", {"spec/minReplicas": Change(2, 4), "probe": Change({}, None)})


def annotated(value: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"annotations": {ANNOTATION: value}}}


def test_a_note_is_read_as_it_was_written() -> None:
    assert broken_glass.read(annotated(broken_glass.text(NOTE))) == NOTE
    assert str(NOTE).startswith("since ")
    assert str(NOTE).endswith(" by ana@host: INC-1")


@pytest.mark.parametrize("obj", [{}, {"metadata": {}}, {"metadata": {"annotations": None}}])
def test_an_object_without_a_note_is_unchanged(obj: dict[str, t.Any]) -> None:
    assert broken_glass.read(obj) is None


@pytest.mark.parametrize("value", ["", "{", "[]", "[" * 100_000, "null", '{"changes": 1}', '{"changes": {"x": 1}}', 7])
def test_a_note_that_cannot_be_read_is_a_note(value: t.Any) -> None:
    note = broken_glass.read(annotated(value))
    assert note == Note("", "", "", {})
    assert str(note) == "by an unknown user: no reason given"


def test_an_edited_note_moves_nothing_on_the_screen() -> None:
    edited = json.dumps({"since": "\x1b[2J", "by": "a\nb", "reason": "x" * 9999, "changes": {"f": {"old": 1}}})
    note = broken_glass.read(annotated(edited))
    assert note == Note("", "a b", "x" * 197 + "...", {})
