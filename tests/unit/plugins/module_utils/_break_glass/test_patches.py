# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patches as tables: what is noted, what is put back, and what somebody changed meanwhile."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._break_glass import fields, patches
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import ANNOTATION, Change, Note
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

PATH = "/apis/apps/v1/namespaces/prod/deployments/mcp-blue"
LIVENESS = "/spec/template/spec/containers/1/livenessProbe"
NAMED = "/spec/template/spec/containers/[server]/livenessProbe"
PROBE = {"httpGet": {"path": "/live", "port": 8080}, "periodSeconds": 10}
NOTE = Note("2026-11-27T03:00:00Z", "ana", "INC-1", {})
WANTED = {"/spec/replicas": 5, LIVENESS: None}


def deployment(**metadata: t.Any) -> dict[str, t.Any]:
    containers = [{"name": "proxy", "image": "p:1"}, {"name": "server", "image": "s:1", "livenessProbe": PROBE}]
    return {"metadata": metadata, "spec": {"replicas": 2, "template": {"spec": {"containers": containers}}}}


def stored(obj: dict[str, t.Any]) -> ApiServer:
    return ApiServer({PATH: obj})


def written(cluster: ApiServer, operations: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    if operations:
        cluster.patch(PATH, operations, "json")
    return cluster.get(PATH)


def content(obj: dict[str, t.Any]) -> t.Any:
    return copy.deepcopy((obj["spec"], obj["metadata"].get("annotations")))


def break_it(cluster: ApiServer, wanted: t.Mapping[str, t.Any] | None = None, note: Note = NOTE) -> dict[str, t.Any]:
    return written(cluster, patches.breaking(cluster.get(PATH), WANTED if wanted is None else wanted, note))


def restore(cluster: ApiServer, **more: t.Any) -> patches.Way:
    obj = cluster.get(PATH)
    note = broken_glass.read(obj)
    assert note is not None
    way = patches.restoring(obj, note, **more)
    written(cluster, way.operations)
    return way


@pytest.mark.parametrize("annotations", [None, {"team": "a"}])
def test_a_change_and_its_note_are_one_request_and_a_restore_takes_both_back(annotations: t.Any) -> None:
    cluster = stored(deployment(**({"annotations": annotations} if annotations else {})))
    before = content(cluster.get(PATH))
    broken = break_it(cluster)
    assert broken["spec"]["replicas"] == 5
    assert "livenessProbe" not in broken["spec"]["template"]["spec"]["containers"][1]
    note = broken_glass.read(broken)
    assert note == NOTE._replace(changes={"/spec/replicas": Change(2, 5), NAMED: Change(PROBE, None)})
    assert "image" not in broken["metadata"]["annotations"][ANNOTATION]
    assert len(cluster.writes(PATH)) == 1
    way = restore(cluster)
    assert (len(way.restored), way.kept) == (2, [])
    assert content(cluster.get(PATH)) == before
    assert len(cluster.writes(PATH)) == 2


def test_what_is_as_wanted_gets_no_note() -> None:
    assert patches.breaking(deployment(), {"/spec/replicas": 2, LIVENESS.replace("live", "ready"): None}, NOTE) == []


def test_a_second_one_keeps_the_first_ones_values_and_author_and_adds_its_own_fields() -> None:
    cluster = stored(deployment())
    before = content(cluster.get(PATH))
    break_it(cluster, {"/spec/replicas": 5})
    break_it(cluster, {"/spec/replicas": 9, LIVENESS: None}, NOTE._replace(by="bob", reason="INC-2"))
    note = broken_glass.read(cluster.get(PATH))
    assert note == NOTE._replace(changes={"/spec/replicas": Change(2, 9), NAMED: Change(PROBE, None)})
    restore(cluster)
    assert content(cluster.get(PATH)) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda obj: obj["spec"].update(replicas=7), "spec.replicas is 7, break-glass had set 5, before it was 2"),
        (lambda obj: obj["spec"].update(replicas="5\x1b[2J"), "spec.replicas is 5 [2J, break-glass had set 5"),
    ],
)
def test_what_somebody_changed_stays_and_is_named_and_the_rest_is_restored(change: t.Any, says: str) -> None:
    cluster = stored(deployment())
    break_it(cluster)
    change(cluster.objects[PATH])
    way = restore(cluster)
    assert [one.name for one in way.kept] == ["/spec/replicas"]
    assert says in way.kept[0].why
    obj = cluster.get(PATH)
    assert obj["spec"]["template"]["spec"]["containers"][1]["livenessProbe"] == PROBE
    note = broken_glass.read(obj)
    assert note is not None
    assert list(note.changes) == ["/spec/replicas"]
    # Nothing to do is no write, however often it is tried.
    assert patches.restoring(obj, note).operations == []


def test_a_size_that_an_autoscaler_set_since_is_left_to_it() -> None:
    cluster = stored(deployment())
    break_it(cluster, {"/spec/replicas": 5})
    cluster.objects[PATH]["spec"]["replicas"] = 4
    assert restore(cluster, left=["/spec/replicas"]).kept == []
    obj = cluster.get(PATH)
    assert (obj["spec"]["replicas"], broken_glass.read(obj)) == (4, None)


def test_a_container_is_found_by_its_name_and_a_released_image_stays() -> None:
    cluster = stored(deployment())
    break_it(cluster)
    template = cluster.objects[PATH]["spec"]["template"]["spec"]
    template["containers"] = [{**template["containers"][1], "image": "s:2"}, template["containers"][0]]
    way = restore(cluster)
    assert {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "server"} in way.operations
    (server, proxy) = cluster.get(PATH)["spec"]["template"]["spec"]["containers"]
    assert (server["image"], server["livenessProbe"]) == ("s:2", PROBE)
    assert "livenessProbe" not in proxy


def test_a_container_that_is_gone_is_named() -> None:
    cluster = stored(deployment())
    break_it(cluster)
    cluster.objects[PATH]["spec"]["template"]["spec"]["containers"].pop()
    (kept,) = restore(cluster).kept
    assert kept.why == "spec.template.spec.containers[server].livenessProbe cannot be found any more"


def test_a_write_in_between_is_a_conflict_for_both_patches() -> None:
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict

    cluster = stored(deployment())
    operations = patches.breaking(cluster.get(PATH), WANTED, NOTE)
    cluster.change(PATH, {"spec": {"replicas": 3}})
    with pytest.raises(Conflict):
        cluster.patch(PATH, operations, "json")
    break_it(cluster)
    obj = cluster.get(PATH)
    way = patches.restoring(obj, t.cast(Note, broken_glass.read(obj)))
    cluster.change(PATH, {"spec": {"replicas": 3}})
    with pytest.raises(Conflict):
        cluster.patch(PATH, way.operations, "json")


def test_the_tool_whose_field_was_taken_is_still_known_afterwards() -> None:
    cluster = stored(deployment())
    managed = {"manager": "kustomize-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    cluster.objects[PATH]["metadata"]["managedFields"] = [managed]
    break_it(cluster, {"/spec/replicas": 5})
    assert cluster.get(PATH)["metadata"]["annotations"][field_managers.TAKEN] == "Flux"


@pytest.mark.parametrize("name", ["/spec/template/spec/containers/[]/livenessProbe", "/spec/a/b/c", "/spec/rules/9/x"])
def test_a_name_that_leads_nowhere_is_gone(name: str) -> None:
    with pytest.raises(fields.Gone):
        fields.find({"spec": {"rules": [], "template": {"spec": {"containers": []}}}}, name)


@pytest.mark.parametrize("pointer", ["/spec/replicas", LIVENESS, "/metadata/annotations/a~1b"])
def test_a_field_is_found_by_its_name(pointer: str) -> None:
    obj = deployment(annotations={"a/b": "c"})
    place = fields.find(obj, fields.name_of(obj, pointer))
    assert (place.pointer, place.value) == (pointer, patches.at(obj, pointer))
