# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role git_push with a bare repository, its variables as text, as from -e and a survey of AWX."""

from __future__ import annotations

import json
import subprocess

import pytest

CHANGES = [
    {"file": "{{ git_push_pool }}.yaml", "regexp": r"(image: r/x):\S+", "replace": r"\g<1>:{{ git_push_version }}"}
]


@pytest.fixture
def bare(tmp_path):
    """Return a function that calls Git in a bare repository whose branch main has a file of the pool green."""
    url, theirs = tmp_path / "apps.git", tmp_path / "theirs"

    def git(*words, at=url):
        command = ["git", "-c", "user.name=eva", "-c", "user.email=eva@example.com", *words]
        return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet", "--bare", "--initial-branch=main", str(url), at=tmp_path)
    git("clone", "--quiet", str(url), str(theirs), at=tmp_path)
    (theirs / "green.yaml").write_text("image: r/x:v1\n")
    git("checkout", "--quiet", "-b", "main", at=theirs)
    git("add", "--all", at=theirs)
    git("commit", "--quiet", "--message", "first", at=theirs)
    git("push", "--quiet", "origin", "main", at=theirs)
    git.url = str(url)
    return git


def role(**variables):
    given = {
        "git_push_version": "v2",
        "git_push_pool": "green",
        "mcp_namespace": "prod",
        "mcp_git_changes": CHANGES,
        **variables,
    }
    return {"ansible.builtin.include_role": {"name": "mcp.server.git_push", "rolespec_validate": False}, "vars": given}


def test_it_pushes_once_and_only_when_it_shall(play, bare):
    tasks = [
        role(mcp_git_repository=""),
        role(),
        role(mcp_git_repository=bare.url, git_push_only_check="true"),
        {
            "ansible.builtin.command": {"argv": ["git", "--git-dir", bare.url, "log", "--format=%s", "main"]},
            "register": "before",
            "changed_when": False,
        },
        role(mcp_git_repository=bare.url, git_push_only_check="false", mcp_git_timeout="60", mcp_git_author="Ansible"),
        role(mcp_git_repository=bare.url, mcp_git_changes=json.dumps(CHANGES)),
        {"ansible.builtin.assert": {"that": "before.stdout == 'first'"}},
    ]
    output, _errors = play(tasks).communicate(timeout=120)
    assert "changed=1 " in output and "failed=0" in output, output
    assert bare("log", "--format=%an: %s", "main").splitlines() == ["Ansible: Release v2 of localhost", "eva: first"]
    assert bare("show", "main:green.yaml") == "image: r/x:v2\n"


def test_what_it_can_not_push_fails_the_play(play, bare):
    task = role(mcp_git_repository=bare.url, mcp_git_changes=json.loads(json.dumps(CHANGES).replace("r/x", "r/y")))
    process = play([task])
    output, _errors = process.communicate(timeout=120)
    assert process.returncode and "matches nothing in green.yaml" in output, output
    assert "what is in the cluster stays as it is" in output
