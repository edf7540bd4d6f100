# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers a playbook runs on, as a user starts it; the play ends before it asks any cluster."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
# controller.yml runs on no server.
PLAYBOOKS = sorted(path for path in (ROOT / "playbooks").glob("*.yml") if path.stem != "controller")
# What bluegreen.yml imports for one server, and for several that are released at once.
SERVERS = ROOT / "playbooks" / "fleet" / "servers.yml"
WRITES = {
    "adopt.yml",
    "bluegreen.yml",
    "break_glass.yml",
    "build.yml",
    "ci_scaffold.yml",
    "debug.yml",
    "drill.yml",
    "install.yml",
    "rollback.yml",
    "staging.yml",
    "validate_guide.yml",
    "watch.yml",
}
# What else the check of a playbook is told.
ALSO = {
    "bluegreen.yml": ", waves=not ansible_check_mode",
    "break_glass.yml": """, also='-e mcp_restore=true' if mcp_restore is defined else "-e \\"mcp_reason='why'\\"\"""",
    "watch.yml": ", forks=ansible_forks",
}
EMERGENCIES = {"break_glass.yml", "rollback.yml"}
SERVER = {
    "mcp_endpoint": {"url": "http://127.0.0.1:9"},
    "mcp_image": "example/image",
    "mcp_kubeconfig": "/nowhere/kubeconfig",
}
INVENTORY = {
    "mcp": {
        "hosts": {
            "a": {"mcp_namespace": "prod", **SERVER},
            "b": {"mcp_namespace": "prod", **SERVER},
            "twin": {"mcp_namespace": "prod", "mcp_server": "a", **SERVER},
        }
    },
    "web": {"hosts": {"web1": {"ansible_connection": "ssh", "ansible_become": True}}},
}


@pytest.fixture
def play(tmp_path):
    """Start a playbook; return its exit code and its output, on one line."""
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump(INVENTORY))

    def play(name: str, *words: str) -> tuple[int, str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_", "KUBE"))
        }
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "10000",
        }
        command = ["ansible-playbook", f"mcp.server.{name}", "-i", str(inventory), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return play


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "a and twin are the same server: both have httproute prod/a. Remove one of them"),
        (("-l", "all"), "a and twin are the same server"),
        (("-l", "web"), "None of the matching hosts (web1) is an MCP server."),
        (("-e", "mcp_hosts=nothere"), "No host of the inventory matches nothere, so nothing was done."),
        (("-e", "mcp_hosts=a", "-l", "b"), "No host of the inventory matches a and b, so nothing was done."),
        (("-l", "nothere"), "hosts to target"),  # Ansible's own
    ],
)
def test_what_a_rollback_refuses_to_run_on(play, words, says):
    code, output = play("rollback", *words)
    assert code != 0 and says in output and "mcp.server.rollback :" not in output, output


def test_more_than_one_server_that_nobody_named_is_refused(play, tmp_path):
    (tmp_path / "two.yml").write_text(
        yaml.safe_dump({"mcp": {"hosts": {name: INVENTORY["mcp"]["hosts"][name] for name in ("a", "b")}}})
    )
    (tmp_path / "inventory.yml").unlink()
    (tmp_path / "two.yml").rename(tmp_path / "inventory.yml")
    # One play of each shape of the check; that all others have the same words is the last test here.
    for name in ("bluegreen.yml", "break_glass.yml", "watch.yml"):
        code, output = play(name.removesuffix(".yml"), "-e", "version=v1.2.0")
        assert (
            code != 0
            and f"Refusing to run {name} on 2 servers that were not named: a, b. Name one, -l a, or all of them, -l "
            f"all."
            in output
        )
    code, output = play("break_glass")
    assert "For example: ansible-playbook break_glass.yml -l a -e \"mcp_reason='why'\"" in output, output
    code, output = play("rollback", "-l", "all")
    assert code != 0 and "Refusing" not in output and "/nowhere/kubeconfig" in output, output
    code, output = play("status")
    assert code != 0 and "Refusing" not in output and "/nowhere/kubeconfig" in output, output


@pytest.mark.parametrize(("given", "hosts"), [(["a", "b"], "ab"), ("a,b", "ab"), (["b"], "b")])
def test_servers_may_be_named_by_a_list(play, given, hosts):
    code, output = play("rollback", "-e", json.dumps({"mcp_hosts": given}))
    assert (
        code == 2
        and "Refusing" not in output
        and {name for name in INVENTORY["mcp"]["hosts"] if f"{name} : ok=" in output} == set(hosts)
    ), output


def test_what_is_no_pattern_of_servers_is_a_sentence(play):
    code, output = play("rollback", "-e", '{"mcp_hosts": 7}')
    assert code != 0 and "No host of the inventory matches 7, so nothing was done." in output, output


def test_a_limit_that_is_partly_in_a_file_names_all_of_it(play, tmp_path):
    (tmp_path / "retry").write_text("b\n")
    code, output = play("rollback", "-l", f"a,@{tmp_path}/retry")
    assert code != 0 and "Refusing" not in output and all(f"{name} : ok=" in output for name in ("a", "b")), output


def test_one_server_needs_no_name_and_other_hosts_are_left_alone(play, tmp_path):
    one = {"mcp": {"hosts": {"a": INVENTORY["mcp"]["hosts"]["a"]}}, "web": INVENTORY["web"]}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(one))
    code, output = play("rollback")
    assert code != 0 and "/nowhere/kubeconfig" in output and "web1 :" not in output, output


def test_a_connection_and_a_become_of_the_inventory_don_t_count(play, tmp_path):
    variables = {"ansible_connection": "ssh", "ansible_become": True, "ansible_python_interpreter": "/nowhere/python"}
    one = {
        "all": {
            "vars": variables,
            "children": {"mcp": {"hosts": {"a": {"mcp_namespace": "prod", **SERVER, **variables}}}},
        }
    }
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(one))
    code, output = play("rollback")
    assert (
        code != 0
        and "/nowhere/kubeconfig" in output
        and "UNREACHABLE" not in output
        and "/nowhere/python" not in output
    ), output


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_playbook_looks_which_servers_are_meant(playbook):
    file = SERVERS if playbook.name == "bluegreen.yml" else playbook
    (play,) = yaml.safe_load(file.read_text())
    assert "mcp.server.require_hosts(" in play["hosts"]
    assert [(file.parent / one).resolve() for one in play["vars_files"]] == [ROOT / "playbooks/vars/controller.yml"]
    assert (play.get("strategy") == "ansible.builtin.linear") == (playbook.name in EMERGENCIES)
    (check, variables) = play["pre_tasks"]
    if playbook.name in EMERGENCIES:  # no task, in which nothing fails
        assert "mcp.server.check_variables'" in variables["when"] and "strict=false" in variables["when"]
    else:  # a task, whose failure is that of its host
        assert "mcp.server.check_variables'" in variables["ansible.builtin.assert"]["that"] and "when" not in variables
    assert variables["tags"] == "always"
    assert all(task["ansible.builtin.import_role"]["rolespec_validate"] is False for task in play["tasks"])
    assert "mcp.server.is_no_mcp_server(" in check["when"] and check["tags"] == "always"
    writes = f", writes='{playbook.name}'" if playbook.name in WRITES else ""
    assert check["when"] == (
        "inventory_hostname | mcp.server.is_no_mcp_server(hostvars, ansible_play_hosts_all, "
        f"named=ansible_limit | default(mcp_hosts | default('')){writes}{ALSO.get(playbook.name, '')})"
    )
