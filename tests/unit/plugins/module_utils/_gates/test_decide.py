# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.decide import (
    CONTINUE,
    INCONCLUSIVE,
    Observation,
    decide,
    gates_at_weight,
    is_over,
    synthetic_triggers,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    CANNOT_MEASURE,
    FAIL,
    NO_DATA,
    PASS,
    Gate,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import SHIFT, TRIGGERS

SECONDS, BOUND = 300.0, 900.0


def verdict(name: str, what: str, policy: str = INCONCLUSIVE) -> Verdict:
    gate = Gate(name, "errors", 5.0, no_data=policy, cannot_measure=policy)
    return Verdict(gate, what, reason="why")


def synthetic(what: str, policy: str = INCONCLUSIVE) -> dict:
    return {"synthetic_triggers": [verdict("error_burst", what, policy)]}


def answers(what: str) -> dict:
    return {"answers": verdict("answers", what)}


def polled(at: float, trigger: str = PASS, gate: str = PASS, policy: str = INCONCLUSIVE) -> dict:
    """A poll that began then, with a verdict of one trigger and of one gate."""
    triggers, gates = [verdict("errors", trigger, policy)], [verdict("rise", gate, policy)]
    return {"prometheus": True, "polled": at, "triggers": triggers, "gates": gates}


WAITS = {"prometheus": True}  # for its first poll


@pytest.mark.parametrize(
    ("elapsed", "seen", "outcome", "deciding", "poll_now"),
    [
        # Before the time is over only a breached trigger ends it.
        (0.25, {}, CONTINUE, [], False),
        (299.9, answers(BREACH), CONTINUE, [], False),
        (299.9, WAITS, CONTINUE, [], False),
        (299.9, polled(298, gate=BREACH), CONTINUE, [], False),
        (299.9, polled(1, trigger=NO_DATA, gate=CANNOT_MEASURE), CONTINUE, [], False),
        # A trigger counts at any moment, whoever tells.
        (0.25, synthetic(BREACH), BREACH, ["error_burst"], False),
        (0.25, {**WAITS, **synthetic(BREACH)}, BREACH, ["error_burst"], False),
        (10, polled(5, trigger=BREACH), BREACH, ["errors"], False),
        (10, polled(5, trigger=NO_DATA, policy=FAIL), BREACH, ["errors"], False),
        (10, {**polled(5, trigger=BREACH), **synthetic(BREACH)}, BREACH, ["error_burst", "errors"], False),
        # Also when the time is over: at once, and not by the gates.
        (300, {**polled(300, trigger=BREACH, gate=BREACH), **answers(BREACH)}, BREACH, ["errors"], False),
        (301, polled(299, trigger=BREACH), BREACH, ["errors"], False),
        # Own requests that are too few for a trigger count for nothing, whatever the policy.
        (300, {**synthetic(NO_DATA), **answers(PASS)}, PASS, ["answers"], False),
        (300, synthetic(CANNOT_MEASURE, FAIL), PASS, [], False),
        # The end without Prometheus.
        (300, {}, PASS, [], False),
        (300, answers(PASS), PASS, ["answers"], False),
        (300, answers(BREACH), BREACH, ["answers"], False),
        (300, answers(NO_DATA), CONTINUE, ["answers"], False),
        (899.9, answers(NO_DATA), CONTINUE, ["answers"], False),
        (900, answers(NO_DATA), INCONCLUSIVE, ["answers"], False),
        (900, answers(PASS), PASS, ["answers"], False),
        # The end with Prometheus.
        (300.5, {**polled(300), **answers(PASS)}, PASS, ["errors", "answers", "rise"], False),
        (300.5, {**polled(300, gate=BREACH), **answers(PASS)}, BREACH, ["rise"], False),
        (300.5, {**polled(300, gate=BREACH), **answers(NO_DATA)}, BREACH, ["rise"], False),
        (300.5, {**polled(300, gate=NO_DATA), **answers(PASS)}, CONTINUE, ["rise"], False),
        (300.5, polled(300, gate=NO_DATA, policy=PASS), PASS, ["errors", "rise"], False),
        (300.5, polled(300, gate=CANNOT_MEASURE, policy=FAIL), BREACH, ["rise"], False),
        (300.5, polled(300, trigger=CANNOT_MEASURE), CONTINUE, ["errors"], False),
        # Own answers don't tell the pool: beside Prometheus their failures are no breach.
        (300.5, {**polled(300), **answers(BREACH)}, CONTINUE, ["answers"], False),
        (900, {**polled(899), **answers(BREACH)}, INCONCLUSIVE, ["answers"], False),
        # A poll that began before the end, or none, neither passes nor breaches.
        (300, {**polled(299.9), **answers(PASS)}, CONTINUE, [], False),
        (300, {**polled(299.9, gate=BREACH), **answers(PASS)}, CONTINUE, [], False),
        (300, polled(299.9, gate=NO_DATA), CONTINUE, [], False),
        (300, {**WAITS, **answers(PASS)}, CONTINUE, [], True),
        (900, {**polled(299.9), **answers(PASS)}, INCONCLUSIVE, [], False),
        (900, {**polled(299.9, gate=NO_DATA), **answers(PASS)}, INCONCLUSIVE, ["rise"], False),
        (900, {**WAITS, **answers(PASS)}, INCONCLUSIVE, [], False),
        # The next poll is wanted 2 s after the last one began.
        (300, polled(298.1), CONTINUE, [], False),
        (300, polled(298), CONTINUE, [], True),
        (309.9, polled(308, gate=NO_DATA), CONTINUE, ["rise"], False),
        (310, polled(308, gate=NO_DATA), CONTINUE, ["rise"], True),
    ],
)
def test_what_is_decided(elapsed, seen, outcome, deciding, poll_now):
    decision = decide(Observation(elapsed, SECONDS, BOUND, **seen))
    names = [each.gate.name for each in decision.deciding]
    assert (decision.outcome, names, decision.poll_now) == (outcome, deciding, poll_now)


def test_the_verdicts_that_count():
    seen = {
        **polled(300, trigger=NO_DATA, gate=NO_DATA),
        **answers(PASS),
        "synthetic_triggers": [verdict("error_burst", PASS)],
    }
    before = decide(Observation(299.9, SECONDS, BOUND, **seen))
    over = decide(Observation(300.5, SECONDS, BOUND, **seen))
    assert [each.gate.name for each in before.verdicts] == ["errors"]
    assert [each.gate.name for each in over.verdicts] == ["errors", "answers", "rise"]


def test_own_failures_beside_prometheus_tell_why_they_are_no_breach():
    (own,) = decide(Observation(300.5, SECONDS, BOUND, prometheus=True, polled=300.0, **answers(BREACH))).verdicts
    assert (own.verdict, own.reason) == (NO_DATA, "why, of both pools together")


@pytest.mark.parametrize(("elapsed", "over"), [(0.0, False), (299.9, False), (300.0, True), (301.0, True)])
def test_when_the_time_is_over(elapsed, over):
    assert is_over(elapsed, SECONDS) is over


ALONE, COMPARING = ["errors"], ["latency_rise", "mcp_errors", "lost_sessions"]


@pytest.mark.parametrize(
    ("weight", "names"),
    [(1, ALONE + COMPARING), (99, ALONE + COMPARING), (100, ALONE), (None, ALONE + COMPARING)],
)
def test_the_gates_that_are_judged_at_a_weight(weight, names):
    assert [gate.name for gate in gates_at_weight(weight, SHIFT)] == names


@pytest.mark.parametrize(("prometheus", "names"), [(True, ["error_burst"]), (False, ["errors", "error_burst"])])
def test_the_triggers_on_own_requests(prometheus, names):
    assert [gate.name for gate in synthetic_triggers(TRIGGERS, prometheus)] == names


@pytest.mark.parametrize(
    ("synthetic", "prometheus", "judged"),
    [
        ("always", True, True),
        ("always", False, True),
        ("without_prometheus", True, False),
        ("without_prometheus", False, True),
        ("", True, False),
        ("", False, False),
    ],
)
def test_a_gate_says_whether_own_requests_are_judged_by_it(synthetic, prometheus, judged):
    gate = Gate("errors", "errors", 5.0, synthetic=synthetic)
    assert synthetic_triggers([gate], prometheus) == ([gate] if judged else [])
