# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's four triggers with windows at the guide's full length; the target triggers has them shorter."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from breaching import NO_BURSTS, faults, judge_taken_back, needs_admin, needs_prometheus, release
from playing import blue_again, clients
from soaking import soak

pytestmark = [soak, needs_prometheus, needs_admin]

# Longer than any of them: the breach ends it.
STEPS = [{"weight": 10, "seconds": 600}, {"weight": 100, "seconds": 1}]


@pytest.fixture(autouse=True)
def start() -> t.Iterator[None]:
    blue_again()
    yield
    blue_again()


@pytest.mark.parametrize(
    ("version", "trigger", "window", "fault", "options"),
    [
        ("v1.2.1-errors-late", "errors", 120, {"FAULT_AFTER": "40"}, {}),
        ("v1.2.1-slow", "latency", 300, {}, {}),
        ("v1.2.1-database-late", "database", 60, {"FAULT_AFTER": "40"}, {}),
        # Past a lower limit, so that the window is full before the pod is killed at its own limit.
        ("v1.2.1-leak", "memory", 180, {"FAULT_MIB_PER_SECOND": "0.5"}, {"limit": 45}),
    ],
)
def test_a_trigger_takes_back(
    version: str, trigger: str, window: int, fault: dict[str, str], options: dict[str, t.Any], tmp_path: Path
) -> None:
    triggers = {trigger: options} if options else {}
    with faults(**fault), clients(tmp_path, 60, seconds=1200) as seen:
        code, output = release(version, triggers, STEPS, seconds=700, **NO_BURSTS)
    assert code != 0, output
    judge_taken_back(output, trigger, version, seen, window)
