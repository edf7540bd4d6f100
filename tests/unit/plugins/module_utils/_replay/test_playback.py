# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._replay.playback import CHUNK, Playback
from ansible_collections.mcp.server.tests.unit.fakes.metrics import REQUESTS, START
from ansible_collections.mcp.server.tests.unit.fakes.stored_samples import Stored

QUERY = f'{{__name__=~"{REQUESTS}"}}[%ds]'
END = START + 3 * CHUNK
KNOWN = Stored(
    [Series({"__name__": REQUESTS}, [(START + 5.0 * number, float(number)) for number in range(-200, 1000)])],
    END + 1000,
)


def playback() -> tuple[Playback, Stored]:
    KNOWN.asked = 0
    return Playback(KNOWN, START, END), KNOWN


def test_it_answers_what_prometheus_would_have():
    played, real = playback()
    at = START
    while at <= END:
        assert played.samples(QUERY % 100, at) == real.samples(QUERY % 100, at)
        at += 5


def test_few_requests_for_many_polls():
    played, real = playback()
    polls = int((END - START) / 5) + 1
    for number in range(polls):
        played.samples(QUERY % (600 if number == 0 else 35), START + 5 * number)
    assert real.asked == 4


def test_nothing_that_came_later():
    played, _real = playback()
    assert max(at for each in played.samples(QUERY % 100, START) for at, _value in each.samples) == START


def test_a_poll_behind_the_end_is_answered():
    played, real = playback()
    assert played.samples(QUERY % 35, END + 5) == real.samples(QUERY % 35, END + 5)


def test_values_of_a_query_are_those_of_each_poll():
    played, real = playback()
    for number in range(540):
        begin, end = START + 5 * number - 210.0, START + 5 * number
        assert played.values("up", begin, end, 5.0) == real.values("up", begin, end, 5.0)


def test_a_series_that_comes_and_goes():
    series = [
        Series({"__name__": REQUESTS, "pod": pod}, [(START + at, 1.0) for at in ats])
        for pod, ats in (("a", (0, 5, 10)), ("b", (1000, 1005)))
    ]
    played = Playback(Stored(series, END), START, END)
    assert [each.labels["pod"] for each in played.samples(QUERY % 35, START + 20)] == ["a"]
    assert [each.labels["pod"] for each in played.samples(QUERY % 35, START + 1010)] == ["b"]
    assert played.samples(QUERY % 35, START + 1500) == []
