# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.client
import random
import threading
import time
import types

import pytest

from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import requests
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import Said
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import share
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer


def weights(blue):
    return {"blue": blue, "green": 100 - blue}


def answers(text):
    """b, g: an answer of blue, green; lower case: kept alive, upper case: a new connection; x: failed; f: of blue;
    ?: it names no pool.
    """
    return [
        Answer(
            float(at),
            c.islower(),
            {"b": "blue", "g": "green", "f": "blue"}.get(c.lower()),
            reason="broken" if c in "xf" else "",
            named_by="header" if c in "bBgGf" else "",
        )
        for at, c in enumerate(text)
    ]


@pytest.mark.parametrize(
    "blue, tolerance, expected",
    [(100, 5, share.ROW), (0, 1, share.ROW), (50, 5, 400), (90, 5, 144), (50, 2, 2500), (99, 5, share.MIN_ANSWERS)],
)
def test_answers_needed(blue, tolerance, expected):
    assert share.answers_needed(weights(blue), tolerance) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", (None, None, 0, 0, "", None, 0)),
        ("xx", (None, None, 2, 2, "broken", None, 0)),
        ("bBg", (66.7, 33.3, 3, 0, "", "header", 0)),
        ("bbfx", (100.0, 0.0, 4, 2, "broken", "header", 0)),
        ("bb?", (100.0, 0.0, 3, 0, "", "header", 1)),
        ("??", (None, None, 2, 0, "", None, 2)),
    ],
)
def test_tally(text, expected):
    assert tuple(share.tally(answers(text)).values()) == expected


@pytest.mark.parametrize(
    "text, blue, expected",
    [
        ("bB" * 20, 100, True),
        ("gG" * 20, 0, True),
        ("bB" * 20 + "g", 100, False),
        ("bB" * 20 + "x", 100, False),
        ("bB" * 20 + "f", 100, False),
        ("b" * 40, 100, False),
        ("B" * 40 + "b" * 5, 100, False),
        ("b" * 52 + "g" * 48, 50, True),
        ("b" * 56 + "g" * 44, 50, False),
        ("b" * 100, 98, False),
        ("x" * 100, 50, False),
        ("b" * 52 + "g" * 47 + "?", 50, False),  # of either pool
        ("bB" * 20 + "?", 100, False),
        ("?" * 100, 50, False),
    ],
)
def test_follows(text, blue, expected):
    assert share.follows(answers(text), weights(blue), 5.0) is expected


@pytest.mark.parametrize(("text", "expected"), [("B" * 40, True), ("b" * 40, False), ("B" * 39 + "G", False)])
def test_without_kept_connections_new_ones_show_it_alone(text, expected):
    assert share.follows(answers(text), weights(100), 5.0, keep_alive=False) is expected


def quiet(_last):
    pass


def test_all_traffic_is_there_when_a_run_is_unbroken():
    seen, reached = share.until_followed(iter(answers("bB" * 30 + "g" + "gG" * 30)), weights(0), 40, 5.0, quiet)
    assert reached and len(seen) == 40 and seen[0].at == 60.0


def test_one_answer_of_the_other_pool_begins_the_run_anew():
    seen, reached = share.until_followed(iter(answers("gG" * 19 + "b" + "gG" * 19)), weights(0), 40, 5.0, quiet)
    assert not reached and share.tally(seen)["blue"] == 2.5


@pytest.mark.parametrize("real, reached", [(50, True), (40, False), (90, False)])
def test_split_is_judged_by_batches(real, reached):
    dice = random.Random(1)
    text = "".join("b" if dice.random() * 100 < real else "g" for _number in range(1200))
    _seen, followed = share.until_followed(iter(answers(text)), weights(50), 400, 5.0, quiet)
    assert followed is reached


def header(*lines):
    """Return the headers of an answer with these lines of X-MCP-Pool."""
    message = http.client.HTTPMessage()
    for line in lines:
        message["X-MCP-Pool"] = line
    return message


class Connection:
    def __init__(self, outcome, *lines):
        self.outcome, self.closed = outcome, 0
        self.latest = types.SimpleNamespace(headers=header(*lines)) if isinstance(outcome, tuple) else None

    def fetch(self, method, path, bound, headers=None):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        status, text = self.outcome
        return Reply(status, "application/json", text=text)

    def close(self):
        self.closed += 1


class Endpoint:
    health_path, answering = "/health", Answering("/health")
    server_infos = {("weather", "1.2.0"): "green"}

    def __init__(self):
        self.connections = []

    def connection(self):
        self.connections.append(Connection((200, '{"pool": "blue"}')))
        return self.connections[-1]


@pytest.mark.parametrize(
    "outcome, pool, version, reason",
    [
        ((404, "no such page"), None, "", "404"),
        ((200, '{"pool": "blue", "version": "1.2.0"}'), "blue", "1.2.0", ""),
        ((200, '{"pool": "green"}'), "green", "", ""),
        ((503, '{"pool": "green", "version": "1.2.0"}'), "green", "1.2.0", "503"),
        ((503, "no healthy upstream"), None, "", "503"),
        ((200, '{"version": "1.2.0"}'), None, "1.2.0", ""),
        ((200, '{"pool": ["blue"]}'), None, "", ""),
        ((200, '{"pool": "red"}'), None, "", ""),
        ((200, "ok"), None, "", ""),
        ((204, ""), None, "", ""),
        ((200, "[1]"), None, "", ""),
        (Failure("GET /health was refused: nothing listens there"), None, "", "refused"),
    ],
)
def test_ask(outcome, pool, version, reason):
    answer = asked(Connection(outcome))
    assert (answer.pool, answer.version) == (pool, version)
    assert reason in answer.reason and bool(answer.reason) is bool(reason)
    assert answer.named_by == ("health" if pool else "")
    # Another backend may have given it: not without a status, nor with that of a broken server
    status = outcome[0] if isinstance(outcome, tuple) else 500
    assert answer.elsewhere is (pool is None and status < 500)
    assert list(share.of_pools([answer])) == ([] if answer.elsewhere else [answer])


def asked(connection):
    return share.ask(share.way_of(Endpoint()), Endpoint(), connection, threading.Event())


@pytest.mark.parametrize(
    "outcome, lines, pool, named_by, failed",
    [
        ((200, "ok"), ["blue"], "blue", "header", False),
        ((200, '{"pool": "green"}'), ["blue"], "blue", "header", False),
        ((200, '{"pool": "green"}'), ["v2"], "green", "health", False),
        ((200, '{"pool": "green"}'), ["blue", "green"], "green", "health", False),
        ((200, "ok"), ["blue, blue"], "blue", "header", False),
        ((200, "ok"), ["blue,green"], None, "", False),
        ((200, "ok"), [" blue "], "blue", "header", False),
        ((200, "ok"), ["Blue"], None, "", False),
        ((503, "overloaded"), ["green"], "green", "header", True),
        ((404, ""), ["green"], "green", "header", True),
        ((503, "no healthy upstream"), [], None, "", True),
    ],
)
def test_which_pool_answered(outcome, lines, pool, named_by, failed):
    answer = asked(Connection(outcome, *lines))
    assert (answer.pool, answer.named_by, bool(answer.reason)) == (pool, named_by, failed)
    assert answer.elsewhere is (pool is None and outcome[0] < 500)


@pytest.mark.parametrize(
    "info, found",
    [
        ({"name": "weather", "version": "1.2.0"}, ("green", "server_info")),
        ({"name": "weather", "version": "1.1.5"}, (None, "")),
        ({"name": "weather"}, (None, "")),
        ({"name": ["weather"], "version": {"a": "1" * 10**6}}, (None, "")),
        ({}, (None, "")),
    ],
)
def test_a_pool_by_server_info(info, found):
    assert share.named(Said("", 200, 0.1, server_info=info), Endpoint()) == found


def test_asking_is_paced_half_on_kept_connections_and_ends():
    endpoint, bound = Endpoint(), Deadline(0.5)
    with share.answer_stream(endpoint, bound, at_most=100) as arriving:
        seen = list(arriving)
    assert bound.elapsed < 1
    assert 25 <= len(seen) <= 55
    assert 0.3 < sum(answer.keep_alive for answer in seen) / len(seen) < 0.7
    assert any(connection.closed > 1 for connection in endpoint.connections)


def test_asking_keeps_no_process_alive():
    before = set(threading.enumerate())
    with share.answer_stream(Endpoint(), Deadline(5), at_most=100):
        asking = set(threading.enumerate()) - before
        assert [thread.daemon for thread in asking] == [True] * requests.CONNECTIONS


@pytest.mark.parametrize(
    ("before", "wanted", "row"),
    [
        (0, 100, share.ROW),
        (50, 100, share.ROW),
        (90, 100, 197),
        (99, 100, 2062),
        (100, 100, 2062),
        (100, 0, share.ROW),
        (10, 0, 197),
    ],
)
def test_a_row_that_does_not_come_by_chance(before, wanted, row):
    assert share.row_needed({"blue": before, "green": 100 - before}, {"blue": wanted, "green": 100 - wanted}) == row


@pytest.mark.parametrize(
    "outcomes, count, reasons",
    [
        ([200] * 9, 5, [False] * 5),
        ([200] * 9, 1, [False]),
        ([200, 503, 200], 5, [False, True]),  # one that fails says enough
        ([503, 200], 5, [True]),
    ],
)
def test_a_sample_uses_new_connections_and_ends_at_a_failure(outcomes, count, reasons):
    endpoint, connections = Endpoint(), []

    def connect():
        connections.append(Connection((outcomes[len(connections)], '{"pool": "blue"}')))
        return connections[-1]

    endpoint.connection = connect
    answers = share.sample(endpoint, count)
    assert [bool(answer.reason) for answer in answers] == reasons
    assert not any(answer.keep_alive for answer in answers)
    assert [connection.closed for connection in connections] == [1] * len(reasons)


def test_a_sample_of_slow_answers_is_small(monkeypatch):
    monkeypatch.setattr(share, "ANSWER_TIMEOUT", 0.05)
    monkeypatch.setattr(
        Connection, "fetch", lambda *_given, **_more: time.sleep(0.06) or Reply(200, text='{"pool": "blue"}')
    )
    assert len(share.sample(Endpoint(), 5)) == 1


@pytest.mark.parametrize(
    "text, first",
    [
        ("bg" * 5, 0.0),
        ("b" * 10 + "bg" * 5, 10.0),  # the second batch
        ("b" * 20 + "bg" * 5, 20.0),  # the third
        ("b" * 5 + "bg" * 5 + "b" * 5, None),  # a batch is not chosen for its share
        ("bg" * 4, None),  # too few
    ],
)
def test_each_batch_of_a_split_is_judged_by_itself(text, first):
    seen, reached = share.until_followed(iter(answers(text)), weights(50), 10, 5.0, quiet)
    assert reached is (first is not None) and (first is None or (len(seen), seen[0].at) == (10, first))


def test_the_last_reason_is_told():
    reasons = ["503", "", "refused", ""]
    assert share.tally([Answer(0.0, True, None, reason=reason) for reason in reasons])["reason"] == "refused"
