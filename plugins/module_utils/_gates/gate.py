# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gate is, and what becomes of its verdicts. Plain data."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, replace

PASS = "pass"
BREACH = "breach"
NO_DATA = "no_data"  # Prometheus answers, but has nothing, or too little to tell by
CANNOT_MEASURE = "cannot_measure"  # Prometheus does not answer, or has stopped seeing the server
INCONCLUSIVE = "inconclusive"  # an outcome: what does not pass, and is not bad either
VERDICTS = (PASS, BREACH, NO_DATA, CANNOT_MEASURE)

FAIL = "fail"
POLICIES = (INCONCLUSIVE, PASS, FAIL)

# Whether the watch judges a trigger by its own requests as well
ALWAYS, WITHOUT_PROMETHEUS = "always", "without_prometheus"


@dataclass(frozen=True)
class Gate:
    """One check.

    measure: what is judged, a key of a pack's measures (packs.py). query: own PromQL instead.
    limit: in unit. below: the value must be above the limit, not below it.
    window: seconds that the value has to be past the limit without a recovery; None judges the whole period at once.
    clear: once past the limit, the value has recovered only at this one.
    quantile: the limit is held against this quantile of a histogram, in seconds.
    versus: held against the live pool in the same minutes: rise (percent) or excess (points).
    floor: seconds that a rise of the latency must also come to.
    least: requests that a value is made of, at least.
    no_data, cannot_measure: what becomes of these verdicts: inconclusive, pass or fail.
    synthetic: whether the watch judges it by its own requests as well: always, without_prometheus, or empty for never.
    """

    name: str
    measure: str
    limit: float
    unit: str = "%"
    query: str = ""
    below: bool = False
    window: float | None = None
    clear: float | None = None
    quantile: float | None = None
    versus: str = ""
    floor: float = 0.0
    least: int = 20
    no_data: str = INCONCLUSIVE
    cannot_measure: str = INCONCLUSIVE
    synthetic: str = ""


@dataclass(frozen=True)
class Period:
    """What is judged, in epoch seconds by Prometheus' clock.

    begin: of what is judged at once. seconds: how much of that there has to be samples of.
    since: when a window may have begun; None for as long ago as it takes to be full now. A breach that is over by now, but came after that, is one.
    """

    begin: float
    now: float
    seconds: float = 0.0
    since: float | None = None


@dataclass(frozen=True)
class Verdict:
    """verdict: one of VERDICTS. value: now, or over the period, in the gate's unit; None when there is none.

    seconds_past: how long the value has been past the limit. since: since when, epoch seconds.
    requests: that the value is made of. coverage: percent of the period that was seen. reason: empty when it passed.
    """

    gate: Gate
    verdict: str
    value: float | None = None
    seconds_past: float = 0.0
    since: float | None = None
    requests: int = 0
    coverage: float = 0.0
    reason: str = ""

    @property
    def outcome(self) -> str:
        """What it comes to by the gate's policies: pass, breach (which a policy of fail is too) or inconclusive."""
        if self.verdict in (PASS, BREACH):
            return self.verdict
        policy = self.gate.no_data if self.verdict == NO_DATA else self.gate.cannot_measure
        return {PASS: PASS, FAIL: BREACH, INCONCLUSIVE: INCONCLUSIVE}[policy]

    def result(self) -> dict[str, t.Any]:
        """As a module returns it."""
        kept = {key: value for key, value in asdict(self).items() if key != "gate"}
        for key in ("value", "seconds_past", "since", "coverage"):
            kept[key] = None if kept[key] is None else round(kept[key], 3)
        return {
            "gate": self.gate.name,
            "limit": self.gate.limit,
            "unit": self.gate.unit,
            "window": self.gate.window,
            "outcome": self.outcome,
            **kept,
        }


def combined(verdicts: t.Iterable[Verdict]) -> str:
    """What they come to together: breach before inconclusive before pass."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return next((outcome for outcome in (BREACH, INCONCLUSIVE) if outcome in outcomes), PASS)


def settled(over: t.Callable[[float], Verdict], lasted: float, seconds: float) -> Verdict:
    """A gate's verdict on a watch that has lasted longer than the seconds that it is for, when it is inconclusive.

    over: its verdict on the last so many seconds.

    What is past its limit over all of it, and not any more, waits until C(seconds) are good in a row:
    no trigger's window was full, and that is what takes a release back.
    """
    whole = over(lasted)
    if whole.verdict != BREACH:
        return whole
    last = over(min(lasted, seconds))
    if last.verdict != BREACH:
        return last
    if over(min(lasted, max(10.0, seconds / 5))).verdict != PASS:
        return last
    return replace(last, verdict=NO_DATA, reason=f"{last.reason} over {seconds:.0f} s, but not any more")
