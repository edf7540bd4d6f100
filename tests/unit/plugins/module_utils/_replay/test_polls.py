# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.server.plugins.module_utils._gates import poller
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._replay.playback import Playback
from ansible_collections.mcp.server.plugins.module_utils._replay.polls import EVERY, Step, polls
from ansible_collections.mcp.server.tests.unit.fakes.metrics import SERVER, START, answers
from ansible_collections.mcp.server.tests.unit.fakes.stored_samples import Stored

OPTION = {"labels": {}, "source": ["app", "kubelet"]}
TRIGGERS = [
    Gate("errors", "errors", 5.0, window=30),
    Gate("error_burst", "errors", 25.0, window=5),
    Gate("own", "", 3.0, query="up", window=10),
]
GATES = [Gate("errors", "errors", 1.0), Gate("lost_sessions", "lost_sessions", 1.0, versus="excess")]
BACK = 300.0

counts = st.lists(
    st.tuples(st.sampled_from([0, 30, 100]), st.sampled_from([0, 0, 1, 20, 100])), min_size=2, max_size=60
)


def stored(green, blue):
    known = answers([good for good, _bad in green], [bad for _good, bad in green])
    known += answers([good for good, _bad in blue], [bad for _good, bad in blue], pool="blue")
    return Stored(known, START, lambda at: 4.0 if int(at) % 100 < 40 else 1.0)


def live(prometheus, steps, since, seconds):
    """The verdicts of a watch whose clock goes on."""
    source = MetricsReader(prometheus, SERVER, "green", OPTION, BACK)
    found = []
    for step in steps:
        at = step.begin
        while at <= step.end:
            prometheus.clock = at
            source.read([*TRIGGERS, *GATES])
            gates = [gate for gate in GATES if not (gate.versus and step.weight == 100)]
            found.append(
                (
                    at,
                    *poller.verdicts(
                        source,
                        TRIGGERS,
                        gates,
                        at,
                        min(at - step.begin, seconds),
                        min(step.end - step.begin, seconds),
                        since,
                    ),
                )
            )
            at += EVERY
    return found


def replayed(prometheus, steps, since, seconds):
    playback = Playback(prometheus, steps[0].begin, steps[-1].end)
    source = MetricsReader(playback, SERVER, "green", OPTION, BACK)
    return [
        (moment.at, moment.triggers, moment.gates)
        for moment in polls(source, playback, TRIGGERS, GATES, steps, since, seconds)
    ]


@settings(max_examples=30, deadline=None)
@given(counts, counts, st.sampled_from([0.0, 3.7, 20.0]), st.sampled_from([10, 100]), st.sampled_from([60.0, 600.0]))
def test_the_same_as_the_watch_at_each_poll(green, blue, after, weight, seconds):
    begin = START + after
    half, end = begin + 5 * (len(green) // 2), begin + 5 * len(green)
    steps = [Step(begin, half, 10), Step(half, end, weight)]
    prometheus = stored(green, blue)
    assert replayed(prometheus, steps, None, seconds) == live(prometheus, steps, None, seconds)


@settings(max_examples=30, deadline=None)
@given(counts, counts)
def test_the_same_until_the_breach_when_windows_began_with_the_release(green, blue):
    """After it the watch is over, and a replay looks no further back than it has to."""
    begin = START + 20
    steps = [Step(begin, begin + 5 * len(green), 50)]
    prometheus = stored(green, blue)
    for mine, theirs in zip(
        replayed(prometheus, steps, START, 600.0), live(prometheus, steps, START, 600.0), strict=True
    ):
        assert mine == theirs
        if any(verdict.verdict == BREACH for verdict in theirs[1]):
            break


@pytest.mark.parametrize(
    ("steps", "polls"),
    [
        ([Step(0.0, 10.0)], [(0.0, 0, False), (5.0, 0, False), (10.0, 0, True)]),
        ([Step(0.0, 12.0)], [(0.0, 0, False), (5.0, 0, False), (10.0, 0, True)]),
        (
            [Step(0.0, 6.0, 10), Step(8.0, 16.0, 50)],
            [(0.0, 0, False), (5.0, 0, True), (10.0, 1, False), (15.0, 1, True)],
        ),
        # Too short for a poll.
        ([Step(0.0, 6.0, 10), Step(6.0, 9.0, 50)], [(0.0, 0, False), (5.0, 0, True)]),
    ],
)
def test_when_it_polls(steps, polls):
    shifted = [Step(START + step.begin, START + step.end, step.weight) for step in steps]
    playback = Playback(Stored([], START), shifted[0].begin, shifted[-1].end)
    seen = polls(
        MetricsReader(playback, SERVER, "green", OPTION, BACK), playback, TRIGGERS, GATES, shifted, None, 600.0
    )
    assert [(moment.at - START, moment.step, moment.last) for moment in seen] == polls


def test_the_live_pool_is_not_compared_with_at_100_percent():
    steps = [Step(START, START + 10, 50), Step(START + 10, START + 20, 100)]
    playback = Playback(Stored([], START), START, START + 20)
    seen = list(polls(MetricsReader(playback, SERVER, "green", OPTION, BACK), playback, [], GATES, steps, None, 600.0))
    assert [len(moment.gates) for moment in seen] == [2, 2, 2, 1, 1, 1]
