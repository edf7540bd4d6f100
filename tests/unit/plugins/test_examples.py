# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples for users: that they are whole, and belong together."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_preflight
from ansible_collections.mcp.server.plugins.module_utils._task import Task
from ansible_collections.mcp.server.plugins.plugin_utils import _variables
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
INVENTORY = (EXAMPLES / "inventory.yml").read_text().removeprefix("---\n")
OBJECTS = {
    (one["kind"], one["metadata"]["name"]): one
    for one in yaml.safe_load((EXAMPLES / "server.yaml").read_text())["items"]
}
PLAYBOOKS = sorted(file.stem for file in (ROOT / "playbooks").glob("*.yml"))
# As docs/examples/README.md has it, but for a context that no file has.
KUBECONFIG = {"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}


@pytest.fixture
def play(tmp_path):
    """Start a playbook with the example's inventory; return its exit code and its output, on one line."""
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(KUBECONFIG))

    def play(book: str | Path) -> tuple[int, str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_", "KUBE"))
        }
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "10000",
        }
        environment["KUBECONFIG"] = str(tmp_path / "kubeconfig")
        # Only a replay would ask Prometheus before the cluster.
        extra = {"version": "v1.2.0", "mcp_prometheus": {"url": "http://127.0.0.1:9"}}
        # Only an install asks for the Gateway.
        extra["mcp_install_gateway"] = {"name": "public", "namespace": "gateways"}
        # Only break-glass takes a reason.
        extra["mcp_reason"] = "INC-42"
        # staging.yml asks the registry first, which is another machine.
        extra["mcp_check_registry"] = "staging" not in str(book)
        # Only a debugger needs an image of tools.
        extra["mcp_debug_image_ref"] = "registry.example/tools:v1"
        command = ["ansible-playbook", str(book), "-i", str(EXAMPLES / "inventory.yml"), "-e", json.dumps(extra)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return play


def test_the_inventory_has_eight_lines_and_no_name_that_nothing_reads():
    assert len(INVENTORY.splitlines()) == 8
    (server,) = yaml.safe_load(INVENTORY)["mcp"]["hosts"].values()
    assert _variables.strangers(server, []) == ""


# build.yml, ci_scaffold.yml and controller.yml need no cluster; drill.yml and validate_guide.yml a server for it.
WITHOUT = ("build", "ci_scaffold", "controller", "drill", "validate_guide")
NEED_A_CLUSTER = [name for name in PLAYBOOKS if name not in WITHOUT]


@pytest.mark.parametrize(
    "book", [*(f"mcp.server.{name}" for name in NEED_A_CLUSTER), EXAMPLES / "release.yml"], ids=str
)
def test_every_playbook_gets_to_the_cluster_with_it(play, book):
    """What fails first is that there is no cluster (or Prometheus), so no variable is missing."""
    code, output = play(book)
    away = (
        "Prometheus at http://127.0.0.1:9 does not answer"
        if book == "mcp.server.replay"
        else "has no context production"
    )
    assert (
        code != 0 and away in output and "is not set" not in output and "no playbook of mcp.server reads" not in output
    ), output


def test_it_names_no_server_for_drills(play):
    code, said = play("mcp.server.drill")
    assert code and "Drill refused, nothing was changed: the inventory does not name" in said


def test_the_releaser_has_the_role_of_the_readme():
    shown = yaml.safe_load((ROOT / "sandbox/manifests/mcp-server/role.yaml").read_text())
    assert OBJECTS["Role", "mcp-releaser"]["rules"] == shown["rules"]
    (subject,) = OBJECTS["RoleBinding", "mcp-releaser"]["subjects"]
    assert (subject["kind"], subject["name"]) in OBJECTS and OBJECTS["RoleBinding", "mcp-releaser"]["roleRef"][
        "name"
    ] == "mcp-releaser"


def test_all_objects_are_the_servers_of_the_inventory():
    ((name, server),) = yaml.safe_load(INVENTORY)["mcp"]["hosts"].items()
    assert {one["metadata"].get("namespace") for (kind, _name), one in OBJECTS.items() if kind != "Namespace"} == {
        server["mcp_namespace"]
    }
    (route,) = [one for (kind, _name), one in OBJECTS.items() if kind == "HTTPRoute"]
    assert (
        route["metadata"]["name"] == name
        and server["mcp_endpoint"]["url"] == f"https://{route['spec']['hostnames'][0]}"
    )
    assert {one["name"]: one["weight"] for one in route["spec"]["rules"][0]["backendRefs"]} == {
        f"{name}-blue": 100,
        f"{name}-green": 0,
    }
    for pool in ("blue", "green"):
        labels = {"app": name, "pool": pool}
        service, deployment = (
            OBJECTS["Service", f"{name}-{pool}"]["spec"],
            OBJECTS["Deployment", f"{name}-{pool}"]["spec"],
        )
        assert (
            service["selector"]
            == deployment["selector"]["matchLabels"]
            == deployment["template"]["metadata"]["labels"]
            == labels
        )
        (container,) = deployment["template"]["spec"]["containers"]
        assert container["name"] == name and container["image"].rpartition(":")[0] == server["mcp_image"]
        assert {one["port"] for one in service["ports"]} == {
            one["port"] for one in route["spec"]["rules"][0]["backendRefs"]
        }


# Where the API server has them.
PLACES = {
    "Service": "/api/v1/namespaces/mcp-prod/services",
    "Deployment": "/apis/apps/v1/namespaces/mcp-prod/deployments",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/mcp-prod/httproutes",
}


def test_a_pre_flight_check_finds_nothing_wrong_with_it(monkeypatch):
    """As its releaser, once a gateway has accepted the route."""
    objects = {f"{PLACES[kind]}/{name}": copy.deepcopy(one) for (kind, name), one in OBJECTS.items() if kind in PLACES}
    route = objects[f"{PLACES['HTTPRoute']}/mcp-server"]
    route["metadata"]["generation"] = 1
    conditions = [{"type": kind, "status": "True", "observedGeneration": 1} for kind in ("Accepted", "ResolvedRefs")]
    route["status"] = {"parents": [{"parentRef": route["spec"]["parentRefs"][0], "conditions": conditions}]}
    api = ApiServer({**objects, "/version": {"gitVersion": "v1.35.4"}})
    api.host, api.role = "https://api.example:6443", OBJECTS["Role", "mcp-releaser"]["rules"]
    monkeypatch.setattr(mcp_preflight, "connect", lambda params: api)
    given = {"namespace": "mcp-prod", "server": "mcp-server", "scope": ["now"]}
    params = ArgumentSpecValidator(mcp_preflight.SPEC.options).validate(given).validated_parameters
    checks = mcp_preflight.run(Task(params))["checks"]
    # Not the releaser's to see, or not asked for.
    unseen = {"namespace", "nodes", "room", "quotas", "limit_ranges"}
    unasked = {"registry", "platform", "image_check"}
    assert {check["id"] for check in checks if check["skipped"]} == unseen | unasked
    assert {check["id"] for check in checks} >= {"rights", "route", "workload_blue", "service_green"}
    assert all(check["ok"] for check in checks)
