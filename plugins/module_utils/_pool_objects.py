# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options blue and green: the names of a pool's objects. Pure."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

DEPLOYMENT, STATEFUL_SET = WORKLOADS = ("Deployment", "StatefulSet")
KEYS = {"deployment": DEPLOYMENT, "stateful_set": STATEFUL_SET}
SERVICE = "service"

# Names become parts of paths.
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
LONGEST = 60  # characters of a value in a sentence


class PoolObjects(t.NamedTuple):
    """The names of a pool's objects."""

    workload: str  # the Deployment or StatefulSet
    kind: str  # one of WORKLOADS
    service: str

    @property
    def title(self) -> str:
        """Return what messages call the workload, without its namespace."""
        return f"{self.kind} {self.workload}"


def pool_objects(pool: str, given: t.Any, default: str, variable: str = "") -> PoolObjects | None:
    """Return the names that the option of this pool gives; None when it is unset. Raises Failure.

    default: the name of what is left out. variable: of the option, where its name is another one.
    """
    where = f"{pool} ({variable or f'mcp_{pool}'})"
    if isinstance(given, str):
        given = _of_text(given.strip())
    if given is None or given == "":
        return None
    if isinstance(given, str):
        return PoolObjects(_name(where, given), DEPLOYMENT, given)
    if not isinstance(given, dict):
        raise Failure(
            f"{where} is {_shown(given)}: it must be a name in quotation marks, or a dictionary with deployment or "
            "stateful_set, and service."
        )
    if strange := [str(key) for key in given if key not in (*KEYS, SERVICE)]:
        raise Failure(f"{where} has no key {_shown(strange[0])}: it may have deployment or stateful_set, and service.")
    names = {key: _name(f"{where} {key}", name) for key, name in given.items() if name not in (None, "")}
    workloads = [key for key in KEYS if key in names]
    if len(workloads) > 1:
        raise Failure(f"{where} has both deployment and stateful_set: name the one that the pool's pods come from.")
    if not names:
        return None
    key = workloads[0] if workloads else "deployment"
    return PoolObjects(names.get(key, default), KEYS[key], names.get(SERVICE, default))


def _of_text(text: str) -> t.Any:
    """Return the dictionary that a text is as JSON, or the text itself."""
    if text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return text


def _name(where: str, name: t.Any) -> str:
    if not isinstance(name, str):
        raise Failure(f"{where} is {_shown(name)}: it must be a name, in quotation marks.")
    if not NAME.fullmatch(name):
        raise Failure(
            f"{where} gives {_shown(name)}, which is not a valid name in Kubernetes: "
            "use only lower-case letters, digits, dots and hyphens."
        )
    return str(name)


def _shown(value: t.Any) -> str:
    if isinstance(value, str):
        return repr(printable(value, LONGEST))
    if isinstance(value, (dict, list)):
        return "a dictionary" if isinstance(value, dict) else "a list"
    return printable(repr(value), LONGEST)
