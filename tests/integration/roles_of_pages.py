# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users with exactly the Role that a page of docs/ gives, for tests that play with it."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import playing
import yaml
from playing import CONFIG, kubectl
from small_servers import MANIFESTS

GROUP = "rbac.authorization.k8s.io"
Rules = list[dict[str, t.Any]]


def releasers_rules() -> Rules:
    """Return what Kubernetes can't narrow to names of the releaser's Role; small_servers have the rest."""
    role = yaml.safe_load((MANIFESTS / "role.yaml").read_text())
    return [rule for rule in role["rules"] if "resourceNames" not in rule]


def rules_of_page(page: str, server: str, heading: str = "Rights", which: int = 0) -> Rules:
    """Return the rules that a page of docs/ gives below a heading, for this server.

    which: of the YAML there, as a list of rules or a whole Role.
    """
    text = (playing.ROOT / "docs" / page).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[which])
    rules = found["rules"] if isinstance(found, dict) else found
    for rule in rules:
        if "resourceNames" in rule:
            rule["resourceNames"] = [name.replace("mcp-server", server) for name in rule["resourceNames"]]
    return rules


def account(namespace: str, name: str, rules: Rules) -> list[dict[str, t.Any]]:
    """Return a ServiceAccount with a Role of its own."""
    place = {"name": name, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": place, "rules": rules},
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "RoleBinding",
            "metadata": place,
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": place["name"]},
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
    ]


def kubeconfig_of(namespace: str, account: str, folder: Path) -> str:
    """Write a kubeconfig with a token of this ServiceAccount."""
    content = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
    token = kubectl("-n", namespace, "create", "token", account, "--duration=2h").strip()
    content["users"] = [{**one, "user": {"token": token}} for one in content["users"]]
    file = folder / f"{account}.kubeconfig"
    file.touch(mode=0o600)
    file.write_text(json.dumps(content))
    return str(file)


def apply(*objects: dict[str, t.Any]) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
