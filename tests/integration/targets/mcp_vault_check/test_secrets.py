# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The protocol for secrets: Secrets, Vault, and the rights of the server's pods, as a user with the documented Role."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import typing as t
from pathlib import Path

import hashi_vault
import pytest
import yaml
from looking import differences, looked_at
from planted import DATABASE_PASSWORD, PLANTED
from planted import shown as shows
from playing import COLLECTIONS, CONFIG, ENVIRONMENT, ROOT, kubectl, module
from roles_of_pages import apply, kubeconfig_of

from ansible_collections.mcp.server.tests.unit.fakes.vault import Vault

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

NAME, SECRET, ACCOUNT = "weather", "mcp-server-secrets", "mcp-server-sa"
RBAC = "rbac.authorization.k8s.io"
NEEDED = [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET], "verbs": ["get"]}]
OURS = ("secrets", "secrets_age", "service_account_rights", "service_account_excess")


def documented_rules() -> list[dict[str, t.Any]]:
    page = (ROOT / "docs/secrets.md").read_text()
    (block,) = re.findall(r"```yaml\n(- apiGroups.*?)```", page, re.DOTALL)
    return yaml.safe_load(block)


def role(namespace: str, name: str, rules: list[dict[str, t.Any]], account: str) -> list[dict[str, t.Any]]:
    place = {"name": name, "namespace": namespace}
    binding = {
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": place, "rules": rules},
        {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": place, **binding},
    ]


def workload(namespace: str, pool: str) -> dict[str, t.Any]:
    """Return a Deployment without pods: what is checked is its template."""
    labels = {"app": NAME, "pool": pool}
    spec = {"serviceAccountName": ACCOUNT, "containers": [{"name": NAME, "image": "example/weather:v1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{NAME}-{pool}", "namespace": namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    name = f"secrets-try-{secrets.token_hex(3)}"
    pools = [f"{NAME}-{pool}" for pool in ("blue", "green")]
    rules = [
        *documented_rules(),
        {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": pools, "verbs": ["get"]},
    ]
    values = {"DATABASE_URL": f"postgresql://mcp:{DATABASE_PASSWORD}@db/mcp", "EMPTY": ""}
    try:
        apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
            *(
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": one, "namespace": name}}
                for one in (ACCOUNT, "checker")
            ),
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": SECRET, "namespace": name},
                "stringData": values,
            },
            *(workload(name, pool) for pool in ("blue", "green")),
            *role(name, "checker", rules, "checker"),
        )
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def kubeconfig(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return kubeconfig_of(namespace, "checker", tmp_path_factory.mktemp("checker"))


def checked(namespace: str, kubeconfig: str, **options: t.Any) -> dict[str, dict[str, t.Any]]:
    """Return the results by id. The server has neither a Service nor a route, so that the module fails as a whole."""
    given = {"namespace": namespace, "server": NAME, "kubeconfig": kubeconfig, "scope": ["now"], **options}
    found = module("mcp_preflight", fails=True, **given)
    assert not shows(json.dumps(found), PLANTED)
    return {one["id"]: one for one in found["checks"] if one["id"] in OURS}


def verdicts(found: dict[str, dict[str, t.Any]]) -> dict[str, str]:
    return {name: one["verdict"] for name, one in found.items()}


def test_secrets_and_rights_as_they_should_be(namespace: str, kubeconfig: str) -> None:
    apply(*role(namespace, "server", NEEDED, ACCOUNT))
    before = looked_at(kubectl, namespace)
    found = checked(
        namespace,
        kubeconfig,
        required_secrets=[{"name": SECRET, "keys": ["DATABASE_URL"], "max_age_days": 1}],
        service_account_rights=NEEDED,
    )
    assert verdicts(found) == dict.fromkeys(OURS, "passed"), found
    assert found["secrets_age"]["message"] == f"Secret {SECRET} was created today and last changed today."
    assert found["service_account_excess"]["message"].startswith(f"ServiceAccount {namespace}/{ACCOUNT} of the ")
    assert differences(before, looked_at(kubectl, namespace)) == {}


def test_what_is_missing_or_empty_is_named(namespace: str, kubeconfig: str) -> None:
    wanted = [{"name": SECRET, "keys": ["DATABASE_URL", "EMPTY", "TOKEN"]}, {"name": "nowhere"}]
    said = checked(namespace, kubeconfig, required_secrets=wanted)["secrets"]
    assert said["verdict"] == "failed"
    assert f"Secret {SECRET} has no value for EMPTY, TOKEN: add it; " in said["message"]
    # The Role narrows get to one name: who may not read a Secret does not learn whether it is there.
    assert "this user may not read Secret nowhere: grant get on it by name" in said["message"]


def test_an_old_secret_is_warned_of_and_fails_nothing(namespace: str, kubeconfig: str) -> None:
    wanted = [{"name": SECRET, "max_age_days": -1}]  # nobody can make the API server's clock older
    said = checked(namespace, kubeconfig, required_secrets=wanted)["secrets_age"]
    assert (said["verdict"], said["required"]) == ("failed", False)
    assert f"Secret {SECRET} was last changed today, and may be -1 days old: put new values into it" in said["message"]


def test_a_right_that_is_missing_and_rights_too_many(namespace: str, kubeconfig: str) -> None:
    rules = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]},
        {"apiGroups": [RBAC], "resources": ["roles"], "verbs": ["bind"]},
    ]
    wanted = [{**NEEDED[0], "resourceNames": ["another"]}]
    apply(*role(namespace, "too-many", rules, ACCOUNT))
    found = checked(namespace, kubeconfig, service_account_rights=wanted)
    assert found["service_account_rights"]["verdict"] == "failed"
    assert "may not get secrets another: add it to a Role" in found["service_account_rights"]["message"]
    said = found["service_account_excess"]
    assert said["verdict"] == "failed"
    assert (
        "may list secrets, create pods/exec, patch deployments.apps, bind roles.rbac.authorization.k8s.io"
        in said["message"]
    )
    assert f'RBAC: allowed by RoleBinding "too-many/{namespace}" of Role "too-many"' in said["message"]
    allowed = checked(namespace, kubeconfig, service_account_rights=rules, service_account="nobody")
    assert verdicts(allowed)["service_account_rights"] == "failed"
    allowed = checked(namespace, kubeconfig, service_account_rights=rules)
    assert verdicts(allowed)["service_account_rights"] == verdicts(allowed)["service_account_excess"] == "passed"
    kubectl("-n", namespace, "delete", "rolebinding", "too-many")


def test_without_the_right_to_ask_it_is_skipped_and_says_which_rule_is_missing(namespace: str, kubeconfig: str) -> None:
    kubectl("-n", namespace, "patch", "role", "checker", "--type=json", "-p", '[{"op": "remove", "path": "/rules/1"}]')
    try:
        found = checked(namespace, kubeconfig, service_account_rights=NEEDED)
    finally:
        apply(*role(namespace, "checker", documented_rules(), "checker"))
    assert verdicts(found)["service_account_excess"] == "skipped"
    assert 'no permission. Add {"apiGroups": ["authorization.k8s.io"]' in found["service_account_excess"]["message"]


# Vault

TOKEN, OTHER_TOKEN = "hvs.planted-vault-token-1", "hvs.planted-vault-token-2"


def play(folder: Path, asked: dict[str, dict[str, t.Any]], *, installed: bool = True) -> dict[str, t.Any]:
    """Return what mcp_vault_check registers in a play, by name, for each of these options."""
    dest = folder / "found.json"
    tasks = [
        {"mcp.server.mcp_vault_check": {"vault": vault}, "register": name, "ignore_errors": True}
        for name, vault in asked.items()
    ]
    registered = ", ".join(f"'{name}': {name}" for name in asked)
    content = f"{{{{ {{{registered}}} | to_json }}}}"
    tasks.append({"ansible.builtin.copy": {"content": content, "dest": str(dest), "mode": "0600"}})
    its = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    book = folder / "play.yml"
    one = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": its, "tasks": tasks}
    book.write_text(json.dumps([one]))
    place = hashi_vault.folder() if installed else folder
    environment = {
        **ENVIRONMENT,
        "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{place}",
        "PYTHONPATH": str(place),
        "VAULT_GOOD": TOKEN,
        "VAULT_POOR": OTHER_TOKEN,
        "VAULT_PASSWORD": DATABASE_PASSWORD,
    }
    done = subprocess.run(
        ["ansible-playbook", "-vvv", str(book)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert dest.exists(), done.stdout
    assert not shows(done.stdout + dest.read_text(), [*PLANTED, TOKEN, OTHER_TOKEN])
    return json.loads(dest.read_text())


def rows(found: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    return {one["id"]: (one["verdict"], one["message"]) for one in found["checks"]}


def vault() -> Vault:
    server = Vault()
    server.secrets = {
        "secret/mcp/database": {"password": DATABASE_PASSWORD, "empty": ""},
        "old/mcp": {"key": DATABASE_PASSWORD},
    }
    server.policies = {TOKEN: None, OTHER_TOKEN: []}
    server.logins = {"auth/userpass/login/jane": {"password": DATABASE_PASSWORD}}
    return server


GOOD = {"path": "mcp/database", "keys": ["password"]}
NO_VAULT = "http://127.0.0.1:1"


def test_vaults_good_and_bad(tmp_path: Path) -> None:
    with vault() as server, vault() as sealed, vault() as slow:
        sealed.sealed, slow.seconds = True, 3.0
        its = {"url": server.url, "token_env": "VAULT_GOOD", "secrets": [GOOD]}
        wrong = [
            {**GOOD, "path": "mcp/nowhere"},
            {"mount": "old", "path": "mcp", "keys": ["key", "missing"]},
            {**GOOD, "max_age_days": 3, "keys": ["empty"]},
        ]
        login = {"auth_method": "userpass", "username": "jane", "password_env": "VAULT_PASSWORD"}
        found = play(
            tmp_path,
            {
                "good": its,
                "wrong": {**its, "secrets": wrong},
                "denied": {**its, "token_env": "VAULT_POOR"},
                "login": {"url": server.url, **login, "secrets": [GOOD]},
                "refused": {"url": server.url, **login, "password_env": "VAULT_POOR", "secrets": [GOOD]},
                "sealed": {**its, "url": sealed.url},
                "slow": {**its, "url": slow.url, "timeout": 1},
                "away": {**its, "url": NO_VAULT},
            },
        )
        asked = [(method, path.removeprefix("/v1/")) for method, path, _token in server.asked]
    host = f"Vault {server.url.removeprefix('http://')}"

    assert not found["good"]["failed"] and rows(found["good"])["vault:secret/mcp/database"][0] == "passed"
    wrongs = rows(found["wrong"])
    assert wrongs["vault:secret/mcp/nowhere"] == (
        "failed",
        f"{host} has no secret secret/mcp/nowhere, or its newest version is deleted: put it there, or correct path and "
        "mount in mcp_vault.",
    )
    assert wrongs["vault:old/mcp"] == ("failed", f"{host}: old/mcp has no value for missing: add it.")
    assert wrongs["vault:secret/mcp/database"][1].endswith("has no value for empty: add it.")
    assert wrongs["vault_age:secret/mcp/database"][0] == "failed"
    denied = rows(found["denied"])["vault:secret/mcp/database"]
    assert denied[0] == "failed" and 'path "secret/data/mcp/database" { capabilities = ["read"] }' in denied[1]

    # Its token is revoked.
    assert not found["login"]["failed"], found["login"]
    assert "auth/token/revoke-self" in [path for _method, path in asked] and not server.tokens
    verdict, said = rows(found["refused"])["vault"]
    assert verdict == "failed" and "refuses the login by userpass" in said

    for name, words in (("sealed", "is sealed"), ("slow", "does not answer within 1 s"), ("away", "does not answer: ")):
        verdict, said = rows(found[name])["vault"]
        assert verdict == "cannot_measure" and words in said, name
        assert found[name]["failed"]


def test_without_the_collection_it_is_not_measured(tmp_path: Path) -> None:
    asked = {"url": NO_VAULT, "token_env": "VAULT_GOOD", "secrets": [GOOD]}
    found = play(tmp_path, {"absent": asked}, installed=False)["absent"]
    verdict, said = rows(found)["vault"]
    assert verdict == "cannot_measure" and "ansible-galaxy collection install community.hashi_vault" in said
