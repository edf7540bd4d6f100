# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes of runs on an API server that takes JSON patches as the real one does, and where others write in between."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _rollout
from ansible_collections.mcp.server.plugins.module_utils._cluster import autoscaling, connection, fence, record
from ansible_collections.mcp.server.plugins.module_utils._cluster.autoscaling import NOTE
from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict, NotFound
from ansible_collections.mcp.server.plugins.module_utils._cluster.fence import RUN
from ansible_collections.mcp.server.plugins.module_utils._cluster.lock import GIVEN_BACK
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import retry
from ansible_collections.mcp.server.plugins.module_utils._task import Lost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import release
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._cluster.timed import Timed

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
DEPLOYMENT = SERVER.deployment_path("green")
SCALERS = "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers"
SCALER = f"{SCALERS}/scaler"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"
RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
CAUSE = "kubernetes.io/change-cause"
OLD, NEW = "r.io/mcp:v1", "r.io/mcp:v2"
RELEASE = {"id": "r", "by": "kim@laptop", "reason": "", "outcome": "running", "steps": [], "from": {"pool": "blue"}, "to": {"pool": "green"}}


def deployment(annotations=None, containers=("proxy", "mcp")):
    metadata = {"resourceVersion": "1", **({} if annotations is None else {"annotations": copy.deepcopy(annotations)})}
    template = {"spec": {"containers": [{"name": name, "image": OLD} for name in containers]}}
    return {"metadata": metadata, "spec": {"replicas": 2, "template": template}}


def patched(obj, operations):
    """As evanphx/json-patch v4 does it: a member that is missing equals null, where that has a parent."""
    obj = copy.deepcopy(obj)
    for operation in operations:
        *parents, last = [key.replace("~1", "/").replace("~0", "~") for key in operation["path"].split("/")[1:]]
        place = obj
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place.get(key)
            if place is None:
                raise Conflict("the object is not as it was read")
        if operation["op"] == "test":
            if place.get(last) != operation["value"]:
                raise Conflict("the object is not as it was read")
        elif operation["op"] == "remove":
            del place[last]
        else:
            assert operation["op"] == "add" or last in place
            place[last] = operation["value"]
    return obj


class Api(Timed):
    """meddle: called before each patch but those of the Lease. patches: (path, kind) of those that were stored."""

    host = "https://cluster"

    def __init__(self, annotations=None, run="ours", patience=0.0):
        self.patience, self.patches, self.meddle = patience, [], lambda path: None
        now = datetime.now(UTC).isoformat()
        scaler = {"scaleTargetRef": {"kind": "Deployment", "name": "mcp-green"}, "minReplicas": 1, "maxReplicas": 6}
        self.objects = {
            DEPLOYMENT: deployment(annotations),
            SCALER: {"metadata": {"name": "scaler", "resourceVersion": "1"}, "spec": scaler},
            LEASE: {"metadata": {"resourceVersion": "1"}, "spec": {"holderIdentity": run, "acquireTime": now, "renewTime": now}},
        }
        self.keep({**RELEASE, "run": run})

    def keep(self, release):
        """Write the record as whoever takes over does."""
        version = int(self.objects.get(RECORD, {"metadata": {"resourceVersion": "0"}})["metadata"]["resourceVersion"]) + 1
        self.objects[RECORD] = {"metadata": {"resourceVersion": str(version)}, "data": {"current": json.dumps(release), "history": "[]"}}

    @property
    def release(self):
        return json.loads(self.objects[RECORD]["data"]["current"])

    def take_over(self, *paths):
        """Another run takes the Lease, and writes."""
        self.objects[LEASE]["spec"]["holderIdentity"] = "theirs"
        self.objects[LEASE]["metadata"]["annotations"] = {"mcp.server/by": "lee@desk"}
        for path in paths:
            self.objects[path]["metadata"].setdefault("annotations", {})[RUN] = "theirs"

    def touch(self, path):
        """As a controller does that writes the status."""
        self.objects[path]["metadata"]["resourceVersion"] += "1"

    def get(self, path, **_query):
        if path == SCALERS:
            return {"items": [copy.deepcopy(self.objects[SCALER])] if SCALER in self.objects else []}
        if path not in self.objects:
            raise NotFound(path)
        return copy.deepcopy(self.objects[path])

    def patch(self, path, body, kind="merge", *, dry_run=False, **_query):
        if path != LEASE:
            self.meddle(path)
        obj = self.objects[path]
        if kind == "json":
            obj = patched(obj, body)
        else:
            version = body.get("metadata", {}).get("resourceVersion", obj["metadata"]["resourceVersion"])
            if version != obj["metadata"]["resourceVersion"]:
                raise Conflict("changed")
            obj = {**obj, **{part: {**obj.get(part, {}), **body[part]} for part in ("spec", "data") if part in body}}
        if not dry_run:
            self.objects[path] = obj
            self.touch(path)
            self.patches.append((path, kind))
        return obj

    def image(self):
        return self.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][1]["image"]

    def annotations(self, path=DEPLOYMENT):
        return self.objects[path]["metadata"].get("annotations")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retry, "FIRST", 0.001)
    monkeypatch.setattr(retry, "LONGEST", 0.002)


def change(api, run="ours", check_mode=False, **wanted):
    return _rollout.change(Task({"lock": run}, check_mode), api, SERVER, "green", **wanted)[0]


def times(number, does):
    """What does it so many times, and then nothing."""
    left = iter(range(number))
    return lambda path: next(left, None) is not None and does(path)


# Of whoever writes meanwhile


@pytest.mark.parametrize(
    ("read", "now", "then"),
    [
        (None, None, {RUN: "ours", "note": "1"}),
        ({}, {}, {RUN: "ours", "note": "1"}),
        ({"a": "1"}, {"a": "2", "b": "3"}, {RUN: "ours", "note": "1", "a": "2", "b": "3"}),
        ({RUN: "ours"}, {RUN: "ours"}, {RUN: "ours", "note": "1"}),
        ({RUN: "former", "note": "0"}, {RUN: "former", "note": "0"}, {RUN: "ours", "note": "1"}),
        (None, {}, None),  # not replaced, though nothing would be lost
        (None, {"a": "1"}, None),
        (None, {RUN: "theirs"}, None),
        ({}, {RUN: "theirs"}, None),
        ({"a": "1"}, {RUN: "theirs"}, None),
        ({RUN: "ours"}, {RUN: "theirs"}, None),
        ({RUN: "ours"}, None, None),
        ({RUN: "ours", "note": "0"}, {RUN: "ours", "note": "2"}, None),
    ],
)
def test_stamp(read, now, then):
    operations = fence.stamp(deployment(read), "ours", {"note": "1"})
    if then is None:
        with pytest.raises(Conflict):
            patched(deployment(now), operations)
    else:
        assert patched(deployment(now), operations)["metadata"]["annotations"] == then


@pytest.mark.parametrize("before", [None, {}, {"note": "0"}, {RUN: "former", "note": "0"}])
def test_a_note_is_removed_where_there_is_one(before):
    assert patched(deployment(before), fence.stamp(deployment(before), "ours", {"note": None}))["metadata"]["annotations"] == {RUN: "ours"}


@pytest.mark.parametrize(
    ("image", "replicas", "expected", "cause"),
    [(NEW, 2, (NEW, 2), True), (OLD, 5, (OLD, 5), False), (NEW, 0, (NEW, 0), True)],
)
def test_patch_of_a_deployment(image, replicas, expected, cause):
    before = deployment({"a": "1"})
    operations = _rollout.fenced(before, "mcp", {"image": OLD, "replicas": 2}, {"image": image, "replicas": replicas}, "ours")
    after = patched(before, operations)
    containers = after["spec"]["template"]["spec"]["containers"]
    assert (containers[1]["image"], after["spec"]["replicas"]) == expected and containers[0]["image"] == OLD
    assert after["metadata"]["annotations"] == {"a": "1", RUN: "ours", **({CAUSE: f"mcp.server.mcp_rollout: {image}"} if cause else {})}
    if cause:
        with pytest.raises(Conflict):  # never the image of another container
            patched(deployment({"a": "1"}, ("mcp", "proxy")), operations)


@pytest.mark.parametrize("annotations", [None, {RUN: "former"}, {RUN: "ours"}])
def test_a_status_is_no_conflict(annotations):
    api = Api(annotations)
    api.meddle = api.touch
    assert change(api, image=NEW, replicas=4)["changed"]
    assert api.patches == [(SCALER, "json"), (DEPLOYMENT, "json")]
    assert (api.image(), api.objects[DEPLOYMENT]["spec"]["replicas"], api.objects[SCALER]["spec"]["minReplicas"]) == (NEW, 4, 4)
    assert api.annotations()[RUN] == api.annotations(SCALER)[RUN] == "ours"
    assert json.loads(api.annotations(SCALER)[NOTE]) == {"former": 1, "raised": 4}


@pytest.mark.parametrize("annotations", [None, {RUN: "former"}, {RUN: "ours"}])
@pytest.mark.parametrize("path", [DEPLOYMENT, SCALER])
def test_a_run_that_is_taken_over_right_before_it_writes(annotations, path):
    """The Lease was its own when it looked."""
    api = Api(annotations)
    api.objects[SCALER]["metadata"] |= {"annotations": copy.deepcopy(annotations)} if annotations else {}
    api.meddle = lambda at: at == path and api.take_over(path)
    with pytest.raises(Lost, match="lee@desk took over"):
        change(api, image=NEW, replicas=4)
    assert api.image() == OLD and (path, "json") not in api.patches


def test_a_run_that_was_taken_over_writes_nothing():
    api = Api()
    api.take_over()
    with pytest.raises(Lost, match="lee@desk took over"):
        change(api, image=NEW, replicas=4)
    assert api.patches == []


def test_who_took_over_writes():
    api = Api({RUN: "former"})
    assert change(api, image=NEW)["changed"] and api.image() == NEW and api.annotations()[RUN] == "ours"


@pytest.mark.parametrize(("conflicts", "patience", "through"), [(4, 0, True), (9, 0, False), (9, 5, True)])
def test_conflicts_go_on_within_the_patience(conflicts, patience, through):
    """Of annotations that others write where there were none."""
    api = Api(patience=patience)

    def meddle(path):
        if path == DEPLOYMENT:
            raise Conflict("changed")

    api.meddle = times(conflicts, meddle)
    if through:
        assert change(api, image=NEW)["changed"] and api.image() == NEW
    else:
        with pytest.raises(Conflict):
            change(api, image=NEW)


def test_annotations_that_came_meanwhile_are_kept():
    api = Api()
    api.meddle = times(1, lambda path: api.objects[DEPLOYMENT]["metadata"].update(annotations={"a": "1"}))
    assert change(api, image=NEW)["changed"] and api.image() == NEW
    assert api.annotations() == {"a": "1", RUN: "ours", CAUSE: f"mcp.server.mcp_rollout: {NEW}"}


def test_a_run_that_was_taken_over_scales_no_pool_down(monkeypatch):
    """Nor is that a warning, as what else may come of the sessions is."""
    api, warnings = Api(), []

    def let_go(_cluster, _server, _pool, run, **_more):
        raise Lost(f"{run} is not the one any more")

    monkeypatch.setattr(_rollout.pins, "let_go", let_go)
    with pytest.raises(Lost, match="ours"):
        _rollout.change(Task({"lock": "ours"}, warn=warnings.append), api, SERVER, "green", replicas=0)
    assert not api.patches and not warnings


@pytest.mark.parametrize(("holder", "kind"), [("ours", "json"), (None, "merge"), ("theirs", None)])
def test_what_was_raised_is_given_back(holder, kind):
    """Also once the Lease has run out."""
    api = Api()
    api.objects[LEASE]["spec"]["holderIdentity"] = holder
    api.objects[SCALER]["spec"]["minReplicas"] = 4
    api.objects[SCALER]["metadata"]["annotations"] = {NOTE: json.dumps({"former": 1, "raised": 4})}
    release._give_back_sizes(Task({"lock": "ours"}), api, SERVER)
    assert api.patches == ([(SCALER, kind)] if kind else [])


def test_what_its_owner_gave_an_autoscaler_meanwhile_is_given_back():
    api = Api()
    api.meddle = times(1, lambda path: api.objects[SCALER]["spec"].update(minReplicas=2))
    change(api, replicas=4)
    assert json.loads(api.annotations(SCALER)[NOTE]) == {"former": 2, "raised": 4}
    autoscaling.give_back(api, SERVER, print, "ours")
    assert api.objects[SCALER]["spec"]["minReplicas"] == 2 and api.annotations(SCALER) == {RUN: "ours"}


def test_check_mode_asks_for_no_lease():
    """The run that begins in check mode has none."""
    api = Api(run="theirs")
    assert change(api, check_mode=True, image=NEW, replicas=4)["changed"] and api.patches == []


def test_without_a_run():
    api = Api()
    change(api, run=None, image=NEW, replicas=4)
    assert api.patches == [(SCALER, "merge"), (DEPLOYMENT, "strategic")]


# The record


def end(book):
    return record.end(book, record.FAILED, "T9")


@pytest.mark.parametrize("before", ["ours", None, ""])
def test_the_record_of_this_run_or_of_none(before):
    """It does not depend on the Lease."""
    api = Api()
    api.objects[LEASE]["spec"]["holderIdentity"] = None
    api.keep({**RELEASE, "run": before} if before is not None else RELEASE)
    record.update(api, SERVER, end, run="ours")
    assert (api.release["run"], api.release["outcome"]) == ("ours", "failed")


def test_the_record_of_another_run():
    api = Api()
    api.keep({**RELEASE, "run": "theirs"})
    api.take_over()
    with pytest.raises(Lost, match=r"lee@desk took over.*The newest release in its record is r by kim@laptop\."):
        record.update(api, SERVER, end, run="ours")
    api.objects[LEASE]["spec"]["holderIdentity"] = None
    api.objects[LEASE]["metadata"]["annotations"][GIVEN_BACK] = "theirs"
    with pytest.raises(Lost, match="lee@desk took over, and gave it back since"):
        record.update(api, SERVER, end, run="ours")
    assert api.patches == []
    # Without a run as before, and an emergency does not ask.
    record.update(api, SERVER, lambda book: record.add_step(book, {"at": "T1"}))
    assert api.release["run"] == "theirs"
    record.update(api, SERVER, end, run="ours", takes_over=True)
    assert (api.release["run"], api.release["outcome"]) == ("ours", "failed")


def test_how_long_a_rollout_took_is_not_for_a_run_that_was_taken_over():
    api, warnings = Api(), []
    api.keep({**RELEASE, "run": "theirs"})
    api.take_over()
    with pytest.raises(Lost):
        _rollout._record_seconds(Task({"lock": "ours"}, warn=warnings.append), api, SERVER, end)
    assert not api.patches and not warnings


def test_the_record_of_a_run_that_was_taken_over_from():
    """Also when there is nothing else to change: the other one is kept from writing."""
    api = Api()
    api.keep({**RELEASE, "run": "former"})
    record.update(api, SERVER, lambda book: book, run="ours")
    assert api.release["run"] == "ours"


def test_a_run_that_is_taken_over_right_before_it_writes_the_record():
    api = Api()

    def meddle(_path):
        api.take_over()
        api.keep({**RELEASE, "run": "theirs"})

    api.meddle = times(1, meddle)
    with pytest.raises(Lost):
        record.update(api, SERVER, end, run="ours")
    assert (api.release["run"], api.release["outcome"]) == ("theirs", "running")


@pytest.mark.parametrize(("conflicts", "patience", "through"), [(4, 0, True), (9, 0, False), (9, 5, True)])
def test_a_record_that_others_keep_writing(conflicts, patience, through):
    api = Api(patience=patience)
    api.meddle = times(conflicts, api.touch)
    if through:
        assert record.update(api, SERVER, end)[1].current["outcome"] == api.release["outcome"] == "failed"
    else:
        with pytest.raises(Conflict):
            record.update(api, SERVER, end)


# The API server's words


@pytest.mark.parametrize(
    ("method", "message", "conflict"),
    [
        ("PATCH", "the server rejected our request due to an error in our request", True),
        ("PATCH", 'Deployment.apps "x" is invalid: spec.replicas: must be non-negative', False),
        ("POST", "the server rejected our request due to an error in our request", False),
    ],
)
def test_a_json_patch_whose_test_fails_is_a_conflict(method, message, conflict):
    error = SimpleNamespace(status=422, body=json.dumps({"message": message}), reason="Unprocessable Entity", headers={})
    failure = connection._api_failure(error, method, "/x", "https://cluster")
    assert isinstance(failure, Conflict) is conflict
    assert ("is not as it was read (PATCH /x on https://cluster)" in failure.msg) is conflict
