# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a watch continues, passes, is breached or ends inconclusive. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    ALWAYS,
    BREACH,
    INCONCLUSIVE,
    NO_DATA,
    WITHOUT_PROMETHEUS,
    Gate,
    Verdict,
    combined,
)

CONTINUE = "continue"

POLL_AGAIN = 2.0  # seconds between polls that begin after the watch's time is over


@dataclass(frozen=True)
class Observation:
    """What a watch knows at one moment. Times are seconds since it began."""

    elapsed: float
    seconds: float  # how long the watch is meant to last
    bound: float  # when an inconclusive watch ends
    synthetic_triggers: t.Sequence[Verdict] = ()  # of triggers, on the latest synthetic requests
    synthetic_gate: Verdict | None = None  # on all synthetic requests; None: not judged, or the time is not over
    prometheus: bool = False  # whether Prometheus is polled
    polled: float | None = None  # when the latest finished poll began; None before the first one
    triggers: t.Sequence[Verdict] = ()  # of that poll
    gates: t.Sequence[Verdict] = ()  # of that poll


class Decision(t.NamedTuple):
    """What the watch does now, and why."""

    outcome: str  # CONTINUE, PASS, BREACH or INCONCLUSIVE
    verdicts: list[Verdict]  # all that count at this moment
    deciding: list[Verdict]  # those that led to the outcome; of CONTINUE: the inconclusive ones, once the time is over
    poll_now: bool = False  # whether Prometheus is to be polled at once


def decide(observation: Observation) -> Decision:
    """Return what the watch does. Triggers count at any moment, gates once the time is over."""
    verdicts = [*breaches(observation.synthetic_triggers), *observation.triggers]
    breached = [verdict for verdict in verdicts if verdict.outcome == BREACH]
    if breached:
        return Decision(BREACH, verdicts, breached)
    if not is_over(observation.elapsed, observation.seconds):
        return Decision(CONTINUE, verdicts, [])
    verdicts += [*_synthetic_gate(observation), *observation.gates]
    fresh = _has_fresh_poll(observation)
    outcome = combined(verdicts) if fresh else INCONCLUSIVE
    deciding = [verdict for verdict in verdicts if verdict.outcome == outcome]
    if outcome == INCONCLUSIVE and observation.elapsed < observation.bound:
        due = observation.polled is None or observation.elapsed - observation.polled >= POLL_AGAIN
        return Decision(CONTINUE, verdicts, deciding if fresh else [], observation.prometheus and due)
    return Decision(outcome, verdicts, deciding)


def breaches(synthetic_triggers: t.Iterable[Verdict]) -> list[Verdict]:
    """Return those that are breached. Too few synthetic requests are no reason to wait: the metrics have them all."""
    return [verdict for verdict in synthetic_triggers if verdict.verdict == BREACH]


def is_over(elapsed: float, seconds: float) -> bool:
    """Return whether the watch's time is over, so that gates count too."""
    return elapsed >= seconds


def _has_fresh_poll(observation: Observation) -> bool:
    # A poll that began before the end leaves out the last seconds.
    return not observation.prometheus or (observation.polled is not None and observation.polled >= observation.seconds)


def _synthetic_gate(observation: Observation) -> list[Verdict]:
    verdict = observation.synthetic_gate
    if verdict is None:
        return []
    if verdict.verdict == BREACH and observation.prometheus:
        # A failed request doesn't tell which pool failed. The pools' metrics do.
        return [replace(verdict, verdict=NO_DATA, reason=f"{verdict.reason}, of both pools together")]
    return [verdict]


def gates_at_weight(weight: int | None, gates: t.Iterable[Gate]) -> list[Gate]:
    """Return the gates that can be judged while the pool has this weight; all of them if it is not known (None)."""
    # At 100 % the live pool has no traffic to compare with.
    return [gate for gate in gates if weight is None or weight < 100 or not gate.compare_with]


def synthetic_triggers(triggers: t.Iterable[Gate], prometheus: bool) -> list[Gate]:
    """Return the triggers by which synthetic requests are judged too. prometheus: whether there is one."""
    judged = (ALWAYS,) if prometheus else (ALWAYS, WITHOUT_PROMETHEUS)
    return [trigger for trigger in triggers if trigger.synthetic in judged]
