# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes of runs where others write in between."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection, retry
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release as release
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_rollout
from ansible_collections.mcp.server.plugins.module_utils._release import fence, record
from ansible_collections.mcp.server.plugins.module_utils._release.fence import RUN
from ansible_collections.mcp.server.plugins.module_utils._release.lease import RETURNED
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import pool_change
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling, rollout
from ansible_collections.mcp.server.plugins.module_utils._workload.autoscaling import NOTE
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError, patched

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
DEPLOYMENT = SERVER.workload_path("green")
SCALER = "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers/scaler"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"
RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
CAUSE = "kubernetes.io/change-cause"
OLD, NEW = "r.io/mcp:v1", "r.io/mcp:v2"
RELEASE = {
    "id": "r",
    "by": "kim@laptop",
    "reason": "",
    "outcome": "running",
    "steps": [],
    "from": {"pool": "blue"},
    "to": {"pool": "green"},
}


def deployment(annotations=None, containers=("proxy", "mcp")):
    metadata = {} if annotations is None else {"annotations": annotations}
    template = {"spec": {"containers": [{"name": name, "image": OLD} for name in containers]}}
    return {"metadata": metadata, "spec": {"replicas": 2, "template": template}}


class Api(ApiServer):
    """With what a run writes. The run called C(run) holds the Lease, and the newest release is its own."""

    def __init__(self, annotations=None, run="ours", patience=0.0):
        now = datetime.now(UTC).isoformat()
        scaler = {"scaleTargetRef": {"kind": "Deployment", "name": "mcp-green"}, "minReplicas": 1, "maxReplicas": 6}
        lease = {"holderIdentity": run, "acquireTime": now, "renewTime": now}
        super().__init__({DEPLOYMENT: deployment(annotations), SCALER: {"spec": scaler}, LEASE: {"spec": lease}})
        self.patience = patience
        self.keep({**RELEASE, "run_id": run})

    def keep(self, release):
        """Write the record as whoever takes over does."""
        self.put(RECORD, {"data": {"current": json.dumps(release), "history": "[]"}})

    @property
    def release(self):
        return json.loads(self.objects[RECORD]["data"]["current"])

    def take_over(self, *paths):
        """Another run takes the Lease, and writes."""
        self.change(
            LEASE, {"metadata": {"annotations": {"mcp.server/by": "lee@desk"}}, "spec": {"holderIdentity": "theirs"}}
        )
        for path in paths:
            self.change(path, {"metadata": {"annotations": {RUN: "theirs"}}})

    @property
    def patches(self):
        return [(request.path, request.kind) for request in self.writes()]

    def image(self):
        return self.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][1]["image"]

    def annotations(self, path=DEPLOYMENT):
        return self.objects[path]["metadata"].get("annotations")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retry, "FIRST", 0.001)
    monkeypatch.setattr(retry, "LONGEST", 0.002)


def change(api, run="ours", check_mode=False, **wanted):
    return pool_change.change(Task({"run_id": run}, check_mode), api, SERVER, "green", **wanted)[0]


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
        with pytest.raises(StatusError):
            patched(deployment(now), operations, "json")
    else:
        assert patched(deployment(now), operations, "json")["metadata"]["annotations"] == then


@pytest.mark.parametrize("before", [None, {}, {"note": "0"}, {RUN: "former", "note": "0"}])
def test_a_note_is_removed_where_there_is_one(before):
    operations = fence.stamp(deployment(before), "ours", {"note": None})
    assert patched(deployment(before), operations, "json")["metadata"]["annotations"] == {RUN: "ours"}


@pytest.mark.parametrize(
    ("image", "replicas", "expected", "cause"),
    [(NEW, 2, (NEW, 2), True), (OLD, 5, (OLD, 5), False), (NEW, 0, (NEW, 0), True)],
)
def test_patch_of_a_deployment(image, replicas, expected, cause):
    before = deployment({"a": "1"})
    operations = rollout.fenced(
        before, "mcp", {"image_ref": OLD, "replicas": 2}, {"image_ref": image, "replicas": replicas}, "ours"
    )
    after = patched(before, operations, "json")
    containers = after["spec"]["template"]["spec"]["containers"]
    assert (containers[1]["image"], after["spec"]["replicas"]) == expected and containers[0]["image"] == OLD
    assert after["metadata"]["annotations"] == {
        "a": "1",
        RUN: "ours",
        **({CAUSE: f"mcp.server.mcp_rollout: {image}"} if cause else {}),
    }
    if cause:
        with pytest.raises(StatusError):  # never the image of another container
            patched(deployment({"a": "1"}, ("mcp", "proxy")), operations, "json")


@pytest.mark.parametrize("annotations", [None, {RUN: "former"}, {RUN: "ours"}])
def test_a_status_is_no_conflict(annotations):
    api = Api(annotations)
    for path in (SCALER, DEPLOYMENT):
        api.call(functools.partial(api.touch, path), "PATCH", path)
    assert change(api, image_ref=NEW, replicas=4)["changed"]
    assert api.patches == [(SCALER, "json"), (DEPLOYMENT, "json")]
    assert (api.image(), api.objects[DEPLOYMENT]["spec"]["replicas"], api.objects[SCALER]["spec"]["minReplicas"]) == (
        NEW,
        4,
        4,
    )
    assert api.annotations()[RUN] == api.annotations(SCALER)[RUN] == "ours"
    assert json.loads(api.annotations(SCALER)[NOTE]) == {"former": 1, "raised": 4}


@pytest.mark.parametrize("annotations", [None, {RUN: "former"}, {RUN: "ours"}])
@pytest.mark.parametrize("path", [DEPLOYMENT, SCALER])
def test_a_run_that_is_taken_over_right_before_it_writes(annotations, path):
    """The Lease was its own when it looked."""
    api = Api(annotations)
    api.change(SCALER, {"metadata": {"annotations": annotations}})
    api.call(lambda: api.take_over(path), "PATCH", path)
    with pytest.raises(LeaseLost, match="lee@desk took over"):
        change(api, image_ref=NEW, replicas=4)
    assert api.image() == OLD and api.annotations(path) == {RUN: "theirs"}


def test_a_run_that_was_taken_over_writes_nothing():
    api = Api()
    api.take_over()
    with pytest.raises(LeaseLost, match="lee@desk took over"):
        change(api, image_ref=NEW, replicas=4)
    assert api.patches == []


def test_who_took_over_writes():
    api = Api({RUN: "former"})
    assert change(api, image_ref=NEW)["changed"] and api.image() == NEW and api.annotations()[RUN] == "ours"


@pytest.mark.parametrize(("conflicts", "patience", "through"), [(4, 0, True), (9, 0, False), (9, 5, True)])
def test_conflicts_go_on_within_the_patience(conflicts, patience, through):
    """Of annotations that others write where there were none."""
    api = Api(patience=patience)
    api.fail(Conflict("changed"), "PATCH", DEPLOYMENT, times=conflicts)
    if through:
        assert change(api, image_ref=NEW)["changed"] and api.image() == NEW
    else:
        with pytest.raises(Conflict):
            change(api, image_ref=NEW)


def test_annotations_that_came_meanwhile_are_kept():
    api = Api()
    api.call(lambda: api.change(DEPLOYMENT, {"metadata": {"annotations": {"a": "1"}}}), "PATCH", DEPLOYMENT)
    assert change(api, image_ref=NEW)["changed"] and api.image() == NEW
    assert api.annotations() == {"a": "1", RUN: "ours", CAUSE: f"mcp.server.mcp_rollout: {NEW}"}


def test_a_run_that_was_taken_over_scales_no_pool_down(monkeypatch):
    """Nor is that a warning, as what else may come of the sessions is."""
    api, warnings = Api(), []

    def let_go(_cluster, _server, _pool, run, **_more):
        raise LeaseLost(f"{run} is not the one any more")

    monkeypatch.setattr(pool_change.affinity, "drop", let_go)
    with pytest.raises(LeaseLost, match="ours"):
        pool_change.change(Task({"run_id": "ours"}, warn=warnings.append), api, SERVER, "green", replicas=0)
    assert not api.patches and not warnings


@pytest.mark.parametrize(("holder", "kind"), [("ours", "json"), (None, "merge"), ("theirs", None)])
def test_what_was_raised_is_given_back(holder, kind):
    """Also once the Lease has run out."""
    api = Api()
    api.change(LEASE, {"spec": {"holderIdentity": holder}})
    note = json.dumps({"former": 1, "raised": 4})
    api.change(SCALER, {"metadata": {"annotations": {NOTE: note}}, "spec": {"minReplicas": 4}})
    release._restore_min_replicas(Task({"run_id": "ours"}), api, SERVER)
    assert api.patches == ([(SCALER, kind)] if kind else [])


def test_what_its_owner_gave_an_autoscaler_meanwhile_is_given_back():
    api = Api()
    api.call(lambda: api.change(SCALER, {"spec": {"minReplicas": 2}}), "PATCH", SCALER)
    change(api, replicas=4)
    assert json.loads(api.annotations(SCALER)[NOTE]) == {"former": 2, "raised": 4}
    autoscaling.restore_min_replicas(api, SERVER, print, "ours")
    assert api.objects[SCALER]["spec"]["minReplicas"] == 2 and api.annotations(SCALER) == {RUN: "ours"}


def test_check_mode_asks_for_no_lease():
    """The run that begins in check mode has none."""
    api = Api(run="theirs")
    assert change(api, check_mode=True, image_ref=NEW, replicas=4)["changed"] and api.patches == []


def test_without_a_run():
    api = Api()
    change(api, run=None, image_ref=NEW, replicas=4)
    assert api.patches == [(SCALER, "merge"), (DEPLOYMENT, "strategic")]


# The record


def end(book):
    return record.end(book, record.FAILED, "T9")


@pytest.mark.parametrize("before", ["ours", None, ""])
def test_the_record_of_this_run_or_of_none(before):
    """It does not depend on the Lease."""
    api = Api()
    api.change(LEASE, {"spec": {"holderIdentity": None}})
    api.keep({**RELEASE, "run_id": before} if before is not None else RELEASE)
    record.update(api, SERVER, end, run="ours")
    assert (api.release["run_id"], api.release["outcome"]) == ("ours", "failed")


def test_the_record_of_another_run():
    api = Api()
    api.keep({**RELEASE, "run_id": "theirs"})
    api.take_over()
    with pytest.raises(LeaseLost, match=r"lee@desk took over.*The newest release in the record is r, by kim@laptop\."):
        record.update(api, SERVER, end, run="ours")
    api.change(LEASE, {"metadata": {"annotations": {RETURNED: "theirs"}}, "spec": {"holderIdentity": None}})
    with pytest.raises(LeaseLost, match="lee@desk took over and has returned it"):
        record.update(api, SERVER, end, run="ours")
    assert api.patches == []
    # Without a run as before, and an emergency does not ask.
    record.update(api, SERVER, lambda book: record.add_step(book, {"at": "T1"}))
    assert api.release["run_id"] == "theirs"
    record.update(api, SERVER, end, run="ours", takes_over=True)
    assert (api.release["run_id"], api.release["outcome"]) == ("ours", "failed")


def test_how_long_a_rollout_took_is_not_for_a_run_that_was_taken_over():
    api, warnings = Api(), []
    api.keep({**RELEASE, "run_id": "theirs"})
    api.take_over()
    with pytest.raises(LeaseLost):
        mcp_rollout._record_seconds(Task({"run_id": "ours"}, warn=warnings.append), api, SERVER, end)
    assert not api.patches and not warnings


def test_the_record_of_a_run_that_was_taken_over_from():
    """Also when there is nothing else to change: the other one is kept from writing."""
    api = Api()
    api.keep({**RELEASE, "run_id": "former"})
    record.update(api, SERVER, lambda book: book, run="ours")
    assert api.release["run_id"] == "ours"


def test_a_run_that_is_taken_over_right_before_it_writes_the_record():
    api = Api()

    def theirs():
        api.take_over()
        api.keep({**RELEASE, "run_id": "theirs"})

    api.call(theirs, "PATCH", RECORD)
    with pytest.raises(LeaseLost):
        record.update(api, SERVER, end, run="ours")
    assert (api.release["run_id"], api.release["outcome"]) == ("theirs", "running")


@pytest.mark.parametrize(("conflicts", "patience", "through"), [(4, 0, True), (9, 0, False), (9, 5, True)])
def test_a_record_that_others_keep_writing(conflicts, patience, through):
    api = Api(patience=patience)
    api.call(lambda: api.touch(RECORD), "PATCH", RECORD, times=conflicts)
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
    error = SimpleNamespace(
        status=422, body=json.dumps({"message": message}), reason="Unprocessable Entity", headers={}
    )
    failure = connection._api_failure(error, method, "/x", "https://cluster")
    assert isinstance(failure, Conflict) is conflict
    assert ("is not as it was read (PATCH /x on https://cluster)" in failure.msg) is conflict


@pytest.mark.parametrize(
    ("run", "given", "lost"),
    [
        ("ours", {}, True),
        ("ours", {"dry_run": False}, True),
        ("ours", {"dry_run": True}, False),
        ("theirs", {}, False),
        (None, {}, False),
        ("", {}, False),
    ],
)
def test_whose_lease_it_is(run, given, lost):
    api = Api()
    api.take_over()
    if lost:
        with pytest.raises(LeaseLost, match="lee@desk took over"):
            fence.check(api, SERVER, run, **given)
    else:
        fence.check(api, SERVER, run, **given)
