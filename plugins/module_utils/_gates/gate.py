# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates, verdicts, and what a verdict leads to. Plain data."""

from __future__ import annotations

import math
import typing as t
from dataclasses import asdict, dataclass, replace

PASS = "pass"
BREACH = "breach"
NO_DATA = "no_data"  # Prometheus answers, but has nothing, or too few requests to judge
CANNOT_MEASURE = "cannot_measure"  # Prometheus does not answer, or no longer sees the server
INCONCLUSIVE = "inconclusive"  # an outcome: neither passed nor breached
VERDICTS = (PASS, BREACH, NO_DATA, CANNOT_MEASURE)

FAIL = "fail"
POLICIES = (INCONCLUSIVE, PASS, FAIL)

# Gate.synthetic
ALWAYS, WITHOUT_PROMETHEUS = "always", "without_prometheus"

# Gate.direction
ABOVE, BELOW = "above", "below"

# Gate.compare_with
RISE, EXCESS = "rise", "excess"


@dataclass(frozen=True)
class Gate:
    """A limit on a measure."""

    name: str
    measure: str  # what is judged: a key of a metrics pack (packs.py); empty with a query
    limit: float  # in unit
    unit: str = "%"
    query: str = ""  # PromQL that takes the place of the measure
    direction: str = ABOVE  # the side of the limit, above or below, on which a value is a violation
    window: float | None = None  # seconds that a violation must last to be a breach; None: the whole period is judged
    clear: float | None = None  # a violation ends only at this value; None: at the limit
    quantile: float | None = None  # the limit, in seconds, is on this quantile (0 to 1) of a histogram
    compare_with: str = (
        ""  # the live pool in the same time, by rise (percent) or excess (points); empty: it is not compared
    )
    min_rise_seconds: float = 0.0  # the fewest seconds that a rise must also amount to
    min_requests: int = 20  # the fewest requests that a value is computed from
    no_data: str = INCONCLUSIVE  # what the verdict no_data leads to, one of POLICIES
    cannot_measure: str = INCONCLUSIVE  # what the verdict cannot_measure leads to, one of POLICIES
    synthetic: str = ""  # when synthetic requests are judged by it too: always, without_prometheus; empty: never
    progress_label: str = ""  # what a watch's progress lines call its value; empty: they don't show it


@dataclass(frozen=True)
class Period:
    """The time that is judged. Times are epoch seconds by Prometheus' clock."""

    begin: float  # of a gate without a window
    now: float  # the end
    seconds: float = 0.0  # how much of the period must have samples, for a gate without a window
    # The earliest time at which a violation may have begun. A breach after it counts, even if it is over by now.
    # None: as far back as a window that is full now reaches.
    since: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What a gate found."""

    gate: Gate
    verdict: str  # one of VERDICTS
    value: float | None = None  # now, or over the period, in the gate's unit; None: there is none
    seconds_past: float = 0.0  # how long the violation has lasted
    since: float | None = None  # when the violation began, epoch seconds
    requests: int = 0  # how many the value was computed from
    coverage: float = 0.0  # percent of the period for which there are samples
    reason: str = ""  # why it did not pass; empty when it passed

    @property
    def outcome(self) -> str:
        """Return pass, breach or inconclusive, by the gate's policies. The policy fail makes a breach."""
        if self.verdict in (PASS, BREACH):
            return self.verdict
        policy = self.gate.no_data if self.verdict == NO_DATA else self.gate.cannot_measure
        return {PASS: PASS, FAIL: BREACH, INCONCLUSIVE: INCONCLUSIVE}[policy]

    def result(self) -> dict[str, t.Any]:
        """Return the verdict as modules return it: see RETURN of mcp_gate."""
        kept = {key: value for key, value in asdict(self).items() if key != "gate"}
        for key in ("value", "seconds_past", "since", "coverage"):
            # JSON has no infinity.
            kept[key] = None if kept[key] is None or math.isinf(kept[key]) else round(kept[key], 3)
        return {
            "gate": self.gate.name,
            "limit": self.gate.limit,
            "unit": self.gate.unit,
            "window": self.gate.window,
            "outcome": self.outcome,
            **kept,
        }


def combined(verdicts: t.Iterable[Verdict]) -> str:
    """Return the outcome of several verdicts: breach before inconclusive before pass."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return next((outcome for outcome in (BREACH, INCONCLUSIVE) if outcome in outcomes), PASS)


def judge_watch(judge_last: t.Callable[[float], Verdict], lasted: float, seconds: float) -> Verdict:
    """Return a gate's verdict on a watch of so many seconds that has lasted longer because it was inconclusive.

    judge_last: judges the last so many seconds. lasted: seconds since the watch began.
    A violation over the whole watch that is over by now does not roll back, as no trigger's window was full. It is
    inconclusive until the last C(seconds) pass.
    """
    whole = judge_last(lasted)
    if whole.verdict != BREACH:
        return whole
    last = judge_last(min(lasted, seconds))
    if last.verdict != BREACH:
        return last
    if judge_last(min(lasted, max(10.0, seconds / 5))).verdict != PASS:
        return last
    return replace(last, verdict=NO_DATA, reason=f"{last.reason} over {seconds:.0f} s, but no longer")
