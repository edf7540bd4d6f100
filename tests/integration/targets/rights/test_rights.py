# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks that change nothing, each by a user with exactly the Role that docs/rights.md gives it.

The other playbooks have such a test in their own target: see tests/unit/plugins/test_rights_of_playbooks.py.
"""

from __future__ import annotations

import secrets
import typing as t
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, kubectl, module, play, variables
from roles_of_pages import Rules, account, apply, kubeconfig_of, releasers_rules, rules_of_page
from small_servers import Place, Small, small_servers

NEW = "v1.2.0"
HEADINGS = {"report": "Reports and replays", "replay": "Reports and replays", "watch": "The watcher's Role"}
WORDS = {
    "report": ("-e", "mcp_report_dir={folder}"),
    "replay": ("-e", "mcp_replay_dest={folder}/replay.html"),
    "watch": ("-e", "mcp_watch_seconds=2 mcp_watch_rollback=false"),
}


class Released(t.NamedTuple):
    """A server in a namespace of its own, which one release went to."""

    namespace: str
    server: Small
    folder: Path

    def user(self, name: str, rules: Rules) -> str:
        apply(*account(self.namespace, name, rules))
        return kubeconfig_of(self.namespace, name, self.folder)

    def play(self, playbook: str, kubeconfig: str, *words: str) -> tuple[int, str]:
        host = {
            **variables(self.server.name, self.server.host, mcp_namespace=self.namespace),
            "mcp_kubeconfig": kubeconfig,
            "mcp_prometheus": {"url": CONFIG["prometheus_url"], "source": ["app", "kubelet"]},
        }
        file = self.folder / "inventory.yml"
        file.write_text(yaml.safe_dump({"all": {"hosts": {"released": host}}}))
        words = tuple(one.format(folder=self.folder) for one in words)
        code, text = play(f"playbooks/{playbook}.yml", "-i", str(file), "-l", "released", *words)
        print(text)
        return code, " ".join(text.split())


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Released]:
    namespace = f"rights-{secrets.token_hex(3)}"
    database = {"database-url": "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"}
    secret = {"name": "mcp-server-secrets", "namespace": namespace}
    place = Place(kubectl, namespace, CONFIG["public_host"], CONFIG["public_url"])
    folder = tmp_path_factory.mktemp("rights")
    try:
        apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": database},
            *account(namespace, "mcp-releaser", releasers_rules()),
        )
        with small_servers(place, ["released"]) as servers:
            server = servers["released"]
            releaser = kubeconfig_of(namespace, "mcp-releaser", folder)
            where = {"namespace": namespace, "server": server.name, "kubeconfig": releaser}
            new = {"image_ref": f"{CONFIG['image']}:{NEW}", "version": NEW}
            run = {"run_id": module("mcp_release", state="begun", reason="a test", **new, **where)["run_id"], **where}
            module("mcp_rollout", pool="green", image_ref=new["image_ref"], replicas=1, wait_timeout=60, **run)
            module("mcp_traffic_shift", pool="green", weight=100, timeout=60, session_mode="stateless", **run)
            module("mcp_release", state="ended", outcome="succeeded", **run)
            yield Released(namespace, server, folder)
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


@pytest.mark.parametrize("playbook", HEADINGS)
def test_exactly_this_role(released: Released, playbook: str) -> None:
    rules = rules_of_page("rights.md", released.server.name, HEADINGS[playbook])
    code, said = released.play(playbook, released.user(playbook, rules), *WORDS[playbook])
    assert code == 0 and "Forbidden" not in said and "may not" not in said, said


@pytest.mark.parametrize(
    ("playbook", "resource"),
    [("report", "configmaps"), ("watch", "httproutes"), ("watch", "leases")],
)
def test_one_rule_less_is_named(released: Released, playbook: str, resource: str) -> None:
    """So the page has no rule to spare, and the message says which one is missing."""
    rules = rules_of_page("rights.md", released.server.name, HEADINGS[playbook])
    fewer = [rule for rule in rules if resource not in rule["resources"]]
    code, said = released.play(playbook, released.user(f"{playbook}-less-{resource}", fewer), *WORDS[playbook])
    assert code == 2 and f'cannot get resource "{resource}"' in said and "docs/rights.md" in said, said
