# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command of a guard's Job, by the real ansible: what others wrote into the release record is no template there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._guard.job import job
from ansible_collections.mcp.server.plugins.module_utils._server import Server

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "template", ["{{ lookup('pipe', 'touch %s') }}", "{%% if lookup('pipe', 'touch %s') %%}{%% endif %%}"]
)
def test_the_id_of_a_release_runs_nothing(template, tmp_path):
    file = tmp_path / "ran"
    release_id = template % file
    made = job(
        Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp"),
        "run",
        "ee:1",
        "guard",
        # Refused with its value, so that the output shows what came of it.
        {"release_id": release_id, "action": release_id},
    )
    (container,) = made["spec"]["template"]["spec"]["containers"]
    words = container["command"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBE"))},
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH")
        or str(ROOT / "playbooks" / "collections"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_NOCOLOR": "true",
        "HOME": str(tmp_path),
    }
    ended = subprocess.run(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = ended.stdout + ended.stderr
    assert ended.returncode and "A guard cannot run by these options" in output, output
    assert not file.exists()
