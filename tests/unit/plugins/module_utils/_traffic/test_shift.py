# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a shift makes of answers that fail. All else is tested with the modules (test_single_shift.py)."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import FailedAnswers, Shift

HALF = {"blue": 50, "green": 50}


def shift() -> Shift:
    server = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
    return Shift(Task({}), SimpleNamespace(), server, None)


def answers(reason: str) -> list[Answer]:
    begun = time.monotonic()
    return [Answer(begun + number / 200, True, None, reason=reason if number % 2 else "") for number in range(6000)]


def test_answers_that_fail_are_told_in_full_and_in_brief() -> None:
    with pytest.raises(FailedAnswers) as raised:
        list(shift()._unless_failing(answers("broken"), "green", HALF))
    assert raised.value.msg.startswith("Weights of prod/mcp were written (blue 50 %, green 50 %), but ")
    assert raised.value.brief.startswith("at 50 %, ") and "answers fail" in raised.value.brief
    assert "Weights" not in raised.value.brief and raised.value.evidence["changed"] is False


def test_answers_that_are_good_go_through() -> None:
    good = answers("")
    assert list(shift()._unless_failing(good, "green", HALF)) == good


@pytest.mark.parametrize("failure", [LeaseLost("Ann took over."), Failure("The API server is away.")])
def test_a_failure_of_another_kind_stays_what_it_is(failure: Failure) -> None:
    def lost():
        yield answers("")[0]
        raise failure

    with pytest.raises(Failure) as raised:
        list(shift()._unless_failing(lost(), "green", HALF))
    assert raised.value is failure
