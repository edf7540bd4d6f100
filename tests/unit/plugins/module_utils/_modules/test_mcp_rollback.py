# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_rollback, mcp_traffic_shift, single_shift
from ansible_collections.mcp.server.plugins.module_utils._task import Spec, Task

NAMES = {"namespace": "ns", "server": "x"}
PLACE = "ansible_collections.mcp.server.plugins.module_utils._modules."


def validated(spec: Spec, options: dict[str, t.Any]) -> dict[str, t.Any]:
    found = ArgumentSpecValidator(spec.options, **spec.rules()).validate({**NAMES, **options})
    assert not found.error_messages, found.error_messages
    return found.validated_parameters


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"wait": False, "reason": "5xx"},
        {
            "run_id": "r1",
            "endpoint": {"url": "http://x"},
            "verify_seconds": 0,
            "start_timeout": 5,
            "ready_grace": 1,
            "force": True,
        },
        {
            "gitops_ignores": ["route"],
            "sessions_metric": {"name": "open"},
            "timeout": 7,
            "pool_key": "color",
            "api_retry_timeout": 9,
        },
    ],
)
@pytest.mark.parametrize("pool", [None, "blue"])
def test_it_is_a_shift_with_rollback(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], pool: str | None
) -> None:
    given: list[Task] = []
    monkeypatch.setattr(single_shift, "run", lambda task: given.append(task) or {"changed": True})
    ours = validated(mcp_rollback.SPEC, {**options, **({"pool": pool} if pool else {})})
    assert mcp_rollback.run(Task(ours, check_mode=True)) == {"changed": True} and given[0].check_mode
    theirs = validated(
        mcp_traffic_shift.SPEC, {**options, "rollback": True, **({"rollback_pool": pool} if pool else {})}
    )
    assert {name: given[0].params[name] for name in single_shift.SPEC.options} == {
        name: theirs[name] for name in single_shift.SPEC.options
    }


def imported(module: str) -> set[str]:
    names = "(name for name in sys.modules if name.startswith('ansible_collections.mcp.'))"
    code = f"import sys, {PLACE}{module}; print(*{names})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        ).stdout.split()
    )


def test_it_imports_no_more_than_the_shift() -> None:
    """An emergency waits for imports."""
    ours, theirs = imported("mcp_rollback"), imported("mcp_traffic_shift")
    assert f"{PLACE}mcp_rollback" in ours and ours - theirs == {f"{PLACE}mcp_rollback"}
