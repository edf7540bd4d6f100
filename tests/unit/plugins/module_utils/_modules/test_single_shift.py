# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mcp_traffic_shift and mcp_release on a fake API server, with a gateway that answers by the route's weights."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import math
import threading
import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict, Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._mcp import pool_probe, requests
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release, mcp_release_info, single_shift
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import emergency, emergency_lease
from ansible_collections.mcp.server.plugins.module_utils._traffic import shift as shift_module
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions, protection
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions.affinity import drop
from ansible_collections.mcp.server.plugins.module_utils._workload import convergence, rollout
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import State
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.gateway import Gateway
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

PARAMS = {
    "namespace": "prod",
    "server": "mcp",
    "pool_name_format": "{server}-{pool}",
    "route": None,
    "container": None,
    "api_retry_timeout": 0.0,
}
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
MAPS = "/api/v1/namespaces/prod/configmaps"
RECORD = f"{MAPS}/mcp-release"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/prod/leases"
LEASE = f"{LEASES}/mcp-release"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices"
BUDGETS = "/apis/policy/v1/namespaces/prod/poddisruptionbudgets"
PODS = "/api/v1/namespaces/prod/pods"


def deployment(pool):
    return f"/apis/apps/v1/namespaces/prod/deployments/mcp-{pool}"


class FakeCluster(ApiServer):
    """Blue is live; accept() is the gateway's controller, which follows each write of the route."""

    def __init__(self):
        backends = [{"name": "mcp-blue", "weight": 100}, {"name": "mcp-green", "weight": 0}]
        rules = [{"filters": ["theirs"], "backendRefs": backends}]
        route = {"spec": {"parentRefs": [{"name": "edge", "namespace": "infra"}], "rules": rules}}
        super().__init__({ROUTE: route, **pool_services()})
        for pool, tag in (("blue", "v1.1.5"), ("green", "v1.1.4")):
            labels = {"app": "mcp", "pool": pool}
            template = {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "mcp", "image": f"r.io/mcp:{tag}"}]},
            }
            self.put(deployment(pool), {"spec": {"replicas": 2, "template": template}})
            status = {"name": "mcp", "ready": True, "imageID": f"r.io/mcp@sha256:{'a' * 64}"}
            self.put(
                f"{PODS}/{pool}",
                {"metadata": {"labels": {"app": "mcp", "pool": pool}}, "status": {"containerStatuses": [status]}},
            )
        self.have(blue=2, green=2)
        self.accept()
        self.controllers.append(lambda path: path == ROUTE and self.accept())

    def have(self, **ready):
        """So many endpoints of a pool are ready."""
        for pool, count in ready.items():
            endpoints = [
                {"addresses": [f"10.0.0.{number}"], "targetRef": {"uid": f"{number}"}} for number in range(count)
            ]
            for family in ("v4", "v6"):
                labels = {"kubernetes.io/service-name": f"mcp-{pool}"}
                self.put(f"{SLICES}/{pool}-{family}", {"metadata": {"labels": labels}, "endpoints": endpoints})

    def scale(self, pool, replicas):
        self.objects[deployment(pool)]["spec"]["replicas"] = replicas
        self.have(**{pool: replicas})

    def accept(self):
        route = self.objects[ROUTE]
        conditions = [
            {"type": kind, "status": "True", "observedGeneration": route["metadata"]["generation"]}
            for kind in ("Accepted", "ResolvedRefs")
        ]
        route["status"] = {"parents": [{"parentRef": {"name": "edge", "namespace": "infra"}, "conditions": conditions}]}

    @property
    def weights(self):
        return tuple(backend["weight"] for backend in self.objects[ROUTE]["spec"]["rules"][0]["backendRefs"])

    @property
    def record(self):
        data = self.objects[RECORD]["data"]
        return json.loads(data["current"]), json.loads(data["history"])

    @property
    def holder(self):
        return self.objects[LEASE]["spec"].get("holderIdentity")

    def written(self):
        return [request.path for request in self.writes() if LEASES not in request.path]


class Reply:
    status, content_type, location = 200, "application/json", ""

    def __init__(self, document):
        self.text = json.dumps(document)


class FakeGateway(Gateway):
    """The gateway without HTTP, as the line that its answers come by, and the connection."""

    name, health_path, answering = "https://mcp.example", "/health", Answering("/health")
    server_infos, latest = {}, None

    def __init__(self, cluster):
        self.trouble, self.versions = "", {"blue": "1.1.5", "green": "1.2.0"}
        super().__init__(cluster, ROUTE, lambda pool: self.versions[pool])

    def connection(self):
        return self

    def close(self):
        pass

    def fetch(self, method, path, bound, headers=None):
        if self.trouble:
            raise Failure(self.trouble)
        return Reply(self.answer())


@pytest.fixture
def cluster(monkeypatch):
    fake = FakeCluster()
    monkeypatch.setattr(single_shift.connection, "connect", lambda params: fake)
    monkeypatch.setattr(convergence, "MOMENT", 0.2)
    return fake


@pytest.fixture
def gateway(cluster, monkeypatch):
    fake = FakeGateway(cluster)
    monkeypatch.setattr(single_shift.asking, "endpoint_of", lambda params: fake)
    # As fast as the machine can: pacing has its own test.
    monkeypatch.setattr(requests, "RATE", 5000.0)
    return fake


DEFAULTS = {
    **PARAMS,
    **{name: option.get("default") for name, option in single_shift.SPEC.options.items() if name not in PARAMS},
    "timeout": 5.0,
    "session_mode": "stateless",
    "verify_seconds": 0.0,  # it has its own tests
}


def call(run=single_shift.run, check_mode=False, **params):
    defaults = (
        DEFAULTS
        if run is single_shift.run
        else {**PARAMS, **{n: o.get("default") for n, o in mcp_release.SPEC.options.items() if n not in PARAMS}}
    )
    warnings = []
    result = run(Task({**defaults, **params}, check_mode, warn=warnings.append))
    return {**result, "warnings": warnings}


def begin(version="v1.2.0"):
    return call(
        mcp_release.run,
        state="begun",
        image_ref=f"r.io/mcp:{version}",
        version=version,
        take_over=True,
        reason="another test",
    )


def test_step_moves_measures_and_is_recorded(cluster, gateway):
    begin()
    result = call(pool="green", weight=10, endpoint={"url": "x"})
    assert result["changed"] and (result["before"], result["after"]) == (
        {"blue": 100, "green": 0},
        {"blue": 90, "green": 10},
    )
    assert result["live"] == "blue" and abs(result["share"]["green"] - 10) <= 5 and result["share"]["reached"]
    assert result["share"]["requests"] == 144 and result["seconds_to_follow"] >= 0 and result["written_at"] > 1e9
    assert cluster.weights == (90, 10) and cluster.objects[ROUTE]["spec"]["rules"][0]["filters"] == ["theirs"]
    (step,) = cluster.record[0]["steps"]
    assert (
        step["weights"] == {"blue": 90, "green": 10}
        and step["verdict"] == "followed"
        and step["share"]["requests"] == 144
    )


def test_second_run_changes_nothing(cluster, gateway):
    begin()
    call(pool="green", weight=10, endpoint={"url": "x"})
    cluster.log.clear()
    again = call(pool="green", weight=10, endpoint={"url": "x"})
    assert not again["changed"] and cluster.written() == []
    assert again["share"]["reached"] and again["seconds_to_follow"] is None and again["written_at"] is None


def test_check_mode_writes_and_measures_nothing(cluster, gateway):
    result = call(check_mode=True, pool="green", weight=100, endpoint={"url": "x"})
    assert result["changed"] and result["share"] is None and cluster.weights == (100, 0)


def test_without_endpoint_the_share_is_not_measured(cluster):
    result = call(pool="green", weight=10)
    assert result["share"] is None and "not measured" in result["warnings"][0] and cluster.weights == (90, 10)


@pytest.mark.parametrize("ready, refused", [(0, True), (1, True), (2, False), (3, False)])
def test_no_weight_for_a_pool_that_is_not_as_planned(cluster, ready, refused):
    cluster.have(green=ready)
    if refused:
        with pytest.raises(Failure, match=f"Service mcp-green has {ready} of 2 ready endpoints"):
            call(pool="green", weight=10)
        assert cluster.written() == []
        call(pool="green", weight=10, force=True)
    else:
        call(pool="green", weight=10)
    assert cluster.weights == (90, 10)


REFUSING = "Refusing to give pool green of prod/mcp more traffic: "
ROLLOUT_HINT = " Wait for the rollout, check why pods are not ready, or set force."
BUDGET_HINT = " Scale the pool up, correct the budget, or set force."


@pytest.mark.parametrize(
    ("ready", "planned", "minimum", "says"),
    [
        (2, 2, 0, ""),
        (3, 2, 0, ""),
        (3, 2, 3, ""),
        (2, 2, 1, ""),
        (1, 0, 0, ""),  # scaled down just now, and still answering
        (0, 0, 0, "its Deployment is scaled to 0. Roll it out first, or set force."),
        (0, 1, 0, "Service mcp-green has 0 of 1 ready endpoints." + ROLLOUT_HINT),
        (1, 2, 0, "Service mcp-green has 1 of 2 ready endpoints." + ROLLOUT_HINT),
        (1, 2, 2, "Service mcp-green has 1 of 2 ready endpoints." + ROLLOUT_HINT),
        (1, 2, 3, "Service mcp-green has 1 of 3 ready endpoints." + ROLLOUT_HINT),
        (2, 2, 3, "it has 2 ready endpoints, but PodDisruptionBudget pdb requires 3." + BUDGET_HINT),
        (3, 2, 4, "it has 3 ready endpoints, but PodDisruptionBudget pdb requires 4." + BUDGET_HINT),
    ],
)
def test_whether_a_pool_may_get_more_traffic(ready, planned, minimum, says):
    server = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
    found = single_shift.not_ready(server, "green", ready, planned, minimum, "pdb")
    assert found == (says and REFUSING + says)


@pytest.mark.parametrize(("planned", "minimum", "needed"), [(2, 0, 2), (2, 3, 3), (3, 2, 3), (0, 0, 1), (1, 1, 1)])
def test_how_many_endpoints_are_needed(planned, minimum, needed):
    assert single_shift.endpoints_needed(planned, minimum) == needed


def test_no_weight_for_a_pool_that_has_less_than_its_budget_asks_for(cluster):
    cluster.put(f"{BUDGETS}/pdb", {"spec": {"minAvailable": 3, "selector": {"matchLabels": {}}}})
    with pytest.raises(Failure, match="it has 2 ready endpoints, but PodDisruptionBudget pdb requires 3"):
        call(pool="green", weight=10)
    assert cluster.written() == []
    call(pool="green", weight=10, force=True)
    assert call(rollback=True)["changed"]  # an emergency does not ask


def test_the_losing_pool_need_not_be_ready(cluster):
    cluster.have(blue=0)
    call(pool="green", weight=10)


def test_change_by_somebody_else_is_read_again(cluster):
    meanwhile = [{"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 400}]
    cluster.call(lambda: cluster.change(ROUTE, meanwhile, "json"), "PATCH", ROUTE)
    assert call(pool="green", weight=100)["changed"] and cluster.weights == (0, 100)
    assert json.loads(notes(cluster)[STABLE])["pool"] == "green"  # which had most of it by then


@pytest.mark.parametrize("stored", [True, False])
def test_a_write_whose_answer_was_lost_is_looked_at(cluster, gateway, stored):
    """Of the route, of the record and of the Lease: nothing is done twice, and what was done is told."""
    begin()
    for path in (ROUTE, RECORD, LEASE):
        cluster.fail(Unanswered("The API server does not answer."), "PATCH", path, after=stored)
    run = cluster.holder
    result = call(pool="green", weight=10, endpoint={"url": "x"}, run_id=run)
    assert not cluster.rules
    assert result["changed"] and result["before"] == {"blue": 100, "green": 0} and result["written_at"]
    assert cluster.weights == (90, 10)
    assert len(cluster.record[0]["steps"]) == 1


def test_weights_that_are_not_followed_are_a_failure_with_evidence(cluster, gateway):
    gateway.trouble = "GET /health was refused: nothing listens there"
    with pytest.raises(
        Failure, match=r"written \(blue 0 %, green 100 %\), but traffic has not been confirmed .* nothing listens there"
    ) as caught:
        call(pool="green", weight=100, endpoint={"url": "x"}, timeout=0.3)
    evidence = caught.value.evidence
    assert evidence["changed"] and evidence["share"]["failed"] == evidence["share"]["requests"] > 0


@pytest.mark.parametrize("away", [60.0, 0.0])
def test_a_verification_without_an_api_server_is_made_again(cluster, away):
    """Its time was over when the API server was back: the weights are not to blame."""
    with outage.waiting(outage.Waiting()):
        one = shift_module.Shift(Task({"timeout": 30.0}), cluster, None, None)
    tries, meanwhile = [], []

    def verify(wanted, also, bound):
        tries.append(bound.seconds)
        also()
        if len(tries) == 1:
            one.waiting.seconds += away
            raise Failure("not verified")

    one._verify = verify
    if away:
        one.verify({"blue": 100, "green": 0}, lambda: meanwhile.append(1))
    else:
        with pytest.raises(Failure, match="not verified"):
            one.verify({"blue": 100, "green": 0}, lambda: meanwhile.append(1))
    assert (tries, len(meanwhile)) == ([30.0, 30.0] if away else [30.0], 1)


def test_refusal_by_the_gateway_is_told_at_once(cluster, monkeypatch):
    def refuse():
        for condition in cluster.objects[ROUTE]["status"]["parents"][0]["conditions"]:
            condition |= {"status": "False", "observedGeneration": 2, "reason": "NotAllowed", "message": "no"}

    monkeypatch.setattr(cluster, "accept", refuse)
    with pytest.raises(Failure, match=r"Gateway infra/edge says Accepted is False \(NotAllowed: no\)"):
        call(pool="green", weight=10, timeout=60.0)


def test_controller_that_is_down_is_said_soon_with_what_clients_get(cluster, gateway, monkeypatch):
    monkeypatch.setattr(cluster, "accept", lambda: None)
    monkeypatch.setattr(shift_module, "PATIENCE", 0.1)
    lines = []
    task = Task(
        {**DEFAULTS, "pool": "green", "weight": 100, "timeout": 0.5, "endpoint": {"url": "x"}}, progress=lines.append
    )
    clients = "of 5 answers to clients just now: 5 from green"
    with pytest.raises(
        Failure,
        match=f"were written .* not been confirmed .* for generation 2: check the gateway's controller; {clients}",
    ):
        single_shift.run(task)
    assert [
        clients in line and "still checking, 0 s left" in line for line in lines if "not been confirmed" in line
    ] == [True]


def test_controller_that_is_down(cluster, monkeypatch):
    monkeypatch.setattr(cluster, "accept", lambda: None)
    with pytest.raises(
        Failure, match="were written .* not been confirmed .* has not reported Accepted for generation 2"
    ):
        call(pool="green", weight=10, timeout=0.2)


@pytest.mark.parametrize(
    "params, says",
    [
        ({"pool": "green", "weight": 101}, "weight is 101"),
        ({"pool": "green", "weight": 10, "rollback": True}, "leave out pool and weight"),
        ({"pool": "green", "weight": 10, "rollback_pool": "green"}, "set rollback as well"),
        ({"pool": "green", "weight": 10, "wait": False}, "only a rollback may be left unverified"),
        ({"pool": "green", "weight": 10, "tolerance": 0.0}, "tolerance is 0.0"),
        ({"pool": "green", "weight": 10, "samples": 0}, "samples is 0"),
        ({"pool": "green", "weight": 10, "namespace": "a/../b"}, "namespace gives 'a/../b'"),
        ({"pool": "green", "weight": 10, "pool_name_format": "{server}"}, "must contain {pool}"),
    ],
)
def test_bad_input(cluster, params, says):
    with pytest.raises(Failure, match=says):
        call(**params)
    assert cluster.log == []


def released(cluster):
    """blue was live, green is now."""
    begin()
    call(pool="green", weight=100)
    call(mcp_release.run, state="ended", outcome="succeeded")
    cluster.log.clear()


def test_rollback_writes_first_and_returns_to_the_recorded_pool(cluster, gateway):
    released(cluster)
    result = call(rollback=True, reason="5xx", endpoint={"url": "x"})
    assert cluster.weights == (100, 0) and result["changed"] and result["live"] == "blue"
    assert (result["pool"], result["bad_pool"], result["version"]) == ("blue", "green", "v1.1.5")
    assert (
        result["share"]["blue"] == 100 and result["share"]["versions"] == ["1.1.5"] and result["seconds_to_follow"] >= 0
    )
    asked = cluster.asked()
    first = asked[: asked.index(("PATCH", ROUTE))]
    assert sorted(first) == sorted(
        [("GET", LEASE), ("PATCH", LEASE), ("GET", RECORD), ("GET", ROUTE), ("GET", SLICES), ("GET", SLICES)]
    )
    current, _history = cluster.record
    assert (
        current["outcome"] == "rolled_back"
        and current["reason"] == "5xx"
        and current["steps"][-1]["verdict"] == "followed"
    )


def test_an_emergency_holds_on_to_its_lease_while_the_gateway_follows(cluster, gateway, monkeypatch):
    """For longer than a Lease lasts, if need be."""
    released(cluster)
    seen, renewed = [], lease_renewal.renewing

    @contextlib.contextmanager
    def watched(task, run, *, required=True):
        seen.append((run, cluster.weights, cluster.record[0]["outcome"], required))
        with renewed(task, run, required=required) as kept:
            yield kept
        seen.append("over")

    monkeypatch.setattr(lease_renewal, "renewing", watched)
    result = call(rollback=True, endpoint={"url": "x"})
    # When the traffic is back and the record says so; and it is no end to have lost it.
    assert seen == [(result["run_id"], (100, 0), "rolled_back", False), "over"]
    assert result["share"]["blue"] == 100


def notes(cluster):
    return cluster.objects[ROUTE]["metadata"].get("annotations", {})


STABLE = "mcp.server/stable"


def forget(cluster, *what):
    """As if it had never been written."""
    if "record" in what:
        cluster.objects.pop(RECORD, None)
    if "note" in what:
        notes(cluster).pop(STABLE, None)


@pytest.mark.parametrize("lost", ["", "record", "note"])
def test_second_rollback_does_not_flip_back(cluster, gateway, lost):
    released(cluster)
    forget(cluster, lost)
    first = call(rollback=True, endpoint={"url": "x"})
    forget(cluster, lost)
    call(rollback=True, endpoint={"url": "x"})
    cluster.log.clear()
    again = call(rollback=True, endpoint={"url": "x"})
    assert (
        first["changed"]
        and first["pool"] == again["pool"] == "blue"
        and not again["changed"]
        and ROUTE not in cluster.written()
    )
    assert again["scale_down"]


def test_second_rollback_when_the_record_can_not_be_written(cluster, gateway):
    """Nor read, in the end; it stays on the good pool."""
    released(cluster)
    no = Forbidden("The API server refuses.")
    cluster.fail(no, "PATCH", RECORD, times=math.inf)
    assert call(rollback=True, endpoint={"url": "x"})["pool"] == "blue"
    cluster.fail(no, part=RECORD, times=math.inf)
    again = call(rollback=True, endpoint={"url": "x"})
    assert again["pool"] == "blue" and not again["changed"] and cluster.weights == (100, 0)
    assert (
        "The release record of prod/mcp could not be read; going by the note on the route. The API server refuses."
        in again["warnings"]
    )


@pytest.mark.parametrize("weight", [10, 50, 100])
@pytest.mark.parametrize("record", [None, "{", '{"id": 1}'])
def test_rollback_without_a_record_goes_where_the_route_says(cluster, gateway, weight, record):
    call(pool="green", weight=5)
    call(pool="green", weight=weight)
    if record:
        cluster.objects[RECORD] = {"metadata": {"resourceVersion": "1"}, "data": {"current": record}}
    result = call(rollback=True, endpoint={"url": "x"})
    assert result["pool"] == "blue" and result["scale_down"] and cluster.weights == (100, 0)
    assert not record or any("could not be read" in warning for warning in result["warnings"])
    assert record or cluster.record[0]["from"]["pool"] == "blue"


@pytest.mark.parametrize("weight", [0, 10, 50, 100])
def test_rollback_is_not_guessed(cluster, gateway, weight):
    """Neither a record nor a note, or one from before a person moved the traffic."""
    call(pool="green", weight=20)
    for backend, its in zip(
        cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"], (100 - weight, weight), strict=True
    ):
        backend["weight"] = its
    cluster.log.clear()
    command = "ansible-playbook rollback.yml -e mcp_rollback_pool="
    commands = f"{command}blue or {command}green"
    with pytest.raises(
        Failure, match=rf"Refusing to guess .*weights: blue {100 - weight} %.*endpoints: blue 2, green 2\).*{commands}"
    ):
        call(rollback=True)
    assert cluster.written() == []
    named = call(rollback=True, rollback_pool="blue", endpoint={"url": "x"})
    assert cluster.weights == (100, 0) and named["pool"] == "blue" and not named["scale_down"]
    assert "Pool green keeps its pods: it is the bad pool only because pool blue was named." in named["warnings"]
    for lost in ("", "record", "note"):  # it stays so, and is not known to be bad by what the first one wrote
        forget(cluster, lost)
        again = call(rollback=True, endpoint={"url": "x"})
        assert again["pool"] == "blue" and not again["scale_down"] and cluster.weights == (100, 0)


def test_a_pool_that_is_named_outranks_the_record_and_is_recorded(cluster, gateway):
    released(cluster)
    cluster.scale("blue", 0)
    named = call(rollback=True, rollback_pool="green", endpoint={"url": "x"})
    assert (
        named["pool"] == "green" and not named["scale_down"] and named["version"] == "" and cluster.weights == (0, 100)
    )
    current, (before,) = cluster.record
    assert (current["from"]["pool"], current["outcome"], before["to"]["version"]) == ("green", "rolled_back", "v1.2.0")
    assert call(rollback=True, endpoint={"url": "x"})["pool"] == "green"
    agreed = call(rollback=True, rollback_pool="green", endpoint={"url": "x"})
    assert not agreed["changed"] and cluster.weights == (0, 100)


def test_a_release_notes_the_pool_that_it_came_from(cluster, gateway):
    begin()
    for weight in (10, 50, 100):
        call(pool="green", weight=weight)
        assert json.loads(notes(cluster)[STABLE]) == {
            "pool": "blue",
            "weights": {"blue": 100 - weight, "green": weight},
        }
    call(mcp_release.run, state="ended", outcome="succeeded")
    begin("v1.3.0")
    call(pool="blue", weight=10)
    assert json.loads(notes(cluster)[STABLE])["pool"] == "green"
    call(rollback=True)
    assert json.loads(notes(cluster)[STABLE]) == {"pool": "green", "weights": {"blue": 0, "green": 100}}


def test_a_note_without_which_the_stable_pool_is_not_known_goes(cluster, gateway):
    """It would be true again by chance."""
    call(pool="green", weight=100)
    for backend in cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]:
        backend["weight"] = 50
    call(pool="green", weight=100)
    assert STABLE not in notes(cluster)


def test_a_shift_from_a_split_that_nobody_noted_asks_the_record(cluster, gateway):
    begin()
    call(pool="green", weight=60)
    forget(cluster, "note")
    call(pool="green", weight=80)
    assert json.loads(notes(cluster)[STABLE])["pool"] == "blue"


def test_each_run_stamps_the_route_and_an_emergency_too(cluster, gateway):
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    call(pool="green", weight=50, run_id=run)
    assert notes(cluster)["mcp.server/run"] == run
    back = call(rollback=True, endpoint={"url": "x"})
    assert notes(cluster)["mcp.server/run"] == back["run_id"] != run


def stamp(cluster, run):
    """Another run writes the route."""
    cluster.change(ROUTE, {"metadata": {"annotations": {"mcp.server/run": run}}})


@pytest.mark.parametrize("params", [{"pool": "green", "weight": 50}, {"rollback": True}])
def test_a_run_whose_route_another_one_wrote_is_lost_also_without_a_lease(cluster, gateway, monkeypatch, params):
    released(cluster)
    run = begin("v1.3.0")["run_id"]
    call(pool="blue", weight=10, run_id=run)
    cluster.accept = lambda: None
    cluster.call(lambda: stamp(cluster, "another"), "PATCH", ROUTE, after=True)
    if params.get("rollback"):
        cluster.fail(Failure("The API server refuses: leases."), part=LEASE, times=math.inf)
    with pytest.raises(LeaseLost, match="run another wrote its route"):
        call(run_id=run, timeout=1.0, **{"pool": "blue", **params} if "pool" in params else params)


def test_the_api_server_refuses_a_run_that_was_taken_over(cluster, gateway, monkeypatch):
    """Between its read and its write, and what that changed besides is the same."""
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    call(pool="green", weight=10, run_id=run)
    monkeypatch.setattr(shift_module.leases.Lease, "check", lambda lease, run, runner=None: "")
    cluster.call(lambda: stamp(cluster, "another"), "PATCH", ROUTE)
    with pytest.raises(LeaseLost, match="run another"):
        call(pool="green", weight=50, run_id=run)
    assert cluster.weights == (90, 10)


def test_a_rollback_of_a_run_whose_lease_nobody_can_read(cluster, gateway):
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    call(pool="green", weight=50, run_id=run)
    cluster.fail(Failure("500: a webhook."), part=LEASE, times=math.inf)
    result = call(rollback=True, run_id=run, endpoint={"url": "x"})
    assert cluster.weights == (100, 0) and any(
        "another run may still change it. 500: a webhook." in warning for warning in result["warnings"]
    )


def test_a_lease_is_looked_at_once_before_the_weights(cluster, gateway):
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    call(pool="green", weight=50, run_id=run)
    cluster.log.clear()
    call(rollback=True, run_id=run, endpoint={"url": "x"})
    asked = cluster.asked()
    assert asked[: asked.index(("PATCH", ROUTE))].count(("GET", LEASE)) == 1


@pytest.mark.parametrize(("seconds", "before_the_weights"), [(0.1, True), (0.5, False)])
def test_a_lease_that_comes_late_is_this_emergency_s(cluster, gateway, monkeypatch, seconds, before_the_weights):
    released(cluster)
    monkeypatch.setattr(emergency_lease, "OPTIONAL_TIMEOUT", 0.3)
    monkeypatch.setattr(emergency, "LEASE_WAIT", 0.1)
    acquire, weights = emergency_lease.leases.Lease.acquire, []

    def late(*words, **more):
        time.sleep(seconds)
        weights.append(cluster.weights)
        return acquire(*words, **more)

    monkeypatch.setattr(emergency_lease.leases.Lease, "acquire", late)
    result = call(rollback=True, endpoint={"url": "x"})
    assert cluster.holder == result["run_id"] == notes(cluster)["mcp.server/run"]
    assert weights == [(0, 100) if before_the_weights else (100, 0)]
    assert not any("Continuing without the Lease" in warning for warning in result["warnings"])


def test_a_lease_that_hangs_holds_an_emergency_up_for_a_moment_only(cluster, gateway, monkeypatch):
    released(cluster)
    monkeypatch.setattr(emergency_lease, "OPTIONAL_TIMEOUT", 0.1)
    monkeypatch.setattr(emergency, "LEASE_WAIT", 0.1)
    over = threading.Event()
    monkeypatch.setattr(emergency_lease.leases.Lease, "acquire", lambda *words, **more: over.wait(30))
    result = call(rollback=True, endpoint={"url": "x"})
    over.set()
    assert (
        cluster.weights == (100, 0)
        and result["run_id"] == ""
        and any("no answer within" in warning for warning in result["warnings"])
    )


def test_an_emergency_reads_side_by_side(cluster, gateway):
    """An API server in trouble takes seconds for each."""
    released(cluster)
    moments = []
    cluster.slow(0.3)
    cluster.call(lambda: moments.append(time.monotonic()), "PATCH", times=math.inf)
    start = time.monotonic()
    call(rollback=True, wait=False)
    assert [path for _verb, path in cluster.asked("PATCH")][:2] == [LEASE, ROUTE]
    # The Lease, which takes two requests, and the write itself
    assert moments[1] - start < 1.2 and cluster.weights == (100, 0)


@pytest.mark.parametrize("hangs", [RECORD, SLICES])
def test_what_an_emergency_can_do_without_is_not_waited_for(cluster, gateway, monkeypatch, hangs):
    released(cluster)
    monkeypatch.setattr(emergency, "READ_TIMEOUT", 0.1)
    over = threading.Event()
    cluster.call(lambda: cluster.weights == (0, 100) and over.wait(30), "GET", hangs, times=math.inf)
    result = call(rollback=True, endpoint={"url": "x"}, api_timeout=0.1)
    over.set()
    assert cluster.weights == (100, 0) and any("no answer within 0.1 s" in warning for warning in result["warnings"])


def test_a_record_that_is_late_is_waited_for_where_nothing_else_says_where_to_go(cluster, gateway, monkeypatch):
    released(cluster)
    forget(cluster, "note")
    monkeypatch.setattr(emergency, "READ_TIMEOUT", 0.1)
    cluster.slow(0.5, "GET", RECORD)
    assert call(rollback=True, endpoint={"url": "x"}, api_timeout=0.1, api_retry_timeout=5.0)["pool"] == "blue"


@pytest.mark.parametrize("edit", [{"steps": [3]}, {"from": {"pool": "blue", "replicas": "many", "version": ["v1"]}}])
def test_a_record_that_somebody_edited_does_not_stop_an_emergency(cluster, gateway, edit):
    released(cluster)
    current, history = cluster.record
    data = {"current": json.dumps({**current, **edit}), "history": json.dumps([3, *history])}
    cluster.objects[RECORD]["data"] = data
    call(rollback=True)
    assert cluster.weights == (100, 0)


# Without waiting


def test_without_waiting_the_weights_are_back_and_the_rest_is_left(cluster, gateway):
    released(cluster)
    cluster.scale("blue", 1)
    sent = call(rollback=True, wait=False, reason="5xx", endpoint={"url": "x"})
    assert sent["changed"] and sent["written"] and sent["share"] is None and "msg" not in sent
    assert cluster.weights == (100, 0) and cluster.record[0]["outcome"] == "rolled_back"
    assert cluster.objects[deployment("blue")]["spec"]["replicas"] == 1
    steps = len(cluster.record[0]["steps"])
    result = call(rollback=True, rollback_pool=sent["pool"], run_id=sent["run_id"], reason="5xx", endpoint={"url": "x"})
    assert not result["changed"] and result["written"] and result["share"]["reached"] and result["scale_down"]
    assert cluster.objects[deployment("blue")]["spec"]["replicas"] == 2
    current, _history = cluster.record
    assert (
        len(current["steps"]) == steps + 1
        and current["steps"][-1]["verdict"] == "followed"
        and current["reason"] == "5xx"
    )
    cluster.log.clear()
    again = call(rollback=True, rollback_pool=sent["pool"], run_id=sent["run_id"], reason="5xx", endpoint={"url": "x"})
    assert not again["changed"] and cluster.written() == []


def test_a_verification_that_failed_is_made_up_for(cluster, gateway):
    released(cluster)
    gateway.trouble = "no"
    with pytest.raises(Failure, match="not been confirmed"):
        call(rollback=True, endpoint={"url": "x"}, timeout=0.2)
    gateway.trouble = ""
    call(rollback=True, endpoint={"url": "x"})
    assert [step["verdict"] for step in cluster.record[0]["steps"][-2:]] == ["not_verified", "followed"]


def test_without_waiting_a_pool_that_is_empty_gets_nothing(cluster, gateway, monkeypatch):
    scaled_down(cluster, monkeypatch, State(wanted=2, ready=1))
    cluster.log.clear()
    sent = call(rollback=True, wait=False)
    assert (sent["changed"], sent["written"], sent["pool"], sent["bad_pool"]) == (False, False, "blue", "green")
    assert (
        "blue of prod/mcp has no ready endpoint" in sent["msg"]
        and cluster.weights == (0, 100)
        and cluster.written() == []
    )
    assert call(rollback=True, rollback_pool="blue", run_id=sent["run_id"])["written"] and cluster.weights == (100, 0)


@pytest.mark.parametrize("part", ["GET", "PATCH"])
def test_without_waiting_an_api_server_that_is_away_is_no_failure(cluster, gateway, monkeypatch, part):
    released(cluster)
    seen, away = [], Unreachable("The API server does not answer.")
    monkeypatch.setattr(
        single_shift.connection, "connect", lambda params: seen.append(params["api_retry_timeout"]) or cluster
    )
    for path in (ROUTE, RECORD, LEASE, SLICES) if part == "GET" else (ROUTE,):
        cluster.fail(away, part, path, times=math.inf)
    sent = call(rollback=True, wait=False, api_retry_timeout=600.0)
    assert (sent["changed"], sent["written"]) == (False, False) and "The API server does not answer." in sent["msg"]
    assert seen == [0.0] and ("pool" in sent) == (part == "PATCH")


def test_without_waiting_what_can_not_be_told_is_refused_and_another_run_stops_it(cluster, gateway):
    with pytest.raises(Failure, match="Refusing to guess"):
        call(rollback=True, wait=False)
    released(cluster)
    with pytest.raises(LeaseLost):
        call(rollback=True, wait=False, run_id="somebody")
    assert cluster.weights == (0, 100)


def test_without_waiting_in_check_mode(cluster, gateway):
    released(cluster)
    sent = call(check_mode=True, rollback=True, wait=False)
    assert (
        sent["changed"]
        and not sent["written"]
        and cluster.weights == (0, 100)
        and cluster.record[0]["outcome"] == "succeeded"
    )


# What clients get outranks the route's status


@pytest.mark.parametrize("refused", [False, True])
def test_an_emergency_believes_the_answers(cluster, gateway, monkeypatch, refused):
    """A stale entry of a controller, or one that refuses what another one serves."""
    released(cluster)
    monkeypatch.setattr(shift_module, "PATIENCE", 0.2)

    def accept():
        for condition in cluster.objects[ROUTE]["status"]["parents"][0]["conditions"]:
            condition |= {"status": "False", "observedGeneration": 3} if refused else {}

    monkeypatch.setattr(cluster, "accept", accept)
    result = call(rollback=True, endpoint={"url": "x"})
    assert result["share"]["reached"] and cluster.record[0]["steps"][-1]["verdict"] == "followed"
    assert any(
        "All answers come from pool blue, but the route's status does not say that it is in force" in warning
        for warning in result["warnings"]
    )


def test_a_status_that_comes_a_moment_after_the_answers(cluster, gateway, monkeypatch):
    released(cluster)
    accept = cluster.accept
    monkeypatch.setattr(cluster, "accept", lambda: threading.Timer(0.4, accept).start())
    result = call(rollback=True, endpoint={"url": "x"})
    assert result["share"]["reached"] and result["warnings"] == []


@pytest.mark.parametrize("refused", [False, True])
def test_an_emergency_that_neither_the_status_nor_the_answers_confirm(cluster, gateway, monkeypatch, refused):
    """Of a canary of 1 %, a row of 40 good answers comes by chance."""
    begin()
    call(pool="green", weight=1)
    monkeypatch.setattr(shift_module, "PATIENCE", 0.2)

    def accept():
        for condition in cluster.objects[ROUTE]["status"]["parents"][0]["conditions"]:
            condition |= {"status": "False", "observedGeneration": 3} if refused else {}

    monkeypatch.setattr(cluster, "accept", accept)
    turn = itertools.count()
    monkeypatch.setattr(
        gateway,
        "fetch",
        lambda *words, **more: Reply({"pool": "green" if next(turn) % 100 == 99 else "blue", "version": "1.1.5"}),
    )
    start = time.monotonic()
    with pytest.raises(Failure, match="were written .* not been confirmed"):
        call(rollback=True, endpoint={"url": "x"}, timeout=2.0)
    assert (time.monotonic() - start < 1.5) is refused
    assert cluster.record[0]["steps"][-1]["verdict"] == "not_verified"


def test_an_endpoint_that_can_not_be_used_does_not_stop_an_emergency(cluster, monkeypatch):
    released(cluster)

    def refuse(params):
        raise Failure("endpoint.url is 'x'.")

    monkeypatch.setattr(single_shift.asking, "endpoint_of", refuse)
    assert "The endpoint can't be used. endpoint.url is 'x'." in call(rollback=True, endpoint={"url": "x"})["warnings"]
    assert cluster.weights == (100, 0)
    with pytest.raises(Failure, match="endpoint.url"):
        call(pool="green", weight=10, endpoint={"url": "x"})


def test_rollback_mid_release_returns_to_the_pool_it_started_from(cluster, gateway):
    begin()
    call(pool="green", weight=50)
    assert call(rollback=True, endpoint={"url": "x"})["pool"] == "blue"


def scaled_down(cluster, monkeypatch, state):
    """The good pool is at 0; what the cluster says of its rollout is C(state)."""
    released(cluster)
    cluster.scale("blue", 0)

    def look(view):
        cluster.have(blue=state.ready)
        return state

    monkeypatch.setattr(rollout.View, "state", look)


def test_rollback_scales_up_a_pool_that_is_at_0_and_says_how_long_before(cluster, gateway, monkeypatch):
    scaled_down(cluster, monkeypatch, State(wanted=2, ready=1))
    lines = []
    params = {**DEFAULTS, "rollback": True, "endpoint": {"url": "x"}}
    result = single_shift.run(
        Task(
            params, progress=lambda line: lines.append((line, cluster.objects[deployment("blue")]["spec"]["replicas"]))
        )
    )
    said = [(line, replicas) for line, replicas in lines if "no ready endpoint" in line]
    assert said == [
        (
            "pool blue has no ready endpoint: scaling it up from 0 to 2 pods; "
            "traffic follows once 1 pod is ready, within 300 s; no rollout time is recorded",
            0,
        )
    ]
    assert cluster.weights == (100, 0) and result["scaled_up"]["to"] == 2 and result["scaled_up"]["seconds"] >= 0
    written = [path for _verb, path in cluster.asked("PATCH")]
    assert written.index(deployment("blue")) < written.index(ROUTE)


def test_an_emergency_that_loses_the_lease_while_its_pool_comes_up_says_nothing_of_the_traffic(cluster, monkeypatch):
    """Who took the Lease may have shifted it."""
    scaled_down(cluster, monkeypatch, State(wanted=2))

    def lose(*_args):
        raise LeaseLost("This run lost the Lease of prod/mcp.")

    monkeypatch.setattr(rollout, "wait", lose)
    with pytest.raises(LeaseLost) as caught:
        call(rollback=True)
    assert caught.value.msg == "This run lost the Lease of prod/mcp."


def test_rollback_of_a_pool_that_cannot_come_up(cluster, monkeypatch):
    scaled_down(
        cluster,
        monkeypatch,
        State(wanted=2, reason="ImagePullBackOff", failed="pod a: ImagePullBackOff; check the image"),
    )
    with pytest.raises(
        Failure,
        match="blue has no ready endpoint and does not come up.* ImagePullBackOff.* The traffic was not shifted",
    ) as caught:
        call(rollback=True)
    assert cluster.weights == (0, 100) and caught.value.evidence["reason"] == "ImagePullBackOff"
    assert caught.value.evidence["bad_pool"] == "green"
    call(rollback=True, force=True)
    assert cluster.weights == (100, 0)


def test_rollback_check_mode_says_that_it_would_scale_up(cluster, monkeypatch):
    scaled_down(cluster, monkeypatch, State(wanted=2))
    result = call(check_mode=True, rollback=True)
    assert result["scaled_up"] == {"from": 0, "to": 2, "expected_seconds": None, "seconds": None}


def test_rollback_gives_a_pool_that_was_kept_small_its_size_back_after_the_write(cluster, gateway):
    released(cluster)
    cluster.scale("blue", 1)
    call(rollback=True, endpoint={"url": "x"})
    assert cluster.objects[deployment("blue")]["spec"]["replicas"] == 2
    written = [path for _verb, path in cluster.asked("PATCH")]
    assert written.index(ROUTE) < written.index(deployment("blue"))
    cluster.objects[deployment("blue")]["spec"]["replicas"] = 1
    assert not call(rollback=True, endpoint={"url": "x"})["changed"]
    assert cluster.objects[deployment("blue")]["spec"]["replicas"] == 1  # somebody's wish by then


def test_rollback_does_not_wait_for_all_of_the_good_pool_nor_for_rights_on_the_rest(cluster):
    released(cluster)
    cluster.have(blue=1)
    no = Forbidden("The API server refuses.")
    for path in (SLICES, deployment("blue"), deployment("green")):
        cluster.fail(no, part=path, times=math.inf)
    result = call(rollback=True)
    assert cluster.weights == (100, 0) and any(
        "Ready endpoints of pool blue of prod/mcp could not be read" in warning for warning in result["warnings"]
    )


def test_rollback_that_cannot_be_recorded_is_still_a_rollback(cluster, gateway):
    released(cluster)
    cluster.refused.add("patch configmaps")
    result = call(rollback=True, endpoint={"url": "x"})
    assert result["share"]["reached"] and "record of prod/mcp was not written" in result["warnings"][0]


def test_rollback_that_cannot_be_verified_has_written_and_recorded(cluster, gateway):
    released(cluster)
    gateway.trouble = "GET /health got no complete answer within 3 s"
    with pytest.raises(
        Failure, match=r"written \(blue 100 %, green 0 %\), but traffic has not been confirmed"
    ) as caught:
        call(rollback=True, endpoint={"url": "x"}, timeout=0.3)
    assert cluster.weights == (100, 0) and caught.value.evidence["bad_pool"] == "green"
    assert cluster.record[0]["outcome"] == "rolled_back" and cluster.record[0]["steps"][-1]["verdict"] == "not_verified"


def test_rollback_to_a_pool_with_another_version(cluster, gateway):
    released(cluster)
    gateway.versions["blue"] = "1.0.0"
    with pytest.raises(Failure, match="answers report version 1.0.0, not v1.1.5"):
        call(rollback=True, endpoint={"url": "x"}, compare_version=["health"])
    assert cluster.weights == (100, 0)


def test_rollback_goes_by_the_digest_unless_versions_are_to_be_compared(cluster, gateway):
    released(cluster)
    gateway.versions["blue"] = "1.0.0"
    assert call(rollback=True, endpoint={"url": "x"})["share"]["reached"]


def test_rollback_to_a_version_that_servers_do_not_tell(cluster, gateway):
    released(cluster)
    book = json.loads(cluster.objects[RECORD]["data"]["current"])
    book["from"]["version"] = "sha-abc1234"
    cluster.put(RECORD, {"data": {"current": json.dumps(book), "history": "[]"}})
    result = call(rollback=True, endpoint={"url": "x"}, compare_version=["health"])
    assert result["share"]["reached"] and any(
        "is not compared with sha-abc1234" in warning for warning in result["warnings"]
    )


def test_rollback_in_check_mode(cluster):
    released(cluster)
    result = call(check_mode=True, rollback=True)
    assert result["changed"] and result["after"] == {"blue": 100, "green": 0} and cluster.weights == (0, 100)
    assert cluster.record[0]["outcome"] == "succeeded"


def test_begin_tells_the_pools_and_records_the_origin(cluster):
    result = begin()
    assert (result["live"], result["idle"], result["replicas"], result["resumed"]) == ("blue", "green", 2, False)
    assert result["previous_image_ref"] == "r.io/mcp:v1.1.5" and result["changed"]
    assert result["record"]["from"] == {
        "pool": "blue",
        "image_ref": "r.io/mcp:v1.1.5",
        "digest": f"sha256:{'a' * 64}",
        "version": "v1.1.5",
        "weights": {"blue": 100, "green": 0},
        "replicas": 2,
    }
    again = begin()
    assert again["resumed"] and again["record"] == {**result["record"], "run_id": again["run_id"]}


def test_begin_of_what_is_live_already(cluster):
    result = begin("v1.1.5")
    assert result["already_live"] and not result["changed"] and cluster.written() == []


def test_a_release_that_was_cut_off_keeps_its_stable_pool(cluster):
    begin()
    call(pool="green", weight=100)
    assert begin()["resumed"]
    other = begin("v1.3.0")
    assert (other["live"], other["idle"], other["resumed"]) == ("blue", "green", False)
    current, (earlier,) = cluster.record
    assert current["from"]["pool"] == "blue" and current["from"]["image_ref"] == "r.io/mcp:v1.1.5"
    assert earlier["outcome"] == "failed" and "superseded by" in earlier["reason"]


def test_next_release_goes_to_the_other_pool(cluster):
    released(cluster)
    result = begin("v1.3.0")
    assert (result["live"], result["idle"]) == ("green", "blue") and len(cluster.record[1]) == 1


def test_begin_in_check_mode(cluster):
    result = call(mcp_release.run, check_mode=True, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")
    assert result["changed"] and RECORD not in cluster.objects


def test_begin_when_no_pool_is_live(cluster):
    call(pool="green", weight=50)
    with pytest.raises(Failure, match="Cannot tell which pool"):
        begin()


def test_end(cluster):
    with pytest.raises(Failure, match="has begun"):
        call(mcp_release.run, state="ended", outcome="failed")
    begin()
    assert call(mcp_release.run, state="ended", outcome="failed")["record"]["outcome"] == "failed"
    assert not call(mcp_release.run, state="ended", outcome="failed")["changed"]


def test_a_release_holds_the_lease_until_it_ends(cluster, gateway):
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    assert cluster.holder == run
    with pytest.raises(Failure, match="is in progress"):
        call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.3.0", version="v1.3.0")
    call(pool="green", weight=100, run_id=run)
    call(mcp_release.run, state="ended", outcome="succeeded", run_id=run)
    assert not cluster.holder
    assert call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.3.0", version="v1.3.0")["run_id"] != run


def test_read_tells_who_releases_and_what_was_before(cluster, gateway, monkeypatch):
    assert call(mcp_release_info.run)["holder"] is None
    begin()
    call(mcp_release.run, state="ended", outcome="failed")
    begin("v1.3.0")
    found = call(mcp_release_info.run)
    assert [one["to"]["version"] for one in (found["record"], *found["history"])] == ["v1.3.0", "v1.2.0"]
    assert found["holder"]["by"] and found["holder"]["since"] < found["holder"]["until"]
    cluster.ahead = 3600.0  # an hour later, by the API server's time
    assert call(mcp_release_info.run)["holder"] is None
    cluster.ahead = 0.0
    monkeypatch.setattr(mcp_release_info.lease, "is_dead", lambda process: True)
    assert call(mcp_release_info.run)["holder"] is None


def recorded_before_1_0_0(cluster, gateway):
    """Leave a release half shifted, whose record has the names that it had before 1.0.0."""
    run = begin()["run_id"]
    call(pool="green", weight=50, run_id=run)
    current, _history = cluster.record
    current["run"] = current.pop("run_id")
    current["held"] = {"at": "T", "reason": "no metrics"}
    for side in ("from", "to"):
        current[side]["image"] = current[side].pop("image_ref")
    current["guard"] = {"id": "g", "action": "hold", "state": "watching", "at": "T", "reason": ""}
    cluster.put(RECORD, {"data": {"current": json.dumps(current), "history": json.dumps([current])}})
    return run


def test_a_release_that_was_recorded_before_1_0_0_goes_on(cluster, gateway):
    run = recorded_before_1_0_0(cluster, gateway)
    call(mcp_release.run, state="lease_returned", run_id=run)
    found = call(mcp_release_info.run)
    assert (found["record"]["run_id"], found["record"]["paused"]["reason"]) == (run, "no metrics")
    assert found["history"][0]["to"]["image_ref"] == found["record"]["to"]["image_ref"] == "r.io/mcp:v1.2.0"
    again = begin()
    assert again["resumed"] and "paused" not in again["record"] and again["record"]["steps"] == found["record"]["steps"]
    call(pool="green", weight=100, run_id=again["run_id"])
    call(mcp_release.run, state="ended", outcome="succeeded", run_id=again["run_id"])
    current, history = cluster.record
    assert (current["outcome"], current["to"]["image_ref"], current["guard"]["action"]) == (
        "succeeded",
        "r.io/mcp:v1.2.0",
        "pause",
    )
    assert not {"run", "held"} & {*current, *history[0]} and "image" not in current["from"], (
        "it is written by today's names"
    )


def test_a_release_that_was_recorded_before_1_0_0_is_rolled_back(cluster, gateway):
    recorded_before_1_0_0(cluster, gateway)
    result = call(rollback=True, endpoint={"url": "x"})
    assert (result["pool"], result["version"], cluster.weights) == ("blue", "v1.1.5", (100, 0)) and result["scale_down"]
    current, _history = cluster.record
    assert (current["outcome"], current["from"]["image_ref"], current["run_id"]) == (
        "rolled_back",
        "r.io/mcp:v1.1.5",
        result["run_id"],
    )


def test_nothing_to_release_holds_nothing(cluster, gateway):
    assert call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.1.5", version="v1.1.5")["already_live"]
    assert not cluster.holder
    assert call(mcp_release.run, state="lease_returned", run_id="x") == {"changed": False, "warnings": []}


def test_a_release_that_is_paused_lets_others_release(cluster, gateway):
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    paused = call(mcp_release.run, state="paused", reason="no metrics", run_id=run)
    assert (paused["changed"], paused["record"]["outcome"], paused["record"]["paused"]["reason"]) == (
        True,
        "running",
        "no metrics",
    )
    assert not cluster.holder
    again = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")
    assert again["resumed"] and "paused" not in again["record"]


def test_a_beginning_that_fails_holds_nothing(cluster, gateway):
    call(pool="green", weight=50)
    with pytest.raises(Failure, match="Cannot tell which pool"):
        call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")
    assert not cluster.holder


def test_taking_over_says_why(cluster, gateway):
    call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")
    with pytest.raises(Failure, match="take_over needs a reason"):
        call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.3.0", version="v1.3.0", take_over=True)
    assert call(
        mcp_release.run,
        state="begun",
        image_ref="r.io/mcp:v1.3.0",
        version="v1.3.0",
        take_over=True,
        reason="they left",
    )["run_id"]


def test_an_emergency_takes_the_lease_and_the_release_stops(cluster, gateway):
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    call(pool="green", weight=50, run_id=run)
    back = call(rollback=True, endpoint={"url": "x"})
    assert cluster.weights == (100, 0) and cluster.holder == back["run_id"]
    for task in ({"pool": "green", "weight": 100}, {"rollback": True}):
        with pytest.raises(LeaseLost, match="This run lost the Lease of prod/mcp"):
            call(run_id=run, **task)
    assert cluster.weights == (100, 0)


def test_a_lease_that_is_lost_between_the_read_and_the_write(cluster, gateway):
    """The emergency came after the task had looked: it looks again."""
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    cluster.call(lambda: cluster.change(LEASE, {"spec": {"holderIdentity": "emergency"}}), "GET", ROUTE)
    with pytest.raises(LeaseLost, match="This run lost the Lease of prod/mcp"):
        call(pool="green", weight=50, run_id=run)
    assert cluster.weights == (100, 0)


def test_an_emergency_does_not_need_the_lease(cluster, gateway):
    released(cluster)
    cluster.fail(Failure("The API server refuses: leases."), part=LEASE, times=math.inf)
    result = call(rollback=True, endpoint={"url": "x"})
    assert cluster.weights == (100, 0) and result["run_id"] == ""
    assert any(
        "another run may still change it. The API server refuses: leases." in warning for warning in result["warnings"]
    )


def test_endpoints_that_come_a_moment_later_are_waited_for(cluster):
    cluster.have(green=1)
    threading.Timer(0.1, lambda: cluster.have(green=2)).start()
    assert call(pool="green", weight=10)["changed"]


def test_a_release_that_ended_well_does_not_fail_for_its_lease(cluster, gateway, monkeypatch):
    run = call(mcp_release.run, state="begun", image_ref="r.io/mcp:v1.2.0", version="v1.2.0")["run_id"]
    call(pool="green", weight=100, run_id=run)

    def refuse(lease, run):
        raise Conflict("Conflict, modified by another client.")

    monkeypatch.setattr(mcp_release.leases.Lease, "release", refuse)
    result = call(mcp_release.run, state="ended", outcome="succeeded", run_id=run)
    assert result["record"]["outcome"] == "succeeded"
    assert "was not returned; it expires in 60 s. Conflict, modified by another client" in result["warnings"][0]


@pytest.mark.parametrize(
    ("writes", "status", "patience", "through"),
    [(4, False, 0, True), (5, False, 0, False), (12, False, 5, True), (12, True, 0, True)],
)
def test_a_route_that_others_keep_writing_is_tried_again(
    cluster, gateway, monkeypatch, writes, status, patience, through
):
    """An emergency does not end by their number. That controllers write its status is no conflict."""
    begin()
    cluster.have(green=2)
    call(pool="green", weight=100)
    monkeypatch.setattr(shift_module, "RETRY_PAUSE", 0.01)

    def meddle():
        if status:
            cluster.touch(ROUTE)
        else:
            cluster.change(ROUTE, {"spec": {"hostnames": [f"{len(cluster.log)}.example"]}})

    cluster.call(meddle, "PATCH", ROUTE, times=writes)
    if through:
        assert call(rollback=True, api_retry_timeout=patience)["after"] == {
            "blue": 100,
            "green": 0,
        } and cluster.weights == (100, 0)
    else:
        with pytest.raises(Conflict):
            call(rollback=True, api_retry_timeout=patience)


# Sessions


@pytest.fixture
def opened(monkeypatch):
    """Sessions that pools have open; a list is what each look finds, the last for good."""
    found = {"blue": [0], "green": [0]}

    def count(task, cluster, server, pool, seconds):
        if not task.params["sessions_metric"]:
            return None
        return found[pool].pop(0) if len(found[pool]) > 1 else found[pool][0]

    monkeypatch.setattr(open_sessions, "count", count)
    monkeypatch.setattr(protection, "POLL_INTERVAL", 0.01)
    return found


METRIC = {"name": "open", "port": 9090, "path": "/metrics"}
STATEFUL = {"session_mode": "stateful", "sessions_metric": METRIC}


def mark(cluster):
    """Two rules more: for blue's sessions and for green's, as an emergency leaves them."""
    rules = cluster.objects[ROUTE]["spec"]["rules"]
    for pool in ("blue", "green"):
        match = {"headers": [{"name": "Mcp-Session-Id", "type": "RegularExpression", "value": f"^{pool}-.*"}]}
        rules.append({"matches": [match], "backendRefs": copy.deepcopy(rules[0]["backendRefs"])})


def affinity_weights(cluster):
    return [
        tuple(backend["weight"] for backend in rule["backendRefs"])
        for rule in cluster.objects[ROUTE]["spec"]["rules"][1:]
    ]


OWN = [(100, 0), (0, 100)]


def test_sessions_that_no_mark_keeps_are_not_split_nor_left_unasked(cluster, opened):
    opened["blue"] = [12]
    for weight, says in (
        (10, "Refusing to shift traffic of prod/mcp: pool blue keeps sessions"),
        (100, "pool blue has 12 open sessions"),
    ):
        with pytest.raises(Failure, match=says) as caught:
            call(pool="green", weight=weight, **STATEFUL)
        assert cluster.written() == [] and caught.value.evidence["sessions"]["at_risk_before"] == 12
    opened["blue"] = [0]
    assert call(pool="green", weight=100, **STATEFUL)["sessions"] == {
        "mode": "stateful",
        "marked": False,
        "at_risk_before": 0,
        "at_risk_after": 0,
    }


def test_what_changes_nothing_asks_nothing(cluster, opened):
    result = call(pool="blue", weight=100, **{**STATEFUL, "session_mode": "auto"})
    assert not result["changed"] and result["warnings"] == ["The share was not measured because endpoint is not set."]
    assert not cluster.asked("GET", PODS)


def test_drain_waits_until_no_session_is_open(cluster, opened):
    opened["blue"] = [3, 3, None, 1, 0]
    lines = []
    params = {**DEFAULTS, **STATEFUL, "pool": "green", "weight": 100, "sessions": "drain"}
    result = single_shift.run(Task(params, progress=lines.append))
    assert (result["sessions"]["at_risk_before"], result["sessions"]["at_risk_after"]) == (
        3,
        0,
    ) and cluster.weights == (0, 100)
    assert [line.split(",")[0] for line in lines[:4]] == [
        "draining blue: 3 sessions open",
        "draining blue: an unknown number of sessions open",
        "draining blue: 1 session open",
        "draining blue: no open sessions",
    ]


def test_drain_has_an_end(cluster, opened):
    opened["blue"] = [3]
    result = call(pool="green", weight=100, sessions="drain", drain_timeout=0.1, **STATEFUL)
    assert (result["sessions"]["at_risk_before"], result["sessions"]["at_risk_after"]) == (
        3,
        3,
    ) and cluster.weights == (0, 100)
    assert "drain_timeout is over: 3 sessions of pool blue still open." in result["warnings"]


def test_drain_looks_again_before_it_switches(cluster, opened):
    """The other pool, and the route, may have changed meanwhile."""
    opened["blue"] = [1, 1]
    cluster.have(green=2)
    cluster.call(lambda: cluster.have(green=0), "GET", SLICES, after=True)
    with pytest.raises(Failure, match="has 0 of 2 ready endpoints"):
        call(pool="green", weight=100, sessions="drain", drain_timeout=0.05, **STATEFUL)
    assert cluster.weights == (100, 0)


def test_break_accepts_the_loss(cluster, opened):
    opened["blue"] = [5]
    result = call(pool="green", weight=100, sessions="break", **STATEFUL)
    assert result["sessions"] == {
        "mode": "stateful",
        "marked": False,
        "at_risk_before": 5,
        "at_risk_after": 5,
    } and cluster.weights == (0, 100)


def test_check_mode_refuses_too_and_waits_for_nothing(cluster, opened):
    opened["blue"] = [5]
    with pytest.raises(Failure, match="pool blue keeps sessions"):
        call(check_mode=True, pool="green", weight=10, force=True, **STATEFUL)
    assert call(check_mode=True, pool="green", weight=100, sessions="drain", **STATEFUL)[
        "changed"
    ] and cluster.weights == (100, 0)


@pytest.mark.parametrize("force, refused", [(True, False), (False, True)])
def test_a_plan_does_not_ask_what_the_release_will_replace(cluster, opened, monkeypatch, force, refused):
    modes = {"blue": protection.policy.Sessions("stateless"), "green": protection.policy.Sessions("stateful")}
    monkeypatch.setattr(protection.SessionProtection, "_sessions", lambda self, pool: modes[pool])
    if refused:
        with pytest.raises(Failure, match="pool green keeps sessions"):
            call(check_mode=True, pool="green", weight=10, force=force)
    else:
        assert call(check_mode=True, pool="green", weight=10, force=force)["changed"]


def test_no_weights_at_all_are_no_reason_to_write_pins_first(cluster, opened):
    cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"] = [
        {"name": "mcp-blue", "weight": 0},
        {"name": "mcp-green", "weight": 0},
    ]
    mark(cluster)
    call(pool="blue", weight=100)
    assert cluster.weights == (100, 0) and affinity_weights(cluster) == OWN and cluster.written() == [ROUTE]


def test_marked_sessions_stay_while_new_ones_follow(cluster, opened):
    mark(cluster)
    call(pool="green", weight=10, **STATEFUL)
    # First the pins, which nobody needs yet, and only then the weights
    assert cluster.weights == (90, 10) and affinity_weights(cluster) == OWN and cluster.written() == [ROUTE, ROUTE]
    result = call(pool="green", weight=100, **STATEFUL)
    assert cluster.weights == (0, 100) and affinity_weights(cluster) == OWN and cluster.written() == [ROUTE] * 3
    assert result["sessions"] == {"mode": "stateful", "marked": True, "at_risk_before": 0, "at_risk_after": 0}
    cluster.log.clear()
    assert not call(pool="green", weight=100, **STATEFUL)["changed"] and cluster.written() == []


@pytest.mark.parametrize(
    "ready, sessions, expected",
    [(2, "keep", OWN), (2, "drain", OWN), (0, "keep", [(0, 100)] * 2), (2, "break", [(0, 100)] * 2)],
)
def test_where_marked_sessions_go_when_their_pool_has_no_weight(cluster, opened, ready, sessions, expected):
    """A pool without pods would answer nothing, and the gateway 503."""
    mark(cluster)
    cluster.have(blue=ready)
    call(pool="green", weight=100, sessions=sessions, **STATEFUL)
    assert cluster.weights == (0, 100) and affinity_weights(cluster) == expected


def test_an_emergency_breaks_the_pins_and_reports(cluster, gateway, opened):
    mark(cluster)
    begin()
    call(pool="green", weight=50, **STATEFUL)
    assert affinity_weights(cluster) == OWN
    opened["green"] = [7]
    result = call(rollback=True, endpoint={"url": "x"}, sessions_metric=METRIC)
    assert cluster.weights == (100, 0) and affinity_weights(cluster) == [(100, 0)] * 2
    assert result["sessions"] == {"mode": None, "marked": True, "at_risk_before": None, "at_risk_after": 7}
    cluster.log.clear()
    assert not call(rollback=True, endpoint={"url": "x"})["changed"] and cluster.written() == []


def test_an_emergency_breaks_pins_also_where_the_weights_are_right(cluster):
    mark(cluster)
    begin()
    call(pool="green", weight=50)
    call(pool="blue", weight=100)
    assert affinity_weights(cluster) == OWN
    assert call(rollback=True)["changed"] and affinity_weights(cluster) == [(100, 0)] * 2


@pytest.mark.parametrize("weight, let, expected", [(0, True, [(100, 0)] * 2), (50, False, OWN)])
def test_a_pool_that_goes_lets_go_of_its_sessions(cluster, weight, let, expected):
    mark(cluster)
    call(pool="green", weight=50)
    call(pool="green", weight=weight)
    assert drop(cluster, single_shift.Server.from_params(PARAMS), "green", dry_run=False) is let
    assert affinity_weights(cluster) == expected and cluster.weights == (100 - weight, weight)
    assert not drop(cluster, single_shift.Server.from_params(PARAMS), "green", dry_run=False)


def test_a_run_that_was_taken_over_lets_go_of_no_sessions(cluster):
    mark(cluster)
    call(pool="green", weight=50)
    call(pool="green", weight=0)
    begin()
    with pytest.raises(LeaseLost):
        drop(cluster, single_shift.Server.from_params(PARAMS), "green", "another", dry_run=False)
    assert affinity_weights(cluster) == OWN


def test_nobody_s_sessions_are_let_go_of(cluster):
    assert not drop(cluster, single_shift.Server.from_params(PARAMS), "green", dry_run=False)
    del cluster.objects[ROUTE]
    assert not drop(cluster, single_shift.Server.from_params(PARAMS), "green", dry_run=False)


def pod(name, ready=True):
    labels = {"app": "mcp", "pool": "blue"}
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


@pytest.mark.parametrize(
    "found, pods, mode, warns",
    [
        ({"healthy": True, "session_mode": "stateless", "session_mark": None}, [pod("a")], "stateless", ""),
        (
            {"healthy": True, "session_mode": "stateful", "session_mark": "blue"},
            [pod("a", False), pod("b")],
            "stateful",
            "",
        ),
        (
            {"healthy": False, "session_mode": "modern", "session_mark": None, "target": "pod a", "reason": "is cut"},
            [pod("a")],
            None,
            "pod a: is cut.",
        ),
        (None, [pod("a", False)], None, ""),
    ],
)
def test_a_pod_tells_the_mode(cluster, opened, monkeypatch, found, pods, mode, warns):
    mark(cluster)
    for one in pods:
        cluster.put(f"{PODS}/{one['metadata']['name']}", one)
    monkeypatch.setattr(pool_probe, "probe", lambda pod, settings: found)
    if warns:
        with pytest.raises(
            Failure, match=f"it is not known whether pool blue keeps sessions, .*{warns} Set session_mode"
        ):
            call(pool="green", weight=100, session_mode="auto")
    result = call(pool="green", weight=100, session_mode="auto", sessions="break" if warns else "keep")
    assert result["sessions"]["mode"] == mode and cluster.weights == (0, 100)
    assert (
        any(warns in warning for warning in result["warnings"])
        if warns
        else not any("session_mode" in warning for warning in result["warnings"])
    )
