# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._drill import last


@pytest.mark.parametrize("text", [None, "", "{", "[]", "[" * 100_000, '{"at": 7}', '{"at": "soon", "passed": true}'])
def test_what_somebody_broke_is_no_drill(text):
    assert last.parse(text) == {"at": None, "passed": None}


def test_day_and_outcome():
    assert last.parse('{"at": "2026-11-27T06:00:00.5Z", "passed": true}') == {
        "at": "2026-11-27T06:00:00Z",
        "passed": True,
    }
    assert last.parse('{"at": "2026-11-27T06:00:00Z"}')["passed"] is False
