# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

from ansible_collections.mcp.server.plugins.module_utils._diagnose import throttling
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series


def test_the_query_is_of_one_namespace_whatever_its_name() -> None:
    query = throttling.query('prod"} or vector(1) #')
    assert query.count('{namespace="prod\\"} or vector(1) #", container!="", container!="POD"}[600s]') == 2
    assert "container_cpu_cfs_throttled_periods_total" in query.partition(" / ")[0]
    assert "container_cpu_cfs_periods_total" in query.partition(" / ")[2]


def test_the_newest_share_of_each_pod_counts() -> None:
    found = [
        Series({"pod": "a"}, [(1.0, 0.1), (2.0, 0.5)]),
        Series({"pod": "b"}, [(1.0, math.nan)]),  # no periods at all
        Series({"pod": "c"}, []),
        Series({}, [(1.0, 0.9)]),
    ]
    assert throttling.shares(found) == {"a": 0.5}
