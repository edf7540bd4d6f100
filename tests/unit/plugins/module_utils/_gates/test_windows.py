# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sustained windows, with every trap of counters and scrapes. A scrape is every 5 seconds; the window is 60."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, packs
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._gates.windows import (
    Point,
    Unseen,
    Violation,
    is_past,
    known_again,
    possible,
)
from ansible_collections.mcp.server.tests.unit.fakes.metrics import (
    EVERY,
    REQUESTS,
    SERVER,
    START,
    answers,
    counter,
    growing,
    pod,
    verdict,
)

GATE = Gate("errors", "errors", 5.0, window=60)
FINE, BAD = [100] * 6, [20] * 30


def errors(*bad, good=100):
    return answers([good] * len(bad), bad)


def test_good():
    found = verdict(GATE, errors(*[0] * 20))
    assert (found.verdict, found.value, found.requests, found.seconds_past, found.since) == ("pass", 0, 100, 0, None)
    assert found.coverage == 100


@pytest.mark.parametrize(
    ("scrapes", "seconds", "expected"),
    [
        (1, 0, "pass"),
        # What is known of them is between the first scrape that saw some and the scrape before the last.
        (12, 50, "pass"),
        (13, 55, "cannot_measure"),
        (14, 60, "breach"),
        (30, 60, "breach"),
    ],
)
def test_past_the_limit_for_the_whole_window(scrapes, seconds, expected):
    found = verdict(GATE, errors(*[0] * 6, *[20] * scrapes))
    assert found.verdict == expected
    assert found.seconds_past >= seconds
    assert found.since == START + 7 * EVERY
    assert found.value == pytest.approx(100 * 20 / 120)


def test_a_blip_of_one_scrape():
    assert verdict(GATE, errors(*[0] * 6, 100, *[0] * 6)).seconds_past == 0
    # Two scrapes may share a blip of a second.
    fast = replace(GATE, window=5)
    assert verdict(fast, errors(*[0] * 6, 50, 50, *[0] * 6)).verdict == "cannot_measure"
    assert verdict(fast, errors(*[0] * 6, 50, 50, 50)).verdict == "breach"


def test_a_recovery_resets_the_window():
    assert verdict(GATE, errors(*[20] * 12, 0, *[20] * 12)).verdict == "pass"
    assert verdict(GATE, errors(*[20] * 12, 0, *[20] * 14)).verdict == "breach"


def test_errors_that_end_before_the_window():
    found = verdict(GATE, errors(*[0] * 6, *[20] * 12, *[0] * 12))
    assert (found.verdict, found.seconds_past, found.since) == ("pass", 0, None)


def test_a_breach_that_is_over_is_still_one():
    """Of what a run missed while it was not running."""
    assert verdict(GATE, errors(*[20] * 14, *[0] * 10)).verdict == "breach"


@pytest.mark.parametrize(("clear", "expected"), [(None, "pass"), (2.0, "breach")])
def test_hysteresis(clear, expected):
    """Down to 3 % in the middle: a recovery, unless it takes 2 % to clear."""
    assert verdict(replace(GATE, clear=clear), errors(*[20] * 8, 3, *[20] * 8)).verdict == expected


def test_one_missed_scrape_is_no_gap():
    bad = growing(*[20] * 16)
    good = growing(*[100] * 16)
    for missed in (5, 9):
        bad[missed] = good[missed] = None
    series = [counter(REQUESTS, good, code="200", **pod("green")), counter(REQUESTS, bad, code="500", **pod("green"))]
    assert verdict(GATE, series).verdict == "breach"


@pytest.mark.parametrize(("after", "expected"), [(8, "cannot_measure"), (15, "breach")])
def test_a_gap_does_not_extend_a_window(after, expected):
    """40 seconds of errors, 20 without a scrape, and more errors: nobody knows what was in between."""
    values = (
        [*growing(*[100] * 8), *[None] * 3, *growing(*[100] * after, first=3000)],
        [*growing(*[20] * 8), *[None] * 3, *growing(*[20] * after, first=1500)],
    )
    series = [
        counter(REQUESTS, values[0], code="200", **pod("green")),
        counter(REQUESTS, values[1], code="500", **pod("green")),
    ]
    assert verdict(GATE, series).verdict == expected


MISSING = [None] * 20


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ([1000] * 9 + MISSING + [1000] * 9, "pass"),
        ([1000] * 9 + MISSING + [1050] * 9, "pass"),  # too few for 5 % in a minute, if requests came evenly
        ([1000] * 9 + MISSING + [1900] * 9, "cannot_measure"),
        # The first of them created the series.
        ([None] * 9 + MISSING + [900] * 9, "cannot_measure"),
        ([*growing(*[20] * 8), *MISSING, *growing(*[0] * 8, first=1160)], "pass"),
    ],
)
def test_what_the_counters_show_after_a_gap(bad, expected):
    """105 seconds without a scrape, in which 2100 requests came."""
    good = [*growing(*[100] * 8), *MISSING, *growing(*[100] * 8, first=3900)]
    series = [
        counter(REQUESTS, good, code="200", **pod("green")),
        counter(REQUESTS, bad, code="500", **pod("green")),
        counter(REQUESTS, good, code="200", **pod("blue")),
    ]
    assert verdict(GATE, series).verdict == expected


def test_an_undecided_violation_counts_until_it_is_older_than_the_watch():
    series = errors(*[0] * 6, *[20] * 13, *[0] * 20)
    green = packs.PACKS["app"].select(series, names_of(SERVER, "green"))
    found = evaluate.measure(GATE, [(packs.PACKS["app"], green)])
    now = START + 39 * EVERY
    verdicts = [
        evaluate.evaluate(GATE, found, Period(now - seconds, now, since=START)).verdict for seconds in (120, 100, 90)
    ]
    assert verdicts == ["cannot_measure", "pass", "pass"]


@pytest.mark.parametrize(("every", "expected"), [(2, "breach"), (4, "cannot_measure")])
def test_most_scrapes_fail(every, expected):
    """Of the scrapes in the middle, only each second or fourth one comes through."""
    counts = [growing(*[amount] * 30) for amount in (100, 20)]
    for values in counts:
        values[10:25] = [value if number % every == 0 else None for number, value in enumerate(values[10:25], 10)]
    series = [
        counter(REQUESTS, values, code=code, **pod("green"))
        for values, code in zip(counts, ("200", "500"), strict=True)
    ]
    assert verdict(GATE, series).verdict == expected


def test_few_requests_before_a_burst_do_not_make_it_longer():
    """A value of more scrapes contains an error of a time in which the value was good."""
    gate = replace(GATE, limit=25.0, window=15)
    bad = [0] * 8 + [1, 0, 0, 8, 8]
    found = verdict(gate, answers([5] * 11 + [0, 0], bad))
    assert found.verdict != "breach"
    assert found.since == START + 11 * EVERY


def test_born_at_1():
    """The first error creates the series: what rate() does not see."""
    good = counter(REQUESTS, growing(*[10] * 20), code="200", **pod("green"))
    bad = counter(REQUESTS, [1] * 5, START + 16 * EVERY, code="500", **pod("green"))
    found = verdict(replace(GATE, min_requests=1), [good, bad], now=START + 16 * EVERY)
    assert (found.value, found.since) == (pytest.approx(100 / 11), START + 16 * EVERY)


def test_a_series_that_was_there_before_counts_from_its_first_sample():
    """Its 1000 are of yesterday: two pods are scraped at different moments, and the range cuts both."""
    series = [*answers([100] * 12, [0] * 12), *answers([100] * 12, [0] * 12, number=2, start=START + 3)]
    assert verdict(GATE, series).value == 0


def test_after_an_outage_of_prometheus_nothing_is_born():
    """All series begin at once, with what they have counted for days."""
    series = [
        counter(REQUESTS, [5000], START, code=code, **pod(pool))
        for code in ("200", "500")
        for pool in ("blue", "green")
    ]
    assert verdict(GATE, series).verdict == "no_data"


def test_a_counter_that_was_reset():
    """The pod restarted: from 1400 to 20 are 20 more, not 1380 fewer."""
    good, bad = growing(*[100] * 8), growing(*[20] * 8)
    series = [
        counter(REQUESTS, [*good, *growing(*[100] * 8, first=100)], code="200", **pod("green")),
        counter(REQUESTS, [*bad, *growing(*[20] * 8, first=20)], code="500", **pod("green")),
    ]
    found = verdict(GATE, series)
    assert found.verdict == "breach"
    assert found.value == pytest.approx(100 * 20 / 120)


def test_a_series_that_was_gone_and_is_back():
    """With 2000 more, which nobody knows when they came: they count for nothing."""
    bad = [*growing(*[0] * 6), *[None] * 8, *growing(*[0] * 6, first=3000)]
    good = growing(*[100] * (len(bad) - 1))
    series = [counter(REQUESTS, good, code="200", **pod("green")), counter(REQUESTS, bad, code="500", **pod("green"))]
    assert verdict(GATE, series).value == 0
    assert verdict(GATE, series).since is None


def test_pods_are_summed():
    """One of three has only errors: a third, whichever was scraped last."""
    series = []
    for number in range(3):
        all_bad = number == 1
        series += answers(
            [0 if all_bad else 50] * 20, [50 if all_bad else 0] * 20, number=number, start=START + 1.6 * number
        )
    found = verdict(GATE, series)
    assert found.verdict == "breach"
    assert 25 < found.value < 45


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [(1, 0, "no_data"), (2, 0, "pass"), (2, 2, "breach"), (0, 2, "breach"), (0, 1, "no_data")],
)
def test_few_requests(good, bad, expected):
    """A value is made of more scrapes then, of a minute at most. Less than 20 requests in it tell nothing."""
    assert verdict(GATE, answers([good] * 36, [bad] * 36)).verdict == expected


def test_an_idle_pool():
    assert verdict(GATE, answers([0] * 20, [0] * 20)).verdict == "no_data"


def test_a_server_that_nobody_scrapes_any_more():
    found = verdict(GATE, errors(*[0] * 20), now=START + 20 * EVERY + 18)
    assert (found.verdict, found.outcome) == ("cannot_measure", "inconclusive")
    assert "18 s old" in found.reason


def test_no_series():
    found = verdict(GATE, [counter("up", [1] * 20, **pod("green"))])
    assert (found.verdict, found.outcome, found.reason) == (
        "no_data",
        "inconclusive",
        "Prometheus has no mcp_server_requests_total of the pool",
    )


def test_other_pools_and_other_servers_do_not_count():
    series = errors(*[0] * 20) + answers([0] * 20, [100] * 20, pool="blue")
    series += [
        Series({**each.labels, "pod": "mcp-green-tools-7d9f5c-abcd1"}, each.samples)
        for each in answers([0] * 20, [100] * 20)
    ]
    assert verdict(GATE, series).value == 0


def test_what_was_before_the_period_does_not_count():
    series = errors(*[20] * 20)
    assert verdict(GATE, series, begin=START + 10 * EVERY).seconds_past == 8 * EVERY


@pytest.mark.parametrize(
    ("policy", "outcome"), [("inconclusive", "inconclusive"), ("pass", "pass"), ("fail", "breach")]
)
def test_policies(policy, outcome):
    assert verdict(replace(GATE, no_data=policy), [counter("up", [1], **pod("green"))]).outcome == outcome
    assert verdict(replace(GATE, cannot_measure=policy), errors(*[0] * 20), now=START + 1000).outcome == outcome


@pytest.mark.parametrize(
    ("direction", "value", "fresh", "continues"),
    [
        ("above", 4.0, False, False),
        ("above", 4.5, False, True),
        ("above", 5.0, False, True),
        ("above", 5.1, True, True),
        ("below", 5.0, False, True),
        ("below", 4.9, True, True),
        ("below", 6.0, False, False),
    ],
)
def test_only_a_violation_goes_on_to_the_value_that_clears_it(direction, value, fresh, continues):
    gate = Gate("errors", "errors", 5.0, direction=direction, clear=4.0 if direction == "above" else 6.0)
    assert (is_past(gate, value), is_past(gate, value, True)) == (fresh, continues)
    assert not is_past(replace(gate, clear=None), 5.0, True)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        # Seen again at 25 s. A good value at 28 s is of earlier scrapes too, and leaves out what came until 25 s.
        (25, [(0, 25), (30, 50)]),
        (30, [(0, 50)]),
    ],
)
def test_what_came_unseen_joins_what_is_seen_until_values_leave_it_out_no_more(known, expected):
    seen = [Violation(begin, begin, end, end, end, 50.0) for begin, end in ((0, 12), (30, 50))]
    assert possible(seen, [Unseen(10, 25, known)], EVERY) == expected


def test_violations_with_a_good_value_between_them_stay_apart():
    seen = [Violation(begin, begin, end, end, end, 50.0) for begin, end in ((0, 12), (12, 50))]
    assert possible(seen, [], EVERY) == [(0, 12), (12, 50)]


@pytest.mark.parametrize(("at", "expected"), [(5, 10), (6, 20), (15, 20), (16, 99)])
def test_the_first_value_of_later_scrapes_alone(at, expected):
    points = [Point(begin, at, 0.0, 20, at, at, at) for begin, at in ((0, 5), (5, 10), (0, 15), (15, 20))]
    assert known_again(points, at, 99) == expected
