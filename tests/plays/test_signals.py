# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a task in the controller's process when its play is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest


def wait_for(log, word):
    deadline = time.monotonic() + 20
    while not (log.exists() and word in log.read_text()):
        assert time.monotonic() < deadline, f"no {word}"
        time.sleep(0.02)


@pytest.fixture
def running(play, tmp_path):
    """Return a function that starts the play and returns it once its task runs, with the task's log."""
    started = []

    def start(options=None, keywords=None, **environment):
        log = tmp_path / "log"
        process = play([{"stoppable": {"log": str(log), **(options or {})}, **(keywords or {})}], **environment)
        started.append(process)
        wait_for(log, "asks")
        return process, log

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 99), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)]
)
def test_a_stopped_play_waits_for_its_task(running, number, code):
    process, log = running()
    os.killpg(process.pid, number)
    time.sleep(0.2)
    os.killpg(process.pid, number)  # impatience
    output, _errors = process.communicate(timeout=3)
    assert process.returncode == code, output
    assert log.read_text().splitlines()[-1] == f"cleaned up after {number.name}"
    assert f"[localhost] stoppable was stopped by {number.name}. It is paused." in output
    assert "Traceback" not in output


def test_a_killed_play_writes_nothing_more(running):
    process, log = running()
    process.kill()
    process.wait()
    time.sleep(0.3)
    before = log.read_text()
    time.sleep(0.7)
    assert log.read_text() == before and "cleaned" not in before


def test_a_worker_that_is_stopped_alone_fails(running):
    process, log = running()
    os.kill(int(log.read_text().split()[1]), signal.SIGTERM)
    output, _errors = process.communicate(timeout=5)
    assert process.returncode == 2, output
    assert "cleaned up after SIGTERM" in log.read_text()
    assert "stoppable was stopped by SIGTERM. It is paused." in output.rpartition("fatal: ")[2]
    assert "Traceback" not in output


@pytest.mark.parametrize(("keywords", "environment"), [({}, {"ANSIBLE_TASK_TIMEOUT": "1"}), ({"timeout": 1}, {})])
def test_a_timeout_does_not_end_what_has_its_own(running, keywords, environment):
    process, _worker = running({"seconds": 1.5}, keywords, **environment)
    output, _errors = process.communicate(timeout=10)
    assert process.returncode == 0, output
    assert "The timeout of 1 s does not end stoppable, which has its own time limits." in output.replace("\n", " ")
