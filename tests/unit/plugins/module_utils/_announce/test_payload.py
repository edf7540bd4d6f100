# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._announce import payload
from ansible_collections.mcp.server.plugins.module_utils._release import summary as words
from ansible_collections.mcp.server.tests.unit.fakes.records import ID, release, step

TREE = [
    {"when": "Deployment issues", "name": "Platform Engineering On-Call", "contact": "pager 1"},
    {"when": None, "name": "Director", "contact": None},
]
PLACE = ("prod", "mcp")


def told(outcome="succeeded", event="ended", failure="", **more):
    return payload.event(release(outcome, **more), PLACE, event, failure, TREE)


@pytest.mark.parametrize(
    ("event", "outcome", "summary", "calls"),
    [
        (told(), "succeeded", "prod/mcp: v1.2.0 is released, v1.1.5 was live before", 0),
        (told("rolled_back", reason="5xx"), "rolled_back", "prod/mcp: v1.2.0 was rolled back to v1.1.5", 2),
        (told("failed"), "failed", "prod/mcp: the release of v1.2.0 failed", 2),
        (told("paused"), "paused", "prod/mcp: the release of v1.2.0 is paused at blue 0 %, green 100 %", 2),
        (told("running"), "running", "prod/mcp: the release of v1.2.0 is running, blue 0 %, green 100 %", 2),
        (told("lost"), "lost", "prod/mcp: the release of v1.2.0 ended as lost", 2),
        (
            told("running", "paused", "no data"),
            "paused",
            "prod/mcp: the release of v1.2.0 is paused at blue 0 %, green 100 %",
            2,
        ),
        (payload.event(None, PLACE, "paused", "no data", TREE), "paused", "prod/mcp: paused", 2),
        (told("running", "rollback_failed", "no endpoint"), "failed", "prod/mcp: the rollback FAILED", 2),
        (
            payload.event(None, PLACE, "release_failed", "no API server", TREE),
            "failed",
            "prod/mcp: the release FAILED",
            2,
        ),
        (payload.event(None, PLACE, "ended", "", TREE), "", "prod/mcp: unknown", 2),
        (
            told(to={"pool": "green", "image_ref": "x:v3", "version": ""}),
            "succeeded",
            "prod/mcp: x:v3 is released, v1.1.5 was live before",
            0,
        ),
        (
            told(to={"pool": "green"}),
            "succeeded",
            "prod/mcp: the version of pool green is released, v1.1.5 was live before",
            0,
        ),
    ],
)
def test_event(event, outcome, summary, calls):
    assert (event["outcome"], event["summary"], len(event["escalation"])) == (outcome, summary, calls)
    for form in payload.PAYLOADS.values():
        assert summary in json.dumps(form(event))


def test_the_generic_form():
    event = payload.json_payload(told("rolled_back", reason="5xx of green"))
    assert {key: event["release"][key] for key in ("id", "seconds", "reason", "by", "weights")} == {
        "id": ID,
        "seconds": 990.0,
        "reason": "5xx of green",
        "by": "kim@runner",
        "weights": {"blue": 0, "green": 100},
    }
    assert event["release"]["from"] == {
        "pool": "blue",
        "image_ref": "x:v1.1.5",
        "digest": "sha256:aa",
        "version": "v1.1.5",
    }
    assert event["release"]["steps"][0]["share"]["green"] == 10.4
    assert event["escalation"][1] == {"when": "", "name": "Director", "contact": "", "kind": ""}


LEVELS = [
    {"kind": "deployment", "name": "Platform"},
    {"kind": "application", "name": "Developers"},
    {"kind": "business", "name": "Director"},
    {"kind": "customer", "name": "VP"},
]


@pytest.mark.parametrize(
    ("what", "outcome", "kind", "expected", "called"),
    [
        ("ended", "rolled_back", "application", "application", ["Developers", "Director", "VP"]),
        ("ended", "failed", None, "", ["Platform", "Developers", "Director", "VP"]),
        ("ended", "succeeded", "application", "", []),
        ("rollback_failed", "running", None, "business", ["Director", "VP"]),
        ("rollback_failed", "running", "customer", "customer", ["VP"]),
        ("paused", "running", None, "deployment", ["Platform", "Developers", "Director", "VP"]),
    ],
)
def test_each_kind_of_failure_names_its_own(what, outcome, kind, expected, called):
    event = payload.event(release(outcome), PLACE, what, "", LEVELS, kind)
    assert (event["kind"], [one["name"] for one in event["escalation"]]) == (expected, called)
    if kind and called:
        heading = f"*Whom to call ({kind})*\n1. "
        assert heading in payload.slack_payload(event)["text"]


def test_slack_payload():
    message = payload.slack_payload(told("rolled_back", reason="5xx of green"))
    assert [block["type"] for block in message["blocks"]] == ["header", "section", "section", "section", "section"]
    bodies = [block["text"]["text"] for block in message["blocks"]]
    assert bodies[0] == ":leftwards_arrow_with_hook: prod/mcp: v1.2.0 was rolled back to v1.1.5"
    assert bodies[1] == "*Why:* 5xx of green"
    assert (
        "*From:* v1.1.5 on blue\n*To:* v1.2.0 on green\n*By:* kim@runner\n*When:* 2026-11-24 "
        "05:00:00 UTC to 05:16:30 (16 min 30 s)" in bodies[2]
    )
    assert "05:00:20 green 10 %: measured 10.4 % of 144 answers, followed" in bodies[3]
    assert bodies[4] == "*Whom to call*\n1. Deployment issues: Platform Engineering On-Call (pager 1)\n2. Director"
    assert all(body in message["text"] for body in bodies[1:])


def test_slack_without_a_record():
    message = payload.slack_payload(
        payload.event(None, PLACE, "rollback_failed", "The API server does not answer.", [])
    )
    assert message["text"] == "*prod/mcp: the rollback FAILED*\n*Why:* The API server does not answer."


def test_slack_takes_no_mentions_and_has_limits():
    message = payload.slack_payload(
        told("failed", reason="<!channel> <http://evil|click> & " + "x" * 9000, steps=[step("05:00:20", 10, 10.4)] * 30)
    )
    shown = json.dumps(message)
    assert "<" not in shown
    assert "&lt;\u200b!\u200bchannel&gt; &lt;\u200bhttp:\u200b//evil|click&gt; &amp; xxx" in message["text"]
    # Else Slack makes links of what looks like one.
    assert all(block["text"].get("verbatim", True) for block in message["blocks"]) and not message["unfurl_links"]
    assert all(len(block["text"]["text"]) <= 3000 for block in message["blocks"]) and len(message["text"]) <= 3000
    assert (
        len(payload.slack_payload(told(to={"pool": "green", "version": "v" * 400}))["blocks"][0]["text"]["text"]) == 150
    )


def test_nothing_goes_out_that_is_not_named():
    event = told(
        "failed",
        token="SECRET",
        steps=[step("05:00:20", 10, 10.4, token="SECRET")],
        **{"from": {"pool": "blue", "version": "v1", "token": "SECRET", "weights": {}}},
    )
    assert "SECRET" not in json.dumps([form(event) for form in payload.PAYLOADS.values()])


@pytest.mark.parametrize(
    "broken",
    [
        {"steps": [None, "x", {"weights": 1, "share": [2]}]},
        {"started": 7, "ended": "yesterday", "by": None, "steps": [{}]},
    ],
)
def test_a_record_that_somebody_edited(broken):
    event = told("failed", **broken)
    assert payload.slack_payload(event)["text"]
    assert event["release"]["seconds"] in (None, 990.0)


def test_stats():
    assert words.stats(words.readable(release("rolled_back", reason="why"))) == {
        "id": ID,
        "outcome": "rolled_back",
        "reason": "why",
        "from_pool": "blue",
        "from_version": "v1.1.5",
        "to_pool": "green",
        "to_version": "v1.2.0",
        "weights": {"blue": 0, "green": 100},
    }


def test_an_annotation_is_of_the_time_of_the_release():
    note = payload.grafana_payload(told("rolled_back", reason="5xx <b>of</b> green @all"))
    assert {key: note[key] for key in ("time", "timeEnd", "tags")} == {
        "time": 1795496400000,
        "timeEnd": 1795497390000,
        "tags": ["mcp-release", "prod/mcp", "rolled_back"],
    }
    first, why, *steps = note["text"].split("\n")
    assert first == "prod/mcp: v1.2.0 was rolled back to v1.1.5"
    assert "<b>" not in why and "&lt;" in why and "@all" not in why
    assert [line.split(":")[2] for line in steps] == ["20 green 10 %", "20 green 100 %"]


def test_an_annotation_of_a_fleet_has_no_servers_tag():
    assert payload.grafana_payload({**told(), "namespace": "", "server": ""})["tags"] == ["mcp-release", "succeeded"]


@pytest.mark.parametrize(
    "event",
    [
        told("running", "paused", "no data"),
        told("rolled_back", "rollback_failed", "no endpoint"),
        payload.event(None, PLACE, "release_failed", "no API server", TREE),
        told(started="yesterday"),
    ],
)
def test_an_annotation_without_such_a_time_is_of_now(event):
    note = payload.grafana_payload(event)
    assert set(note) == {"tags", "text"} and all(note["tags"])
