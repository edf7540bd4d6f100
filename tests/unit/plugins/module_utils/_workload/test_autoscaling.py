# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling
from ansible_collections.mcp.server.plugins.module_utils._workload.autoscaling import (
    NOTE,
    Autoscaler,
    find,
    restore_min_replicas,
    set_min_replicas,
)
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
SCALERS = "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers"


def scaler(least=None, most=6, note=None):
    spec = {"maxReplicas": most, **({} if least is None else {"minReplicas": least})}
    metadata = {"resourceVersion": "7", **({"annotations": {NOTE: note}} if note is not None else {})}
    return Autoscaler({"metadata": metadata, "spec": spec})


def note(former, raised):
    return json.dumps({"former": former, "raised": raised})


@pytest.mark.parametrize(
    ("autoscaler", "wanted", "least", "noted"),
    [
        (scaler(2), 4, 4, (2, 4)),
        (scaler(), 3, 3, (1, 3)),  # the API's default is 1
        (scaler(2), 2, None, None),
        (scaler(2), 1, None, None),  # never below its owner's
        (scaler(2, most=3), 5, 3, (2, 3)),  # never above its greatest
        (scaler(4, note=note(2, 4)), 4, None, None),  # the run was killed, and comes again
        (scaler(4, note=note(2, 4)), 5, 5, (2, 5)),  # the first note stays
        (scaler(4, note=note(2, 4)), 3, 3, (2, 3)),
        (scaler(4, note=note(2, 4)), 0, 2, None),  # given back
        (scaler(3, note=note(2, 4)), 0, 3, None),  # its owner changed it meanwhile
        (scaler(3, note=note(2, 4)), 5, 5, (3, 5)),
        (scaler(3, note="what?"), 0, 3, None),
        (scaler(3, note="[]"), 5, 5, (3, 5)),
        (scaler(2), 0, None, None),
    ],
)
def test_least_size(autoscaler, wanted, least, noted):
    found = autoscaler.patch(wanted)
    if least is None:
        assert found is None and autoscaler.patch(wanted, "run") is None
        return
    patch, kind = found
    assert kind == "merge" and patch == {
        "metadata": {"resourceVersion": "7", "annotations": {NOTE: note(*noted) if noted else None}},
        "spec": {"minReplicas": least},
    }
    after = scaler(least, autoscaler.obj["spec"]["maxReplicas"], patch["metadata"]["annotations"][NOTE])
    assert after.patch(wanted) is None


@pytest.mark.parametrize(
    ("now", "wanted", "size"),
    [(0, 3, 3), (2, 3, 3), (5, 3, 5), (0, 1, 2), (3, 0, 0), (0, 9, 6)],
)
def test_size_of_the_deployment(now, wanted, size):
    assert scaler(2).size(now, wanted) == size


def having(**autoscalers):
    """An API server with them, each named after the pool that it scales."""
    objects = {}
    for pool, one in autoscalers.items():
        target = {"kind": "Deployment", "name": f"mcp-{pool}"}
        objects[f"{SCALERS}/{pool}"] = {**one.obj, "spec": {**one.obj["spec"], "scaleTargetRef": target}}
    return ApiServer(objects)


def leasts(api):
    return {pool: one.min_replicas for pool, one in find(api, SERVER, print).items()}


def test_found_by_pool():
    assert leasts(having(blue=scaler(1), green=scaler(2), other=scaler(3))) == {"blue": 1, "green": 2}


@pytest.mark.parametrize(("trouble", "warned"), [(NotFound("none"), 0), (Forbidden("no"), 1)])
def test_not_to_be_found(trouble, warned):
    api, warnings = ApiServer(), []
    api.fail(trouble)
    assert find(api, SERVER, warnings.append) == {} and len(warnings) == warned


def test_its_controller_writes_meanwhile():
    api = having(blue=scaler(1))
    autoscaler = find(api, SERVER, print)["blue"]
    api.call(lambda: api.touch(f"{SCALERS}/blue"), "PATCH", times=2)
    assert set_min_replicas(api, SERVER, autoscaler, 3) and leasts(api) == {"blue": 3}
    api.call(lambda: api.touch(f"{SCALERS}/blue"), "PATCH", times=9)
    with pytest.raises(Conflict):
        set_min_replicas(api, SERVER, autoscaler, 4)


def test_only_what_was_raised_is_given_back():
    api = having(blue=scaler(4, note=note(2, 4)), green=scaler(3))
    restore_min_replicas(api, SERVER, print)
    assert leasts(api) == {"blue": 2, "green": 3} and len(api.writes()) == 1


def named(*pools, refused=("list horizontalpodautoscalers",)):
    """An API server with autoscalers that have the names of their Deployments; they may not be listed."""
    api = having(**{f"mcp-{pool}": scaler(2) for pool in pools})
    for pool in pools:
        api.change(f"{SCALERS}/mcp-{pool}", {"spec": {"scaleTargetRef": {"name": f"mcp-{pool}"}}})
    api.refused.update(refused)
    return api


@pytest.mark.parametrize(
    ("pools", "warned"),
    [
        (("blue", "green"), ""),
        (
            ("green",),
            "only those with the usual names (mcp-blue, keda-hpa-mcp-blue, mcp-green, keda-hpa-mcp-green) are known. "
            "Grant list on",
        ),
        ((), "only those with the usual names"),
    ],
)
def test_found_by_name_where_listing_is_forbidden(pools, warned):
    warnings = []
    found = find(named(*pools), SERVER, warnings.append)
    assert {pool: one.name for pool, one in found.items()} == {pool: f"mcp-{pool}" for pool in pools}
    assert len(warnings) == bool(warned) and all(warned in warning for warning in warnings)


def test_that_listing_is_forbidden_is_asked_once_in_a_while(monkeypatch):
    """As whoever watches asks every few seconds."""
    api, warnings = named("green"), []
    asked = []
    real = api.get
    monkeypatch.setattr(api, "get", lambda path, **query: asked.append(path) or real(path, **query))
    assert set(find(api, SERVER, warnings.append)) == {"green"} and len(asked) == 5
    asked.clear()
    assert set(find(api, SERVER, warnings.append)) == {"green"} and asked == [f"{SCALERS}/mcp-green"]
    assert len(warnings) == 2 and warnings[0] == warnings[1]
    # A new one, or a right that was granted, is seen a while later.
    api.refused.clear()
    monkeypatch.setattr(autoscaling, "UNLISTED_FOR", 0.0)
    autoscaling._UNLISTED[api].fresh = Deadline(0)
    asked.clear()
    assert set(find(api, SERVER, warnings.append)) == {"green"} and asked == [SCALERS] and len(warnings) == 2


def test_nothing_is_known_where_both_are_forbidden():
    warnings = []
    assert (
        find(
            named("blue", refused=["list horizontalpodautoscalers", "get horizontalpodautoscalers"]),
            SERVER,
            warnings.append,
        )
        == {}
    )
    (warning,) = warnings
    assert (
        warning.startswith("Cannot tell whether a HorizontalPodAutoscaler scales the pools")
        and "in namespace prod" in warning
    )


def test_the_usual_names_are_asked_for_side_by_side():
    """One after the other, each would wait in vain for the rest."""
    api, all_asked = named("blue", "green"), threading.Barrier(4)
    get = api.get

    def together(path, **query):
        if path != SCALERS:
            all_asked.wait(5)
        return get(path, **query)

    api.get = together
    assert set(find(api, SERVER, warn=pytest.fail)) == {"blue", "green"}


def test_found_by_the_name_that_keda_gives():
    api = named("blue")
    api.put(
        f"{SCALERS}/keda-hpa-mcp-green",
        {"spec": {**scaler(2).obj["spec"], "scaleTargetRef": {"kind": "Deployment", "name": "mcp-green"}}},
    )
    assert {pool: one.name for pool, one in find(api, SERVER, print).items()} == {
        "blue": "mcp-blue",
        "green": "keda-hpa-mcp-green",
    }


def test_one_that_has_the_name_and_works_on_something_else():
    api = named("blue")
    api.change(f"{SCALERS}/mcp-blue", {"spec": {"scaleTargetRef": {"kind": "StatefulSet"}}})
    assert find(api, SERVER, print) == {}


def test_pools_of_different_kinds_and_a_name_that_begins_with_another():
    """Deployment mcp is blue, StatefulSet mcp-green is green, and a Deployment mcp-green is somebody else's."""
    blue, green = PoolObjects("mcp", "Deployment", "mcp"), PoolObjects("mcp-green", "StatefulSet", "mcp-green")
    server = replace(SERVER, blue=blue, green=green)
    api = ApiServer()
    for name, kind, target in (
        ("a", "Deployment", "mcp"),
        ("b", "StatefulSet", "mcp-green"),
        ("c", "Deployment", "mcp-green"),
        ("d", "StatefulSet", "mcp"),
    ):
        spec = {**scaler(2).obj["spec"], "scaleTargetRef": {"kind": kind, "name": target}}
        api.put(f"{SCALERS}/{name}", {"spec": spec})
    assert {pool: one.name for pool, one in find(api, server, print).items()} == {"blue": "a", "green": "b"}


def test_it_is_changed_without_the_right_to_list():
    """Also when its controller writes meanwhile."""
    api = named("blue", "green")
    autoscaler = find(api, SERVER, print)["blue"]
    api.call(lambda: api.touch(f"{SCALERS}/mcp-blue"), "PATCH", times=2)
    assert set_min_replicas(api, SERVER, autoscaler, 3) and leasts(api) == {"blue": 3, "green": 2}


@pytest.mark.parametrize("run", [None, "run"])
def test_an_emergency_goes_on_without_the_right_to_change_it(monkeypatch, run):
    monkeypatch.setattr(fence, "check", lambda *words, **more: None)
    api, warnings = named("blue", refused=["patch horizontalpodautoscalers"]), []
    autoscaler = find(api, SERVER, warnings.append)["blue"]
    if run:
        with pytest.raises(Forbidden):
            set_min_replicas(api, SERVER, autoscaler, 3, run, warn=warnings.append)
    else:
        assert not set_min_replicas(api, SERVER, autoscaler, 3, warn=warnings.append)
        assert "HorizontalPodAutoscaler prod/mcp-blue keeps its minReplicas" in warnings[0]


@pytest.mark.parametrize("spec", [None, {}, {"scaleTargetRef": None}, {"scaleTargetRef": {"kind": "Deployment"}}])
def test_one_that_says_nothing_is_left_out(spec):
    assert find(ApiServer({f"{SCALERS}/x": {"spec": spec}}), SERVER, print) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"spec": "odd"},
        {"spec": {"scaleTargetRef": "odd"}},
        {"spec": {"scaleTargetRef": {"name": ["odd"]}}},
        {"spec": {"maxReplicas": None}},
        {"spec": {"minReplicas": "many"}},
        {"metadata": "odd"},
        "odd",
        None,
    ],
)
def test_one_of_another_form_is_left_out(change, monkeypatch):
    api = named("blue", refused=[])
    (item,) = api.get(SCALERS)["items"]
    odd = (
        {**item, **{key: {**item[key], **value} if isinstance(value, dict) else value for key, value in change.items()}}
        if isinstance(change, dict)
        else change
    )
    for items in ([odd], odd, None):
        monkeypatch.setattr(api, "get", lambda path, items=items, **query: {"items": items})
        assert find(api, SERVER, print) == {}


@pytest.mark.parametrize(
    "annotations", [None, "odd", {NOTE: 5}, {NOTE: "5"}, {NOTE: '{"former": 1e999, "raised": 2}'}, {NOTE: 9999 * "["}]
)
def test_a_note_of_another_form_counts_for_nothing(annotations):
    one = Autoscaler({"metadata": {"annotations": annotations}, "spec": {"minReplicas": 2, "maxReplicas": 6}})
    assert one.original_min_replicas == 2


def test_one_without_a_name_is_left_out():
    api = named("blue", refused=[])
    api.objects[f"{SCALERS}/mcp-blue"]["metadata"]["name"] = None
    assert find(api, SERVER, print) == {}
