# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import NotFound
from ansible_collections.mcp.server.plugins.module_utils._release.pools import Stable, note, noted, split
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import STABLE, Stamp
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.service import KIND, SERVING
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services
from ansible_collections.mcp.server.tests.unit.fakes.routes import (
    PODS,
    SERVICES,
    SLICES,
    Cluster,
    objects,
    pod,
    pods,
    server,
    service,
)

SERVER, NEAREST = server("service"), server("service", route_nearest=True)
PATH = f"{SERVICES}/mcp"
SPLIT = {SERVING: "true"}


def cluster(blue, green, **selector):
    """So many pods; a tuple is (ready, of them serving)."""
    found = {}
    for pool, count in (("blue", blue), ("green", green)):
        ready, serving = count if isinstance(count, tuple) else (count, 0)
        found |= pods(*(pod(pool, number, "true" if number < serving else None) for number in range(ready)))
    return Cluster({PATH: service(**(selector or {"pool": "blue"})), **pool_services(), **found})


def weights(at):
    return KIND.weights(KIND.read(at, SERVER), SERVER)


def write(at, wanted, its=SERVER):
    return KIND.write(at, its, KIND.read(at, its), wanted, dry_run=False)


def serving(at):
    (found,) = at.get(SLICES, labelSelector="kubernetes.io/service-name=mcp")["items"]
    return sorted(one["targetRef"]["name"] for one in found["endpoints"] if one["conditions"]["ready"])


def writes(at):
    return [request.path for request in at.writes()]


@pytest.mark.parametrize(
    "at, expected",
    [
        (cluster(2, 2), (100, 0)),
        (cluster((2, 1), (2, 2)), (100, 0)),  # labels of an earlier split count for nothing
        (cluster(2, 2, pool="green"), (0, 100)),
        (cluster((2, 2), (2, 1), **SPLIT), (67, 33)),
        (cluster((300, 299), (2, 1), **SPLIT), (99, 1)),
        (cluster(2, 2, **SPLIT), (0, 0)),
        (cluster((2, 2), 2, **SPLIT), (100, 0)),
    ],
)
def test_weights(at, expected):
    assert tuple(weights(at).values()) == expected


@pytest.mark.parametrize("change", [{"status": {"conditions": []}}, {"metadata": {"deletionTimestamp": "now"}}])
def test_a_pod_that_is_not_ready_or_on_its_way_out_serves_nothing(change):
    at = cluster((2, 2), (2, 2), **SPLIT)
    for key, value in change.items():
        at.objects[f"{PODS}/mcp-green-0"][key] |= value
    assert weights(at) == {"blue": 67, "green": 33}


@pytest.mark.parametrize(
    "selector",
    [{"tier": "web"}, {"pool": "red"}, {"pool": "blue", **SPLIT}, {SERVING: "yes"}, {"app": "other", "pool": "blue"}],
)
def test_a_service_that_selects_something_else(selector):
    at = cluster(1, 1)
    at.objects[PATH]["spec"]["selector"] = {"app": "mcp", **selector}
    with pytest.raises(
        Failure,
        match="Service prod/mcp selects app=.*: "
        "it must select what the Service of one pool selects, app=mcp,pool=blue or app=mcp,pool=green "
        r"\(or, while a split is set, app=mcp,mcp.server/serving=true",
    ):
        weights(at)


@pytest.mark.parametrize(
    "blue, green, wanted, counts",
    [
        (2, 2, 50, (2, 2)),
        (2, 2, 33, (2, 1)),
        (2, 2, 67, (1, 2)),
        (9, 9, 10, (9, 1)),
        (3, 3, 50, (3, 3)),
        (9, 1, 10, (9, 1)),
        (4, 2, 20, (4, 1)),
    ],
)
def test_a_share_is_made_by_as_many_pods_as_can(blue, green, wanted, counts):
    at = cluster(blue, green)
    write(at, split("green", wanted))
    names = serving(at)
    assert tuple(sum(pool in name for name in names) for pool in ("blue", "green")) == counts


@pytest.mark.parametrize(
    "blue, green, wanted, reached, near",
    [
        (2, 2, 10, "0, 33, 50, 67, 100 %", 33),
        (1, 1, 10, "0, 50, 100 %", 50),
        (3, 1, 10, "0, 25, 33, 50, 100 %", 25),
        (2, 0, 10, "0, 100 %", None),
        (2, 2, 99, "0, 33, 50, 67, 100 %", 67),
    ],
)
def test_a_share_that_cannot_be_reached(blue, green, wanted, reached, near):
    route = KIND.read(cluster(blue, green), SERVER)
    with pytest.raises(
        Failure,
        match=f"can't give green {wanted} %: "
        f"with {blue} ready pods of blue and {green} of green it reaches {reached} for green",
    ):
        KIND.reachable(route, SERVER, split("green", wanted))
    if near:
        assert KIND.reachable(route, NEAREST, split("green", wanted)) == split("green", near)
    else:
        with pytest.raises(Failure):
            KIND.reachable(route, NEAREST, split("green", wanted))


def test_all_or_nothing_is_always_reachable():
    route = KIND.read(cluster(2, 0), SERVER)
    assert KIND.reachable(route, SERVER, split("green", 100)) == split("green", 100)


def test_a_plan_reckons_with_pods_that_are_not_there_yet():
    route = KIND.read(cluster(3, 0), SERVER)
    assert KIND.reachable(route, SERVER, split("green", 25), planning=True) == split("green", 25)
    with pytest.raises(Failure, match="0, 25, 33, 40, 50, 60, 67, 75, 100 %"):
        KIND.reachable(route, SERVER, split("green", 10), planning=True)


def test_a_pod_that_lacks_what_else_the_service_selects_is_none():
    at = Cluster(objects("service"))
    at.objects[f"{PODS}/mcp-green-1"]["metadata"]["labels"]["tier"] = "batch"
    write(at, split("green", 33))
    assert serving(at) == ["mcp-blue-1", "mcp-blue-2", "mcp-green-2"]


def test_session_affinity_can_not_be_split():
    at = cluster(2, 2)
    at.objects[PATH]["spec"]["sessionAffinity"] = "ClientIP"
    with pytest.raises(Failure, match="has sessionAffinity ClientIP"):
        KIND.reachable(KIND.read(at, SERVER), SERVER, split("green", 50))


def test_all_or_nothing_is_one_write_and_leaves_the_rest_of_the_selector():
    at = cluster((2, 2), (2, 1), **SPLIT)
    at.objects[PATH]["spec"]["selector"]["tier"] = "web"
    assert write(at, split("green", 100))[0]
    assert writes(at) == [PATH] and at.objects[PATH]["spec"]["selector"] == {
        "app": "mcp",
        "tier": "web",
        "pool": "green",
    }


def test_labels_are_right_before_the_service_looks_at_them():
    at = cluster((2, 1), (2, 2))  # what an earlier split left
    write(at, split("green", 33))
    assert writes(at)[-1] == PATH and len(writes(at)) == 3
    assert (
        serving(at) == ["mcp-blue-0", "mcp-blue-1", "mcp-green-0"]
        and "pool" not in at.objects[PATH]["spec"]["selector"]
    )


def test_a_split_is_never_empty_on_the_way_to_another():
    at = cluster((1, 1), (3, 1), **SPLIT)
    at.call(lambda: serving(at) or pytest.fail("no pod serves"), "PATCH", times=math.inf)
    write(at, split("green", 75))
    write(at, split("green", 50))
    assert weights(at) == split("green", 50)


def test_a_pod_that_replaced_another_gets_nothing_until_the_split_is_set_again():
    at = cluster(2, 2)
    write(at, split("green", 50))
    del at.objects[f"{PODS}/mcp-green-0"]
    at.objects |= pods(pod("green", 7))
    assert weights(at) == {"blue": 67, "green": 33} and "mcp-green-7" not in serving(at)
    assert write(at, split("green", 50))[0] and "mcp-green-7" in serving(at) and weights(at) == split("green", 50)


def test_all_or_nothing_survives_restarts_and_scaling():
    at = cluster(2, 2)
    write(at, split("green", 50))
    write(at, split("green", 100))
    for number in (0, 1):
        del at.objects[f"{PODS}/mcp-green-{number}"]
    at.objects |= pods(*(pod("green", number) for number in (5, 6, 7)), pod("blue", 9))
    assert weights(at) == split("green", 100) and serving(at) == ["mcp-green-5", "mcp-green-6", "mcp-green-7"]


def test_a_pod_that_goes_while_it_is_labelled():
    at = cluster(2, 2)
    route = KIND.read(at, SERVER)
    del at.objects[f"{PODS}/mcp-blue-0"]
    with pytest.raises(NotFound):
        KIND.write(at, SERVER, route, split("green", 50), dry_run=False)
    assert write(at, split("green", 50))[0] and weights(at) == split("green", 50)


def test_in_force_is_what_the_endpoints_say():
    at = cluster(2, 2)
    route = KIND.read(at, SERVER)
    assert KIND.not_accepted(route, SERVER) == ""
    at.objects[PATH]["spec"]["selector"] = {"app": "mcp", "pool": "green"}
    late = {**KIND.read(at, SERVER), "slices": route["slices"]}
    assert KIND.not_accepted(late, SERVER).startswith(
        "its EndpointSlices have mcp-blue-0, mcp-blue-1, not mcp-green-0, mcp-green-1"
    )
    assert "have no pod" in KIND.not_accepted({**late, "slices": []}, SERVER)


def test_what_preflight_says():
    assert KIND.notes(KIND.read(Cluster(objects("service")), SERVER), SERVER) == [
        "with 2 ready pods in each pool it reaches 0, 33, 50, 67, 100 %"
    ]


def test_a_note_of_a_split_counts_as_long_as_the_service_selects_for_one():
    """Pods come and go, above all in an outage."""
    at = cluster(2, 2)
    half = split("green", 50)
    KIND.write(at, SERVER, KIND.read(at, SERVER), half, Stamp(note(Stable("blue"), half), "run"), dry_run=False)
    del at.objects[f"{PODS}/mcp-green-0"]
    route = KIND.read(at, SERVER)
    assert KIND.weights(route, SERVER) != half and KIND.stable(route, SERVER) == Stable("blue")
    write(at, split("green", 100))
    assert KIND.stable(KIND.read(at, SERVER), SERVER) is None


def test_another_split_is_noted_though_only_pods_change():
    at = cluster(4, 4)
    for green in (50, 20):
        wanted = split("green", green)
        KIND.write(at, SERVER, KIND.read(at, SERVER), wanted, Stamp(note(Stable("blue"), wanted), "run"), dry_run=False)
        assert noted(at.objects[PATH]["metadata"]["annotations"][STABLE]) == (Stable("blue"), wanted)
