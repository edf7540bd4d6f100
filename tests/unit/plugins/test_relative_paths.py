# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A relative path is meant from the folder that the user is in, not from that of the playbook, nor from PWD."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.filter.controller_plan import controller_plan

ROOT = Path(__file__).parents[3]


def named(role: str, name: str) -> dict[str, t.Any]:
    (found,) = [
        one for one in yaml.safe_load((ROOT / "roles" / role / "tasks" / "main.yml").read_text()) if one["name"] == name
    ]
    return found


def test_tasks_of_ansible_itself(tmp_path: Path) -> None:
    # These two run no code of the collection: its modules run in the play's process, whose folder is the user's.
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "replay_dest": "replay.html",
            "replay_result": {"html": "plots"},
            "build_image_plan": {"build": ["touch", "built"], "environment": {}},
            "build_image_timeout": 60,
        },
        "tasks": [named("replay", "Write the plots"), named("build_image", "Build the image")],
    }
    installed, user = tmp_path / "installed", tmp_path / "user"
    for folder in (installed, user):
        folder.mkdir()
    (installed / "play.yml").write_text(json.dumps([play]))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        ["ansible-playbook", str(installed / "play.yml")],
        cwd=user,
        env={**environment, "PWD": str(installed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in user.iterdir()) == ["built", "replay.html"]
    assert [path.name for path in installed.iterdir()] == ["play.yml"]


def test_the_folder_of_the_project_in_awx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"state": "absent", "prefix": "mcp", "organization": "MCP servers", "update_secrets": False}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("project", "./project", "~/project", str(tmp_path / "project")):
        found = controller_plan({**options, "project": {"folder": folder}}, {})
        assert found["project"]["folder"] == str(tmp_path / "project")
