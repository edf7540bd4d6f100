# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.filter import unwatched_triggers
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import TRIGGERS


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, yaml.safe_load(unwatched_triggers.RETURN)["_value"]["sample"]),
        (None, "these triggers are not watched: latency, database, memory."),
        ({"memory": {"enabled": False}}, "these triggers are not watched: latency, database."),
        ({"mine": {"query": "up", "limit": "1"}}, "these triggers are not watched: latency, database, memory, mine."),
        ({name: {"enabled": False} for name in ("latency", "database", "memory")}, ""),
        (
            {name: {"enabled": False} for name in ("errors", "error_burst")},
            "these triggers are not watched: latency, database, memory.",
        ),
    ],
)
def test_which_triggers_nobody_watches(changes, says):
    said = unwatched_triggers.unwatched_triggers(changes)
    assert says in said and bool(said) == bool(says)


def test_none_of_the_guides_is_forgotten():
    said = unwatched_triggers.unwatched_triggers({})
    assert all(gate.name in said for gate in TRIGGERS)


def test_changes_that_make_no_sense():
    with pytest.raises(AnsibleFilterError, match="triggers.latency is 7"):
        unwatched_triggers.unwatched_triggers({"latency": 7})
