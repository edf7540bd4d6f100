# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._load import judge
from ansible_collections.mcp.server.plugins.module_utils._load.judge import Figures
from ansible_collections.mcp.server.plugins.module_utils._load.options import Limits, Plan

PLAN = Plan(rate=1250, seconds=10, workers=750, sessions=5, answer_timeout=10)
LIMITS = Limits(2, 300, 1000)
FASTER = Limits(2, 300, 8000)
FAST = Figures(sent=2500, failed=0, seconds=2, p95_ms=2, in_flight=1)


def figures(
    sent: int = 12_500,
    failed: int = 0,
    seconds: float = 10.0,
    p95_ms: float = 40,
    in_flight: float = 30,
    problems: dict[str, int] | None = None,
    own: int = 0,
) -> Figures:
    reasons = problems or ({"HTTP status 503": failed} if failed else {})
    return Figures(sent, failed, seconds, p95_ms, in_flight, reasons, own=own)


# Of what is said of errors, p95 and throughput: p passed, f failed, s skipped, c cannot measure.
@pytest.mark.parametrize(
    ("what", "found", "limits", "verdicts"),
    [
        ("all is good", figures(), LIMITS, "ppp"),
        ("no throughput is asked for", figures(), Limits(2, 300), "pps"),
        ("as many errors as the limit", figures(failed=250), LIMITS, "fpp"),
        ("one error less", figures(failed=249), LIMITS, "ppp"),
        ("all fail, at once", figures(failed=12_500), LIMITS, "fcf"),
        ("so many fail that too few are good", figures(failed=3000), LIMITS, "fpf"),
        ("p95 at the limit", figures(p95_ms=300), LIMITS, "pfp"),
        ("just as many as asked for", figures(sent=12_000, seconds=12), LIMITS, "ppf"),
        ("the server is slow: all workers wait", figures(sent=5000, p95_ms=1500, in_flight=740), LIMITS, "pff"),
        ("the generator is slow: few wait", figures(sent=5000, in_flight=20), LIMITS, "pcc"),
        ("it is slow, and answers seem so", figures(sent=5000, p95_ms=900, in_flight=20), LIMITS, "pcc"),
        ("it is slow, and there are errors all the same", figures(sent=5000, failed=500, in_flight=20), LIMITS, "fcc"),
        ("it is slow, but the goal is reached", figures(sent=11_000, in_flight=20), LIMITS, "pcp"),
        ("the generator sent next to nothing", figures(sent=50, in_flight=0), LIMITS, "ccc"),
        ("the server hangs", figures(sent=750, failed=750, seconds=20, p95_ms=10_000, in_flight=750), LIMITS, "fcf"),
        ("a slow server answers few", figures(sent=90, seconds=12, p95_ms=9000, in_flight=749), LIMITS, "cff"),
        ("this machine has no more ports", figures(failed=4000, own=4000), LIMITS, "ccc"),
        (
            "it had none, and the server fails",
            figures(failed=4000, own=100, problems={"HTTP status 503": 3900}),
            LIMITS,
            "fcc",
        ),
        ("one of few failed, by chance", figures(sent=40, failed=1, in_flight=1), LIMITS, "ccc"),
        ("two of few are as many as two of a hundred", figures(sent=40, failed=2, in_flight=1), LIMITS, "fcc"),
        # 750 of 800 wait, each for 150 ms: the server keeps its limit, and the generator is full.
        ("the generator has no more connections", figures(sent=50_000, in_flight=750, p95_ms=160), FASTER, "pcc"),
        ("it had none for a moment", figures(failed=5, own=5), LIMITS, "ccp"),
        ("all came in the first second", figures(sent=3000, seconds=1), LIMITS, "pcc"),
        ("nothing was sent", figures(sent=0, seconds=0, in_flight=0), LIMITS, "ccc"),
    ],
)
def test_what_a_load_shows(what: str, found: Figures, limits: Limits, verdicts: str) -> None:
    plan = Plan(10_000, 10, 800, 5, 10) if limits is FASTER else PLAN
    results = judge.judged(plan, limits, FAST, found)
    assert [one["id"] for one in results] == ["load_errors", "load_p95", "load_throughput"]
    assert "".join(one["verdict"][0] for one in results) == verdicts, (what, results)
    # Each sentence that fails says what to do.
    cures = ("Look at", "Give the server", "Run it", "No request was answered well", "Only", "Raise its", "Lower")
    assert all(any(cure in one["message"] for cure in cures) for one in results if not one["ok"]), results


@pytest.mark.parametrize(
    ("calibrated", "verdict", "said"),
    [
        (FAST, "passed", "sends the planned 1250"),
        (figures(sent=2376, seconds=2), "passed", "sends the planned"),
        (figures(sent=2300, seconds=2), "cannot_measure", "sends 1150 requests a second on this machine"),
        (figures(sent=0, seconds=0), "cannot_measure", "sends 0 requests"),
        (figures(sent=2500, failed=3, seconds=2), "cannot_measure", "3 requests: HTTP status 503"),
    ],
)
def test_the_generator_is_judged_by_what_it_sends_to_a_server_that_does_nothing(
    calibrated: Figures, verdict: str, said: str
) -> None:
    result = judge.generator(PLAN, calibrated, 2)
    assert result["verdict"] == verdict and said in result["message"], result
    assert bool(judge.generator_problem(PLAN, calibrated, 2)) is (verdict != "passed")


def test_a_generator_that_is_slow_itself_measures_no_latency() -> None:
    slow = figures(sent=2500, seconds=2, p95_ms=160)
    assert [one["verdict"] for one in judge.judged(PLAN, LIMITS, slow, figures(p95_ms=250))] == [
        "passed",
        "cannot_measure",
        "passed",
    ]


def test_what_cannot_be_judged_is_said_of_each() -> None:
    assert [one["id"] for one in judge.not_judged("Why.", LIMITS)] == ["load_errors", "load_p95", "load_throughput"]
    assert [one["id"] for one in judge.not_judged("Why.", Limits())] == ["load_errors", "load_p95"]


def test_the_most_frequent_reasons_are_named() -> None:
    found = figures(failed=1000, problems={"a": 1, "b": 600, "c": 300, "d": 90, "e": 9})
    said = judge.judged(PLAN, LIMITS, FAST, found)[0]["message"]
    assert "600 requests: b; 300 requests: c; 90 requests: d; 10 requests: other reasons" in said


@pytest.mark.parametrize(
    ("latencies", "expected"),
    [([], 0), ([7], 7), (list(range(1, 101)), 95), (list(range(1, 21)), 19), ([1] * 94 + [9] * 6, 9)],
)
def test_p95(latencies: list[float], expected: float) -> None:
    assert judge.p95(latencies) == expected


def test_a_long_answer_of_which_the_end_is_not_known_is_said() -> None:
    found: t.Any = Figures(12_500, 0, 10, 40, 30, {}, unread=12_500)
    assert "Of 12500 long answers only" in judge.judged(PLAN, LIMITS, FAST, found)[0]["message"]
