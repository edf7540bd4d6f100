# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook controller.yml with the real modules of awx.awx, before a fake of AWX's API that is ours (fakes/awx.py).

Their action plugins are ours, too: they run the same modules in the worker's process, which saves most of the time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "unit"), str(ROOT / "tests" / "tools")]

import bundle  # noqa: E402
from fakes import awx as fake  # noqa: E402

SECRETS = ("s3cret-kubeconfig", "s3cret-hook", "s3cret-registry")
VARIABLES = {
    "mcp_controller_organization": "Platform",
    "mcp_controller_image": "registry.example/mcp-ee:1.0.0",
    "mcp_controller_hosts": {
        "shop": {"groups": ["production"], "variables": {"mcp_namespace": "prod"}},
        "shop-staging": {"groups": ["staging"], "variables": {"mcp_namespace": "staging"}},
    },
    "mcp_controller_credentials": [
        {"name": "cluster", "kind": "kubeconfig"},
        {"name": "registry", "kind": "registry", "use": ["release"]},
        {"name": "their vault"},
    ],
    "mcp_controller_secrets": {
        "cluster": {"kubeconfig": SECRETS[0]},
        "registry": {"config": SECRETS[2]},
        "chat": {"url": f"https://hooks.example/{SECRETS[1]}", "http_method": "POST", "headers": {}},
    },
    "mcp_controller_notifications": [{"name": "chat", "kind": "webhook"}],
}


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """Return a folder with awx.awx, whose modules run in the worker's process."""
    place = tmp_path_factory.mktemp("collections")
    shutil.copytree(bundle.folder("awx.awx") / "ansible_collections", place / "ansible_collections")
    plugins = place / "ansible_collections" / "awx" / "awx" / "plugins"
    (plugins / "action").mkdir()
    for module in (plugins / "modules").glob("*.py"):
        shutil.copy(Path(__file__).parent / "plugins" / "in_process_module.py", plugins / "action" / module.name)
    return place


@pytest.fixture
def project(tmp_path):
    """Return a checkout of a bare repository with an empty branch main."""
    folder = tmp_path / "project"
    for words in (
        ["init", "--quiet", "--bare", "--initial-branch=main", "project.git"],
        ["clone", "--quiet", "project.git", "project"],
        ["-C", "project", "config", "user.name", "eva"],
        ["-C", "project", "config", "user.email", "eva@example.com"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    return folder


@pytest.fixture
def awx(project):
    """Yield a fake AWX with an organization, a credential and a job template of others."""

    def playbooks(one):
        listed = ["git", "-C", f"{project}.git", "ls-tree", "-r", "--name-only", "main"]
        done = subprocess.run(listed, check=False, capture_output=True, text=True)
        return {"site.yml"} if one["name"] == "theirs" else set(done.stdout.splitlines())

    with fake.Awx(playbooks) as awx:
        company = awx.make("organizations", name="Platform")["id"]
        machine = awx.make("credential_types", name="Machine", inputs={"fields": []})["id"]
        awx.make("credentials", name="their vault", credential_type=machine, organization=company)
        theirs = awx.make("projects", name="theirs", organization=company)["id"]
        awx.make("job_templates", name="their job", organization=company, project=theirs, playbook="site.yml")
        yield awx


@pytest.fixture
def play(awx, collections, project, tmp_path):
    """Return a function that plays controller.yml; it returns the exit code and the output."""

    def play(*words, **variables):
        given = {**VARIABLES, "mcp_controller_project": {"repository": f"{project}.git", "folder": str(project)}}
        (tmp_path / "vars.json").write_text(json.dumps({**given, **variables}))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        own = os.environ.get("ANSIBLE_COLLECTIONS_PATH") or str(ROOT / "playbooks" / "collections")
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": f"{own}:{collections}",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "CONTROLLER_HOST": awx.url,
            "CONTROLLER_OAUTH_TOKEN": fake.TOKEN,
            "HOME": str(tmp_path),
        }
        command = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "mcp.server.controller",
            "-e",
            f"@{tmp_path}/vars.json",
            *words,
        ]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return play


def everything(awx):
    return {number: (kind, json.dumps(one, sort_keys=True)) for number, (kind, one) in awx.objects.items()}


def test_it_makes_all_of_it_once_and_removes_what_it_made(awx, play, project):
    before = everything(awx)
    # An earlier run ended here, when the repository had nothing yet.
    ours = {"description": "Wrapper playbooks of mcp.server. (mcp.server: mcp)", "scm_type": "git", "organization": 1}
    awx.make("projects", name="mcp project", **ours)
    pushing = {"repository": f"{project}.git", "folder": str(project), "push": "true"}
    code, output = play("-vv", mcp_controller_project=pushing)
    assert code == 0, output
    assert {number: text for number, text in everything(awx).items() if number in before} == before
    _is_complete(awx)
    made, awx.writes = everything(awx), []

    again_code, again = play("-vv", mcp_controller_project=pushing)
    assert again_code == 0 and "changed=0 " in again, again
    assert awx.writes == [] and everything(awx) == made

    awx.make("job_templates", name="mcp job of others", organization=1, project=4, playbook="site.yml")
    before = {**before, **{number: text for number, text in everything(awx).items() if number not in made}}
    code, gone = play("-vv", mcp_controller_state="absent")
    assert code == 0, gone
    assert everything(awx) == before
    assert [file.name for file in project.glob("**/*.yml")] == []
    for text in (output, again, gone):
        assert not [secret for secret in SECRETS if secret in text]


def _is_complete(awx):
    assert awx.named("credentials", "mcp cluster")["inputs"] == {"kubeconfig": SECRETS[0]}
    assert awx.linked("job_templates", "mcp release", "credentials") == ["mcp cluster", "mcp registry", "their vault"]
    assert awx.linked("job_templates", "mcp staging", "credentials") == ["mcp cluster", "their vault"]
    assert awx.linked("groups", "production", "hosts") == ["shop"]
    assert awx.linked("workflow_job_template_nodes", "approve 50", "failure_nodes") == ["rollback"]
    assert awx.linked("workflow_job_template_nodes", "approve 10", "failure_nodes") == []
    assert awx.named("workflow_job_template_nodes", "release 10")["extra_data"] == {"mcp_stop_after": "10"}
    assert awx.named("workflow_job_template_nodes", "rollback")["extra_data"] == {
        "mcp_rollback_only_unfinished": "true"
    }
    assert awx.holders("job_templates", "mcp break glass", "execute_role") == {"mcp break glass"}
    assert awx.holders("job_templates", "mcp rollback", "execute_role") == {"mcp operators"}
    assert awx.holders("workflow_job_templates", "mcp workflow release", "approval_role") == {"mcp approvers"}
    assert {one["name"] for one in awx.of_kind("schedules")} == {
        "mcp watch schedule",
        "mcp validation schedule",
        "mcp review schedule",
    }


def test_what_others_made_under_a_wanted_name_stops_it_before_anything_is_changed(awx, play):
    awx.make("inventories", name="mcp servers", organization=1)
    code, output = play()
    assert code and "inventories that this role did not make: mcp servers. Nothing was changed." in output, output
    assert awx.writes == []


def test_a_credential_without_its_secret_stops_it_before_anything_is_changed(awx, play):
    code, output = play(mcp_controller_secrets={"cluster": {"kubeconfig": SECRETS[0]}, "chat": "text"})
    said = "Nothing was changed: mcp_controller_secrets has no dictionary for chat, registry."
    assert code and said in " ".join(output.split()) and SECRETS[0] not in output, output
    assert awx.writes == []


def test_another_branch_is_not_pushed(awx, play, project):
    subprocess.run(["git", "-C", str(project), "checkout", "--quiet", "-b", "feature"], check=True)
    code, output = play(mcp_controller_project={"repository": "x", "folder": str(project), "push": "true"})
    said = f"{project} has the branch feature, and a push would bring all of it to main, so nothing was pushed."
    assert code and said in " ".join(output.split()), output
    assert awx.writes == []


def test_without_awx_awx_it_says_what_to_install(play, collections):
    away = collections / "ansible_collections" / "awx"
    away.rename(collections / "away")
    try:
        code, output = play()
    finally:
        (collections / "away").rename(away)
    assert code and "ansible-galaxy collection install awx.awx" in " ".join(output.split()), output
