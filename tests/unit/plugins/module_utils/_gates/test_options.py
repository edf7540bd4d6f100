# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BELOW, Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.options import custom_query, gates
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import SHIFT, TRIGGERS, VALIDATION, of_sets
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def changed(**changes):
    return {gate.name: gate for gate in gates(TRIGGERS, changes, "triggers")}


def test_the_guides_numbers():
    assert {name: (gate.limit, gate.window) for name, gate in changed().items()} == {
        "errors": (5.0, 120),
        "latency": (0.5, 300),
        "database": (10.0, 60),
        "memory": (90.0, 180),
        "error_burst": (25.0, 5),
    }


def test_changes_by_name():
    found = changed(
        errors={"limit": "2", "window": 30, "min_requests": 5, "no_data": "fail"}, error_burst={"enabled": False}
    )
    errors = found["errors"]
    assert (errors.limit, errors.window, errors.min_requests, errors.measure) == (2.0, 30.0, 5, "errors")
    assert (errors.no_data, errors.cannot_measure) == ("fail", "inconclusive")
    assert "error_burst" not in found


def test_a_change_is_one_of_each_gate_with_that_name():
    changes = {"errors": {"limit": 2}, "latency": {"enabled": False}, "queue": {"query": "queue", "limit": 10}}
    found = gates(of_sets(["triggers", "shift", "validation", "shift"]), changes, "gates")
    assert [(gate.name, gate.limit, gate.window) for gate in found if gate.name in ("errors", "latency", "queue")] == [
        ("errors", 2.0, 120),
        ("errors", 2.0, None),
        ("queue", 10.0, None),
    ]
    assert len(found) == len(TRIGGERS) + len(SHIFT) + len(VALIDATION) - 2 + 1


def test_a_name_that_none_of_the_sets_has():
    known = "errors, latency, database, memory, error_burst, latency_rise, mcp_errors, lost_sessions"
    with pytest.raises(Failure, match=f"gates.throughput is none of {known}: "):
        gates(of_sets(["triggers", "shift"]), {"throughput": {"limit": 5}}, "gates")


def test_a_custom_gate():
    found = changed(
        queue={
            "query": 'max(queue{pod=~"$deployment-.*", pool="$pool"})',
            "limit": 10,
            "direction": "below",
            "window": 60,
        }
    )
    assert found["queue"] == Gate(
        "queue",
        "",
        10.0,
        unit="",
        query='max(queue{pod=~"$deployment-.*", pool="$pool"})',
        direction=BELOW,
        window=60.0,
    )
    assert (
        custom_query(found["queue"], {"deployment": "mcp-green", "pool": "green"})
        == 'max(queue{pod=~"mcp-green-.*", pool="green"})'
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"errors": 5}, "triggers.errors is 5: it must be a dictionary"),
        ({"errors": {"treshold": 5}}, "triggers.errors: .*treshold"),
        ({"errors": {"no_data": "ignore"}}, "triggers.errors: .*inconclusive, pass, fail"),
        (
            {"queue": {"limit": 5}},
            "triggers.queue is none of errors, latency, database, memory, error_burst: "
            "a gate of your own needs query and limit",
        ),
        ({"errors": {"window": 0}}, "window is 0: it must be more than 0"),
        ({"errors": {"clear": 7}}, "clear is 7: it must not be on the bad side of the limit, 5"),
        ({"latency": {"clear": 0.4}}, "clear can't be set"),
        ({"errors": {"min_requests": -1}}, "min_requests is -1"),
    ],
)
def test_bad_input(changes, words):
    with pytest.raises(Failure, match=words):
        changed(**changes)
