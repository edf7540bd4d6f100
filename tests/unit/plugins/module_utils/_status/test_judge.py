# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._guide import document
from ansible_collections.mcp.server.plugins.module_utils._status import judge
from ansible_collections.mcp.server.tests.unit.fakes.records import release
from ansible_collections.mcp.server.tests.unit.fakes.statuses import MIB, instance, pool, status

ROUTE = {"name": "HTTPRoute prod/mcp", "weights": {"blue": 100, "green": 0}, "missing": False}
TRIGGER = {"pool": "blue", "gate": "errors", "verdict": "breach", "reason": "9.0 % is above the limit of 5 %"}


def test_a_server_that_is_well():
    assert judge.judge(status()) == [] and judge.state_of([]) == "ok"


@pytest.mark.parametrize(
    ("more", "state", "words"),
    [
        ({"route": {**ROUTE, "weights": None, "missing": True}}, "down", "HTTPRoute prod/mcp does not exist"),
        ({"route": {**ROUTE, "weights": None}}, "unknown", "HTTPRoute prod/mcp could not be read"),
        ({"route": {**ROUTE, "weights": {"blue": 0, "green": 0}}}, "down", "gives no pool any traffic"),
        (
            {"pools": {"blue": pool("blue", 0), "green": pool("green")}},
            "down",
            "no ready endpoint. Pool green has 2 ready: rollback.yml -e mcp_rollback_pool=green gives it the traffic.",
        ),
        (
            {"pools": {"blue": pool("blue", endpoints=None), "green": pool("green")}},
            "unknown",
            "endpoints of pool blue",
        ),
        (
            {"pools": {"blue": pool("blue"), "green": pool("green", missing=["Deployment prod/mcp-green"])}},
            "attention",
            "Deployment prod/mcp-green of pool green does not exist.",
        ),
        ({"broken_glass": {"sentence": "The glass is broken.", "objects": []}}, "degraded", "The glass is broken."),
        ({"share": {"msg": "3 of 40 failed.", "requests": 40, "failed_requests": 3}}, "degraded", "3 of 40 failed."),
        ({"share": {"msg": "All failed.", "requests": 40, "failed_requests": 40}}, "down", "All failed."),
        ({"share": {"msg": "Only 3 answers.", "requests": 3, "failed_requests": 0}}, "attention", "Only 3 answers."),
        ({"last_guide": {"at": None, "failed": 0}}, "attention", "The guide was never validated on this server"),
        (
            {"last_guide": {"at": "2026-11-20T06:00:00Z", "failed": 1}},
            "attention",
            "1 heading of the guide failed",
        ),
        ({"last_guide": {"at": "2026-10-20T06:00:00Z", "failed": 0}}, "attention", "2026-10-20, more than 31 days ago"),
        ({"last_drill": {"at": None, "passed": None}}, "attention", "No drill is noted for this server"),
        ({"last_drill": {"at": "2026-11-20T06:00:00Z", "passed": False}}, "attention", "on 2026-11-20, failed: find"),
        ({"last_drill": {"at": "2026-08-20T06:00:00Z", "passed": True}}, "attention", "2026-08-20, more than 92 days"),
        (
            {"pools": {"blue": pool("blue", 1, replicas=3), "green": pool("green", 0, replicas=1)}},
            "degraded",
            "2 of 3 pods of pool blue are missing: diagnose.yml says why.",
        ),
        (
            {"instances": [instance(), instance("b", ready=False, state="Evicted", finished=True)]},
            "attention",
            "Ended pods of pool blue that nobody removed: b (Evicted).",
        ),
        ({"triggers": [TRIGGER]}, "degraded", "Trigger errors of pool blue: 9.0 % is above the limit of 5 %."),
        (
            {"instances": [instance(), instance("b", ready=False, state="CrashLoopBackOff")]},
            "degraded",
            "1 of 2 pods of pool blue is not ready: b (CrashLoopBackOff).",
        ),
        (
            {
                "instances": [
                    instance(
                        restarts=1,
                        restart_reason="OOMKilled, exit code 137",
                        restarted_at="2026-11-27T21:55:00Z",
                    )
                ]
            },
            "attention",
            "Restarted within the last hour: mcp-blue-1 (OOMKilled, exit code 137).",
        ),
        ({"instances": [instance(memory_bytes=240 * MIB)]}, "attention", "Memory is at 90 % of its limit or more"),
        ({"drift": ["Pools differ."]}, "attention", "Pools differ."),
        ({"release": {"record": release("running")}}, "degraded", "The release of v1.2.0 was interrupted"),
        (
            {"release": {"record": release("running", paused={"at": "T", "reason": "no metrics"})}},
            "attention",
            "The release of v1.2.0 is paused: no metrics",
        ),
        (
            {"release": {"record": release("failed"), "history": [release(bypassed=["gates"])]}},
            "attention",
            "The release of v1.2.0 bypassed gates; reason: not given.",
        ),
        (
            {"release": {"record": release(bypassed=["gates", "preflight"], bypass_reason="outage")}},
            "attention",
            "The release of v1.2.0 bypassed gates, preflight; reason: outage.",
        ),
    ],
)
def test_what_is_wrong(more, state, words):
    found = judge.judge(status(**more))
    assert judge.state_of(found) == state, found
    assert any(words in one.text for one in found), found


@pytest.mark.parametrize(
    "more",
    [
        {"share": {"requests": 40, "failed_requests": 0}},
        {"triggers": [{**TRIGGER, "verdict": "no_data"}]},
        # Of the idle pool
        {"instances": [instance("g", "green", ready=False, state="CrashLoopBackOff")]},
        {"instances": [instance("g", "green", restarts=1, restarted_at="2026-11-27T21:55:00Z")]},
        {"instances": [instance(ready=False, state="Terminating")]},
        {"instances": [instance(restarts=5, restarted_at="2026-11-26T21:55:00Z")]},
        {"release": {"record": release("running"), "holder": {"by": "kim", "since": "T"}}},
        {"release": {"record": release("running"), "holder_known": False}},
        {"release": {"record": release("succeeded", bypassed="all")}},
        {"release": {"record": release("succeeded"), "history": [release(bypassed=["gates"])]}},
    ],
)
def test_what_is_well(more):
    assert judge.judge(status(**more)) == []


def test_the_worst_is_first():
    found = judge.judge(
        status(
            drift=["Pools differ."],
            triggers=[TRIGGER],
            pools={"blue": pool("blue", 0), "green": pool("green")},
        )
    )
    assert [one.state for one in found] == ["down", "degraded", "attention"]


def test_a_guide_validated_within_the_month_is_no_finding():
    assert judge.judge(status(last_guide={"at": "2026-10-28T06:00:00Z", "failed": 0})) == []


def test_a_review_of_the_guide_that_is_due_is_said_of_servers_for_it(monkeypatch):
    monkeypatch.setattr(document, "REVIEWED", "2026-08-20")
    assert judge.judge(status()) == []
    (found,) = judge.judge(status(last_guide={"at": "2026-11-20T06:00:00Z", "failed": 0}))
    assert found.state == "attention" and "last reviewed on 2026-08-20" in found.text


def test_a_drill_within_the_quarter_is_no_finding():
    assert judge.judge(status(last_drill={"at": "2026-08-28T06:00:00Z", "passed": True})) == []
