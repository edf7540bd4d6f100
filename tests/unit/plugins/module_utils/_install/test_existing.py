# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._install import existing, manifests
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import httproute, pool_header

SERVER = Server("prod", "mcp-server", "{server}-{pool}", "mcp-server", "mcp-server")
OBJECTS = manifests.objects(
    SERVER, manifests.Settings("example/image:v1", gateway={"name": "public"}, hostname="mcp.example.com")
)


def deployment(image: str, replicas: t.Any, name: str = "mcp-server") -> dict[str, t.Any]:
    live = copy.deepcopy(OBJECTS["deployment_green"])
    live["spec"]["replicas"] = replicas
    live["spec"]["template"]["spec"]["containers"] = [
        {"name": "sidecar", "image": "s:1"},
        {"name": name, "image": image},
    ]
    return live


def rules(*weights: tuple[t.Any, t.Any]) -> list[dict[str, t.Any]]:
    names = ("mcp-server-blue", "mcp-server-green")
    return [
        {
            "backendRefs": [
                {"name": name} if weight is None else {"name": name, "weight": weight}
                for name, weight in zip(names, pair, strict=True)
                if weight != "no"
            ]
        }
        for pair in weights
    ]


def route(*weights: tuple[t.Any, t.Any]) -> dict[str, t.Any]:
    return {**OBJECTS["route"], "spec": {"rules": rules(*weights)}}


def test_image_and_size_of_a_pool_stay() -> None:
    kept = existing.with_live_values(OBJECTS["deployment_green"], deployment("example/image:v2", 5), SERVER)
    assert kept["spec"]["replicas"] == 5
    assert [one["image"] for one in kept["spec"]["template"]["spec"]["containers"]] == ["example/image:v2"]
    assert OBJECTS["deployment_green"]["spec"]["replicas"] == 0  # what is given is not changed


@pytest.mark.parametrize(
    "live", [{}, {"spec": None}, {"spec": {"replicas": None, "template": {}}}, deployment("x", None, "other")]
)
def test_what_is_not_there_cant_stay(live: dict[str, t.Any]) -> None:
    assert existing.with_live_values(OBJECTS["deployment_green"], live, SERVER) == OBJECTS["deployment_green"]


def test_only_the_servers_own_container_keeps_its_image() -> None:
    wanted = deployment("example/image:v1", 0)
    kept = existing.with_live_values(wanted, deployment("example/image:v2", 1), SERVER)
    containers = kept["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in containers] == ["s:1", "example/image:v2"]


def test_deployments_that_are_no_pool_are_as_wanted() -> None:
    wanted = {**deployment("example/image:v1", 1), "metadata": {"name": "another"}}
    assert existing.with_live_values(wanted, deployment("example/image:v2", 7), SERVER) == wanted


@pytest.mark.parametrize(
    ("wanted", "live", "kept"),
    [
        ([(100, 0)], [(0, 100)], [(0, 100)]),
        ([(100, 0)], [(90, 10)], [(90, 10)]),
        # A weight that is left out means 1.
        ([(100, 0)], [(None, 0)], [(1, 0)]),
        # Rules for marked sessions have weights of their own.
        ([(100, 0), (100, 0)], [(100, 0), (10, 90)], [(100, 0), (10, 90)]),
        # A rule that is new gets those of the first rule with both pools.
        ([(100, 0), (100, 0)], [(30, 70)], [(30, 70), (30, 70)]),
        # A rule that had one pool is no example for one with both.
        ([("no", 100), (100, 0)], [("no", 50), (20, 80)], [("no", 50), (20, 80)]),
        ([(100, 0)], [("no", 50), (20, 80)], [(20, 80)]),
        # A new rule for one pool only is as wanted.
        ([(100, 0), ("no", 100)], [(20, 80)], [(20, 80), ("no", 100)]),
        ([(100, 0)], [], [(100, 0)]),
    ],
)
def test_weights_stay(wanted: t.Any, live: t.Any, kept: t.Any) -> None:
    assert existing.with_live_values(route(*wanted), route(*live), SERVER) == route(*kept)


def marked(pool: str | None, weights: tuple[int, int]) -> dict[str, t.Any]:
    header = {"name": "Mcp-Session-Id", "type": "RegularExpression", "value": f"^{pool}-.*"}
    return {**rules(weights)[0], **({"matches": [{"headers": [header]}]} if pool else {})}


BLUE, GREEN, REST = marked("blue", (100, 0)), marked("green", (0, 100)), marked(None, (100, 0))


@pytest.mark.parametrize(
    ("wanted", "live", "kept"),
    [
        # Affinity is taken out while all traffic is on green.
        ([REST], [(100, 0), (0, 100), (0, 100)], [(0, 100)]),
        # It comes in.
        ([BLUE, GREEN, REST], [(0, 100)], [(0, 100), (0, 100), (0, 100)]),
        # Its rules change places.
        ([GREEN, BLUE, REST], [(0, 100), (0, 100), (0, 100)], [(0, 100), (0, 100), (0, 100)]),
        ([GREEN, BLUE, REST], [(100, 0), (0, 100), (0, 100)], [(0, 100), (100, 0), (0, 100)]),
    ],
)
def test_rules_for_marked_sessions_are_no_example_for_others(wanted: t.Any, live: t.Any, kept: t.Any) -> None:
    sorts = ("blue", "green", None) if len(live) > 1 else (None,)
    there = route()
    there["spec"] = {"rules": [marked(sort, weights) for sort, weights in zip(sorts, live, strict=True)]}
    found = existing.with_live_values({**OBJECTS["route"], "spec": {"rules": wanted}}, there, SERVER)
    weights = [tuple(one["weight"] for one in rule["backendRefs"]) for rule in found["spec"]["rules"]]
    assert weights == kept


def test_the_header_that_names_the_pool_comes_with_the_weights_that_stay() -> None:
    """Also to a route that was installed without it."""
    wanted, live = OBJECTS["route"], route((25, 75))
    kept = existing.with_live_values(wanted, live, SERVER)
    assert pool_header.names_pools(kept, SERVER) is True
    assert httproute.KIND.weights(kept, SERVER) == {"blue": 25, "green": 75}
    assert httproute.KIND.weights(wanted, SERVER) == {"blue": 100, "green": 0}


def test_other_backends_are_as_wanted() -> None:
    third = {"name": "third", "weight": 7}
    wanted, live = route((100, 0)), route((0, 100))
    wanted["spec"]["rules"][0]["backendRefs"].append(third)
    live["spec"]["rules"][0]["backendRefs"].append({**third, "weight": 9})
    kept = existing.with_live_values(wanted, live, SERVER)["spec"]["rules"][0]["backendRefs"]
    assert [one["weight"] for one in kept] == [0, 100, 7]


@pytest.mark.parametrize(
    ("labels", "ours"),
    [
        ({"app.kubernetes.io/managed-by": "mcp.server"}, True),
        ({"app.kubernetes.io/managed-by": "Helm"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_whose_an_object_is(labels: t.Any, ours: bool) -> None:
    assert existing.is_ours({"metadata": {"labels": labels}}) is ours


def test_what_the_api_server_writes_is_no_difference() -> None:
    one = {"kind": "Service", "metadata": {"name": "a"}, "spec": {}}
    noise = {"resourceVersion": "7", "uid": "u", "generation": 2, "managedFields": [], "creationTimestamp": "now"}
    other = {**one, "metadata": {**one["metadata"], **noise}, "status": {"a": 1}}
    assert existing.comparable(one) == existing.comparable(other)
    assert existing.comparable(one) != existing.comparable({**one, "spec": {"type": "NodePort"}})


def test_a_diff_never_shows_a_secret() -> None:
    def secret(**data: str) -> dict[str, t.Any]:
        annotations = {existing.LAST_APPLIED: str(data), "mine": "1"}
        return {"kind": "Secret", "metadata": {"name": "s", "annotations": annotations}, "data": data}

    before, after = existing.shown(secret(a="first", b="same", gone="x"), secret(a="second", b="same", c="new"))
    assert before["data"] == {"a": "hidden", "b": "hidden", "gone": "hidden"}
    assert after["data"] == {"a": "hidden, changed", "b": "hidden", "c": "hidden, changed"}
    assert before["metadata"]["annotations"] == {"mine": "1"}
    before, after = existing.shown(None, {"kind": "Secret", "metadata": {}, "stringData": {"a": "first"}})
    assert before == {} and after["stringData"] == {"a": "hidden, changed"}
    assert existing.secret_values(secret(a="first")) == ["first"]
    # An admission webhook may quote what it says, and not how it is written.
    assert existing.secret_values(secret(a="aHVudGVyMg==", b="//8=")) == ["aHVudGVyMg==", "//8=", "hunter2"]
    assert existing.secret_values({"kind": "ConfigMap", "data": {"a": "first"}}) == []


@pytest.mark.parametrize(
    ("message", "managers", "ours"),
    [
        ('Apply failed with 1 conflict: conflict with "mcp.server" using apps/v1: .spec.x', ["mcp.server"], True),
        ('Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .spec.x', ["kubectl-edit"], False),
        (
            'Apply failed with 3 conflicts: conflicts with "helm": - .a - .b conflicts with "mcp.server": - .c',
            ["helm", "mcp.server"],
            False,
        ),
        (
            'Apply failed with 99 conflicts: conflicts with "mcp.server" using v1: - .a - .b...',
            ["mcp.server", "others"],
            False,
        ),
        ("the object has been modified", [], True),
    ],
)
def test_who_is_in_the_way(message: str, managers: list[str], ours: bool) -> None:
    found = existing.conflicting_managers(message)
    assert found == managers and existing.only_ours(found) is ours


@pytest.mark.parametrize(
    ("before", "address", "expected"),
    [
        (False, "10.96.0.7", {"ports": []}),  # which a dry run has invented
        (False, "None", {"ports": [], "clusterIP": "None", "clusterIPs": ["None"]}),  # headless
        (True, "10.96.0.7", {"ports": [], "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"]}),
    ],
)
def test_the_address_of_a_service_that_is_to_be_made(before: bool, address: str, expected: dict[str, t.Any]) -> None:
    service = {"kind": "Service", "metadata": {"name": "w"}}
    after = {**service, "spec": {"ports": [], "clusterIP": address, "clusterIPs": [address]}}
    assert existing.shown({**service, "spec": {}} if before else None, after)[1]["spec"] == expected
