# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The payload of a webhook when a release or a rollback has ended. Pure.

It has the fields that are named here and no others: a field that somebody
added to the release record by hand may be a secret.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._announce import escalation
from ansible_collections.mcp.server.plugins.module_utils._release import summary
from ansible_collections.mcp.server.plugins.module_utils._release.bypassed import Bypassed
from ansible_collections.mcp.server.plugins.module_utils._release.record import FAILED, ROLLED_BACK, SUCCEEDED, Release
from ansible_collections.mcp.server.plugins.module_utils._text import inert, printable

Event = dict[str, t.Any]

FORMATS = ("json", "slack", "grafana")
GRAFANA_TAG = "mcp-release"  # of all annotations, by which a dashboard finds them
# The release record tells the first. For the others, the caller says why.
EVENTS = ENDED, RELEASE_FAILED, ROLLBACK_FAILED, PAUSED = "ended", "release_failed", "rollback_failed", "paused"
MAX_REASON = 500  # characters

# The outcome of events that the release record does not tell.
_OUTCOMES = {RELEASE_FAILED: FAILED, ROLLBACK_FAILED: FAILED, PAUSED: summary.PAUSED}
# The kind of failure of events that say it, where the caller does not.
_KINDS = {ROLLBACK_FAILED: escalation.BUSINESS, PAUSED: escalation.DEPLOYMENT, RELEASE_FAILED: escalation.DEPLOYMENT}

# Slack's limits: https://docs.slack.dev/reference/block-kit/blocks
_HEADER, _SECTION = 150, 3000
_MARKS = {
    SUCCEEDED: ":white_check_mark:",
    ROLLED_BACK: ":leftwards_arrow_with_hook:",
    FAILED: ":x:",
    summary.PAUSED: ":double_vertical_bar:",
}


def event(
    release: Release | None,
    place: tuple[str, str],
    what: str,
    failure: str,
    tree: t.Sequence[dict[str, t.Any]],
    kind: str | None = None,
    noted: Bypassed | None = None,
) -> Event:
    """Return the event as data, which is the generic format.

    release: of the release record; None when it could not be read. place: namespace and name of the server.
    what: one of EVENTS. failure: why, for events that the record does not tell. tree: the option escalation.
    kind: of the failure, see escalation.kind_of(); None where the caller does not know it.
    noted: what was bypassed by hand, as long as that is to be said.
    """
    namespace, server = place
    release = t.cast(Release, _printable(summary.readable(release))) if release else None
    name = f"{namespace}/{server}"
    recorded: str = release.get("outcome", "") if release else ""
    outcome = _OUTCOMES.get(what, recorded)
    if outcome == FAILED and what != ENDED:
        headline = f"{name}: the {'rollback' if what == ROLLBACK_FAILED else 'release'} FAILED"
    elif release:
        headline = summary.headline({**release, "outcome": outcome}, name)
    else:
        headline = f"{name}: {summary.OUTCOMES.get(outcome, 'unknown')}"
    kind = "" if outcome == SUCCEEDED else kind or _KINDS.get(what, "")
    contacts = [
        {key: one.get(key) or "" for key in ("when", "name", "contact", "kind")}
        for one in escalation.chosen(tree, kind)
    ]
    return {
        "namespace": namespace,
        "server": server,
        "outcome": outcome,
        "kind": kind,
        "failure": _printable(failure),  # it quotes what servers and proxies answer
        "summary": headline,
        "release": _release(release) if release else None,
        "bypassed": noted.names if noted else [],
        "bypass_reason": noted.reason if noted else "",
        "bypassed_version": noted.version if noted else "",
        "escalation": contacts if outcome != SUCCEEDED else [],
    }


def _release(release: Release) -> dict[str, t.Any]:
    return {
        **{key: release.get(key) for key in ("id", "started", "ended", "by", "outcome")},
        "reason": release["reason"],
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


def json_payload(data: Event) -> dict[str, t.Any]:
    """Return the generic payload."""
    return data


def slack_payload(data: Event) -> dict[str, t.Any]:
    """Return the message of an incoming webhook. C(text) has all of it, for clients without blocks (Mattermost)."""
    release = data["release"]
    title = inert(data["summary"], MAX_REASON)
    facts = [f"*Why:* {_foreign(reason)}"] if (reason := data["failure"] or (release or {}).get("reason")) else []
    if data["bypassed"]:
        noted = Bypassed(data["bypassed"], data["bypass_reason"], data["bypassed_version"])
        facts.append(f"*Bypassed:* {_foreign(noted.sentence)}")
    sections = [facts]
    if release:
        sections.append([f"*{name}:* {_foreign(value)}" for name, value in _facts(release)])
        if release["steps"]:
            sections.append(
                ["*Steps*", *(_foreign(summary.step(one, release["to"]["pool"])) for one in release["steps"])]
            )
    if data["escalation"]:
        about = f" ({data['kind']})" if data["kind"] else ""
        contacts = escalation.lines(data["escalation"], data["kind"])
        sections.append([f"*Whom to call{about}*", *map(_escaped, contacts)])
    bodies = [_cut("\n".join(section), _SECTION) for section in sections if section]
    return {
        "text": _cut("\n".join([f"*{_escaped(title)}*", *bodies]), _SECTION),
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {
                "type": "header",
                "text": {
                    "type": "plain_text",
                    "emoji": True,
                    "text": _cut(f"{_MARKS.get(data['outcome'], '')} {title}".strip(), _HEADER),
                },
            },
            *({"type": "section", "text": {"type": "mrkdwn", "text": body, "verbatim": True}} for body in bodies),
        ],
    }


def grafana_payload(data: Event) -> dict[str, t.Any]:
    """Return an annotation for Grafana's HTTP API: of the release's time, or of now for what happens after it."""
    release = data["release"]
    lines = [_foreign(data["summary"])]
    if reason := data["failure"] or (release or {}).get("reason"):
        lines.append(_foreign(reason))
    times = []
    if release and not data["failure"]:
        lines += [_foreign(summary.step(one, release["to"]["pool"])) for one in release["steps"]]
        times = [_times.parse(release[key]) for key in ("started", "ended")]
    span = {
        key: round(1000 * at.timestamp())
        for key, at in zip(("time", "timeEnd"), times, strict=False)
        if at and all(times)
    }
    # That of a fleet is of no one server.
    tags = [GRAFANA_TAG, f"{data['namespace']}/{data['server']}" if data["server"] else "", data["outcome"]]
    return {**span, "tags": [tag for tag in tags if tag], "text": _cut("\n".join(lines), _SECTION)}


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
    """Return the text without mentions and links in Slack's own form."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _foreign(text: str) -> str:
    """Return text of others for a chat, which may read mentions, links and tags in it."""
    return _escaped(inert(text, MAX_REASON))


def _printable(found: t.Any) -> t.Any:
    """Return data with all its texts printable and short: anybody may have edited the record."""
    if isinstance(found, str):
        return printable(found, MAX_REASON)
    if isinstance(found, list):
        return [_printable(one) for one in found]
    return {key: _printable(one) for key, one in found.items()} if isinstance(found, dict) else found


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


PAYLOADS: dict[str, t.Callable[[Event], dict[str, t.Any]]] = {
    "json": json_payload,
    "slack": slack_payload,
    "grafana": grafana_payload,
}
