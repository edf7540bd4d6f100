# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.decide import (
    CONTINUE,
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
    INCONCLUSIVE,
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


def synthetic_gate(what: str) -> dict:
    return {"synthetic_gate": verdict("synthetic_requests", what)}


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
        (299.9, synthetic_gate(BREACH), CONTINUE, [], False),
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
        (300, {**polled(300, trigger=BREACH, gate=BREACH), **synthetic_gate(BREACH)}, BREACH, ["errors"], False),
        (301, polled(299, trigger=BREACH), BREACH, ["errors"], False),
        # Too few synthetic requests for a trigger count for nothing, whatever the policy.
        (300, {**synthetic(NO_DATA), **synthetic_gate(PASS)}, PASS, ["synthetic_requests"], False),
        (300, synthetic(CANNOT_MEASURE, FAIL), PASS, [], False),
        # The end without Prometheus.
        (300, {}, PASS, [], False),
        (300, synthetic_gate(PASS), PASS, ["synthetic_requests"], False),
        (300, synthetic_gate(BREACH), BREACH, ["synthetic_requests"], False),
        (300, synthetic_gate(NO_DATA), CONTINUE, ["synthetic_requests"], False),
        (899.9, synthetic_gate(NO_DATA), CONTINUE, ["synthetic_requests"], False),
        (900, synthetic_gate(NO_DATA), INCONCLUSIVE, ["synthetic_requests"], False),
        (900, synthetic_gate(PASS), PASS, ["synthetic_requests"], False),
        # The end with Prometheus.
        (300.5, {**polled(300), **synthetic_gate(PASS)}, PASS, ["errors", "synthetic_requests", "rise"], False),
        (300.5, {**polled(300, gate=BREACH), **synthetic_gate(PASS)}, BREACH, ["rise"], False),
        (300.5, {**polled(300, gate=BREACH), **synthetic_gate(NO_DATA)}, BREACH, ["rise"], False),
        (300.5, {**polled(300, gate=NO_DATA), **synthetic_gate(PASS)}, CONTINUE, ["rise"], False),
        (300.5, polled(300, gate=NO_DATA, policy=PASS), PASS, ["errors", "rise"], False),
        (300.5, polled(300, gate=CANNOT_MEASURE, policy=FAIL), BREACH, ["rise"], False),
        (300.5, polled(300, trigger=CANNOT_MEASURE), CONTINUE, ["errors"], False),
        # A failed synthetic request does not tell its pool: with Prometheus, failures are no breach.
        (300.5, {**polled(300), **synthetic_gate(BREACH)}, CONTINUE, ["synthetic_requests"], False),
        (900, {**polled(899), **synthetic_gate(BREACH)}, INCONCLUSIVE, ["synthetic_requests"], False),
        # A poll that began before the end, or none, neither passes nor breaches.
        (300, {**polled(299.9), **synthetic_gate(PASS)}, CONTINUE, [], False),
        (300, {**polled(299.9, gate=BREACH), **synthetic_gate(PASS)}, CONTINUE, [], False),
        (300, polled(299.9, gate=NO_DATA), CONTINUE, [], False),
        (300, {**WAITS, **synthetic_gate(PASS)}, CONTINUE, [], True),
        (900, {**polled(299.9), **synthetic_gate(PASS)}, INCONCLUSIVE, [], False),
        (900, {**polled(299.9, gate=NO_DATA), **synthetic_gate(PASS)}, INCONCLUSIVE, ["rise"], False),
        (900, {**WAITS, **synthetic_gate(PASS)}, INCONCLUSIVE, [], False),
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
        **synthetic_gate(PASS),
        "synthetic_triggers": [verdict("error_burst", PASS)],
    }
    before = decide(Observation(299.9, SECONDS, BOUND, **seen))
    over = decide(Observation(300.5, SECONDS, BOUND, **seen))
    assert [each.gate.name for each in before.verdicts] == ["errors"]
    assert [each.gate.name for each in over.verdicts] == ["errors", "synthetic_requests", "rise"]


def test_failed_synthetic_requests_with_prometheus_say_why_they_are_no_breach():
    (own,) = decide(
        Observation(300.5, SECONDS, BOUND, prometheus=True, polled=300.0, **synthetic_gate(BREACH))
    ).verdicts
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
def test_the_triggers_on_synthetic_requests(prometheus, names):
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
def test_a_gate_says_when_synthetic_requests_are_judged_by_it(synthetic, prometheus, judged):
    gate = Gate("errors", "errors", 5.0, synthetic=synthetic)
    assert synthetic_triggers([gate], prometheus) == ([gate] if judged else [])
