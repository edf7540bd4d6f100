# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a watch goes on, passes, is breached or stays inconclusive. Pure: plain data in, a decision out."""

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

POLL_AGAIN = 2.0  # seconds between polls once the time is over and only they are waited for


@dataclass(frozen=True)
class Observation:
    """What a watch knows at one moment. Times are seconds since it began."""

    elapsed: float
    seconds: float  # how long it watches
    bound: float  # when it ends although it is inconclusive
    synthetic_triggers: t.Sequence[Verdict] = ()  # of triggers, on the watch's own requests
    answers: Verdict | None = None  # on its own requests over the whole time; None: not judged, or the time is not over
    prometheus: bool = False  # whether there is one
    polled: float | None = None  # when the latest finished poll of it began; None before the first one
    triggers: t.Sequence[Verdict] = ()  # of that poll
    gates: t.Sequence[Verdict] = ()  # of that poll


class Decision(t.NamedTuple):
    """What to do now, and why."""

    outcome: str  # CONTINUE, PASS, BREACH or INCONCLUSIVE
    verdicts: list[Verdict]  # all that count at this moment
    deciding: list[Verdict]  # those that made the outcome; of CONTINUE: the inconclusive ones that only are waited for
    poll_now: bool = False  # whether a new poll of Prometheus is wanted at once


def decide(sight: Observation) -> Decision:
    """Return what to do. Triggers count at any moment, everything else once the time is over."""
    # Own requests that are too few to tell are no reason to wait: they are there to be fast, not to be complete.
    verdicts = [verdict for verdict in sight.synthetic_triggers if verdict.verdict == BREACH] + list(sight.triggers)
    breached = [verdict for verdict in verdicts if verdict.outcome == BREACH]
    if breached:
        return Decision(BREACH, verdicts, breached)
    if not is_over(sight.elapsed, sight.seconds):
        return Decision(CONTINUE, verdicts, [])
    verdicts += [*_answers(sight), *sight.gates]
    # A poll that began before the end leaves out the last seconds.
    fresh = not sight.prometheus or (sight.polled is not None and sight.polled >= sight.seconds)
    outcome = combined(verdicts) if fresh else INCONCLUSIVE
    deciding = [verdict for verdict in verdicts if verdict.outcome == outcome]
    if outcome == INCONCLUSIVE and sight.elapsed < sight.bound:
        due = sight.polled is None or sight.elapsed - sight.polled >= POLL_AGAIN
        return Decision(CONTINUE, verdicts, deciding if fresh else [], sight.prometheus and due)
    return Decision(outcome, verdicts, deciding)


def is_over(elapsed: float, seconds: float) -> bool:
    """Return whether the time is over, and everything counts."""
    return elapsed >= seconds


def _answers(sight: Observation) -> list[Verdict]:
    if sight.answers is None:
        return []
    if sight.answers.verdict == BREACH and sight.prometheus:
        # Own requests don't tell the pool that failed. The metrics of the pools do.
        return [replace(sight.answers, verdict=NO_DATA, reason=f"{sight.answers.reason}, of both pools together")]
    return [sight.answers]


def gates_at_weight(weight: int | None, gates: t.Iterable[Gate]) -> list[Gate]:
    """Return the gates that can be judged when the pool has this weight. None: it is not known, and all are."""
    # At 100 % the live pool has no traffic to compare with.
    return [gate for gate in gates if weight is None or weight < 100 or not gate.versus]


def synthetic_triggers(triggers: t.Iterable[Gate], prometheus: bool) -> list[Gate]:
    """Return the triggers that the watch's own requests are judged by as well."""
    judged = (ALWAYS,) if prometheus else (ALWAYS, WITHOUT_PROMETHEUS)
    return [trigger for trigger in triggers if trigger.synthetic in judged]
