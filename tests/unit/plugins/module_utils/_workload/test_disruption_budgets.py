# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._workload.disruption_budgets import (
    covers,
    min_available,
    strictest,
)

LABELS = {"app": "mcp", "pool": "green"}


def budget(selector=None, name="pdb", **spec):
    return {"metadata": {"name": name}, "spec": {**spec, **({} if selector is None else {"selector": selector})}}


@pytest.mark.parametrize(
    ("spec", "planned", "asked"),
    [
        ({"minAvailable": 2}, 3, 2),
        ({"minAvailable": 5}, 3, 5),
        ({"minAvailable": "50%"}, 3, 2),  # rounded up
        ({"minAvailable": "0%"}, 3, 0),
        ({"minAvailable": 0}, 3, 0),
        ({"maxUnavailable": 1}, 3, 2),
        ({"maxUnavailable": 5}, 3, 0),
        ({"maxUnavailable": "50%"}, 3, 1),  # of what may be away, rounded up
        ({}, 3, 0),
    ],
)
def test_least(spec, planned, asked):
    assert min_available(budget(**spec), planned) == asked


@pytest.mark.parametrize(
    ("selector", "covered"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"app": "mcp"}}, True),
        ({"matchLabels": {"app": "mcp", "pool": "blue"}}, False),
        ({"matchExpressions": [{"key": "pool", "operator": "In", "values": ["blue", "green"]}]}, True),
        ({"matchExpressions": [{"key": "pool", "operator": "NotIn", "values": ["green"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
        ({"matchLabels": {"app": "mcp"}, "matchExpressions": [{"key": "pool", "operator": "Exists"}]}, True),
    ],
)
def test_covers(selector, covered):
    assert covers(budget(selector), LABELS) is covered


def test_strictest():
    budgets = [
        budget({}, "a", minAvailable=1),
        budget({}, "b", minAvailable="100%"),
        budget({"matchLabels": {"app": "x"}}, "c", minAvailable=9),
    ]
    assert strictest(budgets, LABELS, 3) == (3, "b")
    assert strictest([], LABELS, 3) == (0, "")
