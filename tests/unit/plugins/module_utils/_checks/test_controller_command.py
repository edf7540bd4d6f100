# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._checks.controller_command import how_it_ended

Ran = t.Callable[..., t.Any]

SECRET = "s3cr3t-of-the-shop"


def python(code: str, *argv: str, **environment: t.Any) -> dict[str, t.Any]:
    return {"command": {"argv": [sys.executable, "-c", code, *argv], "environment": environment}}


def is_alive(file: Path) -> bool:
    """Whether the process whose id is in the file runs; one that nobody has reaped yet does not."""
    stat = Path(f"/proc/{file.read_text()}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(file: Path) -> bool:
    for _time in range(40):
        if not is_alive(file):
            return True
        time.sleep(0.05)
    return False


def test_a_command_is_told_what_is_released(ran: Ran) -> None:
    names = "MCP_SERVER MCP_NAMESPACE MCP_POOL MCP_VERSION MCP_ENDPOINT PORT"
    code = f"import os; print(*(os.environ[name] for name in '{names}'.split()), 'PATH' in os.environ)"
    (outcome,) = ran(python(code, PORT=8080), url="https://weather.example.com")
    assert outcome.passed
    assert outcome.output == "weather shop green v1.2.0 https://weather.example.com ******** True"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "the command ended with exit code 3, without any output"),
        (
            "print('no\\nroute\\x1b[2J'); exit(1)",
            "the command ended with exit code 1; its output ends with: no route [2J",
        ),
        ("import os; os.kill(os.getpid(), 15)", "the command was killed by SIGTERM, without any output"),
        (
            "print('x' * 10_000_000); exit(1)",
            "the command ended with exit code 1; its output ends with: ..." + "x" * 200,
        ),
    ],
)
def test_a_command_that_fails(ran: Ran, code: str, reason: str) -> None:
    (outcome,) = ran(python(code))
    assert (outcome.passed, outcome.reason) == (False, reason)
    assert len(outcome.output) <= 2000


def test_a_command_that_is_not_there(ran: Ran) -> None:
    (outcome,) = ran({"command": {"argv": ["/no/such/command"]}})
    assert outcome.reason == "the command could not be started (No such file or directory)"


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleeper = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", sleeper])
open(sys.argv[1], "w").write(str(child.pid))
print("begun", flush=True)
time.sleep(60)
"""


def test_a_command_that_ignores_sigterm_ends_at_its_time_limit_with_its_children(ran: Ran, tmp_path: Path) -> None:
    began = time.monotonic()
    (outcome,) = ran({**python(STUBBORN, str(tmp_path / "child")), "timeout": 1})
    assert time.monotonic() - began < 3.5
    assert outcome.reason == "the command did not end within 1 s (timeout); its output ends with: begun"
    assert gone(tmp_path / "child")


def test_a_command_is_asked_to_end_before_it_is_killed(ran: Ran) -> None:
    code = (
        "import signal, time; signal.signal(15, lambda *_: (print('cleaned up', flush=True), exit(0))); time.sleep(9)"
    )
    (outcome,) = ran({**python(code), "timeout": 1})
    assert not outcome.passed
    assert outcome.output == "cleaned up"


def test_an_interrupted_command_ends_within_a_second_and_has_no_outcome(
    ran: Ran,
    stop: threading.Event,
    lines: list[str],
    tmp_path: Path,
) -> None:
    def interrupt() -> None:
        while not (tmp_path / "child").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        stop.set()
        stopped.append(time.monotonic())

    stopped: list[float] = []
    threading.Thread(target=interrupt, daemon=True).start()
    assert ran(python(STUBBORN, str(tmp_path / "child")), python("print('never')")) == []
    assert time.monotonic() - stopped[0] < 1.8
    assert gone(tmp_path / "child")
    assert "check smoke was interrupted after" in lines[-1]


def test_what_a_command_leaves_behind_is_ended_too_and_not_waited_for(ran: Ran, tmp_path: Path) -> None:
    code = "import subprocess, sys; open(sys.argv[1], 'w').write(str(subprocess.Popen(['sleep', '60']).pid))"
    began = time.monotonic()
    (outcome,) = ran(python(code, str(tmp_path / "child")))
    assert outcome.passed
    assert time.monotonic() - began < 5
    assert gone(tmp_path / "child")


def test_a_process_that_left_the_group_is_not_waited_for(ran: Ran, tmp_path: Path) -> None:
    child = "subprocess.Popen(['sleep', '60'], start_new_session=True)"
    code = f"import subprocess, sys; open(sys.argv[1], 'w').write(str({child}.pid))"
    began = time.monotonic()
    try:
        (outcome,) = ran(python(code, str(tmp_path / "child")))
        assert outcome.passed
        assert time.monotonic() - began < 5
    finally:
        os.kill(int((tmp_path / "child").read_text()), 9)


def test_an_exception_in_the_task_ends_the_command(ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As KeyboardInterrupt does, which comes in the middle of a wait."""
    is_set, main = threading.Event.is_set, threading.current_thread()

    def interrupted(event: threading.Event) -> bool:
        if threading.current_thread() is main and (tmp_path / "child").exists() and (tmp_path / "child").read_text():
            raise KeyboardInterrupt
        return is_set(event)

    monkeypatch.setattr(threading.Event, "is_set", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ran(python(STUBBORN, str(tmp_path / "child")))
    monkeypatch.undo()
    assert gone(tmp_path / "child")


def test_values_of_the_environment_are_shown_nowhere(ran: Ran, lines: list[str]) -> None:
    outcomes = ran(python("import os; print('key is', os.environ['KEY'], os.environ['KEY'][:9]); exit(1)", KEY=SECRET))
    assert "key is" in outcomes[0].reason
    assert "s3cr3t" not in f"{outcomes}{lines}"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (None, "did not end within 2.5 s (timeout)"),
        (-9, "was killed by SIGKILL"),
        (-99, "ended with exit code -99"),
        (2, "ended with exit code 2"),
    ],
)
def test_how_a_command_ended(code: int | None, said: str) -> None:
    assert how_it_ended(code, 2.5) == said
