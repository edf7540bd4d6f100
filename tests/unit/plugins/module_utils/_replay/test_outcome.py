# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    CANNOT_MEASURE,
    FAIL,
    INCONCLUSIVE,
    NO_DATA,
    PASS,
    Gate,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_replay_info
from ansible_collections.mcp.server.plugins.module_utils._replay import table
from ansible_collections.mcp.server.plugins.module_utils._replay.outcome import joined, told
from ansible_collections.mcp.server.plugins.module_utils._replay.page import page
from ansible_collections.mcp.server.plugins.module_utils._replay.polls import Poll, Step
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.records import Store, old, step
from ansible_collections.mcp.server.tests.unit.fakes.records import release as told_release
from ansible_collections.mcp.server.tests.unit.fakes.stored_samples import Stored

START = 1_795_500_000.0  # 06:00:00
ERRORS, BURST = Gate("errors", "errors", 5.0, window=20), Gate("error_burst", "errors", 25.0, window=5)
SHARE = Gate("errors", "errors", 1.0)
TEN, ALL = Step(START, START + 20, 10), Step(START + 20, START + 40, 100)


def passed(gate, value=0.0):
    return Verdict(gate, PASS, value)


def past(gate, value, since, seconds, verdict=PASS):
    return Verdict(gate, verdict, value, seconds, START + since, reason="" if verdict == PASS else "past the limit")


def watch(triggers, gates=None, steps=(TEN,)):
    """A poll each 5 seconds. triggers, gates: the verdicts of each."""
    gates = gates or [[] for _poll in triggers]
    numbers = [
        max(number for number, step in enumerate(steps) if step.begin <= START + 5 * poll)
        for poll in range(len(triggers))
    ]
    lasts = [number != following for number, following in zip(numbers, [*numbers[1:], -1], strict=True)]
    return [
        Poll(START + 5 * poll, *rest) for poll, rest in enumerate(zip(numbers, lasts, triggers, gates, strict=True))
    ]


def outcome(triggers, gates=None, steps=(TEN,)):
    return told(watch(triggers, gates, steps), steps)


def test_a_good_release_passes():
    result = outcome([[passed(ERRORS)]] * 5, [[passed(SHARE)]] * 5)
    assert (result["verdict"], result["first_breach"]) == (PASS, None)
    assert [step["verdict"] for step in result["steps"]] == [PASS]


def test_the_second_at_which_the_window_was_full():
    polls = [
        [passed(ERRORS)],
        [past(ERRORS, 30.0, 3.5, 1.5)],
        [past(ERRORS, 40.0, 3.5, 16.5)],
        [past(ERRORS, 20.0, 3.5, 21.5, BREACH)],
    ]
    result = outcome(polls)
    first = result["first_breach"]
    assert result["verdict"] == BREACH
    assert (first["gate"], first["kind"], first["weight"]) == ("errors", "trigger", 10)
    assert [first[key][-13:] for key in ("since", "window_full", "reported")] == [
        "06:00:03.500Z",
        "06:00:23.500Z",
        "06:00:15.000Z",
    ]
    assert result["gates"][0]["worst"] == 40.0
    assert result["gates"][0]["seconds_past"] == 21.5


def test_the_gate_that_breaches_first():
    """Of two that the same poll tells the one whose window was full before."""
    polls = [[passed(ERRORS), passed(BURST)], [past(ERRORS, 50.0, -18, 23, BREACH), past(BURST, 50.0, -1, 6, BREACH)]]
    assert outcome(polls)["first_breach"]["gate"] == "errors"


def test_it_goes_on_after_a_breach():
    polls = [
        [past(ERRORS, 50.0, 0, 21, BREACH), passed(BURST)],
        [past(ERRORS, 50.0, 0, 21, BREACH), past(BURST, 50.0, 1, 6, BREACH)],
    ]
    result = outcome(polls)
    assert result["first_breach"]["gate"] == "errors"
    assert [gate["outcome"] for gate in result["gates"]] == [BREACH, BREACH]


def test_a_gate_that_is_not_a_trigger_breaches_at_the_end_of_a_step_only():
    bad, good = Verdict(SHARE, BREACH, 3.0, reason="3 %"), passed(SHARE)
    before = outcome([[]] * 5, [[bad]] * 4 + [[good]])
    assert (before["verdict"], before["first_breach"], before["gates"][0]["outcome"]) == (PASS, None, PASS)
    first = outcome([[]] * 5, [[good]] * 4 + [[bad]])["first_breach"]
    assert (first["kind"], first["window_full"], first["reported"][-13:-5]) == ("gate", None, "06:00:20")


def test_two_steps_are_each_judged_at_their_end():
    bad, good = Verdict(SHARE, BREACH, 3.0, reason="3 %"), passed(SHARE)
    result = outcome([[]] * 9, [[bad]] * 4 + [[good]] * 5, steps=(TEN, ALL))
    assert [(step["weight"], step["verdict"]) for step in result["steps"]] == [(10, BREACH), (100, PASS)]
    assert result["first_breach"]["weight"] == 10


def test_a_trigger_at_the_end_of_a_step_goes_before_its_gates():
    """The watch looks at no gate then; what each would have done alone is told all the same."""
    bad = Verdict(SHARE, BREACH, 3.0, reason="3 %")
    result = outcome([[past(BURST, 50.0, -6, 6, BREACH)]], [[bad]])
    assert (result["first_breach"]["kind"], result["first_breach"]["gate"]) == ("trigger", "error_burst")
    assert [(gate["kind"], gate["breach"] is not None) for gate in result["gates"]] == [
        ("trigger", True),
        ("gate", True),
    ]
    assert result["steps"][0]["verdict"] == BREACH


def test_a_step_that_is_inconclusive_does_not_end_the_replay():
    unknown, bad, good = Verdict(SHARE, NO_DATA, reason="few"), Verdict(SHARE, BREACH, 3.0, reason="3 %"), passed(SHARE)
    for last, expected in ((bad, BREACH), (good, INCONCLUSIVE)):
        result = outcome([[]] * 9, [[unknown]] * 4 + [[last]] * 5, steps=(TEN, ALL))
        assert (result["verdict"], [step["verdict"] for step in result["steps"]]) == (
            expected,
            [INCONCLUSIVE, last.verdict],
        )


@pytest.mark.parametrize(
    ("verdict", "gate", "expected"),
    [
        (NO_DATA, ERRORS, INCONCLUSIVE),
        (CANNOT_MEASURE, ERRORS, INCONCLUSIVE),
        (NO_DATA, Gate("errors", "errors", 5.0, window=20, no_data=PASS), PASS),
        (CANNOT_MEASURE, Gate("errors", "errors", 5.0, window=20, cannot_measure=FAIL), BREACH),
    ],
)
def test_what_can_not_be_told_comes_to_what_the_policy_says(verdict, gate, expected):
    result = outcome([[Verdict(gate, verdict, reason="why")]] * 3)
    assert result["verdict"] == expected
    assert result["first_breach"] is None or result["first_breach"]["window_full"] is None


def test_how_long_there_was_no_data():
    unseen, nothing = Verdict(ERRORS, CANNOT_MEASURE, 90.0), Verdict(ERRORS, NO_DATA)
    gate = outcome([[nothing], [nothing], [passed(ERRORS)], [unseen], [passed(ERRORS)]])["gates"][0]
    assert (gate["seconds_no_data"], gate["seconds_cannot_measure"]) == (10.0, 5.0)
    assert [(span["verdict"], span["from"][-7:-5], span["to"][-7:-5]) for span in gate["verdicts"]] == [
        (NO_DATA, "00", "10"),
        (PASS, "10", "15"),
        (CANNOT_MEASURE, "15", "20"),
        (PASS, "20", "20"),
    ]
    # A value of before it was lost tells nothing of now.
    assert gate["worst"] == 0.0


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(1, 2)], [(1, 2)]),
        ([(3, 4), (1, 2)], [(1, 2), (3, 4)]),
        ([(1, 3), (1, 5), (2, 4)], [(1, 5)]),
        ([(1, 2), (2, 3)], [(1, 3)]),
    ],
)
def test_spans_that_overlap_are_one(spans, expected):
    assert joined(spans) == expected


def whole(result, **more):
    return {"pool": "green", "from": "2026-11-24T06:00:00.000Z", "to": "2026-11-24T06:00:20.000Z", **result, **more}


def breached():
    return watch(
        [
            [passed(ERRORS)],
            [past(ERRORS, 30.0, 3.5, 1.5)],
            [past(ERRORS, 30.0, 3.5, 16.5)],
            [past(ERRORS, 30.0, 3.5, 21.5, BREACH)],
        ]
    )


def test_the_table_fits_a_terminal():
    gates = [
        Gate(name, "latency", 0.5, "s", quantile=0.95, window=300)
        for name in ("errors", "latency", "database", "memory", "lost_sessions")
    ]
    verdicts = [
        Verdict(
            gate,
            CANNOT_MEASURE,
            0.1,
            reason="the newest sample is 367 s old, and one is due each 2 s: is the server scraped",
        )
        for gate in gates
    ]
    lines = table.lines(whole(outcome([verdicts] * 200, [verdicts] * 200, steps=[Step(START, START + 1000, 10)])))
    assert max(map(len, lines)) <= 104
    assert "would have been inconclusive" in lines[0]


def test_the_table_tells_when_and_by_what():
    lines = table.lines(
        whole(told(breached(), [TEN]), release={"id": "one", "outcome": "rolled_back", "ended": "2026-11-24T06:01:00Z"})
    )
    said = " ".join(lines)
    assert (
        "rolled back at 10 % by the trigger errors, window full at 06:00:23, reported at 06:00:15: past the limit."
        in said
    )
    assert "past the limit. Release one rolled back at 06:01:00." in said
    assert re.search(r"errors +5 % +20 s +breach +30.0 % +22 s +- +- +06:00:23", said)


class Parser(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.foreign = [], []

    def handle_startendtag(self, tag, attrs):
        self.foreign += [value for name, value in attrs if name in ("src", "href")]

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_one_sound_file():
    seen = breached()
    text = page(whole(told(seen, [TEN])), seen, [TEN], "prod/<mcp>")
    parser = Parser()
    parser.feed(text)
    assert parser.open == []
    assert parser.foreign == []
    assert "<mcp>" not in text
    assert text.count("<svg") == 1
    assert "window full" in text


def test_milliseconds_are_drawn_of_seconds():
    latency = Gate("latency", "latency", 0.5, "s", quantile=0.95, window=20)
    seen = watch([[passed(latency, 0.1)]] * 3)
    assert "600 ms</text>" in page(whole(told(seen, [TEN])), seen, [TEN], "prod/mcp")


def release(*steps, ended=None, outcome="succeeded"):
    return {
        "outcome": outcome,
        "id": "one",
        "started": "2026-11-24T06:00:00Z",
        "ended": ended,
        "to": {"pool": "green"},
        "steps": [
            {"at": f"2026-11-24T06:{at}Z", "weights": {"green": weight, "blue": 100 - weight}} for at, weight in steps
        ],
    }


NOW = mcp_replay_info.interval("2026-11-24T06:59:00Z", None, 2e9)[0]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (
            release(("00:00", 10), ("01:00", 50), ("02:00", 0), ended="2026-11-24T06:02:05Z"),
            [(0, 60, 10), (60, 120, 50)],
        ),
        (release(("00:00", 10), ended="2026-11-24T06:00:30Z"), [(0, 30, 10)]),
        # One more poll, of what took it back.
        (release(("00:00", 10), ("01:00", 0), ended="2026-11-24T06:01:01Z", outcome="rolled_back"), [(0, 65, 10)]),
        # It goes on.
        (release(("00:00", 10)), [(0, 3540, 10)]),
        # Anybody may have edited the record.
        (release(("00:00", 10), ("99:99", 50), ended="2026-11-24T06:00:30Z"), [(0, 30, 10)]),
    ],
)
def test_the_steps_of_a_release(known, expected):
    steps = mcp_replay_info.steps_of(known, NOW)
    assert [(step.begin - START, step.end - START, step.weight) for step in steps] == list(expected)


def test_a_release_without_traffic_has_nothing_to_judge():
    with pytest.raises(Failure, match="no traffic"):
        mcp_replay_info.steps_of(release(), NOW)


def replay(monkeypatch, **more):
    monkeypatch.setattr(mcp_replay_info.connect, "connect", lambda params: Stored([], NOW))
    defaults = {name: spec.get("default") for name, spec in mcp_replay_info.SPEC.options.items()}
    source = {"source": ["app"], "labels": {}}
    return mcp_replay_info.run(
        Task({**defaults, "namespace": "prod", "server": "mcp", "checks": ["triggers"], "prometheus": source, **more})
    )


def test_a_replay_has_a_longest(monkeypatch):
    with pytest.raises(Failure, match="25.0 hours"):
        replay(monkeypatch, **{"from": "2026-11-23T06:00:00Z", "pool": "green"})


def test_a_record_with_the_names_of_before_is_replayed(monkeypatch):
    steps = [step("06:00:00", 10, 10.4, verdict="not_measured"), step("06:00:20", 100, 100.0, verdict="cannot_measure")]
    new = told_release(id="one", started="2026-11-24T06:00:00Z", ended="2026-11-24T06:00:40Z", steps=steps)
    found = []
    for one in (old(new), new):
        monkeypatch.setattr(mcp_replay_info.connection, "connect", lambda params, one=one: Store(one))
        found.append(replay(monkeypatch))
    assert found[0] == found[1]
    assert [(each["weight"], each["verdict"]) for each in found[0]["steps"]] == [
        (10, "inconclusive"),
        (100, "inconclusive"),
    ]
    assert found[0]["html"].startswith("<!DOCTYPE html>") and "no data" in found[0]["html"]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("yesterday", None),
        ("2026-11-24T06:00:00Z", "soon"),
        ("2026-11-24T06:00:00Z", "2026-11-24T05:00:00Z"),
        ("2026-11-24T06:00:00Z", "2026-11-24T07:00:00Z"),
    ],
)
def test_an_interval_that_is_none_of_the_past(begin, end):
    with pytest.raises(Failure):
        mcp_replay_info.interval(begin, end, NOW)
