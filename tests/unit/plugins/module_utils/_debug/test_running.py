# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import time
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._debug import container, job, output
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import Options
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Probe
from ansible_collections.mcp.server.plugins.module_utils._jobs import running
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "")
JOBS = "/apis/batch/v1/namespaces/prod/jobs"
PODS = "/api/v1/namespaces/prod/pods"
EVENTS = "/api/v1/namespaces/prod/events"
ASKED = [Probe("tcp", "database:5432"), Probe("dns", "database")]
DONE = {"terminated": {"exitCode": 0}}
BACKS_OFF = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image: tools:1: not found"}}
QUOTA = "is forbidden: exceeded quota: full, requested: pods=1, used: pods=1, limited: pods=1"


def log(*outputs: tuple[str, int, str], end: str = "done\n") -> bytes:
    lines = [
        json.dumps(
            {
                "probe": index,
                "step": "x",
                "tool": tool,
                "code": code,
                "begun": 1.0,
                "ended": 1.5,
                "coding": "base64",
                "output": base64.b64encode(text.encode()).decode(),
                "errors": "",
            }
        )
        for index, (tool, code, text) in enumerate(outputs)
    ]
    return "".join(f"{line}\n" for line in lines).encode() + end.encode()


ANSWERS = log(("bash", 0, ""), ("getent", 0, "10.0.0.5 STREAM"))


class Cluster(ApiServer):
    """One that makes a pod for each Job. state: of its container, None for no pod. said: the log."""

    def __init__(self, state: dict[str, t.Any] | None = None, said: bytes = ANSWERS) -> None:
        super().__init__({"/api/v1/namespaces/prod": {}})
        self.state, self.said = state, said
        self.controllers.append(self.follow)

    def follow(self, path: str) -> None:
        if not path.startswith(f"{JOBS}/") or self.state is None:
            return
        made = self.objects[path]
        name = f"{made['metadata']['name']}-x"
        owner = {"kind": "Job", "name": made["metadata"]["name"], "uid": made["metadata"]["uid"], "controller": True}
        labels = {"batch.kubernetes.io/job-name": made["metadata"]["name"]}
        self.put(
            f"{PODS}/{name}",
            {
                "metadata": {"labels": labels, "ownerReferences": [owner]},
                "spec": made["spec"]["template"]["spec"],
                "status": {"containerStatuses": [{"name": "debug", "state": self.state}]},
            },
        )
        self.logs[f"{name}/debug"] = self.said


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "POLL", 0.01)
    monkeypatch.setattr(container, "POLL", 0.01)
    monkeypatch.setattr(running, "POD_GRACE", 0.05)


def asked(api: ApiServer, timeout: float = 5.0, check: bool = False, **more: t.Any) -> list[tuple[bool, str]]:
    shown: list[str] = []
    found = job.run(Task({}, check, progress=shown.append), api, SERVER, "tools:1", ASKED, timeout=timeout, **more)
    return [(one.ok, one.detail) for one in found]


def left(api: ApiServer) -> list[str]:
    return [path for path in api.objects if path.startswith((JOBS, PODS))]


def test_a_job_asks_and_is_deleted() -> None:
    api = Cluster(DONE)
    assert asked(api) == [(True, "connected"), (True, "10.0.0.5")]
    assert left(api) == []
    (created,) = [request for request in api.writes(JOBS) if request.method == "POST"]
    assert created.body["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "mcp.server"
    (deleted,) = [request for request in api.writes(JOBS) if request.method == "DELETE"]
    assert deleted.query["propagationPolicy"] == "Background"


def test_nothing_is_created_where_nothing_is_asked() -> None:
    api = Cluster(DONE)
    assert job.run(Task({}), api, SERVER, "tools:1", [], timeout=5.0) == [] and not api.log


def test_check_mode_is_a_dry_run() -> None:
    api = Cluster(DONE)
    assert asked(api, check=True) == [] and left(api) == []
    assert [request.query for request in api.log if request.method == "POST"] == [{"dryRun": "All"}]
    assert {request.method for request in api.log} == {"GET", "POST"}


def test_two_at_once_have_jobs_of_their_own() -> None:
    api = Cluster(DONE)
    for _time in range(2):
        asked(api, stay=60)
    assert len([path for path in left(api) if path.startswith(JOBS)]) == 2


def test_the_pod_of_another_job_does_not_count() -> None:
    api = Cluster(DONE)
    stranger = {"metadata": {"ownerReferences": [{"uid": "other", "controller": True}]}}
    api.call(lambda: [api.change(path, stranger) for path in left(api) if path.startswith(PODS)], "GET", PODS, times=2)
    with pytest.raises(Failure, match="has not started within 0.3 s"):
        asked(api, timeout=0.3)


@pytest.mark.parametrize("state", [{"running": {}}, DONE])
def test_what_was_answered_in_time_counts(state: dict[str, t.Any]) -> None:
    """Also when the container still runs at the end of the time, or its log is cut off."""
    api = Cluster(state, log(("bash", 0, ""), end="{"))
    assert asked(api, timeout=0.3) == [(True, "connected"), (False, "it was not asked before the time was over")]
    assert left(api) == []


def test_an_answer_that_is_cut_off_counts_as_far_as_it_came() -> None:
    def cut() -> t.Iterator[bytes]:
        yield log(("bash", 0, ""), end="")
        raise Unreachable("cut")

    api = Cluster(DONE)
    api.put(f"{PODS}/p", {"spec": {"containers": [{"name": "debug"}]}})
    api.logs["p/debug"] = cut
    steps = output.steps(api, "prod", api.objects[f"{PODS}/p"])
    assert [step.tool for step in steps] == ["bash"]


def test_a_container_that_stays_is_not_waited_for() -> None:
    api, begun = Cluster({"running": {}}), time.monotonic()
    assert asked(api, stay=600)[0] == (True, "connected")
    assert time.monotonic() - begun < 3 and len(left(api)) == 2


def test_an_interrupted_task_deletes_its_job() -> None:
    api = Cluster({"running": {}})

    def interrupt() -> None:
        raise Interrupted("SIGTERM")

    api.call(interrupt, "GET", PODS)
    with pytest.raises(Interrupted):
        asked(api)
    assert left(api) == []


def test_a_job_that_cannot_be_deleted_is_left_to_the_cluster() -> None:
    api = Cluster(DONE)
    api.refused.add("delete jobs")
    assert asked(api)[0] == (True, "connected") and len(left(api)) == 2


@pytest.mark.parametrize("stored", [True, False])
def test_a_job_whose_creation_was_not_answered(stored: bool) -> None:
    api = Cluster(DONE)
    api.fail(Unanswered("no answer"), "POST", after=stored)
    assert asked(api)[0] == (True, "connected") and left(api) == []


@pytest.mark.parametrize(
    ("status", "message", "cure"),
    [
        (403, f'jobs.batch "x" {QUOTA}', "free some of the quota, or raise it."),
        (403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', "accepts."),
        (400, 'admission webhook "images.example" denied the request: image is not signed', "(mcp_debug_image_ref)."),
        (
            500,
            'Internal error occurred: failed calling webhook "images.example": no endpoints',
            "validatingwebhookconfigurations,mutatingwebhookconfigurations lists.",
        ),
        (
            403,
            "pods is forbidden: unable to validate against any security context constraint",
            "(mcp_debug_user) to 0.",
        ),
        (422, "ValidatingAdmissionPolicy 'images' denied request: no", "(mcp_debug_image_ref)."),
    ],
)
def test_what_refuses_a_job_or_its_pod_is_one_sentence(status: int, message: str, cure: str) -> None:
    api = Cluster()
    api.fail(StatusError(status, message), "POST", JOBS)
    with pytest.raises(Failure) as refused:
        asked(api)
    said = refused.value.msg
    assert said.startswith("The cluster refuses a Job in prod to debug prod/mcp (") and said.endswith(cure)
    assert "grant this user" not in said and said.isprintable() and left(api) == []
    assert said.count(cure) == 1, "what to do is said once"

    if "failed calling webhook" in message:  # which may pass
        return
    api = Cluster()
    api.controllers.append(lambda path: path.startswith(JOBS) and api.put(f"{EVENTS}/e", event(api, path, message)))
    with pytest.raises(Failure) as refused:
        asked(api)
    assert refused.value.msg.startswith("The cluster refuses the pod of Job prod/mcp-debug-")
    assert refused.value.msg.endswith(cure) and left(api) == []


def event(api: ApiServer, path: str, message: str) -> dict[str, t.Any]:
    about = {"kind": "Job", "uid": api.objects[path]["metadata"]["uid"]}
    return {
        "involvedObject": about,
        "type": "Warning",
        "reason": "FailedCreate",
        "message": f"Error creating: {message}",
    }


def test_a_missing_right_is_not_taken_for_a_refusal_of_the_object() -> None:
    api = Cluster()
    api.refused.add("create jobs")
    with pytest.raises(Forbidden, match="grant this user the Role"):
        asked(api)


def test_a_webhook_that_fails_may_come_back() -> None:
    api = Cluster()
    message = 'failed calling webhook "images.example": connection refused'
    api.controllers.append(lambda path: path.startswith(JOBS) and api.put(f"{EVENTS}/e", event(api, path, message)))
    with pytest.raises(Failure, match=r"has not started within 0.4 s \(Error creating: failed calling webhook"):
        asked(api, timeout=0.4)


def test_an_image_that_is_not_there_ends_the_wait() -> None:
    api = Cluster(BACKS_OFF)
    begun = time.monotonic()
    with pytest.raises(Failure, match="check the image's name and tag"):
        asked(api, timeout=30.0)
    assert time.monotonic() - begun < 5 and left(api) == []


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ('pods "d" is forbidden: exceeded quota: full', "free some of the quota"),
        ("cpu max limit to request ratio per Container is 4, but provided ratio is 50.000000", "let the namespace's"),
        ("minimum memory usage per Container is 64Mi, but request is 32Mi", "let the namespace's LimitRange allow"),
        ("maximum cpu usage per Pod is 100m, but limit is 500m", "let the namespace's LimitRange allow"),
        ("connection refused", None),
    ],
)
def test_what_refuses_a_pod_for_ever_is_known_by_its_words(said: str, advice: str | None) -> None:
    found = running.refused(said, job.purpose(SERVER))
    assert (found is not None and found[1].startswith(advice)) if advice else found is None


def test_a_pod_that_was_evicted_ends_the_wait() -> None:
    api = Cluster({})
    evicted = {"status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}}
    api.call(lambda: [api.change(f"{path}/status", evicted) for path in left(api)[1:]], "GET", PODS, times=2)
    with pytest.raises(Failure, match=r"its pod has ended \(Evicted: The node was low on memory\)"):
        asked(api, timeout=30.0)


def test_events_need_no_right() -> None:
    api = Cluster()
    api.refused.add("list events")
    with pytest.raises(Failure, match="its pod waits"):
        asked(api, timeout=0.3)


# A container in a pod


class Node(ApiServer):
    """One whose pod runs each ephemeral container at once. state: that it is in then."""

    def __init__(self, state: dict[str, t.Any], said: bytes = ANSWERS) -> None:
        super().__init__({f"{PODS}/mcp-blue-1": {"spec": {"containers": [{"name": "mcp"}]}, "status": {}}})
        self.state, self.said = state, said
        self.controllers.append(self.follow)

    def follow(self, path: str) -> None:
        pod = self.objects[path]
        names = [one["name"] for one in pod["spec"].get("ephemeralContainers", [])]
        pod["status"]["ephemeralContainerStatuses"] = [{"name": name, "state": self.state} for name in names]
        self.logs |= {f"mcp-blue-1/{name}": self.said for name in names}


def beside(api: ApiServer, check: bool = False, timeout: float = 5.0, **more: t.Any) -> tuple[list[bool], str]:
    options = Options("tools:1", timeout, **more)
    outcomes, name, _patch = container.in_pod(Task({}, check), api, SERVER, "mcp-blue-1", options, ASKED)
    return [one.ok for one in outcomes], name


def added(api: ApiServer) -> list[str]:
    return [one["name"] for one in api.objects[f"{PODS}/mcp-blue-1"]["spec"].get("ephemeralContainers", [])]


@pytest.mark.parametrize(("state", "stay"), [(DONE, 0), ({"running": {}}, 600)])
def test_a_container_asks_in_the_pod(state: dict[str, t.Any], stay: int) -> None:
    api = Node(state)
    oks, name = beside(api, stay=stay)
    assert oks == [True, True] and added(api) == [name]
    # A second one does not touch the first.
    assert beside(api, stay=stay)[0] == [True, True] and len(added(api)) == 2
    assert {path for _method, path in api.asked("PATCH")} == {f"{PODS}/mcp-blue-1/ephemeralcontainers"}


def test_check_mode_adds_no_container() -> None:
    api = Node(DONE)
    assert beside(api, check=True)[0] == [] and added(api) == []


@pytest.mark.parametrize("stored", [True, False])
def test_a_container_whose_addition_was_not_answered_is_added_once(stored: bool) -> None:
    api = Node(DONE)
    api.fail(Unanswered("no answer"), "PATCH", after=stored)
    assert beside(api)[0] == [True, True] and len(added(api)) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (BACKS_OFF, "check the image's name and tag"),
        ({"waiting": {"reason": "RunContainerError", "message": 'exec: "timeout": not found'}}, "the command timeout"),
        ({"waiting": {"reason": "ContainerCreating"}}, r"within 0.2 s \(ContainerCreating\)"),
        ({}, "the kubelet says nothing of it"),
    ],
)
def test_a_container_that_does_not_start_is_one_sentence(state: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Failure, match=words) as failed:
        beside(Node(state), timeout=0.2)
    assert failed.value.msg.isprintable()


def test_a_refused_container_is_one_sentence() -> None:
    api = Node(DONE)
    api.fail(StatusError(403, 'pods "mcp-blue-1" is forbidden: violates PodSecurity "restricted:latest": x'), "PATCH")
    with pytest.raises(Failure, match="refuses a container in pod prod/mcp-blue-1 to debug prod/mcp"):
        beside(api)
