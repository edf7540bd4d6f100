# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a load test has shown: from figures to the results of its checks. Pure.

A load generator that is too slow looks like a slow server. So its own limit is measured first, against a server that
does nothing: what it can't send, it can't measure, and that is neither passed nor failed.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._load.options import MIN_REQUESTS, Limits, Plan

GENERATOR, ERRORS, P95, THROUGHPUT = "load_generator", "load_errors", "load_p95", "load_throughput"
NAMES = {
    GENERATOR: "load generator",
    ERRORS: "load error rate",
    P95: "load p95",
    THROUGHPUT: "load throughput",
}
SENT = 0.95  # of the planned requests: a generator that sends fewer can't keep the rate
OWN_LATENCY = 0.5  # of the limit: a generator whose own latency is more can't measure it
BUSY = 0.8  # of the workers: when so many wait for answers all the time, the server is what is slow
SHOWN = 3  # kinds of failed requests in a sentence


@dataclass(frozen=True)
class Figures:
    """What came of some load."""

    sent: int
    failed: int
    seconds: float  # from the first request to the last answer
    p95_ms: float  # of all requests, also of those that failed
    in_flight: float  # requests that waited for an answer at the same time, on average
    problems: t.Mapping[str, int] = field(default_factory=dict)  # how often requests failed, by clause
    unread: int = 0  # answers whose end was not read, as they are too long to be judged
    own: int = 0  # failed requests that this machine could not send

    @property
    def error_percent(self) -> float:
        return 100 * self.failed / self.sent if self.sent else 0.0

    @property
    def mean_ms(self) -> float:
        return 1000 * self.in_flight * self.seconds / self.sent if self.sent else 0.0

    def throughput(self, plan_seconds: float) -> float:
        """Return good answers a second, over all of the planned time: some may have come at its beginning only."""
        return (self.sent - self.failed) / max(self.seconds, plan_seconds)

    def rate(self, plan_seconds: float) -> float:
        """Return requests a second."""
        return self.sent / plan_seconds


def p95(latencies: t.Sequence[float]) -> float:
    """Return the 95th percentile: the smallest latency that 95 % of the requests do not exceed."""
    ordered = sorted(latencies)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0.0


def generator_problem(plan: Plan, calibrated: Figures, seconds: float) -> str:
    """Return why the generator can't send this load, as a sentence; empty when it can."""
    rate = calibrated.rate(seconds)
    if calibrated.failed:
        return (
            f"The load generator could not be measured: {_problems(calibrated)} of a server on this machine that only "
            "repeats one answer. Try again, from a machine with less to do."
        )
    if rate < SENT * plan.rate:
        return (
            f"The load generator sends {rate:.0f} requests a second on this machine, to a server that only repeats one "
            f"answer; {plan.rate} are planned. Run the load test from a machine with more cores or less to do, or "
            "lower mcp_load_rate and mcp_load_min_throughput."
        )
    return ""


def judged(plan: Plan, limits: Limits, calibrated: Figures, found: Figures) -> list[_results.Result]:
    """Return the results of the checks of what the server answered."""
    is_full = found.in_flight >= BUSY * plan.workers
    # Of a high rate fewer may wait than would at the limit (MAX_WORKERS): then it is not the server that is slow.
    is_slow = is_full and found.mean_ms >= limits.max_p95_ms
    too_few = found.rate(plan.seconds) < SENT * plan.rate and not is_slow
    starved = (
        f"{found.own} requests could not be sent by this machine ({_problems(found)}). Raise its limits of open files "
        "and ports, or lower mcp_load_rate."
        if found.own
        else f"Only {found.rate(plan.seconds):.0f} requests a second were sent to the server, of {plan.rate} that are "
        f"planned, as no more than {plan.workers} may wait for an answer at the same time. Lower mcp_load_rate and "
        "mcp_load_min_throughput, or use k6."
        if too_few and is_full
        else f"Only {found.rate(plan.seconds):.0f} requests a second were sent to the server, of {plan.rate} that are "
        "planned, though few waited for an answer: something else kept this machine busy. Run it again, from a machine "
        "with less to do."
        if too_few
        else ""
    )
    return [
        _errors(limits, found, starved),
        _p95(limits, calibrated, found, starved),
        _throughput(plan, limits, found, starved, is_slow),
    ]


def not_judged(why: str, limits: Limits) -> list[_results.Result]:
    """Return the results of the checks that nothing can be said of. why: a sentence."""
    return [
        _result(one, _results.CANNOT_MEASURE, f"The {NAMES[one]} could not be measured. {why}")
        for one in (ERRORS, P95, *([THROUGHPUT] if limits.min_throughput is not None else []))
    ]


def generator(plan: Plan, calibrated: Figures, seconds: float) -> _results.Result:
    """Return the result of the check of the generator."""
    if problem := generator_problem(plan, calibrated, seconds):
        return _result(GENERATOR, _results.CANNOT_MEASURE, problem)
    return _result(
        GENERATOR,
        _results.PASSED,
        f"The generator sends the planned {plan.rate} requests a second on this machine, with a p95 of "
        f"{calibrated.p95_ms:.1f} ms of its own.",
    )


def _errors(limits: Limits, found: Figures, starved: str) -> _results.Result:
    said = f"{found.failed} of {found.sent} requests failed ({found.error_percent:.2f} %)"
    theirs = found.failed - found.own
    # One of few is no share: it fails only where it would also if all others of a sound number had been good.
    if 100 * theirs >= limits.max_error_percent * max(found.sent - found.own, MIN_REQUESTS):
        return _result(
            ERRORS,
            _results.FAILED,
            f"{said}; the limit is {limits.max_error_percent:g} %. {_problems(found)}. Look at the server's log of "
            "that time (diagnose.yml), and at its memory and connections.",
        )
    if found.own:
        return _result(ERRORS, _results.CANNOT_MEASURE, f"{said}. {starved}")
    if found.sent < MIN_REQUESTS:
        why = starved or "The server is too slow for more: set a longer mcp_load_duration."
        return _result(
            ERRORS, _results.CANNOT_MEASURE, f"{said}. Only {found.sent} were sent, {MIN_REQUESTS} needed. {why}"
        )
    unread = (
        f" Of {found.unread} long answers only the HTTP status and the beginning were judged." if found.unread else ""
    )
    return _result(ERRORS, _results.PASSED, f"{said}; the limit is {limits.max_error_percent:g} %.{unread}")


def _p95(limits: Limits, calibrated: Figures, found: Figures, starved: str) -> _results.Result:
    said = f"The p95 of the latency is {found.p95_ms:.0f} ms; the limit is {limits.max_p95_ms:g} ms."
    if found.failed == found.sent:
        return _result(
            P95, _results.CANNOT_MEASURE, "No request was answered well, so that there is no latency to judge."
        )
    if calibrated.p95_ms > OWN_LATENCY * limits.max_p95_ms:
        return _result(
            P95,
            _results.CANNOT_MEASURE,
            f"The load generator itself has a p95 of {calibrated.p95_ms:.0f} ms on this machine, too near to the limit "
            f"of {limits.max_p95_ms:g} ms. Run it from a machine with less to do.",
        )
    if starved:
        return _result(P95, _results.CANNOT_MEASURE, f"{said} {starved}")
    if found.p95_ms >= limits.max_p95_ms:
        return _result(
            P95,
            _results.FAILED,
            f"{said} Look at what the server waits for (its database, its CPU limit), or give it more replicas.",
        )
    return _result(P95, _results.PASSED, said)


def _throughput(plan: Plan, limits: Limits, found: Figures, starved: str, is_slow: bool) -> _results.Result:
    goal = limits.min_throughput
    reached = found.throughput(plan.seconds)
    said = f"{reached:.0f} good answers a second came, of {found.rate(plan.seconds):.0f} requests a second"
    if goal is None:
        return _result(THROUGHPUT, _results.SKIPPED, f"{said}; no throughput is asked for (mcp_load_min_throughput).")
    if reached > goal:
        return _result(THROUGHPUT, _results.PASSED, f"{said}; more than {goal:g} are asked for.")
    if starved:
        return _result(THROUGHPUT, _results.CANNOT_MEASURE, f"{said}; more than {goal:g} are asked for. {starved}")
    why = (
        f"All {plan.workers} requests that may wait at the same time waited for the server, so that it is what is slow"
        if is_slow
        else f"{found.failed} requests failed"
        if found.failed
        else "The last answers were late"
    )
    return _result(
        THROUGHPUT,
        _results.FAILED,
        f"{said}; more than {goal:g} are asked for. {why}. Give the server more replicas or a higher CPU limit, or "
        "look at what it waits for.",
    )


def _problems(found: Figures) -> str:
    """Return the most frequent reasons, as a clause."""
    most = sorted(found.problems.items(), key=lambda one: (-one[1], one[0]))
    listed = [f"{count} requests: {reason}" for reason, count in most[:SHOWN]]
    others = sum(count for _reason, count in most[SHOWN:])
    return "; ".join([*listed, *([f"{others} requests: other reasons"] if others else [])])


def _result(check_id: str, verdict: str, message: str) -> _results.Result:
    return _results.result(check_id, NAMES[check_id], verdict, message)
