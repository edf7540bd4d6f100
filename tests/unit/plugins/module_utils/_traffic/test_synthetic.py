# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch's own answers: 40 a second, those of a pool with 10 % of the traffic every tenth."""

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
    """fails: from the number of an answer and its time to whether it failed. The verdict of the trigger at each tick, with its time."""
    own = SyntheticRequests(weight, 0.0, 60.0)
    found = []
    for tick in range(1, int(seconds / TICK) + 1):
        now = tick * TICK
        numbers = range(int((tick - 1) * each), int(tick * each))
        own.add(now, [Answer(now, True, None, reason="broken" if fails(number, now) else "") for number in numbers])
        found.append((now, own.trigger(BURST).verdict))
    return own, found


def breached(found):
    return next((now for now, verdict in found if verdict == "breach"), None)


def test_a_new_pool_that_only_fails():
    _own, found = watched(lambda number, now: number % 10 == 0 and now > 3, 12)
    assert 8 < breached(found) <= 9


@pytest.mark.parametrize("seconds", [0.5, 3, 4.5])
def test_errors_that_end_before_the_window(seconds):
    _own, found = watched(lambda number, now: number % 10 == 0 and 3 < now <= 3 + seconds, 12)
    assert breached(found) is None


def test_few_of_its_answers_fail():
    """A tenth of the new pool's: that is for the slower triggers."""
    assert breached(watched(lambda number, _now: number % 100 == 0, 30)[1]) is None
    assert breached(watched(lambda number, _now: number % 10 == 0, 30, weight=100)[1]) is None
    assert breached(watched(lambda number, _now: number % 3 == 0, 30, weight=100)[1]) == pytest.approx(5.5, abs=0.5)


def test_all_answers_fail():
    """So the live pool's do, too: the new one is not to blame, and going back is no way out."""
    _own, found = watched(lambda _number, now: now > 3, 12)
    assert {verdict for _now, verdict in found} == {"pass", "cannot_measure"}
    assert breached(watched(lambda _number, now: now > 3, 12, weight=100)[1])


@pytest.mark.parametrize(("seconds", "found"), [(1.5, False), (30, True)])
def test_a_watch_that_asks_five_times_a_second(seconds, found):
    """As watch.yml does, whose pool has all of the traffic; with Prometheus down nothing else tells."""
    at = breached(watched(lambda _number, now: 3 < now <= 3 + seconds, 20, weight=100, each=5 * TICK)[1])
    assert (8 < at <= 10) if found else at is None


def test_who_waits_for_a_share_does_not_wait_longer():
    answers = [
        Answer(time.monotonic() + number / 200, True, None, reason="broken" if number % 10 == 0 else "")
        for number in range(6000)
    ]
    passed = []
    with pytest.raises(Failure, match=r"The weights are written, but (\d+) of \d+ answers fail \(broken\)") as failure:
        passed.extend(unless_failing(answers, 10, "The weights are written, but", {"changed": True}))
    assert failure.value.evidence == {"changed": True}
    good = [Answer(answer.at, True, "green") for answer in answers]
    assert list(unless_failing(good, 10, "", {})) == good


def test_a_whole_watch():
    gate = Gate("answers", "errors", 1.0)
    own, _found = watched(lambda number, now: now <= 3, 30)
    assert (own.requests, own.failed) == (1200, 120)
    # Bad at first, and good for ten seconds by now: it waits for twenty in a row, and passes then.
    assert own.whole(gate, 30, 28).verdict == "no_data"
    assert own.whole(gate, 30, 20).verdict == "pass"
    assert watched(lambda number, now: number % 20 == 0, 30)[0].whole(gate, 30, 20).verdict == "breach"
