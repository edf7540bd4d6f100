# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks like a secret in a pod template: tables."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._install import pod_secrets


def workload(pod: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"kind": "Deployment", "spec": {"template": {"spec": pod}}}


@pytest.mark.parametrize(
    "around",
    [
        lambda pod: {"kind": "Job", "spec": {"template": {"spec": pod}}},
        lambda pod: {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}},
        lambda pod: {"kind": "Pod", "spec": pod},
    ],
)
def test_pods_of_every_kind(around: t.Callable[[t.Any], t.Any]) -> None:
    pod = {"containers": [{"name": "w", "env": [{"name": "API_TOKEN", "value": "abcdef"}]}]}
    assert pod_secrets.in_template(around(pod)) == ["abcdef"]


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("API_TOKEN", "abcdef", True),
        ("OPENAI_API_KEY", "abcdef", True),
        ("DB_PASSWORD", "abcdef", True),
        ("DB_PWD", "abcdef", True),
        ("AWS_SECRET_ACCESS_KEY", "abcdef", True),
        ("AZURE_STORAGE_CONNECTION_STRING", "abcdef", True),
        ("DATABASE_URL", "postgresql://user:secret@db/x", True),
        ("DATABASE_URL", "postgresql://db/x", False),
        ("LOG_LEVEL", "info", False),
        ("KEYBOARD", "us", False),
    ],
)
def test_values_that_look_like_secrets(name: str, value: str, hidden: bool) -> None:
    pod = {"containers": [{"name": "w", "env": [{"name": name, "value": value}, {"name": "X", "valueFrom": {}}]}]}
    assert pod_secrets.in_template(workload(pod)) == ([value] if hidden else [])


@pytest.mark.parametrize(
    ("words", "hidden"),
    [
        (["serve", "--api-key=abcdef"], ["abcdef"]),
        (["serve", "--token", "abcdef", "--port", "8080"], ["abcdef"]),
        (["serve", "--token", "--verbose"], []),
        (["serve", "postgresql://user:secret@db/x"], ["postgresql://user:secret@db/x"]),
        (["serve", "--db", "postgresql://db/x", "--token"], []),
    ],
)
def test_options_that_look_like_secrets(words: list[str], hidden: list[str]) -> None:
    assert pod_secrets.in_template(workload({"initContainers": [{"name": "i", "command": words}]})) == hidden
    assert pod_secrets.in_template(workload({"containers": [{"name": "w", "args": words}]})) == hidden


def test_objects_without_pods_have_none() -> None:
    for one in ({"kind": "Role", "rules": []}, {"kind": "Service", "spec": {"ports": []}}, {"spec": None}):
        assert pod_secrets.in_template(one) == []
