# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading bit by bit, and judging again and again, from a Prometheus that has samples of every 5 seconds."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import poller as polling
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.poller import Poller
from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.metrics import EVERY, SERVER, START, answers
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, serving

ERRORS = Gate("errors", "errors", 5.0, window=60)
OPTION = {"source": ["app"], "labels": {}}


class Clock:
    """Prometheus' own, far from ours."""

    now = START


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(Prometheus, "now", lambda self: clock.now)
    monkeypatch.setattr(Prometheus, "known_now", property(lambda self: clock.now))
    return clock


def source(url, **more):
    return MetricsReader(Prometheus(url, timeout=1.0), SERVER, "green", OPTION, 60.0, **more)


def judged(found, clock):
    return found.judge([ERRORS], Period(0, clock.now))[0]


def test_gates_of_one_name_have_each_their_own_query():
    class Answers:
        known_now = START

        def now(self):
            return START

        def samples(self, query, at):
            return []

        def values(self, query, begin, end, step):
            return [Series({}, [(end, {"low": 1.0, "high": 9.0}[query])])]

    queries = [Gate("queue", "", 5.0, query=query, window=window) for query, window in (("high", None), ("low", 60))]
    found = MetricsReader(Answers(), SERVER, "green", OPTION, 60.0)
    found.read(queries)
    assert [verdict.value for verdict in found.judge(queries, Period(START - 60, START))] == [9.0, 1.0]


def test_bit_by_bit_is_the_same_as_at_once(clock):
    """At each poll: one that has read from the beginning, and one that was started only now."""
    series = answers([100] * 60, [0] * 10 + [20] * 20 + [0] * 30)
    verdicts = []
    with Fake(serving(lambda: series, lambda: clock.now)) as fake:
        ours = source(fake.url)
        for poll in range(1, 60):
            clock.now = START + poll * EVERY + 1
            ours.read([ERRORS])
            fresh = source(fake.url)
            fresh.read([ERRORS])
            verdicts.append(judged(ours, clock).verdict)
            assert judged(fresh, clock).verdict == verdicts[-1]
            assert judged(fresh, clock).since == judged(ours, clock).since
        lengths = [
            int(parameters["query"].rpartition("[")[2].removesuffix("s]")) for _path, parameters, _headers in fake.seen
        ]
    assert "breach" in verdicts and verdicts[-1] == "pass"
    assert max(lengths[2::2]) == 35  # only what is new, and the overlap


def test_a_lost_prometheus(clock):
    """What was read is not enough to pass any more, but for a breach it is."""
    series = answers([100] * 20, [20] * 20)
    with Fake(serving(lambda: series, lambda: clock.now)) as fake:
        ours = source(fake.url)
        for poll, expected in ((10, "cannot_measure"), (16, "breach")):
            clock.now = START + poll * EVERY
            ours.read([ERRORS])
            fake.answer, good = (lambda _query: (503, b"")), fake.answer
            clock.now += 1
            with pytest.raises(Failure):
                ours.read([ERRORS])
            assert judged(ours, clock).verdict == expected
            fake.answer = good
        assert "answers 503" not in judged(ours, clock).reason


def test_no_series_of_ours_are_kept_for_ever(clock):
    series = answers([100] * 400, [0] * 400)
    with Fake(serving(lambda: series, lambda: clock.now)) as fake:
        ours = source(fake.url)
        for poll in range(10, 400, 5):
            clock.now = START + poll * EVERY
            ours.read([])
        kept = ours.found([])
    assert kept == ["2 series, 88 samples"]


def test_polls(monkeypatch):
    """By a clock an hour behind ours. A Prometheus that hangs holds up nobody but itself."""
    monkeypatch.setattr(polling, "SOON", 0.05)
    begin = time.time() - 3600
    series = answers([100] * 40, [50] * 40, start=begin - 40 * EVERY)
    step = Gate("errors", "errors", 1.0)
    with Fake(serving(lambda: series, lambda: time.time() - 3600)) as fake:
        with Poller(source(fake.url), [ERRORS], [step], 10.0, None, 30.0) as poller:
            deadline = time.monotonic() + 10
            while poller.latest is None and time.monotonic() < deadline:
                time.sleep(0.01)
            first = poller.latest
            # What is past its limit is looked at again soon.
            while poller.latest is first and time.monotonic() < deadline:
                time.sleep(0.01)
            assert poller.latest is not first
            begun = time.monotonic()
            fake.answer = lambda _query: (time.sleep(3), (200, b""))[1]
        assert time.monotonic() - begun < 1
    assert [verdict.verdict for verdict in first.triggers] == ["breach"]
    assert [verdict.verdict for verdict in first.gates] == ["no_data"]  # nothing of it is of this watch


def test_samples_that_nobody_thought_of(monkeypatch):
    """Cannot be measured, and that is all: no release is taken back for it."""
    with Fake(serving(list, time.time)) as fake:
        found = source(fake.url)
        monkeypatch.setattr(found, "read", lambda _gates: 1 / 0)
        with Poller(found, [ERRORS], [], 10.0, None, 30.0) as poller:
            deadline = time.monotonic() + 10
            while poller.latest is None and time.monotonic() < deadline:
                time.sleep(0.01)
    assert [(verdict.verdict, verdict.outcome) for verdict in poller.latest.triggers] == [
        ("cannot_measure", "inconclusive")
    ]
    assert "ZeroDivisionError" in poller.latest.triggers[0].reason


def test_the_limit_of_the_memory_is_asked_once(clock):
    asked = []
    with Fake(serving(list, lambda: clock.now)) as fake:
        found = source(fake.url, memory_limit=lambda: asked.append(1) or 5.0)
        found.read([])
        for _time in range(3):
            found.judge([Gate("memory", "memory", 90.0, window=60)], Period(0, clock.now))
    assert asked == [1]
