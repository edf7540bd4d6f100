# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import re
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils import _task
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_diagnose_info
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import GATEWAY, Controllers, mcp_server

PASSWORD, BEARER = "planted-hunter2", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.c2ln"
HOST = "mcp.example"
QUOTA = "/api/v1/namespaces/prod/resourcequotas/q"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """Return a server with two pods in each pool, and its gateway."""
    found = ApiServer(mcp_server("prod", "mcp", blue="r/mcp:1", green="r/mcp:2"))
    gateway = {
        "metadata": {"labels": {"gateway.networking.k8s.io/gateway-name": GATEWAY["name"]}},
        "spec": {"containers": [{"name": "envoy"}]},
        "status": {"containerStatuses": [{"name": "envoy", "ready": True}]},
    }
    found.put(f"/api/v1/namespaces/{GATEWAY['namespace']}/pods/edge-1", gateway)
    Controllers(found)
    monkeypatch.setattr(connection, "connect", lambda _params: found)
    monkeypatch.setattr(_task, "_SECRETS", set())
    return found


def pods(api: ApiServer, pool: str) -> list[str]:
    return sorted(path.rpartition("/")[2] for path in api.objects if f"/prod/pods/mcp-{pool}" in path)


def run(check_mode: bool = False, **options: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    given = {"namespace": "prod", "server": "mcp", "timeout": 10, "endpoint": {"url": f"https://{HOST}"}, **options}
    spec = mcp_diagnose_info.SPEC
    validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    shown: list[str] = []
    task = Task(validated.validated_parameters, check_mode, progress=shown.append)
    return mcp_diagnose_info.run(task), shown


def causes(result: dict[str, t.Any]) -> list[str]:
    return [one["name"] for one in result["causes"]]


def test_a_server_that_is_well(api: ApiServer) -> None:
    result, shown = run()
    assert causes(result) == [] and result["changed"] is False
    assert result["most_likely"].startswith("Most likely nothing in the cluster is wrong with prod/mcp")
    assert shown[1:] == result["lines"] and shown[-1] == result["most_likely"]
    assert api.writes() == []
    assert result["logs"] == {"found": 5, "read": 5, "lines": 0}


def test_logs_of_pools_previous_containers_and_gateway(api: ApiServer) -> None:
    (blue, _other), (green, _another) = pods(api, "blue"), pods(api, "green")
    ended = {"name": "mcp", "ready": True, "restartCount": 1, "lastState": {"terminated": {"exitCode": 1}}}
    status = {"containerStatuses": [ended], "podIP": "10.2.0.9"}
    api.change(f"/api/v1/namespaces/prod/pods/{blue}/status", {"status": status})
    api.logs[f"{green}/mcp"] = b"2026-11-27T22:00:00Z Invalid Host header: x\n" * 3
    api.previous_logs[f"{blue}/mcp"] = b"2026-11-27T22:00:00Z no space left on device\n"
    about = [f'"POST /mcp HTTP/1.1" 406 - "{HOST}"', '"POST /mcp HTTP/1.1" 421 - "10.2.0.9:80"']
    # An address that only begins with the pod's
    about.append('"POST /mcp HTTP/1.1" 404 - "10.2.0.90:80"')
    api.logs["edge-1/envoy"] = "\n".join([*about, '"POST /mcp HTTP/1.1" 503 UH "stranger.example"']).encode()
    result, _shown = run()
    found = {one["cause"]: one for one in result["findings"]}
    assert found.keys() == {"host_refused", "disk", "not_acceptable", "misdirected"}
    assert (found["host_refused"]["pool"], found["host_refused"]["count"]) == ("green", 3)
    assert "before its restart" in found["disk"]["where"] and "gateway" in found["not_acceptable"]["where"]


def test_the_gateway_is_named_or_said_to_be_unknown(api: ApiServer) -> None:
    api.logs["edge-1/envoy"] = f'"POST /mcp HTTP/1.1" 406 - "{HOST}"'.encode()
    named = {"namespace": "gateways", "selector": {"gateway.networking.k8s.io/gateway-name": "edge"}}
    assert causes(run(gateway=named)[0]) == ["not_acceptable"]
    result, _shown = run(gateway={"namespace": "gateways", "selector": {"app": "none"}})
    assert causes(result) == [] and "has no pod with app=none" in str(result["not_read"])
    api.refused.add("list pods")
    assert "Pods of the gateway in namespace gateways: not read, as this user has no right to" in str(run()[0])


def test_secrets_are_in_no_output(api: ApiServer, tmp_path: Path) -> None:
    (blue, other), _green = pods(api, "blue"), pods(api, "green")
    reference = {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}
    template = {"spec": {"containers": [{"name": "mcp", "image": "r/mcp:1", "env": [reference]}]}}
    api.change("/apis/apps/v1/namespaces/prod/deployments/mcp-blue", {"spec": {"template": template}})
    (blue, other) = pods(api, "blue")
    value = base64.b64encode(f"postgresql://u:{PASSWORD}@db/x".encode()).decode()
    api.put("/api/v1/namespaces/prod/secrets/db", {"data": {"url": value}})
    # By its name; by its form; and only known from the Secret
    api.logs[f"{blue}/mcp"] = f"unauthorized: password={PASSWORD}, Bearer {BEARER}\n".encode()
    api.logs[f"{other}/mcp"] = f"unauthorized {PASSWORD} {value}\n".encode()
    result, shown = run(dest=str(tmp_path / "out.json"))
    assert causes(result) == ["authentication"] and "its keys: url" in str(result["checks"])
    # As main() and the action plugin show it
    everything = json.dumps(_task.without_secrets([result, *shown])) + (tmp_path / "out.json").read_text()
    assert not [secret for secret in (PASSWORD, BEARER, value) if secret in everything]
    document = json.loads((tmp_path / "out.json").read_text())["servers"][0]
    assert document["host"] == "mcp" and document["causes"][0]["name"] == "authentication"


def test_check_mode_writes_no_file_and_makes_no_job(api: ApiServer, tmp_path: Path) -> None:
    asked = {"hosts": ["db:5432"], "debug_image_ref": "r/debug:1"}
    result, _shown = run(check_mode=True, dest=str(tmp_path / "out.json"), **asked)
    assert not (tmp_path / "out.json").exists() and api.writes() == []
    assert any("check mode creates no Job" in one["said"] for one in result["checks"])


def test_a_file_that_cannot_be_written(api: ApiServer) -> None:
    with pytest.raises(Failure, match=r"Cannot write the diagnosis to .*Set dest \(mcp_output\)"):
        run(dest="/dev/null/x/out.json")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 1}, r"timeout \(mcp_diagnose_timeout\) is 1"),
        ({"timeout": float("nan")}, "timeout"),
        ({"seconds": 0}, r"seconds \(mcp_diagnose_seconds\)"),
        ({"patterns": [{"name": "x", "match": "(a+)+", "cause": "c"}]}, "is refused"),
        ({"hosts": ["a b"]}, "target of a probe"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(
    api: ApiServer, options: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(Failure, match=words):
        run(**options)
    assert api.log == []


def test_what_may_not_be_read_is_said_and_the_rest_goes_on(api: ApiServer) -> None:
    quota = {"status": {"hard": {"pods": "4"}, "used": {"pods": "4"}}}
    api.put(QUOTA, quota)
    api.refused |= {"list events", "get pods/log", "get httproutes", "list limitranges"}
    result, _shown = run()
    assert causes(result) == ["quota_full"]
    assert {one.partition(":")[0] for one in result["not_read"]} >= {"Events", "Route", "LimitRanges"}
    assert sum("no right" in one and one.startswith("Log of pod") for one in result["not_read"]) == 4
    assert "Not all was read" in result["most_likely"]


def test_without_rights_nothing_is_said_to_be_well(api: ApiServer) -> None:
    api.role = []
    result, shown = run()
    assert result["most_likely"].startswith("Most likely this user cannot see prod/mcp: the pods of no pool could be")
    assert result["most_likely"].endswith("Next: kubectl -n prod get pods.") and "nothing is wrong" not in str(shown)


def test_an_object_that_does_not_exist_is_a_cause(api: ApiServer) -> None:
    del api.objects["/api/v1/namespaces/prod/services/mcp-blue"]
    del api.objects["/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"]
    result, _shown = run()
    assert causes(result)[0] == "missing"
    assert "Service prod/mcp-blue does not exist" in result["most_likely"]
    assert [one["pool"] for one in result["findings"] if one["cause"] == "missing"] == ["blue", None]


def test_an_api_server_that_is_away_is_the_cause(api: ApiServer) -> None:
    api.fail(OSError("connection refused"), times=1000)
    with pytest.raises(Failure, match="Nothing of prod/mcp could be read.*Most likely the API server"):
        run()


def test_a_slow_api_ends_in_time(api: ApiServer) -> None:
    api.slow(3, part="/log")
    api.slow(20, part="/events")
    begin = time.monotonic()
    result, _shown = run(timeout=5, node_logs=False)
    assert time.monotonic() - begin < 8
    assert any(one.startswith("Events: not read, as the API server gave no answer") for one in result["not_read"])


def test_patterns_of_users(api: ApiServer) -> None:
    api.logs[f"{pods(api, 'blue')[0]}/mcp"] = b"License has EXPIRED\n"
    own = {
        "name": "license",
        "match": "license .{0,40}expired",
        "cause": "the license has expired",
        "next": "renew {it}",
    }
    result, _shown = run(patterns=[own])
    assert causes(result) == ["license"]
    assert (
        "Most likely the license has expired." in result["most_likely"] and "Next: renew {it}." in result["most_likely"]
    )


def test_the_role_of_the_page_is_enough(api: ApiServer) -> None:
    page = (Path(__file__).parents[5] / "docs" / "diagnose.md").read_text().partition("\n## Rights\n")[2]
    api.role = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    result, _shown = run(gateway={"namespace": "prod", "selector": {"app": "mcp"}})
    assert [one for one in result["not_read"] if "kubelet" not in one] == []
    asked = {(one.method, one.path) for one in api.log}
    assert all(method == "GET" for method, _path in asked)


@pytest.mark.parametrize(("may_read", "said"), [(True, "Most likely a node is lost"), (False, "Most likely nothing")])
def test_a_node_that_is_lost_under_pods_that_look_well(api: ApiServer, may_read: bool, said: str) -> None:
    (lost, other), node = pods(api, "blue"), {"conditions": [{"type": "Ready", "status": "Unknown"}]}
    for pod, where in ((lost, "far"), (other, "near")):
        api.change(f"/api/v1/namespaces/prod/pods/{pod}", {"spec": {"nodeName": where}})
    api.put("/api/v1/nodes/far", {"status": node})
    api.put("/api/v1/nodes/near", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    if not may_read:
        page = (Path(__file__).parents[5] / "docs" / "diagnose.md").read_text().partition("\n## Rights\n")[2]
        api.role = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    result, _shown = run(gateway={"namespace": "prod", "selector": {"app": "mcp"}}, node_logs=False)
    assert result["most_likely"].startswith(said)
    assert causes(result) == (["node_lost"] if may_read else [])
    assert [one for one in result["not_read"] if "Nodes of the pods" in one] == (
        []
        if may_read
        else [
            "Nodes of the pods: not read, as this user has no right to (get nodes, which is optional); see "
            "docs/diagnose.md."
        ]
    )


def test_the_last_word_on_each_server_of_a_fleet(api: ApiServer, tmp_path: Path) -> None:
    fleet = [
        {"host": "a", "status": {"most_likely": "Most likely x.", "lines": ["y"], "findings": []}},
        {"host": "b", "status": {"failed": True, "msg": "Nothing could be read."}},
        {"host": "c", "status": {}},
        {"host": "d\x1b[2J", "status": {"most_likely": "z"}},
    ]
    result, shown = run(fleet=fleet, dest=str(tmp_path / "all.json"))
    assert (
        shown
        == result["lines"]
        == [
            "a: Most likely x.",
            "b: Nothing could be read.",
            "c: was not diagnosed",
            "d [2J: z",
        ]
    )
    assert api.log == []
    document = json.loads((tmp_path / "all.json").read_text())
    assert document["servers"][:2] == [
        {"host": "a", "most_likely": "Most likely x.", "findings": []},
        {"host": "b", "msg": "Nothing could be read."},
    ]
