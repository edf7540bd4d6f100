# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server out of an image, in a namespace that takes restricted pods only: installed, released, installed again."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import typing as t
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, ROOT, clients, kubectl, module, play, variables

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

OLD, NEW = "v1.1.5", "v1.2.0"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
SECRET = "only-in-the-kustomize-folder"


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    name = f"install-try-{secrets.token_hex(3)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "database", "namespace": name},
            "stringData": {"DATABASE_URL": DATABASE},
        },
    ]
    try:
        kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def inventory(folder: Path, namespace: str, **more: t.Any) -> tuple[str, ...]:
    """Return the words for a play on the server installed. more: variables; by default it plays as an administrator."""
    its = variables(
        "installed",
        host_of(namespace),
        **{
            "mcp_namespace": namespace,
            "mcp_kubeconfig": CONFIG["admin_kubeconfig"],
            "mcp_install_gateway": {"name": "sandbox", "namespace": "projectcontour"},
            "mcp_install_replicas": 1,
            "mcp_install_metrics_port": 9090,
            "mcp_install_ready_path": "/ready",
            "mcp_install_run_as_user": 10001,
            "mcp_install_pre_stop_seconds": 2,
            "mcp_install_termination_seconds": 10,
            "mcp_install_env_from": [{"secretRef": {"name": "database"}}],
            "mcp_install_resources": {
                "requests": {"cpu": "1m", "memory": "64Mi"},
                "limits": {"memory": "256Mi"},
            },
            # Of the namespace of this run: it has no other rights here.
            "mcp_install_releasers": [
                {"kind": "ServiceAccount", "name": "mcp-releaser", "namespace": CONFIG["test_namespace"]}
            ],
            "mcp_steps": [{"weight": 10, "seconds": 2}, {"weight": 100, "seconds": 2}],
            "mcp_warm_seconds": 1,
            **more,
        },
    )
    file = folder / "installed.yml"
    file.write_text(json.dumps({"installed": {"hosts": {"installed": its}}}))
    return ("-i", str(file), "-l", "installed")


def host_of(namespace: str) -> str:
    return f"{namespace}.{CONFIG['public_host']}"


def looked_at(namespace: str) -> t.Any:
    """Return all objects of the namespace that an install makes, with their resourceVersions."""
    kinds = "deployment,service,httproute,serviceaccount,role,rolebinding,poddisruptionbudget"
    found = json.loads(kubectl("-n", namespace, "get", kinds, "-l", "app=installed", "-o", "json"))["items"]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def versions(objects: dict[tuple[str, str], t.Any]) -> dict[tuple[str, str], tuple[str, int]]:
    """Return what a write changes: not the status."""
    return {
        key: (json.dumps(one.get("spec", one.get("rules")), sort_keys=True), one["metadata"].get("generation", 0))
        for key, one in objects.items()
    }


def test_an_image_is_installed_released_and_installed_again(namespace: str, tmp_path: Path) -> None:
    admin = inventory(tmp_path, namespace)
    code, said = play("playbooks/install.yml", *admin, "-e", f"version={OLD}", "--check", "--diff")
    assert code == 0 and "+kind: HTTPRoute" in said, said
    assert looked_at(namespace) == {}

    code, said = play("playbooks/install.yml", *admin, "-e", f"version={OLD}", "--diff")
    assert code == 0, said
    first = looked_at(namespace)
    assert len(first) == 10
    code, said = play("playbooks/install.yml", *admin, "-e", f"version={OLD}")
    assert code == 0 and "changed=0" in said, said
    assert versions(looked_at(namespace)) == versions(first)

    # As the releaser, who has only the Role that was installed.
    releaser = inventory(tmp_path, namespace, mcp_kubeconfig=CONFIG["kubeconfig"])
    code, said = play("playbooks/preflight.yml", *releaser, "-e", f"version={NEW}")
    assert code == 0, said
    with clients(tmp_path, 40, host=host_of(namespace)) as seen:
        code, said = play("playbooks/bluegreen.yml", *releaser, "-e", f"version={NEW}")
        assert code == 0, said
        released = looked_at(namespace)
        admin = inventory(tmp_path, namespace)
        code, said = play("playbooks/install.yml", *admin, "-e", f"version={OLD}", "--diff")
        assert code == 0 and "changed=0" in said, said
        assert versions(looked_at(namespace)) == versions(released)

        # A change of the pods keeps what the release set, too.
        longer = inventory(tmp_path, namespace, mcp_install_termination_seconds=12)
        code, said = play("playbooks/install.yml", *longer, "-e", f"version={OLD}", "--diff")
        assert code == 0 and "changed=1" in said, said
        kubectl("-n", namespace, "rollout", "status", "deployment/installed-green", "--timeout=60s")
    assert seen["failed"] == 0 and seen["sent"] > 500, seen
    after = looked_at(namespace)
    green = after["Deployment", "installed-green"]["spec"]
    assert green["template"]["spec"]["terminationGracePeriodSeconds"] == 12
    assert f":{NEW}@sha256:" in green["template"]["spec"]["containers"][0]["image"] and green["replicas"] == 1
    backends = after["HTTPRoute", "installed"]["spec"]["rules"][0]["backendRefs"]
    assert [one["weight"] for one in backends] == [0, 100]


def test_what_others_set_is_refused_and_taken_over_by_force(namespace: str, tmp_path: Path) -> None:
    options = {
        "namespace": namespace,
        "server": "other",
        "kubeconfig": CONFIG["admin_kubeconfig"],
        "image_ref": f"{CONFIG['image']}:{OLD}",
        "hostname": f"other.{host_of(namespace)}",
        "gateway": {"name": "sandbox", "namespace": "projectcontour"},
    }
    # No pods: only writes are looked at here.
    deployments = {}
    for pool in ("blue", "green"):
        labels = {"app": "other", "pool": pool}
        pod = {"containers": [{"name": "other", "image": options["image_ref"]}]}
        spec = {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        }
        file = tmp_path / f"{pool}.yml"
        file.write_text(
            yaml.safe_dump(
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"other-{pool}"}, "spec": spec}
            )
        )
        deployments[f"deployment_{pool}"] = str(file)
    options["manifests"] = deployments
    kubectl("-n", namespace, "create", "service", "clusterip", "other-blue", "--tcp=8080")
    failed = module("mcp_install", fails=True, **options)
    assert "there already is Service other-blue" in failed["msg"], failed
    assert module("mcp_install", force=True, **options)["changed"]
    assert not module("mcp_install", **options)["changed"]

    patch = json.dumps({"spec": {"maxUnavailable": 2}})
    kubectl("-n", namespace, "patch", "poddisruptionbudget", "other-blue", "--type=merge", "-p", patch)
    failed = module("mcp_install", fails=True, **options)
    assert failed["managers"] == ["kubectl-patch"], failed
    assert module("mcp_install", force=True, **options)["changed"]
    assert not module("mcp_install", **options)["changed"]


def test_the_documented_role_installs_and_grants_the_releasers(namespace: str, tmp_path: Path) -> None:
    """Kubernetes lets nobody grant what he does not have, which the fake API server of the unit tests does not know."""
    page = (ROOT / "docs/rights.md").read_text().partition("## The installer's Role")[2]
    rules = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    releaser = (ROOT / "sandbox/manifests/mcp-server/role.yaml").read_text().replace("mcp-server", "granted")
    group, place = "rbac.authorization.k8s.io", {"name": "installer", "namespace": namespace}
    objects = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": place, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": place,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "installer"},
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
    ]

    def grant() -> None:
        kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    grant()
    kubeconfig = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
    token = kubectl("-n", namespace, "create", "token", "installer").strip()
    kubeconfig["users"] = [{**one, "user": {"token": token}} for one in kubeconfig["users"]]
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    options = {
        "namespace": namespace,
        "server": "granted",
        "kubeconfig": str(tmp_path / "kubeconfig"),
        "image_ref": f"{CONFIG['image']}:{OLD}",
        "hostname": f"granted.{host_of(namespace)}",
        "gateway": {"name": "sandbox", "namespace": "projectcontour"},
        "releasers": [{"kind": "User", "name": "eva"}],
        # Its pods are not looked at, and start nowhere.
        "resources": {"requests": {"cpu": "1000"}},
    }
    failed = module("mcp_install", fails=True, **options)
    assert "not currently held" in failed["msg"] and "docs/rights.md" in failed["msg"], failed
    rules += yaml.safe_load(releaser)["rules"]
    grant()
    assert module("mcp_install", **options)["changed"]
    assert not module("mcp_install", **options)["changed"]
    assert module("mcp_install", **{**options, "termination_seconds": 90})["changed"]


@pytest.mark.skipif(not (shutil.which("kustomize") or shutil.which("kubectl")), reason="no kustomize and no kubectl")
def test_a_kustomize_folder_replaces_and_adds(namespace: str, tmp_path: Path) -> None:
    folder = tmp_path / "kustomize"
    folder.mkdir()
    resources = {
        "secret.yml": {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "more"},
            "stringData": {"token": SECRET},
        },
        "account.yml": {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "installed", "annotations": {"example.com/role": "mine"}},
            "automountServiceAccountToken": False,
        },
        "kustomization.yml": {"resources": ["secret.yml", "account.yml"]},
    }
    for name, content in resources.items():
        (folder / name).write_text(yaml.safe_dump(content))
    words = inventory(tmp_path, namespace, mcp_install_kustomize=str(folder))
    code, said = play("playbooks/install.yml", *words, "-e", f"version={OLD}", "--diff")
    assert code == 0 and SECRET not in said and "hidden" in said and "example.com/role: mine" in said, said
    code, said = play("playbooks/install.yml", *words, "-e", f"version={OLD}")
    assert code == 0 and "changed=0" in said, said
    (folder / "kustomization.yml").write_text("resources: [nothing.yml]\n")
    code, said = play("playbooks/install.yml", *words, "-e", f"version={OLD}")
    assert code and "failed: " in said and "nothing.yml" in said and "Traceback" not in said, said
