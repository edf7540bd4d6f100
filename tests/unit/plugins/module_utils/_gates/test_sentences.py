# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, thresholds


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
def test_what_a_gate_asks_for(which: str, name: str, says: str) -> None:
    (gate,) = [gate for gate in thresholds.SETS[which] if gate.name == name]
    assert evaluate.sentence(gate) == says
