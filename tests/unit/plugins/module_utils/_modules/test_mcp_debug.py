# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._jobs import running
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_debug
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, Object
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

TARGET = {"namespace": "prod", "server": "mcp", "image_ref": "registry.example/tools:1"}
PODS = "/api/v1/namespaces/prod/pods"
JOBS = "/apis/batch/v1/namespaces/prod/jobs"
ANSWER = {"probe": 0, "step": "resolve", "tool": "getent", "code": 0, "begun": 1, "ended": 1, "coding": "base64"}
SCRIPT_OUTPUT = json.dumps({**ANSWER, "output": "MTAuMC4wLjU=", "errors": ""}).encode() + b"\ndone\n"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """Return a cluster that runs a Job's pod, and an ephemeral container, at once."""
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:1", green="r/x:2", replicas=1))
    Controllers(api)

    def run(path: str) -> None:
        made = api.objects[path]
        if path.startswith(JOBS):
            name = made["metadata"]["name"]
            pod: Object = {
                "metadata": {
                    "labels": {"batch.kubernetes.io/job-name": name},
                    "ownerReferences": [{"uid": made["metadata"]["uid"], "controller": True}],
                },
                "spec": made["spec"]["template"]["spec"],
                "status": {"containerStatuses": [{"name": "debug", "state": {"terminated": {}}}]},
            }
            api.put(f"{PODS}/{name}-x", pod)
            api.logs[f"{name}-x/debug"] = SCRIPT_OUTPUT
        for one in made.get("spec", {}).get("ephemeralContainers", []):
            ended = [{"name": one["name"], "state": {"terminated": {}}}]
            made["status"]["ephemeralContainerStatuses"] = ended
            api.logs[f"{made['metadata']['name']}/{one['name']}"] = SCRIPT_OUTPUT

    api.controllers.append(run)
    monkeypatch.setattr(connection, "connect", lambda params: api)
    monkeypatch.setattr(running, "POLL", 0.01)
    return api


def run(check: bool = False, **options: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    validated = ArgumentSpecValidator(mcp_debug.SPEC.options).validate({**TARGET, **options})
    assert not validated.error_messages
    shown: list[str] = []
    return mcp_debug.run(Task(validated.validated_parameters, check, progress=shown.append)), shown


def targets(result: dict[str, t.Any]) -> list[tuple[str, str]]:
    return [(one["kind"], one["target"]) for one in result["outcomes"]]


USUAL = [
    ("dns", "mcp-blue.prod.svc"),
    ("tcp", "mcp-blue.prod.svc:80"),
    ("mcp", "http://mcp-blue.prod.svc:80/mcp"),
    ("dns", "mcp-green.prod.svc"),
]


def test_without_arguments_it_asks_both_pools(api: ApiServer) -> None:
    result, shown = run(hosts=["database:5432", "mcp-blue.prod.svc"])
    assert targets(result)[:4] == USUAL
    assert targets(result)[-2:] == [("dns", "database"), ("tcp", "database:5432")]
    assert result["outcomes"][0] == {
        "kind": "dns",
        "target": "mcp-blue.prod.svc",
        "ok": True,
        "seconds": 0.0,
        "detail": "10.0.0.5",
    }
    assert result["changed"] is False and shown[-len(result["lines"]) :] == result["lines"]
    assert [path for path in api.objects if path.startswith(JOBS)] == []


def test_probes_of_the_user_take_their_place(api: ApiServer) -> None:
    result, _shown = run(probes=[{"kind": "dns", "target": "database"}])
    assert targets(result) == [("dns", "database")] and result["lines"][-2] == "All probes passed."


def test_a_job_that_stays_is_a_change_and_has_a_shell(api: ApiServer) -> None:
    result, shown = run(probes=[{"kind": "dns", "target": "database"}], stay=600)
    assert result["changed"] is True and f"{JOBS}/{result['job']}" in api.objects
    assert f"for 600 s: kubectl -n prod exec -it job/{result['job']} -- sh" in shown


def test_an_ephemeral_container_asks_over_loopback_too(api: ApiServer) -> None:
    result, shown = run(ephemeral=True)
    assert result["changed"] is True and result["pod"].startswith("mcp-blue-")
    assert targets(result)[:2] == [("tcp", "127.0.0.1:8080"), ("mcp", "http://127.0.0.1:8080/mcp")]
    (line,) = [line for line in shown if "its entry stays" in line]
    assert result["container"] in line and result["pod"] in line
    other = f"{PODS}/stranger"
    api.put(other, {"spec": {"containers": [{"name": "x"}]}, "status": {}})
    result, _shown = run(ephemeral=True, pod="stranger")
    assert result["pod"] == "stranger" and targets(result)[0] == USUAL[0]
    assert result["notes"][0] == "the pod is not asked over loopback: pod stranger belongs to no pool"


@pytest.mark.parametrize("ephemeral", [True, False])
def test_check_mode_stores_nothing(api: ApiServer, ephemeral: bool) -> None:
    result, shown = run(check=True, ephemeral=ephemeral)
    assert result["outcomes"] == [] and "would ask dns mcp-blue.prod.svc" in shown
    assert all(request.dry_run for request in api.writes()) and result["diff"]["after"]
    assert not api.writes()  # which are those that store


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_ref": None}, r"set image_ref \(mcp_debug_image_ref\)"),
        ({"image_ref": "a b"}, "is not an image reference"),
        ({"pod": "x"}, r"Set ephemeral \(mcp_debug_ephemeral\) to true"),
        ({"pod": "../secrets", "ephemeral": True}, "not a valid name"),
        ({"timeout": 1}, "timeout must be from 5 to 3600"),
        ({"timeout": float("nan")}, "timeout must be"),
        ({"stay": -1}, "stay and ttl must be"),
        ({"ttl": 10**9}, "stay and ttl must be"),
        ({"user": -1}, "user must be"),
        ({"hosts": ["a b"]}, "target of a probe"),
        ({"probes": [{"kind": "tcp", "target": "x"}]}, "HOST:PORT"),
    ],
)
def test_wrong_options_are_refused_before_the_cluster_is_asked(
    api: ApiServer, options: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(Failure, match=words):
        run(**options)
    assert not api.log


def test_too_many_and_too_few_probes_are_refused(api: ApiServer) -> None:
    with pytest.raises(Failure, match="There is nothing to ask"):
        run(probes=[])
    with pytest.raises(Failure, match="60 probes are too many"):
        run(probes=[{"kind": "dns", "target": f"a{at}"} for at in range(60)])


def test_a_missing_right_names_the_role_of_this_module(api: ApiServer) -> None:
    api.refused.add("create jobs")
    with pytest.raises(Forbidden, match=r"grant this user the Role for this \(docs/rights.md\)"):
        run()


def test_a_server_without_objects_is_asked_for_its_names(api: ApiServer) -> None:
    result, _shown = run(server="other")
    assert targets(result) == [("dns", "other-blue.prod.svc"), ("dns", "other-green.prod.svc")]
    assert len(result["notes"]) == 2
    with pytest.raises(Failure, match="Service prod/other-blue does not exist"):
        run(server="other", ephemeral=True)
