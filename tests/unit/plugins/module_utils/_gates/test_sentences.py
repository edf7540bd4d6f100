# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BELOW,
    BREACH,
    CANNOT_MEASURE,
    NO_DATA,
    PASS,
    Gate,
    Verdict,
)

ERRORS, REQUESTS = Gate("errors", "errors", 5.0), Gate("requests", "", 5.0, "", direction=BELOW)


@pytest.mark.parametrize(
    ("which", "name", "says"),
    [
        ("triggers", "errors", "errors: at most 5 %, or the traffic goes back after 120 s"),
        ("triggers", "latency", "latency: at most 500 ms, or the traffic goes back after 300 s"),
        ("shift", "errors", "errors: at most 1 % over the step"),
        ("shift", "latency_rise", "latency_rise: at most 5 % more than the live pool over the step"),
        ("validation", "throughput", "throughput: at least 1000 1/s over the step"),
    ],
)
def test_describe_gate(which: str, name: str, says: str) -> None:
    (gate,) = [gate for gate in thresholds.SETS[which] if gate.name == name]
    assert evaluate.describe_gate(gate) == says


@pytest.mark.parametrize(
    ("unit", "value", "limit", "shown", "shown_limit"),
    [
        ("%", 1.25, 5.0, "1.2 %", "5 %"),
        ("%", None, 0.5, "nothing", "0.5 %"),
        ("s", 0.1234, 0.5, "123 ms", "500 ms"),
        ("s", 2.5, 2.0, "2500 ms", "2000 ms"),
        ("1/s", 999.96, 1000.0, "1000.0 1/s", "1000 1/s"),
        ("MiB", 3.0, 1.5, "3.0 MiB", "1.5 MiB"),
        ("", 3.0, 1.0, "3.0", "1"),
    ],
)
def test_values_have_their_unit(unit: str, value: float | None, limit: float, shown: str, shown_limit: str) -> None:
    gate = Gate("own", "", limit, unit)
    assert (evaluate.format_value(value, gate), evaluate.format_limit(gate)) == (shown, shown_limit)


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict(ERRORS, PASS, 0.5, requests=200), "errors: pass, 0.5 % of 200 requests, limit 5 %"),
        (Verdict(ERRORS, PASS, 7.0, 25.4), "errors: pass, 7.0 %, limit 5 %, above the limit for 25 s"),
        (Verdict(ERRORS, NO_DATA, reason="few"), "errors: no data, nothing, limit 5 % (few)"),
        (Verdict(REQUESTS, BREACH, 1.0, 9.0), "requests: breach, 1.0, limit 5, below the limit for 9 s"),
    ],
)
def test_describe_verdict(verdict: Verdict, line: str) -> None:
    assert evaluate.describe_verdict(verdict) == line


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ([], ""),
        ([Verdict(ERRORS, PASS, 1.0)], ""),
        (
            [Verdict(ERRORS, NO_DATA, 1.0, reason="few."), Verdict(REQUESTS, BREACH, 1.0, reason="bad")],
            "requests breach (1.0): bad; errors no data: few",
        ),
        (
            [
                Verdict(ERRORS, CANNOT_MEASURE, reason="It is away."),
                Verdict(REQUESTS, CANNOT_MEASURE, reason="It is away"),
            ],
            "errors, requests cannot measure: It is away",
        ),
        # A policy makes a breach of what has no value.
        ([Verdict(replace(ERRORS, no_data="fail"), NO_DATA, reason="few")], "errors no data: few"),
        ([Verdict(replace(ERRORS, no_data="pass"), NO_DATA, reason="few")], ""),
    ],
)
def test_reasons(verdicts: list[Verdict], says: str) -> None:
    assert evaluate.reasons(verdicts) == says


@pytest.mark.parametrize(
    ("seconds", "whole", "percent"), [(30, 60, 50), (60, 60, 100), (61, 60, 100), (0, 60, 0), (1, 0, 0), (1, -1, 0)]
)
def test_coverage_is_a_part(seconds: float, whole: float, percent: float) -> None:
    """Samples before and after a period may cover more than all of it."""
    assert evaluate._percent(seconds, whole) == percent
