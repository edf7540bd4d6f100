# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What staging.yml shows of what was made and what was not."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._results import FAILED, PASSED, SKIPPED, result
from ansible_collections.mcp.server.plugins.plugin_utils import _staging
from ansible_collections.mcp.server.plugins.plugin_utils._staging import checks, helm_problem, helm_values

ROLE = Path(__file__).parents[4] / "roles" / "staging"
IMAGE = {"changed": False, "registry_image": {"image_ref": "r.io/mcp:v1", "digest": "sha256:1"}}
SKIPPED_TASK = {"changed": False, "skipped": True}
HEALTHY = {
    "changed": False,
    "seconds": 0.5,
    "servers": [
        {
            "target": "https://mcp.example.com",
            "protocol_version": "2025-11-25",
            "health": {},
            "steps": [{"name": "ping"}],
            "tools": ["a", "b"],
            "version": "1.2.0",
        }
    ],
}
STAGED = {"checks": [result("apply", "apply", PASSED, "a"), result("rollout", "rollout", PASSED, "r")]}
NOT_READY = {**STAGED, "checks": [STAGED["checks"][0], result("rollout", "rollout", FAILED, "r")], "msg": "r"}
FLOWS = {"checks": [result("flow_1", "one", FAILED, "f")], "msg": "f"}
HAS = {"registry": "True", "helm": False, "endpoint": True, "flows": True, "entry": True}
ALL = {"image": IMAGE, "stage": STAGED, "internal": HEALTHY, "external": HEALTHY, "flows": FLOWS, "load": HEALTHY}
NONE = {**ALL, **dict.fromkeys(("internal", "external", "flows", "load"), SKIPPED_TASK)}


@pytest.mark.parametrize(
    ("found", "has", "is_check", "wanted", "words"),
    [
        (ALL, {}, False, "ppppfp", {}),
        # Tasks without results are one check each.
        ({**ALL, "internal": {"msg": "no answer"}}, {}, False, "pppfpfp", {"internal": "no answer"}),
        ({**NONE, "stage": NOT_READY}, {}, False, "ppfssss", {"load": 'not made, as "rollout" failed'}),
        (
            {**NONE, "image": {"msg": "missing"}, "stage": SKIPPED_TASK},
            {},
            False,
            "fssssss",
            {"apply": 'as "image in the registry" failed', "rollout": "image in the registry"},
        ),
        ({**NONE, "stage": SKIPPED_TASK, "helm": {"msg": "no chart"}}, {"helm": True}, False, "pfssssss", {}),
        (NONE, {}, True, "pppssss", {"flow": "in check mode"}),
        (
            {**NONE, "image": SKIPPED_TASK},
            {"endpoint": False, "flows": "false", "entry": False},
            False,
            "sppssss",
            {
                "registry": "mcp_check_registry",
                "external": "mcp_endpoint is not set",
                "flow": "No critical flow is declared (mcp_critical_flows)",
                "load": "neither",
            },
        ),
    ],
)
def test_each_has_a_row(
    found: dict[str, t.Any], has: dict[str, t.Any], is_check: bool, wanted: str, words: dict[str, str]
) -> None:
    made = checks(found, {**HAS, **has}, is_check)
    verdict = {PASSED: "p", FAILED: "f", SKIPPED: "s"}
    shown = "".join(verdict[one["verdict"]] for one in made)
    assert shown == (wanted if found is not ALL else "pppppfp"), made
    for name, text in words.items():
        (one,) = [one for one in made if one["id"] == name]
        assert text in one["message"]


def test_an_entry_says_what_answered() -> None:
    made = {one["id"]: one for one in checks(ALL, HAS, False)}
    assert made["external"]["message"] == (
        "https://mcp.example.com answers with a good health document, MCP 2025-11-25, a ping, 2 tools, version 1.2.0."
    )
    assert made["external"]["seconds"] == 0.5
    assert made["registry"]["message"] == "r.io/mcp:v1 is there: sha256:1."


@pytest.mark.parametrize("found", [None, {}, {"image": None}, {"image": "x", "stage": [], "load": 3}])
def test_tasks_that_registered_nothing_are_skipped(found: t.Any) -> None:
    assert {one["verdict"] for one in checks(found, None, False)} == {SKIPPED}


@pytest.mark.parametrize(
    ("chart", "there", "words"),
    [
        ({}, (), ""),
        ({"release": "a"}, (), "collection kubernetes.core"),
        ({"release": "a"}, ("ansible_collections.kubernetes",), "collection kubernetes.core"),
        ({"release": "a"}, ("ansible_collections.kubernetes", "ansible_collections.kubernetes.core"), "helm, which"),
    ],
)
def test_what_helm_needs(
    monkeypatch: pytest.MonkeyPatch, chart: dict[str, str], there: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr(_staging.importlib.util, "find_spec", lambda name: name if name in there else None)
    monkeypatch.setattr(_staging.shutil, "which", lambda _name: None)
    assert words in helm_problem(chart) and bool(helm_problem(chart)) is bool(words)
    monkeypatch.setattr(_staging.shutil, "which", lambda name: name)
    assert bool(helm_problem(chart)) is (bool(words) and len(there) < 2)


@pytest.mark.parametrize(
    ("target", "environment", "words"),
    [
        ({}, {}, ""),
        ({"kubeconfig": "k", "context": "c", "api_key": None, "api_timeout": 10.0}, {}, ""),
        ({"host": "https://a"}, {}, "and mcp_api_host is set"),
        ({"kubeconfig": "k", "username": "u", "validate_certs": False}, {}, "mcp_username and mcp_validate_certs are"),
        # What names the cluster of the modules is in the inventory, and helm would go to production.
        ({"kubeconfig": "k"}, {"K8S_AUTH_CONTEXT": "production"}, "would follow K8S_AUTH_CONTEXT"),
        ({"context": "c"}, {"K8S_AUTH_HOST": "https://b"}, "would follow K8S_AUTH_HOST"),
        ({"context": "c"}, {"K8S_AUTH_CONTEXT": "production", "K8S_AUTH_KUBECONFIG": "k"}, ""),
        # Both follow it.
        ({}, {"K8S_AUTH_CONTEXT": "c", "K8S_AUTH_HOST": "https://b"}, ""),
    ],
)
def test_helm_reaches_the_same_cluster_as_the_modules(
    monkeypatch: pytest.MonkeyPatch, target: dict[str, t.Any], environment: dict[str, str], words: str
) -> None:
    monkeypatch.setattr(_staging.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(_staging.shutil, "which", lambda name: name)
    problem = helm_problem({"release": "a"}, target, environment)
    assert words in problem and bool(problem) is bool(words)


def test_an_error_of_helm_has_no_secret_of_the_chart() -> None:
    planted = ["Wq7-planted-1", "Wq7-planted-2", "Wq7-planted-3", "pg://u:Wq7-planted-4@db"]
    values = {
        "database": {"password": planted[0], "url": planted[3]},
        "env": [{"name": "API_TOKEN", "value": planted[1]}, {"name": "REGION", "value": "europe-1"}],
        "secrets": {"credentials": [planted[2]]},
    }
    message = f"Error: cannot parse {' and '.join(planted)} of europe-1\nin secret.yaml"
    found = {**NONE, "stage": SKIPPED_TASK, "helm": {"msg": message}, "chart": {"release": "a", "values": values}}
    (row,) = [one for one in checks(found, {**HAS, "helm": True}, False) if one["id"] == "helm"]
    assert row["verdict"] == "failed" and "planted" not in str(row)
    assert "of europe-1 in secret.yaml" in row["message"]


@pytest.mark.parametrize(
    ("values", "path", "wanted"),
    [
        (None, "image.tag", {"image": {"tag": "v1"}}),
        ({"image": {"repository": "r"}, "a": 1}, "image.tag", {"image": {"repository": "r", "tag": "v1"}, "a": 1}),
        ({"image": "text"}, "image.tag", {"image": {"tag": "v1"}}),
        ({}, "version", {"version": "v1"}),
    ],
)
def test_the_values_of_a_chart(values: t.Any, path: str, wanted: dict[str, t.Any]) -> None:
    before = repr(values)
    assert helm_values(values, path, "v1") == wanted and repr(values) == before


def test_helm_shows_no_value_of_the_chart() -> None:
    """What its task shows with -v, and its diff, has all of them."""
    (task,) = yaml.safe_load((ROLE / "tasks" / "helm.yml").read_text(encoding="utf-8"))
    assert task["no_log"] is True
