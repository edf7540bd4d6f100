# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from accounting import Span, idle, table


def test_the_table():
    spans = [Span("unit", "passed", 61, 228.4, 100, 200, 90), Span("copy", "FAILED", 0, 2, 1)]
    header, *lines = table(spans, Span("all", "FAILED", 0, 300, 150), 2)
    assert header.split() == ["where", "the", "time", "went", "start", "took", "before", "idle", "CPU", "own", "CPU"]
    assert [line.split() for line in lines] == [
        ["copy", "FAILED", "0:00", "2", "s", "1", "s", "0", "s"],
        ["unit", "passed", "1:01", "228", "s", "200", "s", "100", "s", "90", "s"],
        ["all", "FAILED", "5:00", "230", "s", "150", "s,", "25", "%", "of", "2", "cores;", "own", "CPU", "90", "s"],
    ]


def test_idle_time_grows_no_faster_than_all_cores():
    import os

    start, before = time.monotonic(), idle()
    time.sleep(0.2)
    assert 0 <= idle() - before <= (time.monotonic() - start + 0.1) * (os.cpu_count() or 1)
