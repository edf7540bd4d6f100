# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
import time
import typing as t
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._drill import last
from ansible_collections.mcp.server.plugins.module_utils._guide import stamps
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_status_info
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._status import reading
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server
from ansible_collections.mcp.server.tests.unit.fakes.records import RECORD, release
from ansible_collections.mcp.server.tests.unit.fakes.statuses import status

PODS = "/api/v1/namespaces/prod/pods"
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/prod/pods"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/mcp-{}"
SERVICE = "/api/v1/namespaces/prod/services/mcp-{}"
NOTE = {"since": "2026-11-27T21:00:00Z", "by": "kim@runner", "reason": "outage 7", "changes": {}}


def sandbox(replicas: int = 2) -> ApiServer:
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2", replicas=replicas))
    Controllers(api)
    for path, pod in list(api.objects.items()):
        if path.startswith(f"{PODS}/"):
            pod["metadata"]["creationTimestamp"] = "2026-11-27T21:00:00Z"
            name, labels = pod["metadata"]["name"], pod["metadata"]["labels"]
            containers = [{"name": "mcp", "usage": {"memory": "64Mi", "cpu": "20m"}}]
            api.put(f"{METRICS}/{name}", {"metadata": {"labels": labels}, "containers": containers})
    api.clock = lambda: datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
    return api


def run(**options: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    validated = ArgumentSpecValidator(mcp_status_info.SPEC.options).validate(
        {"namespace": "prod", "server": "mcp", **options}
    )
    assert not validated.error_messages
    shown: list[str] = []
    return mcp_status_info.run(Task(validated.validated_parameters, progress=shown.append)), shown


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    found = sandbox()
    monkeypatch.setattr(connection, "connect", lambda params: found)
    return found


def test_a_server_that_is_well(api: ApiServer) -> None:
    result, shown = run()
    assert result["lines"] == shown and shown[0] == "prod/mcp: ok"
    assert (result["state"], result["findings"], result["unread"], result["drift"]) == ("ok", [], [], [])
    assert result["release"]["live"] == "blue" and result["route"]["weights"] == {"blue": 100, "green": 0}
    assert [(one["pool"], one["ready"]) for one in result["instances"]] == [("blue", True)] * 2 + [("green", True)] * 2
    assert result["instances"][0]["memory_bytes"] == 64 * 1024**2 and result["instances"][0]["age_seconds"] == 3600
    assert result["pools"]["blue"]["endpoints"] == {"ready": 2, "total": 2}
    # As mcp_version_check returns it
    assert result["pools"]["blue"]["ready"] == result["pools"]["blue"]["replicas"] == 2
    assert set(result["pools"]["blue"]["pods"][0]) == {
        "name", "image_ref", "digest", "ready", "health_version", "server_version", "problem"
    }  # fmt: skip
    assert not api.writes()


def test_it_shows_nothing_when_not_asked_to(api: ApiServer) -> None:
    result, shown = run(show=False)
    assert not shown and result["lines"]


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (ROUTE, ["down", "HTTPRoute prod/mcp does not exist"]),
        (DEPLOYMENT.format("green"), ["attention", "Deployment prod/mcp-green of pool green does not exist."]),
        (DEPLOYMENT.format("blue"), ["attention", "Deployment prod/mcp-blue of pool blue does not exist."]),
        (SERVICE.format("green"), ["attention", "Service prod/mcp-green of pool green does not exist."]),
    ],
)
def test_a_server_that_is_half_missing_shows_the_rest(api: ApiServer, gone: str, words: list[str]) -> None:
    del api.objects[gone]
    result, shown = run()
    assert result["state"] == words[0] and any(words[1] in line for line in shown)
    # The pods of a pool without a Service are those of its workload.
    assert len(result["instances"]) == 4


@pytest.mark.parametrize(
    ("refused", "words", "state"),
    [
        ("list pods.metrics.k8s.io", "Memory and CPU are not known", "ok"),
        ("get leases.coordination.k8s.io", "leases", "ok"),
        ("get configmaps", "configmaps", "ok"),
        ("list endpointslices.discovery.k8s.io", "endpointslices", "unknown"),
        ("get httproutes.gateway.networking.k8s.io", "httproutes", "unknown"),
        ("get deployments.apps", "deployments", "ok"),
        ("list horizontalpodautoscalers.autoscaling", "", "ok"),
    ],
)
def test_what_is_refused_is_one_line_each(api: ApiServer, refused: str, words: str, state: str) -> None:
    verb, resource = refused.split()
    part = f"/{resource.partition('.')[0]}"
    if "metrics" in refused:
        part = "metrics.k8s.io"
    api.fail(Forbidden(f"The API server refuses: {resource}; grant this user the Role."), "GET", part, times=99)
    result, shown = run()
    assert result["state"] == state, result["findings"]
    assert not words or any(words in line for line in result["unread"])
    assert len(result["unread"]) <= 3 and len(result["instances"]) == 4
    assert any(line.startswith("POOL") for line in shown)


def test_no_metrics_server(api: ApiServer) -> None:
    for path in [path for path in api.objects if path.startswith(METRICS)]:
        del api.objects[path]
    api.fail(connection.NotFound("no such path"), "GET", "metrics.k8s.io", times=9)
    result, _shown = run()
    assert result["unread"] == ["Memory and CPU are not known: the cluster has no metrics-server."]
    assert result["state"] == "ok" and result["instances"][0]["memory_bytes"] is None


def test_an_api_server_that_does_not_answer_is_a_failure(api: ApiServer) -> None:
    api.fail(Unreachable("The API server https://cluster does not answer."), times=99)
    with pytest.raises(Failure, match="does not answer"):
        run()


def test_an_api_server_that_is_slow_is_waited_for_once(api: ApiServer) -> None:
    api.slow(0.3)
    began = time.monotonic()
    result, _shown = run()
    assert result["state"] == "ok" and time.monotonic() - began < 6


def test_a_broken_glass_and_bypassed_checks(api: ApiServer) -> None:
    api.change(SERVICE.format("blue"), {"metadata": {"annotations": {broken_glass.ANNOTATION: json.dumps(NOTE)}}})
    one = release("succeeded", bypassed=["gates"], bypass_reason="outage 7")
    one["to"] = {**one["to"], "pool": "blue", "image_ref": "r/x:v1"}
    api.put(RECORD, {"data": {"current": json.dumps(one), "history": "[]"}})
    result, shown = run()
    assert result["state"] == "degraded" and "kim@runner: outage 7" in shown[1]
    assert result["broken_glass"]["objects"][0]["object"] == "Service prod/mcp-blue"


def test_drift(api: ApiServer) -> None:
    template = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 5}}}}
    api.change(DEPLOYMENT.format("green"), template)
    result, _shown = run()
    assert result["drift"] == ["Pools differ in spec.terminationGracePeriodSeconds: blue (missing), green 5."]
    assert result["state"] == "attention"


def test_a_pod_that_was_killed_says_why(api: ApiServer) -> None:
    path = next(path for path in api.objects if path.startswith(f"{PODS}/mcp-blue"))
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-27T21:59:00Z"}
    own = api.objects[path]["status"]["containerStatuses"][0]
    own |= {"restartCount": 2, "lastState": {"terminated": ended}}
    result, shown = run()
    assert result["instances"][0]["restart_reason"] == "OOMKilled, exit code 137"
    assert any("2 (OOMKilled, exit code 137)" in line for line in shown)
    assert result["findings"][0].startswith("Restarted within the last hour: mcp-blue-")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, api: ApiServer) -> dict[str, list[dict[str, t.Any]]]:
    """Stand in for the two modules that are asked, and return with which options."""
    calls: dict[str, list[dict[str, t.Any]]] = {"WATCH": [], "GATE": []}
    gates = [{"gate": "errors", "verdict": "breach", "reason": "9.0 % is above the limit of 5 %"}]
    results = {
        "WATCH": {"msg": "3 of 40 requests failed.", "blue": 87.5, "requests": 40, "failed_requests": 3},
        "GATE": {"gates": gates},
    }

    def stand_in(name: str) -> None:
        def run(task: Task) -> dict[str, t.Any]:
            calls[name].append(task.params)
            if "msg" in results[name]:
                raise Failure(**results[name])
            return t.cast(dict[str, t.Any], results[name])

        monkeypatch.setattr(mcp_status_info, name, replace(getattr(mcp_status_info, name), run=run))

    for name in calls:
        stand_in(name)
    return calls


def test_answers_and_triggers(called: dict[str, list[dict[str, t.Any]]]) -> None:
    public, prometheus = {"url": "http://127.0.0.1:9"}, {"url": "http://127.0.0.1:8"}
    result, shown = run(endpoint=public, prometheus=prometheus, seconds=1.5, triggers={"errors": {"limit": 3}})
    assert result["state"] == "degraded"
    assert set(result["findings"]) == {
        "3 of 40 requests failed.",
        "Trigger errors of pool blue: 9.0 % is above the limit of 5 %.",
    }
    (watch,), (gate,) = called["WATCH"], called["GATE"]
    # It must not wait for a gateway that does not answer.
    assert (watch["seconds"], watch["inconclusive_timeout"], watch["rollback"]) == (1.5, 0.0, False)
    assert (gate["pool"], gate["fail_on"], gate["gates"]) == ("blue", "never", {"errors": {"limit": 3}})
    assert any("87.5 %" in line for line in shown) and "of 40 answers" in shown


@pytest.mark.parametrize("options", [{"endpoint": {"url": "http://127.0.0.1:9"}, "seconds": 0}, {}])
def test_no_answers_are_counted(called: dict[str, list[dict[str, t.Any]]], options: dict[str, t.Any]) -> None:
    result, _shown = run(**options)
    assert result["share"] == {} and result["triggers"] == [] and called == {"WATCH": [], "GATE": []}


def test_prometheus_away_is_one_line(api: ApiServer) -> None:
    result, _shown = run(prometheus={"url": "http://127.0.0.1:1"})
    assert result["state"] == "ok"
    (sentence,) = result["unread"]
    assert "127.0.0.1:1 does not answer" in sentence


def test_a_fleet_is_shown_and_written(api: ApiServer, tmp_path: t.Any) -> None:
    file = tmp_path / "new" / "status.json"
    servers = [
        {"host": "good", "status": status(changed=False, lines=["x"])},
        {"host": "away", "status": {"failed": True, "msg": "No answer."}},
    ]
    result, shown = run(fleet=servers, dest=str(file))
    assert shown == result["lines"] and shown[-1] == "2 servers: 1 unknown, 1 ok"
    written = json.loads(file.read_text())["servers"]
    assert written[0] == {"host": "away", "state": "unknown", "msg": "No answer."}
    assert written[1]["host"] == "good" and written[1]["instances"] and "lines" not in written[1]
    assert [path.name for path in file.parent.iterdir()] == ["status.json"]
    assert not api.log


def test_the_file_of_one_server(api: ApiServer, tmp_path: t.Any) -> None:
    run(dest=str(tmp_path / "a.json"))
    assert json.loads((tmp_path / "a.json").read_text())["servers"][0]["state"] == "ok"
    with pytest.raises(Failure, match="Cannot write the status to .*: .*dest"):
        run(dest=str(tmp_path))


def test_a_fleet_of_one_shows_no_table_but_instances_that_nobody_knows(api: ApiServer) -> None:
    one = [{"host": "good", "status": status()}]
    assert run(fleet=one)[1] == []
    found = run(fleet=one, others=[{"namespace": "x", "pod": "y"}], others_problem="no right", label_selector="a=b")[1]
    assert found == [
        "1 pod belongs to no server of this inventory, by the labels a=b: x/y",
        "instances that no server has: not read: no right",
    ]


class Health(BaseHTTPRequestHandler):
    """A pod's health document, which has the instance's id and what must not count."""

    protocol_version = "HTTP/1.1"
    document: t.ClassVar[t.Any] = {"version": "1.1.5", "instance_id": "i-1", "secret": "planted"}

    def do_GET(self) -> None:
        body = b"sessions 3\n" if self.path == "/metrics" else json.dumps(self.document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: t.Any) -> None:
        pass


@pytest.fixture
def health() -> t.Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    server.daemon_threads, server.request_queue_size = True, 256
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("asked", [{}, {"health_path": "/health"}])
def test_two_hundred_pods_take_at_most_three_seconds(
    asked: dict[str, t.Any], health: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("ASKING", "A_POD"):  # on a busy machine pods would be left out, and the rest be quick
        monkeypatch.setattr(reading, bound, 60.0)
    api = sandbox(100)
    api.ports = {path.rpartition("/")[2]: health for path in api.objects if path.startswith(f"{PODS}/")}
    with serving(api) as url:
        began = time.process_time(), time.monotonic()
        result, shown = run(host=url, **asked)
        # Other tests run beside this one: of both clocks, the one that they slow less.
        seconds = min(time.process_time() - began[0], time.monotonic() - began[1])
    assert len(result["instances"]) == 200 and sum("64 MiB" in line for line in shown) == 200
    assert {one["health_version"] for one in result["instances"]} == ({"1.1.5"} if asked else {None})
    assert seconds < 3, seconds


def test_pods_tell_their_id_and_their_sessions(api: ApiServer, health: int) -> None:
    api.ports = {path.rpartition("/")[2]: health for path in api.objects if path.startswith(f"{PODS}/")}
    lost = next(iter(api.ports))
    del api.ports[lost]
    result, shown = run(health_path="/health", sessions_metric={"name": "sessions", "port": 9})
    known = [one for one in result["instances"] if one["pod"] != lost]
    assert {(one["instance_id"], one["sessions"], one["problem"]) for one in known} == {("i-1", 3, None)}
    assert sum(pool["sessions"] for pool in result["pools"].values()) == 9
    (gap,) = result["unread"]
    assert gap.startswith("1 pod did not report everything. Cannot forward a port to")
    assert "planted" not in json.dumps(result) and any("INSTANCE" in line for line in shown)


def test_the_last_drill_of_a_server_for_drills(api: ApiServer) -> None:
    assert run()[0]["last_drill"] is None
    result, shown = run(drill=True)
    assert result["last_drill"] == {"at": None, "passed": None} and result["state"] == "attention"
    text = json.dumps({"at": "2026-11-20T06:00:00Z", "passed": True})
    api.put(RECORD, {"metadata": {"annotations": {last.ANNOTATION: text}}, "data": {}})
    result, shown = run(drill=True)
    assert result["state"] == "ok" and shown[-1] == "last drill: 2026-11-20 06:00:00 UTC, passed"


def test_when_the_guide_was_last_validated_on_a_server_for_it(api: ApiServer) -> None:
    assert run()[0]["last_guide"] is None
    result, shown = run(guide=True)
    assert result["last_guide"] == {"at": None, "failed": 0} and result["state"] == "attention"
    notes = {
        "nodes": {"at": "2026-11-19T06:00:00Z", "verdict": "failed"},
        "secrets": {"at": "2026-11-20T06:00:00Z", "verdict": "passed"},
    }
    api.put(RECORD, {"metadata": {"annotations": {stamps.ANNOTATION: json.dumps(notes)}}, "data": {}})
    result, shown = run(guide=True)
    assert result["last_guide"] == {"at": "2026-11-20T06:00:00Z", "failed": 1} and result["state"] == "attention"
    assert shown[-1] == "guide last validated: 2026-11-20 06:00:00 UTC, 1 failed"


def test_the_container_of_any_name_has_an_image_of_its_own(api: ApiServer) -> None:
    """A stranger's, and its version is no drift."""
    for pool in ("blue", "green"):
        api.objects[DEPLOYMENT.format(pool)]["spec"]["template"]["spec"]["containers"][0]["name"] = "app"
    assert run()[0]["drift"] == []


def test_what_people_and_others_wrote_is_shown_without_secrets(api: ApiServer, tmp_path: t.Any) -> None:
    note = {**NOTE, "reason": "login with password=planted-one"}
    api.change(ROUTE, {"metadata": {"annotations": {broken_glass.ANNOTATION: json.dumps(note)}}})
    api.fail(Forbidden("refused: Authorization: Bearer planted-two-planted"), "GET", SERVICE.format("green"), times=99)
    result, _shown = run(dest=str(tmp_path / "status.json"))
    assert "is broken" in result["broken_glass"]["sentence"] and any("refused" in one for one in result["unread"])
    assert "planted" not in json.dumps(result) + (tmp_path / "status.json").read_text()
