# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a webhook is sent when a release or a rollback has ended. Pure.

Nothing goes in but what is named here: a release record is safe, and what
somebody adds to it by hand is not known to be.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._announce import escalation
from ansible_collections.mcp.server.plugins.module_utils._release import summary
from ansible_collections.mcp.server.plugins.module_utils._release.record import FAILED, ROLLED_BACK, SUCCEEDED, Release

Event = dict[str, t.Any]

FORMATS = ("json", "slack")
# The first is the one that the release record tells.
EVENTS = ENDED, RELEASE_FAILED, ROLLBACK_FAILED, PAUSED = "ended", "release_failed", "rollback_failed", "paused"
LONGEST = 500  # characters of a reason

# Slack's limits: https://docs.slack.dev/reference/block-kit/blocks
_HEADER, _SECTION = 150, 3000
_MARKS = {
    SUCCEEDED: ":white_check_mark:",
    ROLLED_BACK: ":leftwards_arrow_with_hook:",
    FAILED: ":x:",
    summary.PAUSED: ":double_vertical_bar:",
}


def event(
    release: Release | None, place: tuple[str, str], what: str, failure: str, tree: t.Sequence[dict[str, t.Any]]
) -> Event:
    """What happened, as data: the generic format.

    place: namespace and name of the server. what: one of EVENTS; failure: why,
    for those that the record doesn't tell. A release that could not be read is None.
    """
    namespace, server = place
    release = summary.readable(release) if release else None
    where = f"{namespace}/{server}"
    outcome = {RELEASE_FAILED: FAILED, ROLLBACK_FAILED: FAILED, PAUSED: summary.PAUSED}.get(
        what, (release or {}).get("outcome", "")
    )
    told: Event = {"namespace": namespace, "server": server, "outcome": outcome, "failure": _short(failure)}
    if outcome == FAILED and what != ENDED:
        told["summary"] = f"{where}: the {'rollback' if what == ROLLBACK_FAILED else 'release'} FAILED"
    else:
        told["summary"] = (
            summary.headline({**release, "outcome": outcome}, where)
            if release
            else f"{where}: {summary.OUTCOMES.get(outcome, 'unknown')}"
        )
    told["release"] = _release(release) if release else None
    told["escalation"] = [
        {key: one.get(key) or "" for key in ("when", "name", "contact")} for one in tree if told["outcome"] != SUCCEEDED
    ]
    return told


def _release(release: Release) -> dict[str, t.Any]:
    return {
        **{key: release.get(key) for key in ("id", "started", "ended", "by", "outcome")},
        "reason": _short(release["reason"]),
        "seconds": summary.seconds(release),
        **{
            end: {key: release[end].get(key) for key in ("pool", "image_ref", "digest", "version")}
            for end in ("from", "to")
        },
        "weights": summary.last_weights(release),
        "steps": [
            {key: step.get(key) for key in ("at", "weights", "share", "seconds_to_follow", "verdict")}
            for step in release["steps"]
        ],
    }


def json_form(told: Event) -> dict[str, t.Any]:
    return told


def slack_form(told: Event) -> dict[str, t.Any]:
    """An incoming webhook's message. C(text) says it all, for what shows no blocks (notifications, Mattermost)."""
    release = told["release"]
    title = told["summary"]
    facts = [f"*Why:* {_escaped(reason)}"] if (reason := told["failure"] or (release or {}).get("reason")) else []
    sections = [facts]
    if release:
        sections.append([f"*{name}:* {_escaped(value)}" for name, value in _facts(release)])
        if release["steps"]:
            sections.append(
                ["*Steps*", *(_escaped(summary.step(one, release["to"]["pool"])) for one in release["steps"])]
            )
    if told["escalation"]:
        sections.append(["*Whom to call*", *map(_escaped, escalation.lines(told["escalation"]))])
    bodies = [_cut("\n".join(section), _SECTION) for section in sections if section]
    return {
        "text": _cut("\n".join([f"*{_escaped(title)}*", *bodies]), _SECTION),
        "blocks": [
            {
                "type": "header",
                "text": {
                    "type": "plain_text",
                    "emoji": True,
                    "text": _cut(f"{_MARKS.get(told['outcome'], '')} {title}".strip(), _HEADER),
                },
            },
            *({"type": "section", "text": {"type": "mrkdwn", "text": body}} for body in bodies),
        ],
    }


def _facts(release: dict[str, t.Any]) -> list[tuple[str, str]]:
    ends = [
        (label, f"{summary.version(release[end])} on {release[end]['pool']}")
        for label, end in (("From", "from"), ("To", "to"))
    ]
    took = f" ({_times.duration(release['seconds'])})" if release["seconds"] is not None else ""
    return [
        *ends,
        ("By", str(release["by"] or "unknown")),
        ("When", f"{_times.day(release['started'])} to {_times.clock(release['ended'])}{took}"),
        ("Traffic", summary.percents(release["weights"]) or "unknown"),
        ("Release", release["id"]),
    ]


def _escaped(text: str) -> str:
    """So that nothing of it is a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(text: str) -> str:
    return _cut(text, LONGEST)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


PAYLOADS: dict[str, t.Callable[[Event], dict[str, t.Any]]] = {"json": json_form, "slack": slack_form}
