# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name a field of an object so that it is found again when lists have changed meanwhile. Pure.

A name is a JSON pointer in which an element of a list stands by its own name: a container is
C(/spec/template/spec/containers/[server]/livenessProbe), wherever in the list it is by then.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object
from ansible_collections.mcp.server.plugins.module_utils._text import printable

LOST = "cannot be found any more"

Operation = dict[str, t.Any]


class Gone(Exception):
    """The field cannot be restored. Its text says why, a predicate."""


class Place(t.NamedTuple):
    """Where a field is in an object as it was read."""

    # A JSON pointer.
    pointer: str
    # None where it is missing.
    value: t.Any
    # Of a JSON patch: that the elements of lists on the way still have the names.
    tests: list[Operation]


def name_of(obj: Object, pointer: str) -> str:
    """Return the name of the field at a JSON pointer."""
    found, value = "", t.cast(t.Any, obj)
    for step in pointer.split("/")[1:]:
        key = _plain(step)
        if isinstance(value, list):
            names = [one.get("name") if isinstance(one, dict) else None for one in value]
            value = value[int(key)] if key.isdecimal() and int(key) < len(value) else None
            own = value.get("name") if isinstance(value, dict) else None
            # Where two have the name, such as a Service and another kind of backend, only the position tells them.
            found += f"/[{_escaped(own)}]" if isinstance(own, str) and names.count(own) == 1 else f"/{step}"
        else:
            value = value.get(key) if isinstance(value, dict) else None
            found += f"/{step}"
    return found


def find(obj: Object, name: str) -> Place:
    """Return where the field of this name is now. Raises Gone."""
    if not name.startswith("/"):
        raise Gone(LOST)
    pointer, value, tests = "", t.cast(t.Any, obj), list[Operation]()
    *parents, last = name.split("/")[1:]
    for step in parents:
        if isinstance(value, list):
            number = _index(value, step)
            pointer, value = f"{pointer}/{number}", value[number]
            if step.startswith("["):
                tests.append({"op": "test", "path": f"{pointer}/name", "value": value["name"]})
        else:
            value = value.get(_plain(step)) if isinstance(value, dict) else None
            pointer = f"{pointer}/{step}"
    if not isinstance(value, dict):
        raise Gone(LOST)
    return Place(f"{pointer}/{last}", value.get(_plain(last)), tests)


def title(name: str) -> str:
    """Return what people call the field: C(spec.template.spec.containers[server].livenessProbe)."""
    found = ""
    for step in name.split("/")[1:]:
        key = _plain(step)
        found += key if key.startswith("[") else f"[{key}]" if key.isdecimal() else f".{key}"
    return printable(found.lstrip("."), 200)


def shown(value: t.Any) -> str:
    """Return a value for a sentence; what is no single value is not shown, as it may be long or secret."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    return printable(str(value), 60) if isinstance(value, (str, int, float)) else "set"


def _index(value: list[t.Any], step: str) -> int:
    if not step.startswith("["):
        if step.isdecimal() and len(step) < 9 and int(step) < len(value):
            return int(step)
        raise Gone(LOST)
    own = _plain(step[1:-1])
    found = [number for number, one in enumerate(value) if isinstance(one, dict) and one.get("name") == own]
    if len(found) != 1:
        raise Gone(LOST)
    return found[0]


def _plain(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
