# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A staging server in a namespace of its own, with two versions that a release has left."""

from __future__ import annotations

import secrets
import typing as t

import pytest
from playing import CONFIG, kubectl
from roles_of_pages import account, apply, kubeconfig_of, releasers_rules, rules_of_page
from small_servers import Place, Small, small_servers

# Whose Roles the page of validate_guide.yml names, beside the releaser's.
PAGES = ("status.md", "validate.md", "diagnose.md", "debug.md", "break-glass.md")


class Staging(t.NamedTuple):
    """The server, and the kubeconfig of whoever has the Roles of docs/validate_guide.md and nothing else."""

    namespace: str
    server: Small
    kubeconfig: str


@pytest.fixture(scope="session")
def staging(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Staging]:
    namespace = f"guide-{secrets.token_hex(3)}"
    secret = {"name": "mcp-server-secrets", "namespace": namespace}
    database = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": {"database-url": database}},
        # What Kubernetes can't narrow to names; small_servers give the rest to the same account.
        *account(namespace, "mcp-releaser", releasers_rules()),
    ]
    place = Place(kubectl, namespace, CONFIG["public_host"], CONFIG["public_url"])
    try:
        apply(*objects)
        with small_servers(place, ["guide"]) as servers:
            server = servers["guide"]
            rules = [rule for page in PAGES for rule in rules_of_page(page, server.name)]
            named = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mcp-server-secrets"]}
            rules.append({**named, "verbs": ["get"]})
            (binding,) = [one for one in account(namespace, "validator", rules) if one["kind"] == "RoleBinding"]
            binding["subjects"][0]["name"] = "mcp-releaser"
            apply(*[one for one in account(namespace, "validator", rules) if one["kind"] == "Role"], binding)
            folder = tmp_path_factory.mktemp("guide")
            yield Staging(namespace, server, kubeconfig_of(namespace, "mcp-releaser", folder))
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
