# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A drill by the play, with exactly the Role of its page; killed, and run again; refused; and two people at once."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, ROOT, kubectl, module, play, rest, running, until, variables
from small_servers import Place, Small, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes servers of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

NAMESPACE = CONFIG["test_namespace"]
PLACE = Place(kubectl, NAMESPACE, CONFIG["public_host"], CONFIG["public_url"])
WHERE = ("-n", NAMESPACE)
GLASS, MARK = "mcp.server/break-glass", "mcp.server/drill"
GROUP = "rbac.authorization.k8s.io"


@pytest.fixture(scope="module")
def servers() -> t.Iterator[dict[str, Small]]:
    with small_servers(PLACE, ["drill", "people", "release"]) as made:
        yield made


def objects(server: Small) -> dict[str, t.Any]:
    """Return what a drill, break-glass and restore may change, without what the API server counts and notes."""
    found = {}
    for kind, names in (
        ("httproute", [server.name]),
        ("service", [f"{server.name}-blue", f"{server.name}-green"]),
        ("deployment", [f"{server.name}-blue", f"{server.name}-green"]),
    ):
        for name in names:
            obj = json.loads(kubectl(*WHERE, "get", kind, name, "-o", "json"))
            notes = obj["metadata"].get("annotations", {})
            ours = {key: notes[key] for key in (GLASS, MARK) if key in notes}
            found[f"{kind} {name}"] = {"spec": obj["spec"], "notes": ours}
    return found


def words(folder: Path, server: Small, **more: t.Any) -> tuple[str, ...]:
    hosts = {server.name: {**variables(server.name, server.host), **more}}
    file = folder / f"{server.name}.yml"
    file.write_text(json.dumps({"small": {"hosts": hosts}}))
    return ("-i", str(file), "-l", server.name)


@pytest.fixture(scope="module")
def driller(servers: dict[str, Small], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """Return the kubeconfig of somebody who has exactly the Role of the page."""
    text = (ROOT / "docs" / "drill.md").read_text()
    (role,) = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "kind: Role" in block]
    name = servers["drill"].name
    rules = yaml.safe_load(role.replace("mcp-server", name))["rules"]
    place = {"name": name, "namespace": NAMESPACE}
    made = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": place, "rules": rules},
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "RoleBinding",
            "metadata": place,
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": made})
    kubectl("apply", "-f", "-", stdin=listed)
    config = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
    token = kubectl(*WHERE, "create", "token", name).strip()
    config["users"] = [{**one, "user": {"token": token}} for one in config["users"]]
    file = tmp_path_factory.mktemp("driller") / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    yield str(file)
    kubectl("delete", "-f", "-", "--wait=false", stdin=listed)


def last_drill(server: Small) -> dict[str, t.Any]:
    record = json.loads(kubectl(*WHERE, "get", "configmap", f"{server.name}-release", "-o", "json"))
    return json.loads(record["metadata"]["annotations"]["mcp.server/last-drill"])


def test_a_drill(servers: dict[str, Small], driller: str, tmp_path: Path) -> None:
    server = servers["drill"]
    its = words(tmp_path, server, mcp_drill="true", mcp_kubeconfig=driller)
    before = objects(server)
    code, said = play("playbooks/drill.yml", *its, "--check")
    assert code == 0 and "would break pool blue" in said, said
    assert objects(server) == before
    code, said = play("playbooks/drill.yml", *its)
    assert code == 0, said
    order = [
        "the pods of pool blue are replaced by ones that are never ready",
        "clients get errors: ",
        f"Service {NAMESPACE}/{server.name}-blue: pods that are not ready get traffic, too",
        "clients get answers from pool blue",
        "break-glass: ",
        "repair: ",
        f"Service {NAMESPACE}/{server.name}-blue: restored",
        "restore: ",
        "clients get answers after it: ",
    ]
    assert [words for words in order if words in said] == order, said
    assert sorted(order, key=said.index) == order, said
    assert "may not" not in said and "forbidden" not in said.lower(), said
    assert objects(server) == before
    noted = last_drill(server)
    assert noted["passed"] and noted["seconds"]["break-glass"] < 15, noted
    # The repaired pods are what they were, and nobody holds the Lease
    assert module("mcp_release_info", server=server.name, kubeconfig=CONFIG["admin_kubeconfig"])["holder"] is None


@pytest.mark.parametrize(
    "line",
    [
        "clients get answers from pool",
        pytest.param("clients get errors: ", marks=pytest.mark.soak),
        pytest.param("repair: ", marks=pytest.mark.soak),
    ],
)
def test_one_that_is_killed_is_put_back_by_the_next_run(
    servers: dict[str, Small], driller: str, tmp_path: Path, line: str
) -> None:
    server = servers["drill"]
    its = words(tmp_path, server, mcp_drill=True, mcp_kubeconfig=driller)
    before = objects(server)
    with running("playbooks/drill.yml", *its) as process:
        until(process, line)
        os.killpg(process.pid, signal.SIGKILL)
    left = objects(server)
    assert any(MARK in one["notes"] for one in left.values()), left
    code, said = play("playbooks/drill.yml", *its)
    assert code == 0 and "was cut off: putting back what it left" in said, said
    assert "the pods of pool blue are replaced by ones that are never ready" not in said, said
    assert objects(server) == before


@pytest.mark.soak
def test_one_that_is_interrupted_takes_the_fault_away(servers: dict[str, Small], driller: str, tmp_path: Path) -> None:
    server = servers["drill"]
    its = words(tmp_path, server, mcp_drill=True, mcp_kubeconfig=driller)
    before = objects(server)
    with running("playbooks/drill.yml", *its) as process:
        until(process, "clients get answers from pool")
        os.killpg(process.pid, signal.SIGINT)
        said = rest(process)
    assert "Run drill.yml again" in said, said
    deployment = objects(server)[f"deployment {server.name}-blue"]
    assert deployment["spec"] == before[f"deployment {server.name}-blue"]["spec"]
    code, said = play("playbooks/drill.yml", *its)
    assert code == 0 and "was cut off: putting back what it left" in said, said
    assert objects(server) == before


@pytest.mark.parametrize("allowed", [(), ("-e", "mcp_drill=true")])
def test_another_server_is_refused(servers: dict[str, Small], tmp_path: Path, allowed: tuple[str, ...]) -> None:
    server = servers["drill"]
    before = objects(server)
    code, said = play("playbooks/drill.yml", *words(tmp_path, server), *allowed)
    assert code and "Drill refused, nothing was changed: the inventory does not name" in " ".join(said.split()), said
    assert objects(server) == before


# Two people at once


def as_admin(name: str, server: Small, **options: t.Any) -> dict[str, t.Any]:
    return module(name, server=server.name, kubeconfig=CONFIG["admin_kubeconfig"], **options)


def green_too(server: Small) -> None:
    kubectl(*WHERE, "scale", f"deployment/{server.name}-green", "--replicas=1")
    kubectl(*WHERE, "rollout", "status", f"deployment/{server.name}-green", "--timeout=60s")


def test_two_people_break_the_glass_and_one_restores(servers: dict[str, Small]) -> None:
    server = servers["people"]
    green_too(server)
    before = objects(server)
    found: dict[str, dict[str, t.Any]] = {}

    def break_glass(pool: str) -> None:
        found[pool] = as_admin("mcp_break_glass", server, pool=pool, reason=f"{pool} is the good one")

    both = [threading.Thread(target=break_glass, args=(pool,)) for pool in ("blue", "green")]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert set(found) == {"blue", "green"}
    assert objects(server) != before
    assert as_admin("mcp_break_glass", server, state="restored")["changed"]
    assert objects(server) == before
    assert not as_admin("mcp_break_glass", server, state="restored")["changed"]


def test_a_rollback_beside_a_broken_glass_and_then_restored(servers: dict[str, Small], tmp_path: Path) -> None:
    server = servers["people"]
    green_too(server)
    before = objects(server)
    as_admin("mcp_break_glass", server, pool="green", reason="green is the good one")
    # Nothing else begins
    its = words(tmp_path, server, mcp_kubeconfig=CONFIG["admin_kubeconfig"])
    failed = as_admin("mcp_traffic_shift", server, pool="blue", weight=10, fails=True)
    assert "The shift is refused" in failed["msg"] and "green is the good one" in failed["msg"], failed
    image = f"{CONFIG['image']}:v1.2.0"
    failed = as_admin("mcp_release", server, state="begun", image_ref=image, version="v1.2.0", fails=True)
    assert "Release refused, nothing was changed: The glass of" in failed["msg"], failed
    code, said = play("playbooks/preflight.yml", *its)
    assert code and "break-glass" in said and "The glass of" in said, said
    # A rollback does, and waits for nothing that the glass is about (30 s by itself, three times that beside others)
    begun = time.monotonic()
    code, said = play("playbooks/rollback.yml", *its, "-e", "mcp_rollback_pool=blue")
    assert code == 0 and time.monotonic() - begun < 90, said
    flat = " ".join(said.split())
    assert "The rollback goes on. The glass of" in flat and "green is the good one" in flat, said
    now = objects(server)
    assert now[f"httproute {server.name}"]["spec"] == before[f"httproute {server.name}"]["spec"]
    # Its weights are those from before, so that all is restored
    assert as_admin("mcp_break_glass", server, state="restored")["changed"]
    assert objects(server) == before


@pytest.mark.soak
def test_a_release_under_way_pauses_for_a_person(servers: dict[str, Small], tmp_path: Path) -> None:
    server = servers["release"]
    steps = [{"weight": 10, "seconds": 60}, {"weight": 100, "seconds": 0}]
    its = words(tmp_path, server, mcp_kubeconfig=CONFIG["admin_kubeconfig"], mcp_steps=steps, mcp_warm_seconds=0)
    with running("playbooks/bluegreen.yml", *its, "-e", "version=v1.2.0") as process:
        until(process, "green 10 %: measured")
        as_admin("mcp_break_glass", server, pool="green", reason="blue is worse")
        said = rest(process)
    flat = " ".join(said.split())
    assert "is paused, and the traffic stays as it is: The glass of" in flat and "blue is worse" in flat, said
    weights = as_admin("mcp_release_info", server)["weights"]
    assert weights == {"blue": 0, "green": 100}
    info = as_admin("mcp_release_info", server)
    assert info["record"]["outcome"] == "running" and info["holder"] is None, info
    # Restored, the release is where it was, and goes on or back
    assert as_admin("mcp_break_glass", server, state="restored")["changed"]
    assert as_admin("mcp_release_info", server)["weights"] == {"blue": 90, "green": 10}
    code, said = play("playbooks/rollback.yml", *its)
    assert code == 0 and "The glass" not in said, said
