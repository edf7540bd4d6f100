# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that stand in an inventory and its manifests, found by a play."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from planted import PLANTED, shown
from playing import ENVIRONMENT


def test_a_play_finds_what_is_planted_and_shows_no_value(tmp_path: Path) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "hosts.yml").write_text(f"all:\n  hosts:\n    weather:\n      db_password: {PLANTED[3]}\n")
    (tmp_path / "host_vars" / "weather.yml").write_text(
        f"api_token: {PLANTED[2]}\nother_token: '{{{{ vault_token }}}}'\nurl: https://jane:{PLANTED[0]}@example.com/\n"
    )
    (tmp_path / "secret.yml").write_text(f"kind: Secret\nstringData:\n  key: {PLANTED[4]}\n")
    (tmp_path / "link.yml").symlink_to("/etc/passwd")
    task = {
        "mcp.server.mcp_secret_scan": {
            "inventory": "{{ ansible_inventory_sources }}",
            "paths": [str(tmp_path / "secret.yml")],
        },
        "register": "found",
    }
    its = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    book = tmp_path / "scan.yml"
    book.write_text(json.dumps([{"hosts": "weather", "gather_facts": False, "vars": its, "tasks": [task]}]))
    done = subprocess.run(
        ["ansible-playbook", "-vvv", "-i", str(tmp_path / "hosts.yml"), str(book)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    for place in ("hosts.yml:4", "host_vars/weather.yml:1", "host_vars/weather.yml:3", "secret.yml:3"):
        assert f"/{place} (" in done.stdout, done.stdout
    assert "weather.yml:2" not in done.stdout
    assert not shown(done.stdout, PLANTED)
