# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates that judge a period at once, compare with the live pool, or read values as they are."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    CANNOT_MEASURE,
    NO_DATA,
    Gate,
    Period,
    Verdict,
    combined,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Level
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series, longest_gap
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import SHIFT, TRIGGERS, VALIDATION
from ansible_collections.mcp.server.tests.unit.fakes.metrics import (
    EVERY,
    REQUESTS,
    START,
    answers,
    counter,
    growing,
    pod,
    verdict,
)

TRIGGER, STEP, EXPECTED = ({gate.name: gate for gate in gates} for gates in (TRIGGERS, SHIFT, VALIDATION))
BOUNDS = ("0.1", "0.2", "0.3", "0.5", "1", "+Inf")


def histogram(name, pool, scrapes, every=EVERY, number=1):
    """scrapes: for each the durations in seconds."""
    series = []
    for bound in BOUNDS:
        amounts = [sum(duration <= float(bound) for duration in durations) for durations in scrapes]
        series.append(counter(f"{name}_bucket", growing(*amounts), le=bound, **pod(pool, number)))
    series.append(counter(f"{name}_count", growing(*(len(durations) for durations in scrapes)), **pod(pool, number)))
    series.append(counter(f"{name}_sum", growing(*(sum(durations) for durations in scrapes)), **pod(pool, number)))
    return series


def latency(scrapes, pool="green"):
    return histogram("mcp_server_request_duration_seconds", pool, scrapes)


@pytest.mark.parametrize(
    ("good", "bad", "expected", "outcome"),
    [
        (1000, 0, "pass", "pass"),
        (990, 10, "pass", "pass"),
        (985, 15, "no_data", "inconclusive"),
        (950, 50, "breach", "breach"),
        (20, 0, "pass", "pass"),
        # One of twenty may be an accident.
        (19, 1, "no_data", "inconclusive"),
        (15, 5, "breach", "breach"),
        (19, 0, "no_data", "inconclusive"),
        (0, 0, "no_data", "inconclusive"),
    ],
)
def test_errors_of_a_step(good, bad, expected, outcome):
    found = verdict(STEP["errors"], answers([good, *[0] * 5], [bad, *[0] * 5]))
    assert (found.verdict, found.outcome, found.requests) == (expected, outcome, good + bad)
    assert bool(found.reason) == (expected != "pass")


def test_a_step_that_was_not_seen_is_not_passed():
    """60 of 300 seconds, as Prometheus was down."""
    found = verdict(STEP["errors"], answers([100] * 12, [0] * 12), seconds=300)
    assert (found.verdict, found.outcome, found.reason) == (
        "cannot_measure",
        "inconclusive",
        "there are samples of only 60 of 300 s",
    )
    assert verdict(STEP["errors"], answers([100] * 50, [0] * 50), seconds=300).verdict == "pass"
    # What was seen may be enough to take it back.
    assert verdict(STEP["errors"], answers([100] * 12, [50] * 12), seconds=300).verdict == "breach"


def test_errors_in_a_gap_belong_to_the_step():
    """20 of 150 seconds without a scrape, in which a third of the answers failed."""
    good = [*growing(*[100] * 15), *[None] * 3, *growing(*[100] * 11, first=2900)]
    bad = [*[1000] * 16, *[None] * 3, *[1200] * 12]
    series = [counter(REQUESTS, values, code=code, **pod("green")) for values, code in ((good, "200"), (bad, "500"))]
    found = verdict(STEP["errors"], series, seconds=150)
    assert (found.verdict, found.value) == ("breach", pytest.approx(100 * 200 / 3200))


@pytest.mark.parametrize(("slow", "expected"), [(4, "pass"), (6, "breach")])
def test_p95_past_its_limit_for_five_minutes(slow, expected):
    """Of 100 answers each 5 seconds so many take 0.8 seconds."""
    found = verdict(TRIGGER["latency"], latency([[0.15] * (100 - slow) + [0.8] * slow] * 70))
    assert found.verdict == expected
    assert (found.value > 0.5) == (expected == "breach")


def test_p95_between_two_bounds():
    """As histogram_quantile() divides a bucket: half of those between 0.5 and 1 are slower than 0.75."""
    gate = replace(TRIGGER["latency"], limit=0.75, window=30)
    assert verdict(gate, latency([[0.1] * 91 + [0.9] * 9] * 12)).verdict == "pass"
    assert verdict(gate, latency([[0.1] * 89 + [0.9] * 11] * 12)).verdict == "breach"


def test_a_limit_past_the_buckets():
    found = verdict(replace(TRIGGER["latency"], limit=2.0), latency([[0.1] * 20] * 12))
    assert (found.verdict, found.outcome) == ("cannot_measure", "inconclusive")
    assert "its largest bucket is 1 s" in found.reason


@pytest.mark.parametrize(("duration", "expected"), [(0.15, "pass"), (0.4, "breach")])
def test_p95_under_full_load(duration, expected):
    assert verdict(EXPECTED["latency"], latency([[duration] * 100] * 12)).verdict == expected


@pytest.mark.parametrize(("each_second", "expected"), [(1100, "pass"), (900, "breach")])
def test_throughput(each_second, expected):
    found = verdict(EXPECTED["throughput"], answers([each_second * EVERY] * 12, [0] * 12))
    assert found.verdict == expected
    assert found.value == pytest.approx(each_second)


def spread(mean, count, seed):
    source = random.Random(seed)
    return [[source.lognormvariate(0, 0.5) * mean for _request in range(count)] for _scrape in range(60)]


@pytest.mark.parametrize(
    ("live", "new", "count", "expected"),
    [
        (0.2, 0.2, 30, "pass"),
        (0.2, 0.18, 30, "pass"),
        (0.2, 0.3, 30, "breach"),
        # More than 5 %, and less than anybody notices
        (0.004, 0.008, 30, "pass"),
        # Both are slower
        (0.9, 0.9, 30, "pass"),
        (0.2, 0.9, 0, "no_data"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_latency_against_the_live_pool(live, new, count, expected, seed):
    series = latency(spread(live, 100, seed), "blue") + latency(spread(new, count, seed + 100))
    assert verdict(STEP["latency_rise"], series).verdict == expected


def test_one_slow_answer_is_no_rise():
    new = spread(0.2, 30, 1)
    new[20][0] = 300.0
    assert verdict(STEP["latency_rise"], latency(spread(0.2, 100, 2), "blue") + latency(new)).verdict == "pass"


def test_six_blocks_do_not_tell():
    series = latency(spread(0.2, 100, 1)[:6], "blue") + latency(spread(0.4, 30, 2)[:6])
    assert verdict(STEP["latency_rise"], series).verdict == "no_data"
    series = latency(spread(0.2, 100, 1)[:7], "blue") + latency(spread(0.4, 30, 2)[:7])
    assert verdict(STEP["latency_rise"], series).verdict == "breach"


@pytest.mark.parametrize(
    ("live", "new", "expected"),
    [
        ((1000, 0), (100, 0), "pass"),
        ((1000, 50), (100, 5), "pass"),
        ((1000, 50), (100, 20), "breach"),
        ((1000, 0), (100, 3), "no_data"),
        ((0, 0), (100, 50), "no_data"),
    ],
)
def test_lost_sessions_against_the_live_pool(live, new, expected):
    """404 of a pool that does not know the session."""
    series = answers([live[0], 0], [live[1], 0], "blue", code="404") + answers([new[0], 0], [new[1], 0], code="404")
    assert verdict(STEP["lost_sessions"], series).verdict == expected


def test_errors_that_are_answered_200():
    series = []
    for pool, wrong in (("blue", 2), ("green", 40)):
        for outcome, amount in (("ok", 100), ("tool_error", wrong)):
            series.append(counter("mcp_server_operations_total", growing(*[amount] * 12), outcome=outcome, **pod(pool)))
    assert verdict(STEP["mcp_errors"], series).verdict == "breach"
    assert verdict(STEP["mcp_errors"], answers([1], [0])).outcome == "pass"  # none were sent


@pytest.mark.parametrize(("broken", "expected"), [(0, "pass"), (1, "breach")])
def test_database(broken, expected):
    """Two queries in 5 seconds."""
    pairs = (("mcp_server_database_requests_total", 2), ("mcp_server_database_errors_total", 2 * broken))
    assert (
        verdict(
            TRIGGER["database"], [counter(name, growing(*[amount] * 20), **pod("green")) for name, amount in pairs]
        ).verdict
        == expected
    )


def memory(pool, number, *percent, limit=1000, start=START):
    labels = {"container": "mcp", **pod(pool, number)}
    values = [None if value is None else 10 * value for value in percent]
    used = counter("container_memory_working_set_bytes", values, start, **labels)
    return [used, counter("container_spec_memory_limit_bytes", [limit] * len(percent), start, **labels)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([95] * 40, [10] * 40, "breach"),
        ([90] * 40, [10] * 40, "pass"),
        # Killed, and its successor goes the same way.
        ([*[95] * 20, *[10] * 20], [95] * 19, "pass"),
        ([*[95] * 20, *[10] * 20], [*[10] * 19, *[95] * 21], "breach"),
    ],
)
def test_the_fullest_pod(one, other, expected):
    assert (
        verdict(TRIGGER["memory"], memory("green", 1, *one) + memory("green", 2, *other), pack="kubelet").verdict
        == expected
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        # Others are scraped after it is gone. It was seen to be full for 60 s, and no longer.
        ([*[95] * 13, *[None] * 27], "breach"),
        ([*[95] * 12, *[None] * 28], "cannot_measure"),
        ([10, *[95] * 12, *[10] * 27], "cannot_measure"),
        ([*[95] * 10, *[10] * 30], "pass"),
        # Full from after a scrape of its own, whenever others were scraped.
        ([*[10] * 28, *[95] * 12], "cannot_measure"),
        ([*[10] * 29, *[95] * 11], "pass"),
        # Not scraped while others were.
        ([*[10] * 10, *[95] * 5, *[None] * 6, *[95] * 5, *[10] * 14], "cannot_measure"),
        ([*[10] * 10, *[95] * 5, *[None] * 6, *[10] * 19], "pass"),
        ([*[10] * 10, *[None] * 13, *[10] * 17], "cannot_measure"),
        ([*[10] * 10, *[None] * 10, *[10] * 20], "pass"),
    ],
)
def test_a_pod_is_full_while_it_is_scraped_itself(one, expected):
    gate = replace(TRIGGER["memory"], window=60)
    series = memory("green", 1, *one) + memory("green", 2, *[50] * 40, start=START + EVERY / 2)
    assert verdict(gate, series, pack="kubelet").verdict == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # The fullest one is killed while another is past the limit.
        ([*[10] * 27, *[92] * 13], [*[10] * 36, 97, *[None] * 3], "breach"),
        # Its successor is full, too, and nothing was scraped in between.
        ([*[10] * 5, *[95] * 10, *[None] * 25], [*[None] * 20, *[95] * 3, *[10] * 17], "cannot_measure"),
        ([*[10] * 12, *[95] * 3, *[None] * 25], [*[None] * 20, 95, *[10] * 19], "pass"),
    ],
)
def test_one_full_pod_after_another(one, other, expected):
    gate = replace(TRIGGER["memory"], window=60)
    series = memory("green", 1, *one) + memory("green", 2, *other, start=START + EVERY / 2)
    assert verdict(gate, series, pack="kubelet").verdict == expected


def test_memory_without_a_limit():
    found = verdict(TRIGGER["memory"], memory("green", 1, *[95] * 40, limit=0), pack="kubelet")
    assert (found.verdict, found.outcome) == ("cannot_measure", "inconclusive")
    assert "its limit is not known" in found.reason


@pytest.mark.parametrize(
    ("window", "values", "expected"),
    [(None, [5, 5, 12], "breach"), (None, [50, 5], "pass"), (20, [12] * 5, "breach"), (20, [12] * 4, "pass")],
)
def test_custom_query(window, values, expected):
    gate = Gate("queue", "", 10.0, unit="", query="max(queue)", window=window)
    series = [
        Series({}, [(START + 5 * number, value) for number, value in enumerate(values)]),
        Series({"pod": "b"}, [(START, 1.0)]),
    ]
    assert (
        evaluate.evaluate(
            gate,
            evaluate.measure_query(gate, series, 5.0),
            Period(START, START + 5 * (len(values) - 1), since=START),
        ).verdict
        == expected
    )
    assert evaluate.evaluate(gate, evaluate.measure_query(gate, [], 5.0), Period(START, START)).verdict == "no_data"


@pytest.mark.parametrize(("direction", "value"), [("above", 9.0), ("below", 2.0)])
def test_of_several_series_of_a_custom_query_the_worst_counts(direction, value):
    gate = Gate("queue", "", 5.0, unit="", query="queue", direction=direction)
    series = [Series({"pod": pod}, [(START, of_pod)]) for pod, of_pod in (("a", 2.0), ("b", 9.0), ("c", 4.0))]
    assert evaluate.measure_query(gate, series, 5.0).levels == [Level(START, value, START, START)]


INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("direction", "window", "values", "expected", "value", "reason"),
    [
        # Prometheus gives +Inf for 5 / 0, and NaN for 0 / 0.
        ("above", None, [INF], "breach", INF, "+Inf is above the limit of 5"),
        ("above", 60, [INF] * 30, "breach", INF, "above the limit of 5 for 75 s (60 s allowed)"),
        ("above", 60, [1.0] * 18 + [INF] * 12, "pass", INF, ""),
        ("above", None, [-INF], "pass", -INF, ""),
        ("below", None, [-INF], "breach", -INF, "-Inf is below the limit of 5"),
        ("below", None, [INF], "pass", INF, ""),
        ("above", None, [NAN], "no_data", None, "the query returns NaN, which is no number, such as 0 / 0"),
        ("above", 60, [NAN] * 30, "no_data", None, "the query returns NaN, which is no number, such as 0 / 0"),
        ("above", None, [], "no_data", None, "the query returns nothing"),
        ("above", None, [9.0, NAN], "breach", 9.0, "9.0 is above the limit of 5"),
        ("above", None, [INF, NAN], "breach", INF, "+Inf is above the limit of 5"),
    ],
)
def test_a_custom_query_that_gives_no_number(direction, window, values, expected, value, reason):
    gate = Gate("queue", "", 5.0, query="q", unit="", direction=direction, window=window)
    samples = [(START + EVERY * number, each) for number, each in enumerate(values)]
    now = samples[-1][0] if samples else START
    found = evaluate.evaluate(gate, evaluate.measure_query(gate, [Series({}, samples)], EVERY), Period(now - 60, now))
    assert (found.verdict, found.value) == (expected, value)
    assert reason in found.reason
    # JSON has no infinity: databases that keep results refuse it.
    json.dumps(found.result(), allow_nan=False)
    assert "inf" not in evaluate.describe_verdict(found)


@pytest.mark.parametrize(
    ("values", "expected", "seconds", "since"),
    [
        ([9.0] * 3 + [1.0] * 3, "pass", 0.0, None),
        ([1.0] * 3 + [9.0] * 5, "pass", 20.0, 15),
        ([9.0] * 3 + [1.0] * 3 + [9.0] * 5, "pass", 20.0, 30),
        # What rolls back is told, though it is over, and another one has begun.
        ([9.0] * 14 + [1.0] * 3 + [9.0] * 3, "breach", 65.0, 0),
    ],
)
def test_which_of_several_violations_a_verdict_tells(values, expected, seconds, since):
    gate = Gate("queue", "", 5.0, query="q", unit="", window=60)
    samples = [(START + EVERY * number, value) for number, value in enumerate(values)]
    found = evaluate.measure_query(gate, [Series({}, samples)], EVERY)
    verdict = evaluate.evaluate(gate, found, Period(START, samples[-1][0], since=START))
    assert (verdict.verdict, verdict.seconds_past) == (expected, seconds)
    assert verdict.since == (None if since is None else START + since)


def test_of_several_series_one_may_be_no_number():
    gate = Gate("queue", "", 5.0, query="q")
    series = [Series({"a": "1"}, [(START, NAN)]), Series({"a": "2"}, [(START, 3.0)])]
    assert evaluate.measure_query(gate, series, EVERY).levels == [Level(START, 3.0, START, START)]


def test_how_much_of_its_window_a_custom_query_has_seen():
    gate = Gate("queue", "", 10.0, unit="", query="queue", window=20)
    levels = [(START, 1.0), (START + 5, 1.0), (START + 10, 1.0), (START + 100, 1.0)]
    found = evaluate.measure_query(gate, [Series({}, levels)], 5.0)
    verdict = evaluate.evaluate(gate, found, Period(START, START + 100, since=START))
    assert verdict.coverage == pytest.approx(10 + longest_gap(5.0))


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (None, "only 0 requests in the live pool, 20 needed to compare"),  # it has no such metric
        (19, "only 19 requests in the live pool, 20 needed to compare"),
        (20, ""),
        (1000, ""),
    ],
)
def test_the_live_pool_needs_as_many_requests(live, reason):
    series = [] if live is None else answers([live, 0], [0, 0], "blue", code="404")
    series += answers([1000, 0], [0, 0], code="404")
    assert verdict(STEP["lost_sessions"], series).reason == reason


def test_what_did_not_pass_and_why():
    """Breaches first and with their value; what has the same reason stands together."""
    odd = Verdict(STEP["errors"], NO_DATA, value=3.0, reason="only 7 requests, 20 needed.")
    same = Verdict(STEP["lost_sessions"], CANNOT_MEASURE, reason="Prometheus does not answer.")
    also = Verdict(STEP["latency_rise"], CANNOT_MEASURE, reason="Prometheus does not answer.")
    bad = Verdict(TRIGGER["errors"], "breach", value=12.5, reason="above the limit of 5 %")
    unknown = Verdict(TRIGGER["memory"], "breach", reason="over it")
    passed = Verdict(TRIGGER["latency"], "pass", value=0.1)
    assert evaluate.reasons([odd, same, passed, bad, also, unknown]) == (
        "errors breach (12.5 %): above the limit of 5 %; memory breach: over it; "
        "errors no data: only 7 requests, 20 needed; lost_sessions, latency_rise cannot measure: "
        "Prometheus does not answer"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [([], "pass"), (["pass", "no_data"], "inconclusive"), (["no_data", "breach", "pass"], "breach")],
)
def test_together(given, expected):
    assert combined(Verdict(STEP["errors"], verdict) for verdict in given) == expected


def test_what_no_source_tells():
    found = verdict(TRIGGER["database"], answers([1], [0]), pack="envoy")
    assert (found.verdict, found.outcome) == (NO_DATA, "pass")
    assert found.verdict != CANNOT_MEASURE


def test_a_result_is_plain_data():
    result = verdict(TRIGGER["errors"], answers([80] * 40, [20] * 40)).result()
    assert result == {
        "gate": "errors",
        "limit": 5.0,
        "unit": "%",
        "window": 120,
        "outcome": "breach",
        "verdict": "breach",
        "value": 20.0,
        "seconds_past": 190.0,
        "since": START + 5,
        "requests": 100,
        "coverage": 100.0,
        "reason": "above the limit of 5 % for 190 s (120 s allowed)",
    }


@pytest.mark.parametrize(("quiet", "expected"), [(0, "pass"), (6, "pass"), (30, "no_data")])
def test_a_value_from_before_the_traffic_ended_does_not_pass(quiet, expected):
    """The pool is scraped all the time, and gets no requests in the last of these scrapes."""
    found = verdict(TRIGGER["errors"], answers([20] * 30 + [0] * quiet, [0] * (30 + quiet)))
    assert (found.verdict, found.reason) == (expected, "" if expected == "pass" else "fewer than 20 requests")
