# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Git repository is told of a release that succeeded; a push that fails does not make the release a failed one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playing import CONFIG, kubectl, module, play, variables
from small_servers import Place, Small, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes servers of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PLACE = Place(kubectl, CONFIG["test_namespace"], CONFIG["public_host"], CONFIG["public_url"])
FILE = "image: ghcr.io/org/mcp-server:v1.1.5\n"
CHANGES = [
    {
        "file": "{{ git_push_pool }}.yaml",
        "regexp": r"(image: ghcr\.io/org/mcp-server):\S+",
        "replace": r"\g<1>:{{ git_push_version }}",
    }
]


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=eva", "-c", "user.email=eva@example.com", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return a bare repository whose branch main has a file for each pool."""
    url, theirs = tmp_path / "apps.git", tmp_path / "theirs"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(url))
    git(tmp_path, "clone", "--quiet", str(url), str(theirs))
    for pool in ("blue", "green"):
        (theirs / f"{pool}.yaml").write_text(FILE)
    for words in (
        ("checkout", "--quiet", "-b", "main"),
        ("add", "--all"),
        ("commit", "--quiet", "-m", "first"),
        ("push", "--quiet", "origin", "main"),
    ):
        git(theirs, *words)
    return url


def words(folder: Path, server: Small, bare: Path) -> tuple[str, ...]:
    steps = [{"weight": 100, "seconds": 2}]
    its = variables(
        server.name,
        server.host,
        mcp_warm_seconds=0,
        mcp_steps=steps,
        mcp_git_repository=str(bare),
        mcp_git_changes=CHANGES,
    )
    file = folder / "told.yml"
    file.write_text(json.dumps({"told": {"hosts": {"small": its}}}))
    return ("-i", str(file), "-l", "small", "-e", "version=v1.2.0")


def test_a_release_is_pushed_and_what_could_not_be_pushed_is_pushed_by_the_same_command(
    bare: Path, tmp_path: Path
) -> None:
    hook = bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is frozen' >&2\nexit 1\n")
    hook.chmod(0o755)
    with small_servers(PLACE, ["told"]) as servers:
        server = servers["told"]
        code, said = play("playbooks/bluegreen.yml", *words(tmp_path, server, bare), "--check", "--diff")
        assert code == 0 and "+image: ghcr.io/org/mcp-server:v1.2.0" in said, said
        code, said = play("playbooks/bluegreen.yml", *words(tmp_path, server, bare))
        assert code and "main is frozen" in said and "what is in the cluster stays as it is" in said, said
        released = module("mcp_release_info", server=server.name)
        assert released["record"]["outcome"] == "succeeded" and released["weights"] == {"blue": 0, "green": 100}
        hook.unlink()
        code, said = play("playbooks/bluegreen.yml", *words(tmp_path, server, bare))
        assert code == 0, said
        assert module("mcp_release_info", server=server.name)["record"] == released["record"]
    assert git(bare, "log", "--format=%s", "main").splitlines() == [f"Release v1.2.0 of {server.name}", "first"]
    assert git(bare, "show", "main:green.yaml") == FILE.replace("v1.1.5", "v1.2.0")
    assert git(bare, "show", "main:blue.yaml") == FILE
