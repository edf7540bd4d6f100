# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import math
import time
from datetime import timedelta

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unanswered
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_rollout
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._workload import convergence, rollout
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

OLD, NEW = "ghcr.io/org/mcp-server:v1.1.5", "ghcr.io/org/mcp-server:v1.2.0"
PARAMS = {
    "namespace": "mcp-prod",
    "server": "mcp-server",
    "pool_name_format": "{server}-{pool}",
    "route": None,
    "container": None,
    "run_id": None,
    "pool": "green",
    "image_ref": None,
    "replicas": None,
    "wait_timeout": 5.0,
    "ready_grace": 30.0,
    "keep_logs": False,
}
STUCK = {"name": "mcp-server", "state": {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}}}


LABELS = {"app": "mcp-server", "pool": "green"}
PODS = "/api/v1/namespaces/mcp-prod/pods"
RECORD = "/api/v1/namespaces/mcp-prod/configmaps/mcp-server-release"
DEPLOYMENT = "/apis/apps/v1/namespaces/mcp-prod/deployments/mcp-server-green"
REPLICASET = "/apis/apps/v1/namespaces/mcp-prod/replicasets/rs"
SLICE = "/apis/discovery.k8s.io/v1/namespaces/mcp-prod/endpointslices/green"
SCALERS = "/apis/autoscaling/v2/namespaces/mcp-prod/horizontalpodautoscalers"
BUDGET = "/apis/policy/v1/namespaces/mcp-prod/poddisruptionbudgets/pdb"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/mcp-prod/httproutes/mcp-server"


def owned(name, by):
    annotations = {"deployment.kubernetes.io/revision": "2"}
    return {
        "name": name,
        "uid": name,
        "labels": LABELS,
        "annotations": annotations,
        "ownerReferences": [{"uid": by, "controller": True}],
    }


class Cluster(ApiServer):
    """One pool; once it was changed, its pods get ready one at each look, or never (stuck)."""

    def __init__(self, image=OLD, replicas=0, stuck=False):
        template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "mcp-server", "image": image}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
        super().__init__(
            {
                DEPLOYMENT: {"metadata": owned("deployment", ""), "spec": spec},
                REPLICASET: {"metadata": owned("rs", "deployment")},
            }
        )
        self.stuck = stuck
        self.have(replicas)
        self.route(0)
        self.refused.add("list events")
        self.call(self.look, "GET", DEPLOYMENT, times=math.inf)

    @property
    def size(self):
        return self.objects[DEPLOYMENT]["spec"]["replicas"]

    @property
    def patches(self):
        return [(request.body, request.dry_run) for request in self.log if request.matches("PATCH", DEPLOYMENT)]

    def look(self):
        if self.writes(DEPLOYMENT):
            ready = self.objects[DEPLOYMENT]["status"]["availableReplicas"]
            self.have(ready if self.stuck else min(ready + 1, self.size))

    def have(self, ready):
        """So many of its pods are ready."""
        for path in [path for path in self.objects if path.startswith(PODS)]:
            del self.objects[path]
        for number in range(self.size):
            condition = {"type": "Ready", "status": "True" if number < ready else "False"}
            status = {"conditions": [condition], "containerStatuses": [STUCK] if self.stuck else []}
            metadata = owned(f"pod-{number}", "rs")
            self.put(
                f"{PODS}/pod-{number}",
                {"metadata": metadata, "spec": {"containers": [{"name": "mcp-server"}]}, "status": status},
            )
        endpoints = [{"addresses": [str(number)]} for number in range(ready)]
        self.put(
            SLICE, {"metadata": {"labels": {"kubernetes.io/service-name": "mcp-server-green"}}, "endpoints": endpoints}
        )
        counts = {"replicas": self.size, "updatedReplicas": self.size, "availableReplicas": ready}
        generation = self.objects[DEPLOYMENT]["metadata"]["generation"]
        self.change(f"{DEPLOYMENT}/status", {"status": {"observedGeneration": generation, **counts}})

    def route(self, green):
        backends = [
            {"name": f"mcp-server-{pool}", "weight": weight}
            for pool, weight in (("blue", 100 - green), ("green", green))
        ]
        self.put(ROUTE, {"spec": {"rules": [{"backendRefs": backends}]}})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(rollout, "POLL", 0.001)


def run(monkeypatch, cluster, check_mode=False, **params):
    monkeypatch.setattr(mcp_rollout, "connect", lambda _params: cluster)
    lines = []
    return lines, lambda: mcp_rollout.run(Task({**PARAMS, **params}, check_mode, progress=lines.append))


def test_changes_and_waits(monkeypatch):
    cluster = Cluster()
    lines, go = run(monkeypatch, cluster, image_ref=NEW, replicas=3)
    result = go()
    assert result.pop("seconds") >= 0
    assert result == {
        "changed": True,
        "workload": "Deployment mcp-prod/mcp-server-green",
        "previous": {"image_ref": OLD, "replicas": 0},
        "image_ref": NEW,
        "replicas": 3,
        "autoscaler": None,
        "diff": {"before": {"image_ref": OLD, "replicas": 0}, "after": {"image_ref": NEW, "replicas": 3}},
        "kept_logs": None,
        "ready": 3,
        "revision": "2",
    }
    assert cluster.patches == [
        (
            {
                "metadata": {"annotations": {"kubernetes.io/change-cause": f"mcp.server.mcp_rollout: {NEW}"}},
                "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "mcp-server", "image": NEW}]}}},
            },
            False,
        )
    ]
    assert lines == ["green: 1 of 3 pods ready, 0:00 of 0:05", "green: 2 of 3 pods ready, 0:00 of 0:05"]
    # The pods are too young for a problem
    assert not cluster.asked("GET", "/events")


FLUX = {
    "labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"},
    "managedFields": [
        {
            "manager": "kustomize-controller",
            "operation": "Apply",
            "time": "2026-11-26T19:06:52Z",
            "fieldsV1": {
                "f:spec": {
                    "f:replicas": {},
                    "f:template": {"f:spec": {"f:containers": {'k:{"name":"mcp-server"}': {"f:image": {}}}}},
                }
            },
        }
    ],
}


class PutBack(Cluster):
    """Somebody changes this of the Deployment as soon as we wrote to it."""

    def __init__(self, image=NEW, replicas=None, **more):
        super().__init__(**more)
        self.there = image, replicas

    def look(self):
        if self.writes(DEPLOYMENT):
            image, replicas = self.there
            spec = {"template": {"spec": {"containers": [{"name": "mcp-server", "image": image}]}}}
            self.change(
                DEPLOYMENT, {"metadata": FLUX, "spec": spec | ({} if replicas is None else {"replicas": replicas})}
            )
        super().look()


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ({"image": OLD}, f"green runs {OLD} now, not {NEW} .*reverted spec.template.spec.containers.0..image"),
        ({"replicas": 0}, "green has 0 replicas now, not 2 .*reverted spec.replicas"),
    ],
)
def test_what_is_put_back_meanwhile_is_no_rollout(monkeypatch, there, says):
    """Its pods get ready, and there are as many as the Deployment asks for then."""
    with pytest.raises(Failure, match=says) as failure:
        run(monkeypatch, PutBack(**there), image_ref=NEW, replicas=2)[1]()
    assert "Flux (kustomize-controller, 19:06:52 UTC)" in failure.value.msg
    assert "flux suspend kustomization apps -n flux-system" in failure.value.msg
    assert failure.value.evidence["overwritten"]["by"] == "Flux" and failure.value.evidence["changed"]


@pytest.mark.parametrize("there", [{"image": f"mirror.example/mcp-server@sha256:{'0' * 64}"}, {"replicas": 3}])
def test_an_admission_webhook_and_more_pods_put_nothing_back(monkeypatch, there):
    assert run(monkeypatch, PutBack(**there), image_ref=NEW, replicas=2)[1]()["ready"] >= 2


def test_what_was_not_asked_for_is_for_others_to_change(monkeypatch):
    assert run(monkeypatch, PutBack(image="ghcr.io/org/mcp-server:v1.3.0"), replicas=2)[1]()["ready"] == 2


@pytest.mark.parametrize(
    ("outage_ago", "replicas", "waits"), [(0.0, 2, True), (2.0, 2, False), (math.inf, 2, False), (0.0, 0, False)]
)
def test_pods_that_got_ready_while_the_api_server_was_away(monkeypatch, outage_ago, replicas, waits):
    monkeypatch.setattr(convergence, "PAUSES", 0.3)
    monkeypatch.setattr(convergence, "TRIES", 0.9)
    cluster = Cluster(NEW, 1 if replicas else 0)
    start = time.monotonic()
    with outage.waiting(outage.Waiting(back_at=start - outage_ago)):
        lines, go = run(monkeypatch, cluster, replicas=replicas)
        go()
    assert (time.monotonic() - start >= 0.3) is waits
    assert any("after the outage of the API server" in line for line in lines) is waits
    assert bool(cluster.asked("GET", "/endpointslices")) is waits


def test_second_run_changes_nothing(monkeypatch):
    cluster = Cluster(NEW, 2)
    result = run(monkeypatch, cluster, image_ref=NEW, replicas=2)[1]()
    assert (result["changed"], cluster.patches) == (False, [])


def test_check_mode_asks_and_does_not_wait(monkeypatch):
    cluster = Cluster(stuck=True)
    result = run(monkeypatch, cluster, check_mode=True, replicas=2)[1]()
    assert result["changed"]
    assert cluster.patches == [({"spec": {"replicas": 2}}, True)]


def test_fails_at_once_with_the_reason(monkeypatch):
    with pytest.raises(
        Failure, match="mcp-prod/mcp-server-green will not become ready: pod pod-0: .*not found.*check the image's name"
    ) as failure:
        run(monkeypatch, Cluster(stuck=True), image_ref=NEW, replicas=1)[1]()
    evidence = failure.value.evidence
    assert (evidence["reason"], evidence["changed"], evidence["previous"]["image_ref"]) == ("ErrImagePull", True, OLD)
    assert evidence["seconds"] < 1


@pytest.mark.parametrize(
    ("ahead", "seconds", "bad"), [(-600, 10, False), (-600, 31, True), (600, 10, False), (600, 31, True)]
)
def test_a_pods_age_is_by_the_api_servers_clock(monkeypatch, ahead, seconds, bad):
    cluster = Cluster(replicas=1)
    cluster.have(0)
    cluster.ahead = ahead
    started = (cluster.now() - timedelta(seconds=seconds)).isoformat()
    running = {"name": "mcp-server", "started": True, "state": {"running": {"startedAt": started}}}
    cluster.change(f"{PODS}/pod-0/status", {"status": {"containerStatuses": [running]}})
    with pytest.raises(
        Failure,
        match="has run for 31 s and is not ready" if bad else "not complete after 0.05 s: green: 0 of 1 pods ready",
    ):
        run(monkeypatch, cluster, replicas=1, wait_timeout=0.05)[1]()


def test_time_out(monkeypatch):
    cluster = Cluster(replicas=2)
    cluster.have(1)  # and no more, as nothing is patched
    with pytest.raises(
        Failure,
        match=r"not complete after 0.05 s: green: 1 of 2 pods ready\. Check its events, or raise wait_timeout\.$",
    ) as failure:
        run(monkeypatch, cluster, replicas=2, wait_timeout=0.05)[1]()
    assert failure.value.evidence["changed"] is False


@pytest.mark.parametrize("stored", [True, False])
def test_a_change_whose_answer_was_lost_is_made_once(monkeypatch, stored):
    cluster = Cluster(replicas=1)
    cluster.fail(Unanswered("The API server x does not answer."), "PATCH", after=stored)
    assert run(monkeypatch, cluster, replicas=2)[1]()["changed"]
    assert cluster.size == 2 and len(cluster.patches) == 2


@pytest.mark.parametrize(("heartbeat", "again"), [(0.0, True), (math.inf, False)])
def test_still_alive_is_shown(monkeypatch, heartbeat, again):
    """A state that does not change is shown again once the heartbeat is over, and not before."""
    monkeypatch.setattr(rollout, "HEARTBEAT", heartbeat)
    cluster = Cluster(replicas=2)
    cluster.have(1)  # and no more, as nothing is patched
    lines, go = run(monkeypatch, cluster, replicas=2, wait_timeout=0.05)
    with pytest.raises(Failure, match="not complete after 0.05 s"):
        go()
    states = [line.rpartition(", ")[0] for line in lines]
    assert len(set(states)) == 1 and (len(states) > 1) is again


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_ref": "Not An Image"}, "not an image reference"),
        ({"container": "app", "replicas": 1}, "has the containers mcp-server and no app"),
    ],
)
def test_bad_input(monkeypatch, options, message):
    cluster = Cluster()
    with pytest.raises(Failure, match=message):
        run(monkeypatch, cluster, **options)[1]()
    assert cluster.patches == []


def scaler(target):
    spec = {"minReplicas": 2, "maxReplicas": 6, "scaleTargetRef": {"kind": "Deployment", "name": target}}
    return {"metadata": {"resourceVersion": "7"}, "spec": spec}


def test_an_autoscaler_is_raised_before_the_pool_and_keeps_what_it_had(monkeypatch):
    cluster = Cluster(replicas=0)
    for name in ("mcp-server-green", "mcp-server-blue", "another"):
        cluster.put(f"{SCALERS}/{name}", scaler(name))
    result = run(monkeypatch, cluster, replicas=4)[1]()
    first, then = cluster.writes()
    body = first.body
    assert (first.path, then.path) == (f"{SCALERS}/mcp-server-green", DEPLOYMENT)
    assert body["spec"] == {"minReplicas": 4} and body["metadata"]["resourceVersion"] == "7"
    assert json.loads(body["metadata"]["annotations"]["mcp.server/min-replicas"]) == {"former": 2, "raised": 4}
    assert (result["replicas"], result["autoscaler"]) == (
        4,
        {"name": "mcp-server-green", "min_replicas": 4, "original_min_replicas": 2},
    )


def test_what_an_autoscaler_chose_is_not_fought(monkeypatch):
    cluster = Cluster(replicas=5)
    cluster.put(f"{SCALERS}/scaler", scaler("mcp-server-green"))
    lines, go = run(monkeypatch, cluster, replicas=2)
    result = go()
    assert (result["changed"], result["replicas"], cluster.writes()) == (False, 5, [])
    assert "sizes pool green: 5 pods (2 requested)" in lines[0]


def test_no_right_to_list_autoscalers_and_budgets_is_said(monkeypatch):
    cluster = Cluster(replicas=2)
    cluster.refused |= {"list horizontalpodautoscalers", "list poddisruptionbudgets"}
    monkeypatch.setattr(mcp_rollout, "connect", lambda params: cluster)
    monkeypatch.setattr(rollout, "POLL", 0.0)
    warnings = []
    assert mcp_rollout.run(Task({**PARAMS, "replicas": 1}, warn=warnings.append))["changed"]
    assert ["HorizontalPodAutoscaler" in warnings[0], "PodDisruptionBudget" in warnings[1]] == [True, True]


@pytest.mark.parametrize(
    ("weight", "wanted", "refused"),
    [(100, 1, True), (10, 1, True), (0, 1, False), (100, 2, False), (100, 0, True), (0, 0, False)],
)
def test_a_pool_with_traffic_keeps_what_its_budget_asks_for(monkeypatch, weight, wanted, refused):
    cluster = Cluster(replicas=3)
    cluster.route(weight)
    cluster.put(BUDGET, {"spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "mcp-server"}}}})
    go = run(monkeypatch, cluster, check_mode=True, replicas=wanted)[1]
    if refused:
        with pytest.raises(Failure, match=f"has {weight} % of the traffic, and PodDisruptionBudget pdb requires 2"):
            go()
        assert cluster.patches == []
    else:
        assert go()["changed"]


def test_how_long_the_release_took_is_recorded(monkeypatch):
    cluster = Cluster(OLD, 0)
    target = {"pool": "green", "image_ref": NEW}
    release = {"id": "1", "reason": "", "outcome": "running", "steps": [], "from": {"pool": "blue"}, "to": target}
    cluster.put(RECORD, {"data": {"current": json.dumps(release)}})
    result = run(monkeypatch, cluster, image_ref=NEW, replicas=1)[1]()
    assert json.loads(cluster.objects[RECORD]["data"]["current"])["to"]["rollout_seconds"] == result["seconds"]


@pytest.mark.parametrize(("ready", "enough", "says"), [(2, 1, ""), (1, 2, ""), (0, 1, "not found")])
def test_a_wait_for_a_part_of_the_pods(ready, enough, says):
    """So many will do, and fewer when no more can come."""
    stuck = rollout.State(wanted=3, ready=ready, reason="ErrImagePull", failed="not found; check it")

    class View:
        title, label = "Deployment prod/green", "green"

        def state(self):
            return stuck

    if says:
        with pytest.raises(Failure, match=says):
            rollout.wait(View(), Deadline(5), print, enough)
    else:
        assert rollout.wait(View(), Deadline(5), print, enough) is stuck


@pytest.mark.parametrize(
    ("weight", "wanted", "refused"),
    [(100, 1, True), (1, 0, True), (1, 3, False), (0, 1, False), (0, 0, False), (None, 0, False)],
)
def test_a_pool_gets_no_fewer_pods_while_the_route_gives_it_traffic(monkeypatch, weight, wanted, refused):
    cluster = Cluster(replicas=2)
    cluster.put(
        f"{SCALERS}/scaler",
        {**scaler("mcp-server-green"), "spec": {**scaler("mcp-server-green")["spec"], "minReplicas": 1}},
    )
    if wanted:
        del cluster.objects[f"{SCALERS}/scaler"]
    if weight is None:
        del cluster.objects[ROUTE]
    else:
        cluster.route(weight)
    go = run(monkeypatch, cluster, replicas=wanted)[1]
    if refused:
        with pytest.raises(
            Failure,
            match="Refusing to scale pool green of mcp-prod/mcp-server "
            f"from 2 to {wanted} pods: the route gives it {weight} %",
        ):
            go()
        assert cluster.size == 2 and cluster.writes() == []
    else:
        assert go()["changed"] and cluster.size == wanted


def test_a_pool_whose_share_can_not_be_read_gets_no_fewer_pods(monkeypatch):
    cluster = Cluster(replicas=2)
    cluster.refused.add("get httproutes")
    with pytest.raises(Failure, match="httproutes"):
        run(monkeypatch, cluster, replicas=0)[1]()
    assert cluster.size == 2


def test_a_pool_that_gets_traffic_while_it_is_scaled_down_gets_its_pods_back(monkeypatch):
    cluster = Cluster(replicas=2)
    cluster.call(lambda: cluster.route(100), "PATCH", DEPLOYMENT, after=True)
    with pytest.raises(
        Failure, match="was scaled to 0 pods and back to 2: another client gave it 100 % of the traffic in between"
    ):
        run(monkeypatch, cluster, replicas=0)[1]()
    assert cluster.size == 2 and [body["spec"] for body, _dry in cluster.patches] == [{"replicas": 0}, {"replicas": 2}]


def test_a_pool_that_gets_traffic_while_its_pods_leave_gets_them_back(monkeypatch):
    cluster = Cluster(replicas=2)
    cluster.call(
        lambda: cluster.route(10) if len(cluster.asked("GET", "/replicasets")) == 1 else None,
        "GET",
        "/replicasets",
        times=math.inf,
    )
    with pytest.raises(Failure, match="was scaled to 0 pods and back to 2: another client gave it 10 %"):
        run(monkeypatch, cluster, replicas=0)[1]()
    assert cluster.size == 2
