# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import servers


def test_the_page_is_current():
    assert servers.PAGE.read_text() == servers.page(), "run tests/tools/servers.py"


def test_every_server_was_released_without_a_failed_request():
    found = json.loads(servers.measured.FILE.read_text())
    assert found.keys() == servers.servers().keys()
    assert [name for name, row in found.items() if row["failed"]] == []


def test_no_session_was_lost_but_those_open_at_a_switch():
    for name, row in json.loads(servers.measured.FILE.read_text()).items():
        known = servers.servers()[name]
        if known.any_id or not known.stateful:
            assert row["lost"] == row["outdated"] == 0, name
            continue
        assert row["left"].keys() == {"blue", "green"}, name
        ways = list(row["left"].values())
        assert sum(one.get("lost", 0) for one in ways) == row["lost"], name
        assert sum(one.get("outdated", 0) for one in ways) == row["outdated"], name
        assert all(sum(one.get(way, 0) for way in ("lost", "outdated", "ended", "between")) <= 10 for one in ways), name


def test_three_of_them_are_in_the_short_test():
    assert sum(server.short for server in servers.servers().values()) == 3
