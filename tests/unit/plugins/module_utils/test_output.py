# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import math
import os

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _output
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task


def write(dest, servers=({"host": "a", "status": {}},), check_mode=False, **defaults):
    _output.write(Task({"dest": dest and str(dest)}, check_mode=check_mode), "status", servers, **defaults)


def test_only_what_is_known_of_a_server(tmp_path):
    file = tmp_path / "new" / "status.json"
    known = {"state": "ok", "lines": ["x"], "changed": False, "warnings": [], "value": math.nan, "of": [math.inf, 1.5]}
    write(file, [{"host": "a", "status": known}, {"host": "b", "status": {"msg": "away\x1b[2J"}}], state="unknown")

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    assert json.loads(file.read_text(), parse_constant=refuse) == {
        "servers": [
            {"host": "a", "state": "ok", "value": None, "of": [None, 1.5]},
            {"host": "b", "state": "unknown", "msg": "away\\x1b[2J"},
        ]
    }


def test_nothing_is_written_in_check_mode_or_without_a_file(tmp_path):
    write(tmp_path / "status.json", check_mode=True)
    write(None)
    write("")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("place", "why"), [(".", "Is a directory"), ("file/status.json", "File exists"), ("file/x/y", "Not a directory")]
)
def test_a_place_that_is_no_file(tmp_path, place, why):
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match=rf"Cannot write the status to .*: {why}\. Set dest \(mcp_output\)"):
        write(tmp_path / place)


def test_a_relative_path_is_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("status.json")
    assert (tmp_path / "status.json").exists()
