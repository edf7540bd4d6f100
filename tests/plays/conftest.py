# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """Return a function that starts a play of these tasks, with the ansible-core of the Python that runs the test."""
    folder = tmp_path_factory.mktemp("play")

    def start(tasks, *words, stderr=subprocess.STDOUT, **environment):
        book = folder / "play.yml"
        book.write_text(
            json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}])
        )
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBE"))
        }
        variables |= {
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH")
            or str(ROOT / "playbooks" / "collections"),
            "ANSIBLE_ACTION_PLUGINS": str(Path(__file__).parent / "plugins" / "action"),
            "ANSIBLE_BECOME_PLUGINS": str(Path(__file__).parent / "plugins" / "become"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "HOME": str(folder),
        }
        command = [
            Path(sys.executable).parent / "ansible-playbook",
            "-i",
            "localhost,",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            *words,
            book,
        ]
        return subprocess.Popen(
            command,
            cwd=folder,
            env=variables | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    return start
