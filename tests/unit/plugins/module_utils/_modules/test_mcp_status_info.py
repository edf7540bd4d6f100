# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_status_info
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

RELEASE = {"live": "blue", "weights": {"blue": 90, "green": 10}, "record": None, "history": [], "holder": None}
POOLS = {pool: {"image_ref": f"r/x:{pool}", "replicas": 2, "ready": 2, "pods": []} for pool in ("blue", "green")}
TARGET = {"namespace": "prod", "server": "x", "context": "east", "endpoint": {"url": "http://127.0.0.1:9"}}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, t.Any]]]:
    """Stand in for the three modules, and return which were called with which options."""
    calls = []

    def stand_in(name: str, result: dict[str, t.Any]) -> None:
        def run(task: Task) -> dict[str, t.Any]:
            calls.append((name, task.params))
            if "msg" in result:
                raise Failure(**result)
            return result

        monkeypatch.setattr(mcp_status_info, name, replace(getattr(mcp_status_info, name), run=run))

    stand_in("RELEASE", RELEASE)
    stand_in("VERSIONS", {"pools": POOLS})
    stand_in("WATCH", {"msg": "3 of 40 requests failed.", "blue": 87.5, "green": 12.5, "requests": 40})
    return calls


def run(**options: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    validated = ArgumentSpecValidator(mcp_status_info.SPEC.options).validate({**TARGET, **options})
    assert not validated.error_messages
    shown: list[str] = []
    return mcp_status_info.run(Task(validated.validated_parameters, progress=shown.append)), shown


def test_the_table_is_shown_and_returned_also_when_the_watch_fails(called: list[t.Any]) -> None:
    result, shown = run(seconds=1.5)
    assert result == {"changed": False, "lines": shown, "release": RELEASE, "pools": POOLS}
    assert shown[:4] == [
        "POOL         WEIGHT  ANSWERS  READY  VERSION  IMAGE",
        "blue (live)  90 %    87.5 %   2/2    -        r/x:blue",
        "green        10 %    12.5 %   2/2    -        r/x:green",
        "3 of 40 requests failed.",
    ]
    assert [name for name, _params in called] == ["RELEASE", "VERSIONS", "WATCH"]
    assert all((params["namespace"], params["context"]) == ("prod", "east") for _name, params in called)
    assert called[2][1]["seconds"] == 1.5 and called[2][1]["pool"] is None


def test_without_seconds_no_answer_is_counted(called: list[t.Any]) -> None:
    _result, shown = run(seconds=0)
    assert [name for name, _params in called] == ["RELEASE", "VERSIONS"]
    assert shown[1] == "blue (live)  90 %    -        2/2    -        r/x:blue"
