# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions

DOCUMENT = {"status": "HEALTHY", "version": "1.2.0", "checks": [{"ok": True}, {"ok": False}]}


@pytest.mark.parametrize(
    ("expressions", "version", "problem"),
    [
        (["status == 'HEALTHY'"], None, None),
        (["status == 'HEALTHY'", "length(checks) > `1`"], "v1.2.0", None),
        ([], "1.2.0", None),
        (["status == 'UP'"], None, "does not satisfy status == 'UP'"),
        (["status"], None, "does not satisfy status:"),
        (["nothing"], None, "does not satisfy nothing"),
        (["length(status, status)"], None, "does not satisfy length"),
        (["checks[?!ok] | length(@) == `0`"], None, "does not satisfy"),
        ([], "v1.1.5", "reports version 1.2.0, expected v1.1.5"),
    ],
)
def test_assertions(expressions: list[str], version: str | None, problem: str | None) -> None:
    said = Assertions(expressions, version).problem(DOCUMENT)
    assert said == problem or said.startswith(problem)


@pytest.mark.parametrize(
    ("said", "expected", "same"),
    [("1.2.0", "v1.2.0", True), ("v1.2.0", "1.2.0", True), ("1.2", "1.2.0", False), (None, "1", False)],
)
def test_versions(said: str | None, expected: str, same: bool) -> None:
    assert _versions.is_reported(said, expected) is same
