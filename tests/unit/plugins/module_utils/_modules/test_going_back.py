# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollbacks by the real modules and the real client, against the fake API server over HTTP that is in trouble."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release, mcp_traffic_shift
from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift as shift
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls
from ansible_collections.mcp.server.plugins.module_utils._modules.ending import Ending
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Spec, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/x"
DEPLOYMENT = "/apis/apps/v1/namespaces/ns/deployments/x-"
HOOK = "Internal error occurred: failed calling webhook x: "


class Cluster:
    """A server with a release of v2 to green, which has the traffic that is said."""

    def __init__(self, url: str, api: ApiServer) -> None:
        self.api, self.where = api, {"namespace": "ns", "server": "x", "host": url, "api_key": "k"}
        self.warnings: list[str] = []
        self.run_id = self.run(mcp_release.SPEC, mcp_release.run, state="begun", image_ref="r/x:v2", version="v2")[
            "run_id"
        ]

    def task(self, spec: Spec, **options: t.Any) -> Task:
        validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(
            {**self.where, **self.quick(spec), **options}
        )
        assert not validated.error_messages, validated.error_messages
        return Task(validated.validated_parameters, warn=self.warnings.append)

    @staticmethod
    def quick(spec: Spec) -> dict[str, t.Any]:
        return {"verify_seconds": 0} if "verify_seconds" in spec.options else {}

    def run(self, spec: Spec, run: t.Callable[[Task], t.Any], **options: t.Any) -> t.Any:
        return run(self.task(spec, **options))

    def shift(self, green: int) -> None:
        """As a person does, so that nothing on the route says which pool is good."""
        places = enumerate((100 - green, green))
        patch = [
            {"op": "replace", "path": f"/spec/rules/0/backendRefs/{number}/weight", "value": value}
            for number, value in places
        ]
        self.api.change(ROUTE, patch, "json")

    @property
    def weights(self) -> tuple[int, int]:
        blue, green = self.api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
        return blue["weight"], green["weight"]

    def replicas(self, pool: str) -> int:
        return self.api.objects[DEPLOYMENT + pool]["spec"]["replicas"]


@pytest.fixture
def cluster() -> t.Iterator[Cluster]:
    api = ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2"))
    Controllers(api)
    with serving(api) as url:
        yield Cluster(url, api)


@pytest.mark.parametrize(
    "trouble",
    [
        StatusError(500, f"{HOOK}connection refused"),
        StatusError(500, f"{HOOK}context deadline exceeded"),
        StatusError(403, "leases is forbidden"),
        StatusError(429, "too many requests"),
    ],
    ids=["webhook", "webhook-slow", "rights", "busy"],
)
def test_a_lease_in_trouble_is_no_end_of_an_automatic_rollback(cluster: Cluster, trouble: StatusError) -> None:
    """After a blip of the API server, at whose end the task would renew its Lease."""
    cluster.shift(50)
    steps = [{"weight": 100, "seconds": 1}]
    task = cluster.task(
        mcp_traffic_shift.SPEC, run_id=cluster.run_id, pool="green", steps=steps, endpoint={"url": "http://127.0.0.1:9"}
    )
    calls = Calls({name: value for name, value in Calls.of(task.params).common.items() if name != "endpoint"})
    with lease_renewal.renewing(task, cluster.run_id) as kept:
        cluster.api.fail(StatusError(503, "away"), times=6)
        cluster.api.fail(trouble, "PATCH", "leases", times=10**9)
        begun = time.monotonic()
        Ending(kept, calls).roll_back("bad", cluster.run_id)
    assert cluster.weights == (100, 0) and time.monotonic() - begun < 30
    cluster.api.rules.clear()


@pytest.mark.parametrize("blips", [0, 1, 3])
def test_an_empty_pool_gets_no_traffic_unseen(cluster: Cluster, blips: int) -> None:
    """Of its endpoints the first call of an emergency may learn nothing."""
    cluster.shift(100)
    cluster.run(mcp_release.SPEC, mcp_release.run, state="ended", outcome="succeeded", run_id=cluster.run_id)
    cluster.api.change(DEPLOYMENT + "blue", {"spec": {"replicas": 0}})
    cluster.api.fail(StatusError(429, "too many requests"), "GET", "endpointslices", times=blips)
    first = cluster.run(shift.SPEC, shift.run, rollback=True, wait=False)
    assert not first["written"] and cluster.weights == (0, 100)
    cluster.run(shift.SPEC, shift.run, rollback=True, rollback_pool=first["pool"], run_id=first["run_id"])
    assert cluster.weights == (100, 0) and cluster.replicas("blue") > 0


def test_an_empty_pool_that_has_all_the_traffic_is_brought_up(cluster: Cluster) -> None:
    """Whoever gave it the traffic: the next run of the emergency mends it."""
    cluster.shift(0)
    cluster.api.change(DEPLOYMENT + "blue", {"spec": {"replicas": 0}})
    cluster.run(shift.SPEC, shift.run, rollback=True)
    assert cluster.weights == (100, 0) and cluster.replicas("blue") > 0


def test_a_record_that_is_away_for_a_moment_leaves_it_to_the_second_call(cluster: Cluster) -> None:
    cluster.shift(50)
    cluster.api.fail(StatusError(429, "too many requests"), "GET", "configmaps", times=1)
    first = cluster.run(shift.SPEC, shift.run, rollback=True, wait=False)
    assert not first["written"] and "record" in first["msg"] and cluster.weights == (50, 50)
    cluster.run(shift.SPEC, shift.run, rollback=True, run_id=first["run_id"])
    assert cluster.weights == (100, 0)


def test_what_another_run_has_ended_stays_ended(cluster: Cluster) -> None:
    """An emergency could not have the Lease, so that the release still holds it."""
    server = Server.from_params(cluster.task(shift.SPEC, rollback=True).params)
    record.update(
        cluster.api,
        server,
        lambda book: record.end(book, record.ROLLED_BACK, "now", "by hand"),
        run="another",
        takes_over=True,
    )
    with pytest.raises(LeaseLost, match="Another run has ended release .*: rolled_back .by hand."):
        cluster.run(mcp_release.SPEC, mcp_release.run, state="ended", outcome="succeeded", run_id=cluster.run_id)
    assert record.read(cluster.api, server)[0].current["outcome"] == "rolled_back"
    # What would change nothing, as of a rollout for a rollback to another version, is no reason to stop.
    record.update(cluster.api, server, lambda book: record.add_rollout(book, "blue", "r/x:v1", 3.0), run=cluster.run_id)
    # A new release is nobody else's.
    cluster.run(
        mcp_release.SPEC,
        mcp_release.run,
        state="begun",
        image_ref="r/x:v3",
        version="v3",
        take_over=True,
        reason="next",
    )


def test_without_record_and_note_nothing_is_guessed(cluster: Cluster) -> None:
    del cluster.api.objects["/api/v1/namespaces/ns/configmaps/x-release"]
    for green in (50, 100, 0):
        cluster.shift(green)
        with pytest.raises(Failure, match="mcp_rollback_pool=blue or .* -e mcp_rollback_pool=green"):
            cluster.run(shift.SPEC, shift.run, rollback=True)
        assert cluster.weights == (100 - green, green)
        # Nor does it keep others out.
        assert not cluster.api.objects["/apis/coordination.k8s.io/v1/namespaces/ns/leases/x-release"]["spec"].get(
            "holderIdentity"
        )
    found = cluster.run(shift.SPEC, shift.run, rollback=True, rollback_pool="green")
    assert cluster.weights == (0, 100) and not found["scale_down"]
