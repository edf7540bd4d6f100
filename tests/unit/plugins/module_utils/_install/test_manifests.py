# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._install import manifests
from ansible_collections.mcp.server.plugins.module_utils._install.manifests import Settings
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

ROOT = Path(__file__).parents[5]
SERVER = Server("prod", "mcp-server", "{server}-{pool}", "mcp-server", "mcp-server")
PLAIN = Settings("example/image:v1", gateway={"name": "public", "namespace": "gateways"}, hostname="mcp.example.com")
FULL = replace(
    PLAIN,
    metrics_port=9090,
    ready_path="/ready",
    command=["serve"],
    args=["--http"],
    env=[{"name": "LEVEL", "value": "info"}],
    env_from=[{"secretRef": {"name": "keys"}}],
    resources={"limits": {"memory": "1Gi"}},
    pull_secrets=["registry"],
    run_as_user=1000,
    releasers=[{"kind": "User", "name": "eva"}, {"kind": "ServiceAccount", "name": "ci"}],
)


def made(settings: Settings = PLAIN, server: Server = SERVER) -> dict[str, t.Any]:
    return manifests.objects(server, settings)


def pod(settings: Settings = PLAIN, pool: str = "blue") -> t.Any:
    return made(settings)[f"deployment_{pool}"]["spec"]["template"]["spec"]


def container(settings: Settings = PLAIN) -> t.Any:
    (one,) = pod(settings)["containers"]
    return one


def violations(spec: dict[str, t.Any]) -> list[str]:
    """Return what Pod Security's standard restricted refuses of a pod, by its published list."""
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers") if spec.get(key)]
    context = spec.get("securityContext") or {}
    if context.get("runAsNonRoot") is not True:
        found.append("runAsNonRoot")
    if (context.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("seccompProfile")
    for one in spec["containers"]:
        own = one.get("securityContext") or {}
        if own.get("allowPrivilegeEscalation") is not False:
            found.append("allowPrivilegeEscalation")
        if (own.get("capabilities") or {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
            found.append("capabilities")
        if own.get("privileged") or any("hostPort" in port for port in one.get("ports", ())):
            found.append("privileged or hostPort")
        if context.get("runAsUser") == 0 or own.get("runAsUser") == 0:
            found.append("runAsUser")
    return found


@pytest.mark.parametrize("settings", [PLAIN, FULL], ids=["plain", "full"])
@pytest.mark.parametrize("pool", POOLS)
def test_pods_meet_the_standard_restricted(settings: Settings, pool: str) -> None:
    spec = pod(settings, pool)
    assert violations(spec) == []
    assert spec["automountServiceAccountToken"] is False and spec["serviceAccountName"] == "mcp-server"


def test_what_is_not_restricted_is_found() -> None:
    spec = pod()
    assert violations({**spec, "securityContext": {}}) == ["runAsNonRoot", "seccompProfile"]
    assert violations({**spec, "containers": [{"name": "a"}]}) == ["allowPrivilegeEscalation", "capabilities"]


@pytest.mark.parametrize("settings", [PLAIN, FULL], ids=["plain", "full"])
@pytest.mark.parametrize("pool", POOLS)
def test_services_and_budgets_select_the_pods_of_their_pool_and_ports_match(settings: Settings, pool: str) -> None:
    objects = made(settings)
    template = objects[f"deployment_{pool}"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert labels == {"app": "mcp-server", "pool": pool}
    assert objects[f"deployment_{pool}"]["spec"]["selector"]["matchLabels"] == labels
    assert objects[f"service_{pool}"]["spec"]["selector"] == labels
    budget = objects[f"disruption_budget_{pool}"]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
    (port,) = objects[f"service_{pool}"]["spec"]["ports"]
    ports = {one["name"]: one["containerPort"] for one in template["spec"]["containers"][0]["ports"]}
    assert ports[port["targetPort"]] == port["port"] == settings.port
    backends = objects["route"]["spec"]["rules"][0]["backendRefs"]
    assert {"group": "", "kind": "Service", "name": objects[f"service_{pool}"]["metadata"]["name"]}.items() <= next(
        one.items() for one in backends if one["name"].endswith(pool) and one["port"] == port["port"]
    )


def test_blue_has_the_pods_and_all_traffic() -> None:
    objects = made(replace(PLAIN, replicas=3))
    assert [objects[f"deployment_{pool}"]["spec"]["replicas"] for pool in POOLS] == [3, 0]
    assert [pod(pool=pool)["containers"][0]["image"] for pool in POOLS] == ["example/image:v1"] * 2
    assert [one["weight"] for one in objects["route"]["spec"]["rules"][0]["backendRefs"]] == [100, 0]


@pytest.mark.parametrize(
    ("settings", "probe"),
    [
        (PLAIN, {"tcpSocket": {"port": "mcp"}}),
        (FULL, {"httpGet": {"path": "/ready", "port": "mcp"}}),
    ],
)
def test_probes(settings: Settings, probe: dict[str, t.Any]) -> None:
    """Ready by the port or a path, time for the start, and no liveness probe."""
    one = container(settings)
    assert one["readinessProbe"] == {**probe, "periodSeconds": 2}
    assert one["startupProbe"] == {**probe, "periodSeconds": 2, "failureThreshold": 60}
    assert "livenessProbe" not in one
    # The Deployment must not give up before its pods do.
    assert made(settings)["deployment_blue"]["spec"]["progressDeadlineSeconds"] > 2 * 60


@pytest.mark.parametrize(("seconds", "times"), [(2, 1), (3, 2), (600, 300)])
def test_the_startup_probe_gives_at_least_the_time(seconds: int, times: int) -> None:
    assert container(replace(PLAIN, startup_seconds=seconds))["startupProbe"]["failureThreshold"] == times


def test_everything_that_is_given_is_in_the_pod() -> None:
    one, spec = container(FULL), pod(FULL)
    assert (one["command"], one["args"], one["resources"]) == (["serve"], ["--http"], {"limits": {"memory": "1Gi"}})
    assert [each["name"] for each in one["env"]] == ["MCP_POOL", "LEVEL"] and one["envFrom"] == FULL.env_from
    assert spec["imagePullSecrets"] == [{"name": "registry"}] and spec["securityContext"]["runAsUser"] == 1000
    assert spec["terminationGracePeriodSeconds"] == 60
    assert one["lifecycle"] == {"preStop": {"sleep": {"seconds": 10}}}
    assert made(FULL)["deployment_blue"]["spec"]["template"]["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9090",
    }


def test_nothing_that_is_not_given_is_in_the_pod() -> None:
    one = container(replace(PLAIN, pre_stop_seconds=0))
    assert not {"command", "args", "envFrom", "resources", "lifecycle"} & one.keys()
    assert "imagePullSecrets" not in pod() and "runAsUser" not in pod()["securityContext"]
    assert "annotations" not in made()["deployment_blue"]["spec"]["template"]["metadata"]


def test_a_pool_of_your_own_in_the_environment_is_kept() -> None:
    mine = {"name": "MCP_POOL", "value": "mine"}
    assert container(replace(PLAIN, env=[mine]))["env"] == [mine]


def grants(rules: list[dict[str, t.Any]]) -> set[tuple[str, str, str, str]]:
    return {
        (group, resource, verb, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def test_the_role_is_that_of_the_readme() -> None:
    """Which has the rights for a guard, too."""
    shown = yaml.safe_load((ROOT / "sandbox/manifests/mcp-server/role.yaml").read_text())["rules"]
    assert grants(made(replace(PLAIN, guard=True))["role"]["rules"]) == grants(shown)
    without = grants(made()["role"]["rules"])
    assert {resource for _group, resource, _verb, _name in grants(shown) - without} == {"jobs", "serviceaccounts"}
    other = made(replace(PLAIN, guard=True, guard_service_account="mine"))["role"]["rules"]
    assert ("", "serviceaccounts", "get", "mine") in grants(other)


def test_releasers_are_bound_to_the_role() -> None:
    assert "role_binding" not in made()
    objects = made(FULL)
    assert objects["role_binding"]["roleRef"]["name"] == objects["role"]["metadata"]["name"] == "mcp-server-releaser"
    group = "rbac.authorization.k8s.io"
    assert objects["role_binding"]["subjects"] == [
        {"kind": "User", "name": "eva", "apiGroup": group},
        {"kind": "ServiceAccount", "name": "ci", "namespace": "prod"},
    ]


def test_every_object_has_its_label_and_namespace_and_the_name_of_its_key() -> None:
    objects = made(FULL)
    assert list(objects) == list(manifests.KEYS)  # the order of the apply
    for key, one in objects.items():
        assert one["metadata"]["labels"] == {"app": "mcp-server", "app.kubernetes.io/managed-by": "mcp.server"}
        assert one["metadata"]["namespace"] == "prod"
        assert (one["kind"], one["metadata"]["name"]) == manifests.names(SERVER)[key]


def test_there_is_no_route_of_another_kind() -> None:
    other = replace(SERVER, route_kind="httpproxy")
    assert set(manifests.KEYS) - made(FULL, other).keys() == {"route"}
    assert "route" not in manifests.names(other)


def test_the_parent_of_the_route() -> None:
    spec = made()["route"]["spec"]
    assert spec["parentRefs"] == [{"name": "public", "namespace": "gateways"}]
    assert spec["hostnames"] == ["mcp.example.com"] and spec["rules"][0]["timeouts"] == {"request": "0s"}
    settings = replace(PLAIN, gateway={"name": "public", "section_name": "https", "namespace": None})
    assert made(settings)["route"]["spec"]["parentRefs"] == [{"name": "public", "sectionName": "https"}]


@pytest.mark.parametrize(
    ("change", "says"),
    [({"gateway": None}, "gateway is not set"), ({"hostname": ""}, "set endpoint.url, or hostname")],
)
def test_a_route_needs_a_gateway_and_a_host_name_unless_it_is_supplied(change: dict[str, t.Any], says: str) -> None:
    settings = replace(PLAIN, **change)
    with pytest.raises(Failure, match=says):
        made(settings)
    assert "route" not in manifests.objects(SERVER, settings, without=["route"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"port": 0}, "port is 0"),
        ({"metrics_port": 70000}, "metrics_port is 70000"),
        ({"metrics_port": 8080}, "port and metrics_port are both 8080"),
        ({"replicas": 0}, "replicas is 0"),
        ({"startup_seconds": 1}, "startup_seconds is 1"),
        ({"pre_stop_seconds": -1}, "pre_stop_seconds is -1"),
        ({"pre_stop_seconds": 60}, "must be 0 or more, and smaller"),
        ({"ready_path": "ready"}, "must begin with a slash"),
        ({"run_as_user": 0}, "which is root"),
        ({"releasers": [{"kind": "Group", "name": "releasers"}]}, ""),
        ({"releasers": [{"kind": "Group", "name": "system:authenticated"}]}, "everybody could release"),
        ({"releasers": [{"kind": "User", "name": "system:anonymous"}]}, "everybody could release"),
    ],
)
def test_options_that_make_no_sense_are_refused(change: dict[str, t.Any], says: str) -> None:
    found = manifests.problem(replace(PLAIN, **change))
    assert says in found and bool(found) == bool(says)
