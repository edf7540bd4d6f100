# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._validation import performance

LATENCY = {"gate": "latency", "unit": "s", "limit": 0.3, "reason": ""}
THROUGHPUT = {"gate": "throughput", "unit": "1/s", "limit": 1000.0, "reason": ""}


@pytest.mark.parametrize(
    ("gate", "found", "is_set", "verdict", "words"),
    [
        (LATENCY, ("pass", 0.12), False, None, "latency of pool green is 120 ms over 300 s, at most 300 ms wanted."),
        (LATENCY, ("breach", 0.41), False, Failure, "is 410 ms over 300 s, at most 300 ms wanted. Look at"),
        (LATENCY, ("no_data", None), False, CannotMeasure, "by a load test"),
        (LATENCY, ("cannot_measure", None), False, CannotMeasure, "by a load test"),
        (THROUGHPUT, ("pass", 1200.0), False, None, "is 1200.0 requests a second over 300 s, at least 1000.0"),
        (THROUGHPUT, ("breach", 20.0), False, CannotMeasure, "gets 20.0 requests a second of live traffic"),
        (THROUGHPUT, ("breach", 20.0), True, Failure, "is 20.0 requests a second"),
        (THROUGHPUT, ("no_data", None), True, CannotMeasure, "by a load test"),
    ],
)
def test_what_live_traffic_tells(
    gate: t.Any, found: t.Any, is_set: bool, verdict: type[Failure] | None, words: str
) -> None:
    one = {**gate, "verdict": found[0], "value": found[1]}
    if verdict is None:
        assert words in performance.judged("green", one, 300, is_set=is_set)
        return
    with pytest.raises(Failure) as failed:
        performance.judged("green", one, 300, is_set=is_set)
    assert failed.type is verdict and words in failed.value.msg
