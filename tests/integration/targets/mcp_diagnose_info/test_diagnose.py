# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that are broken for real, each in its own way, in a namespace of their own; and what diagnose.yml says.

It plays with exactly the Role of docs/diagnose.md.
"""

from __future__ import annotations

import copy
import json
import re
import secrets
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, ROOT, kubectl, play, variables
from small_servers import MANIFESTS

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PASSWORD = "planted-Xq7-database"
TOKEN = "planted.Zk3.bearer-0815"
KEY = "c2VjcmV0LXBsYW50ZWQta2V5"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
# Refused, and it has a password that nobody may see.
NOWHERE = f"postgresql://mcp_user:{PASSWORD}@127.0.0.1:1/mcp"
# In no output, whatever a log or a Secret has.
PLANTED = [PASSWORD, TOKEN, KEY]
GOOD, MISSING = "v1.1.5", "v0.0.1-missing"
DEBUG_IMAGE = "ghcr.io/org/mcp-debug:1.0.0"
SAYS_UNAUTHORIZED = (
    f"while true; do echo 'WARNING 401 unauthorized: invalid token, Authorization: Bearer {TOKEN} api_key={KEY}'; "
    "sleep 1; done"
)
# A server of the Python SDK as it is when nobody tells it the hosts that clients name, and a client of it: one with a
# public host, and one whose revision nobody supports. The SDK logs no refused revision, so the client says the answer.
STRICT = """
import json, sys, threading, time, urllib.error, urllib.request
from mcp.server import MCPServer
serve = lambda: MCPServer("strict").run("streamable-http", host="127.0.0.1", port=9123)
threading.Thread(target=serve, daemon=True).start()
meta = {"protocolVersion": "1999-01-01", "clientInfo": {"name": "a", "version": "1"}, "clientCapabilities": {}}
meta = {"io.modelcontextprotocol/" + key: value for key, value in meta.items()}
body = {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}}
headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
if sys.argv[1] == "hosts":
    headers["Host"] = "mcp.example.com"
else:
    headers |= {"MCP-Protocol-Version": "1999-01-01", "Mcp-Method": "server/discover"}
while True:
    time.sleep(2)
    try:
        urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:9123/mcp", json.dumps(body).encode(), headers))
    except urllib.error.HTTPError as error:
        print("answer", error.code, error.read().decode(), flush=True)
    except OSError:
        pass
"""
GATEWAY = {"namespace": "projectcontour", "selector": {"app": "envoy"}}
# Servers that have a database: what they say of it would be a cause before their own.
CALM = ("clients", "hosts", "revision", "token", "unready", "well")
Object = dict[str, t.Any]

# By the name of a server: the environment of its pods, and the cause that is found.
BROKEN = {
    "memory": ({"FAULT": "leak", "FAULT_MIB_PER_SECOND": "60"}, "oom_killed"),
    "unready": ({"FAULT": "unready"}, "probe"),
    "image": ({}, "image"),
    "database": ({}, "database"),
    "token": ({}, "authentication"),
    "clients": ({"MCP_SESSIONS": "stateful"}, "session_not_found"),
    "hosts": ({}, "host_refused"),
    "revision": ({}, "revision"),
    "secret": ({}, "configuration"),
    "quota": ({}, "quota"),
    # What is wrong there is not its own: see the quota.
    "well": ({}, "quota_full"),
}


def server_objects(name: str, namespace: str, environment: t.Mapping[str, str]) -> list[Object]:
    """Return the objects of a server with one blue pod: the sandbox's own, under its name and broken in its way."""
    service, deployment = yaml.safe_load_all((MANIFESTS / "pool" / "pool.yaml").read_text())
    route = next(
        one for one in yaml.safe_load_all((MANIFESTS / "server.yaml").read_text()) if one["kind"] == "HTTPRoute"
    )
    route["metadata"] = {"name": name, "namespace": namespace}
    route["spec"]["hostnames"] = [host_of(name, namespace)]
    for backend in route["spec"]["rules"][0]["backendRefs"]:
        backend["name"] = backend["name"].replace("mcp-server", name)
    objects = [route]
    for pool in ("blue", "green"):
        labels = {"app": name, "pool": pool}
        for one in (copy.deepcopy(service), copy.deepcopy(deployment)):
            one["metadata"] = {"name": f"{name}-{pool}", "namespace": namespace}
            objects.append(one)
            if one["kind"] == "Service":
                one["spec"]["selector"] = labels
                continue
            runs = pool == "blue" and name != "quota"
            one["spec"] |= {"replicas": int(runs), "selector": {"matchLabels": labels}}
            one["spec"]["template"]["metadata"]["labels"] = labels
            pod = one["spec"]["template"]["spec"]
            pod["terminationGracePeriodSeconds"] = 1
            container = pod["containers"][0]
            container |= {"name": name, "image": f"{CONFIG['image']}:{MISSING if name == 'image' else GOOD}"}
            container["env"] += [{"name": key, "value": value} for key, value in environment.items()]
            container["resources"] = {
                "requests": {"cpu": "1m", "memory": "64Mi"},
                "limits": {"memory": "96Mi" if name == "memory" else "256Mi"},
            }
            for variable in container["env"]:
                if reference := (variable.get("valueFrom") or {}).get("secretKeyRef"):
                    other_keys = {"secret": "not-there", "database": "nowhere"}
                    reference["key"] = other_keys.get(name, reference["key"])
            if name in ("hosts", "revision"):
                command = ["python3", "-c", STRICT, name]
                pod["containers"].append({"name": "strict", "image": f"{CONFIG['image']}:{GOOD}", "command": command})
            if name == "token":
                pod["containers"].append(
                    {"name": "talker", "image": DEBUG_IMAGE, "command": ["sh", "-c", SAYS_UNAUTHORIZED]}
                )
    return objects


def host_of(name: str, namespace: str) -> str:
    return f"{name}.{namespace}.{CONFIG['public_host']}"


def rights(namespace: str) -> list[Object]:
    """Return a user with the Role of docs/diagnose.md, and with some of the optional rights."""
    page = (ROOT / "docs/diagnose.md").read_text().partition("\n## Rights\n")[2]
    rules = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    optional = [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mcp-server-secrets"], "verbs": ["get"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "delete"]},
    ]
    of_gateway = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ]
    group, me = "rbac.authorization.k8s.io", {"name": "diagnoser", "namespace": namespace}
    found: list[Object] = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": me}]
    for place, name, granted in (
        (namespace, "diagnoser", rules),
        (namespace, "diagnoser-optional", optional),
        (GATEWAY["namespace"], namespace, of_gateway),
    ):
        metadata = {"name": name, "namespace": place, "labels": {"made-by": namespace}}
        found.append({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": granted})
        found.append(
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", **me}],
            }
        )
    return found


def applied(objects: list[Object]) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    name = f"diagnose-try-{secrets.token_hex(3)}"
    secret = {"database-url": DATABASE, "nowhere": NOWHERE}
    objects: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "mcp-server-secrets", "namespace": name},
            "stringData": secret,
        },
    ]
    try:
        applied(objects + rights(name))
        applied([one for which, (env, _cause) in BROKEN.items() for one in server_objects(which, name, env)])
        break_for_real(name)
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")
        kubectl("-n", GATEWAY["namespace"], "delete", "role,rolebinding", "-l", f"made-by={name}", "--wait=false")


def break_for_real(namespace: str) -> None:
    """Wait until each server is broken as it should be, and meet the one whose clients are at fault."""
    here = ("-n", namespace)
    for name in ("clients", "well", "token"):
        kubectl(*here, "wait", "--for=condition=Available", f"deployment/{name}-blue", "--timeout=50s")
    until(lambda: not restarted(namespace))
    wrong_requests(namespace)
    # As many pods as there are: the next one is refused.
    pods = len(json.loads(kubectl(*here, "get", "pods", "-o", "json"))["items"])
    quota = {"name": "full", "namespace": namespace}
    applied([{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": quota, "spec": {"hard": {"pods": pods}}}])
    until(
        lambda: json.loads(kubectl(*here, "get", "resourcequota", "full", "-o", "json")).get("status", {}).get("used")
    )
    kubectl(*here, "scale", "deployment/quota-blue", "--replicas=1")
    until(lambda: "answer 421" in kubectl(*here, "logs", "-l", "app=hosts", "-c", "strict", "--tail=-1"))
    until(lambda: "answer 400" in kubectl(*here, "logs", "-l", "app=revision", "-c", "strict", "--tail=-1"))
    until(lambda: "OOMKilled" in kubectl(*here, "get", "pods", "-l", "app=memory", "-o", "json"))
    until(lambda: "FailedCreate" in kubectl(*here, "get", "events"))
    until(lambda: "ImagePull" in kubectl(*here, "get", "pods", "-l", "app=image"))
    database = ("-l", "app=database", "--tail=-1")
    until(lambda: "refused" in kubectl(*here, "logs", *database) or "a connection" in kubectl(*here, "logs", *database))


def restarted(namespace: str) -> list[str]:
    """Restart servers that got no connection to their database, as all start at once on a busy machine; return them.

    One that is still starting is returned, too.
    """
    here = ("-n", namespace)
    logs = {
        name: kubectl(*here, "logs", "-l", f"app={name}", "-c", name, "--tail=-1", "--ignore-errors") for name in CALM
    }
    for name in (name for name, log in logs.items() if "connection" in log):
        kubectl(*here, "delete", "pod", "-l", f"app={name}")
    return [name for name, log in logs.items() if "connection" in log or "startup complete" not in log]


def until(holds: t.Callable[[], t.Any], seconds: float = 50) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.5)


def wrong_requests(namespace: str) -> None:
    """Send what clients send that lost their session, and that do not accept event streams."""
    url, host = f"{CONFIG['public_url']}/mcp", host_of("clients", namespace)
    both = "application/json, text/event-stream"

    def status(accept: str, **headers: str) -> int:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
        given = {"Host": host, "Content-Type": "application/json", "Accept": accept, **headers}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, given), timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    lost = {"Mcp-Session-Id": secrets.token_hex(16), "MCP-Protocol-Version": "2025-06-18"}
    until(lambda: status(both, **lost) == 404)
    assert {status(both, **lost) for _number in range(20)} == {404}
    assert {status("text/plain") for _number in range(5)} == {406}


@pytest.fixture(scope="module")
def kubeconfig(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the kubeconfig of a user who has the Role of the page, and no more."""
    config = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
    token = kubectl("-n", namespace, "create", "token", "diagnoser").strip()
    config["users"] = [{"name": one["name"], "user": {"token": token}} for one in config["users"]]
    file = tmp_path_factory.mktemp("user") / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def played(
    namespace: str, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, dict[str, t.Any]]]:
    """Return the output of one play on all of them, and what each one's file says."""
    folder = tmp_path_factory.mktemp("diagnoses")
    hosts = {
        name: variables(
            name,
            host_of(name, namespace),
            mcp_namespace=namespace,
            mcp_kubeconfig=str(kubeconfig),
            mcp_diagnose_gateway=GATEWAY,
            mcp_debug_image_ref=DEBUG_IMAGE,
            mcp_output=str(folder / "all.json"),
            mcp_escalation=[{"name": "MCP Development Team Lead", "when": "Application issues"}],
        )
        for name in BROKEN
    }
    inventory = folder / "broken.yml"
    inventory.write_text(json.dumps({"broken": {"hosts": hosts}}))
    # Buffered by Envoy for some seconds
    until(lambda: " 406 " in gateway_log(host_of("clients", namespace)), 30)
    code, said = play("playbooks/diagnose.yml", "-i", str(inventory), "-l", "broken", "--forks", "4")
    assert code == 0, said
    text = (folder / "all.json").read_text()
    assert not [secret for secret in PLANTED if secret in said + text]
    return said, {one["host"]: one for one in json.loads(text)["servers"]}


def gateway_log(host: str) -> str:
    words = kubectl("-n", "projectcontour", "logs", "-l", "app=envoy", "-c", "envoy", "--since=2m", "--tail=-1")
    return "\n".join(line for line in words.splitlines() if host in line)


@pytest.mark.parametrize("name", BROKEN)
def test_the_most_likely_cause_is_the_true_one(name: str, played: tuple[str, dict[str, dict[str, t.Any]]]) -> None:
    said, files = played
    found, (_environment, cause) = files[name], BROKEN[name]
    assert found["most_likely"] in said
    assert found["causes"][0]["name"] == cause, found
    assert found["causes"][0]["next"] in found["most_likely"]
    assert "MCP Development Team Lead" in found["most_likely"]


def test_what_is_said_of_each(namespace: str, played: tuple[str, dict[str, dict[str, t.Any]]]) -> None:
    said, files = played
    assert "with its limit of 96Mi" in files["memory"]["most_likely"]
    assert "exceeded quota: full" in files["quota"]["most_likely"]
    assert MISSING in files["image"]["most_likely"]
    assert "503" in json.dumps(files["unready"]["findings"])
    assert "not-there" in files["secret"]["most_likely"]
    # Only keys of Secrets, and the lines of logs without the secrets in them
    assert f"Secret {namespace}/mcp-server-secrets: ok (its keys: database-url, nowhere)" in said
    (line,) = [one for one in files["token"]["findings"] if one["cause"] == "authentication"]
    assert line["count"] > 1 and line["first"] < line["last"] and "unauthorized" in line["lines"][0]
    assert "before its restart" in json.dumps(files["memory"]["findings"]) or files["memory"]["logs"]["found"] >= 3
    # The words of a real SDK, and the status in its access log
    assert {"host_refused", "misdirected"} <= {one["name"] for one in files["hosts"]["causes"]}
    (refused,) = [one for one in files["revision"]["findings"] if one["cause"] == "revision"]
    assert "Unsupported protocol version" in refused["lines"][0]
    # Of the gateway's log, only the lines about this server
    causes = [one["name"] for one in files["clients"]["causes"]]
    assert {"session_not_found", "not_acceptable"} <= set(causes)
    assert "not_acceptable" not in [one["name"] for one in files["well"]["causes"]]
    (lost,) = [one for one in files["clients"]["findings"] if one["cause"] == "session_not_found"]
    assert lost["count"] >= 20 and "gateway" in lost["where"]
    # What the user may not read
    assert any("kubelet" in one and "no right" in one for one in files["well"]["not_read"])


def test_the_checks_are_made_from_inside(namespace: str, kubeconfig: Path, tmp_path: Path) -> None:
    kubectl("-n", namespace, "delete", "resourcequota", "full", "--ignore-not-found")
    file, inventory = tmp_path / "all.json", tmp_path / "broken.yml"
    hosts = {
        name: variables(
            name,
            host_of(name, namespace),
            mcp_namespace=namespace,
            mcp_kubeconfig=str(kubeconfig),
            mcp_debug_image_ref=DEBUG_IMAGE,
            # As text, from a survey
            mcp_debug_hosts=asked,
            mcp_diagnose_node_logs="false",
            mcp_diagnose_seconds="20",
            mcp_output=str(file),
        )
        for name, asked in (("database", "postgresql.database.svc:1"), ("well", "postgresql.database.svc:5432"))
    }
    inventory.write_text(json.dumps({"broken": {"hosts": hosts}}))
    code, said = play("playbooks/diagnose.yml", "-i", str(inventory), "-l", "database", "--check")
    assert code == 0 and "check mode creates no Job" in said and not file.exists(), said
    code, said = play("playbooks/diagnose.yml", "-i", str(inventory), "-l", "broken")
    assert code == 0, said
    found, well = json.loads(file.read_text())["servers"]
    assert f"database: {found['most_likely']}" in said
    assert well["most_likely"].startswith(f"Most likely nothing in the cluster is wrong with {namespace}/well"), well
    assert {one["ok"] for one in well["checks"]} - {None} == {True}, well["checks"]
    by_name = {one["name"]: one for one in found["checks"]}
    assert by_name["dns"]["ok"] is True and by_name["tcp"]["ok"] is False, found["checks"]
    assert (
        found["causes"][0]["name"] == "database"
        and "confirms it: TCP postgresql.database.svc:1: FAILED" in found["most_likely"]
    )
    assert not [secret for secret in PLANTED if secret in said + file.read_text()]
    assert "debug" not in kubectl("-n", namespace, "get", "jobs", "-o", "name")
