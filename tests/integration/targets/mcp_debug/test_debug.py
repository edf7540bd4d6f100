# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes from inside a namespace that takes restricted pods only, by a user with exactly the documented Role."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, ROOT, kubectl, module, play, running, until, variables
from roles_of_pages import account, apply, kubeconfig_of

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

IMAGE = "ghcr.io/org/mcp-debug:1.0.0"
NAME = "debugged"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    """Yield a namespace in which blue has a ready pod, and green has none."""
    name = f"debug-try-{secrets.token_hex(3)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "database", "namespace": name},
            "stringData": {"DATABASE_URL": DATABASE},
        },
        *account(name, "debugger", documented_rules()),
    ]
    try:
        apply(*objects)
        module(
            "mcp_install",
            namespace=name,
            server=NAME,
            kubeconfig=CONFIG["admin_kubeconfig"],
            image_ref=f"{CONFIG['image']}:v1.1.5",
            hostname=host_of(name),
            gateway={"name": "sandbox", "namespace": "projectcontour"},
            replicas=1,
            ready_path="/ready",
            run_as_user=10001,
            env_from=[{"secretRef": {"name": "database"}}],
            resources={"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        )
        kubectl("-n", name, "rollout", "status", f"deployment/{NAME}-blue", "--timeout=60s")
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def kubeconfig(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the kubeconfig of a user who has exactly the Role in docs/debug.md."""
    return kubeconfig_of(namespace, "debugger", tmp_path_factory.mktemp("debugger"))


def documented_rules() -> list[dict[str, t.Any]]:
    page = (ROOT / "docs/debug.md").read_text().replace("mcp-server", NAME)
    return [
        rule for block in re.findall(r"```yaml\n(- apiGroups.*?)```", page, re.DOTALL) for rule in yaml.safe_load(block)
    ]


def host_of(namespace: str) -> str:
    return f"{namespace}.{CONFIG['public_host']}"


def words(folder: Path, namespace: str, kubeconfig: str, **more: t.Any) -> tuple[str, ...]:
    its = variables(
        NAME,
        host_of(namespace),
        mcp_namespace=namespace,
        mcp_kubeconfig=kubeconfig,
        mcp_debug_image_ref=IMAGE,
        **more,
    )
    file = folder / "debugged.yml"
    file.write_text(json.dumps({"debugged": {"hosts": {NAME: its}}}))
    return ("-i", str(file), "-l", NAME)


def asked(namespace: str, kubeconfig: str, **options: t.Any) -> dict[str, t.Any]:
    given = {
        "namespace": namespace,
        "server": NAME,
        "kubeconfig": kubeconfig,
        "image_ref": IMAGE,
        "endpoint": {"host": host_of(namespace)},
    }
    return module("mcp_debug", **{**given, **options})


def jobs(namespace: str) -> list[str]:
    return kubectl("-n", namespace, "get", "jobs", "-o", "name").split()


def gone(namespace: str, seconds: float) -> float:
    """Return after how many seconds there is neither a Job nor a pod of one."""
    begun = time.monotonic()
    while jobs(namespace) or kubectl(
        "-n", namespace, "get", "pods", "-l", "batch.kubernetes.io/job-name", "-o", "name"
    ):
        assert time.monotonic() - begun < seconds, kubectl("-n", namespace, "get", "jobs,pods")
        time.sleep(0.5)
    return time.monotonic() - begun


def test_the_playbook_shows_what_answers_and_what_does_not(namespace: str, kubeconfig: str, tmp_path: Path) -> None:
    pod = json.loads(kubectl("-n", namespace, "get", "pods", "-l", "pool=blue", "-o", "json"))["items"][0]
    address = pod["status"]["podIP"]
    blue, nothing = f"{NAME}-blue.{namespace}.svc", f"nothing.{namespace}.svc.cluster.local."
    hosts = ["postgresql.database:5432", nothing, f"{address}:1", f"{NAME}-green.{namespace}.svc:8080"]
    code, said = play("playbooks/debug.yml", *words(tmp_path, namespace, kubeconfig, mcp_debug_hosts=hosts))
    assert code == 0 and "changed=0" in said, said
    cells = [line.split()[1:] for line in said.splitlines()]
    rows = {(found[0], found[1]): (found[2], " ".join(found[4:])) for found in cells if len(found) > 4}
    assert rows["dns", blue][0] == rows["tcp", f"{blue}:8080"][0] == "ok", said
    assert rows["http", f"http://{blue}:8080/health"][0] == "ok", said
    assert rows["mcp", f"http://{blue}:8080/mcp"][1].startswith("speaks MCP 20"), said
    assert rows["tcp", "postgresql.database:5432"][0] == "ok", said
    assert rows["dns", nothing] == ("FAILED", "the name does not exist"), said
    for target in (f"{address}:1", f"{NAME}-green.{namespace}.svc:8080"):
        assert rows["tcp", target][0] == "FAILED" and "refused" in rows["tcp", target][1], said
    assert "pool green has no ready pod" in said and "3 of 10 probes failed." in said, said
    print(f"the Job was gone after {gone(namespace, 20):.1f} s")


def test_check_mode_asks_the_api_server_only(namespace: str, kubeconfig: str) -> None:
    found = asked(namespace, kubeconfig, check=True)
    assert found["outcomes"] == [] and jobs(namespace) == []
    assert any(line.startswith("would ask mcp http://") for line in found["lines"]), found


def test_the_cluster_removes_the_job_of_a_play_that_was_killed(namespace: str, kubeconfig: str, tmp_path: Path) -> None:
    more = words(tmp_path, namespace, kubeconfig, mcp_debug_ttl="1", mcp_debug_timeout="20")
    with running("playbooks/debug.yml", *more) as process:
        until(process, "probes")
        deadline = time.monotonic() + 20
        while not jobs(namespace):
            assert time.monotonic() < deadline
        os.killpg(process.pid, signal.SIGKILL)
    print(f"the cluster removed it {gone(namespace, 45):.1f} s after the play was killed")


def test_a_container_in_a_pod_asks_as_the_pod_and_ends(namespace: str, kubeconfig: str) -> None:
    found = asked(namespace, kubeconfig, ephemeral=True, timeout=30.0)
    assert found["changed"] and any("its entry stays" in note for note in found["notes"]), found
    outcomes = {(one["kind"], one["target"]): one["ok"] for one in found["outcomes"]}
    assert outcomes["tcp", "127.0.0.1:8080"] and outcomes["mcp", "http://127.0.0.1:8080/mcp"], found
    pod = json.loads(kubectl("-n", namespace, "get", "pod", found["pod"], "-o", "json"))
    states = {one["name"]: one["state"] for one in pod["status"]["ephemeralContainerStatuses"]}
    assert states[found["container"]]["terminated"]["exitCode"] == 0, states
    assert "debugged" in [one["name"] for one in pod["status"]["containerStatuses"] if one["restartCount"] == 0]


@pytest.mark.parametrize("limit", ["count/jobs.batch", "pods"])
def test_a_full_quota_is_one_sentence(namespace: str, kubeconfig: str, limit: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": namespace},
        "spec": {"hard": {limit: "0"}},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(quota))
    try:
        kubectl("-n", namespace, "wait", "--for=jsonpath={.status.hard}", "resourcequota/full", "--timeout=20s")
        failed = asked(namespace, kubeconfig, fails=True)
    finally:
        kubectl("-n", namespace, "delete", "resourcequota", "full")
    print(failed["msg"])
    assert "exceeded quota" in failed["msg"] and failed["msg"].endswith("free some of the quota, or raise it."), failed
    gone(namespace, 20)


def test_an_image_that_is_not_there_is_one_sentence(namespace: str, kubeconfig: str) -> None:
    begun = time.monotonic()
    failed = asked(namespace, kubeconfig, fails=True, image_ref=f"{IMAGE}-none")
    print(f"after {time.monotonic() - begun:.1f} s: {failed['msg']}")
    assert "check the image's name and tag" in failed["msg"] and "mcp-debug:1.0.0-none" in failed["msg"], failed
    gone(namespace, 20)
