# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays and single modules on the cluster, as a user starts them; for the targets that are pytest (runme.sh)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

CONFIG = json.loads((Path(__file__).with_name("integration_config.yml")).read_text())
ROOT = Path(CONFIG["root"])
INVENTORY = ROOT / "inventory" / "sandbox"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_"))},
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
    "KUBECONFIG": CONFIG["kubeconfig"],
    "MCP_URL": CONFIG["public_url"],
    "MCP_REGISTRY": CONFIG["registry_url"],
    "MCP_NAMESPACE": CONFIG["test_namespace"],
    "MCP_HOST": CONFIG["public_host"],
    "MCP_PROMETHEUS": CONFIG["prometheus_url"],
    "ANSIBLE_NOCOLOR": "1",
    "MCP_TEST_TOKEN": "planted-4c1e6f0b9d.token",
}
# What no output and no record may ever show: a planted token for the MCP endpoint, and what the kubeconfig gives us to log in with.
SECRETS = [ENVIRONMENT["MCP_TEST_TOKEN"], *re.findall(r"(?:token|client-key-data)\"?: *\"?([^\"\s]{20,})", Path(CONFIG["kubeconfig"]).read_text())]


def play(playbook: str, *words: str, cwd: Path = ROOT, seconds: float = 240, **environment: str) -> tuple[int, str]:
    command = ["ansible-playbook", playbook, "-i", str(INVENTORY), *words]
    done = subprocess.run(
        command, cwd=cwd, env={**ENVIRONMENT, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False
    )
    assert not [secret for secret in SECRETS if secret in done.stdout]
    return done.returncode, done.stdout


def module(name: str, arguments: str = "", server: str = "mcp-server") -> dict:
    one_line = {"ANSIBLE_LOAD_CALLBACK_PLUGINS": "1", "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline"}
    target = arguments if arguments.startswith("{") else f"namespace={CONFIG['test_namespace']} server={server} {arguments}"
    command = ["ansible", "localhost", "-c", "local", "-m", f"mcp.server.{name}", "-a", target]
    done = subprocess.run(command, cwd=ROOT, env={**ENVIRONMENT, **one_line}, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.JSONDecoder().raw_decode(done.stdout[done.stdout.index("=> ") + 3 :])[0]


def kubectl(*words: str, stdin: str | None = None) -> str:
    from_sandbox = sorted(Path.home().glob(".cache/mcp-sandbox/binaries-*/kubectl"))
    binary = from_sandbox[-1] if from_sandbox else "kubectl"
    command = [str(binary), "--kubeconfig", CONFIG["admin_kubeconfig"], *words]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=True).stdout


def weights() -> dict:
    return module("mcp_release")["weights"]


def blue_again() -> None:
    module("mcp_rollout", f"pool=blue image={CONFIG['image']}:v1.1.5 replicas=2")
    module("mcp_traffic_shift", "pool=blue weight=100")
    module("mcp_rollout", "pool=green replicas=0")
    if module("mcp_release")["record"] is not None:
        module("mcp_release", "state=ended outcome=rolled_back")
