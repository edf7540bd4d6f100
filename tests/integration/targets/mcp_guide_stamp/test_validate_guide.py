# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""validate_guide.yml on a staging server, by a user with exactly the Roles of docs/validate_guide.md."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import yaml
from conftest import Staging
from looking import differences, looked_at
from playing import kubectl, play, variables

# What is checked on a server that has neither Prometheus nor a version to release.
CHECKED = {
    *("cluster", "secrets", "entries", "architecture", "availability", "emergency_rollback", "logs"),
    *("debug", "instances", "distribution", "break_glass", "no_secrets", "matrix"),
}


def inventory(staging: Staging, folder: Path, **more: t.Any) -> str:
    host = {
        **variables(staging.server.name, staging.server.host, mcp_namespace=staging.namespace),
        "mcp_kubeconfig": staging.kubeconfig,
        "mcp_required_secrets": [{"name": "mcp-server-secrets", "keys": ["database-url"]}],
        "mcp_escalation": [{"kind": "deployment", "name": "Platform Engineering On-Call"}],
        "mcp_debug_image_ref": "ghcr.io/org/mcp-debug:1.0.0",
        **more,
    }
    file = folder / "staging.yml"
    file.write_text(yaml.safe_dump({"all": {"hosts": {"staging": host}}}))
    return str(file)


def validate(inventory: str, *words: str) -> tuple[int, str]:
    return play("playbooks/validate_guide.yml", "-i", inventory, "-l", "staging", *words)


def stamps(staging: Staging) -> dict[str, dict[str, str]]:
    name = f"configmap/{staging.server.name}-release"
    found = json.loads(kubectl("-n", staging.namespace, "get", name, "-o", "json"))
    return json.loads(found["metadata"]["annotations"]["mcp.server/last-guide"])


def test_a_server_that_is_there_for_it(staging: Staging, tmp_path: Path) -> None:
    """All parts run, nothing is changed but the note, and nobody needs more rights than the page says."""
    before = looked_at(kubectl, staging.namespace)
    code, text = validate(inventory(staging, tmp_path, mcp_validate_guide=True), "-e", f"mcp_output={tmp_path}/found")
    print(text)
    assert code == 0, text
    (found,) = json.loads((tmp_path / "found").read_text())["servers"]
    rows = {one["id"]: one for one in found["checks"]}
    assert {name for name, one in rows.items() if one["verdict"] == "passed"} >= CHECKED
    assert not [one for one in rows.values() if one["required"] and not one["ok"]]
    noted = stamps(staging)
    assert set(noted) >= CHECKED and all(one["verdict"] == "passed" for name, one in noted.items() if name in CHECKED)
    changed = differences(before, looked_at(kubectl, staging.namespace))
    assert {path.split(" ")[0] for path in changed} <= {"ConfigMap"}, changed


def test_every_part_runs_though_one_fails(staging: Staging, tmp_path: Path) -> None:
    wants = [{"name": "mcp-server-secrets", "keys": ["database-url", "token"]}]
    code, text = validate(inventory(staging, tmp_path, mcp_validate_guide=True, mcp_required_secrets=wants))
    flat = " ".join(text.split())
    assert code == 2 and "Secret mcp-server-secrets has no value for token: add it." in flat, text
    noted = stamps(staging)
    assert noted["secrets"]["verdict"] == "failed"
    assert all(noted[name]["verdict"] == "passed" for name in CHECKED - {"secrets"}), noted
    assert "sandbox-only" not in text


def test_no_other_server_is_tried(staging: Staging, tmp_path: Path) -> None:
    """-e holds for every host, production too."""
    before = looked_at(kubectl, staging.namespace)
    code, text = validate(inventory(staging, tmp_path), "-e", "mcp_validate_guide=true")
    assert code == 2 and "Set mcp_validate_guide: true on the host of a staging server" in " ".join(text.split()), text
    assert "mcp.server.preflight" not in text
    assert not differences(before, looked_at(kubectl, staging.namespace))
