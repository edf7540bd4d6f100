# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._load.canned import canned_server
from ansible_collections.mcp.server.plugins.module_utils._load.processes import NOT_STARTED, OutOfTime, running
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

ENVIRONMENT = dict(os.environ)


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-c", code, *words]


def is_alive(file: Path) -> bool:
    stat = Path(f"/proc/{file.read_text()}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def there(file: Path) -> None:
    deadline = time.monotonic() + 10
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(file: Path) -> bool:
    deadline = time.monotonic() + 5
    while is_alive(file):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_pipe_of_two() -> None:
    first = python("import sys; sys.stdout.write(sys.stdin.read().upper())")
    second = python("import sys; [print('got', line, end='') for line in sys.stdin]; sys.stderr.write('said')")
    with running([first, second], ENVIRONMENT, [b"one\n", b"two\n"]) as pipe:
        assert list(pipe.lines(Deadline(10))) == [b"got ONE", b"got TWO"]
        assert pipe.code(Deadline(5)) == 0
        assert pipe.tail.text() == "said"


@pytest.mark.parametrize("failing", [0, 1])
def test_the_exit_code_of_the_one_that_fails(failing: int) -> None:
    commands = [python("import sys; sys.stdin.read()"), python("import sys; sys.stdin.read()")]
    commands[failing] = python("import sys; sys.stdin.read(); sys.exit(7)")
    with running(commands, ENVIRONMENT) as pipe:
        list(pipe.lines(Deadline(10)))
        assert pipe.code(Deadline(5)) == 7


def test_one_that_cannot_be_started() -> None:
    with running([["/no/such/tool"]], ENVIRONMENT) as pipe:
        list(pipe.lines(Deadline(10)))
        assert pipe.code(Deadline(5)) == NOT_STARTED
        assert "No such file" in pipe.tail.text()


def test_a_line_without_an_end_takes_no_memory() -> None:
    code = "import sys; [sys.stdout.write('x' * 65536) for _ in range(100)]; print('\\nend')"
    with running([python(code)], ENVIRONMENT) as pipe:
        assert list(pipe.lines(Deadline(20))) == [None, b"end"]


STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(60)
"""


def test_a_stubborn_one_ends_at_its_time_limit(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with running([python(STUBBORN, str(file))], ENVIRONMENT) as pipe:
        there(file)
        with pytest.raises(OutOfTime):
            list(pipe.lines(Deadline(0.1)))
    assert gone(file)


def test_none_outlives_a_process_that_was_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = (
        "import sys; from ansible_collections.mcp.server.plugins.module_utils._load.processes import running\n"
        "from ansible_collections.mcp.server.plugins.module_utils._task import Deadline\n"
        "import os\n"
        "with running([[sys.executable, '-c', sys.argv[1], sys.argv[2]]], os.environ) as pipe:\n"
        "    list(pipe.lines(Deadline(60)))\n"
    )
    process = subprocess.Popen(python(code, STUBBORN, str(file)), env={**ENVIRONMENT, "PYTHONPATH": ":".join(sys.path)})
    try:
        there(file)
        assert is_alive(file)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert gone(file)


def test_the_server_that_does_nothing_but_answer() -> None:
    with canned_server("application/json", b'{"a": 1}', ENVIRONMENT) as url:
        for _number in range(3):
            request = urllib.request.Request(f"{url}/mcp", data=b"x" * 1000)
            with urllib.request.urlopen(request, timeout=5) as answer:
                assert (answer.read(), answer.headers["Content-Type"]) == (b'{"a": 1}', "application/json")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
