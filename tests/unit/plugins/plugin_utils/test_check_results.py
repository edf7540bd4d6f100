# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import check_results

GOOD = _results.result("a", "a", _results.PASSED, "Good.")
BAD = _results.result("b", "b", _results.FAILED, "Bad: mend it.")
WARNING = {**BAD, "required": False}


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ({}, []),
        (None, []),
        ({"skipped": True, "skip_reason": "x"}, []),
        ({"checks": []}, []),
        ({"checks": [GOOD]}, [("a", "passed", "Good.")]),
        ({"checks": [GOOD, BAD], "msg": "Bad: mend it."}, [("a", "passed", "Good."), ("b", "failed", "Bad: mend it.")]),
        # It failed by more than its checks say.
        ({"checks": [GOOD], "msg": "It broke."}, [("a", "passed", "Good."), ("x", "failed", "It broke.")]),
        ({"checks": [], "msg": "It broke."}, [("x", "failed", "It broke.")]),
        (
            {"checks": [WARNING], "msg": "It broke."},
            [("b", "failed", "Bad: mend it."), ("x", "failed", "It broke.")],
        ),
        ({"changed": False}, [("x", "passed", "It answers.")]),
        # failed_when: false has made a success of it.
        ({"failed": False, "msg": "It is away."}, [("x", "failed", "It is away.")]),
        ({"failed": True}, [("x", "failed", "A task failed without a message; its output above says more.")]),
    ],
)
def test_what_a_task_found(found: t.Any, shown: list[tuple[str, str, str]]) -> None:
    results = check_results(found, "x", "the check", "It answers.")
    assert [(one["id"], one["verdict"], one["message"]) for one in results] == shown


@pytest.mark.parametrize(("seconds", "shown"), [(1.25, 1.25), (2, 2.0), (None, None), (True, None), ("1", None)])
def test_how_long_it_took(seconds: t.Any, shown: float | None) -> None:
    (one,) = check_results({"seconds": seconds}, "x", "the check")
    assert one["seconds"] == shown
    (line,) = _results.lines("Checks", [one])[1:-1]
    assert ("s  Check" in line) is (shown is not None)


def test_an_interrupted_release_is_only_warned() -> None:
    found = check_results({"checks": [GOOD, BAD], "msg": "Bad: mend it."}, "x", "x", warns=True)
    assert [one["id"] for one in found] == ["a", "b"] and not _results.problems(found)
    assert not _results.problems(check_results({"msg": "It broke."}, "x", "x", warns=True))
