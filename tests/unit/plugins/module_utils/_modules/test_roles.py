# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules with the Roles of the sandbox, for another server's names, against the fake API server over HTTP."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._guard import watch
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_guard as guard
from ansible_collections.mcp.server.plugins.module_utils._modules import (
    mcp_preflight,
    mcp_rollback,
    mcp_rollout,
    single_shift,
)
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release as release
from ansible_collections.mcp.server.plugins.module_utils._task import Spec, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, right_of
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

MANIFESTS = Path(__file__).parents[5] / "sandbox" / "manifests" / "mcp-server"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/x"
DEPLOYMENT = "/apis/apps/v1/namespaces/ns/deployments/x-"
SCALER = "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers/x-"
JOB = "/apis/batch/v1/namespaces/ns/jobs/x-guard"


def rules(file: str) -> list[dict[str, t.Any]]:
    manifest = (MANIFESTS / file).read_text().replace("mcp-server", "x")
    return next(one for one in yaml.safe_load_all(manifest) if one["kind"] == "Role")["rules"]


RELEASER, GUARD = rules("role.yaml"), rules("guard.yaml")


class Cluster:
    """A server with both pools, autoscalers on them, and someone who has the releaser's Role at first."""

    def __init__(self, url: str, api: ApiServer) -> None:
        self.api = api
        self.where = {"namespace": "ns", "server": "x", "host": url, "api_key": "k", "verify_seconds": 2}
        self.warnings: list[str] = []

    def run(self, spec: Spec, run: t.Callable[[Task], t.Any], **options: t.Any) -> t.Any:
        given = {name: value for name, value in {**self.where, **options}.items() if name in spec.options}
        validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
        assert not validated.error_messages, validated.error_messages
        return run(Task(validated.validated_parameters, warn=self.warnings.append))

    @property
    def weights(self) -> list[int]:
        return [backend["weight"] for backend in self.api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]]

    def replicas(self, pool: str) -> int:
        return self.api.objects[DEPLOYMENT + pool]["spec"]["replicas"]


@pytest.fixture
def cluster() -> t.Iterator[Cluster]:
    objects = mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2")
    for pool in ("blue", "green"):
        objects[SCALER + pool] = {
            "spec": {"minReplicas": 1, "maxReplicas": 4, "scaleTargetRef": {"kind": "Deployment", "name": f"x-{pool}"}}
        }
    api = ApiServer(objects)
    api.role = RELEASER
    Controllers(api)
    with serving(api) as url:
        yield Cluster(url, api)


def test_a_release_and_its_rollback_need_no_more_than_the_readmes_role(cluster: Cluster) -> None:
    checks = cluster.run(mcp_preflight.SPEC, mcp_preflight.run)["checks"]
    assert checks[2]["message"] == "This user has all rights in namespace ns that a release needs."
    run_id = cluster.run(release.SPEC, release.run, state="begun", image_ref="r/x:v2", version="v2")["run_id"]
    cluster.run(mcp_rollout.SPEC, mcp_rollout.run, pool="green", image_ref="r/x:v2", replicas=3, run_id=run_id)
    # Pods can't be asked here.
    mode = "stateless"
    cluster.run(single_shift.SPEC, single_shift.run, pool="green", weight=50, run_id=run_id, session_mode=mode)
    assert cluster.weights == [50, 50]
    cluster.run(mcp_rollback.SPEC, mcp_rollback.run)
    cluster.run(release.SPEC, release.run, state="ended", outcome="rolled_back")
    assert cluster.weights == [100, 0]
    refused = {one.rpartition("/")[2] for one in cluster.api.refusals() if "/namespaces/ns/" in one}
    assert refused == {"resourcequotas", "limitranges"}  # which only pre-flight looks at, where it may (docs/rights.md)


def test_a_guard_rolls_back_with_a_role_of_its_own(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runner is gone, and the good pool has no pods: it takes the Lease, scales up and writes the weights."""
    begun = cluster.run(release.SPEC, release.run, state="begun", image_ref="r/x:v2", version="v2")
    cluster.run(
        single_shift.SPEC, single_shift.run, pool="green", weight=100, run_id=begun["run_id"], session_mode="stateless"
    )
    cluster.api.change(DEPLOYMENT + "blue", {"spec": {"replicas": 0}})
    del cluster.api.objects["/apis/coordination.k8s.io/v1/namespaces/ns/leases/x-release"]
    monkeypatch.setattr(watch, "POLL", 0.01)
    monkeypatch.setattr("ansible_collections.mcp.server.plugins.module_utils._guard.decide.EMPTY", 0.0)
    cluster.api.role = GUARD
    cluster.api.log.clear()
    # Nobody holds the Lease any more: a breach is what it rolls back for
    monkeypatch.setattr(guard.triggers, "breach", lambda params, server: lambda release: "errors breach")
    options = {"release_id": begun["record"]["id"], "guard_id": "g", "prometheus": {"url": "http://127.0.0.1:9"}}
    result = cluster.run(guard.SPEC, guard.run, state="running", options=options)
    assert (result["decision"], cluster.weights) == ("rollback", [100, 0]) and cluster.replicas("blue") > 0
    # What is better to have, and a guard is not given: autoscalers of other names, and why pods are not ready
    assert {one.rpartition("/")[2] for one in cluster.api.refusals()} <= {
        "horizontalpodautoscalers",
        "events",
        "keda-hpa-x-blue",
        "keda-hpa-x-green",
    }
    used = {(right.verb, right.resource) for request in cluster.api.log if (right := right_of(request))}
    assert {(verb, resource) for rule in GUARD for resource in rule["resources"] for verb in rule["verbs"]} <= used
