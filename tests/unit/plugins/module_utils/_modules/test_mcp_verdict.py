# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_verdict
from ansible_collections.mcp.server.plugins.module_utils._results import FAILED, PASSED
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

GOOD = _results.result("nodes", "nodes", PASSED, "All 2 nodes are Ready.")
BAD = _results.result("vault", "Vault", FAILED, "Vault is sealed: unseal it.")
WARNING = _results.result("webhooks", "webhooks", FAILED, "Webhook 1 is away.", required=False)


def run(shown: list[str] | None = None, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    params = {"title": "Checks", "checks": None, "fleet": None, "dest": None, "brief": False, **options}
    return mcp_verdict.run(Task(params, check_mode, progress=(shown if shown is not None else []).append))


def test_it_shows_all_and_fails_by_the_required_ones() -> None:
    shown: list[str] = []
    with pytest.raises(Failure) as failure:
        run(shown, checks=[GOOD, BAD, WARNING])
    assert failure.value.msg == "Vault is sealed: unseal it."
    assert failure.value.evidence["checks"] == [GOOD, BAD, WARNING]
    assert shown == failure.value.evidence["lines"] and len(shown) == 5


def test_in_brief_only_what_is_wrong_has_a_row() -> None:
    lines = run(checks=[GOOD, WARNING], brief=True)["lines"]
    assert [line.split()[0] for line in lines] == ["Checks", "warning", "2"]
    assert lines[-1] == "  2 checks: 1 warning, 1 ok"
    assert run(checks=[GOOD], brief=True)["lines"] == ["Checks", "  1 checks: 1 ok"]


def test_a_warning_fails_nothing() -> None:
    assert run(checks=[GOOD, WARNING])["checks"] == [GOOD, WARNING]


def test_no_check_is_no_success() -> None:
    with pytest.raises(Failure, match="no check was made"):
        run(checks=[])


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_file_has_all_servers(tmp_path: Path, check_mode: bool) -> None:
    file = tmp_path / "new" / "all.json"
    run(check_mode=check_mode, fleet=[{"host": "a", "status": {"checks": [BAD], "msg": "x"}}], dest=str(file))
    if check_mode:
        assert not file.exists()
    else:
        (server,) = json.loads(file.read_text())["servers"]
        assert server["host"] == "a" and server["checks"] == [BAD]
