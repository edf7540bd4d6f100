# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path
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


def a_task(pipe):
    pipe.send((_in_process.end_with_the_play(), os.getpid()))
    time.sleep(30)


def a_play(pipe):
    """As Ansible forks a task: in a session of its own."""

    def work():
        os.setsid()
        a_task(pipe)

    multiprocessing.get_context("fork").Process(target=work).start()
    time.sleep(30)


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_task_ends_with_its_play(how):
    ours, theirs = multiprocessing.Pipe()
    play = multiprocessing.get_context("fork").Process(target=a_play, args=(theirs,))
    play.start()
    assert ours.poll(10)
    runner, task = ours.recv()
    assert runner == play.pid and runs(task)
    os.kill(play.pid, how)
    play.join(5)
    deadline = time.monotonic() + 1
    while runs(task) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(task)


def test_a_task_whose_play_has_ended_already_does_nothing(monkeypatch):
    def task(pipe):
        monkeypatch.setattr(_in_process.os, "getppid", lambda: 1)
        a_task(pipe)

    ours, theirs = multiprocessing.Pipe()
    orphan = multiprocessing.get_context("fork").Process(target=task, args=(theirs,))
    orphan.start()
    orphan.join(5)
    assert orphan.exitcode == 1 and not ours.poll()
