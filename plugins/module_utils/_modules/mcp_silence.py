# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_silence: the alerts of a server are silenced in Alertmanager while a release shifts its traffic.

A silence is found again by who made it and by its comment, which names server
and release: a run that is started again goes on with the one that is there.
"""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._alertmanager import (
    OPTION,
    REQUESTS_ERROR,
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
SLACK = (
    300  # seconds that a silence lasts longer than asked for, so that a run started again at once finds it long enough
)


def comment(server: Server, release: str) -> str:
    return f"Release {release} of {server}"


def matchers(server: Server, given: t.Sequence[dict[str, t.Any]] | None) -> list[dict[str, t.Any]]:
    """As Alertmanager has them, in its order."""
    wanted = given or [{"name": "namespace", "value": server.namespace, "regex": False, "equal": True}]
    made = [
        {"name": one["name"], "value": one["value"], "isRegex": one["regex"], "isEqual": one["equal"]} for one in wanted
    ]
    return sorted(made, key=lambda one: (one["name"], one["value"]))


def mine(silences: t.Sequence[Silence], server: Server) -> list[Silence]:
    """Those in force, or to come, that we made for any release of this server."""
    return [
        one
        for one in silences
        if one.get("createdBy") == CREATOR
        and one.get("comment", "").startswith("Release ")
        and one["comment"].endswith(f" of {server}")
        and one.get("status", {}).get("state") in ("active", "pending")
    ]


def change(existing: t.Sequence[Silence], wanted: Silence, until: datetime) -> Silence | None:
    """What to send to Alertmanager so that there is the wanted silence; None when one is there that lasts until then.

    existing: as of mine().
    """
    same = [one for one in existing if one["comment"] == wanted["comment"]]
    for one in same:
        shown = sorted(
            ({"isEqual": True, **{key: matcher[key] for key in matcher}} for matcher in one["matchers"]),
            key=lambda one: (one["name"], one["value"]),
        )
        if shown == wanted["matchers"]:
            return (
                None
                if (ends := _times.parse(one["endsAt"])) and ends >= until
                else {**wanted, "id": one["id"], "startsAt": one["startsAt"]}
            )
    # Alertmanager puts it in the place of the one with other matchers
    return {**wanted, "id": same[0]["id"]} if same else wanted


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if REQUESTS_ERROR is not None:
        raise Failure(missing_required_lib("requests"), exception=REQUESTS_ERROR)
    server = Server.from_params(params)
    alertmanager = Alertmanager(params)
    existing = mine(alertmanager.silences(), server)
    if params["state"] == "absent":
        for one in existing:
            if not task.check_mode:
                alertmanager.expire(one["id"])
        return _result(bool(existing), [one["comment"] for one in existing], [], None)

    if params["seconds"] <= 0:
        raise Failure(f"seconds is {params['seconds']}: it must be more than 0.")
    now = datetime.now(UTC)
    until = now + timedelta(seconds=params["seconds"])
    wanted = {
        "matchers": matchers(server, params["matchers"]),
        "startsAt": _times.iso(now),
        "endsAt": _times.iso(until + timedelta(seconds=SLACK)),
        "createdBy": CREATOR,
        "comment": comment(server, params["release_id"] or _newest(params, server)),
    }
    needed = change(existing, wanted, until)
    before = [one["comment"] for one in existing]
    if needed is None:
        return _result(
            False, before, before, next(one["id"] for one in existing if one["comment"] == wanted["comment"])
        )
    made = None if task.check_mode else alertmanager.create(needed)
    return _result(True, before, sorted({*before, wanted["comment"]}), made)


def _result(changed: bool, before: list[str], after: list[str], silence: str | None) -> dict[str, t.Any]:
    return {
        "changed": changed,
        "silence": silence,
        "diff": {"before": {"silences": before}, "after": {"silences": after}},
    }


def _newest(params: dict[str, t.Any], server: Server) -> str:
    current = record.read(connection.connect(params), server)[0].current
    if current is None:
        raise Failure(f"No release of {server} is recorded: name the one that the silence is for (release_id).")
    return current["id"]
