# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a play writes on stdout and stderr, by its stdout callback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

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


@pytest.fixture(scope="module")
def api_server():
    """Return the address of a fake API server that has a server ns/x, live on blue."""
    with serving(ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2"))) as url:
        yield url


@pytest.mark.parametrize(
    ("callback", "environment", "stream"),
    [
        ("default", {}, "stdout"),
        ("default", {"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"}, "stdout"),
        ("minimal", {}, "stdout"),
        ("oneline", {}, "stdout"),
        ("whole_json", {}, "stderr"),
    ],
)
def test_the_status_is_a_table_whatever_the_callback(play, api_server, callback, environment, stream):
    role = {"ansible.builtin.import_role": {"name": "mcp.server.status", "rolespec_validate": False}}
    variables = {
        "mcp_namespace": "ns",
        "mcp_server": "x",
        "mcp_api_host": api_server,
        "mcp_api_key": "k",
        "mcp_endpoint": {"url": "http://127.0.0.1:9"},
        "mcp_status_seconds": 0,
    }
    environment = {"ANSIBLE_STDOUT_CALLBACK": callback, "ANSIBLE_CALLBACK_PLUGINS": CALLBACKS, **environment}
    process = play([{**role, "vars": variables}], stderr=subprocess.PIPE, **environment)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stdout + stderr
    lines = {"stdout": stdout, "stderr": stderr}[stream].splitlines()
    at = next((number for number, line in enumerate(lines) if "POOL" in line and "[localhost]" in line), None)
    assert at is not None, stdout + stderr
    assert [line.split()[:4] for line in lines[at : at + 3]] == [
        ["[localhost]", "POOL", "WEIGHT", "ANSWERS"],
        ["[localhost]", "blue", "(live)", "100"],
        ["[localhost]", "green", "0", "%"],
    ]
    if callback == "whole_json":
        results = [result for result in json.loads(stdout) if result.get("lines")]
        assert results[0]["lines"][0] == "ns/x: " + results[0]["state"]
