# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a replay comes to: what each gate said and when, and what the release would have come to. Pure.

Times in results are ISO 8601 in UTC, by Prometheus' clock.
"""

from __future__ import annotations

import typing as t
from itertools import groupby

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, windows
from ansible_collections.mcp.server.plugins.module_utils._gates.decide import (
    INCONCLUSIVE,
    Decision,
    Observation,
    decide,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    CANNOT_MEASURE,
    NO_DATA,
    PASS,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._replay.polls import Poll, Step

TRIGGER, SHIFT = "trigger", "gate"
Span = tuple[float, float]


def told(moments: t.Sequence[Poll], steps: t.Sequence[Step]) -> dict[str, t.Any]:
    """{verdict, first_breach, gates, steps}, see RETURN of mcp_replay_info."""
    gates = [_gate(TRIGGER, each, steps) for each in _columns(moments, "triggers")] + [
        _gate(SHIFT, each, steps) for each in _columns(moments, "gates")
    ]
    decided = [(each, _decided(each, steps[each.step], each.triggers, each.gates)) for each in moments]
    ends = [_step(moment, steps[moment.step], decision) for moment, decision in decided if moment.last]
    breached = [gate for gate in gates if gate["breach"]]
    first = min(
        breached,
        key=lambda gate: (gate["breach"]["reported"], gate["breach"]["window_full"] or gate["breach"]["reported"]),
        default=None,
    )
    outcomes = {decision.outcome for _moment, decision in decided}
    verdict = next((outcome for outcome in (BREACH, INCONCLUSIVE) if outcome in outcomes), PASS)
    first_breach = {"gate": first["gate"], "kind": first["kind"], **first["breach"]} if first else None
    return {"verdict": verdict, "first_breach": first_breach, "gates": gates, "steps": ends}


def _decided(moment: Poll, step: Step, triggers: t.Sequence[Verdict], gates: t.Sequence[Verdict]) -> Decision:
    """Return what the watch of the step would have decided at this poll by these verdicts.

    The last poll is the one at the end of the watch. There is none after it to wait for.
    """
    elapsed = moment.at - step.begin
    seconds = elapsed if moment.last else step.end - step.begin
    sight = Observation(
        elapsed, seconds, bound=seconds, prometheus=True, polled=elapsed, triggers=triggers, gates=gates
    )
    return decide(sight)


class Seen(t.NamedTuple):
    """A verdict of a gate, and the poll that it is of. until: epoch seconds, when the next one came."""

    moment: Poll
    until: float
    verdict: Verdict


def _columns(moments: t.Sequence[Poll], name: str) -> list[list[Seen]]:
    """Of each gate all verdicts, in order."""
    columns: dict[str, list[Seen]] = {}
    for moment, following in zip(moments, [*moments[1:], None], strict=True):
        until = following.at if following else moment.at
        for verdict in getattr(moment, name):
            columns.setdefault(verdict.gate.name, []).append(Seen(moment, until, verdict))
    return list(columns.values())


def _gate(kind: str, column: t.Sequence[Seen], steps: t.Sequence[Step]) -> dict[str, t.Any]:
    gate, last = column[0].verdict.gate, column[-1].verdict
    values = [
        seen.verdict.value
        for seen in column
        if seen.verdict.value is not None and seen.verdict.verdict != CANNOT_MEASURE
    ]
    worst = (min if gate.below else max)(values, default=None)
    breach = _breach(kind, column, steps)
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
        "seconds_past": round(sum(end - begin for begin, end in joined(_past(column))), 3),
        "seconds_no_data": _seconds(column, NO_DATA),
        "seconds_cannot_measure": _seconds(column, CANNOT_MEASURE),
        "breach": breach,
        "verdicts": [
            _span(verdict, list(same)) for verdict, same in groupby(column, key=lambda seen: seen.verdict.verdict)
        ],
    }


def _breach(kind: str, column: t.Sequence[Seen], steps: t.Sequence[Step]) -> dict[str, t.Any] | None:
    """The first one that would have taken the release back, had there been only this trigger or gate."""
    for seen in column:
        verdict = seen.verdict
        triggers, gates = ([verdict], []) if kind == TRIGGER else ([], [verdict])
        if _decided(seen.moment, steps[seen.moment.step], triggers, gates).outcome == BREACH:
            since = verdict.since
            full = (
                since + verdict.gate.window
                if since is not None and verdict.gate.window is not None and verdict.verdict == BREACH
                else None
            )
            return {
                "since": _times.iso_of(since) if since is not None else None,
                "window_full": _times.iso_of(full) if full is not None else None,
                "reported": _times.iso_of(seen.moment.at),
                "value": None if verdict.value is None else round(verdict.value, 4),
                "weight": steps[seen.moment.step].weight,
                "reason": verdict.reason,
            }
    return None


def _past(column: t.Sequence[Seen]) -> t.Iterator[Span]:
    """The times past the limit. A window tells when it was; what is judged at once was so at the poll, and until the next."""
    for moment, until, verdict in column:
        if verdict.gate.window is None:
            if (
                verdict.value is not None
                and verdict.verdict != CANNOT_MEASURE
                and windows.is_past(verdict.gate, verdict.value)
            ):
                yield moment.at, until
        elif verdict.since is not None:
            yield verdict.since, verdict.since + verdict.seconds_past


def joined(spans: t.Iterable[Span]) -> list[Span]:
    """Those that overlap as one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _seconds(column: t.Sequence[Seen], verdict: str) -> float:
    return round(sum(seen.until - seen.moment.at for seen in column if seen.verdict.verdict == verdict), 3)


def _span(verdict: str, same: t.Sequence[Seen]) -> dict[str, t.Any]:
    return {"verdict": verdict, "from": _times.iso_of(same[0].moment.at), "to": _times.iso_of(same[-1].until)}


def _step(moment: Poll, step: Step, decision: Decision) -> dict[str, t.Any]:
    """What would have been decided at its end."""
    return {
        "weight": step.weight,
        "from": _times.iso_of(step.begin),
        "to": _times.iso_of(step.end),
        "verdict": decision.outcome,
        "reason": evaluate.reasons([*moment.triggers, *moment.gates]),
    }
