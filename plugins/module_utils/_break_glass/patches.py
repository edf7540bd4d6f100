# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two JSON patches of an object: the one that changes it and notes what was there, and the one that restores it.

Pure.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.mcp.server.plugins.module_utils._break_glass import fields
from ansible_collections.mcp.server.plugins.module_utils._break_glass.fields import Operation
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import Change, Note

NOTES = "/metadata/annotations"
SINGLE = (str, int, float, type(None))


class Kept(t.NamedTuple):
    """A field that is not restored."""

    name: str
    # A clause: what it is now, what break-glass had set, and what it was before.
    why: str


class Way(t.NamedTuple):
    """The way back of one object."""

    operations: list[Operation]
    # Titles of the fields that the operations put back.
    restored: list[str]
    # What somebody has changed meanwhile.
    kept: list[Kept]


def breaking(
    obj: Object, wanted: Mapping[str, t.Any], note: Note, *, noted: Mapping[str, t.Any] | None = None
) -> list[Operation]:
    """Return the patch that sets these fields and notes their old values; empty when all are as wanted.

    wanted: by JSON pointer, None to remove a field. note: who, when and why. The values, and the author, of an earlier
    note stay. noted: by JSON pointer, what is noted in place of an old value.
    """
    changes = {pointer: value for pointer, value in wanted.items() if at(obj, pointer) != value}
    if not changes:
        return []
    earlier = broken_glass.read(obj)
    all_changes = dict(earlier.changes) if earlier else {}
    for pointer, value in changes.items():
        name = fields.name_of(obj, pointer)
        before = (noted or {}).get(pointer, at(obj, pointer))
        all_changes[name] = Change(all_changes[name].old if name in all_changes else before, value)
    written = (earlier or note)._replace(changes=all_changes)
    return [*_unchanged(obj, changes), *_set(obj, changes), *_annotated(obj, written, changes)]


def restoring(
    obj: Object,
    note: Note,
    *,
    old: t.Callable[[str, t.Any], t.Any] = lambda name, value: value,
    left: t.Container[str] = (),
    drop: bool = False,
) -> Way:
    """Return the patch that puts the old values back; no operations when there is nothing that it could do.

    old: gives the value to put back, from the field's name and the noted value; it raises fields.Gone where it is lost.
    left: names of fields that others set rightly since; their values stay. drop: drop the note of what is kept.
    """
    changes, tests, restored, kept = dict[str, t.Any](), list[Operation](), list[str](), list[Kept]()
    for name, change in note.changes.items():
        try:
            place = fields.find(obj, name)
            before = old(name, change.old)
        except fields.Gone as gone:
            kept.append(Kept(name, f"{fields.title(name)} {gone}"))
            continue
        if place.value == before or (name in left and place.value != change.new):
            continue
        if place.value != change.new:
            kept.append(Kept(name, _differs(name, place.value, change)))
            continue
        tests += [one for one in place.tests if one not in tests]
        tests.append({"op": "test", "path": place.pointer, "value": change.new})
        changes[place.pointer] = before
        restored.append(fields.title(name))
    rest = {} if drop else {one.name: note.changes[one.name] for one in kept}
    if rest == note.changes and not drop:
        return Way([], [], kept)
    noting: list[Operation] = [{"op": "remove", "path": pointer_of(broken_glass.ANNOTATION)}]
    if rest:
        noting = [
            {
                "op": "add",
                "path": pointer_of(broken_glass.ANNOTATION),
                "value": broken_glass.text(note._replace(changes=rest)),
            }
        ]
    return Way([*tests, *_set(obj, changes), *noting], restored, kept)


def at(obj: Object, pointer: str) -> t.Any:
    """Return what is at a JSON pointer; None where it or a part of the way is missing."""
    value: t.Any = obj
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(key)] if key.isdecimal() and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def pointer_of(annotation: str) -> str:
    return f"{NOTES}/{annotation.replace('~', '~0').replace('/', '~1')}"


def changes_of(operations: Sequence[Operation]) -> dict[str, t.Any]:
    """Return what a JSON patch sets, by JSON pointer; None for what it removes."""
    return {one["path"]: one.get("value") for one in operations if one["op"] in ("add", "remove")}


def _differs(name: str, value: t.Any, change: Change) -> str:
    return (
        f"{fields.title(name)} is {fields.shown(value)}, break-glass had set {fields.shown(change.new)}, "
        f"before it was {fields.shown(change.old)}"
    )


def _unchanged(obj: Object, changes: Mapping[str, t.Any]) -> list[Operation]:
    """Return the tests by which a write of somebody else in between is a conflict.

    Only single values are compared: text within others may be written in several ways.
    """
    metadata = mapping(obj, "metadata")
    if metadata.get("generation") is None:
        return [{"op": "replace", "path": "/metadata/resourceVersion", "value": metadata.get("resourceVersion")}]
    tests = [{"op": "test", "path": "/metadata/generation", "value": metadata["generation"]}]
    if metadata.get("annotations") is None:
        tests.append({"op": "test", "path": NOTES, "value": None})
    for pointer in changes:
        if isinstance(value := at(obj, pointer), SINGLE):
            tests.append({"op": "test", "path": pointer, "value": value})
    return tests


def _set(obj: Object, changes: Mapping[str, t.Any]) -> list[Operation]:
    return [
        {"op": "remove", "path": pointer} if value is None else {"op": "add", "path": pointer, "value": value}
        for pointer, value in changes.items()
        if value is not None or at(obj, pointer) is not None
    ]


def _annotated(obj: Object, note: Note, pointers: t.Collection[str]) -> list[Operation]:
    wanted = {broken_glass.ANNOTATION: broken_glass.text(note)}
    if taken := field_managers.taken_from(obj, pointers):  # so that a later release still finds these tools
        wanted[field_managers.TAKEN] = taken
    if mapping(obj, "metadata").get("annotations") is None:
        return [{"op": "add", "path": NOTES, "value": wanted}]
    return [{"op": "add", "path": pointer_of(name), "value": value} for name, value in wanted.items()]
