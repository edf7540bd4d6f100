# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that pass, fail, can't be tried, and wait for each other."""

from __future__ import annotations

import subprocess
import threading
import venv

import failures
import pytest
import runner
from jobs import Job


class Work:
    """Does nothing but what the name of a job says. did: in which order."""

    def __init__(self, servers: int = 0) -> None:
        self.servers = servers
        self.did: list[str] = []

    def lanes(self) -> int:
        return self.servers

    def do(self, one, log) -> None:
        self.did.append(one.job.name)
        log.write(f"doing {one.job.name}\n")
        if one.job.name == "again":
            log.write(f"t.py::test_x FAILED\nE   too late\n{failures.SECOND_TRY}\nt.py::test_x PASSED\n")
        if one.job.name == "full":
            raise OSError(28, "No space left on device")
        if one.job.name.startswith("bad"):
            raise subprocess.CalledProcessError(1, ["false"])
        if one.job.name == "old":
            raise venv.NoPython("no Python 3.13")


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "LOGS", tmp_path)
    monkeypatch.setattr(runner, "STOPPED", threading.Event())

    def run(*jobs: Job, work: Work | None = None) -> tuple[runner.Runner, list[str]]:
        ended: list[str] = []
        one = runner.Runner(
            "test", jobs, work or Work(), lambda span, _log: ended.append(f"{span.name} {span.outcome}")
        )
        one.run()
        return one, ended

    return run


def test_all_pass(run):
    one, ended = run(Job("a", 1), Job("b", 2))
    assert sorted(ended) == ["a passed", "b passed"] and one.failed == []
    assert one.closing_line() == "2 passed, 0 failed, 0 skipped"
    assert [line.split()[:2] for line in one.table()[1:]][-1] == ["all", "passed"] and len(one.table()) == 4


def test_what_passes_at_its_second_try_is_named(run):
    one, _ended = run(Job("a", 1), Job("again", 2))
    assert one.failed == [] and one.closing_line() == "2 passed, 0 failed, 0 skipped"
    assert one.second_tries() == ["again passed at its second try only:", "  t.py::test_x FAILED", "  E   too late"]


def test_a_failure_shows_the_end_of_its_log_and_what_needs_it_is_not_tried(run, capsys):
    work = Work()
    one, ended = run(
        Job("bad", 1), Job("after", 9, after=("bad",)), Job("last", 9, after=("after",)), Job("good", 1), work=work
    )
    assert sorted(work.did) == ["bad", "good"] and sorted(one.failed) == ["after", "bad", "last"]
    assert one.closing_line() == "1 passed, 3 failed, 0 skipped"
    shown = capsys.readouterr().out
    assert "doing bad" in shown and "after: FAILED, as bad did" in shown and "because of the machine" not in shown


def test_a_machine_at_fault_is_one_sentence(run, capsys):
    run(Job("full", 1))
    assert "full failed because of the machine: the disk is full: free some space." in capsys.readouterr().out


def test_what_can_not_be_tried_here_is_skipped_with_its_reason(run, capsys):
    one, _ended = run(Job("old", 1))
    assert (
        one.closing_line() == "0 passed, 0 failed, 1 skipped"
        and "old: skipped in 0 s, no Python 3.13" in capsys.readouterr().out
    )


def test_a_target_without_a_server_says_what_to_do(run):
    with pytest.raises(SystemExit, match="There is no server for a: run make sandbox first"):
        run(Job("a", 1, lane=-1))
