# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Synthetic requests: 40 a second, those of a pool with 10 % of the traffic every tenth."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import TRIGGERS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.plugins.module_utils._traffic.synthetic import (
    TICK,
    SyntheticRequests,
    unless_failing,
)

BURST = next(gate for gate in TRIGGERS if gate.name == "error_burst")
EACH = int(40 * TICK)


def watched(fails, seconds, weight=10, each=EACH):
    """Return the requests, and the verdict of the trigger at each tick, with its time.

    fails: returns whether an answer failed, by its number and its time.
    """
    synthetic = SyntheticRequests(weight, 0.0, 60.0)
    found = []
    for tick in range(1, int(seconds / TICK) + 1):
        now = tick * TICK
        numbers = range(int((tick - 1) * each), int(tick * each))
        synthetic.add(
            now, [Answer(now, True, None, reason="broken" if fails(number, now) else "") for number in numbers]
        )
        found.append((now, synthetic.judge_trigger(BURST).verdict))
    return synthetic, found


def breached(found):
    return next((now for now, verdict in found if verdict == "breach"), None)


def test_a_new_pool_that_only_fails():
    _synthetic, found = watched(lambda number, now: number % 10 == 0 and now > 3, 12)
    assert 8 < breached(found) <= 9


@pytest.mark.parametrize("seconds", [0.5, 3, 4.5])
def test_errors_that_end_before_the_window(seconds):
    _synthetic, found = watched(lambda number, now: number % 10 == 0 and 3 < now <= 3 + seconds, 12)
    assert breached(found) is None


def test_few_of_its_answers_fail():
    """A tenth of the new pool's: that is for the slower triggers."""
    assert breached(watched(lambda number, _now: number % 100 == 0, 30)[1]) is None
    assert breached(watched(lambda number, _now: number % 10 == 0, 30, weight=100)[1]) is None
    assert breached(watched(lambda number, _now: number % 3 == 0, 30, weight=100)[1]) == pytest.approx(5.5, abs=0.5)


def test_all_answers_fail():
    """So the live pool's do, too: the new one is not to blame, and going back is no way out."""
    _synthetic, found = watched(lambda _number, now: now > 3, 12)
    assert {verdict for _now, verdict in found} == {"pass", "cannot_measure"}
    assert breached(watched(lambda _number, now: now > 3, 12, weight=100)[1])


@pytest.mark.parametrize(("seconds", "found"), [(1.5, False), (30, True)])
def test_a_watch_with_five_requests_a_second(seconds, found):
    """As in watch.yml, where the pool has all of the traffic. With Prometheus down, nothing else shows failures."""
    at = breached(watched(lambda _number, now: 3 < now <= 3 + seconds, 20, weight=100, each=5 * TICK)[1])
    assert (8 < at <= 10) if found else at is None


def test_who_waits_for_a_share_does_not_wait_longer():
    answers = [
        Answer(time.monotonic() + number / 200, True, None, reason="broken" if number % 10 == 0 else "")
        for number in range(6000)
    ]
    passed = []
    with pytest.raises(
        Failure, match=r"The weights are written, but (\d+) of \d+ answers failed \(broken\)"
    ) as failure:
        passed.extend(unless_failing(answers, 10, "The weights are written, but", {"changed": True}))
    assert failure.value.evidence == {"changed": True}
    good = [Answer(answer.at, True, "green") for answer in answers]
    assert list(unless_failing(good, 10, "", {})) == good


def test_a_whole_watch():
    gate = Gate("synthetic_requests", "errors", 1.0)
    synthetic, _found = watched(lambda number, now: now <= 3, 30)
    assert (synthetic.requests, synthetic.failed) == (1200, 120)
    # Bad at first, and good for ten seconds by now: it waits for twenty in a row, and passes then.
    assert synthetic.judge_gate(gate, 30, 28).verdict == "no_data"
    assert synthetic.judge_gate(gate, 30, 20).verdict == "pass"
    assert watched(lambda number, now: number % 20 == 0, 30)[0].judge_gate(gate, 30, 20).verdict == "breach"


def every_second(text, weight):
    """Return when the burst is seen. text: what comes of each request of a second; x: it failed."""
    return breached(watched(lambda number, _now: text[number] == "x", len(text) - 1, weight, each=TICK)[1])


@pytest.mark.parametrize(
    ("text", "weight", "low", "high"),
    [
        # All of its requests fail: from the beginning, and later
        ("x" * 90, 100, 19, 21),
        ("." * 60 + "x" * 60, 100, 68, 72),
        ("." * 60 + ".x" * 60, 100, 78, 85),
        (".........x" * 20, 10, 29, 61),
        ("." * 60 + ".........x" * 20, 10, 89, 125),
        (".x" * 60, 50, 20, 30),
        # A few failures say nothing
        ("." * 30 + "x" + "." * 60, 100, None, None),
        ("." * 30 + "xxxx" + "." * 60, 100, None, None),
        ("." * 30 + "xxxxx" + "." * 90, 10, None, None),
        ("." * 30 + "x" + "." * 20 + "x" + "." * 60, 10, None, None),
        ("." * 19 + "x" + "." * 100, 1, None, None),
        # Too few requests to say anything
        ("x" * 15, 100, None, None),
    ],
)
def test_one_request_a_second(text, weight, low, high):
    """Of a server that keeps sessions: seconds until the burst is seen."""
    found = every_second(text, weight)
    assert found is None if low is None else (found is not None and low <= found <= high), found


def test_one_request_a_second_where_both_pools_fail():
    _synthetic, found = watched(lambda _number, _now: True, 60, 10, each=TICK)
    assert {verdict for _now, verdict in found} == {"pass", "cannot_measure"}


@pytest.mark.parametrize(("seconds", "verdict"), [(10, "no_data"), (19, "no_data"), (30, "pass")])
def test_a_whole_watch_of_few_requests(seconds, verdict):
    """It does not pass by fewer than it needs."""
    synthetic, _found = watched(lambda _number, _now: False, seconds, each=TICK)
    assert synthetic.judge_gate(Gate("synthetic_requests", "errors", 1.0), seconds, seconds).verdict == verdict
