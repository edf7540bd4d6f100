# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What managedFields say after a write: pure functions on objects, as far as our code reads it.

A field is a path of the keys that fieldsV1 have. The path of a map, or of an item in a list that is merged, says that
somebody made it (C(.) in fieldsV1). Without schemas: what is a map, or a list that is merged, is known by its name.
"""

from __future__ import annotations

import json
import typing as t

Object = dict[str, t.Any]
Path = tuple[str, ...]

LIST_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
}
MAPS = ("annotations", "data", "labels")
# They belong to somebody as a whole.
ATOMIC = ("selector",)
# Of the metadata, others are the API server's own.
METADATA = ("annotations", "finalizers", "labels", "ownerReferences")
STATUS = "f:status"


class Refused(Exception):
    """An apply sets fields that others have, with other values. The message is the API server's."""


class Entry(t.NamedTuple):
    """What an entry of managedFields is of. subresource: status, or nothing."""

    manager: str
    operation: str
    subresource: str


def updated(before: Object, after: Object, manager: str, subresource: str, time: str) -> list[t.Any]:
    """Return managedFields after a write that is no apply. It begins with those in C(after)."""
    old, new = _fields(before), _fields(after)
    written = {path for path, value in new.items() if path not in old or old[path] != value}
    written = {path for path in written if (path[0] == STATUS) is (subresource == "status")}
    return _after(after, Entry(manager, "Update", subresource), written, written | (old.keys() - new.keys()), time)


def applied(
    before: Object, configuration: Object, after: Object, manager: str, time: str, *, force: bool
) -> tuple[Object, list[t.Any]]:
    """Return the object after an apply and its managedFields. after: with the configuration merged into it. Raises
    Refused.
    """
    old, wanted = _fields(before), {path: value for path, value in _fields(configuration).items() if not _is_map(path)}
    changed = {path for path, value in wanted.items() if path in old and old[path] != value}
    entry, entries = Entry(manager, "Apply", ""), _entries(before)
    conflicts = [(other, path) for other, paths in entries if other != entry for path in sorted(paths & changed)]
    if conflicts and not force:
        raise Refused(_message(conflicts, configuration["apiVersion"]))
    had = {path for other, paths in entries if other == entry for path in paths}
    others = {path for other, paths in entries if other != entry for path in paths}
    for path in sorted(had - wanted.keys() - others, key=len, reverse=True):
        after = _without(after, path)
    return after, _after(after, entry, set(wanted), changed | had, time)


def same(one: t.Sequence[t.Any], other: t.Sequence[t.Any]) -> bool:
    """Return whether these managedFields differ in times only, which is no change."""
    return [{**entry, "time": ""} for entry in one] == [{**entry, "time": ""} for entry in other]


def _after(obj: Object, writer: Entry, has: set[Path], taken: set[Path], time: str) -> list[t.Any]:
    """Return managedFields once the writer has these fields as well, and everybody has lost those that were taken."""
    version, found, written = obj.get("apiVersion", "v1"), [], False
    for one, (entry, paths) in zip(_listed(obj), _entries(obj), strict=True):
        now = (paths - taken) | (has if entry == writer else set())
        written = written or entry == writer
        if entry == writer and has or now != paths:
            found += (
                [_entry(entry, time if entry == writer and has else one.get("time", ""), now, version)] if now else []
            )
        else:
            found.append(one)
    return found if written or not has else [*found, _entry(writer, time, has, version)]


def _message(conflicts: list[tuple[Entry, Path]], version: str) -> str:
    words = [
        f'conflict with "{entry.manager}" using {version}: {"".join(f".{step[2:]}" for step in path)}'
        for entry, path in conflicts
    ]
    if len(words) == 1:
        return f"Apply failed with 1 conflict: {words[0]}"
    return f"Apply failed with {len(words)} conflicts: " + "\n".join(f"- {one}" for one in words)


def _listed(obj: Object) -> list[Object]:
    found = obj["metadata"].get("managedFields")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _entries(obj: Object) -> list[tuple[Entry, set[Path]]]:
    """Return the entries, each with the fields that it has."""
    return [
        (
            Entry(one.get("manager", ""), one.get("operation", ""), one.get("subresource", "")),
            set(_paths(one.get("fieldsV1") or {})),
        )
        for one in _listed(obj)
    ]


def _entry(entry: Entry, time: str, paths: set[Path], version: str) -> Object:
    fields: Object = {}
    for path in sorted(paths):
        place = fields
        for step in path:
            place = place.setdefault(step, {})
    for path in paths:
        place = fields
        for step in path:
            place = place[step]
        if place:  # it is a map or an item, and something in it belongs to the entry as well
            place["."] = {}
    named = {"manager": entry.manager, "operation": entry.operation, "apiVersion": version, "time": time}
    return {
        **named,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **({"subresource": entry.subresource} if entry.subresource else {}),
    }


def _paths(fields: Object, above: Path = ()) -> t.Iterator[Path]:
    """Return the paths of fieldsV1."""
    for key, below in fields.items():
        if key == ".":
            yield above
        elif below:
            yield from _paths(below, (*above, key))
        else:
            yield (*above, key)


def _fields(obj: Object) -> dict[Path, t.Any]:
    """Return the fields of an object; maps and items, which are made and not changed, with no value."""
    metadata = {key: value for key, value in obj["metadata"].items() if key in METADATA}
    known = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    return dict(_below({**known, "metadata": metadata}, ()))


def _below(value: t.Any, path: Path) -> t.Iterator[tuple[Path, t.Any]]:
    name = path[-1].removeprefix("f:") if path else ""
    if isinstance(value, dict) and name not in ATOMIC:
        if _is_map(path) or name.startswith("k:"):
            yield path, None
        for key, below in value.items():
            yield from _below(below, (*path, f"f:{key}"))
    elif isinstance(value, list) and name in LIST_KEYS:
        yield path, None
        for item in value:
            key = json.dumps({LIST_KEYS[name]: item[LIST_KEYS[name]]}, separators=(",", ":"))
            yield from _below(item, (*path, f"k:{key}"))
    else:
        yield path, value


def _is_map(path: Path) -> bool:
    """Return whether it is a map or a list that is merged: an apply does not make it."""
    return bool(path) and path[-1].removeprefix("f:") in (*MAPS, *LIST_KEYS)


def _without(obj: t.Any, path: Path) -> t.Any:
    """Return the object without a field."""
    step, *rest = path
    if step.startswith("k:"):
        ((key, value),) = json.loads(step[2:]).items()
        items = [item for item in obj if rest or item.get(key) != value]
        return [_without(item, tuple(rest)) if rest and item.get(key) == value else item for item in items]
    name = step[2:]
    if name not in obj:
        return obj
    if not rest:
        return {key: value for key, value in obj.items() if key != name}
    return {**obj, name: _without(obj[name], tuple(rest))}
