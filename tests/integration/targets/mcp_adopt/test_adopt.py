# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers of one Deployment, one Service and one route: adopted under load, released, and put back as they were."""

from __future__ import annotations

import json
import re
import secrets
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
SECRET = "planted-in-the-environment"
KINDS = "deployment,service,httproute,httpproxy,ingress,networkpolicy,poddisruptionbudget,role,rolebinding"


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    name = f"adopt-try-{secrets.token_hex(3)}"
    try:
        apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def apply(*objects: dict[str, t.Any]) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def host_of(namespace: str) -> str:
    return f"{namespace}.{CONFIG['public_host']}"


def server(namespace: str, name: str, replicas: int = 0) -> list[dict[str, t.Any]]:
    """Return what somebody has who has never heard of pools."""
    labels = {"app": name, "tier": "backend"}
    container = {
        "name": "server",
        "image": f"{CONFIG['image']}:{OLD}",
        "env": [{"name": "DATABASE_URL", "value": DATABASE}, {"name": "API_TOKEN", "value": SECRET}],
        "ports": [{"name": "mcp", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "mcp"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }
    selector = {"matchLabels": {"app": name}}
    pod = {"terminationGracePeriodSeconds": 10, "containers": [container]}
    specs: dict[tuple[str, str], dict[str, t.Any]] = {
        ("apps/v1", "Deployment"): {
            "replicas": replicas,
            "selector": selector,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
        ("v1", "Service"): {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "mcp"}]},
        ("policy/v1", "PodDisruptionBudget"): {"maxUnavailable": 1, "selector": selector},
        ("networking.k8s.io/v1", "NetworkPolicy"): {"podSelector": selector, "ingress": [{}]},
    }
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
        for (version, kind), spec in specs.items()
    ]


def http_route(namespace: str, service: str, host: str) -> dict[str, t.Any]:
    rule = {"timeouts": {"request": "0s"}, "backendRefs": [{"name": service, "port": 80}]}
    parent = {"name": "sandbox", "namespace": "projectcontour"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": f"{service}-public", "namespace": namespace},
        "spec": {"parentRefs": [parent], "hostnames": [host], "rules": [rule]},
    }


def http_proxy(namespace: str, service: str, host: str) -> dict[str, t.Any]:
    route = {"timeoutPolicy": {"response": "infinity"}, "services": [{"name": service, "port": 80}]}
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": f"{service}-proxy", "namespace": namespace},
        "spec": {"virtualhost": {"fqdn": host}, "routes": [route]},
    }


def looked_at(namespace: str) -> dict[str, t.Any]:
    """Return what people wrote into the objects of the namespace, without what the API server counts."""
    found = json.loads(kubectl("-n", namespace, "get", KINDS, "-o", "json"))["items"]
    return {
        f"{one['kind']} {one['metadata']['name']}": [
            one.get("spec", one.get("rules")),
            one["metadata"].get("labels") or {},
            {key: value for key, value in (one["metadata"].get("annotations") or {}).items() if "revision" not in key},
        ]
        for one in found
    }


def pods(namespace: str) -> dict[str, int]:
    """Return how often the containers of each pod were restarted, by the pod's uid."""
    found = json.loads(kubectl("-n", namespace, "get", "pods", "-o", "json"))["items"]
    return {one["metadata"]["uid"]: one["status"]["containerStatuses"][0]["restartCount"] for one in found}


def inventory(folder: Path, namespace: str, **more: t.Any) -> tuple[str, ...]:
    its = variables("weather", host_of(namespace), **{"mcp_namespace": namespace, **more})
    file = folder / "weather.yml"
    file.write_text(json.dumps({"adopted": {"hosts": {"weather": its}}}))
    return ("-i", str(file), "-l", "weather")


def test_a_server_is_adopted_under_load_released_and_put_back(namespace: str, tmp_path: Path) -> None:
    apply(*server(namespace, "weather", 2), http_route(namespace, "weather", host_of(namespace)))
    kubectl("-n", namespace, "rollout", "status", "deployment/weather", "--timeout=60s")
    before, running = looked_at(namespace), pods(namespace)
    admin = inventory(
        tmp_path,
        namespace,
        mcp_kubeconfig=CONFIG["admin_kubeconfig"],
        # Of the namespace of this run: it has no other rights here.
        mcp_adopt_releasers=[{"kind": "ServiceAccount", "name": "mcp-releaser", "namespace": CONFIG["test_namespace"]}],
    )
    code, said = play("playbooks/adopt.yml", *admin, "--check", "--diff")
    assert code == 0 and "+kind: Deployment" in said and "name: weather-green" in said, said
    assert SECRET not in said and "sandbox-only" not in said
    assert looked_at(namespace) == before

    with clients(tmp_path, 50, host=host_of(namespace)) as seen:
        code, said = play("playbooks/adopt.yml", *admin)
        assert code == 0, said
        adopted = looked_at(namespace)
        code, again = play("playbooks/adopt.yml", *admin, "--diff")
        assert code == 0 and "changed=0" in again, again
        assert looked_at(namespace) == adopted
    assert seen["failed"] == 0 and seen["sent"] > 100, seen
    assert pods(namespace) == running
    for name in ("Deployment weather", "Service weather", "PodDisruptionBudget weather", "NetworkPolicy weather"):
        assert adopted[name] == before[name]
    backends = adopted["HTTPRoute weather-public"][0]["rules"][0]["backendRefs"]
    assert [(one["name"], one["weight"]) for one in backends] == [("weather", 100), ("weather-green", 0)]

    # The lines that it printed are all that a release needs, as whoever has the Role that it made.
    lines = yaml.safe_load("\n".join(re.findall(r"- '?(mcp_[a-z_]+: [^'\n]+)'?", said)))
    assert lines == {"mcp_blue": "weather", "mcp_green": "weather-green", "mcp_route": "weather-public"}
    steps = [{"weight": 50, "seconds": 2}, {"weight": 100, "seconds": 2}]
    releaser = inventory(tmp_path, namespace, **lines, mcp_steps=steps, mcp_warm_seconds=1)
    with clients(tmp_path, 50, host=host_of(namespace)) as seen:
        code, said = play("playbooks/bluegreen.yml", *releaser, "-e", f"version={NEW}")
        assert code == 0, said
        admin = inventory(tmp_path, namespace, mcp_kubeconfig=CONFIG["admin_kubeconfig"])
        code, said = play("playbooks/adopt.yml", *admin, "-e", "mcp_adopt_undo=true")
        assert code and "gives traffic to Service weather-green" in said, said
        releaser = inventory(tmp_path, namespace, **lines)
        code, said = play("playbooks/rollback.yml", *releaser)
        assert code == 0, said
        admin = inventory(tmp_path, namespace, mcp_kubeconfig=CONFIG["admin_kubeconfig"])
        code, said = play("playbooks/adopt.yml", *admin, "-e", "mcp_adopt_undo=true")
        assert code == 0, said
    assert seen["failed"] == 0 and seen["sent"] > 500, seen
    after = looked_at(namespace)
    # Whoever releases notes its run on the Deployments that it writes.
    after["Deployment weather"][2].pop("mcp.server/run", None)
    assert after == before
    kubectl("-n", namespace, "delete", "httproute", "weather-public")


def test_an_http_proxy_is_adopted_and_put_back(namespace: str) -> None:
    host = f"proxy.{host_of(namespace)}"
    apply(*server(namespace, "proxied"), http_proxy(namespace, "proxied", host))
    before = looked_at(namespace)
    options = {"namespace": namespace, "server": "proxied", "kubeconfig": CONFIG["admin_kubeconfig"]}
    result = module("mcp_adopt", **options)
    assert "mcp_route_kind: httpproxy" in result["inventory"]
    services = looked_at(namespace)["HTTPProxy proxied-proxy"][0]["routes"][0]["services"]
    assert [one["responseHeadersPolicy"]["set"][0]["value"] for one in services] == ["blue", "green"]
    assert not module("mcp_adopt", **options)["changed"]
    assert module("mcp_adopt", state="absent", check=True, **options)["changed"]
    assert module("mcp_adopt", state="absent", **options)["changed"]
    assert not module("mcp_adopt", state="absent", **options)["changed"]
    assert looked_at(namespace) == before


def test_the_documented_role_adopts_and_all_reasons_are_given_at_once(namespace: str, tmp_path: Path) -> None:
    """Kubernetes lets nobody grant what he does not have, which the fake API server of the unit tests does not know."""
    page = (ROOT / "docs/adopt.md").read_text().partition("## Rights")[2]
    rules = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    releaser = (ROOT / "sandbox/manifests/mcp-server/role.yaml").read_text()
    releaser = releaser.replace("[mcp-server]", "[granted-public]").replace("mcp-server-blue", "granted")
    releaser = releaser.replace("mcp-server", "granted")
    rules += yaml.safe_load(releaser)["rules"]
    group, place = "rbac.authorization.k8s.io", {"name": "adopter", "namespace": namespace}
    apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": place, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": place,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "adopter"},
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
        *server(namespace, "granted"),
        http_route(namespace, "granted", f"granted.{host_of(namespace)}"),
    )
    before = looked_at(namespace)
    kubeconfig = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
    token = kubectl("-n", namespace, "create", "token", "adopter").strip()
    kubeconfig["users"] = [{**one, "user": {"token": token}} for one in kubeconfig["users"]]
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    options = {
        "namespace": namespace,
        "server": "granted",
        "kubeconfig": str(tmp_path / "kubeconfig"),
        "releasers": [{"kind": "User", "name": "eva"}],
    }
    result = module("mcp_adopt", **options)
    assert result["changed"] and any("may not list httpproxies" in note for note in result["notes"])
    assert not module("mcp_adopt", **options)["changed"]
    assert module("mcp_adopt", state="absent", **options)["changed"]
    assert looked_at(namespace) == before

    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": namespace},
            "spec": claim,
        }
    )
    pod = {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "containers": [{"name": "server", "ports": [{"containerPort": 8080, "hostPort": 8080}]}],
    }
    spec = {"paused": True, "strategy": {"type": "Recreate", "rollingUpdate": None}, "template": {"spec": pod}}
    kubectl("-n", namespace, "patch", "deployment", "granted", "--type=strategic", "-p", json.dumps({"spec": spec}))
    failed = module("mcp_adopt", fails=True, **options)
    assert len(failed["problems"]) == 4, failed
    for part in ("Recreate", "paused", "ReadWriteOnce", "hostPort 8080"):
        assert part in failed["msg"]
