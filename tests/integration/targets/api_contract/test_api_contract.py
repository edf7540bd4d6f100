# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real API server answers as the table has it, by which the unit tests judge the fake one."""

from __future__ import annotations

import json
import secrets
import typing as t
from dataclasses import replace

import pytest
from playing import CONFIG, kubectl

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.client import Client
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.locate import locate
from ansible_collections.mcp.server.tests.unit.fakes.api_contract import Case, Sides, problems
from ansible_collections.mcp.server.tests.unit.fakes.api_contract_cases import CASES, READY, RULES, USER

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"], reason="makes a namespace of its own, which takes an administrator"
)


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    """Return a namespace of its own, where the limited user has its rights."""
    name = f"api-contract-{secrets.token_hex(3)}"
    place = {"name": "limited", "namespace": name}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "limited"}
    rights = "rbac.authorization.k8s.io/v1"
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": rights, "kind": "Role", "metadata": place, "rules": RULES},
        {
            "apiVersion": rights,
            "kind": "RoleBinding",
            "metadata": place,
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
    ]
    kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def sides(namespace: str) -> Sides:
    access = locate({"kubeconfig": CONFIG["admin_kubeconfig"]}, {})
    limited = replace(access.user, impersonation=(("Impersonate-User", (USER.replace("{ns}", namespace),)),))
    both = Sides(Client(access, 10.0), Client(replace(access, user=limited), 10.0), real=True)
    assert problems(READY, both, namespace) == []
    return both


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_real_api_server(case: Case, sides: Sides, namespace: str) -> None:
    assert problems(case, sides, namespace) == []
