# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a soak keeps of each run of a commit."""

from __future__ import annotations

import pytest
import soak_results
from accounting import Span


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(soak_results.venv, "CACHE", tmp_path)
    return soak_results.Results("0123456789abcdef", "7")


@pytest.fixture
def log(tmp_path):
    (tmp_path / "log").write_text("figures\n")
    return tmp_path / "log"


def test_it_is_put_together_from_several_runs(results, log):
    assert results.passed() == {} and results.lines()[-1] == f"Not yet: {', '.join(soak_results.LONG)}"
    for name in soak_results.LONG:
        results.keep(Span(name, "passed", 0, 61.2, 0), log)
    assert list(results.passed()) == sorted(soak_results.LONG)
    assert results.lines()[-1] == "The whole soak has passed for this commit."
    assert (results.folder / "load.log").read_text() == "figures\n"


def test_the_newest_result_counts_and_a_failure_does_not_pass(results, log):
    results.keep(Span("load", "passed", 0, 60, 0), log)
    results.keep(Span("load", "FAILED", 0, 60, 0), log)
    results.keep(Span("sandbox", "passed", 0, 60, 0), log)
    assert results.passed() == {} and "load" in results.lines()[-1]


def test_another_commit_has_none_of_it(results, log):
    results.keep(Span("load", "passed", 0, 60, 0), log)
    assert soak_results.Results("fedcba9876543210", "7").passed() == {}
