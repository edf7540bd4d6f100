# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a play writes on stdout and stderr, by its stdout callback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

CALLBACKS = str(Path(__file__).parent / "plugins" / "callback")
WAITING = {"mcp.server.mcp_health": {"endpoint": {"url": "http://127.0.0.1:9"}, "wait_timeout": 1.5}}
PROGRESS = "  [localhost] http://127.0.0.1:9 is not healthy:"


@pytest.fixture
def written(play):
    """Return a function that runs a play of one task, which shows progress and fails; it returns stdout and stderr."""

    def run(callback: str) -> tuple[str, str]:
        environment = {"ANSIBLE_STDOUT_CALLBACK": callback, "ANSIBLE_CALLBACK_PLUGINS": CALLBACKS}
        process = play([WAITING], stderr=subprocess.PIPE, **environment)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 2, stdout + stderr
        return stdout, stderr

    return run


def test_stdout_of_a_callback_for_programs_is_nothing_but_its_document(written):
    stdout, stderr = written("whole_json")
    (result,) = json.loads(stdout)
    assert "is not healthy" in result["msg"]
    assert PROGRESS in stderr


@pytest.mark.parametrize("callback", ["default", "minimal"])
def test_progress_stands_between_what_people_read(written, callback):
    stdout, stderr = written(callback)
    assert PROGRESS in stdout and PROGRESS not in stderr
