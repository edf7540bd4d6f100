# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage, retry
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unanswered
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost


class Clock:
    """Of the test's own sleeps only: servers of other tests may still be ending in their threads."""

    def __init__(self):
        self._thread, self._sleep = threading.current_thread(), time.sleep
        self.now, self.pauses = 0.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        if threading.current_thread() is not self._thread:
            self._sleep(seconds)
            return
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    return clock


def failing(*failures):
    """An attempt that ends so, one after the other, and then well."""
    left = list(failures)

    def attempt():
        if left:
            raise left.pop(0)
        return "done"

    return attempt


CONFLICT, UNANSWERED = Conflict("Conflict, modified by another client: x."), Unanswered("No answer.")


@pytest.mark.parametrize(
    ("conflicts", "patience", "through"),
    [(0, 0, True), (4, 0, True), (5, 0, False), (5, 0.1, False), (5, 2, True), (30, 30, True), (40, 30, False)],
)
def test_for_as_long_as_the_patience_lasts(clock, conflicts, patience, through):
    attempt = failing(*conflicts * [CONFLICT])
    if through:
        assert retry.on_conflict(attempt, patience) == "done" and len(clock.pauses) == conflicts
    else:
        with pytest.raises(Conflict):
            retry.on_conflict(attempt, patience)
        assert len(clock.pauses) + 1 >= retry.MIN_ATTEMPTS and clock.now <= max(patience + retry.LONGEST, 1)
    assert clock.pauses == sorted(clock.pauses) and max(clock.pauses, default=0) <= retry.LONGEST


def test_what_ended_an_attempt_is_handed_on(clock):
    seen = []
    assert retry.on_conflict(failing(CONFLICT, UNANSWERED), 0, seen.append) == "done"
    assert seen == [CONFLICT, UNANSWERED]


@pytest.mark.parametrize("failure", [Failure("no"), LeaseLost("another run")])
def test_anything_else_ends_it(clock, failure):
    with pytest.raises(type(failure)):
        retry.on_conflict(failing(CONFLICT, failure, CONFLICT), 60)
    assert len(clock.pauses) == 1


def test_a_long_wait_is_told(clock):
    lines = []
    with outage.waiting(outage.Waiting(lines.append)):
        retry.on_conflict(failing(*12 * [CONFLICT]), 60)
    assert lines == ["Conflict, modified by another client: x; trying again, 6 of 60 s"]
