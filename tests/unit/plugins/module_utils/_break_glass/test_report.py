# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of the output, as a table."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._break_glass import report

DONE = {"found": ["a tool"], "did": ["one thing"], "problems": []}
SKIPPED = {"skipped": True, "changed": False}
FAILED = {"found": ["a tool"], "did": [], "problems": ["the API server refuses"], "msg": "the API server refuses"}
RESTORE = "ansible-playbook break_glass.yml -l mcp -e mcp_restore=true"


@pytest.mark.parametrize(
    ("results", "restore", "lines"),
    [
        (
            [DONE, SKIPPED, FAILED],
            False,
            [
                "FOUND  a tool",
                "DID    one thing",
                "FAILED the API server refuses",
                f"NEXT   Once the outage is over: {RESTORE}",
                "NEXT   Until then releases refuse, and guard and watch do nothing",
            ],
        ),
        (
            [{"msg": "a reason is\x1b[2J missing"}, {"msg": "a reason is\x1b[2J missing"}, {}],
            False,
            [
                "FAILED a reason is [2J missing",
                "NEXT   Nothing was changed: put right what is named above, and run this again",
            ],
        ),
        (
            [FAILED],
            True,
            [
                "FOUND  a tool",
                "FAILED the API server refuses",
                f"NEXT   Put right what is named above; then the same again: {RESTORE}",
                "NEXT   To leave what somebody has changed as it is now, add -e mcp_restore_keep=true",
            ],
        ),
        (
            [DONE],
            True,
            [
                "FOUND  a tool",
                "DID    one thing",
                "NEXT   Look whether all is well: ansible-playbook status.yml -l mcp",
            ],
        ),
    ],
)
def test_the_lines_are_in_the_order_of_their_use(results: t.Any, restore: bool, lines: list[str]) -> None:
    assert report.lines(results, ["1. Eva"], restore=restore, host="mcp") == [*lines, "CALL   1. Eva"]
