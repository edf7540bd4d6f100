# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute the result of a replay: what each gate found and when, and how the release would have ended. Pure.

Times in results are ISO 8601 in UTC, by Prometheus' clock.
"""

from __future__ import annotations

import math
import typing as t
from itertools import groupby

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, windows
from ansible_collections.mcp.server.plugins.module_utils._gates.decide import Decision, Observation, decide
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BELOW,
    BREACH,
    CANNOT_MEASURE,
    INCONCLUSIVE,
    NO_DATA,
    PASS,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._replay.polls import Poll, Step

TRIGGER, SHIFT = "trigger", "gate"
Span = tuple[float, float]  # epoch seconds


def result_of(polls: t.Sequence[Poll], steps: t.Sequence[Step]) -> dict[str, t.Any]:
    """Return {verdict, first_breach, gates, steps}: see RETURN of mcp_replay_info."""
    gates = [_gate(TRIGGER, judged, steps) for judged in _by_gate(polls, lambda poll: poll.triggers)]
    gates += [_gate(SHIFT, judged, steps) for judged in _by_gate(polls, lambda poll: poll.gates)]
    decided = [(poll, _decide(poll, steps[poll.step], poll.triggers, poll.gates)) for poll in polls]
    outcomes = {decision.outcome for _poll, decision in decided}
    return {
        "verdict": next((outcome for outcome in (BREACH, INCONCLUSIVE) if outcome in outcomes), PASS),
        "first_breach": _first_breach(gates),
        "gates": gates,
        "steps": [_step(poll, steps[poll.step], decision) for poll, decision in decided if poll.last],
    }


def _first_breach(gates: t.Iterable[dict[str, t.Any]]) -> dict[str, t.Any] | None:
    def when(gate: dict[str, t.Any]) -> tuple[str, str]:
        breach = gate["breach"]
        return breach["reported"], breach["window_full"] or breach["reported"]

    first = min((gate for gate in gates if gate["breach"]), key=when, default=None)
    return {"gate": first["gate"], "kind": first["kind"], **first["breach"]} if first else None


def _decide(poll: Poll, step: Step, triggers: t.Sequence[Verdict], gates: t.Sequence[Verdict]) -> Decision:
    """Return what the step's watch would have decided at this poll by these verdicts.

    The last poll is taken for the one at the end of the watch, as no other follows to wait for.
    """
    elapsed = poll.at - step.begin
    seconds = elapsed if poll.last else step.end - step.begin
    observation = Observation(
        elapsed, seconds, bound=seconds, prometheus=True, polled=elapsed, triggers=triggers, gates=gates
    )
    return decide(observation)


class Judged(t.NamedTuple):
    """A verdict of a gate at one poll."""

    poll: Poll
    until: float  # epoch seconds of the next poll
    verdict: Verdict


def _by_gate(polls: t.Sequence[Poll], verdicts: t.Callable[[Poll], t.Sequence[Verdict]]) -> list[list[Judged]]:
    """Return the verdicts of each gate, in order of time."""
    by_name: dict[str, list[Judged]] = {}
    for poll, following in zip(polls, [*polls[1:], None], strict=True):
        until = following.at if following else poll.at
        for verdict in verdicts(poll):
            by_name.setdefault(verdict.gate.name, []).append(Judged(poll, until, verdict))
    return list(by_name.values())


def _gate(kind: str, judged: t.Sequence[Judged], steps: t.Sequence[Step]) -> dict[str, t.Any]:
    gate, last = judged[0].verdict.gate, judged[-1].verdict
    values = [
        one.verdict.value
        for one in judged
        if one.verdict.value is not None and math.isfinite(one.verdict.value) and one.verdict.verdict != CANNOT_MEASURE
    ]
    worst = (min if gate.direction == BELOW else max)(values, default=None)
    breach = _breach(kind, judged, steps)
    return {
        "gate": gate.name,
        "kind": kind,
        "limit": gate.limit,
        "unit": gate.unit,
        "window": gate.window,
        "verdict": last.verdict,
        "outcome": BREACH if breach else last.outcome,
        "reason": last.reason,
        "worst": None if worst is None else round(worst, 4),
        "seconds_past": round(sum(end - begin for begin, end in joined(_violations(judged))), 3),
        "seconds_no_data": _seconds(judged, NO_DATA),
        "seconds_cannot_measure": _seconds(judged, CANNOT_MEASURE),
        "breach": breach,
        "verdicts": [
            _span(verdict, list(same)) for verdict, same in groupby(judged, key=lambda one: one.verdict.verdict)
        ],
    }


def _breach(kind: str, judged: t.Sequence[Judged], steps: t.Sequence[Step]) -> dict[str, t.Any] | None:
    """Return the first breach that would have rolled the release back if there had been no other gate."""
    for one in judged:
        verdict, step = one.verdict, steps[one.poll.step]
        triggers, gates = ([verdict], []) if kind == TRIGGER else ([], [verdict])
        if _decide(one.poll, step, triggers, gates).outcome == BREACH:
            window = verdict.gate.window if verdict.verdict == BREACH else None
            full = None if verdict.since is None or window is None else verdict.since + window
            return {
                "since": _iso(verdict.since),
                "window_full": _iso(full),
                "reported": _times.iso_of(one.poll.at),
                "value": None if verdict.value is None or math.isinf(verdict.value) else round(verdict.value, 4),
                "weight": step.weight,
                "reason": verdict.reason,
            }
    return None


def _violations(judged: t.Sequence[Judged]) -> t.Iterator[Span]:
    """Yield when the limit was violated: without a window, from a poll until the next."""
    for poll, until, verdict in judged:
        if verdict.gate.window is not None:
            if verdict.since is not None:
                yield verdict.since, verdict.since + verdict.seconds_past
            continue
        value = None if verdict.verdict == CANNOT_MEASURE else verdict.value
        if value is not None and windows.is_past(verdict.gate, value):
            yield poll.at, until


def joined(spans: t.Iterable[Span]) -> list[Span]:
    """Return the spans in order, with those that overlap made one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _seconds(judged: t.Sequence[Judged], verdict: str) -> float:
    return round(sum(one.until - one.poll.at for one in judged if one.verdict.verdict == verdict), 3)


def _span(verdict: str, same: t.Sequence[Judged]) -> dict[str, t.Any]:
    return {"verdict": verdict, "from": _times.iso_of(same[0].poll.at), "to": _times.iso_of(same[-1].until)}


def _step(poll: Poll, step: Step, decision: Decision) -> dict[str, t.Any]:
    """Return what would have been decided at the end of the step."""
    return {
        "weight": step.weight,
        "from": _times.iso_of(step.begin),
        "to": _times.iso_of(step.end),
        "verdict": decision.outcome,
        "reason": evaluate.reasons([*poll.triggers, *poll.gates]),
    }


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else _times.iso_of(seconds)
