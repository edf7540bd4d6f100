# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._plan.plan import (
    Change,
    Facts,
    Pool,
    Step,
    changes,
    lines,
    plan,
    seconds_until_first_step,
    summary,
)

ROUTE = "HTTPRoute prod/mcp"
BLUE, GREEN = (f"/spec/rules/0/backendRefs/{number}/weight" for number in (0, 1))
FACTS = Facts(
    server="prod/mcp",
    version="v1.2.0",
    image_ref="r.io/mcp:v1.2.0",
    digest="sha256:0123456789abcdef",
    pools={"blue": Pool("r.io/mcp:v1.1.5", 2, 2, "sha256:fedcba9876543210"), "green": Pool("r.io/mcp:v1.1.4", 0, 0)},
    live="blue",
    idle="green",
    weights={"blue": 100, "green": 0},
    steps=(Step(10, 300, 10), Step(50, 600, 50), Step(100, 0, 100)),
    writes=(
        {(ROUTE, BLUE): 90, (ROUTE, GREEN): 10},
        {(ROUTE, BLUE): 50, (ROUTE, GREEN): 50},
        {(ROUTE, BLUE): 0, (ROUTE, GREEN): 100},
    ),
    current_values={(ROUTE, BLUE): 100, (ROUTE, GREEN): 0},
    container="mcp",
    workload="Deployment prod/mcp-green",
    record="ConfigMap prod/mcp-release",
    gate_descriptions=("at most 1 % of the answers may fail", "the contract is kept"),
)
WHOLE = """\
Plan: v1.2.0 of prod/mcp from blue to green
  image    r.io/mcp:v1.2.0 (sha256:0123456789ab)
  blue     live: r.io/mcp:v1.1.5 (sha256:fedcba987654), 2 of 2 pods ready, 100 % of the traffic
  green    idle: r.io/mcp:v1.1.4, 0 of 0 pods ready, 0 % of the traffic; becomes 2 pods of v1.2.0
  step 1   10 % to green, watched for 5 min 0 s
  step 2   50 % to green, watched for 10 min 0 s
  step 3   100 % to green, not watched
  gates    at most 1 % of the answers may fail
           the contract is kept
  time     15 min 0 s of watching, after a rollout of at most 10 min 0 s; at most 31 min 0 s in all
  changes  Lease prod/mcp-release spec: held by this run -> returned
           ConfigMap prod/mcp-release data: the release, each step, its outcome
           Deployment prod/mcp-green spec.template.spec.containers[mcp].image: r.io/mcp:v1.1.4 -> r.io/mcp:v1.2.0
           Deployment prod/mcp-green spec.replicas: 0 -> 2
           HTTPRoute prod/mcp /spec/rules/0/backendRefs/0/weight: 100 -> 90 -> 50 -> 0
           HTTPRoute prod/mcp /spec/rules/0/backendRefs/1/weight: 0 -> 10 -> 50 -> 100"""


def test_the_whole_plan() -> None:
    assert "\n".join(lines(FACTS)) == WHOLE
    assert summary(FACTS) == ""
    found = json.loads(json.dumps(plan(FACTS)))
    assert found["seconds"] == {"watched": 900, "until_first_step": None, "most": 1860.0}
    assert (found["live"], found["idle"], found["replicas"]) == ("blue", "green", 2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"resumed": True, "weights": {"blue": 50, "green": 50}}, "resuming the release that was interrupted"),
        ({"already_live": True}, "  nothing to do: blue runs r.io/mcp:v1.2.0 and has all the traffic"),
        (
            {"steps": (Step(10, 30, 33), Step(100, 5, 100))},
            "  step 1   33 % to green (10 % requested), watched for 30 s",
        ),
        (
            {"steps": (Step(10, 30),)},
            "  step 1   10 % to green (unknown whether the route can reach it), watched for 30 s",
        ),
        (
            {"steps": (Step(10, 30, 10, 2.5), Step(100, 5, 100, 25.0))},
            "  step 1   10 % to green (2.5 % of the route's traffic), watched for 30 s",
        ),
        (
            {"steps": (Step(10, 30, 33, 8.25), Step(100, 5, 100, 25.0))},
            "  step 1   33 % to green (10 % requested, 8.25 % of the route's traffic), watched for 30 s",
        ),
        (
            {"of_all_traffic": {"blue": 25.0, "green": 0.0}},
            "2 of 2 pods ready, 100 % of both pools' traffic, 25 % of the route's",
        ),
        ({"route_notes": ("rule 0 leads to blue", "rule 1 x")}, "  route    rule 0 leads to blue"),
        ({"route_notes": ("rule 0 leads to blue", "rule 1 x")}, "           rule 1 x"),
        ({"pools": {}}, "  blue     live: unknown"),
        ({"pools": {}, "live": None, "idle": None, "weights": None, "writes": ()}, "  green    unknown"),
        ({"problems": ("The image is missing.",)}, "  PROBLEM  The image is missing."),
    ],
)
def test_a_line_of_it(given: dict[str, t.Any], said: str) -> None:
    found = lines(replace(FACTS, **given))
    assert [line for line in found if said in line], "\n".join(found)


def test_what_is_done_already_is_left_out() -> None:
    resumed = replace(
        FACTS,
        resumed=True,
        weights={"blue": 50, "green": 50},
        pools={**FACTS.pools, "green": Pool("r.io/mcp:v1.2.0", 2, 2)},
    )
    assert [step["weight"] for step in plan(resumed)["steps"]] == [50, 100]
    assert not [change for change in changes(resumed) if change.object.startswith("Deployment")]
    assert changes(replace(FACTS, already_live=True)) == []
    assert not [line for line in lines(replace(FACTS, already_live=True)) if "step" in line or "time" in line]


def test_a_value_that_stays_is_told_once() -> None:
    same = replace(FACTS, writes=({("Service x", "/spec"): "a"}, {("Service x", "/spec"): "a"}, {}), current_values={})
    assert changes(same)[-1] == Change("Service x", "/spec", None, ("a",))


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        (("A is missing.",), "The release of v1.2.0 to prod/mcp would fail, for 1 reason: A is missing."),
        (
            ("A is missing.", "B is held."),
            "The release of v1.2.0 to prod/mcp would fail, for 2 reasons: (1) A is missing. (2) B is held.",
        ),
    ],
)
def test_one_sentence(problems: tuple[str, ...], said: str) -> None:
    assert summary(replace(FACTS, problems=problems)) == said


def release(outcome: str, *steps: str) -> dict[str, t.Any]:
    return {"outcome": outcome, "started": "2026-11-23T12:00:00.000Z", "steps": [{"at": at} for at in steps]}


@pytest.mark.parametrize(
    ("history", "seconds"),
    [
        ([], None),
        ([release("rolled_back", "2026-11-23T12:00:10.000Z")], None),
        ([release("succeeded")], None),
        (
            [
                release("failed"),
                release("succeeded", "2026-11-23T12:00:12.500Z", "2026-11-23T12:05:00.000Z"),
                release("succeeded"),
            ],
            12.5,
        ),
        ([release("succeeded", "soon")], None),
    ],
)
def test_how_long_the_last_one_took_to_its_first_step(history: list[dict[str, t.Any]], seconds: float | None) -> None:
    assert seconds_until_first_step(history) == seconds
    if seconds:
        assert "about 15 min 12 s in all: 12 s until the first step, as in the last release" in "\n".join(
            lines(replace(FACTS, history=tuple(history)))
        )
