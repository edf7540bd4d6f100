# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The execution environment in the cluster: a release as the Job of its page, and jobs as AWX starts them.

AWX's container groups run `ansible-runner worker` in a pod of the execution environment, send it the private data
directory, and process what it answers. So does Worker here, by ansible-runner's own commands and AWX's pod. The rest of
AWX is not here.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import typing as t
from base64 import b64decode
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, ROOT, kubectl, kubectl_command, module, variables
from roles_of_pages import account, apply, kubeconfig_of, releasers_rules
from small_servers import Place, Small, small_servers
from soaking import soak

from sandbox import paths

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, and needs the sandbox's execution environment, registry and gateway",
)

IMAGE = os.environ.get("MCP_EE_IMAGE") or "ghcr.io/org/mcp-server-ee:1.0.0"
LOCAL_IMAGE = f"{CONFIG.get('registry_url', '').removeprefix('http://')}/{IMAGE.partition('/')[2]}"
NAMESPACE = f"ee-{secrets.token_hex(3)}"
NEW = "v1.2.0"
API_IN_PODS = "https://kubernetes.default.svc"
MCP_TOKEN = f"planted-{secrets.token_hex(8)}"
WEBHOOK = f"http://127.0.0.1:9/hook/{secrets.token_hex(8)}"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """The sandbox's registry for pods: theirs is another loopback."""
    with socket.create_server((paths.NODE_ADDRESS, 0)) as free:
        address = "{}:{}".format(*free.getsockname()[:2])
    config = tmp_path_factory.mktemp("registry") / "config.json"  # JSON is YAML
    storage = {
        "filesystem": {"rootdirectory": str(paths.CACHE / "registry")},
        "maintenance": {"readonly": {"enabled": True}},
    }
    config.write_text(
        json.dumps({"version": 0.1, "storage": storage, "http": {"addr": address}, "log": {"level": "error"}})
    )
    process = subprocess.Popen(
        ["docker-registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module", autouse=True)
def namespace() -> t.Iterator[None]:
    """A namespace whose releaser has the README's Role and nothing else."""
    database = {"database-url": "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"}
    secret = {"name": "mcp-server-secrets", "namespace": NAMESPACE}
    try:
        apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": database},
            *account(NAMESPACE, "mcp-releaser", releasers_rules()),
        )
        yield
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


@pytest.fixture
def place() -> Place:
    return Place(kubectl, NAMESPACE, CONFIG["public_host"], CONFIG["public_url"])


@pytest.fixture
def server(place: Place) -> t.Iterator[Small]:
    with small_servers(place, ["one"], seconds=55) as made:
        yield made["one"]


@pytest.fixture
def servers(place: Place) -> t.Iterator[list[Small]]:
    """Two servers, whose names are in this order."""
    with small_servers(place, ["one", "two"], seconds=55) as made:
        yield list(made.values())


def host(server: Small, registry: str, **more: t.Any) -> dict[str, t.Any]:
    """Return a server's line in an inventory, with addresses as pods know them, and no credential."""
    line = {
        **variables(server.name, server.host),
        "mcp_namespace": NAMESPACE,
        "mcp_registry": registry,
        "mcp_endpoint": {"url": "http://envoy.projectcontour", "host": server.host, "allow_http": True},
        "mcp_steps": [{"weight": 10, "seconds": 2}, {"weight": 100, "seconds": 2}],
        "mcp_warm_seconds": 1,
        "mcp_session_mode": "stateless",  # to find out takes probes, which may be slow on a busy machine
        **more,
    }
    del line["mcp_kubeconfig"]
    return line


def state(server: Small) -> dict[str, t.Any]:
    where = {"namespace": NAMESPACE, "server": server.name, "kubeconfig": CONFIG["admin_kubeconfig"]}
    return module("mcp_release_info", **where)


# A release as a Job


def objects_of_page(server: Small, registry: str) -> list[dict[str, t.Any]]:
    """Return the objects of the page, with this server's inventory. Its ServiceAccount and Role are there already."""
    text = (ROOT / "docs" / "execution-environment.md").read_text().partition("\n## A release as a Job\n")[2]
    (block,) = re.findall(r"```yaml\n(.*?)```", text.partition("\n## ")[0], re.DOTALL)
    found = list(yaml.safe_load_all(block.replace("mcp-sandbox", NAMESPACE)))
    assert [one["kind"] for one in found] == ["ServiceAccount", "RoleBinding", "ConfigMap", "Job"]
    _account, binding, inventory, job = found
    assert binding["subjects"][0]["name"] == job["spec"]["template"]["spec"]["serviceAccountName"] == "mcp-releaser"
    shown = yaml.safe_load(inventory["data"]["hosts.yml"])["mcp"]["hosts"]["mcp-server"]
    line = host(server, registry)
    assert set(shown) <= set(line) and shown["mcp_endpoint"]["url"] == line["mcp_endpoint"]["url"]
    inventory["data"]["hosts.yml"] = json.dumps({"mcp": {"hosts": {server.name: line}}})
    job["spec"]["template"]["spec"]["containers"][0]["image"] = IMAGE
    return [inventory, job]


def test_a_release_as_the_job_of_the_page(server: Small, registry: str) -> None:
    inventory, job = objects_of_page(server, registry)
    apply(inventory)
    name = kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(job)).strip()
    place = ("-n", NAMESPACE)
    deadline = time.monotonic() + 150
    while not (ended := json.loads(kubectl(*place, "get", name, "-o", "json"))["status"].get("conditions")):
        assert time.monotonic() < deadline, kubectl(*place, "describe", "pods", "-l", f"job-name={name[10:]}")
        time.sleep(1)
    said = kubectl(*place, "logs", name)
    print(said)
    assert "Complete" in [one["type"] for one in ended], said
    assert f"as system:serviceaccount:{NAMESPACE}:mcp-releaser" in said or "service account" in said
    assert "Forbidden" not in said and "EP_WARN" not in said
    after = state(server)
    assert after["weights"] == {"blue": 0, "green": 100}
    assert after["record"]["outcome"] == "succeeded"
    assert after["record"]["by"].startswith("runner@mcp-server-v1.2.0-"), after["record"]["by"]


# Jobs as AWX starts them


def runner(*words: str | Path) -> list[str]:
    """Return an ansible-runner command."""
    make = [sys.executable, str(ROOT / "tests" / "tools" / "venv.py"), "execution-environment"]
    place = subprocess.run(make, capture_output=True, text=True, check=True).stdout.strip()
    return [f"{place}/bin/ansible-runner", *map(str, words)]


class Credential(t.NamedTuple):
    """What one of AWX's credential types injects: a file, by the variable that has its path, and other variables."""

    token: str
    files: dict[str, str]
    variables: dict[str, str]


def cluster_token(folder: Path) -> Credential:
    user = yaml.safe_load(Path(kubeconfig_of(NAMESPACE, "mcp-releaser", folder)).read_text())
    authority = b64decode(user["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    token = user["users"][0]["user"]["token"]
    injected = {"K8S_AUTH_HOST": API_IN_PODS, "K8S_AUTH_API_KEY": token, "K8S_AUTH_VERIFY_SSL": "True"}
    return Credential(token, {"K8S_AUTH_SSL_CA_CERT": authority}, injected)


def cluster_kubeconfig(folder: Path, api: str = "") -> Credential:
    """api: its address, where the sandbox's loopback is another one."""
    content = yaml.safe_load(Path(kubeconfig_of(NAMESPACE, "mcp-releaser", folder)).read_text())
    for one in content["clusters"]:
        one["cluster"]["server"] = api or one["cluster"]["server"]
    token = content["users"][0]["user"]["token"]
    return Credential(token, {"K8S_AUTH_KUBECONFIG": yaml.safe_dump(content)}, {})


SETTINGS = {"idle_timeout": 0, "job_timeout": 0, "pexpect_timeout": 5}


class AwxJob:
    """A job of AWX: a private data directory, and the pod that runs it.

    number: AWX's, and the name of its artifacts. hosts: the inventory that AWX gives it. survey: its answers, as text.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        playbook: str,
        hosts: dict[str, dict[str, t.Any]],
        survey: dict[str, str],
        cluster: Credential,
        user: str = "ann",
    ) -> None:
        self.number = number
        self.pod = f"automation-job-{number}-{secrets.token_hex(3)}"
        self.folder = folder / f"awx_{number}"
        self.playbook = playbook
        self.said = ""
        self.secrets = [MCP_TOKEN, WEBHOOK, cluster.token]
        mine = {
            "job_id": number,
            "user_name": user,
            "user_id": 7,
            "job_template_name": playbook,
            "job_launch_type": "manual",
        }
        extra = {f"{prefix}_{key}": value for prefix in ("awx", "tower") for key, value in mine.items()}
        environment = {
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_COLLECTIONS_PATH": "/runner/requirements_collections:~/.ansible/collections:"
            "/usr/share/ansible/collections",
            "AWX_HOST": "https://awx.example.com",
            "AWX_PRIVATE_DATA_DIR": str(self.folder),
            "INVENTORY_ID": "3",
            "JOB_ID": str(number),
            "MAX_EVENT_RES": "700000",
            **cluster.variables,
            "MCP_TOKEN": MCP_TOKEN,
            "MCP_WEBHOOK_URL": WEBHOOK,
            "PROMETHEUS_TOKEN": "",  # of a credential whose field is empty
        }
        for name, content in cluster.files.items():
            environment[name] = f"/runner/env/{self._file(f'env/tmp{secrets.token_hex(4)}', content, 0o400)}"
        inventory = {"all": {"hosts": list(hosts)}, "_meta": {"hostvars": hosts}}
        self._file("inventory/hosts", f"#! /usr/bin/env python3\nprint({json.dumps(inventory)!r})\n", 0o700)
        self._file("env/envvars", json.dumps(environment))
        self._file("env/extravars", json.dumps({**survey, **extra}))
        self._file("env/settings", json.dumps(SETTINGS))
        wrapper = [{"name": "From the collection", "ansible.builtin.import_playbook": f"mcp.server.{playbook}"}]
        self._file(f"project/{playbook}.yml", json.dumps(wrapper))

    def _file(self, name: str, content: str, mode: int = 0o600) -> str:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)
        return file.name

    def start(self) -> AwxJob:
        """Start the worker in a pod, as AWX specifies it, and send it the directory."""
        container = {
            "name": "worker",
            "image": IMAGE,
            "args": ["ansible-runner", "worker", "--private-data-dir=/runner"],
            "stdin": True,
            "stdinOnce": True,
            "resources": {"requests": {"cpu": "1m", "memory": "100Mi"}},
        }
        pod = {"automountServiceAccountToken": False, "restartPolicy": "Never", "containers": [container]}
        place = {"name": self.pod, "namespace": NAMESPACE}
        apply({"apiVersion": "v1", "kind": "Pod", "metadata": place, "spec": pod})
        where = ("-n", NAMESPACE)
        kubectl(*where, "wait", "--for=condition=Ready", "--timeout=50s", f"pod/{self.pod}")
        attach = kubectl_command(*where, "attach", "-q", "-i", self.pod, "-c", "worker")
        self.worker = subprocess.Popen(attach, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        log = subprocess.Popen(kubectl_command(*where, "logs", "-f", self.pod), stdout=subprocess.PIPE)
        self._send(log)
        return self

    def _send(self, answers: subprocess.Popen[bytes]) -> None:
        """Send the directory to the worker, and process its answers from there."""
        job = runner("transmit", self.folder, "-p", f"{self.playbook}.yml", "-i", str(self.number))
        assert self.worker.stdin
        self.worker.stdin.write(subprocess.run(job, capture_output=True, check=True, timeout=60).stdout)
        self.worker.stdin.close()
        self._process = subprocess.Popen(
            runner("process", self.folder, "-i", str(self.number)),
            env={**os.environ, "PYTHONUNBUFFERED": "1"},  # or a line is heard when others have filled the buffer
            stdin=answers.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, words: str) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"it ended without {words!r}:\n{self.said}")

    def cancel(self) -> None:
        """Cancel it: AWX's receptor deletes the pod, with Kubernetes' time to end."""
        kubectl("-n", NAMESPACE, "delete", "pod", self.pod, "--wait=false")

    def end(self) -> dict[str, t.Any]:
        """Wait until it has ended, and return what AWX keeps of it: status, rc, and the artifacts of set_stats."""
        self.said += self._process.communicate(timeout=200)[0]
        self.worker.wait(30)
        print(self.said)
        artifacts = self.folder / "artifacts" / str(self.number)
        events = [json.loads(file.read_text()) for file in (artifacts / "job_events").glob("*.json")]
        kept = self.said + "".join(file.read_text() for file in (artifacts / "job_events").glob("*.json"))
        assert not [secret for secret in self.secrets if secret in kept]
        stats = [one["event_data"] for one in events if one["event"] == "playbook_on_stats"]
        found = {name: (artifacts / name).read_text() for name in ("status", "rc") if (artifacts / name).exists()}
        return {**found, "artifacts": stats[0].get("artifact_data", {}) if stats else None}


class OnNode(AwxJob):
    """The same on an execution node, where the job runs in a container of podman."""

    def start(self) -> AwxJob:
        self.worker = subprocess.Popen(
            runner("worker", "--private-data-dir", self.folder.with_name(f"{self.folder.name}_node")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        # AWX's own option, and three that this machine needs: its loopback, and limits that it may set.
        options = ["--user=root", "--network=host", "--ulimit=nofile=1024:4096", "--ulimit=nproc=4096:4096"]
        isolation = {
            "process_isolation": True,
            "process_isolation_executable": "podman",
            "container_image": LOCAL_IMAGE,
            "container_options": options,
        }
        self._file("env/settings", json.dumps({**SETTINGS, **isolation}))
        self._send(self.worker)
        return self

    def cancel(self) -> None:
        self.worker.terminate()


SURVEY = {"version": NEW, "mcp_stop_after": "", "mcp_reason": "", "mcp_force_version": "false"}


def until_expired(server: Small) -> None:
    """Wait until the Lease of a run that was killed has expired."""
    lease = json.loads(kubectl("-n", NAMESPACE, "get", "lease", f"{server.name}-release", "-o", "json"))["spec"]
    renewed = datetime.fromisoformat(lease["renewTime"]).timestamp()
    time.sleep(max(0, renewed + lease["leaseDurationSeconds"] + 1 - time.time()))


def cancelled_and_launched_again(kind: type[AwxJob], folder: Path, server: Small, line: dict[str, t.Any]) -> None:
    steps = [{"weight": 10, "seconds": 60}, {"weight": 100, "seconds": 1}]  # the cancel ends the first one
    secret = {"mcp_auth": {"token_env": "MCP_TOKEN"}, "mcp_announce": [{"url_env": "MCP_WEBHOOK_URL"}]}
    hosts = {server.name: {**line, **secret, "mcp_steps": steps}}
    credential = cluster_token(folder) if kind is AwxJob else cluster_kubeconfig(folder)
    first = kind(folder, 41, "bluegreen", hosts, SURVEY, credential).start()
    first.until("green 10 %: measured")
    first.cancel()
    # A pod may be gone before its last word, and no status of its own comes. AWX knows what it cancelled.
    assert first.end()["status"] == "canceled" or kind is AwxJob
    assert "step 2 of 2" not in first.said and "PLAY RECAP" not in first.said
    begun = state(server)
    assert begun["weights"] == {"blue": 90, "green": 10}
    assert begun["record"]["by"] == "AWX job 41 of ann"
    until_expired(server)
    hosts[server.name]["mcp_steps"] = [{"weight": 10, "seconds": 1}, {"weight": 100, "seconds": 1}]
    again = kind(folder, 42, "bluegreen", hosts, SURVEY, credential).start().end()
    assert (again["status"], again["rc"]) == ("successful", "0")
    after = state(server)
    assert after["weights"] == {"blue": 0, "green": 100}
    assert (after["record"]["id"], after["record"]["outcome"]) == (begun["record"]["id"], "succeeded")
    # What AWX keeps as the job's artifacts, and gives to the next nodes of a workflow.
    kept = again["artifacts"]["mcp_release"][server.name]
    assert (kept["id"], kept["outcome"], kept["to_version"]) == (begun["record"]["id"], "succeeded", NEW)


def test_a_job_is_cancelled_and_launched_again(server: Small, registry: str, tmp_path: Path) -> None:
    cancelled_and_launched_again(AwxJob, tmp_path, server, host(server, registry))


@soak
@pytest.mark.skipif(not shutil.which("podman"), reason="podman is not installed: apt-get install podman")
def test_the_same_on_an_execution_node(server: Small, tmp_path: Path) -> None:
    subprocess.run(["podman", "pull", "--quiet", "--tls-verify=false", LOCAL_IMAGE], check=True, timeout=120)
    endpoint = {"url": CONFIG["public_url"], "host": server.host, "allow_http": True}
    line = host(server, CONFIG["registry_url"], mcp_endpoint=endpoint)
    cancelled_and_launched_again(OnNode, tmp_path, server, line)


@soak
def test_a_version_of_a_survey_stays_text(server: Small, registry: str, tmp_path: Path) -> None:
    hosts = {server.name: host(server, registry)}
    job = AwxJob(tmp_path, 61, "preflight", hosts, {"version": "1.10"}, cluster_token(tmp_path)).start()
    assert job.end()["status"] == "failed"
    assert f"{CONFIG['image']}:1.10 " in job.said


def test_two_slices_of_one_inventory_at_once(servers: list[Small], registry: str, tmp_path: Path) -> None:
    """AWX gives each slice every n-th host of the sorted inventory, and a number of its own."""
    hosts = {server.name: host(server, registry) for server in servers}
    credential = cluster_kubeconfig(tmp_path, API_IN_PODS)
    slices = [dict(sorted(hosts.items())[start::2]) for start in range(2)]
    started = [
        AwxJob(tmp_path, number, "bluegreen", part, SURVEY, credential).start()
        for number, part in zip((51, 52), slices, strict=True)
    ]
    results = [job.end() for job in started]
    assert [one["status"] for one in results] == ["successful", "successful"]
    # Each has the stats of its own server, and AWX adds them up.
    assert [list(one["artifacts"]["mcp_release"]) for one in results] == [list(part) for part in slices]
    records = [state(server)["record"] for server in servers]
    assert [one["outcome"] for one in records] == ["succeeded", "succeeded"]
    assert [one["by"] for one in records] == ["AWX job 51 of ann", "AWX job 52 of ann"]
    assert max(one["started"] for one in records) < min(one["ended"] for one in records)  # at once
