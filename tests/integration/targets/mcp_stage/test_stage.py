# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A version for a server without pools: its image alone, a kustomize folder with a StatefulSet, and a full quota."""

from __future__ import annotations

import json
import secrets
import shutil
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, kubectl, module

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

OLD, NEW = "v1.1.5", "v1.2.0"


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    name = f"stage-try-{secrets.token_hex(3)}"
    try:
        kubectl("create", "namespace", name)
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def workload(kind: str, name: str) -> dict[str, t.Any]:
    labels = {"app": name}
    pod = {
        "containers": [
            {
                "name": "main",
                "image": f"{CONFIG['image']}:{OLD}",
                # Its pods are to run, not to serve.
                "command": ["sleep", "3600"],
                "resources": {"requests": {"cpu": "1m", "memory": "16Mi"}},
            }
        ],
        "terminationGracePeriodSeconds": 0,
    }
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def stage(namespace: str, version: str, **options: t.Any) -> dict[str, t.Any]:
    given = {
        "namespace": namespace,
        "kubeconfig": CONFIG["admin_kubeconfig"],
        "image_ref": f"{CONFIG['image']}:{version}",
        **options,
    }
    return module("mcp_stage", **given)


def verdicts(result: dict[str, t.Any]) -> list[str]:
    return [one["verdict"] for one in result["checks"]]


def image(namespace: str, name: str) -> str:
    found = json.loads(kubectl("-n", namespace, "get", name, "-o", "json"))
    return found["spec"]["template"]["spec"]["containers"][0]["image"]


def test_a_workload_that_is_there_gets_the_image(namespace: str) -> None:
    kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps(workload("Deployment", "alone")))
    missing = stage(namespace, NEW, server="nobody", fails=True)
    assert verdicts(missing) == ["failed", "skipped"] and "mcp_staging_source" in missing["msg"]
    would = stage(namespace, NEW, server="alone", check=True)
    assert would["changed"] and verdicts(would) == ["passed", "skipped"]
    assert image(namespace, "deployment/alone").endswith(OLD)
    done = stage(namespace, NEW, server="alone")
    assert done["changed"] and verdicts(done) == ["passed", "passed"]
    assert image(namespace, "deployment/alone").endswith(NEW)
    assert not stage(namespace, NEW, server="alone")["changed"]


@pytest.mark.skipif(not (shutil.which("kustomize") or shutil.which("kubectl")), reason="no kustomize and no kubectl")
def test_a_kustomize_folder_with_a_stateful_set(namespace: str, tmp_path: Path) -> None:
    (tmp_path / "set.yaml").write_text(yaml.safe_dump(workload("StatefulSet", "ordered")))
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["set.yaml"], "namePrefix": "my-"}))
    options = {"server": "mcp", "kustomize": str(tmp_path), "workload": {"stateful_set": "my-ordered"}}
    named = stage(namespace, NEW, **{**options, "workload": "another"}, fails=True)
    assert "StatefulSet my-ordered" in named["msg"] and "mcp_staging_workload" in named["msg"]
    done = stage(namespace, NEW, **options)
    assert verdicts(done) == ["passed", "passed"] and [one["action"] for one in done["objects"]] == ["created"]
    assert image(namespace, "statefulset/my-ordered").endswith(NEW)
    assert not stage(namespace, NEW, **options)["changed"]
    assert "name it as kustomize" in stage(namespace, NEW, server="mcp", folder=str(tmp_path), fails=True)["msg"]


def test_a_full_quota_ends_the_wait(namespace: str, tmp_path: Path) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full"},
        "spec": {"hard": {"count/replicasets.apps": "10", "pods": "0"}},
    }
    (tmp_path / "quota.yaml").write_text(yaml.safe_dump(quota))
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(workload("Deployment", "late")))
    began = time.monotonic()
    failed = stage(namespace, NEW, server="late", folder=str(tmp_path), ready_grace=3, fails=True)
    assert verdicts(failed) == ["passed", "failed"] and "quota" in failed["msg"], failed
    assert time.monotonic() - began < 60
