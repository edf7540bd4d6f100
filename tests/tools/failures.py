# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a job failed, in a few lines of its log: for the end of a long output, where people and CI look first. Pure."""

from __future__ import annotations

import re

MOST, WIDTH, LAST = 8, 300, 3
TEST = re.compile(r"\S+::\S+.* (FAILED|ERROR)\b|^(FAILED|ERROR) \S")  # as pytest names it
REASON = re.compile(r"^E {3}")

SECOND_TRY = "--- Second try of what failed ---"  # as tests/integration/pytest.sh writes it


def first_try(log: str) -> str:
    """Return what the log has before a second try; empty when there was none."""
    before, found, _after = log.partition(SECOND_TRY)
    return before if found else ""


def reasons(log: str) -> list[str]:
    """Return the tests that failed and the first line of each reason; without tests, the last lines of the log."""
    lines = log.splitlines()
    tests = [line for line in lines if TEST.search(line)]
    first = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if REASON.match(line) and not REASON.match(before)
    ]
    found = [*tests[:MOST], *dict.fromkeys(first)][: 2 * MOST] or [line for line in lines if line.strip()][-LAST:]
    return [line.strip()[:WIDTH] for line in found]
