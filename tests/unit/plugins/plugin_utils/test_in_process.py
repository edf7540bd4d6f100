# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.module_utils.basic import env_fallback

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection_line import announce
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._release import runner
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Spec, conceal
from ansible_collections.mcp.server.plugins.plugin_utils import _in_process
from ansible_collections.mcp.server.plugins.plugin_utils._in_process import InProcessAction

SPEC = Spec(
    options={
        "name": {"type": "str", "required": True},
        "count": {"type": "int", "default": 3},
        "token": {"type": "str", "no_log": True},
    }
)

COLLECTION = "ansible_collections.mcp.server.plugins"
ACTIONS = Path(__file__).parents[4] / "plugins" / "action"


def say(task):
    task.progress(f"{task.params['name']} with {task.params['token']}")
    task.warn(f"{task.params['token']} is old")
    if task.params["name"] == "bad":
        raise Failure("It is bad.", count=task.params["count"])
    return {
        "name": task.params["name"],
        "said": f"{task.params['token']}!",
        "count": task.params["count"],
        "check": task.check_mode,
    }


class Action(InProcessAction):
    SPEC = SPEC
    RUN = say

    def _execute_module(self, task_vars=None, wrap_async=False):
        return {"elsewhere": True, "wrap_async": wrap_async}


def run(
    args, check_mode=False, transport="local", become=None, environment=None, async_val=0, action=Action, **variables
):
    task = SimpleNamespace(
        args=args,
        check_mode=check_mode,
        environment=environment,
        async_val=async_val,
        action="mcp_x",
        delegate_to=None,
        timeout=30,
    )
    shell = SimpleNamespace(tmpdir=None, env_prefix=lambda **variables: "")
    connection = SimpleNamespace(transport=transport, become=become, has_native_async=False, _shell=shell)
    templar = SimpleNamespace(template=lambda value: value)
    return action(task, connection, None, None, templar, None).run(
        task_vars={"inventory_hostname": "mcp-prod", **variables}
    )


@pytest.fixture
def shown(monkeypatch):
    lines = []
    monkeypatch.setattr(_in_process.display, "display", lambda line, stderr: lines.append(line))
    return lines


def test_result_progress_and_warnings_without_secrets(shown):
    result = run({"name": "x", "count": "5", "token": "s3cret"}, check_mode=True)
    assert result == {
        "changed": False,
        "name": "x",
        "said": "********!",
        "count": 5,
        "check": True,
        "warnings": ["******** is old"],
    }
    assert shown == ["  [mcp-prod] x with ********"]


@pytest.mark.parametrize(
    ("callback", "stderr"),
    [
        ("default", False),
        ("ansible.builtin.minimal", False),
        ("oneline", False),
        ("json", True),
        ("ansible.posix.json", True),
        ("company.tools.as_xml", True),
    ],
)
def test_progress_is_kept_out_of_what_a_callback_writes_for_programs(monkeypatch, callback, stderr):
    shown = []
    monkeypatch.setattr(_in_process.display, "display", lambda line, stderr: shown.append((line, stderr)))
    monkeypatch.setattr(_in_process.constants, "DEFAULT_STDOUT_CALLBACK", callback)
    run({"name": "x", "token": "s3cret"})
    assert shown == [("  [mcp-prod] x with ********", stderr)]


def test_failure(shown):
    result = run({"name": "bad"})
    assert (result["failed"], result["changed"], result["msg"], result["count"]) == (True, False, "It is bad.", 3)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "missing required arguments: name"),
        ({"name": "x", "count": "many"}, "count"),
        (
            {"name": "x", "typo": 1},
            r"^Unsupported parameters for \(mcp_x\) module: typo\. Supported parameters include: count, name",
        ),
        ({"name": "x", "count": True}, "^count must be a number, not true$"),
        ({"count": False}, "^missing required arguments: name; count must be a number, not false$"),
        ({"typo": 1}, "^missing required arguments: name; Unsupported parameters for .* typo"),
    ],
)
def test_bad_input(args, message):
    with pytest.raises(AnsibleActionFail, match=message):
        run(args)


class Guarded(Action):
    SPEC = Spec(options={"auth": auth.OPTION})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"token": "pl4nted5ecret"}, "^auth.token must not hold the token itself: set auth.token_file or"),
        ({"token_secret": "pl4nted5ecret=="}, "^auth.token_secret must be a dictionary, and is not shown"),
        (["pl4nted5ecret"], "^auth must be a dictionary, and is not shown"),
        ({"tokn_env": "X"}, "Unsupported parameters for .* auth.tokn_env"),
    ],
)
def test_a_secret_where_its_source_belongs_is_not_shown(given, message):
    with pytest.raises(AnsibleActionFail, match=message) as raised:
        run({"auth": given}, action=Guarded)
    assert "pl4nted5ecret" not in str(raised.value)


def test_bad_input_of_an_ansible_that_is_too_old_names_the_one_that_is_needed(monkeypatch):
    monkeypatch.setattr(_in_process._core_version, "problem", lambda: "It is too old.")
    with pytest.raises(AnsibleActionFail, match="count.* It is too old.$"):
        run({"name": "x", "count": "many"})


@pytest.mark.parametrize(
    ("how", "wrap_async"),
    [({"transport": "ssh"}, False), ({"become": object()}, False), ({"async_val": 60}, True)],
)
def test_meant_for_another_process(how, wrap_async):
    result = run({}, **how)
    assert (result["elsewhere"], bool(result["wrap_async"])) == (True, wrap_async)


class Staying(Action):
    MUST_BE_HERE = staticmethod(lambda params: params.get("count") == 5)


@pytest.mark.parametrize(
    ("how", "changes"),
    [
        ({"transport": "ssh"}, ["ansible_connection: local"]),
        ({"become": object()}, ["ansible_become: false"]),
        ({"async_val": 60}, ["remove async and poll"]),
        ({"transport": "ssh", "become": object()}, ["ansible_connection: local", "ansible_become: false"]),
    ],
)
def test_what_must_be_here_refuses_another_process(how, changes):
    with pytest.raises(AnsibleActionFail, match="^Refusing to run mcp_x in another process") as refused:
        run({"name": "x", "count": "5"}, action=Staying, **how)
    assert all(change in str(refused.value) for change in changes)
    assert run({"name": "x", "count": "6"}, action=Staying, **how)["elsewhere"]


def test_what_must_be_here_runs_here(shown):
    assert run({"name": "x", "count": 5}, action=Staying)["name"] == "x"


class Environment(Action):
    SPEC = Spec(options={"proxy": {"type": "str", "fallback": (env_fallback, ["MCP_TEST_PROXY"])}})
    RUN = staticmethod(
        lambda task: {
            "proxy": task.params["proxy"],
            "seen": [os.environ.get(name) for name in ("MCP_TEST_A", "MCP_TEST_B")],
        }
    )


def test_the_environment_of_the_play_applies_here_while_it_runs(monkeypatch):
    monkeypatch.setenv("MCP_TEST_A", "before")
    monkeypatch.delenv("MCP_TEST_B", raising=False)
    given = [{"MCP_TEST_A": "play", "MCP_TEST_PROXY": "p"}, None, {"MCP_TEST_A": "task", "MCP_TEST_B": 7}]
    result = run({}, action=Environment, environment=given)
    assert (result["proxy"], result["seen"]) == ("p", ["task", "7"])
    assert (
        os.environ["MCP_TEST_A"] == "before" and "MCP_TEST_B" not in os.environ and "MCP_TEST_PROXY" not in os.environ
    )


class Named(Action):
    RUN = staticmethod(lambda task: {"by": runner.runner_name()})


@pytest.mark.parametrize(
    ("variables", "by"),
    [
        ({"awx_user_name": "kim", "tower_user_name": "kim"}, "AWX job 42 of kim"),
        ({"tower_user_name": "eva"}, "AWX job 42 of eva"),
        ({"awx_user_name": 7}, "AWX job 42 of 7"),
        ({"awx_user_name": None}, "AWX job 42"),  # of a schedule
        ({}, "AWX job 42"),
    ],
)
def test_whoever_starts_a_job_of_awx_is_named(monkeypatch, variables, by):
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", "/runner")
    monkeypatch.setenv("JOB_ID", "42")
    assert run({"name": "x"}, action=Named, **variables)["by"] == by
    assert "MCP_AWX_USER" not in os.environ


class Outlasting(Action):
    RUN = staticmethod(lambda task: {"left": signal.alarm(0)})
    OUTLASTS_TASK_TIMEOUT = staticmethod(lambda params: params["count"] == 5)


@pytest.mark.parametrize(("count", "alarm", "ended"), [("5", True, False), ("6", True, True), ("5", False, False)])
def test_task_timeout(count, alarm, ended):
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        signal.alarm(100 if alarm else 0)
        result = run({"name": "x", "count": count}, action=Outlasting)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert bool(result["left"]) == ended
    warnings = ["The timeout of 30 s does not end mcp_x, which has its own time limits."]
    assert result.get("warnings") == (warnings if alarm and not ended else None)


def signalled(run_it, *signals, pause=0.2):
    """Return what run_it(pipe) sent from a fork that was sent these signals, and its exit code."""
    ours, theirs = multiprocessing.Pipe()

    def work(pipe):
        for number in _in_process.STOPPING:
            signal.signal(number, signal.SIG_DFL)  # a shell's background jobs, and so these tests, may ignore SIGINT
        run_it(pipe)

    fork = multiprocessing.get_context("fork").Process(target=work, args=(theirs,))
    fork.start()
    theirs.close()
    assert ours.poll(10) and ours.recv() == "runs"
    for number in signals:
        os.kill(fork.pid, number)
        time.sleep(pause)
    try:
        result = ours.recv()
    except EOFError:
        result = None
    fork.join(5)
    assert fork.exitcode is not None
    return result, fork.exitcode


def long_action(pipe, clean_up):
    def long_run(task):
        try:
            pipe.send("runs")
            time.sleep(30)
        except Interrupted as interrupted:
            clean_up(interrupted)
            raise

    return type("Long", (Action,), {"RUN": staticmethod(long_run)})


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_it_once_and_it_may_clean_up(name):
    def clean_up(interrupted):
        time.sleep(0.6)  # meanwhile there comes the second signal
        interrupted.add_note(f"Paused at {interrupted.signal}.")

    def work(pipe):
        result = run({"name": "x"}, action=long_action(pipe, clean_up))
        restored = all(signal.getsignal(number) is signal.SIG_DFL for number in _in_process.STOPPING)
        pipe.send((result["failed"], result["msg"], restored))

    number = signal.Signals[name]
    assert signalled(work, number, signal.SIGTERM) == (
        (True, f"mcp_x was stopped by {name}. Paused at {name}.", True),
        0,
    )


def test_nothing_more_begins_after_a_signal():
    def work(pipe):
        action = long_action(pipe, lambda interrupted: None)
        run({"name": "x"}, action=action)
        pipe.send(run({"name": "x"}, action=action)["msg"])  # the next round of a loop

    assert signalled(work, signal.SIGTERM) == ("mcp_x was stopped by SIGTERM.", 0)


def test_a_task_that_does_not_stop_is_ended(monkeypatch):
    monkeypatch.setattr(_in_process, "SECONDS_TO_STOP", 0.5)
    assert signalled(
        lambda pipe: run({"name": "x"}, action=long_action(pipe, lambda interrupted: time.sleep(30))), signal.SIGINT
    ) == (None, 1)


def test_a_signal_that_is_ignored_stays_ignored():
    def work(pipe):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

        def short_run(task):
            pipe.send("runs")
            time.sleep(0.5)
            return {}

        pipe.send(run({"name": "x"}, action=type("Short", (Action,), {"RUN": staticmethod(short_run)})))

    assert signalled(work, signal.SIGHUP) == ({"changed": False}, 0)


def test_signals_are_left_alone_outside_the_main_thread(shown):
    results = []
    thread = threading.Thread(target=lambda: results.append(run({"name": "x"})))
    thread.start()
    thread.join()
    assert results[0]["name"] == "x"


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


PLANTED = "planted-secret-5b1f"


def careless(task):
    conceal(PLANTED)
    task.progress(f"it is {PLANTED}")
    task.warn(f"it is {PLANTED}")
    if task.params["name"] == "error":
        raise ValueError(f"Invalid header value b'Bearer {PLANTED}\\n'")
    if task.params["name"] == "failure":
        raise Failure(f"It was {PLANTED}.", evidence=[PLANTED])
    return {"header": f"Bearer {PLANTED}"}


@pytest.mark.parametrize("name", ["result", "failure", "error"])
def test_no_secret_and_no_traceback(name, shown):
    class Careless(Action):
        RUN = careless

    result = run({"name": name}, action=Careless)
    assert PLANTED not in str(result) + str(shown) and "Traceback" not in str(result)
    if name == "error":
        assert result["failed"] and result["msg"].startswith("Unexpected error ValueError at test_in_process.py:")


def test_the_cluster_is_named_once_in_a_play(shown, monkeypatch):
    def connects(task):
        for _each in range(2):
            announce(f"cluster of {task.params['name']}")
        return {}

    class Connects(Action):
        RUN = connects

    for name in ("a", "a", "b", "a"):
        worker = multiprocessing.get_context("fork").Process(
            target=lambda name=name: run({"name": name}, action=Connects)
        )
        worker.start()
        worker.join(10)
        assert worker.exitcode == 0
    # What another process has shown, this one does not show again.
    run({"name": "a"}, action=Connects)
    run({"name": "c"}, action=Connects)
    run({"name": "c"}, action=Connects)
    assert shown == ["  [mcp-prod] cluster of c"]
    announce("nobody listens")
    assert len(shown) == 1


@pytest.mark.parametrize("name", sorted(file.stem for file in ACTIONS.glob("mcp_*.py")))
def test_each_action_plugin_is_of_its_own_module(name: str) -> None:
    """Most of them are links to one file, which finds its module by the name that it is imported by."""
    action = importlib.import_module(f"{COLLECTION}.action.{name}").ActionModule
    code = importlib.import_module(f"{COLLECTION}.module_utils._modules.{name}")
    # One that is handed something by its action plugin is the same function all the same.
    assert action.SPEC is code.SPEC and getattr(action.RUN, "func", action.RUN) is code.run


def test_a_worker_that_drops_the_handlers_shows_no_traceback():
    """Its garbage collection may run in a thread, which must not touch signals."""
    script = """
import gc, signal, threading
theirs = lambda number, frame: None
signal.signal(signal.SIGTERM, theirs)
from ansible_collections.mcp.server.plugins.plugin_utils import _in_process
assert signal.getsignal(signal.SIGTERM) is not theirs
for number in _in_process.STOPPING:
    signal.signal(number, signal.SIG_DFL)
thread = threading.Thread(target=gc.collect)
thread.start()
thread.join()
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
