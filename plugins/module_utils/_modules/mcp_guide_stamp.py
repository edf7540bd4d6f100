# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_guide_stamp: what was checked of the guide, when, and what is overdue."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._guide import document, headings, stamps
from ansible_collections.mcp.server.plugins.module_utils._guide.review import review_warning
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, noted
from ansible_collections.mcp.server.plugins.module_utils._results import Result
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "allowed": {"type": "bool", "default": False},
        "results": {"type": "dict"},
        "escalation": {"type": "list", "elements": "dict", "default": []},
    },
)


def run(task: Task) -> dict[str, t.Any]:
    params, server = task.params, Server.from_params(task.params)
    if not params["allowed"]:
        raise Failure(
            f"The guide is not validated on {server}: the inventory does not name it as a server for that. Set "
            "mcp_validate_guide: true on the host of a staging server; as an extra variable it does not count."
        )
    cluster = connection.connect(params)
    now = cluster.now()
    before = stamps.read(noted.parse(noted.read(cluster, server, stamps.ANNOTATION)))
    if params["results"] is None:
        checks = stamps.rows({}, before, now)
        return {"changed": False, "checks": checks, "overdue": _overdue(before, now), "stamps": stamps.written(before)}
    found = _found(params["results"]) | {
        "contacts": [
            _results.made("contacts", "whom to call", lambda: _contacts(params["escalation"]), required=False)
        ],
        "review": [_results.made("review", "review", lambda: _review(now), required=False)],
    }
    checks = stamps.rows(found, before, now)
    after = before | stamps.stamped(found, now)
    result: dict[str, t.Any] = {
        "changed": after != before,
        "checks": checks,
        "overdue": _overdue(after, now),
        "stamps": stamps.written(after),
    }
    if not task.check_mode:
        try:
            noted.write(cluster, server, stamps.ANNOTATION, result["stamps"])
        except Failure as failure:
            message = f"The day of each check was not noted, so they count as overdue later. {failure.msg}"
            checks.append(_results.result("stamps", "stamps", _results.FAILED, message))
            result["changed"] = False
    if problems := _results.problems(checks):
        raise Failure(" ".join(problems), **result)
    return result


def _overdue(known: t.Mapping[str, stamps.Stamp], now: t.Any) -> list[str]:
    return [item.id for item in headings.ITEMS if stamps.overdue(item, known.get(item.id), now)]


def _found(given: t.Mapping[str, t.Any]) -> dict[str, list[Result]]:
    """Return the results by part. Raises Failure when one is no result."""
    if unknown := sorted(str(part) for part in given if part not in headings.PARTS):
        known = ", ".join(headings.PARTS)
        raise Failure(f"results names {printable(', '.join(unknown), 200)}, which is no part: use {known}.")
    found = {part: [_sound(part, one) for one in items(given, part)] for part in given}
    return {part: results for part, results in found.items() if results}


def _sound(part: str, one: t.Mapping[str, t.Any]) -> Result:
    if one.get("verdict") not in _results.VERDICTS or not all(isinstance(one.get(name), str) for name in _TEXTS):
        raise Failure(f"results.{part} has an entry that is no result of a check, as in mcp_verdict.")
    seconds = one.get("seconds")
    return _results.result(
        one["id"],
        one["name"],
        one["verdict"],
        one["message"],
        seconds=float(seconds) if isinstance(seconds, (int, float)) else 0.0,
        required=one.get("required") is not False,
    )


_TEXTS = ("id", "name", "message")


def _review(now: datetime) -> str:
    if warning := review_warning(document.REVIEWED, now.date()):
        raise Failure(warning)
    return f"The guide was reviewed on {document.REVIEWED}."


def _contacts(escalation: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    named = [one for one in escalation if one.get("name")]
    if not named:
        raise Failure("Nobody is named to call when a release fails: set mcp_escalation in the inventory.")
    return f"mcp_escalation names {len(named)} to call."
