# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.filter.check_problems import check_problems


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ([], ""),
        ([{"name": "a", "command": {"argv": ["true"]}, "timeout": "5"}], ""),
        ([{"name": "a"}], "mcp, http, pod, command"),
        ([{"name": "a", "comand": {}}], "comand"),
        ([{"name": "a", "command": {"argv": []}}], "argv"),
        ([{"name": "a", "command": {"argv": ["true"]}, "timeout": 0}], "timeout"),
        ("none", "dict"),
    ],
)
def test_problems(checks, words):
    found = check_problems(checks)
    assert bool(found) == bool(words) and words in " ".join(found)
