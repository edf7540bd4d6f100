# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module, in a process of its own (become) and in the controller's with an environment, where no API server
answers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
# Nobody listens there. Apart, only the other process has the address (become/plain.py); here, the environment of the
# task.
DEAD = {"apart": "http://127.0.0.1:1", "here": "http://127.0.0.1:2"}

SERVER = {"namespace": "mcp", "server": "weather"}
ELSEWHERE = {"url": "http://127.0.0.1:3"}
RELEASE = {
    "version": "v1.0.0",
    "image": "example/weather",
    "steps": [{"weight": 100, "seconds": 1}],
    "endpoint": ELSEWHERE,
}
# What each module needs at least, and what is said where that is not of the API server.
OPTIONS = {
    "mcp_adopt": (SERVER, None),
    "mcp_alert_check": (
        {**SERVER, "alertmanager": ELSEWHERE, "test_receiver": "test"},
        "Alertmanager 127.0.0.1:3 does not answer",
    ),
    "mcp_announce": ({**SERVER, "webhooks": [{"url_env": "HOME"}]}, None),
    "mcp_break_glass": ({**SERVER, "reason": "INC-42"}, None),
    "mcp_compatibility": (SERVER, None),
    "mcp_contract": ({**SERVER, "pool": "green"}, None),
    "mcp_debug": ({**SERVER, "image_ref": "example/tools:v1"}, None),
    "mcp_dependency_check": ({**SERVER, "dependencies": [{"name": "database", "command": ["true"]}]}, None),
    # It says what it could not read, and goes on.
    "mcp_diagnose_info": ({**SERVER, "timeout": 5}, None),
    "mcp_drill": ({**SERVER, "endpoint": ELSEWHERE, "allowed": True}, None),
    "mcp_flow_check": (
        {**SERVER, "checks": [{"name": "ready", "pod": {"command": ["true"]}}], "api_retry_timeout": 0},
        None,
    ),
    "mcp_gate": (
        {**SERVER, "pool": "green", "prometheus": ELSEWHERE},
        "Prometheus at http://127.0.0.1:3 does not answer",
    ),
    "mcp_git_push": (
        {
            "repository": "/nonexistent",
            "changes": [{"file": "a", "regexp": "a", "replace": "b"}],
            "commit_message": "a",
        },
        "git clone failed with exit code 128",
    ),
    "mcp_guard": ({**SERVER, "state": "absent"}, None),
    "mcp_guide_stamp": ({**SERVER, "allowed": True}, None),
    "mcp_fleet": ({"state": "judged"}, "mcp_fleet found no fleet"),
    "mcp_scaffold": (
        {"folder": "/nonexistent", "path": "a", "content": "a", "once": True},
        "which is no clone of a Git repository",
    ),
    "mcp_verdict": ({"checks": []}, "no check was made"),
    "mcp_health": ({**SERVER, "pool": "green"}, None),
    "mcp_install": (
        {**SERVER, "image_ref": "example/weather:v1.0.0", "hostname": "weather.example", "gateway": {"name": "any"}},
        None,
    ),
    "mcp_instances_info": (SERVER, None),
    "mcp_load_test": (
        {**SERVER, "endpoint": ELSEWHERE, "tool_path": "/nonexistent"},
        "/nonexistent, no file that can be run",
    ),
    "mcp_plan_info": ({**SERVER, **RELEASE}, None),
    "mcp_preflight": (SERVER, None),
    "mcp_release": ({**SERVER, "state": "ended", "outcome": "failed"}, None),
    "mcp_release_info": (SERVER, None),
    "mcp_replay_info": ({**SERVER, "prometheus": ELSEWHERE}, "Prometheus at http://127.0.0.1:3 does not answer"),
    "mcp_report": ({**SERVER, "dest": "/nonexistent/"}, None),
    "mcp_rollback": ({**SERVER, "wait": False}, None),
    "mcp_rollback_target": ({**SERVER, "version": "v1.0.0", "image": "example/weather"}, None),
    "mcp_rollout": ({**SERVER, "pool": "green", "replicas": 1}, None),
    "mcp_rollout_info": (SERVER, None),
    "mcp_secret_scan": ({"paths": ["/nonexistent"]}, "/nonexistent does not exist"),
    "mcp_silence": ({**SERVER, "alertmanager": ELSEWHERE, "seconds": 1}, "Alertmanager 127.0.0.1:3 does not answer"),
    "mcp_stage": ({**SERVER, "image_ref": "example/weather:v1.0.0"}, None),
    "mcp_status_info": ({**SERVER, "endpoint": ELSEWHERE}, None),
    "mcp_traffic_shift": ({**SERVER, "pool": "green", "weight": 10}, None),
    "mcp_vault_check": ({"vault": ELSEWHERE}, "Vault cannot be asked without the collection community.hashi_vault"),
    "mcp_validate": ({**SERVER, "endpoint": ELSEWHERE}, "127.0.0.1:3"),
    "mcp_version_check": (SERVER, None),
    "mcp_version_consistency": (SERVER, None),
    "mcp_watch": ({**SERVER, "endpoint": ELSEWHERE, "seconds": 1, "run_id": "a-run"}, None),
}


@pytest.fixture(scope="module")
def results(play, tmp_path_factory):
    """Return each module's two results, from one play."""
    file = tmp_path_factory.mktemp("results") / "results.json"
    tasks = []
    for name, (options, _words) in OPTIONS.items():
        apart = {f"mcp.server.{name}": options, "become": True, "become_method": "plain"}
        here = {f"mcp.server.{name}": options, "environment": {"K8S_AUTH_HOST": DEAD["here"]}}
        tasks += [
            {**task, "register": f"{where}_{name}", "ignore_errors": True}
            for where, task in (("apart", apart), ("here", here))
        ]
    registered = ", ".join(f"'{where}_{name}': {where}_{name}" for where in DEAD for name in OPTIONS)
    tasks.append(
        {
            "ansible.builtin.copy": {
                "content": f"{{{{ {{{registered}}} | to_json }}}}",
                "dest": str(file),
                "mode": "0600",
            }
        }
    )
    output, _errors = play(tasks).communicate(timeout=300)
    assert file.exists(), output
    return json.loads(file.read_text())


def test_no_module_is_forgotten():
    assert sorted(OPTIONS) == MODULES


@pytest.mark.parametrize("where", DEAD)
@pytest.mark.parametrize("name", OPTIONS)
def test_it_fails_with_its_own_sentence(results, name, where):
    said = json.dumps(results[f"{where}_{name}"])
    words = OPTIONS[name][1]
    assert (words or f"The API server {DEAD[where]} does not answer") in said
    assert not re.search("Traceback|ImportError|ModuleNotFound|MODULE FAILURE|module_std", said)
