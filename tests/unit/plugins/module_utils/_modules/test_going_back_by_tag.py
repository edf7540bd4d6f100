# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollbacks to a pool at 0 whose image the registry no longer has by its digest, on the fake API server over HTTP."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release, mcp_rollback, mcp_traffic_shift
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls
from ansible_collections.mcp.server.plugins.module_utils._modules.ending import Ending
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._workload import rollout
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, Object, StatusError
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._modules.test_going_back import (
    DEPLOYMENT,
    ROUTE,
    Cluster,
)

DIGEST = f"sha256:{'a' * 64}"
TAG = "r.io/x:v1"
BY_DIGEST = f"{TAG}@{DIGEST}"
BLUE = f"{DEPLOYMENT}blue"
CONTAINERD = "failed to pull and unpack image: failed to resolve reference: not found"
CRI_O = "reading manifest: manifest unknown"


class Registry(Controllers):
    """Pods of these images are not ready: they can't be pulled."""

    def __init__(self, api: ApiServer) -> None:
        self.gone: set[str] = set()
        self.waiting = {"reason": "ErrImagePull", "message": CONTAINERD}
        super().__init__(api)

    def roll_out(self, path: str, deployment: Object) -> None:
        super().roll_out(path, deployment)
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            if container["image"] in self.gone:
                self.break_pods(path, deployment, container["name"])

    def break_pods(self, path: str, deployment: Object, container: str) -> None:
        namespace, labels = deployment["metadata"]["namespace"], deployment["spec"]["template"]["metadata"]["labels"]
        for pod in self.found(f"/api/v1/namespaces/{namespace}/pods", labels):
            pod["metadata"]["uid"] = pod["metadata"]["name"]
            pod["status"] = {
                "conditions": [{"type": "Ready", "status": "False"}],
                "containerStatuses": [{"name": container, "ready": False, "state": {"waiting": self.waiting}}],
            }
        slice_ = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/{path.rpartition('/')[2]}-1"
        self.api.objects[slice_]["endpoints"] = []
        status = self.api.objects[path]["status"]
        status |= {"readyReplicas": 0, "availableReplicas": 0}
        status["conditions"] = [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]

    def change_pod(self, status: Object, *, ready: bool = False) -> None:
        """Change the status of the container of one of blue's pods."""
        pod = self.found("/api/v1/namespaces/ns/pods", {"pool": "blue"})[0]
        pod["status"]["containerStatuses"][0] |= status
        if ready:
            pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
            endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}}
            slice_ = "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices/x-blue-1"
            self.api.objects[slice_]["endpoints"] = [endpoint]


class Emergency(Cluster):
    """Green has all the traffic; blue is at 0, and the registry no longer has its image by the digest."""

    def __init__(self, url: str, api: ApiServer, registry: Registry) -> None:
        super().__init__(url, api)
        self.registry = registry
        registry.gone = {BY_DIGEST}
        self.shift(100)
        self.run(mcp_release.SPEC, mcp_release.run, state="ended", outcome="succeeded", run_id=self.run_id)
        api.change(BLUE, {"spec": {"replicas": 0}})
        api.log.clear()

    def roll_back(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = self.run(mcp_rollback.SPEC, mcp_rollback.run, start_timeout=10.0)
        return found

    def deploy(self, image_ref: str) -> None:
        """As a person does."""
        containers = [{"name": "x", "image": image_ref}]
        self.api.change(BLUE, {"spec": {"template": {"spec": {"containers": containers}}}}, "strategic")

    @property
    def image(self) -> str:
        found: str = self.api.objects[BLUE]["spec"]["template"]["spec"]["containers"][0]["image"]
        return found

    @property
    def written(self) -> list[str]:
        return [one.path for one in self.api.writes() if one.path in (ROUTE, BLUE)]

    @property
    def origin(self) -> record.Side:
        return record.read(self.api, Server("ns", "x", "{server}-{pool}", "x", "x"))[0].newest["from"]


@pytest.fixture
def cluster() -> t.Iterator[Emergency]:
    api = ApiServer(mcp_server("ns", "x", blue=BY_DIGEST, green="r.io/x:v2"))
    registry = Registry(api)
    with serving(api) as url:
        yield Emergency(url, api, registry)


def is_by_tag(cluster: Emergency, found: dict[str, t.Any]) -> None:
    assert cluster.weights == (100, 0) and cluster.image == TAG and found["digest_gone"] == DIGEST
    recorded = cluster.origin
    assert (recorded["image_ref"], recorded["digest"], recorded["digest_gone"]) == (TAG, "", DIGEST)
    assert (
        f"The image registry no longer has {DIGEST} of {TAG}. Rolling back to what the tag v1 means now."
        in cluster.warnings
    )


@pytest.mark.parametrize(
    "waiting",
    [
        {"reason": "ErrImagePull", "message": CONTAINERD},
        {"reason": "ErrImagePull", "message": CRI_O},
        {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{BY_DIGEST}": ErrImagePull: {CONTAINERD}'},
    ],
    ids=["containerd", "cri-o", "back-off"],
)
def test_the_tag_takes_the_place_of_a_digest_that_is_gone(cluster: Emergency, waiting: dict[str, str]) -> None:
    cluster.registry.waiting = waiting
    is_by_tag(cluster, cluster.roll_back())
    # Scaled up, given the tag once, and only then the traffic
    assert cluster.written == [BLUE, BLUE, ROUTE]


def test_an_image_that_another_client_has_deployed_meanwhile_stays(
    cluster: Emergency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the pods and the write."""
    look, deployed = rollout.View.state, "r.io/x:v0"

    def state(view: rollout.View) -> t.Any:
        found = look(view)
        if found.image_gone:
            cluster.deploy(deployed)
        return found

    monkeypatch.setattr(rollout.View, "state", state)
    found = cluster.roll_back()
    assert cluster.image == deployed and cluster.weights == (100, 0)
    assert not found["digest_gone"] and cluster.origin["image_ref"] == BY_DIGEST


def test_a_pod_on_a_node_that_has_the_image_is_waited_for(cluster: Emergency, monkeypatch: pytest.MonkeyPatch) -> None:
    look, seen = rollout.View.state, []

    def state(view: rollout.View) -> t.Any:
        if not seen:
            cluster.registry.change_pod({"state": {"running": {"startedAt": _times.iso(cluster.api.now())}}})
        elif len(seen) == 1:
            cluster.registry.change_pod({"ready": True}, ready=True)
        seen.append(look(view))
        return seen[-1]

    monkeypatch.setattr(rollout.View, "state", state)
    found = cluster.roll_back()
    assert seen[0].image_gone and cluster.written == [BLUE, ROUTE]
    assert cluster.image == BY_DIGEST and cluster.weights == (100, 0) and not found["digest_gone"]


def test_a_second_run_changes_nothing(cluster: Emergency) -> None:
    cluster.roll_back()
    cluster.api.log.clear()
    found = cluster.roll_back()
    assert not found["changed"] and cluster.written == []
    is_by_tag(cluster, found)


def test_an_image_that_was_deployed_since_did_not_fall_back(cluster: Emergency) -> None:
    cluster.roll_back()
    cluster.deploy("r.io/x:v0")
    cluster.shift(100)
    assert not cluster.roll_back()["digest_gone"] and cluster.origin["image_ref"] == TAG


def test_a_run_that_was_killed_before_it_wrote_the_tag(cluster: Emergency) -> None:
    cluster.api.change(BLUE, {"spec": {"replicas": 2}})
    cluster.api.log.clear()
    is_by_tag(cluster, cluster.roll_back())
    assert cluster.written == [BLUE, ROUTE]


def test_a_run_that_was_killed_before_it_wrote_the_weights(cluster: Emergency) -> None:
    cluster.api.change(BLUE, {"spec": {"replicas": 2}})
    cluster.deploy(TAG)
    cluster.api.log.clear()
    is_by_tag(cluster, cluster.roll_back())
    assert cluster.written == [ROUTE]


def test_an_automatic_rollback_goes_by_the_tag_too(cluster: Emergency) -> None:
    steps = [{"weight": 100, "seconds": 1}]
    task = cluster.task(
        mcp_traffic_shift.SPEC, pool="green", steps=steps, endpoint={"url": "http://127.0.0.1:9"}, start_timeout=10.0
    )
    common = {name: value for name, value in Calls.of(task.params).common.items() if name != "endpoint"}
    is_by_tag(cluster, Ending(task, Calls(common)).roll_back("bad"))


def test_without_a_tag_there_is_nothing_to_fall_back_to(cluster: Emergency) -> None:
    by_digest_alone = f"r.io/x@{DIGEST}"
    cluster.registry.gone = {by_digest_alone}
    cluster.deploy(by_digest_alone)
    with pytest.raises(Failure, match="pool blue has no ready endpoint and does not come up.*not found"):
        cluster.roll_back()
    assert cluster.image == by_digest_alone and cluster.weights == (0, 100)


def test_a_tag_that_is_gone_too_is_tried_once(cluster: Emergency) -> None:
    cluster.registry.gone = {BY_DIGEST, TAG}
    with pytest.raises(Failure, match="does not come up.*not found") as raised:
        cluster.roll_back()
    # The registry may be in trouble, and have both again later
    assert cluster.written == [BLUE, BLUE, BLUE] and cluster.weights == (0, 100)
    assert cluster.image == BY_DIGEST and not raised.value.evidence["digest_gone"]


def test_a_tag_that_is_gone_too_and_stays(cluster: Emergency) -> None:
    """The third write fails: that hides nothing."""
    cluster.registry.gone = {BY_DIGEST, TAG}

    def refuse() -> None:
        if cluster.image == TAG:
            raise StatusError(403, "deployments is forbidden")

    cluster.api.call(refuse, "PATCH", BLUE, times=10**9)
    with pytest.raises(Failure, match="does not come up.*not found") as raised:
        cluster.roll_back()
    assert cluster.image == TAG and raised.value.evidence["digest_gone"] == DIGEST
    assert any("Pool blue of ns/x keeps r.io/x:v1." in warning for warning in cluster.warnings)


@pytest.mark.parametrize(
    "waiting",
    [
        {"reason": "ErrImagePull", "message": "pull access denied: authorization failed"},
        {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{BY_DIGEST}"'},
        {"reason": "CreateContainerConfigError", "message": 'secret "x" not found'},
    ],
    ids=["denied", "unknown", "secret"],
)
def test_another_problem_leaves_the_image_alone(cluster: Emergency, waiting: dict[str, str]) -> None:
    cluster.registry.waiting = waiting
    with pytest.raises(Failure, match="pool blue has no ready endpoint"):
        cluster.run(mcp_rollback.SPEC, mcp_rollback.run, start_timeout=1.0)
    assert cluster.image == BY_DIGEST
