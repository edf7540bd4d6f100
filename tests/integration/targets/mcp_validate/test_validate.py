# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers in a namespace of their own, one good and some wrong for real, in one play of validate.yml with exactly the
Role of docs/validate.md; and a release whose new version is found out in the warm window.
"""

from __future__ import annotations

import copy
import json
import re
import secrets
import threading
import time
import typing as t
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from looking import differences, looked_at
from planted import DATABASE_PASSWORD, ENDPOINT_TOKEN, PLANTED, of_kubeconfig, shown
from playing import CONFIG, ROOT, kubectl, play, variables
from small_servers import MANIFESTS

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

GOOD, NEW = "v1.1.5", "v1.2.0"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
NOWHERE = f"postgresql://mcp_user:{DATABASE_PASSWORD}@127.0.0.1:1/mcp"
# In place of the server's own metrics: a counter that stays as it is.
STILL = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'mcp_server_requests_total{code="200"} 5\\n'
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
HTTPServer(("", 9090), Handler).serve_forever()
"""
OWN_CHECKS = [
    {"name": "database", "pod": {"command": ["./health-check", "--database"], "expect": "Database connection: OK"}},
    {"name": "external services", "pod": {"command": ["./health-check", "--external-services"]}},
]
FLOWS = [
    {"name": "reorder point", "mcp": {"tool": "reorder_point", "arguments": {"daily_demand": 2, "lead_time_days": 3}}}
]
Object = dict[str, t.Any]
# Of each server: how many blue pods, and what its play has beside the others.
SERVERS: dict[str, tuple[int, dict[str, t.Any]]] = {
    "good": (2, {"mcp_validation_gates": {"throughput": {"limit": 0.01}}}),
    "sick": (1, {"mcp_validation_gates": {"throughput": {"limit": 100000}}}),
    "silent": (1, {}),
    "starved": (2, {"mcp_prometheus": None, "mcp_metrics": {}}),
    "unseen": (1, {"mcp_prometheus": {"url": CONFIG["prometheus_url"], "source": ["otel"]}, "mcp_health_path": ""}),
    "released": (1, {}),
}
OWN = {"health", "mcp", "metrics", "distribution", "latency", "throughput", "pod_1", "pod_2", "flow_1"}
VALIDATED = [name for name in SERVERS if name != "released"]


def server_objects(name: str, namespace: str) -> list[Object]:
    """Return the objects of a server: the sandbox's own, under its name and wrong in its way."""
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
                # By its name: a pod that does not have it is in no endpoint.
                one["spec"]["ports"][0]["targetPort"] = "mcp"
                continue
            one["spec"] |= {"replicas": SERVERS[name][0] * (pool == "blue"), "selector": {"matchLabels": labels}}
            one["spec"]["template"]["metadata"]["labels"] = labels
            _make_pod(name, pool, one["spec"]["template"]["spec"])
    if name == "starved":
        objects.append(_starved(objects[2]))
    return objects


def _make_pod(name: str, pool: str, pod: Object) -> None:
    pod["terminationGracePeriodSeconds"] = 1
    (container,) = pod["containers"]
    container |= {"name": name, "image": f"{CONFIG['image']}:{GOOD}"}
    container["resources"] = {"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    for variable in container["env"]:
        reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
        if reference and name == "sick":
            reference["key"] = "nowhere"
    if name == "silent" or (name, pool) == ("released", "green"):
        container["env"].append({"name": "LISTEN_PORT_METRICS", "value": "9091"})
        (metrics,) = [one for one in container["ports"] if one["name"] == "metrics"]
        container["ports"].remove(metrics)
        image = f"{CONFIG['image']}:{GOOD}"
        pod["containers"].append(
            {"name": "metrics", "image": image, "command": ["python3", "-c", STILL], "ports": [metrics]}
        )


def _starved(deployment: Object) -> Object:
    """Return a Deployment of one more pod that the Service selects, and that does not have its port."""
    found = copy.deepcopy(deployment)
    found["metadata"]["name"] += "-more"
    labels = found["spec"]["template"]["metadata"]["labels"] | {"more": "yes"}
    found["spec"] |= {"replicas": 1, "selector": {"matchLabels": labels}}
    found["spec"]["template"]["metadata"]["labels"] = labels
    (container,) = found["spec"]["template"]["spec"]["containers"]
    (port,) = [one for one in container["ports"] if one["name"] == "mcp"]
    port["name"] = "renamed"
    for probe in ("readinessProbe", "livenessProbe"):
        for how in container[probe].values():
            if isinstance(how, dict) and how.get("port") == "mcp":
                how["port"] = "renamed"
    return found


def host_of(name: str, namespace: str) -> str:
    return f"{name}.{namespace}.{CONFIG['public_host']}"


def rights(namespace: str) -> list[Object]:
    """Return a user with exactly the Role of docs/validate.md for all servers, and one who also releases."""
    page = (ROOT / "docs/validate.md").read_text().partition("\n## Rights\n")[2]
    blocks = [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    of_page = [*blocks[0]["rules"], *blocks[1]]
    of_release = yaml.safe_load((MANIFESTS / "role.yaml").read_text())["rules"]
    group = "rbac.authorization.k8s.io"
    found: list[Object] = []
    for user, rules in (("validator", of_page), ("releaser", of_release)):
        me = {"name": user, "namespace": namespace}
        found.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": me})
        granted = []
        for rule in rules:
            names = [one.replace("mcp-server", name) for name in SERVERS for one in rule.get("resourceNames", [])]
            granted.append(rule | ({"resourceNames": names} if names else {}))
        found.append({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": me, "rules": granted})
        found.append(
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": me,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": user},
                "subjects": [{"kind": "ServiceAccount", **me}],
            }
        )
    return found


def applied(objects: list[Object]) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    name = f"validate-try-{secrets.token_hex(3)}"
    objects: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "mcp-server-secrets", "namespace": name},
            "stringData": {"database-url": DATABASE, "nowhere": NOWHERE},
        },
    ]
    try:
        applied(objects + rights(name) + [one for server in SERVERS for one in server_objects(server, name)])
        kubectl("-n", name, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=80s")
        for server in SERVERS:
            until(lambda server=server: is_answered(host_of(server, name)))
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def is_answered(host: str, times: int = 5) -> bool:
    """Return whether the server answers so many requests."""
    try:
        for _number in range(times):
            request = urllib.request.Request(f"{CONFIG['public_url']}/health", headers={"Host": host})
            urllib.request.urlopen(request, timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def traffic(hosts: t.Sequence[str]) -> t.Iterator[None]:
    """Send some requests a second to each of these while the block lasts."""
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.3):
            for host in hosts:
                is_answered(host, 1)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(20)


def until(holds: t.Callable[[], t.Any], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.5)


def kubeconfig_of(user: str, namespace: str, folder: Path) -> Path:
    config = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
    token = kubectl("-n", namespace, "create", "token", user).strip()
    config["users"] = [{"name": one["name"], "user": {"token": token}} for one in config["users"]]
    file = folder / user
    file.write_text(yaml.safe_dump(config))
    file.chmod(0o600)
    return file


def inventory(folder: Path, namespace: str, user: str, names: t.Sequence[str], **more: t.Any) -> tuple[str, ...]:
    given = {
        "mcp_namespace": namespace,
        "mcp_kubeconfig": str(kubeconfig_of(user, namespace, folder)),
        "mcp_prometheus": {"url": CONFIG["prometheus_url"], "source": ["app"]},
        "mcp_validate_seconds": 12,
    }
    hosts = {
        name: variables(
            name,
            host_of(name, namespace),
            **{**given, "mcp_container": name, **SERVERS[name][1], **more},
        )
        for name in names
    }
    hosts.get("unseen", {})["mcp_health_checks"] = []
    file = folder / f"{user}.yml"
    file.write_text(json.dumps({"validated": {"hosts": hosts}}))
    return ("-i", str(file), "-l", "validated")


@pytest.fixture(scope="module")
def played(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, t.Any]]]:
    """Return the output of one play on all servers, and of each server its results, by id."""
    folder = tmp_path_factory.mktemp("validations")
    file, token = folder / "all.json", folder / "token"
    token.write_text(ENDPOINT_TOKEN)
    words = inventory(
        folder,
        namespace,
        "validator",
        VALIDATED,
        mcp_pod_checks=OWN_CHECKS,
        mcp_critical_flows=FLOWS,
        mcp_auth={"token_file": str(token)},
        mcp_output=str(file),
    )
    before = looked_at(kubectl, namespace)
    with traffic([host_of(name, namespace) for name in VALIDATED]):
        time.sleep(10)  # of what is judged
        code, said = play("playbooks/validate.yml", *words, "--forks", "5")
    assert code == 2, said
    assert not differences(before, looked_at(kubectl, namespace))
    text = file.read_text()
    assert not shown(said + text, [*PLANTED, *of_kubeconfig(folder / "validator")])
    servers = json.loads(text)["servers"]
    return said, {one["host"]: {row["id"]: row for row in one["checks"]} for one in servers}


def verdicts(rows: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {check: row["verdict"] for check, row in rows.items() if row["verdict"] != "skipped"}


def test_a_good_server_passes_all(played: tuple[str, dict[str, dict[str, t.Any]]]) -> None:
    said, servers = played
    assert not [row for row in servers["good"].values() if not row["ok"]], said
    assert set(verdicts(servers["good"])) >= OWN
    assert {verdicts(servers["good"])[check] for check in OWN} == {"passed"}, servers["good"]
    assert re.search(r"good +: ok=\d+ +changed=0 +unreachable=0 +failed=0", said)


@pytest.mark.parametrize(
    ("name", "check", "verdict", "words"),
    [
        ("sick", "health", "failed", "status"),
        ("sick", "pod_1", "failed", "exit code 1"),
        ("sick", "throughput", "failed", "at least 100000.0 requests a second wanted"),
        ("silent", "metrics", "failed", "rose by 0 only"),
        ("silent", "throughput", "cannot_measure", "load test"),
        ("starved", "distribution", "failed", r"starved-blue-more-\S+ does not get its share.* got 0 of \d+ requests"),
        ("starved", "metrics", "passed", "read in the pods"),
        ("unseen", "metrics", "cannot_measure", "has no http_server_request_duration_seconds_count of this server"),
        ("unseen", "latency", "cannot_measure", "live traffic"),
    ],
)
def test_what_is_wrong_is_found(
    name: str, check: str, verdict: str, words: str, played: tuple[str, dict[str, dict[str, t.Any]]]
) -> None:
    said, servers = played
    row = servers[name][check]
    assert row["verdict"] == verdict and re.search(words, row["message"]), row
    # What fails is said with the others, in one table, and again at the end.
    assert row["message"][:40] in said
    # All the other checks were made nevertheless.
    assert servers[name].keys() >= OWN


def test_only_what_is_wrong_fails(played: tuple[str, dict[str, dict[str, t.Any]]]) -> None:
    _said, servers = played
    failed = {
        name: [check for check, one in verdicts(rows).items() if one == "failed"] for name, rows in servers.items()
    }
    why = {name: [rows[check]["message"] for check in failed[name]] for name, rows in servers.items()}
    assert failed["sick"] == ["health", "throughput", "pod_1"] and failed["silent"] == ["metrics"], why
    assert (failed["starved"], failed["unseen"]) == (["distribution"], []), why


def test_a_version_whose_metrics_do_not_flow_is_rolled_back(namespace: str, tmp_path: Path) -> None:
    """In the warm window, by the default of mcp_validation."""
    words = inventory(
        tmp_path,
        namespace,
        "releaser",
        ["released"],
        mcp_prometheus=None,
        mcp_metrics={},
        mcp_validation=["health", "mcp", "metrics"],
        mcp_steps=[{"weight": 100, "seconds": 0}],
        mcp_warm_seconds=300,
    )
    start = time.monotonic()
    code, said = play("playbooks/bluegreen.yml", *words, "-e", f"version={NEW}")
    assert code == 2 and time.monotonic() - start < 200, said  # long before the end of the warm window
    assert "Check metrics flow failed" in said and "rose by 0 only" in said, said
    assert not shown(said, [*PLANTED, *of_kubeconfig(tmp_path / "releaser")])
    route = json.loads(kubectl("-n", namespace, "get", "httproute", "released", "-o", "json"))
    weights = {one["name"]: one["weight"] for one in route["spec"]["rules"][0]["backendRefs"]}
    assert weights == {"released-blue": 100, "released-green": 0}
    record = kubectl("-n", namespace, "get", "configmap", "released-release", "-o", "json")
    assert "metrics flow failed" in record and "rolled_back" in record
