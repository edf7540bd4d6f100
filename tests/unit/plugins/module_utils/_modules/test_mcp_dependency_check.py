# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import threading
import time
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._dependencies import trying
from ansible_collections.mcp.server.plugins.module_utils._jobs import running
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unanswered
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_dependency_check
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, Object, StatusError
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

PODS = "/api/v1/namespaces/prod/pods"
JOBS = "/apis/batch/v1/namespaces/prod/jobs"
EVENTS = "/api/v1/namespaces/prod/events"
DATABASE = {"name": "database", "command": ["psql"], "expect": "^1$", "image_ref": "postgres:15"}
SERVICES = {"name": "services", "command": ["./health-check"]}
DONE = {"terminated": {"exitCode": 0}}


class Cluster(ApiServer):
    """One that runs the pod of each Job at once. states: of its container, by the first word of its command."""

    def __init__(self) -> None:
        super().__init__(mcp_server("prod", "mcp", blue="r/mcp:1", green="r/mcp:2", replicas=1))
        self.states: dict[str, Object | None] = {"psql": DONE, "./health-check": DONE}
        Controllers(self)
        self.controllers.append(self.run)

    def run(self, path: str) -> None:
        if not path.startswith(f"{JOBS}/"):
            return
        made = self.objects[path]
        name, spec = made["metadata"]["name"], made["spec"]["template"]["spec"]
        word = spec["containers"][0]["command"][0]
        if (state := self.states[word]) is None:
            return
        self.put(
            f"{PODS}/{name}-x",
            {
                "metadata": {
                    "labels": {"batch.kubernetes.io/job-name": name},
                    "ownerReferences": [{"uid": made["metadata"]["uid"], "controller": True}],
                },
                "spec": spec,
                "status": {"containerStatuses": [{"name": "check", "state": state}]},
            },
        )
        self.logs[f"{name}-x/check"] = b"1\n" if word == "psql" else b"All reachable\n"

    @property
    def left(self) -> list[str]:
        # A copy: threads may write meanwhile.
        return [path for path in list(self.objects) if path.startswith((JOBS, f"{PODS}/mcp-check"))]

    def made(self) -> list[Object]:
        return [request.body for request in self.log if request.method == "POST" and request.path == JOBS]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    api = Cluster()
    monkeypatch.setattr(connection, "connect", lambda params: api)
    monkeypatch.setattr(running, "POLL", 0.01)
    monkeypatch.setattr(running, "POD_GRACE", 0.05)
    monkeypatch.setattr(trying, "STARTING", 0.3)
    return api


def params(**options: t.Any) -> dict[str, t.Any]:
    spec = mcp_dependency_check.SPEC
    given = {"namespace": "prod", "server": "mcp", **options}
    validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    return validated.validated_parameters


def tried(*dependencies: Object, check: bool = False, **options: t.Any) -> dict[str, tuple[str, str]]:
    shown: list[str] = []
    task = Task(params(dependencies=list(dependencies), **options), check, progress=shown.append)
    try:
        found = mcp_dependency_check.run(task)
    except Failure as failure:
        found = failure.evidence
        assert failure.msg
    assert found["changed"] is False
    return {one["id"]: (one["verdict"], one["message"]) for one in found["checks"]}


def verdicts(found: dict[str, tuple[str, str]]) -> list[str]:
    return [verdict for verdict, _message in found.values()]


def test_each_is_tried_and_nothing_stays(api: Cluster) -> None:
    found = tried(DATABASE, SERVICES)
    assert list(found) == ["dependency_database", "dependency_services"] and verdicts(found) == ["passed", "passed"]
    assert len(api.made()) == 2 and api.left == []
    images = {job["spec"]["template"]["spec"]["containers"][0]["image"] for job in api.made()}
    assert images == {"postgres:15", "r/mcp:1"}, "blue is live"
    names = [job["metadata"]["name"] for job in api.made()]
    assert all(re.fullmatch(r"mcp-check-[0-9a-f]{8}", name) for name in names) and len(set(names)) == 2


@pytest.mark.parametrize(("pool", "image"), [("live", "r/mcp:1"), ("idle", "r/mcp:2"), ("green", "r/mcp:2")])
def test_the_pool_gives_the_template(api: Cluster, pool: str, image: str) -> None:
    assert verdicts(tried(SERVICES, pool=pool)) == ["passed"]
    assert api.made()[0]["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_nothing_is_declared(api: Cluster) -> None:
    assert verdicts(tried()) == ["skipped"] and not api.log


def test_one_that_fails_does_not_keep_others_from_being_tried(api: Cluster) -> None:
    api.states["psql"] = {"terminated": {"exitCode": 2}}
    found = tried(DATABASE, SERVICES)
    assert verdicts(found) == ["failed", "passed"] and "exit code 2" in found["dependency_database"][1]
    warned = mcp_dependency_check.run(Task(params(dependencies=[{**DATABASE, "required": False}])))
    assert warned["checks"][0]["verdict"] == "failed", "and the task passes"


def test_check_mode_is_a_dry_run(api: Cluster) -> None:
    found = tried(DATABASE, SERVICES, check=True)
    assert verdicts(found) == ["skipped", "skipped"] and api.left == []
    assert [request.query for request in api.log if request.method == "POST"] == [{"dryRun": "All"}] * 2
    assert not [request for request in api.log if request.method == "DELETE"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("check", [False, True])
def test_an_answer_that_is_lost_makes_no_second_job_and_no_real_one_of_a_dry_run(
    api: Cluster, after: bool, check: bool
) -> None:
    api.fail(Unanswered("The API server was cut off."), "POST", JOBS, after=after)
    assert verdicts(tried(DATABASE, check=check)) == ["skipped" if check else "passed"]
    assert {request.query.get("dryRun") for request in api.log if request.method == "POST"} == {
        "All" if check else None
    }
    assert api.left == []


@pytest.mark.parametrize(
    ("state", "verdict", "why"),
    [
        ({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}, "cannot_measure", "image's name and tag"),
        (
            {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "database" not found'}},
            "failed",
            'secret "database" not found',
        ),
        (
            {
                "waiting": {
                    "reason": "CreateContainerConfigError",
                    "message": "container has runAsNonRoot and image will run as root",
                }
            },
            "cannot_measure",
            "set user of the dependency",
        ),
        (
            {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no such file"}},
            "cannot_measure",
            "no such",
        ),
        (None, "cannot_measure", "has not started within"),
    ],
)
def test_why_a_command_did_not_run(
    api: Cluster, monkeypatch: pytest.MonkeyPatch, state: Object | None, verdict: str, why: str
) -> None:
    monkeypatch.setattr(running, "GRACE", -1.0)
    api.states["psql"] = state
    found = tried({**DATABASE, "timeout": 1})
    assert verdicts(found) == [verdict] and why in found["dependency_database"][1], found
    assert api.left == []


def test_a_command_without_an_end(api: Cluster) -> None:
    api.states["psql"] = {"running": {}}
    found = tried({**DATABASE, "timeout": 1})
    assert verdicts(found) == ["failed"] and "has not ended within 1 s" in found["dependency_database"][1]
    assert api.left == []


@pytest.mark.parametrize(
    ("message", "cure"),
    [
        ("exceeded quota: full, requested: count/jobs.batch=1", "free some of the quota"),
        ('violates PodSecurity "restricted:latest": runAsNonRoot != true', "Pod Security level accepts"),
    ],
)
def test_what_refuses_a_job_is_said(api: Cluster, message: str, cure: str) -> None:
    api.fail(StatusError(403, f'jobs.batch "x" is forbidden: {message}'), "POST", JOBS, times=2)
    found = tried(DATABASE)
    assert verdicts(found) == ["cannot_measure"] and cure in found["dependency_database"][1], found


def test_a_missing_right_is_said(api: Cluster) -> None:
    api.refused.add("create jobs")
    found = tried(DATABASE)
    assert verdicts(found) == ["cannot_measure"] and "was not tried: " in found["dependency_database"][1]
    api.refused = {"get deployments"}
    both = tried(DATABASE, SERVICES)
    assert verdicts(both) == ["cannot_measure", "cannot_measure"] and api.made()[1:] == []


def test_an_output_that_is_cut_is_not_taken_for_another_answer(api: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_args: t.Any, **_query: t.Any) -> t.Iterator[bytes]:
        yield b"NOTICE: connected\n"
        raise Unreachable("The API server was cut off.")

    monkeypatch.setattr(api, "stream", cut)
    assert verdicts(tried(DATABASE, SERVICES)) == ["cannot_measure", "passed"]


def test_output_that_may_not_be_read(api: Cluster) -> None:
    api.refused.add("get pods/log")
    assert verdicts(tried(DATABASE, SERVICES)) == ["cannot_measure", "passed"]


def test_without_a_route_the_pool_must_be_named(api: Cluster) -> None:
    api.refused.add("get httproutes")
    found = tried(SERVICES)
    assert (
        verdicts(found) == ["cannot_measure"] and "set pool (mcp_dependencies_pool)" in found["dependency_services"][1]
    )
    assert verdicts(tried(SERVICES, pool="blue")) == ["passed"]


def test_an_api_server_that_does_not_answer_is_said_once(api: Cluster) -> None:
    api.fail(Unreachable("The API server does not answer."), "GET", "", times=99)
    found = tried(DATABASE, SERVICES)
    assert list(found.values()) == [("cannot_measure", "The API server does not answer.")] * 2 and api.made() == []


def test_an_interrupted_task_deletes_its_jobs(api: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    api.states["psql"] = {"running": {}}

    def interrupt(*_args: t.Any) -> None:
        end = time.monotonic() + 10
        while not api.left and time.monotonic() < end:
            time.sleep(0.001)
        raise Interrupted("SIGTERM")

    monkeypatch.setattr(trying, "_awaited", interrupt)
    with pytest.raises(Interrupted):
        tried(DATABASE)
    assert [path for path in api.left if path.startswith(JOBS)] == []


def test_after_an_interruption_none_of_those_that_waited_begins(api: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    follows, may_end, ended = threading.Event(), threading.Event(), threading.Semaphore(0)
    tried_one = trying._tried

    def followed(*_args: t.Any, **_options: t.Any) -> Object:
        follows.set()
        may_end.wait(10)
        raise running.NotStarted("its Job is gone")

    def counted(*args: t.Any) -> str:
        try:
            return tried_one(*args)
        finally:
            ended.release()

    def interrupt(*_args: t.Any) -> None:
        assert follows.wait(10)
        raise Interrupted("SIGTERM")

    monkeypatch.setattr(trying, "AT_ONCE", 1)
    monkeypatch.setattr(trying, "_tried", counted)
    monkeypatch.setattr(running, "followed", followed)
    monkeypatch.setattr(trying, "_awaited", interrupt)
    with pytest.raises(Interrupted):
        tried(DATABASE, SERVICES, {**SERVICES, "name": "third"})
    may_end.set()
    assert all(ended.acquire(timeout=10) for _number in range(3))
    assert len(api.made()) == 1 and api.left == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "Database"}, "the name must be"),
        ({"command": []}, "command is empty"),
        ({"image_ref": "no image!"}, "is not an image reference"),
        ({"timeout": 0}, "timeout must be from 1 to 600"),
        ({"user": -1}, "user must be"),
        ({"expect": "("}, "is not a regular expression"),
    ],
)
def test_wrong_options_are_refused_before_the_cluster_is_asked(api: Cluster, change: Object, why: str) -> None:
    with pytest.raises(Failure, match=re.escape(why)):
        mcp_dependency_check.run(Task(params(dependencies=[{**DATABASE, **change}])))
    assert not api.log


def test_too_many_and_two_of_a_name_are_refused(api: Cluster) -> None:
    with pytest.raises(Failure, match="only one of its kind"):
        mcp_dependency_check.run(Task(params(dependencies=[DATABASE, DATABASE])))
    many = [{**DATABASE, "name": f"d{number}"} for number in range(21)]
    with pytest.raises(Failure, match="at most 20"):
        mcp_dependency_check.run(Task(params(dependencies=many)))
    with pytest.raises(Failure, match="ttl must be"):
        mcp_dependency_check.run(Task(params(dependencies=[DATABASE], ttl=-1)))
    assert not api.log


def test_labels_are_text() -> None:
    assert mcp_dependency_check.labels_of({"a": True, "b": 7, "c": "x"}) == {"a": "true", "b": "7", "c": "x"}
