# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each check of pre-flight with its good and its bad case, by a user with exactly the documented rights.

A play of several hosts, which are one server with other settings, shows their verdicts at once (preflight.yml refuses
such an inventory). What a test beside others can't do to the cluster's only node, a proxy before the API server says.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import secrets
import threading
import time
import typing as t
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import planted
import playing
import pytest
import yaml
from faulty_api import Request, faulty_api
from looking import differences, looked_at
from playing import CONFIG, ROOT, kubectl, module, play, variables
from roles_of_pages import apply, kubeconfig_of

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

NAME = "looked-at"
OLD, NEW = "v1.1.5", "v1.2.0"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
GROUP = "rbac.authorization.k8s.io"
SECRET_ENV = "MCP_PREFLIGHT_PASSWORD"
ROLE = {"ansible.builtin.import_role": {"name": "mcp.server.preflight", "rolespec_validate": False}}
PLAY = [{"hosts": "looked", "gather_facts": False, "connection": "local", "tasks": [ROLE]}]


class Place(t.NamedTuple):
    """A namespace with a server. checker: the kubeconfig of a user with all documented rights. releaser: of one with
    the README's Role only.
    """

    namespace: str
    checker: str
    releaser: str
    folder: Path

    @property
    def host(self) -> str:
        return f"{self.namespace}.{CONFIG['public_host']}"

    def play(self, playbook: str, hosts: dict[str, dict[str, t.Any]], *words: str) -> tuple[int, str, dict[str, t.Any]]:
        """Run a play on hosts, which are this server with these variables; return what it wrote for programs, too."""
        mine = {
            "mcp_namespace": self.namespace,
            "mcp_kubeconfig": self.checker,
            "mcp_escalation": [{"name": "Pager"}],
            # A command of one host has a planted password, which the scan of the inventory finds.
            "mcp_scan_allow": ["hosts.yml:named_value"],
        }
        its = {name: variables(NAME, self.host, **{**mine, **given}) for name, given in hosts.items()}
        file, output = self.folder / "hosts.yml", self.folder / "results.json"
        file.write_text(json.dumps({"looked": {"hosts": its}}))
        output.unlink(missing_ok=True)
        command = (playbook, "-i", str(file), "-l", "looked", "-e", f"version={NEW}", *words)
        code, said = play(*command, "-e", f"mcp_output={output}", **{SECRET_ENV: planted.REGISTRY_PASSWORD})
        written = output.read_text() if output.exists() else "{}"
        hidden = [*planted.PLANTED, *planted.of_kubeconfig(self.checker), *playing.SECRETS]
        assert not planted.shown(said + written, hidden), "a planted secret is shown"
        assert "Traceback" not in said, said
        servers = {one["host"]: one for one in json.loads(written).get("servers", ())}
        return code, said, servers


def documented(cluster_wide: bool) -> list[dict[str, t.Any]]:
    """Return the rules in docs/preflight.md: of the namespace, or cluster-wide."""
    blocks = re.findall(r"```yaml\n(- apiGroups.*?)```", (ROOT / "docs/preflight.md").read_text(), re.DOTALL)
    return yaml.safe_load(blocks[cluster_wide])


def bound(kind: str, name: str, namespace: str, rules: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return a Role or ClusterRole with these rules, and what gives it to the checker."""
    subjects = [{"kind": "ServiceAccount", "name": "checker", "namespace": namespace}]
    place = {"name": name} if kind == "ClusterRole" else {"name": name, "namespace": namespace}
    reference = {"apiGroup": GROUP, "kind": kind, "name": name}
    binding = {"roleRef": reference, "subjects": subjects}
    return [
        {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": place, "rules": rules},
        {"apiVersion": f"{GROUP}/v1", "kind": f"{kind}Binding", "metadata": place, **binding},
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    namespace = f"preflight-try-{secrets.token_hex(3)}"
    objects: list[dict[str, t.Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "database", "namespace": namespace},
            "stringData": {"DATABASE_URL": DATABASE},
        },
        *(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
            for name in ("checker", "narrow")
        ),
        *bound("Role", "preflight", namespace, documented(False)),
        *bound("ClusterRole", namespace, namespace, documented(True)),
    ]
    try:
        apply(*objects)
        module(
            "mcp_install",
            namespace=namespace,
            server=NAME,
            kubeconfig=CONFIG["admin_kubeconfig"],
            image_ref=f"{CONFIG['image']}:{OLD}",
            hostname=f"{namespace}.{CONFIG['public_host']}",
            gateway={"name": "sandbox", "namespace": "projectcontour"},
            replicas=1,
            ready_path="/ready",
            run_as_user=10001,
            env_from=[{"secretRef": {"name": "database"}}],
            resources={"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
            releasers=[
                {"kind": "ServiceAccount", "name": name, "namespace": namespace} for name in ("checker", "narrow")
            ],
        )
        kubectl("-n", namespace, "rollout", "status", f"deployment/{NAME}-blue", "--timeout=60s")
        made = {name: kubeconfig_of(namespace, name, tmp_path_factory.mktemp(name)) for name in ("checker", "narrow")}
        found = Place(namespace, made["checker"], made["narrow"], tmp_path_factory.mktemp("hosts"))
        answers(found.host)
        yield found
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
        kubectl("delete", "clusterrole,clusterrolebinding", namespace, "--ignore-not-found")


def answers(host: str, seconds: float = 30) -> None:
    """Wait until the gateway leads to the server."""
    request = urllib.request.Request(f"{CONFIG['public_url']}/health", headers={"Host": host})
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < end, f"{host} does not answer"
            time.sleep(0.3)


@contextmanager
def locked_registry() -> t.Iterator[str]:
    """Serve the sandbox's registry to who gives the planted password; yield its URL."""
    wanted = "Basic " + base64.b64encode(f"joe:{planted.REGISTRY_PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="locked"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            asked = urllib.request.Request(
                CONFIG["registry_url"] + self.path,
                method=self.command,
                headers={"Accept": self.headers.get("Accept", "*/*")},
            )
            with urllib.request.urlopen(asked, timeout=10) as answer:
                body = answer.read()
                self.send_response(answer.status)
                for name in ("Content-Type", "Docker-Content-Digest", "Content-Length"):
                    if answer.headers.get(name):
                        self.send_header(name, answer.headers[name])
                self.end_headers()
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_words: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def as_nodes(change: t.Callable[[dict[str, t.Any]], None]) -> t.Callable[[Request], t.Any]:
    """Return what answers the list of the nodes in the API server's place, each of them changed."""
    found = json.loads(kubectl("get", "nodes", "-o", "json"))
    for node in found["items"]:
        change(node)
    answer = (200, {**found, "kind": "NodeList"})
    return lambda request: copy.deepcopy(answer) if request.path == "/api/v1/nodes" else None


def cordon(node: dict[str, t.Any]) -> None:
    node["spec"]["unschedulable"] = True


def press(node: dict[str, t.Any]) -> None:
    next(one for one in node["status"]["conditions"] if one["type"] == "DiskPressure")["status"] = "True"


def stop(node: dict[str, t.Any]) -> None:
    next(one for one in node["status"]["conditions"] if one["type"] == "Ready")["status"] = "Unknown"


def fill(node: dict[str, t.Any]) -> None:
    node["status"]["allocatable"]["pods"] = "1"


def be_of_another_platform(node: dict[str, t.Any]) -> None:
    node["status"]["nodeInfo"]["architecture"] = "arm64"


SAYS = ["sh", "-c", 'echo "verified $MCP_IMAGE_REF"']
REFUSES = ["sh", "-c", f'echo "password={planted.DATABASE_PASSWORD}: no matching signatures"; exit 12']
AUTH = {"username": "joe", "password_env": SECRET_ENV}
# By host: the checks that fail, with a part of what each says.
FAILS = {
    "good": {},
    "narrow": {},
    "cordoned": {"nodes": "are cordoned (", "room": "no node takes them"},
    "locked": {"registry": "to anonymous users (401)", "platform": "(401)", "image_check": "(401)"},
    "unsigned": {"image_check": "ended with exit code 12; its output ends with"},
}


def test_one_play_with_good_and_bad_cases(place: Place, tmp_path: Path) -> None:
    before = looked_at(kubectl, place.namespace)
    with ExitStack() as stack:
        url = stack.enter_context(locked_registry())
        api = stack.enter_context(faulty_api(place.checker, tmp_path))
        api.refuse = as_nodes(cordon)
        hosts: dict[str, dict[str, t.Any]] = {
            "good": {"mcp_registry": url, "mcp_registry_auth": AUTH, "mcp_image_check_command": SAYS},
            "narrow": {"mcp_kubeconfig": place.releaser},
            "cordoned": {"mcp_kubeconfig": str(api.kubeconfig)},
            "locked": {"mcp_registry": url, "mcp_image_check_command": SAYS},
            "unsigned": {"mcp_image_check_command": REFUSES},
        }
        role = tmp_path / "preflight.yml"
        role.write_text(json.dumps(PLAY))
        code, said, servers = place.play(str(role), hosts)
    assert code == 2 and "changed=1" not in said, said
    assert servers.keys() == FAILS.keys(), said
    for name, expected in FAILS.items():
        found = {one["id"]: one for one in servers[name]["checks"]}
        failed = {key: one["message"] for key, one in found.items() if not one["ok"] and one["required"]}
        assert failed.keys() == expected.keys(), (name, failed)
        assert all(words in failed[key] for key, words in expected.items()), (name, failed)
        assert found["endpoint"]["verdict"] == "passed", found["endpoint"]
        # Who fails, says why in the play's own words.
        assert all(" ".join(message.split()) in " ".join(said.split()) for message in failed.values()), name
    good = {one["id"]: one["message"] for one in servers["good"]["checks"]}
    accepted = rf"accepts {CONFIG['image']}@(sha256:[0-9a-f]{{64}}): verified {CONFIG['image']}@\1"
    assert re.search(accepted, good["image_check"]), good
    assert "have room for 1 more pods of pool green, each of which requests 1m CPU and 64 MiB memory." in good["room"]
    assert "not counted" not in good["room"]
    assert "is for linux/amd64, as the nodes are" in good["platform"]
    assert re.search(rf"{OLD} \(sha256:[0-9a-f]{{64}}\), 1 of 1 pods ready", good["running_blue"])
    skipped = {one["id"] for one in servers["narrow"]["checks"] if one["skipped"]}
    assert {"namespace", "nodes", "room", "quotas", "limit_ranges", "platform"} <= skipped
    assert "Pager" in said
    assert differences(before, looked_at(kubectl, place.namespace)) == {}


@pytest.mark.parametrize(
    ("change", "options", "fails"),
    [
        (press, {}, {"nodes": "nodes have DiskPressure"}),
        (stop, {}, {"nodes": "nodes are not Ready", "room": "no node takes them"}),
        (fill, {}, {"room": "The nodes have room for 0 of 1 more pods of pool green"}),
        (fill, {"nodes_scale": True}, {}),
        (be_of_another_platform, {}, {"platform": "(linux/arm64), where it does not start"}),
        (None, {"image": "ghcr.io/org/no-such-server"}, {"registry": "is not in the registry", "platform": "push it"}),
    ],
    ids=["pressed", "stopped", "full", "scales", "platform", "absent"],
)
def test_what_else_is_wrong(
    place: Place,
    tmp_path: Path,
    change: t.Callable[[dict[str, t.Any]], None] | None,
    options: dict[str, t.Any],
    fails: dict[str, str],
) -> None:
    given = {"namespace": place.namespace, "server": NAME, "image": CONFIG["image"], "version": NEW, "scope": ["now"]}
    with faulty_api(place.checker, tmp_path) as api:
        if change:
            api.refuse = as_nodes(change)
        where = {"kubeconfig": str(api.kubeconfig), "registry": CONFIG["registry_url"]}
        found = module("mcp_preflight", fails=bool(fails), **{**given, **where, **options})["checks"]
    failed = {one["id"]: one["message"] for one in found if not one["ok"] and one["required"]}
    assert failed.keys() == fails.keys(), failed
    assert all(words in failed[key] for key, words in fails.items()), failed


def stands_in_the_way(namespace: str) -> list[dict[str, t.Any]]:
    """Return a full quota, a limit range that no pod keeps, and a budget for both pools that lets nobody go."""
    workload = json.loads(kubectl("-n", namespace, "get", "deployment", f"{NAME}-blue", "-o", "json"))
    other = json.loads(kubectl("-n", namespace, "get", "deployment", f"{NAME}-green", "-o", "json"))
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in (workload, other)]
    both = dict(labels[0].items() & labels[1].items())
    meta = {"name": "in-the-way", "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": "1"}}},
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": meta,
            "spec": {"limits": [{"type": "Container", "max": {"memory": "128Mi"}}]},
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": meta,
            "spec": {"maxUnavailable": 0, "selector": {"matchLabels": both}},
        },
    ]


def test_a_namespace_that_takes_no_pod_is_refused_before_a_release(place: Place) -> None:
    """A full quota, a limit range, a budget, and a pool that requests 1000 CPUs, all in one table, and in a release."""
    namespace = place.namespace
    objects = stands_in_the_way(namespace)
    more = [{"op": "replace", "path": "/spec/template/spec/containers/0/resources/requests/cpu", "value": "1000"}]
    less = [{**more[0], "value": "1m"}]
    try:
        apply(*objects)
        kubectl("-n", namespace, "patch", "deployment", f"{NAME}-green", "--type=json", "-p", json.dumps(more))
        end = time.monotonic() + 20
        while not kubectl("-n", namespace, "get", "quota", "in-the-way", "-o", "jsonpath={.status.used.pods}"):
            assert time.monotonic() < end
            time.sleep(0.2)
        before = looked_at(kubectl, namespace)
        code, said, servers = place.play("playbooks/bluegreen.yml", {"looked": {}})
        assert code == 2 and not servers, said
        for words in (
            "ResourceQuota in-the-way leaves 0 pods of pods, and 1 more pods of pool green need 1 pods: raise",
            "LimitRange in-the-way refuses the pods of pool green: container",
            "The nodes have room for 0 of 1 more pods of pool green, each of which requests 1000 CPU",
            "PodDisruptionBudget in-the-way counts the pods of both pools as one",
            "Pools differ in spec.containers",
        ):
            assert words in " ".join(said.split()), said
        # What is wrong, and the count; what is right is in preflight.yml's table.
        table = said[said.index(f"Pre-flight of {namespace}/{NAME}") :]
        assert re.search(r"\d+ checks: 3 FAILED, 2 warning, \d+ skipped, \d+ ok", table), said
        assert "  ok  " not in table, said
        assert differences(before, looked_at(kubectl, namespace)) == {}
    finally:
        kubectl("-n", namespace, "delete", "quota,limitrange,pdb", "in-the-way", "--ignore-not-found")
        kubectl("-n", namespace, "patch", "deployment", f"{NAME}-green", "--type=json", "-p", json.dumps(less))


def test_a_dependency_that_is_refused_by_the_release_is_bypassed_by_name_only(place: Place) -> None:
    """A registry that wants credentials, in a release: refused, and nothing of it is recorded."""
    with locked_registry() as url:
        code, said, _servers = place.play("playbooks/bluegreen.yml", {"looked": {"mcp_registry": url}})
    assert code == 2 and "refused ghcr.io/org/mcp-server:v1.2.0 to anonymous users (401)" in " ".join(said.split()), (
        said
    )
    where = {"namespace": place.namespace, "server": NAME, "kubeconfig": place.checker}
    assert module("mcp_release_info", **where)["record"] is None
