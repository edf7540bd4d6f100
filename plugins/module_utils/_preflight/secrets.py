# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the Secrets that a server needs: that they are there, their keys, and their age.

The API server answers with the values. They are dropped as soon as it is known whether they are empty.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._results import Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

OPTION: dict[str, t.Any] = {
    "required_secrets": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "max_age_days": {"type": "int"},
        },
    },
}


@dataclass(frozen=True)
class Outline:
    """What is known of a Secret, without any value. filled: the keys that have one. The times may be unknown."""

    filled: frozenset[str]
    created: datetime | None
    changed: datetime | None


def outline(secret: t.Mapping[str, t.Any]) -> Outline:
    """Return what a Secret has, without its values. Pure. A value that is no base64 raises ValueError."""
    data = mapping(secret, "data")
    filled = frozenset(key for key, value in data.items() if base64.b64decode(value or "").strip())
    created = _times.parse(mapping(secret, "metadata").get("creationTimestamp"))
    writers = [one for one in items(secret, "metadata", "managedFields") if "f:data" in mapping(one, "fieldsV1")]
    written = [at for one in writers if (at := _times.parse(one.get("time")))]
    return Outline(filled, created, max([*written, *([created] if created else [])], default=None))


def check(cluster: Api, server: Server, params: t.Mapping[str, t.Any]) -> str:
    """Return a sentence on the Secrets. Raises Failure with all that is missing."""
    wanted = params["required_secrets"]
    problems = [problem for secret in wanted if (problem := _problem(cluster, server, secret))]
    if problems:
        raise Failure(f"In namespace {server.namespace} {'; '.join(problems)}.")
    names = ", ".join(secret["name"] for secret in wanted)
    return f"The required Secrets exist ({names})." if names else "No Secrets are required."


def _problem(cluster: Api, server: Server, secret: dict[str, t.Any]) -> str:
    """Return what is wrong with a required Secret, empty when nothing is."""
    name = secret["name"]
    try:
        found = _read(cluster, server, name)
    except NotFound:
        return f"Secret {name} does not exist: create it"
    except Forbidden:
        return f"this user may not read Secret {name}: grant get on it by name, or remove it from required_secrets"
    empty = [key for key in secret["keys"] if key not in found.filled]
    return f"Secret {name} has no value for {', '.join(empty)}: add it" if empty else ""


def check_age(cluster: Api, server: Server, params: t.Mapping[str, t.Any]) -> str:
    """Return a sentence on the ages of the Secrets. Raises Failure with each that is older than it may be."""
    if not params["required_secrets"]:
        return "No Secrets are required."
    lines, old = [], []
    for secret in params["required_secrets"]:
        try:
            found = _read(cluster, server, secret["name"])
        except (NotFound, Forbidden):  # the other check reports it
            continue
        lines.append(age(secret["name"], found, cluster.now()))
        if problem := too_old(secret["name"], found, cluster.now(), secret.get("max_age_days")):
            old.append(problem)
    if old:
        raise Failure(" ".join(old))
    if not lines:
        raise Skipped("No Secret can be read whose age could be told.")
    text = "; ".join(lines)
    return f"{text[0].upper()}{text[1:]}."


def age(name: str, found: Outline, now: datetime) -> str:
    """Return how old a Secret is, as a part of a sentence. Pure."""
    if found.created is None or found.changed is None:
        return f"the age of Secret {name} is unknown"
    return f"Secret {name} was created {ago(found.created, now)} and last changed {ago(found.changed, now)}"


def too_old(name: str, found: Outline, now: datetime, max_age_days: int | None) -> str:
    """Return the sentence on a Secret that was not changed for too long, empty for any other. Pure."""
    if max_age_days is None or found.changed is None or (now - found.changed).days <= max_age_days:
        return ""
    return (
        f"Secret {name} was last changed {ago(found.changed, now)}, and may be {max_age_days} days old: put new values "
        "into it, or raise its max_age_days."
    )


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a time is, in days. Pure."""
    days = max(0, (now - at).days)
    return "today" if days == 0 else f"{days} day{'s' if days > 1 else ''} ago"


def _read(cluster: Api, server: Server, name: str) -> Outline:
    return outline(cluster.get(paths.secrets(server.namespace, name)))
