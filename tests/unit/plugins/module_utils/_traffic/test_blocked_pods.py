# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mcp_rollout with a StatefulSet, against a controller that does one thing at each look, as the real one does."""

from __future__ import annotations

import math
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_rollout
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import blocked_pods
from ansible_collections.mcp.server.plugins.module_utils._workload import rollout, stateful_sets
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, Object

GOOD, NEXT, BAD = "r.io/mcp:v1", "r.io/mcp:v2", "r.io/mcp:bad"
LABELS = {"app": "mcp", "pool": "green"}
APPS = "/apis/apps/v1/namespaces/prod"
SET, PODS = f"{APPS}/statefulsets/mcp-green", "/api/v1/namespaces/prod/pods"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
OWNED = [{"uid": "set", "controller": True}]
CRASHES = {"name": "mcp", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3}


def revision(image: str) -> str:
    return f"mcp-green-{image.rpartition(':')[2]}"


class Cluster(ApiServer):
    """A StatefulSet, whose pods of the image BAD never get ready."""

    def __init__(self, image: str = GOOD, replicas: int = 3, weight: int = 0, **spec: t.Any) -> None:
        template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "mcp", "image": image}]}}
        selected = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
        super().__init__(
            {SET: {"kind": "StatefulSet", "metadata": {"name": "mcp-green", "uid": "set"}, "spec": selected | spec}}
        )
        shares = {"blue": 100 - weight, "green": weight}
        backends = [{"name": f"mcp-{pool}", "weight": share} for pool, share in shares.items()]
        self.put(ROUTE, {"spec": {"rules": [{"backendRefs": backends}]}})
        for _each in range(replicas + 1):
            self.control()
        self.call(self.control, "GET", SET, times=math.inf)
        self.sizes: list[int] = []
        self.controllers.append(lambda path: self.sizes.append(self.size) if path == SET else None)

    @property
    def size(self) -> int:
        return int(self.objects[SET]["spec"]["replicas"])

    @property
    def image(self) -> str:
        return str(self.objects[SET]["spec"]["template"]["spec"]["containers"][0]["image"])

    def pods(self) -> dict[int, Object]:
        found = {path: pod for path, pod in self.objects.items() if path.startswith(f"{PODS}/")}
        return {int(path.rpartition("-")[2]): pod for path, pod in sorted(found.items())}

    def control(self) -> None:
        self._act()
        new = [pod for pod in self.pods().values() if pod["metadata"]["labels"][stateful_sets.REVISION] == self._newest]
        ready = sum(pod["status"]["conditions"][0]["status"] == "True" for pod in self.pods().values())
        counts = {"replicas": len(self.pods()), "updatedReplicas": len(new), "availableReplicas": ready}
        generation = self.objects[SET]["metadata"]["generation"]
        known = {"observedGeneration": generation, "updateRevision": self._newest}
        self.change(f"{SET}/status", {"status": {**known, **counts}})

    @property
    def _newest(self) -> str:
        return revision(self.image)

    def _act(self) -> None:
        pods = self.pods()
        ordered = self.objects[SET]["spec"].get("podManagementPolicy") != "Parallel"
        for number in range(self.size):
            if number not in pods:
                return self._make(number)
            if ordered and pods[number]["status"]["conditions"][0]["status"] != "True":
                return None  # it waits, whatever the template says
        if too_many := [number for number in pods if number >= self.size]:
            first = next((number for number in pods if not self._is_ready(number)), None)
            if not ordered or self._is_ready(max(too_many)) or max(too_many) == first:
                del self.objects[f"{PODS}/mcp-green-{max(too_many)}"]
            return None
        for number in sorted(pods, reverse=True):
            if pods[number]["metadata"]["labels"][stateful_sets.REVISION] != self._newest:
                del self.objects[f"{PODS}/mcp-green-{number}"]
                return None
        return None

    def _is_ready(self, number: int) -> bool:
        return bool(self.pods()[number]["status"]["conditions"][0]["status"] == "True")

    def _make(self, number: int) -> None:
        name, bad = f"mcp-green-{number}", self.image == BAD
        labels = {**LABELS, stateful_sets.REVISION: self._newest}
        status = {
            "conditions": [{"type": "Ready", "status": str(not bad)}],
            "containerStatuses": [CRASHES] if bad else [],
        }
        metadata = {"name": name, "labels": labels, "ownerReferences": OWNED}
        self.put(f"{PODS}/{name}", {"metadata": metadata, "spec": {"containers": [{"name": "mcp"}]}, "status": status})

    def revisions(self, *images: str) -> Cluster:
        for number, image in enumerate(images, 1):
            data = {"spec": {"template": {"spec": {"containers": [{"name": "mcp", "image": image}]}}}}
            metadata = {"labels": LABELS, "ownerReferences": OWNED}
            path = f"{APPS}/controllerrevisions/{revision(image)}"
            self.put(path, {"metadata": metadata, "data": data, "revision": number})
        return self


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "POLL", 0.001)
    monkeypatch.setattr(blocked_pods, "POLL", 0.001)


def run(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, **params: t.Any) -> dict[str, t.Any]:
    defaults = {name: option.get("default") for name, option in mcp_rollout.SPEC.options.items()}
    server = {"namespace": "prod", "server": "mcp", "green": {"stateful_set": "mcp-green"}, "wait_timeout": 60.0}
    monkeypatch.setattr(mcp_rollout, "connect", lambda _params: cluster)
    return mcp_rollout.run(Task({**defaults, **server, "pool": "green", **params}, progress=lambda _line: None))


def test_a_rollout_of_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster().revisions(GOOD, NEXT)
    result = run(monkeypatch, cluster, image_ref=NEXT, replicas=2)
    assert (result["ready"], result["revision"], result["workload"]) == (2, "2", "StatefulSet prod/mcp-green")
    assert [pod["metadata"]["labels"][stateful_sets.REVISION] for pod in cluster.pods().values()] == [
        revision(NEXT)
    ] * 2
    assert not cluster.asked("GET", f"{APPS}/replicasets") and not cluster.asked("GET", f"{APPS}/deployments")


def test_a_rollout_without_the_right_to_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster().revisions(GOOD)
    cluster.refused.add("list controllerrevisions")
    assert run(monkeypatch, cluster, replicas=2)["revision"] == ""


@pytest.mark.parametrize("weight", [0, 100])
@pytest.mark.parametrize("back", [GOOD, NEXT])
def test_the_way_on_from_a_pod_that_never_gets_ready(monkeypatch: pytest.MonkeyPatch, back: str, weight: int) -> None:
    """Only that pod is lost, so that a pool with traffic may, too."""
    cluster = Cluster(weight=weight)
    with pytest.raises(Failure, match="StatefulSet prod/mcp-green will not become ready: pod mcp-green-2: .*restarted"):
        run(monkeypatch, cluster, image_ref=BAD)
    before = {number: pod["metadata"]["resourceVersion"] for number, pod in cluster.pods().items()}
    cluster.sizes.clear()
    assert run(monkeypatch, cluster, image_ref=back)["ready"] == 3
    assert 2 in cluster.sizes and min(cluster.sizes) == 2 and cluster.size == 3
    after = {number: pod["metadata"]["resourceVersion"] for number, pod in cluster.pods().items()}
    assert after[2] != before[2] and (after[0] == before[0]) is (back == GOOD)


def test_the_first_pod_of_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(replicas=0)
    with pytest.raises(Failure, match="pod mcp-green-0"):
        run(monkeypatch, cluster, image_ref=BAD, replicas=3)
    assert run(monkeypatch, cluster, image_ref=GOOD, replicas=3)["ready"] == 3
    assert 0 in cluster.sizes


def test_a_parallel_set_needs_no_help(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(podManagementPolicy="Parallel")
    with pytest.raises(Failure, match="pod mcp-green-2"):
        run(monkeypatch, cluster, image_ref=BAD)
    cluster.sizes.clear()
    assert run(monkeypatch, cluster, image_ref=GOOD)["ready"] == 3 and set(cluster.sizes) == {3}


def unready(cluster: Cluster, number: int) -> None:
    path = f"{PODS}/mcp-green-{number}"
    cluster.change(f"{path}/status", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}})


@pytest.mark.parametrize(("weight", "kept"), [(0, False), (1, True)])
def test_ready_pods_that_have_traffic_are_kept(monkeypatch: pytest.MonkeyPatch, weight: int, kept: bool) -> None:
    cluster = Cluster(weight=weight)
    unready(cluster, 0)
    if kept:
        with pytest.raises(Failure, match=r"not complete.*pod mcp-green-0: is not ready; it is of a former revision"):
            run(monkeypatch, cluster, image_ref=NEXT, wait_timeout=0.5)
        assert set(cluster.sizes) == {3}
    else:
        assert run(monkeypatch, cluster, image_ref=NEXT)["ready"] == 3


def test_of_several_pods_that_are_not_ready_the_controller_removes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    unready(cluster, 1)
    unready(cluster, 2)
    with pytest.raises(Failure, match=r"pod mcp-green-1: is not ready; it is of a former revision"):
        run(monkeypatch, cluster, image_ref=NEXT, wait_timeout=0.5)
    assert set(cluster.sizes) == {3}


def test_an_autoscaler_that_makes_the_set_larger_meanwhile_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    with pytest.raises(Failure, match="pod mcp-green-2"):
        run(monkeypatch, cluster, image_ref=BAD)
    monkeypatch.setattr(cluster, "_act", lambda: None)  # the controller is slower
    cluster.controllers.append(lambda path: cluster.size == 2 and cluster.change(SET, {"spec": {"replicas": 4}}))
    with pytest.raises(Failure, match="kubectl delete pod mcp-green-2") as failure:
        run(monkeypatch, cluster, image_ref=GOOD)
    assert failure.value.evidence["seconds"] < 30 and cluster.size == 3


def test_volumes_are_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(
        volumeClaimTemplates=[{"metadata": {"name": "data"}}],
        persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"},
    )
    with pytest.raises(Failure, match="pod mcp-green-2"):
        run(monkeypatch, cluster, image_ref=BAD)
    cluster.sizes.clear()
    with pytest.raises(Failure, match=r"of a former revision.*kubectl delete pod mcp-green-2\)\.$"):
        run(monkeypatch, cluster, image_ref=GOOD)
    assert set(cluster.sizes) == {3}


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ({"type": "OnDelete"}, "updateStrategy is OnDelete, which replaces no pod; set updateStrategy.type to"),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}, "has partition 1, which keeps the pods below"),
    ],
)
def test_a_set_that_keeps_its_pods_is_refused(monkeypatch: pytest.MonkeyPatch, strategy: Object, says: str) -> None:
    cluster = Cluster(updateStrategy=strategy)
    with pytest.raises(Failure, match=f"Refusing to change the image of StatefulSet prod/mcp-green: its .*{says}"):
        run(monkeypatch, cluster, image_ref=NEXT)
    assert not cluster.writes(SET)
    assert run(monkeypatch, cluster, image_ref=GOOD, replicas=2)["ready"] == 2
