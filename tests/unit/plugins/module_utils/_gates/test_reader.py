# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading bit by bit, and judging again and again, from a Prometheus that has samples of every 5 seconds."""

from __future__ import annotations

import itertools
import math
import socket
import threading
import time
from contextlib import suppress

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import poller as polling
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period, Verdict
from ansible_collections.mcp.server.plugins.module_utils._gates.poller import Poller
from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.metrics import (
    EVERY,
    REQUESTS,
    SERVER,
    START,
    answers,
    counter,
    pod,
)
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, said, serving
from ansible_collections.mcp.server.tests.unit.fakes.stored_samples import Stored

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


def test_gates_with_the_same_name_have_separate_queries():
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


def test_samples_that_cannot_be_judged(monkeypatch):
    with Fake(serving(list, time.time)) as fake:
        found = source(fake.url)
        monkeypatch.setattr(found, "judge", lambda _gates, _period: 1 / 0)
        with Poller(found, [ERRORS], [ERRORS], 10.0, None, 0.05) as poller:
            first = awaited(poller)
            assert awaited(poller, first) is not first  # it goes on
    assert [verdict.verdict for verdict in (*first.triggers, *first.gates)] == ["cannot_measure"] * 2
    assert "can't be judged (ZeroDivisionError" in first.triggers[0].reason


def awaited(poller, before=None):
    """Return the next poll."""
    deadline = time.monotonic() + 10
    while poller.latest is before and time.monotonic() < deadline:
        time.sleep(0.01)
    return poller.latest


def test_a_poller_ends_with_its_block():
    with Fake(serving(list, time.time)) as fake:
        with Poller(source(fake.url), [ERRORS], [], 10.0, None, 0.05) as poller:
            awaited(poller)
        poller._thread.join(10)
        assert not poller._thread.is_alive()


BODIES = {
    "no JSON": (200, b"<html>"),
    "cut JSON": (200, b'{"status": "success", "data": {"resultType": "matrix", "result": [{"metric'),
    "an error": (200, b'{"status": "error", "error": "out of bounds"}'),
    "another type": said("vector", []),
    "a value that is no number": said("matrix", [{"metric": {}, "values": [[1, "many"]]}]),
    "a label that is no text": said("matrix", [{"metric": {"__name__": REQUESTS, "code": 500}, "values": []}]),
    "samples without a time": said("matrix", [{"metric": {}, "values": [[None, "1"]]}]),
    "nothing": (200, b""),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_odd_answer_ends_no_poller(body):
    """It is cannot_measure, and the next good one is judged."""
    begin = time.time()
    series = answers([100] * 40, [0] * 40, start=begin - 39 * EVERY)
    good = serving(lambda: series, time.time)
    gate = Gate("errors", "errors", 5.0, window=60)
    with (
        Fake(lambda query: body if query["query"] != "time()" else good(query)) as fake,
        Poller(source(fake.url), [gate], [], 10.0, None, 0.05) as poller,
    ):
        assert [verdict.verdict for verdict in awaited(poller).triggers] == ["cannot_measure"]
        fake.answer = good
        deadline = time.monotonic() + 10
        while poller.latest.triggers[0].verdict != "pass" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert poller.latest.triggers[0].verdict == "pass"


def test_an_answer_that_drips_ends_no_poller():
    """A byte each 50 ms outlasts any time-out between two bytes."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip(connection):
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.05):
                connection.sendall(b" ")

    def serve():
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        prometheus = Prometheus(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.3)
        reader = MetricsReader(prometheus, SERVER, "green", OPTION, 60.0)
        with Poller(reader, [ERRORS], [], 10.0, None, 0.05) as poller:
            first = awaited(poller)
            assert awaited(poller, first) is not first
    finally:
        over.set()
        server.close()
    assert [verdict.verdict for verdict in first.triggers] == ["cannot_measure"]
    assert "does not answer within 0.3 s" in first.triggers[0].reason


GOOD, BAD = Verdict(ERRORS, "pass", 1.0), Verdict(ERRORS, "breach", 9.0)


@pytest.mark.parametrize(
    ("verdict", "lasted", "trigger", "gates"),
    [
        ("pass", 10.0, Period(990.0, 1000.0, 0.0, 970.0), [Period(990.0, 1000.0, 10.0)]),
        ("pass", 30.0, Period(970.0, 1000.0, 0.0, 970.0), [Period(970.0, 1000.0, 30.0)]),
        # A watch that lasts longer is judged by all of it; what is bad then, by its last seconds as well.
        ("pass", 50.0, Period(970.0, 1000.0, 0.0, 970.0), [Period(950.0, 1000.0, 30.0)]),
        (
            "breach",
            50.0,
            Period(970.0, 1000.0, 0.0, 970.0),
            [Period(950.0, 1000.0, 30.0), Period(970.0, 1000.0, 30.0), Period(990.0, 1000.0, 10.0)],
        ),
    ],
)
def test_which_times_a_poll_of_a_watch_of_thirty_seconds_judges(verdict, lasted, trigger, gates):
    class Reader:
        def __init__(self):
            self.judged = []

        def judge(self, given, period):
            self.judged.append((given, period))
            return [Verdict(gate, verdict) for gate in given]

    reader, step = Reader(), Gate("errors", "errors", 1.0)
    of_triggers, of_gates = polling.judge_poll(reader, [ERRORS], [step], 1000.0, lasted, 30.0, 970.0)
    assert reader.judged == [([ERRORS], trigger), *(([step], period) for period in gates)]
    assert ([one.verdict for one in of_triggers], [one.verdict for one in of_gates]) == ([verdict], [verdict])


@pytest.mark.parametrize(
    ("age", "took", "fresh"), [(5, 0, True), (17, 0, True), (18, 0, False), (60, 20, True), (71, 20, False)]
)
def test_a_poll_that_is_too_old(age, took, fresh):
    """More than three polls should have come since. One that takes long is waited for longer. A breach stays one."""
    poll = polling.current(polling.Poll(100.0, [GOOD, BAD], [GOOD], 100.0 + took), 100.0 + age, 5.0)
    assert [verdict.verdict for verdict in poll.triggers] == ["pass" if fresh else "cannot_measure", "breach"]
    assert [verdict.verdict for verdict in poll.gates] == ["pass" if fresh else "cannot_measure"]
    if not fresh:
        assert poll.gates[0].reason.startswith(f"Prometheus was last read {age} s ago")


def test_a_poller_that_hangs_measures_nothing(monkeypatch):
    series = answers([100] * 40, [0] * 40, start=time.time() - 39 * EVERY)
    with Fake(serving(lambda: series, time.time)) as fake:
        found = source(fake.url)
        read, hang = found.read, threading.Event()
        polls = itertools.count()

        def reads_once(gates):
            if next(polls):
                hang.wait(10)
            else:
                read(gates)

        monkeypatch.setattr(found, "read", reads_once)
        with Poller(found, [ERRORS], [], 10.0, None, 0.2) as poller:
            assert awaited(poller).triggers[0].verdict == "pass"
            deadline = time.monotonic() + 10
            while poller.latest.triggers[0].verdict == "pass" and time.monotonic() < deadline:
                time.sleep(0.01)
            latest = poller.latest
            hang.set()
    assert latest.triggers[0].verdict == "cannot_measure"


def test_a_clock_that_is_put_back(clock):
    """What was read is asked for again, and never for less than nothing."""
    series = answers([100] * 60, [0] * 60)
    with Fake(serving(lambda: series, lambda: clock.now)) as fake:
        ours = source(fake.url)
        for now in (START + 250, START + 100, START + 105):
            clock.now = now
            ours.read([])
        ranges = [parameters["query"].rpartition("[")[2] for _path, parameters, _headers in fake.seen]
    assert ranges == ["210s]", "30s]", "35s]"]


@pytest.mark.parametrize(("in_prometheus", "expected"), [(False, [1]), (True, [])])
def test_the_memory_limit_is_read_once_and_only_if_prometheus_has_none(clock, in_prometheus, expected):
    asked = []
    labels = {"container": "mcp", **pod("green")}
    series = [counter("container_memory_working_set_bytes", [4.0] * 20, **labels)]
    if in_prometheus:
        series.append(counter("container_spec_memory_limit_bytes", [5.0] * 20, **labels))
    clock.now = START + 19 * EVERY
    prometheus = Stored(series, clock.now)
    reader = MetricsReader(
        prometheus, SERVER, "green", {"source": ["kubelet"], "labels": {}}, 60.0, lambda: asked.append(1) or 5.0
    )
    gate = Gate("memory", "memory", 70.0, window=60)
    for _poll in range(3):
        reader.read([])
        (verdict,) = reader.judge([gate], Period(0, clock.now))
        assert (verdict.verdict, verdict.value) == ("breach", 80.0)
    assert asked == expected


def test_pods_without_a_memory_limit_are_never_near_it(clock):
    """A release of such a server must not wait for a limit that will never be known."""
    labels = {"container": "mcp", **pod("green")}
    clock.now = START + 19 * EVERY
    prometheus = Stored([counter("container_memory_working_set_bytes", [4e9] * 20, **labels)], clock.now)
    reader = MetricsReader(prometheus, SERVER, "green", {"source": ["kubelet"], "labels": {}}, 60.0, lambda: math.inf)
    reader.read([])
    (verdict,) = reader.judge([Gate("memory", "memory", 70.0, window=60)], Period(0, clock.now))
    assert (verdict.verdict, verdict.value) == ("pass", 0.0)
