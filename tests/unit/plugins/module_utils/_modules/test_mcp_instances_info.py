# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_instances_info
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._modules.test_mcp_status_info import PODS, sandbox

SPEC = mcp_instances_info.SPEC
OTHER = "/api/v1/namespaces/other/pods"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    found = sandbox()
    monkeypatch.setattr(connection, "connect", lambda params: found)
    return found


def problems(**options: t.Any) -> str:
    return "; ".join(ArgumentSpecValidator(SPEC.options, **SPEC.rules()).validate(options).error_messages)


def run(**options: t.Any) -> dict[str, t.Any]:
    validated = ArgumentSpecValidator(SPEC.options, **SPEC.rules()).validate(options)
    assert not validated.error_messages
    return mcp_instances_info.run(Task(validated.validated_parameters))


def test_the_instances_of_a_server(api: ApiServer) -> None:
    found = run(namespace="prod", server="mcp")
    assert found["changed"] is False and found["unread"] == []
    assert [one["pool"] for one in found["instances"]] == ["blue", "blue", "green", "green"]
    assert found["pools"] == {pool: {"instances": 2, "ready": 2, "restarts": 0} for pool in ("blue", "green")}
    assert not api.writes()


def test_by_labels_in_one_namespace_and_in_all(api: ApiServer) -> None:
    labels = {"app": "mcp", "pool": "beta"}
    containers = {"containers": [{"name": "mcp", "image": "x:v9"}]}
    # Of the same name as another one
    name = next(path for path in api.objects if path.startswith(f"{PODS}/mcp-blue")).rpartition("/")[2]
    api.put(f"{OTHER}/{name}", {"metadata": {"labels": labels}, "spec": containers, "status": {"phase": "Pending"}})
    one_place = run(namespace="prod", label_selector="app=mcp")
    assert len(one_place["instances"]) == 4 and set(one_place["pools"]) == {"blue", "green"}
    assert one_place["instances"][0]["memory_bytes"] == 64 * 1024**2
    assert api.log and all("/namespaces/prod/" in request.path for request in api.log)


def test_of_all_namespaces_each_pod_has_its_own_usage() -> None:
    def pod(namespace: str) -> dict[str, t.Any]:
        return {"metadata": {"name": "p", "namespace": namespace, "labels": {"pool": "beta"}}, "status": {}}

    def usage(namespace: str, memory: str) -> dict[str, t.Any]:
        containers = [{"name": "mcp", "usage": {"memory": memory, "cpu": "1m"}}]
        return {"metadata": {"name": "p", "namespace": namespace}, "containers": containers}

    class Cluster(ApiServer):
        def get(self, path: str, **query: str) -> dict[str, t.Any]:
            assert query == {"labelSelector": "a=b"}
            if path == "/api/v1/pods":
                return {"items": [pod("one"), pod("two")]}
            assert path == "/apis/metrics.k8s.io/v1beta1/pods"
            return {"items": [usage("one", "1Mi"), usage("two", "2Mi")]}

    params = {**dict.fromkeys(SPEC.options), "all_namespaces": True, "label_selector": "a=b"}
    found, unread = mcp_instances_info._with_labels(Cluster(), params)
    assert [(one["namespace"], one["memory_bytes"], one["pool"]) for one in found] == [
        ("one", 1024.0**2, None),
        ("two", 2 * 1024.0**2, None),
    ]
    assert not unread
    assert mcp_instances_info.by_pool(found)["none"] == {"instances": 2, "ready": 0, "restarts": 0}


def test_a_user_without_a_cluster_role_is_told_which(api: ApiServer) -> None:
    api.fail(Forbidden("The API server refuses: pods; grant this user the Role."), "GET", "/api/v1/pods", times=9)
    with pytest.raises(Failure, match="all_namespaces needs a ClusterRole with list on pods"):
        run(all_namespaces=True, label_selector="app=mcp")


def test_pods_that_cannot_be_read_are_a_failure(api: ApiServer) -> None:
    api.fail(Forbidden("The API server refuses: pods."), "GET", PODS, times=99)
    with pytest.raises(Failure, match="refuses: pods"):
        run(namespace="prod", server="mcp")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "server, label_selector"),
        ({"namespace": "prod"}, "server, label_selector"),
        ({"all_namespaces": True, "server": "x"}, "label_selector"),
    ],
)
def test_what_is_missing(options: dict[str, t.Any], words: str) -> None:
    assert words in problems(**options)


@pytest.mark.parametrize("options", [{"server": "mcp"}, {"label_selector": "app=mcp"}])
def test_a_namespace_is_needed(api: ApiServer, options: dict[str, t.Any]) -> None:
    with pytest.raises(Failure, match="namespace is missing"):
        run(**options)
    assert not api.log
