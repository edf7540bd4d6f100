# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation

ONCALL = {"name": "on-call"}
LEVELS = [{"kind": kind, "name": kind} for kind in escalation.KINDS]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ({"module": "mcp.server.mcp_preflight", "evidence": {"checks": []}}, "deployment"),
        ({"module": "mcp.server.mcp_version_check"}, "deployment"),
        ({"module": "mcp.server.mcp_rollout", "evidence": {"pods": []}}, "deployment"),
        ({"module": "ansible.builtin.command"}, "deployment"),
        ({}, "deployment"),
        ({"module": "mcp_health"}, "application"),
        ({"module": "mcp.server.mcp_health"}, "application"),
        ({"module": "mcp.server.mcp_contract"}, "application"),
        ({"module": "mcp.server.mcp_watch", "evidence": {"verdict": "breach"}}, "application"),
        (
            {"module": "mcp.server.mcp_watch", "evidence": {"verdict": "inconclusive", "inconclusive": True}},
            "deployment",
        ),
        ({"evidence": {"verdict": "breach"}}, "application"),
        ({"evidence": {"checks": [{"name": "mine"}]}}, "application"),
        ({"evidence": {"healthy": False}}, "application"),
        ({"answers_failed": True}, "application"),
        ({"rollback_failed": True, "evidence": {"verdict": "breach"}}, "business"),
        ({"rollback_failed": True, "failed_percent": 5.0}, "business"),
        ({"rollback_failed": True, "failed_percent": 5.1}, "customer"),
        ({"module": "mcp.server.mcp_watch", "failed_percent": 100.0}, "customer"),
        ({"failed_percent": 0.0}, "deployment"),
    ],
)
def test_the_kind_of_a_failure(failure, kind):
    assert escalation.kind_of(**failure) == kind


@pytest.mark.parametrize(
    ("found", "percent"),
    [
        ({"requests": 40, "failed_requests": 3}, 7.5),
        ({"requests": 40, "failed_requests": 0}, 0.0),
        ({"requests": 0, "failed_requests": 0}, None),
        ({"msg": "endpoint is missing"}, None),
    ],
)
def test_how_many_answers_of_a_watch_failed(found, percent):
    assert escalation.failed_percent(found) == percent


@pytest.mark.parametrize(
    ("tree", "kind", "names"),
    [
        (LEVELS, None, ["deployment", "application", "business", "customer"]),
        (LEVELS, "deployment", ["deployment", "application", "business", "customer"]),
        (LEVELS, "application", ["application", "business", "customer"]),
        (LEVELS, "customer", ["customer"]),
        ([*reversed(LEVELS)], "business", ["business", "customer"]),
        ([ONCALL, *LEVELS], "application", ["application", "on-call", "business", "customer"]),
        ([ONCALL, LEVELS[1]], "deployment", ["on-call", "application"]),
        # Somebody must be called.
        (LEVELS[:1], "customer", ["deployment"]),
        ([], "customer", []),
        ([ONCALL], "business", ["on-call"]),
    ],
)
def test_who_is_called(tree, kind, names):
    assert [one["name"] for one in escalation.chosen(tree, kind)] == names


def test_a_line_says_what_for():
    assert escalation.lines([{"kind": "customer", "name": "VP", "contact": "pager"}, ONCALL], "customer") == [
        "1. Customer impact: VP (pager)",
        "2. on-call",
    ]
    assert escalation.lines([{"kind": "customer", "when": "Clients get errors", "name": "VP"}]) == [
        "1. Clients get errors: VP"
    ]
