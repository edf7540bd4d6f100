# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A matrix of drawn histories: what the watch and the replay say of each, against what really happened."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import poller
from ansible_collections.mcp.server.plugins.module_utils._gates.decide import CONTINUE, Observation, decide
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, INCONCLUSIVE, PASS
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._replay.outcome import result_of
from ansible_collections.mcp.server.plugins.module_utils._replay.playback import Playback
from ansible_collections.mcp.server.plugins.module_utils._replay.polls import EVERY, Step, polls
from ansible_collections.mcp.server.tests.unit.fakes.histories import LONGER, Stored, history
from ansible_collections.mcp.server.tests.unit.fakes.history_truth import truth
from ansible_collections.mcp.server.tests.unit.fakes.metrics import SERVER, START

COUNT = 5000 if os.environ.get("MCP_TEST_KIND") == "soak" else 300
PARTS = 10
COVERAGE = {"coverage": 0.0}  # a replay reads no more than it has to
# How a watch may end, by what the scrapes show. One that waits for more of them ends inconclusive.
OUTCOMES = {BREACH: (BREACH,), PASS: (PASS, INCONCLUSIVE), INCONCLUSIVE: (INCONCLUSIVE,)}


def option(found):
    return {"labels": {}, "source": ["kubelet"] if found.of_memory else ["app"]}


def watched(found):
    """The outcome of a watch, how many seconds it took, and the verdicts of its polls."""
    prometheus = Stored(found.series)
    reader = MetricsReader(prometheus, SERVER, "green", option(found), found.seconds + LONGER)
    seen, elapsed, bound = [], 0.0, found.seconds + LONGER
    while True:
        prometheus.clock = START + elapsed
        reader.read([found.trigger])
        triggers, gates = poller.judge_poll(
            reader, [found.trigger], [], prometheus.clock, elapsed, found.seconds, START
        )
        seen.append(triggers[0])
        decision = decide(
            Observation(elapsed, found.seconds, bound, prometheus=True, polled=elapsed, triggers=triggers, gates=gates)
        )
        if decision.outcome != CONTINUE:
            return decision.outcome, elapsed, seen
        elapsed += EVERY


def replayed(found, ended):
    """The outcome of a replay of that time, and the verdicts of its polls."""
    step = Step(START, START + ended, 50)
    playback = Playback(Stored(found.series), step.begin, step.end)
    reader = MetricsReader(playback, SERVER, "green", option(found), found.seconds + LONGER)
    seen = list(polls(reader, playback, [found.trigger], [], [step], START, found.seconds))
    return result_of(seen, [step])["verdict"], [poll.triggers[0] for poll in seen]


@pytest.fixture(scope="module")
def matrix():
    """How many histories came out how, by what happened and by what the scrapes show of it."""
    found = Counter()
    yield found
    count = found.total()
    print(f"\n{count} histories")
    for (happened, shown, outcome), number in sorted(found.items()):
        print(f"{happened}, by the scrapes {shown}, came out {outcome}: {number} ({100 * number / count:.1f} %)")


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_promoted_or_rolled_back_that_should_not_be(part, matrix):
    """Each ends as its scrapes show, and inconclusive if they allow both verdicts.

    And the replay says the same as the watch, at each poll until it ends.
    """
    for seed in range(part * COUNT // PARTS, (part + 1) * COUNT // PARTS):
        found = history(seed)
        outcome, ended, seen = watched(found)
        again, seen_again = replayed(found, ended)
        true = truth(found, int(ended))
        told = f"seed {seed}: {found.trigger.name} for {found.trigger.window:g} s: {found.events}: {true}, {seen[-1]}"
        assert again == outcome, told
        assert [replace(one, **COVERAGE) for one in seen] == [replace(one, **COVERAGE) for one in seen_again], told
        assert outcome in OUTCOMES[true.shown], told
        assert outcome in (true.verdict, INCONCLUSIVE) or true.is_over, told
        matrix[(true.verdict, true.shown, outcome)] += 1


def test_few_are_inconclusive(matrix):
    if matrix.total() < COUNT:
        # A part that was chosen with -k has too few histories for a percentage.
        pytest.skip("only the whole matrix shows it")
    assert sum(number for (*_true, outcome), number in matrix.items() if outcome == INCONCLUSIVE) <= 0.05 * COUNT
