# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server whose pools are StatefulSets: released, stuck, rolled back, and with the Role for StatefulSets alone."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest
from playing import CONFIG, kubectl, module, play, variables
from small_servers import Place, Small, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes servers of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PLACE = Place(kubectl, CONFIG["test_namespace"], CONFIG["public_host"], CONFIG["public_url"])
NAMESPACE = ("-n", CONFIG["test_namespace"])
BLUE, GREEN = {"blue": 100, "green": 0}, {"blue": 0, "green": 100}


@pytest.fixture(scope="module")
def server() -> t.Iterator[Small]:
    with small_servers(PLACE, ["sets"], {"sets": {"DRAIN_SECONDS": "0.5"}}, stateful=True) as made:
        yield made["sets"]


def pools(server: Small) -> dict[str, t.Any]:
    """Return the options that name the pools' objects. Their Services have the names by pool_name_format."""
    return {pool: {"stateful_set": f"{server.name}-{pool}"} for pool in ("blue", "green")}


def act(server: Small, name: str, arguments: str = "", **more: t.Any) -> dict[str, t.Any]:
    return module(name, arguments, **{"server": server.name, **pools(server), **more})


def run(server: Small, folder: Path, playbook: str, *words: str) -> str:
    more = {f"mcp_{pool}": names for pool, names in pools(server).items()}
    steps = {"mcp_steps": [{"weight": 100, "seconds": 1}], "mcp_warm_seconds": 1, "mcp_warm_replicas": 0}
    file = folder / "sets.yml"
    file.write_text(json.dumps({"sets": {"hosts": {"sets": variables(server.name, server.host, **more, **steps)}}}))
    code, output = play(f"playbooks/{playbook}.yml", "-i", str(file), "-l", "sets", *words)
    assert code == 0, output
    return output


def image(version: str) -> str:
    return f"{CONFIG['image']}:{version}"


def pods(server: Small, pool: str) -> dict[str, str]:
    """Return the uid of each pod of a pool, by its number."""
    listed = json.loads(kubectl(*NAMESPACE, "get", "pods", "-l", f"app={server.name},pool={pool}", "-o", "json"))
    return {one["metadata"]["name"].rpartition("-")[2]: one["metadata"]["uid"] for one in listed["items"]}


def test_a_pod_that_never_gets_ready_does_not_block_the_way_back(server: Small) -> None:
    """The controller waits for it, also once the template is put back, and it is scaled away."""
    first = act(server, "mcp_rollout", f"pool=green image_ref={image('v1.2.0')} replicas=2")
    assert first["workload"] == f"StatefulSet {CONFIG['test_namespace']}/{server.name}-green"
    assert (first["ready"], first["revision"]) == (2, "2")
    before = pods(server, "green")
    failed = act(server, "mcp_rollout", f"pool=green image_ref={image('v1.2.1-crash')}", fails=True)
    assert failed["reason"] == "CrashLoopBackOff" and f"pod {server.name}-green-1: " in failed["msg"]
    stuck = pods(server, "green")
    assert stuck["0"] == before["0"] and stuck["1"] != before["1"]
    back = act(server, "mcp_rollout", f"pool=green image_ref={image('v1.2.0')} replicas=2")
    after = pods(server, "green")
    assert back["ready"] == 2 and after["0"] == before["0"] and after["1"] != stuck["1"]
    # The revision that it has returned to has a new number
    known = act(server, "mcp_rollout_info")["pools"]["green"]["revisions"]
    assert [(one["revision"], one["image_ref"], one["ready"], one["current"]) for one in known] == [
        (1, image("v1.1.5"), 0, False),
        (3, image("v1.2.1-crash"), 0, False),
        (4, image("v1.2.0"), 2, True),
    ]
    assert back["revision"] == "4"


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ({"type": "OnDelete", "rollingUpdate": None}, "its updateStrategy is OnDelete"),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}, "its updateStrategy has partition 1"),
    ],
)
def test_a_set_that_would_keep_its_pods_is_refused(server: Small, strategy: dict[str, t.Any], says: str) -> None:
    name = ("patch", "statefulset", f"{server.name}-green", "--type=merge", "-p")
    kubectl(*NAMESPACE, *name, json.dumps({"spec": {"updateStrategy": strategy}}))
    try:
        refused = act(server, "mcp_rollout", f"pool=green image_ref={image('v1.3.0')}", fails=True)
        assert says in refused["msg"] and "image_ref" not in refused
        checks = act(server, "mcp_preflight", fails=True)["checks"]
        assert [one["id"] for one in checks if not one["ok"]] == ["workload_green", "drift"]
    finally:
        usual = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
        kubectl(*NAMESPACE, *name, json.dumps({"spec": {"updateStrategy": usual}}))


def test_a_release_and_its_rollback_of_a_pool_at_0(server: Small, tmp_path: Path) -> None:
    (blue,) = [one for one in act(server, "mcp_preflight")["checks"] if one["id"] == "workload_blue"]
    assert f"StatefulSet {CONFIG['test_namespace']}/{server.name}-blue has 1 replicas" in blue["message"]
    run(server, tmp_path, "bluegreen", "-e", "version=v1.3.0")
    # warm_replicas 0: blue has no pods left, and gets them in the emergency
    assert act(server, "mcp_release_info")["weights"] == GREEN
    deadline = time.monotonic() + 30
    while pods(server, "blue"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    said = " ".join(run(server, tmp_path, "rollback").split())
    assert "pool blue has no ready endpoint: scaling it up from 0 to 1 pods" in said
    assert act(server, "mcp_release_info")["weights"] == BLUE
    said = run(server, tmp_path, "rollback", "-e", "mcp_rollback_revision=1", "--check")
    assert f"revision 1 of StatefulSet {CONFIG['test_namespace']}/{server.name}-blue" in " ".join(said.split())


def test_its_status(server: Small) -> None:
    found = act(server, "mcp_status_info", "seconds=0")
    assert not [one for one in found["findings"] if "does not exist" in one], found["findings"]
    assert found["pools"]["blue"]["ready"] == found["pools"]["blue"]["replicas"]
    assert {one["pod"] for one in found["instances"]} == {
        f"{server.name}-{pool}-{number}" for pool in ("blue", "green") for number in pods(server, pool)
    }


def test_a_revision_by_its_number(server: Small) -> None:
    unknown = act(server, "mcp_rollback_target", revision=7777, fails=True)
    assert "has no revision 7777" in unknown["msg"] and "a new number" in unknown["msg"]
