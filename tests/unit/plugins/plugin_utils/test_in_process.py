# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec
from ansible_collections.mcp.server.plugins.plugin_utils import _in_process
from ansible_collections.mcp.server.plugins.plugin_utils._in_process import InProcessAction

SPEC = Spec(options={"name": {"type": "str", "required": True}, "count": {"type": "int", "default": 3}, "token": {"type": "str", "no_log": True}})


def say(task):
    task.progress(f"{task.params['name']} with {task.params['token']}")
    task.warn(f"{task.params['token']} is old")
    if task.params["name"] == "bad":
        raise Failure("It is bad.", count=task.params["count"])
    return {"name": task.params["name"], "said": f"{task.params['token']}!", "count": task.params["count"], "check": task.check_mode}


class Action(InProcessAction):
    SPEC = SPEC
    RUN = say

    def _execute_module(self, task_vars=None, wrap_async=False):
        return {"elsewhere": True, "wrap_async": wrap_async}


def run(args, check_mode=False, transport="local", become=None, environment=None, async_val=0):
    task = SimpleNamespace(args=args, check_mode=check_mode, environment=environment, async_val=async_val, action="x", delegate_to=None)
    connection = SimpleNamespace(transport=transport, become=become, has_native_async=False, _shell=SimpleNamespace(tmpdir=None))
    return Action(task, connection, None, None, None, None).run(task_vars={"inventory_hostname": "mcp-prod"})


@pytest.fixture
def shown(monkeypatch):
    lines = []
    monkeypatch.setattr(_in_process.display, "display", lines.append)
    return lines


def test_result_progress_and_warnings_without_secrets(shown):
    result = run({"name": "x", "count": "5", "token": "s3cret"}, check_mode=True)
    assert result == {"changed": False, "name": "x", "said": "********!", "count": 5, "check": True, "warnings": ["******** is old"]}
    assert shown == ["  [mcp-prod] x with ********"]


def test_failure(shown):
    result = run({"name": "bad"})
    assert (result["failed"], result["changed"], result["msg"], result["count"]) == (True, False, "It is bad.", 3)


@pytest.mark.parametrize(
    ("args", "message"), [({}, "missing required arguments: name"), ({"name": "x", "count": "many"}, "count"), ({"name": "x", "typo": 1}, "typo")]
)
def test_bad_input(args, message):
    with pytest.raises(AnsibleActionFail, match=message):
        run(args)


@pytest.mark.parametrize(
    ("how", "wrap_async"),
    [({"transport": "ssh"}, False), ({"become": object()}, False), ({"environment": [{"HTTPS_PROXY": "x"}]}, False), ({"async_val": 60}, True)],
)
def test_meant_for_another_process(how, wrap_async):
    result = run({}, **how)
    assert (result["elsewhere"], bool(result["wrap_async"])) == (True, wrap_async)
