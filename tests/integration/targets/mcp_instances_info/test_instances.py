# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances, one server's status and a fleet's, with exactly the Role of docs/status.md, against kubectl's answers."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, ROOT, kubectl, module, play, variables
from small_servers import Place, Small, small_servers
from soaking import soak

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a Role and servers of its own, which takes an administrator",
)

NAMESPACE = CONFIG["test_namespace"]
PLACE = Place(kubectl, NAMESPACE, CONFIG["public_host"], CONFIG["public_url"])
UNITS = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


@pytest.fixture(scope="module")
def servers() -> t.Iterator[dict[str, Small]]:
    with small_servers(PLACE, ["well", "sick"]) as made:
        top(made["well"])
        yield made


@pytest.fixture(scope="module")
def reader(servers: dict[str, Small], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    """Give the kubeconfig of a user with the Role of docs/status.md for both servers, and nothing else."""
    (role,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "status.md").read_text(), re.DOTALL)
    name = f"reader-{secrets.token_hex(3)}"
    where = {"namespace": NAMESPACE, "labels": {"made": name}}
    objects: list[dict[str, t.Any]] = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}]
    for server in servers.values():
        own = yaml.safe_load(role.replace("mcp-server", server.name))
        named = {"name": f"{name}-{server.name}"}
        objects += [
            {**own, "metadata": named},
            {
                "apiVersion": own["apiVersion"],
                "kind": "RoleBinding",
                "metadata": named,
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", **named},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
            },
        ]
    for one in objects:
        one["metadata"] = {**one["metadata"], **where}
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    try:
        config = json.loads(Path(CONFIG["kubeconfig"]).read_text())
        token = kubectl("create", "token", name, "-n", NAMESPACE, "--duration=1h").strip()
        config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
        file = tmp_path_factory.mktemp("reader") / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config))
        yield file
    finally:
        kubectl("delete", "role,rolebinding,serviceaccount", "-n", NAMESPACE, "-l", f"made={name}", "--wait=false")


def inventory(folder: Path, servers: dict[str, Small], kubeconfig: Path, **more: t.Any) -> tuple[str, ...]:
    hosts = {
        name: variables(
            server.name, server.host, mcp_kubeconfig=str(kubeconfig), mcp_prometheus={"url": CONFIG["prometheus_url"]}
        )
        for name, server in servers.items()
    }
    file = folder / "fleet.yml"
    file.write_text(json.dumps({"fleet": {"hosts": {**hosts, **more}}}))
    return ("-i", str(file))


def pods(server: Small) -> list[dict[str, t.Any]]:
    return json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-l", f"app={server.name}", "-o", "json"))["items"]


def top(server: Small, seconds: float = 90) -> dict[str, float]:
    """What kubectl top says each pod uses of memory, in bytes; metrics-server has seen a new pod after its interval."""
    deadline = time.monotonic() + seconds
    while not has_metrics(server):
        assert time.monotonic() < deadline, "metrics-server does not know the pod"
        time.sleep(2)
    lines = kubectl("top", "pods", "-n", NAMESPACE, "-l", f"app={server.name}", "--no-headers").splitlines()
    rows = [line.split() for line in lines]
    return {name: float(memory[:-2]) * UNITS[memory[-2:]] for name, _cpu, memory in rows}


def has_metrics(server: Small) -> bool:
    """Return whether metrics-server knows the server. It has nothing at all while the kubelet is too busy for it."""
    words = ("-n", NAMESPACE, "get", "--raw", f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods")
    try:
        known = json.loads(kubectl(*words))["items"]
    except subprocess.CalledProcessError:
        return False
    return any(one["metadata"]["name"].startswith(server.name) for one in known)


def instances(server: Small, kubeconfig: Path, **options: t.Any) -> dict[str, t.Any]:
    return module("mcp_instances_info", server=server.name, kubeconfig=str(kubeconfig), **options)


def test_instances_are_as_kubectl_tells_them(servers: dict[str, Small], reader: Path) -> None:
    well = servers["well"]
    used = top(well)
    found = instances(well, reader)
    assert found["unread"] == []
    (one,), (pod,) = found["instances"], pods(well)
    (status,) = pod["status"]["containerStatuses"]
    assert (one["pod"], one["node"]) == (pod["metadata"]["name"], pod["spec"]["nodeName"])
    assert (one["pool"], one["ready"], one["state"]) == ("blue", True, "Running")
    assert one["restarts"] == status["restartCount"] and status["imageID"].endswith(one["digest"])
    assert one["health_version"] == "1.1.5" and one["instance_id"]
    assert one["labels"] == pod["metadata"]["labels"]
    # kubectl rounds to MiB, and a sample may lie between the two.
    assert one["memory_bytes"] == pytest.approx(used[one["pod"]], rel=0.2)
    limit = pod["spec"]["containers"][0]["resources"]["limits"]["memory"]
    assert one["memory_limit_bytes"] == float(limit[:-2]) * UNITS[limit[-2:]]
    assert found["pools"]["blue"] == {"instances": 1, "ready": 1, "restarts": one["restarts"]}
    assert instances(well, reader) | {"instances": []} == found | {"instances": []}


def test_by_labels(servers: dict[str, Small], reader: Path) -> None:
    label = {"label_selector": f"app in ({servers['well'].name}, {servers['sick'].name})"}
    everywhere = module("mcp_instances_info", kubeconfig=CONFIG["admin_kubeconfig"], all_namespaces=True, **label)
    here = module("mcp_instances_info", kubeconfig=str(reader), **label)
    names = {pod["metadata"]["name"] for server in servers.values() for pod in pods(server)}
    assert {one["pod"] for one in everywhere["instances"]} == {one["pod"] for one in here["instances"]} == names
    refused = module("mcp_instances_info", kubeconfig=str(reader), all_namespaces=True, fails=True, **label)
    assert "all_namespaces needs a ClusterRole with list on pods" in refused["msg"]


def test_one_server_shows_all_of_it(servers: dict[str, Small], reader: Path, tmp_path: Path) -> None:
    file = tmp_path / "status.json"
    words = inventory(tmp_path, {"well": servers["well"]}, reader)
    code, said = play("playbooks/status.yml", *words, "-l", "well", "-e", f"mcp_output={file}")
    assert code == 0, said
    assert f"{NAMESPACE}/{servers['well'].name}: ok" in said and "not read" not in said, said
    assert re.search(r"blue \(live\) +100 % +100\.0 % +1 of 1 +1/1 ", said), said
    assert re.search(r"blue +ready +1\.1\.5 +sha256:\w{12} +0 +\w+ +\d+ of 256 MiB \(\d+ %\) ", said), said
    assert "triggers of pool blue: " in said and "SERVER " not in said
    (written,) = json.loads(file.read_text())["servers"]
    assert (written["state"], written["unread"], written["host"]) == ("ok", [], "well")
    assert written["release"]["live"] == "blue" and len(written["instances"]) == 1


def test_a_fleet_shows_the_sick_first_and_why(servers: dict[str, Small], reader: Path, tmp_path: Path) -> None:
    sick = servers["sick"]
    killed = {
        "name": sick.name,
        "command": ["python3", "-c", "x = bytearray(10**9)"],
        "resources": {"limits": {"memory": "24Mi"}, "requests": {"memory": "24Mi"}},
        "livenessProbe": None,
        "readinessProbe": None,
        "startupProbe": None,
    }
    patch = {"spec": {"replicas": 1, "template": {"spec": {"containers": [killed]}}}}
    kubectl("patch", f"deployment/{sick.name}-green", "-n", NAMESPACE, "-p", json.dumps(patch))
    kubectl("scale", f"deployment/{sick.name}-blue", "-n", NAMESPACE, "--replicas=0")
    deadline = time.monotonic() + 60
    while not any(
        one["restarts"] and "OOMKilled" in (one["restart_reason"] or "")  # a kubelet may miss the first one
        for one in instances(sick, reader)["instances"]
        if one["pool"] == "green"
    ):
        assert time.monotonic() < deadline, pods(sick)
        time.sleep(1)
    away = {"mcp_namespace": NAMESPACE, "mcp_server": "away", "mcp_api_host": "http://127.0.0.1:1"}
    file = tmp_path / "fleet.json"
    words = inventory(tmp_path, servers, reader, away=away)
    code, said = play(
        "playbooks/status.yml", *words, "-l", "fleet", "-e", f"mcp_output={file}", "-e", "mcp_status_seconds=0"
    )
    assert code == 2, said  # one does not answer
    lines = [line for line in said.splitlines() if re.match(r"  \[\w+\] (sick|away|well|SERVER) ", line)]
    assert [line.split()[1:3] for line in lines] == [
        ["SERVER", "STATE"],
        ["sick", "down"],
        ["away", "unknown"],
        ["well", "ok"],
    ], said
    assert "Pool blue gets 100 % of the traffic and has no ready endpoint." in lines[1]
    assert "does not answer" in lines[2] and "3 servers: 1 down, 1 unknown, 1 ok" in said
    assert re.search(r"away +: ok=\d+ .* failed=1", said) and re.search(r"sick +: ok=\d+ .* failed=0", said), said
    written = json.loads(file.read_text())["servers"]
    assert [one["host"] for one in written] == ["sick", "away", "well"]
    assert "does not answer" in written[1]["msg"] and written[1]["state"] == "unknown"

    code, said = play("playbooks/status.yml", *words, "-l", "sick", "-e", "mcp_status_seconds=0")
    assert code == 0 and f"{NAMESPACE}/{sick.name}: down" in said, said
    assert re.search(r"green +\S+ .*[1-9] \(OOMKilled, exit code 137\)", said), said
    assert "Pools differ in spec.containers" in said and "bytearray" not in said


def test_sessions_are_those_that_the_pods_report(reader: Path) -> None:
    """The sandbox's own server with sessions; a releaser's Role, as the reader's is for other servers."""
    metric = {"name": "mcp_server_sessions_open"}
    found = module("mcp_instances_info", server="mcp-sessions", sessions_metric=metric)
    ready = [one for one in found["instances"] if one["ready"]]
    assert ready and all(isinstance(one["sessions"], int) and not one["problem"] for one in ready), found


@soak
def test_without_the_metrics_api_only_memory_and_cpu_are_missing(
    servers: dict[str, Small], reader: Path, tmp_path: Path
) -> None:
    """Its twin in `make test` is the unit test of what is refused."""
    words = inventory(tmp_path, {"well": servers["well"]}, reader)
    metrics_server = ("deployment/metrics-server", "-n", "kube-system")
    kubectl("scale", *metrics_server, "--replicas=0")
    try:
        kubectl("wait", "apiservice/v1beta1.metrics.k8s.io", "--for=condition=Available=false", "--timeout=50s")
        began = time.monotonic()
        code, said = play("playbooks/status.yml", *words, "-l", "well", "-e", "mcp_status_seconds=0")
        assert code == 0 and time.monotonic() - began < 20, said
        assert said.count("Memory and CPU are not known") == 1 and said.count("not read") == 1, said
        assert f"{NAMESPACE}/{servers['well'].name}: ok" in said and re.search(r"1\.1\.5 .* -  +- +sandbox", said), said
    finally:
        kubectl("scale", *metrics_server, "--replicas=1")
        kubectl("wait", "apiservice/v1beta1.metrics.k8s.io", "--for=condition=Available", "--timeout=55s")
