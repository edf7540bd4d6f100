# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._results import (
    CANNOT_MEASURE,
    FAILED,
    PASSED,
    SKIPPED,
    CannotMeasure,
    Skipped,
    Warns,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def raising(error: Exception) -> t.Callable[[], str]:
    def check() -> str:
        raise error

    return check


@pytest.mark.parametrize(
    ("check", "verdict", "message"),
    [
        (lambda: "All is well.", PASSED, "All is well."),
        (raising(Failure("It is away: start it.")), FAILED, "It is away: start it."),
        (raising(CannotMeasure("No tool: install one.")), CANNOT_MEASURE, "No tool: install one."),
        (raising(Skipped("None is configured.")), SKIPPED, "None is configured."),
        (raising(KeyError("spec")), FAILED, 'Check "nodes" cannot read an answer.'),
        # What nobody foresaw must not take the rows of the other checks with it.
        (raising(RecursionError("deep")), FAILED, 'Check "nodes" cannot read an answer.'),
        (raising(OverflowError("inf")), FAILED, 'Check "nodes" cannot read an answer.'),
    ],
)
def test_each_end_of_a_check_is_a_verdict(check: t.Callable[[], str], verdict: str, message: str) -> None:
    found = _results.made("nodes", "nodes", check)
    assert found["verdict"] == verdict and found["message"].startswith(message)
    assert found["ok"] == (verdict in (PASSED, SKIPPED)) and found["skipped"] == (verdict == SKIPPED)
    assert found["seconds"] >= 0 and found["required"]
    assert bool(_results.problems([found])) == (verdict in (FAILED, CANNOT_MEASURE))


def test_what_a_release_can_go_on_with_is_a_warning() -> None:
    found = _results.made("nodes", "nodes", raising(Warns("1 of 9 nodes are not Ready: repair it.")))
    assert (found["verdict"], found["required"], found["ok"]) == (FAILED, False, False)
    assert _results.word(found) == "warning" and not _results.problems([found])


def test_a_sentence_by_which_several_checks_fail_is_said_once() -> None:
    same = [_results.result(one, one, FAILED, "The image is missing: push it.") for one in ("registry", "platform")]
    assert _results.problems(same) == ["The image is missing: push it."]


def test_the_table_has_a_row_for_each_check_in_their_order() -> None:
    results = [
        _results.result("a", "nodes", PASSED, "All 2 nodes are Ready.", seconds=0.04),
        _results.result("b", "load", CANNOT_MEASURE, "No load tool: set one."),
        _results.result("c", "Vault", FAILED, "Vault is\nsealed: unseal it.", seconds=1.26),
        _results.result("d", "webhooks", FAILED, "Webhook 1 is away.", required=False),
        _results.result("e", "guard", SKIPPED, "No guard is configured."),
    ]
    assert _results.lines("Pre-flight of mcp-server", results) == [
        "Pre-flight of mcp-server",
        "  ok              nodes     0.0 s  All 2 nodes are Ready.",
        "  cannot measure  load      0.0 s  No load tool: set one.",
        "  FAILED          Vault     1.3 s  Vault is sealed: unseal it.",
        "  warning         webhooks  0.0 s  Webhook 1 is away.",
        "  skipped         guard     0.0 s  No guard is configured.",
        "  5 checks: 1 FAILED, 1 cannot measure, 1 warning, 1 skipped, 1 ok",
    ]
    assert _results.problems(results) == ["No load tool: set one.", "Vault is\nsealed: unseal it."]


def test_no_check_at_all_has_a_table_too() -> None:
    assert _results.lines("Checks", []) == ["Checks", "  0 checks: none"]


def test_one_cause_of_two_failures_is_told_once():
    image, platform = (_results.result(one, one, _results.FAILED, "Push it.") for one in ("registry", "platform"))
    assert _results.problems([image, platform]) == ["Push it."]
