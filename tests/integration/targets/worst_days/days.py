# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server in a namespace of its own, with secrets planted all around it, and the plays on it."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import threading
import time
import typing as t
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import planted
import playing
from faulty_api import FaultyApi, killer
from looking import Objects, differences, looked_at
from playing import CONFIG, kubectl, variables
from roles_of_pages import account, apply, kubeconfig_of, releasers_rules, rules_of_page
from small_servers import Place, Small, small_servers

OLD, NEW = "v1.1.5", "v1.2.0"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
LABEL = "mcp-worst"  # of what belongs to a namespace of these tests
# What each run notes of itself beside what it is asked for.
NOTES = r"(HTTPRoute|Deployment) metadata\.annotations\.mcp\.server/(run|stable)$|(ConfigMap|Lease) "
BACK = {
    "HTTPRoute spec.rules[0].backendRefs[0].weight": (0, 100),
    "HTTPRoute spec.rules[0].backendRefs[1].weight": (100, 0),
}
SCALED_DOWN = {"Deployment green spec.replicas": (1, 0)}


class Said(t.NamedTuple):
    """What a play said, and with what code it ended. begun: by the monotonic clock, as requests of a FaultyApi are."""

    code: int
    text: str
    seconds: float
    begun: float = 0.0

    @property
    def flat(self) -> str:
        return " ".join(self.text.split())


class Day(t.NamedTuple):
    """A server of a test. kubeconfig: of its releaser, who has the README's Role and nothing else. breaker: of whom
    docs/break-glass.md gives its Role to.
    """

    namespace: str
    server: Small
    kubeconfig: str
    breaker: str
    folder: Path

    @property
    def secrets(self) -> list[str]:
        own = [secret for file in (self.kubeconfig, self.breaker) for secret in planted.of_kubeconfig(file)]
        return [*planted.PLANTED, *own, *playing.SECRETS]

    def look(self) -> Objects:
        return looked_at(kubectl, self.namespace)

    def module(self, name: str, **options: t.Any) -> dict[str, t.Any]:
        where = {"namespace": self.namespace, "server": self.server.name, "kubeconfig": self.kubeconfig}
        return playing.module(name, **{**where, **options})

    def words(self, kubeconfig: str | Path | None = None, **more: t.Any) -> tuple[str, ...]:
        """Return the words of a play on it. kubeconfig: another one than the releaser's, such as a faulty API's."""
        given = {
            "mcp_namespace": self.namespace,
            "mcp_kubeconfig": str(kubeconfig or self.kubeconfig),
            "mcp_auth": {"token_env": "MCP_WORST_TOKEN"},
            "mcp_registry_auth": {"username": "joe", "password_env": "MCP_WORST_REGISTRY"},
            "mcp_announce": [{"url_env": "MCP_WORST_WEBHOOK"}],
            "mcp_escalation": [{"when": "Deployment issues", "name": "Platform Engineering", "contact": "pager 17"}],
            **more,
        }
        file = self.folder / f"inventory-{secrets.token_hex(3)}.yml"
        its = variables(self.server.name, self.server.host, **given)
        file.write_text(json.dumps({"worst": {"hosts": {self.server.name: its}}}))
        return ("-i", str(file), "-l", self.server.name)

    def play(self, playbook: str, *words: str, seconds: float = 400) -> Said:
        begun = time.monotonic()
        with webhook() as environment:
            code, text = playing.play(f"playbooks/{playbook}.yml", *words, seconds=seconds, **environment)
        said = Said(code, text, time.monotonic() - begun, begun)
        print(f"--- {playbook}: {said.code} after {said.seconds:.1f} s\n{text}")
        self.scan(text)
        return said

    @contextmanager
    def started(self, playbook: str, *words: str) -> t.Iterator[subprocess.Popen[str]]:
        """Run a play beside the block; it does not outlive it."""
        with webhook() as environment, playing.running(f"playbooks/{playbook}.yml", *words, **environment) as process:
            yield process

    def rest(self, process: subprocess.Popen[str], seconds: float = 200) -> Said:
        begun = time.monotonic()
        text = playing.rest(process, seconds)
        print(f"--- {process.args}: {process.returncode}\n{text}")
        self.scan(text)
        return Said(process.returncode, text, time.monotonic() - begun)

    def killed(self, playbook: str, *words: str, api: FaultyApi, number: int) -> Said:
        """Run a play whose whole process group is killed right after the API server has stored its write number."""
        with self.started(playbook, *words) as process:
            api.answered = killer(process, number)
            said = self.rest(process)
        api.answered = lambda request: None
        return said

    def scan(self, text: str) -> None:
        """Refuse an output that shows a secret, or more than sentences."""
        assert not planted.shown(text, self.secrets), "a planted secret is shown"
        assert "Traceback" not in text and "to see the full traceback" not in text, text

    def changed(self, before: Objects) -> dict[str, tuple[t.Any, t.Any]]:
        """Return what has changed since then but for the notes of runs, by kind, pool and field."""
        found = differences(before, self.look())
        short = {path.replace(f" {self.server.name}", "", 1): both for path, both in found.items()}
        short = {re.sub(r"^(\w+)-(blue|green|release) ", r"\1 \2 ", path): both for path, both in short.items()}
        return {path: both for path, both in short.items() if not re.match(NOTES, re.sub(" (blue|green) ", " ", path))}

    def judge_back(self, before: Objects) -> None:
        """Judge a rollback by all that it leaves."""
        assert self.changed(before) == BACK | SCALED_DOWN
        record = self.module("mcp_release_info")["record"]
        assert record["outcome"] == "rolled_back", record
        assert self.holder() == ""

    def holder(self) -> str:
        lease = self.look().get(f"Lease {self.server.name}-release", {})
        return lease.get("spec", {}).get("holderIdentity") or ""

    def weights(self) -> dict[str, int]:
        return self.module("mcp_release_info")["weights"]

    def scale(self, pool: str, replicas: int) -> None:
        where, name = ("-n", self.namespace), f"deployment/{self.server.name}-{pool}"
        kubectl(*where, "scale", name, f"--replicas={replicas}")
        selector = f"app={self.server.name},pool={pool}"
        if not replicas:
            kubectl(*where, "wait", "--for=delete", "pod", "-l", selector, "--timeout=50s")

    def release(self) -> None:
        """Have v1.2.0 live on green, as a release left it, and v1.1.5 ready on blue."""
        self.module("mcp_break_glass", state="restored", kubeconfig=self.breaker)  # what a test that failed has left
        self.scale("blue", 1)
        self.module("mcp_rollout", pool="blue", image_ref=f"{CONFIG['image']}:{OLD}", replicas=1, wait_timeout=60)
        # Nothing depends on the sessions here: a busy machine may not answer in time what it does with them.
        at_once = {"weight": 100, "timeout": 60, "session_mode": "stateless"}
        self.module("mcp_traffic_shift", pool="blue", **at_once)
        new = {"image_ref": f"{CONFIG['image']}:{NEW}", "version": NEW}
        begun = self.module("mcp_release", state="begun", take_over=True, reason="the last test failed", **new)
        run = {"run_id": begun["run_id"]}
        self.module("mcp_rollout", pool="green", image_ref=f"{CONFIG['image']}:{NEW}", replicas=1, **run)
        self.module("mcp_traffic_shift", pool="green", **at_once, **run)
        self.module("mcp_release", state="ended", outcome="succeeded", **run)
        assert self.weights() == {"blue": 0, "green": 100}


@contextmanager
def webhook() -> t.Iterator[dict[str, str]]:
    """Take announcements at a URL with a password, and refuse those that show a secret."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield {
            "MCP_WORST_WEBHOOK": f"http://127.0.0.1:{server.server_port}/{planted.WEBHOOK_PASSWORD}",
            "MCP_WORST_REGISTRY": planted.REGISTRY_PASSWORD,
            "MCP_WORST_TOKEN": planted.ENDPOINT_TOKEN,
        }
    finally:
        server.shutdown()
        server.server_close()
    assert not [one for one in came if planted.shown(one, planted.PLANTED)], "an announcement shows a planted secret"


def remove_stale() -> None:
    """Remove the webhooks and Nodes of a run that was killed: what is in no namespace goes with none.

    Each belongs to a namespace of a test by its label; of a run that still goes on it is left.
    """
    kinds = "validatingwebhookconfiguration,node"
    found = json.loads(kubectl("get", kinds, "-l", LABEL, "-o", "json"))["items"]
    for one in found:
        namespace = one["metadata"]["labels"][LABEL]
        living = kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "jsonpath={.status.phase}")
        if living != "Active":
            kubectl("delete", one["kind"].lower(), one["metadata"]["name"], "--ignore-not-found", "--wait=false")


@contextmanager
def applied(obj: dict[str, t.Any]) -> t.Iterator[None]:
    """Have an object for as long as the block lasts."""
    kind, metadata = obj["kind"].lower(), obj["metadata"]
    where = ("-n", metadata["namespace"]) if "namespace" in metadata else ()
    try:
        apply(obj)
        yield
    finally:
        kubectl(*where, "delete", kind, metadata["name"], "--ignore-not-found")


def full_quota(day: Day) -> dict[str, t.Any]:
    """Return a quota that leaves no room for another pod."""
    pods = json.loads(kubectl("-n", day.namespace, "get", "pods", "-o", "json"))["items"]
    living = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
    metadata = {"name": "full", "namespace": day.namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": len(living)}}}


LINES = (
    f"ERROR unauthorized: invalid token in Authorization: Bearer {planted.LOGGED_TOKEN}",
    f"ERROR database connection refused: postgresql://mcp_user:{planted.DATABASE_PASSWORD}@db.prod:5432/mcp",
    f"ERROR unauthorized, password={planted.REGISTRY_PASSWORD}",
)


def logging_pod(day: Day) -> dict[str, t.Any]:
    """Return a pod of green, beside the Deployment's, which logs what a careless server would."""
    text = json.dumps("\n".join(LINES))
    container = {
        "name": day.server.name,
        "image": f"{CONFIG['image']}:v1.2.0",
        "command": ["python3", "-c", f"import time; print({text}, flush=True); time.sleep(600)"],
        "ports": [{"name": "mcp", "containerPort": 8080}],
        "readinessProbe": {"exec": {"command": ["false"]}},
    }
    labels = {"app": day.server.name, "pool": "green"}
    metadata = {"name": f"{day.server.name}-careless", "namespace": day.namespace, "labels": labels}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def logging_pod_runs(day: Day) -> tuple[str, ...]:
    """Return the words of kubectl wait for it."""
    return ("--for=jsonpath={.status.phase}=Running", f"pod/{day.server.name}-careless", "--timeout=50s")


def dead_webhook(namespace: str, *resources: tuple[str, str]) -> dict[str, t.Any]:
    """Return an admission webhook without a backend, for writes of these resources (group, name) in one namespace."""
    name = f"{namespace}-dead"
    rules = [
        # Namespaced: what is in no namespace passes a namespaceSelector, such as the IPAddresses of others' Services.
        {
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": [resource],
            "scope": "Namespaced",
        }
        for group, resource in resources
    ]
    service = {"namespace": namespace, "name": "gone", "path": "/", "port": 443}
    hook = {
        "name": "gone.worst.example",
        "clientConfig": {"service": service},
        "rules": rules,
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 5,
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name, "labels": {LABEL: namespace}},
        "webhooks": [hook],
    }


@contextmanager
def days(folder: Path, names: t.Sequence[str]) -> t.Iterator[dict[str, Day]]:
    """Make a namespace with servers by these names, and take it away after the block."""
    namespace = f"worst-{secrets.token_hex(3)}"
    secret = {"name": "mcp-server-secrets", "namespace": namespace}
    values = {"database-url": DATABASE, "password": planted.DATABASE_PASSWORD}
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {LABEL: namespace}}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": values},
        *account(namespace, "mcp-releaser", releasers_rules()),
    ]
    place = Place(kubectl, namespace, CONFIG["public_host"], CONFIG["public_url"])
    try:
        apply(*objects)
        kubeconfig = kubeconfig_of(namespace, "mcp-releaser", folder)
        with small_servers(place, names) as servers:
            rules = [rule for server in servers.values() for rule in rules_of_page("break-glass.md", server.name)]
            apply(*account(namespace, "breaker", rules))
            breaker = kubeconfig_of(namespace, "breaker", folder)
            yield {name: Day(namespace, server, kubeconfig, breaker, folder) for name, server in servers.items()}
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
