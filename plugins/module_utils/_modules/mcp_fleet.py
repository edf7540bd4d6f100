# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_fleet: shows and notes how the servers of a fleet are, and announces how their release ended."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _output, _times
from ansible_collections.mcp.server.plugins.module_utils._announce import escalation, fleet, payload, webhook
from ansible_collections.mcp.server.plugins.module_utils._fleet import state, waves
from ansible_collections.mcp.server.plugins.module_utils._report.file import place, write
from ansible_collections.mcp.server.plugins.module_utils._report.fleet import page as fleet_page
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Fleet, Spec, Task, without_secrets

# What may be noted of a server by a play, and whether it counts as failed.
NOTED = {
    "begun": (state.WORKING, False),
    "released_before": (state.ALREADY, False),
    "failed": (state.FAILED, True),
    "taken_back": (state.TAKEN_BACK, False),
    "not_taken_back": (state.NOT_TAKEN_BACK, True),
}

SPEC = Spec(
    options={
        "state": {"type": "str", "choices": ["planned", *NOTED, "concluded", "judged"], "required": True},
        "reason": {"type": "str", "default": ""},
        "version": {"type": "str", "default": ""},
        "webhooks": webhook.OPTION,
        "timeout": {"type": "float", "default": 6.0},
        "escalation": escalation.OPTION,
        "dest": {"type": "path"},
        "report_dest": {"type": "path"},
    }
)


def run(task: Task) -> dict[str, t.Any]:
    member, wanted = task.fleet, task.params["state"]
    if member is None:
        raise Failure("mcp_fleet found no fleet: bluegreen.yml makes it, for several servers in one play.")
    if wanted == "planned":
        member.show(waves.lines(_waves(member.rows())))
    elif wanted == "concluded":
        return _conclude(task, member)
    elif wanted == "judged":
        _refuse_bad(member)
    else:
        now, failed = NOTED[wanted]
        weight = {state.TAKEN_BACK: 0, state.ALREADY: 100}.get(now)
        member.note(now, task.params["reason"], weight=weight, failed=failed)
    return {"changed": False}


def _refuse_bad(member: Fleet) -> None:
    """Raise Failure when this server has not the version."""
    for row in state.ended(member.rows()):
        if row.host == member.host and state.is_bad([row]):
            raise Failure(f"{row.host} of wave {row.wave}: {row.state}{f'. {row.text}' if row.text else '.'}")


def _waves(rows: t.Sequence[state.Row]) -> list[list[str]]:
    return [[row.host for row in rows if row.wave == wave] for wave in sorted({row.wave for row in rows})]


def _conclude(task: Task, member: Fleet) -> dict[str, t.Any]:
    """Show all servers, write them to a file, and announce once."""
    params, rows = task.params, state.ended(member.rows())
    lines = state.lines(rows, whole=True)
    member.show(lines)
    event = fleet.event(rows, params["version"], member.max_failed, params["escalation"])
    delivered = _announce(task, event)
    member.show([event["summary"]])
    contacts = escalation.lines(event["escalation"], event["kind"]) if event["escalation"] else []
    member.show(f"call {line}" for line in contacts)
    try:
        _output.write(task, "outcome of the fleet", [{"host": row.host, "status": row.document()} for row in rows])
    except Failure as failure:
        task.warn(failure.msg)
    report = _report(task, rows, event["summary"], contacts)
    return {"changed": False, "lines": lines, "announcement": event, "delivered": delivered, "report": report}


def _report(task: Task, rows: t.Sequence[state.Row], summary: str, contacts: t.Sequence[str]) -> str:
    """Write the report, and return its path; empty without one, and with a warning when that fails."""
    if not (dest := task.params["report_dest"]):
        return ""
    version, at = task.params["version"], _times.iso_of(time.time())
    path = place(Path(dest), f"fleet-{at}-{version}")
    try:
        text = without_secrets(fleet_page(rows, summary, version, contacts, at))
        write(path, text, dry_run=task.check_mode)
    except Failure as failure:
        task.warn(failure.msg)
        return ""
    return str(path)


def _announce(task: Task, event: dict[str, t.Any]) -> int:
    """Return to how many webhooks it was delivered; what fails is a warning."""
    targets = [webhook.find(option, number) for number, option in enumerate(task.params["webhooks"], 1)]
    webhooks = [one for one in targets if isinstance(one, webhook.Webhook)]
    messages = [(one, payload.PAYLOADS[one.format](event)) for one in webhooks]
    undelivered = webhook.post_all(messages, task.params["timeout"])
    for reason in [*(one for one in targets if isinstance(one, str)), *filter(None, undelivered)]:
        task.warn(f"Not announced to {reason}.")
    return undelivered.count("")
