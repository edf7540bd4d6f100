# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_silence: silences the alerts of a server in Alertmanager while a release shifts its traffic.

A silence is found again by its creator and by its comment, which names server
and release: a run that is started again uses the silence that exists.
"""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._alertmanager import (
    OPTION,
    Alertmanager,
    Silence,
)
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "alertmanager": {**OPTION, "required": True},
        "release_id": {"type": "str"},
        "seconds": {"type": "int"},
        "matchers": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "value": {"type": "str", "required": True},
                "regex": {"type": "bool", "default": False},
                "equal": {"type": "bool", "default": True},
            },
        },
        "timeout": {"type": "float", "default": 5.0},
    },
    required_if=[("state", "present", ("seconds",))],
)

CREATOR = "mcp.server"
# Seconds that a silence lasts longer than requested, so that a run started again at once finds it long enough.
MARGIN = 300


def comment(server: Server, release_id: str) -> str:
    """Return the comment by which a release's silence is found again."""
    return f"Release {release_id} of {server}"


def matchers(server: Server, given: t.Sequence[dict[str, t.Any]] | None) -> list[dict[str, t.Any]]:
    """Return the matchers of the option as Alertmanager has them, in its order."""
    wanted = given or [{"name": "namespace", "value": server.namespace, "regex": False, "equal": True}]
    converted = [
        {"name": one["name"], "value": one["value"], "isRegex": one["regex"], "isEqual": one["equal"]} for one in wanted
    ]
    return sorted(converted, key=lambda one: (one["name"], one["value"]))


def of_server(silences: t.Sequence[Silence], server: Server) -> list[Silence]:
    """Return the silences, active or pending, that this module made for any release of the server."""
    return [
        one
        for one in silences
        if one.get("createdBy") == CREATOR
        and one.get("comment", "").startswith("Release ")
        and one["comment"].endswith(f" of {server}")
        and one.get("status", {}).get("state") in ("active", "pending")
    ]


def needed(existing: t.Sequence[Silence], wanted: Silence, until: datetime) -> Silence | None:
    """Return the silence to send to Alertmanager; None when one exists that lasts until then.

    existing: as of of_server().
    """
    same = [one for one in existing if one["comment"] == wanted["comment"]]
    for one in same:
        shown = sorted(
            ({"isEqual": True, **{key: matcher[key] for key in matcher}} for matcher in one["matchers"]),
            key=lambda one: (one["name"], one["value"]),
        )
        if shown == wanted["matchers"]:
            ends = _times.parse(one["endsAt"])
            if ends and ends >= until:
                return None
            return {**wanted, "id": one["id"], "startsAt": one["startsAt"]}
    # By its id, Alertmanager replaces the silence that has other matchers.
    return {**wanted, "id": same[0]["id"]} if same else wanted


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    server = Server.from_params(params)
    alertmanager = Alertmanager(params)
    existing = of_server(alertmanager.silences(), server)
    if params["state"] == "absent":
        for one in existing:
            if not task.check_mode:
                alertmanager.expire(one["id"])
        return _result(bool(existing), [one["comment"] for one in existing], [], None)

    if params["seconds"] <= 0:
        raise Failure(f"seconds is {params['seconds']}: it must be more than 0.")
    now = datetime.now(UTC)
    until = now + timedelta(seconds=params["seconds"])
    wanted: Silence = {
        "matchers": matchers(server, params["matchers"]),
        "startsAt": _times.iso(now),
        "endsAt": _times.iso(until + timedelta(seconds=MARGIN)),
        "createdBy": CREATOR,
        "comment": comment(server, params["release_id"] or _recorded_id(params, server)),
    }
    to_send = needed(existing, wanted, until)
    before = [one["comment"] for one in existing]
    if to_send is None:
        silence_id = next(one["id"] for one in existing if one["comment"] == wanted["comment"])
        return _result(False, before, before, silence_id)
    created = None if task.check_mode else alertmanager.create(to_send)
    return _result(True, before, sorted({*before, wanted["comment"]}), created)


def _result(changed: bool, before: list[str], after: list[str], silence_id: str | None) -> dict[str, t.Any]:
    return {
        "changed": changed,
        "silence": silence_id,
        "diff": {"before": {"silences": before}, "after": {"silences": after}},
    }


def _recorded_id(params: dict[str, t.Any], server: Server) -> str:
    """Return the id of the newest release in the release record. Raises Failure."""
    current = record.read(connection.connect(params), server)[0].current
    if current is None:
        raise Failure(f"There is no release record of {server}: set release_id to the release that the silence is for.")
    return str(current["id"])
