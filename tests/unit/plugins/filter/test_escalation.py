# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.filter.escalation import escalation

TREE = [
    {"when": "Deployment issues", "name": "Platform Engineering On-Call", "contact": "pager 1"},
    {"when": "Business impact", "name": "Engineering Director"},
    {"name": "Kim", "contact": "+1 555 0100"},
]


def test_lines():
    assert escalation(TREE) == [
        "1. Deployment issues: Platform Engineering On-Call (pager 1)",
        "2. Business impact: Engineering Director",
        "3. Kim (+1 555 0100)",
    ]
    assert escalation([]) == []


def test_of_one_kind():
    tree = [*TREE, {"kind": "customer", "name": "VP"}, {"kind": "deployment", "name": "Platform"}]
    assert escalation(tree, "customer") == [
        "1. Customer impact: VP",
        "2. Deployment issues: Platform Engineering On-Call (pager 1)",
        "3. Business impact: Engineering Director",
        "4. Kim (+1 555 0100)",
    ]
    assert escalation(tree, "") == escalation(tree)
    with pytest.raises(AnsibleFilterError, match="must be one of deployment, application, business, customer"):
        escalation(tree, "hardware")


@pytest.mark.parametrize("tree", [None, "Kim", {"name": "Kim"}, ["Kim"], [{"contact": "Kim"}]])
def test_no_tree(tree):
    with pytest.raises(AnsibleFilterError, match="mcp_escalation"):
        escalation(tree)
