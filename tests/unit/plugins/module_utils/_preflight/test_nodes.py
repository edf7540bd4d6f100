# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import needs, nodes
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._preflight.idle import Idle
from ansible_collections.mcp.server.plugins.module_utils._results import Warns
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

GIB = 2.0**30


def node(name: str = "a", ready: str = "True", **more: t.Any) -> dict[str, t.Any]:
    conditions = [{"type": "Ready", "status": ready}, *({"type": one, "status": "True"} for one in more.get("bad", ()))]
    return {
        "metadata": {"name": name, "labels": more.get("labels", {})},
        "spec": {"unschedulable": more.get("cordoned"), "taints": more.get("taints")},
        "status": {"conditions": conditions, "allocatable": more.get("allocatable", {"cpu": "2", "pods": "10"})},
    }


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        ([node()], []),
        ([node(), node("b", cordoned=True)], []),
        ([node(), node("b", ready="Unknown")], ["1 of 2 nodes are not Ready (b): repair or remove them."]),
        ([node(bad=["DiskPressure"])], ["1 of 1 nodes have DiskPressure (a): relieve or remove them."]),
        ([node(bad=["NetworkUnavailable"])], ["1 of 1 nodes have NetworkUnavailable (a): repair their network."]),
        (
            [node(cordoned=True)],
            ["All 1 nodes are cordoned (a), so that no pod can start: kubectl uncordon one."],
        ),
        (
            [node(f"n{number}", ready="False") for number in range(7)],
            ["7 of 7 nodes are not Ready (n0, n1, n2, n3, n4 and 2 more): repair or remove them."],
        ),
        ([{}], ["1 of 1 nodes are not Ready (): repair or remove them."]),
    ],
)
def test_what_is_wrong_with_nodes(found: list[dict[str, t.Any]], problems: list[str]) -> None:
    assert nodes.unfit(found) == problems


TAINT = {"key": "dedicated", "value": "mcp", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("one", "spec", "takes"),
    [
        (node(), {}, True),
        (node(ready="False"), {}, False),
        (node(cordoned=True), {}, False),
        (node(labels={"disk": "ssd"}), {"nodeSelector": {"disk": "ssd"}}, True),
        (node(), {"nodeSelector": {"disk": "ssd"}}, False),
        (node(taints=[TAINT]), {}, False),
        (node(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), {}, True),
        (node(taints=[TAINT]), {"tolerations": [{"key": "dedicated", "value": "mcp"}]}, True),
        (node(taints=[TAINT]), {"tolerations": [{"key": "dedicated", "value": "other"}]}, False),
        (node(taints=[TAINT]), {"tolerations": [{"key": "dedicated", "operator": "Exists"}]}, True),
        (node(taints=[TAINT]), {"tolerations": [{"operator": "Exists"}]}, True),
        (node(taints=[TAINT]), {"tolerations": [{"operator": "Exists", "effect": "NoExecute"}]}, False),
    ],
)
def test_which_nodes_take_pods(one: dict[str, t.Any], spec: dict[str, t.Any], takes: bool) -> None:
    assert nodes.takers([one], spec) == [one] * takes


def pod(cpu: str, where: str | None = "a", **spec: t.Any) -> dict[str, t.Any]:
    containers = [{"name": "a", "resources": {"requests": {"cpu": cpu, "made.up/gpu": "1"}}}]
    return {"spec": {"containers": containers, **({"nodeName": where} if where else {}), **spec}}


def test_what_a_node_has_free() -> None:
    loads = nodes._loads_of([pod("500m"), pod("100m"), pod("1", None), pod("1") | {"status": {"phase": "Failed"}}])
    assert nodes.free(node(), loads) == pytest.approx({"cpu": 1.4, "pods": 8.0})


class Cluster:
    """Answers lists in pages; a page that is an exception is raised."""

    def __init__(self, **lists: list[t.Any]) -> None:
        self.lists = lists
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        self.asked.append((path, query))
        pages = self.lists[path.rpartition("/")[2]]
        number = int(query.get("continue", "0"))
        if isinstance(pages[number], Exception):
            raise pages[number]
        more = {"metadata": {"continue": str(number + 1)}} if number + 1 < len(pages) else {}
        return {"items": pages[number], **more}


def context(pool: Idle, params: t.Any = None, **lists: list[t.Any]) -> t.Any:
    server = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
    found = Context(t.cast(t.Any, Cluster(**lists)), server, params or {})
    found.once("idle", lambda: pool)
    return found


BAD = node("b", ready="Unknown")


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ([node(), BAD], Warns),
        ([node(), node("b", bad=["MemoryPressure"])], Warns),
        ([BAD], Failure),
        ([node(cordoned=True), BAD], Failure),
        ([node(bad=["DiskPressure"])], Failure),
    ],
)
def test_one_bad_node_of_many_refuses_no_release(found: list[t.Any], error: type[Failure]) -> None:
    with pytest.raises(Failure) as failure:
        nodes.check(context(idle(1), nodes=[found]))
    assert failure.type is error


def test_a_large_cluster_is_read_in_pages_without_the_images_of_its_nodes() -> None:
    large = node() | {"status": {**node()["status"], "images": [{"names": ["x"]}] * 50}}
    where = context(idle(1), nodes=[[large], [node("b")]])
    assert nodes.check(where) == "All 2 nodes are Ready."
    assert all("images" not in one["status"] for one in nodes.read(where))
    assert [query["limit"] for _path, query in where.cluster.asked] == ["100", "100"]


FULL = [pod("2")]


@pytest.mark.parametrize(
    ("node_spec", "params", "priority", "pods", "expected"),
    [
        ({}, {}, 0, [], "The nodes have room for 1 more pods"),
        ({}, {}, 0, FULL, Failure),
        ({}, {"nodes_scale": True}, 0, FULL, "nodes are added for the rest"),
        # A provider's nodes may be added to: whether somebody does, nobody here can tell.
        ({"providerID": "aws:///eu-1a/i-1"}, {}, 0, FULL, Warns),
        ({"providerID": "kind://docker/a"}, {}, 0, FULL, Failure),
        # What reserves room for others has a lower priority.
        ({}, {}, 0, [pod("2", priority=-10)], "; pods with a lower priority give way to the rest."),
        ({}, {}, -20, [pod("2", priority=-10)], Failure),
        ({}, {}, 0, [pod("2", priority="high")], Failure),
    ],
)
def test_a_lack_of_room(
    node_spec: dict[str, t.Any], params: dict[str, t.Any], priority: float, pods: list[t.Any], expected: t.Any
) -> None:
    one = node()
    one["spec"] |= node_spec
    where = context(idle(1, cpu=0.5)._replace(priority=priority), params, nodes=[[one]], pods=[pods])
    if isinstance(expected, str):
        assert expected in nodes.room(where)
        return
    with pytest.raises(Failure) as failure:
        nodes.room(where)
    assert failure.type is expected


def test_a_list_that_grows_too_old_while_it_is_read_is_not_counted() -> None:
    where = context(idle(1, cpu=0.5), nodes=[[node()]], pods=[[pod("100m")], Failure("410")])
    with pytest.raises(Failure, match="410"):  # the namespace's own list is the same one of this fake
        nodes.room(context(idle(1, cpu=0.5), nodes=[[node()]], pods=[Failure("410")]))
    assert "Pods of other namespaces are not counted: too many to count." in nodes.room(where)


@pytest.mark.parametrize(
    ("left", "wanted", "fits"),
    [
        ({"cpu": 1.4, "pods": 8.0}, {"cpu": 0.1}, 8),
        ({"cpu": 0.3, "pods": 8.0}, {"cpu": 0.1}, 3),
        ({"cpu": 1.0, "pods": 2.0}, {}, 2),
        ({"cpu": -1.0, "pods": 2.0}, {"cpu": 0.1}, 0),
        ({"cpu": -1.0, "pods": 2.0}, {"cpu": 0.0}, 2),
        ({"cpu": 1.0, "pods": 2.0}, {"nvidia.com/gpu": 1.0}, 0),
    ],
)
def test_how_many_fit(left: needs.Resources, wanted: needs.Resources, fits: int) -> None:
    assert nodes.fitting(left, wanted, 50) == fits


def idle(lacks: int, **requests: float) -> Idle:
    return Idle("green", {}, lacks, 0, needs.Needs((), requests, {}))


@pytest.mark.parametrize(
    ("pool", "left", "scales", "words", "fits"),
    [
        (
            idle(3, cpu=0.1),
            [{"cpu": 0.1, "pods": 9.0}, {"cpu": 0.2, "pods": 9.0}],
            False,
            "^The nodes have room for 3",
            True,
        ),
        # Each is whole on one node.
        (
            idle(2, cpu=0.4),
            [{"cpu": 0.5, "pods": 9.0}, {"cpu": 0.3, "pods": 9.0}],
            False,
            "room for 1 of 2 more pods of pool green, each of which requests 400m CPU: the most that a node has free "
            "is 500m CPU. Add nodes",
            False,
        ),
        (idle(1, cpu=1000.0), [{"cpu": 0.5, "pods": 9.0}], True, "nodes are added for the rest", True),
        (idle(1, cpu=1.0), [], False, "no node takes them, by state, nodeSelector and taints", False),
        (idle(1), [{"pods": 0.0}], False, "no node has any free", False),
    ],
)
def test_the_room(pool: Idle, left: list[needs.Resources], scales: bool, words: str, fits: bool) -> None:
    found, judged = nodes.judge(pool, left, scales=scales)
    assert judged is fits
    assert words.lstrip("^") in found
