# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server whose pods are all unready answers again, with exactly the documented Role, and is restored as it was."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, ROOT, connect, kubectl, module, play, running, until, variables

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

NAME = "mcp-server"  # as in the documented Role
KEY = "planted-in-a-probe-7d31"
COMMAND = "planted-in-a-command-5e90"
NOTE = "mcp.server/break-glass"
KINDS = "deployment,service,httproute,hpa"
REASON = "INC-42, nothing answers, tried password=********"
TYPED = REASON.replace("********", "planted-in-a-reason-11c7")
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
ALL = ["traffic", "readiness", "scale", "probes"]
BROKEN = {"actions": ALL, "pool": "green", "replicas": 2, "reason": TYPED}


class Place(t.NamedTuple):
    """Where the server is. options: of modules, as the user of the documented Role. words: of plays, the same."""

    namespace: str
    options: dict[str, t.Any]
    words: tuple[str, ...]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    namespace, folder = f"glass-try-{secrets.token_hex(3)}", tmp_path_factory.mktemp("glass")
    try:
        create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        create(*server(namespace), *rights(namespace))
        kubeconfig = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
        token = kubectl("-n", namespace, "create", "token", "breaker").strip()
        kubeconfig["users"] = [{**one, "user": {"token": token}} for one in kubeconfig["users"]]
        (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
        its = variables(NAME, host_of(namespace), mcp_namespace=namespace, mcp_kubeconfig=str(folder / "kubeconfig"))
        escalation = [{"kind": "customer", "name": "Engineering VP"}, {"kind": "deployment", "name": "Platform"}]
        hosts = {"hosts": {NAME: {**its, "mcp_escalation": escalation}}}
        (folder / "inventory.yml").write_text(json.dumps({"broken": hosts}))
        options = {"namespace": namespace, "server": NAME, "kubeconfig": str(folder / "kubeconfig")}
        for pool in ("blue", "green"):
            selector = f"--selector=app={NAME},pool={pool}"
            phase = "--for=jsonpath={.status.phase}=Running"
            kubectl("-n", namespace, "wait", "pods", selector, phase, "--timeout=50s")
        yield Place(namespace, options, ("-i", str(folder / "inventory.yml"), "-l", NAME))
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


def create(*objects: dict[str, t.Any]) -> None:
    # Not apply, whose annotation has the whole object, and so the planted key.
    kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def host_of(namespace: str) -> str:
    return f"{namespace}.{CONFIG['public_host']}"


def server(namespace: str) -> list[dict[str, t.Any]]:
    """Return both pools, whose pods run and never get ready; green has the traffic, blue an autoscaler."""
    found: list[dict[str, t.Any]] = []
    for pool, version in (("blue", "v1.1.5"), ("green", "v1.2.0")):
        labels, place = {"app": NAME, "pool": pool}, {"name": f"{NAME}-{pool}", "namespace": namespace}
        headers = [{"name": "X-Key", "value": KEY}]
        own = {
            "name": "server",
            "image": f"{CONFIG['image']}:{version}",
            "ports": [{"name": "mcp", "containerPort": 8080}],
            "env": [{"name": "DATABASE_URL", "value": DATABASE}, {"name": "POOL", "value": pool}],
            "readinessProbe": {"httpGet": {"path": "/nowhere", "port": "mcp", "httpHeaders": headers}},
            "livenessProbe": {"exec": {"command": ["python3", "-c", f"'{COMMAND}'"]}, "periodSeconds": 10},
            "resources": {"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        }
        template = {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 2, "containers": [own]},
        }
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        ports = [{"name": "http", "port": 80, "targetPort": "mcp"}]
        found += [
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": place, "spec": spec},
            {"apiVersion": "v1", "kind": "Service", "metadata": place, "spec": {"selector": labels, "ports": ports}},
        ]
    never = {"type": "Utilization", "averageUtilization": 1000000}  # so that only break-glass changes the size
    scaled = {
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": never}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        "minReplicas": 1,
        "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{NAME}-green"},
    }
    backends = [
        {"name": f"{NAME}-{pool}", "port": 80, "weight": weight} for pool, weight in (("blue", 1), ("green", 9))
    ]
    return [
        *found,
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": f"{NAME}-green", "namespace": namespace},
            "spec": scaled,
        },
        route(namespace, NAME, "sandbox", backends),
        route(namespace, "away", "no-such-gateway", backends),
    ]


def route(namespace: str, name: str, gateway: str, backends: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    parents = [{"name": gateway, "namespace": "projectcontour"}]
    rules = [{"backendRefs": backends}]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": parents, "hostnames": [host_of(namespace)], "rules": rules},
    }


def rights(namespace: str) -> list[dict[str, t.Any]]:
    """Return a ServiceAccount with exactly the documented Role."""
    page = (ROOT / "docs/break-glass.md").read_text().partition("## Rights")[2]
    rules = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    group, at = "rbac.authorization.k8s.io", {"name": "breaker", "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": at},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": at, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": at,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "breaker"},
            "subjects": [{"kind": "ServiceAccount", **at}],
        },
    ]


def looked_at(namespace: str) -> dict[str, t.Any]:
    """Return what people wrote into the objects of the namespace, without what the API server counts."""
    found = json.loads(kubectl("-n", namespace, "get", KINDS, "-o", "json"))["items"]
    return {
        f"{one['kind']} {one['metadata']['name']}": [
            one["spec"],
            one["metadata"].get("labels") or {},
            {key: value for key, value in (one["metadata"].get("annotations") or {}).items() if "revision" not in key},
        ]
        for one in found
    }


def answers(namespace: str) -> int:
    asked = urllib.request.Request(f"{CONFIG['public_url']}/health", headers={"Host": host_of(namespace)})
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_server_without_a_ready_pod_answers_again_and_is_restored(place: Place) -> None:
    before = looked_at(place.namespace)
    assert answers(place.namespace) == 503
    code, said = play("playbooks/break_glass.yml", *place.words)
    assert code, said
    assert "takes a reason, which stands on each changed object" in said
    assert looked_at(place.namespace) == before

    started = time.monotonic()
    words = ("-e", json.dumps({"mcp_reason": TYPED}), "-e", "mcp_break_glass_pool=blue")
    code, said = play("playbooks/break_glass.yml", *place.words, *words)
    broken = time.monotonic() - started
    assert code == 0, said
    while answers(place.namespace) != 200:
        assert time.monotonic() - started < 30, said
        time.sleep(0.1)
    print(f"break-glass: {broken:.2f} s; the first good answer after {time.monotonic() - started:.2f} s\n{said}")
    assert "all traffic to pool blue (it was blue 10 %, green 90 %)" in said
    assert "mcp_restore=true" in said
    assert said.index("1. Customer impact: Engineering VP") > said.index("NEXT")
    assert "Platform" not in said
    after = looked_at(place.namespace)
    assert {name for name in before if before[name] != after[name]} == {f"HTTPRoute {NAME}", f"Service {NAME}-blue"}
    note = json.loads(after[f"Service {NAME}-blue"][2][NOTE])
    assert (note["reason"], note["changes"]) == (REASON, {"/spec/publishNotReadyAddresses": {"old": None, "new": True}})
    code, said = play("playbooks/break_glass.yml", *place.words, *words)
    assert code == 0, said
    assert "changed=0" in said
    assert looked_at(place.namespace) == after

    started = time.monotonic()
    code, said = play("playbooks/break_glass.yml", *place.words, "-e", "mcp_restore=true")
    print(f"restore: {time.monotonic() - started:.2f} s\n{said}")
    assert code == 0, said
    assert looked_at(place.namespace) == before
    code, said = play("playbooks/break_glass.yml", *place.words, "-e", "mcp_restore=true")
    assert code == 0, said
    assert "changed=0" in said


def test_every_action_alone_and_all_of_them_are_restored_to_what_was_before(place: Place) -> None:
    before = looked_at(place.namespace)
    expected = {
        "traffic": {f"HTTPRoute {NAME}"},
        "readiness": {f"Service {NAME}-green"},
        "scale": {f"Deployment {NAME}-green", f"HorizontalPodAutoscaler {NAME}-green"},
        "probes": {f"Deployment {NAME}-green"},
    }
    for actions in (["traffic"], ["readiness"], ["scale"], ["probes"], ALL):
        result = module("mcp_break_glass", **place.options, **{**BROKEN, "actions": actions})
        after = looked_at(place.namespace)
        changed = {name for name in before if before[name] != after[name]}
        assert changed == set().union(*(expected[one] for one in actions)), actions
        shown = json.dumps([result, [after[name][2] for name in after]])
        assert KEY not in shown and COMMAND not in shown
        assert module("mcp_break_glass", state="restored", check=True, **place.options)["changed"]
        assert module("mcp_break_glass", state="restored", **place.options)["changed"]
        assert looked_at(place.namespace) == before, actions
        assert not module("mcp_break_glass", state="restored", **place.options)["changed"]
    green = after[f"Deployment {NAME}-green"][0]
    assert green["replicas"] == 2
    assert not {"livenessProbe", "readinessProbe"} & set(green["template"]["spec"]["containers"][0])
    secret = json.loads(kubectl("-n", place.namespace, "get", "secret", f"{NAME}-break-glass", "-o", "json"))
    assert not secret.get("data")


def test_what_somebody_changed_meanwhile_stays_and_is_named(place: Place) -> None:
    before = looked_at(place.namespace)
    module("mcp_break_glass", **place.options, **BROKEN)
    kubectl("-n", place.namespace, "patch", "hpa", f"{NAME}-green", "-p", '{"spec": {"maxReplicas": 7}}')
    failed = module("mcp_break_glass", state="restored", fails=True, **place.options)
    assert "spec.maxReplicas is 7, break-glass had set 2, before it was 3" in failed["msg"]
    after = looked_at(place.namespace)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f"HorizontalPodAutoscaler {NAME}-green"}
    assert "the same again with -e mcp_restore_keep=true" in failed["msg"]
    assert module("mcp_break_glass", state="restored", keep=True, **place.options)["changed"]
    assert not module("mcp_break_glass", state="restored", **place.options)["changed"]
    kubectl("-n", place.namespace, "patch", "hpa", f"{NAME}-green", "-p", '{"spec": {"maxReplicas": 3}}')
    assert looked_at(place.namespace) == before


class Died(BaseException):
    """The process has ended."""


@pytest.mark.parametrize("state", ["broken", "restored"])
def test_a_run_that_dies_after_any_write_is_run_again_and_ends_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    before, real = (
        looked_at(place.namespace),
        type(connect({**place.options, "api_timeout": 9, "api_retry_timeout": 0})),
    )
    send, left = real._request, [0]

    def dying(self: t.Any, method: str, path: str, *words: t.Any, **more: t.Any) -> t.Any:
        answer = send(self, method, path, *words, **more)
        if method in ("PATCH", "POST") and "reviews" not in path:
            left[0] -= 1
            if left[0] == 0:
                raise Died
        return answer

    monkeypatch.setattr(real, "_request", dying)
    deaths, options = 0, {**place.options, **(BROKEN if state == "broken" else {"state": state})}
    for number in range(1, 9):
        if state == "restored":
            module("mcp_break_glass", **place.options, **BROKEN)
        left[0] = number
        try:
            module("mcp_break_glass", **options)
        except Died:
            deaths += 1
        left[0] = 0
        if state == "broken":
            module("mcp_break_glass", **options)
            broken = looked_at(place.namespace)
            assert broken[f"Deployment {NAME}-green"][0]["replicas"] == 2
            assert sum(NOTE in one[2] for one in broken.values()) == 4
        module("mcp_break_glass", state="restored", **place.options)
        assert looked_at(place.namespace) == before, number
    assert deaths >= 4


def test_a_play_that_is_killed_between_two_actions_is_run_again(place: Place) -> None:
    before = looked_at(place.namespace)
    words = ("-e", json.dumps({"mcp_reason": TYPED}), "-e", "mcp_break_glass_pool=blue")
    with running("playbooks/break_glass.yml", *place.words, *words) as process:
        until(process, "all traffic to pool blue")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert NOTE in looked_at(place.namespace)[f"HTTPRoute {NAME}"][2]
    code, said = play("playbooks/break_glass.yml", *place.words, *words)
    assert code == 0, said
    assert NOTE in looked_at(place.namespace)[f"Service {NAME}-blue"][2]
    code, said = play("playbooks/break_glass.yml", *place.words, "-e", "mcp_restore=true")
    assert code == 0, said
    assert looked_at(place.namespace) == before


def test_the_pool_that_answers_better_is_found_in_two_seconds(place: Place) -> None:
    before = looked_at(place.namespace)
    kubectl("-n", place.namespace, "scale", "deployment", f"{NAME}-blue", "--replicas=0")
    gone = ("wait", "pods", f"--selector=app={NAME},pool=blue", "--for=delete", "--timeout=50s")
    kubectl("-n", place.namespace, *gone)
    started = time.monotonic()
    result = module("mcp_break_glass", **place.options, actions=["traffic"], reason=REASON)
    assert time.monotonic() - started < 5
    assert result["pool"] == "green", result
    assert any("Pool green answers better (blue: 0 of 0 pods answer" in one for one in result["found"]), result
    # Nothing needs to be ready for it, and a pool without a pod gets one.
    module("mcp_break_glass", **place.options, actions=["scale"], pool="blue", reason=REASON)
    assert looked_at(place.namespace)[f"Deployment {NAME}-blue"][0]["replicas"] >= 1
    module("mcp_break_glass", state="restored", **place.options)
    kubectl("-n", place.namespace, "scale", "deployment", f"{NAME}-blue", "--replicas=1")
    assert looked_at(place.namespace) == before


def test_who_would_undo_it_and_a_gateway_that_is_away_are_named(place: Place) -> None:
    admin = {**place.options, "kubeconfig": CONFIG["admin_kubeconfig"], "route": "away"}
    label = ("label", "hpa", f"{NAME}-green")
    kubectl("-n", place.namespace, *label, "scaledobject.keda.sh/name=mcp")
    found = module("mcp_break_glass", **admin, actions=["traffic"], pool="green", reason=REASON)["found"]
    kubectl("-n", place.namespace, *label, "scaledobject.keda.sh/name-")
    assert found[0].endswith(f"kubectl annotate scaledobject mcp -n {place.namespace} autoscaling.keda.sh/paused=true")
    assert found[1].startswith(f"HTTPRoute {place.namespace}/away: the weights have no effect yet, as Gateway")
    assert module("mcp_break_glass", state="restored", **admin)["changed"]
