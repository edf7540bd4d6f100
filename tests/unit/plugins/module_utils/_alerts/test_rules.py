# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._alerts import rules
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC).timestamp()
GOOD = {"name": "Errors", "type": "alerting", "health": "ok", "lastEvaluation": "2026-11-28T01:59:30.536441446Z"}


def judged(*found: dict[str, t.Any], interval: t.Any = 15, wanted: t.Sequence[str] = ("Errors",)) -> str:
    return rules.judged([{"name": "mcp", "interval": interval, "rules": list(found)}], wanted, NOW)


def test_rules_that_are_evaluated_pass() -> None:
    assert judged(GOOD) == "Prometheus evaluates the rules of all 1 alerts (Errors)."
    assert judged(GOOD, {**GOOD, "name": "Other", "health": "err"})  # nobody asked for that one


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({**GOOD, "name": "Other"}, "Errors not loaded"),
        ({**GOOD, "type": "recording"}, "Errors not loaded"),
        ({**GOOD, "health": "err", "lastError": "many-to-many matching.\n"}, "with an error: many-to-many matching"),
        ({**GOOD, "health": "err", "lastError": "password=hunter22"}, r"with an error: password=\*\*\*\*"),
        ({**GOOD, "health": "unknown"}, "not evaluated yet"),
        ({**GOOD, "lastEvaluation": "0001-01-01T00:00:00Z"}, "not evaluated yet"),
        ({**GOOD, "lastEvaluation": None}, "not evaluated yet"),
        ({**GOOD, "lastEvaluation": "2026-11-28T01:50:00Z"}, "evaluated last 10 min 0 s ago"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(rule: dict[str, t.Any], why: str) -> None:
    with pytest.raises(Failure, match=why) as failed:
        judged(rule)
    assert failed.value.msg.isprintable() and "Load the file" in failed.value.msg


def test_a_long_interval_allows_an_old_evaluation() -> None:
    old = {**GOOD, "lastEvaluation": "2026-11-28T01:50:00Z"}
    assert judged(old, interval=300)
    with pytest.raises(Failure, match="evaluated last"):
        judged(old, interval="soon")


def test_one_of_two_rules_of_a_name_is_enough_to_fail() -> None:
    with pytest.raises(Failure, match="not evaluated yet"):
        judged(GOOD, {**GOOD, "health": "unknown"})
    with pytest.raises(Failure, match="Of 3 alerts, Prometheus has A, B not loaded; Errors"):
        judged({**GOOD, "health": "err"}, wanted=("A", "B", "Errors"))
