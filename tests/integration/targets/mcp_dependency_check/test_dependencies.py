# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dependencies tried for real, in a namespace that takes restricted pods only, by a user with the documented Role."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import time
import typing as t
from pathlib import Path

import looking
import planted
import pytest
import yaml
from playing import CONFIG, ROOT, kubectl, module, play, running
from roles_of_pages import account, apply, kubeconfig_of

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

NAME = "needy"
CLIENT = "127.0.0.1:5000/sandbox/postgresql:15"
USER, PASSWORD = "mcp_user", "sandbox-only"
SECRETS = {
    "DATABASE_URL": f"postgresql://{USER}:{PASSWORD}@postgresql.database.svc:5432/mcp",
    # Of each, something is wrong.
    "WRONG_PASSWORD": f"postgresql://{USER}:{planted.DATABASE_PASSWORD}@postgresql.database.svc:5432/mcp",
    "WRONG_PORT": f"postgresql://{USER}:{planted.DATABASE_PASSWORD}@postgresql.database.svc:5433/mcp?connect_timeout=3",
    "STOPPED": f"postgresql://{USER}:{planted.DATABASE_PASSWORD}@stopped:5432/mcp?connect_timeout=3",
    "LOGGED_TOKEN": planted.LOGGED_TOKEN,
}


def documented_rules() -> list[dict[str, t.Any]]:
    page = (ROOT / "docs/dependencies.md").read_text().replace("mcp-server", NAME)
    return [
        rule for block in re.findall(r"```yaml\n(- apiGroups.*?)```", page, re.DOTALL) for rule in yaml.safe_load(block)
    ]


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    """Yield a namespace with a server whose pods would have the Secret, and a database that is stopped."""
    name = f"needs-try-{secrets.token_hex(3)}"
    objects: list[dict[str, t.Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "database", "namespace": name},
            "stringData": SECRETS,
        },
        # As after the database was scaled to nothing: a name and an address that no pod answers.
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "stopped", "namespace": name},
            "spec": {"selector": {"app": "stopped"}, "ports": [{"port": 5432}]},
        },
        # One that selects the Jobs' pods, as somebody's may.
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "catches-all", "namespace": name},
            "spec": {"selector": {"app.kubernetes.io/component": "check"}, "ports": [{"port": 8080}]},
        },
        *account(name, "checker", documented_rules()),
    ]
    try:
        apply(*objects)
        module(
            "mcp_install",
            namespace=name,
            server=NAME,
            kubeconfig=CONFIG["admin_kubeconfig"],
            image_ref=f"{CONFIG['image']}:v1.1.5",
            hostname=f"{name}.{CONFIG['public_host']}",
            gateway={"name": "sandbox", "namespace": "projectcontour"},
            replicas=1,
            ready_path="/ready",
            run_as_user=10001,
            env_from=[{"secretRef": {"name": "database"}}],
            resources={"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        )
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def kubeconfig(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the kubeconfig of a user who has exactly the Role in docs/dependencies.md."""
    return kubeconfig_of(namespace, "checker", tmp_path_factory.mktemp("checker"))


def tried(namespace: str, kubeconfig: str, *dependencies: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    return module(
        "mcp_dependency_check",
        namespace=namespace,
        server=NAME,
        kubeconfig=kubeconfig,
        dependencies=list(dependencies),
        **options,
    )


def psql(name: str, variable: str) -> dict[str, t.Any]:
    return {
        "name": name,
        "image_ref": CLIENT,
        "command": ["sh", "-c", f'psql "${variable}" -tAc "SELECT 1"'],
        "expect": "^1$",
        "timeout": 15.0,
    }


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


def test_what_answers_and_what_does_not(namespace: str, kubeconfig: str) -> None:
    """All at once: each is tried, whatever becomes of the others, and nothing stays."""
    before = looking.looked_at(kubectl, namespace)
    wanted = [
        (psql("database", "DATABASE_URL"), "passed", "answers as the server needs it"),
        (
            {"name": "own-image", "command": ["./health-check", "--database"], "expect": "Database connection: OK"},
            "passed",
            "",
        ),
        ({"name": "services", "command": ["./health-check", "--external-services"]}, "passed", ""),
        (psql("password", "WRONG_PASSWORD"), "failed", "password authentication failed"),
        (psql("port", "WRONG_PORT"), "failed", "exit code 2"),
        (psql("stopped", "STOPPED"), "failed", "refused"),
        ({"name": "slow", "command": ["sleep", "60"], "timeout": 2.0}, "failed", "has not ended within 2 s"),
        ({"name": "other", "command": ["echo", "2"], "expect": "^1$"}, "failed", "something else than expected"),
        ({**psql("image", "DATABASE_URL"), "image_ref": f"{CLIENT}-none"}, "cannot_measure", "check the image's name"),
        ({"name": "command", "command": ["./no-such-check"]}, "cannot_measure", "cannot be run in the image"),
        ({"name": "shell", "command": ["sh", "-c", "no-such-check"]}, "cannot_measure", "cannot be run in the image"),
        (
            {
                "name": "secret",
                "command": ["true"],
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "database", "key": "NONE"}}}],
            },
            "failed",
            "couldn't find key NONE",
        ),
        # A person may print more than is good.
        ({"name": "chatty", "command": ["sh", "-c", "env; exit 3"]}, "failed", "exit code 3"),
    ]
    begun = time.monotonic()
    found = tried(namespace, kubeconfig, *(one for one, _verdict, _part in wanted), fails=True)
    print(f"{len(wanted)} dependencies in {time.monotonic() - begun:.1f} s")
    rows = {one["id"]: one for one in found["checks"]}
    print("\n".join(f"{one['verdict']:15} {one['seconds']:5.1f} s  {one['message']}" for one in found["checks"]))
    for dependency, verdict, part in wanted:
        row = rows[f"dependency_{dependency['name']}"]
        assert row["verdict"] == verdict and part in row["message"], row
    text = json.dumps(found)
    assert not planted.shown(text, [planted.DATABASE_PASSWORD, planted.LOGGED_TOKEN, PASSWORD]), text
    assert looking.differences(before, looking.looked_at(kubectl, namespace)) == {}
    print(f"all was gone after {gone(namespace, 20):.1f} s")


def written(folder: Path, namespace: str, kubeconfig: str, *dependencies: dict[str, t.Any]) -> str:
    """Return the file of a play that tries them."""
    options = {
        "namespace": namespace,
        "server": NAME,
        "kubeconfig": kubeconfig,
        "dependencies": list(dependencies),
        "ttl": 1,
    }
    task = {"name": "Try what the server needs", "mcp.server.mcp_dependency_check": options}
    file = folder / "play.yml"
    file.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]))
    return str(file)


def test_no_output_of_a_play_shows_a_secret(namespace: str, kubeconfig: str, tmp_path: Path) -> None:
    chatty = {"name": "chatty", "command": ["sh", "-c", "env; exit 3"]}
    code, said = play(written(tmp_path, namespace, kubeconfig, psql("password", "WRONG_PASSWORD"), chatty), "-vvv")
    assert code == 2 and "password authentication failed" in said and "exit code 3" in said, said
    assert not planted.shown(
        said, [planted.DATABASE_PASSWORD, planted.LOGGED_TOKEN, *planted.of_kubeconfig(kubeconfig)]
    )


def endpoints_of(namespace: str, service: str) -> list[dict[str, t.Any]]:
    """Return the endpoints of a Service whose pods run."""
    pods = json.loads(kubectl("-n", namespace, "get", "pods", "-l", "batch.kubernetes.io/job-name", "-o", "json"))
    if not [one for one in pods["items"] if one["status"]["phase"] == "Running"]:
        return []
    words = ("get", "endpointslices", "-l", f"kubernetes.io/service-name={service}", "-o", "json")
    return [one for each in json.loads(kubectl("-n", namespace, *words))["items"] for one in each["endpoints"] or ()]


def test_the_cluster_removes_the_jobs_of_a_play_that_was_killed(
    namespace: str, kubeconfig: str, tmp_path: Path
) -> None:
    slow = {"name": "slow", "command": ["sleep", "6"]}
    with running(written(tmp_path, namespace, kubeconfig, slow)) as process:
        deadline = time.monotonic() + 20
        while not (found := jobs(namespace)):
            assert time.monotonic() < deadline
        while not (endpoints := endpoints_of(namespace, "catches-all")):
            assert time.monotonic() < deadline
        (spec,) = [one["spec"] for one in json.loads(kubectl("-n", namespace, "get", "jobs", "-o", "json"))["items"]]
        os.killpg(process.pid, signal.SIGKILL)
    assert not [one for one in endpoints if one["conditions"]["ready"] or one["conditions"]["serving"]], endpoints
    assert spec["activeDeadlineSeconds"] == 100 and spec["ttlSecondsAfterFinished"] == 1, spec
    print(f"the cluster removed {found[0]} {gone(namespace, 45):.1f} s after the play was killed")


def test_check_mode_and_refusals_create_nothing(namespace: str, kubeconfig: str) -> None:
    database = psql("database", "DATABASE_URL")
    (skipped,) = tried(namespace, kubeconfig, database, check=True)["checks"]
    assert skipped["verdict"] == "skipped" and "would accept its Job" in skipped["message"] and not jobs(namespace)
    selector = json.loads(kubectl("-n", namespace, "get", "service", f"{NAME}-blue", "-o", "json"))["spec"]["selector"]
    (refused,) = tried(namespace, kubeconfig, database, labels=selector, fails=True)["checks"]
    assert refused["verdict"] == "cannot_measure" and "would select the pods of the Jobs" in refused["message"]
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": namespace},
        "spec": {"hard": {"count/jobs.batch": "0"}},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(quota))
    try:
        kubectl("-n", namespace, "wait", "--for=jsonpath={.status.hard}", "resourcequota/full", "--timeout=20s")
        (full,) = tried(namespace, kubeconfig, database, fails=True)["checks"]
    finally:
        kubectl("-n", namespace, "delete", "resourcequota", "full")
    print(full["message"])
    assert full["verdict"] == "cannot_measure" and "free some of the quota, or raise it." in full["message"], full
    assert not jobs(namespace)
