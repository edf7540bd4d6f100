# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guard and its runner, by a clock that only the guard's sleep moves."""

from __future__ import annotations

import json
import math
import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.mcp.server.plugins.module_utils._guard import watch as watching
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_guard
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.broken_glass import GlassBroken
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"
RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
BEGIN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class World(ApiServer):
    """A cluster with one Lease and one record, and what happens in it at which second. With it, a clock for the guard.

    runner_ahead: seconds by which the runner's clock differs.
    """

    def __init__(self) -> None:
        release = {
            "id": "r",
            "by": "eva@runner",
            "reason": "",
            "outcome": "running",
            "steps": [],
            "from": {"pool": "blue"},
            "to": {"pool": "green"},
        }
        lease = {"metadata": {"annotations": {"mcp.server/by": "eva@runner"}}, "spec": {}}
        super().__init__({LEASE: lease, RECORD: {"data": {"current": json.dumps(release), "history": "[]"}}})
        self.seconds = 0.0
        self.clock = lambda: BEGIN + timedelta(seconds=self.seconds)
        self.runner_ahead = 0.0
        self.script: list[tuple[float, t.Callable[[], object]]] = []
        self.renew("run")

    def at(self, seconds: float, event: t.Callable[[], object]) -> None:
        self.script.append((seconds, event))

    # The clock

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        target = self.seconds + seconds
        assert target < 3600, "the guard never ends"
        while due := sorted((entry for entry in self.script if entry[0] <= target), key=lambda entry: entry[0]):
            self.script.remove(due[0])
            self.seconds, event = due[0]
            event()
        self.seconds = target

    # The runner

    def renew(self, run: str | None) -> None:
        moment = (self.now() + timedelta(seconds=self.runner_ahead)).isoformat()
        self.change(LEASE, {"spec": {"holderIdentity": run, "renewTime": moment, "acquireTime": moment}})

    def renews(self, begin: int, end: int, run: str = "run") -> None:
        for second in range(begin, end + 1, 15):
            self.at(second, lambda: self.renew(run))

    def end(self, outcome: str) -> None:
        going_on = {key: value for key, value in self.release.items() if key != "paused"}
        self.record({**going_on, "outcome": outcome})

    def record(self, release: dict[str, t.Any]) -> None:
        self.change(RECORD, {"data": {"current": json.dumps(release)}})

    @property
    def release(self) -> dict[str, t.Any]:
        return json.loads(self.objects[RECORD]["data"]["current"])

    @property
    def holder(self) -> str | None:
        return self.objects[LEASE]["spec"].get("holderIdentity")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(watching, "time", world)
    monkeypatch.setattr(watching.leases, "time", world)
    return world


@pytest.fixture
def rolled_back(world: World, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the emergency's code ran; it moved the traffic and ended the record."""
    moments: list[float] = []

    def run(task: Task) -> dict[str, t.Any]:
        assert task.params["run_id"] == world.holder
        assert (
            task.params["rollback"] and task.params["timeout"] and "rolled back by the guard: " in task.params["reason"]
        )
        moments.append(world.seconds)
        world.end("rolled_back")
        return {"changed": True, "pool": "blue"}

    monkeypatch.setattr(mcp_guard.single_shift, "run", run)
    return moments


def watch(
    world: World,
    action: str = "rollback",
    breach: t.Callable[[t.Any], str] = lambda _release: "",
    progress: t.Callable[[str], None] = lambda _line: None,
) -> dict[str, t.Any]:
    options = json.dumps({"release_id": "r", "guard_id": "g", "action": action})
    given = {"namespace": "prod", "server": "mcp", "state": "running", "options": options}
    validated = mcp_guard.ArgumentSpecValidator(mcp_guard.SPEC.options, **mcp_guard.SPEC.rules()).validate(given)
    assert not validated.error_messages
    task = Task(mcp_guard.given(validated.validated_parameters), progress=progress)
    return watching.watch(task, world, SERVER, mcp_guard.emergency(task), breach)


def test_a_runner_that_lives_is_left_alone_and_the_guard_ends_with_the_release(
    world: World, rolled_back: list[float]
) -> None:
    world.renews(15, 600)
    world.at(610, lambda: (world.end("succeeded"), world.renew(None)))
    result = watch(world)
    assert (result["changed"], result["decision"], result["reason"]) == (
        False,
        "end",
        "the release has ended: succeeded",
    )
    assert not rolled_back and world.seconds < 630
    assert world.release["guard"]["state"] == "running"
    # Few calls: the record is read at the beginning and at the end.
    assert len(world.asked("GET", RECORD)) <= 4 and len(world.asked("GET", LEASE)) <= 610 / 8 + 4


def test_a_runner_that_dies(world: World, rolled_back: list[float]) -> None:
    world.renews(15, 90)
    result = watch(world)
    assert (result["changed"], result["decision"], result["pool"]) == (True, "rollback", "blue")
    (moment,) = rolled_back
    assert 60 < moment - 90 <= 68  # of the last renewal
    assert world.release["guard"]["state"] == "rolled_back"
    assert "the run of eva@runner last renewed its Lease" in world.release["guard"]["reason"]
    assert world.holder is None


def test_the_logs_of_the_bad_pool_are_kept_while_the_guard_has_the_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(task: Task) -> dict[str, t.Any]:
        world.end("rolled_back")
        return {"changed": True, "pool": "blue", "bad_pool": "green"}

    holders: list[str | None] = []
    monkeypatch.setattr(mcp_guard.single_shift, "run", run)
    labels = {"pool": "green"}
    world.put("/apis/apps/v1/namespaces/prod/deployments/mcp-green", {"spec": {"selector": {"matchLabels": labels}}})
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "mcp"}]}}
    world.put("/api/v1/namespaces/prod/pods/a", pod)
    world.logs = {"a/mcp": b"password=planted-5e1c\nfull\n"}
    world.call(lambda: holders.append(world.holder), "GET", "/pods/a/log")
    result = watch(world)
    assert result["kept_logs"] == {"pool": "green", "logs": 1, "lines": 2, "pods_left_out": 0}
    logs = world.objects[RECORD]["data"]["logs"]
    assert "full" in logs and "planted" not in logs and json.loads(logs)["release"] == "r"
    assert len(holders) == 1 and holders[0] not in (None, "run") and world.holder is None

    # Without the right it ends as well.
    world.refused = {"get pods/log"}
    world.record({**world.release, "outcome": "running"})
    world.renew("run")
    result = watch(world)
    assert (result["decision"], result["kept_logs"], world.holder) == ("rollback", None, None)


def test_a_runner_that_comes_back_at_the_last_moment(
    world: World, rolled_back: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It renews between the guard's look and its taking the Lease."""
    take = watching.leases.Lease.take

    def late(self: t.Any, *words: t.Any) -> None:
        monkeypatch.setattr(watching.leases.Lease, "take", take)
        world.renew("run")
        world.at(world.seconds + 10, lambda: world.end("succeeded"))
        world.at(world.seconds + 10, lambda: world.renew(None))
        take(self, *words)

    monkeypatch.setattr(watching.leases.Lease, "take", late)
    assert watch(world)["decision"] == "end"
    assert not rolled_back


def test_an_api_server_that_is_away_is_not_taken_for_a_runner_that_died(world: World, rolled_back: list[float]) -> None:
    world.at(5, lambda: world.fail(ConnectionResetError(), times=math.inf))
    world.at(400, world.rules.clear)
    world.renews(415, 500)
    world.at(510, lambda: (world.end("succeeded"), world.renew(None)))
    assert watch(world)["decision"] == "end"
    assert not rolled_back


def test_one_that_pauses_goes_on_watching_and_sees_the_runner_come_back(world: World, rolled_back: list[float]) -> None:
    states = []
    world.at(80, lambda: states.append(world.release["guard"]["state"]))
    world.renews(100, 160, run="another")
    world.at(150, lambda: states.append(world.release["guard"]["state"]))
    world.at(165, lambda: (world.end("succeeded"), world.renew(None)))
    assert watch(world, "pause")["decision"] == "end"
    assert states == ["paused", "running"] and not rolled_back


def test_one_that_pauses_rolls_back_when_a_trigger_says_so(world: World, rolled_back: list[float]) -> None:
    asked = []

    def breach(_release: t.Any) -> str:
        asked.append(world.seconds)
        return "p95 is 2 s" if world.seconds > 200 else ""

    assert watch(world, "pause", breach)["reason"].endswith(", and p95 is 2 s")
    assert rolled_back and rolled_back[0] > 200
    assert min(asked) > 60  # not while the runner lives


def test_a_rollback_that_fails_is_told_and_tried_again(
    world: World, rolled_back: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = mcp_guard.single_shift.run
    told = []

    def fails(_task: Task) -> dict[str, t.Any]:
        monkeypatch.setattr(mcp_guard.single_shift, "run", works)
        world.at(world.seconds + 30, lambda: told.append(world.release["guard"]["state"]))
        raise Failure("pool blue has no ready endpoint")

    monkeypatch.setattr(mcp_guard.single_shift, "run", fails)
    assert watch(world)["decision"] == "rollback"
    assert told == ["failed"]
    assert rolled_back and world.release["guard"]["state"] == "rolled_back"


@pytest.mark.parametrize("outcome", ["rolled_back", "failed"])
def test_a_release_that_somebody_ended_is_left_alone(world: World, rolled_back: list[float], outcome: str) -> None:
    world.at(30, lambda: (world.end(outcome), world.renew("somebody")))
    assert watch(world)["reason"] == f"the release has ended: {outcome}"
    assert not rolled_back and world.seconds < 50


@pytest.mark.parametrize("ahead", [-3600.0, -50.0, 50.0, 3600.0])
@pytest.mark.parametrize("tells", [True, False])
def test_a_runner_whose_clock_is_wrong(world: World, rolled_back: list[float], ahead: float, tells: bool) -> None:
    world.runner_ahead, world.ahead = ahead, 0.0 if tells else None
    world.renews(0, 90)
    watch(world)
    # By its time it may have expired already, which is believed for a part.
    assert (30 if ahead < 0 and tells else 60) < rolled_back[0] - 90 <= 76


def test_a_lease_that_is_deleted_and_taken_again_is_no_end(world: World, rolled_back: list[float]) -> None:
    """The run takes it again at its next renewal; a breach meanwhile is the run's to see to."""
    world.renews(15, 45)
    world.at(46, lambda: world.renew(None))
    world.renews(60, 150)
    world.at(155, lambda: (world.end("succeeded"), world.renew(None)))
    assert watch(world, breach=lambda _release: "p95 is 2 s")["decision"] == "end"
    assert not rolled_back


def pause(world: World, seconds: float, key: str = "paused") -> None:
    until = (world.now() + timedelta(seconds=seconds)).isoformat()
    world.record({**world.release, key: {"at": "", "reason": "", "until": until}})
    world.renew(None)


def test_a_release_that_is_paused_is_kept_until_somebody_goes_on(world: World, rolled_back: list[float]) -> None:
    """The guard has the Lease meanwhile, in a way that the next run may take."""
    seen: list[t.Any] = []

    def go_on() -> None:
        holder, _version = watching.leases.Lease(world, "prod", "mcp").read()
        assert holder is not None and holder.by == "the guard of prod/mcp"
        seen.append(watching.leases.refusal("prod/mcp", holder, "next", world.now()))
        assert (world.now() - holder.renewed).total_seconds() < 10
        world.change(LEASE, {"metadata": {"annotations": {"mcp.server/process": ""}}})
        world.end("running")
        world.renew("next")

    world.at(10, lambda: pause(world, 600))
    world.at(300, go_on)
    world.renews(315, 400, "next")
    world.at(410, lambda: (world.end("succeeded"), world.renew(None)))
    assert watch(world)["decision"] == "end"
    assert seen == [""] and not rolled_back


@pytest.mark.parametrize("key", ["paused", "held"])  # as it was called before 1.0.0
def test_a_release_that_is_paused_for_too_long_goes_back(world: World, rolled_back: list[float], key: str) -> None:
    world.at(10, lambda: pause(world, 100, key))
    assert "nobody continued it" in watch(world, "pause")["reason"]
    assert 110 <= rolled_back[0] <= 120 and world.holder is None


def test_it_is_noted_when_a_guard_that_had_paused_it_keeps_it_for_an_approval(
    world: World, rolled_back: list[float]
) -> None:
    reasons = []
    world.at(85, lambda: reasons.append(world.release["guard"]["reason"]))
    world.at(90, lambda: pause(world, 100))
    world.at(110, lambda: reasons.append(world.release["guard"]["reason"]))
    watch(world, "pause")
    assert "last renewed its Lease" in reasons[0] and reasons[1].startswith("paused until ")


def test_a_release_that_is_paused_goes_back_at_a_breach(world: World, rolled_back: list[float]) -> None:
    world.at(10, lambda: pause(world, 600))
    assert (
        watch(world, "pause", lambda _release: "p95 is 2 s" if world.seconds > 50 else "")["reason"]
        == "it is paused, and p95 is 2 s"
    )
    assert 50 < rolled_back[0] < 60


BROKEN = broken_glass.text(broken_glass.Note("2026-11-24T12:01:00Z", "ana", "INC-1", {}))
WORKLOAD = "/apis/apps/v1/namespaces/prod/deployments/mcp-blue"


@pytest.mark.parametrize("action", ["rollback", "pause"])
def test_one_leaves_a_broken_glass_alone_and_goes_on_once_it_is_restored(
    world: World, rolled_back: list[float], action: str
) -> None:
    world.put(WORKLOAD, {"metadata": {"annotations": {broken_glass.ANNOTATION: BROKEN}}})
    lines: list[str] = []
    states: list[str] = []
    world.at(400, lambda: states.append(world.release["guard"]["state"]))
    world.at(401, lambda: world.change(WORKLOAD, {"metadata": {"annotations": {broken_glass.ANNOTATION: None}}}))
    world.at(450, lambda: states.append(world.release["guard"]["state"]))
    world.at(460, lambda: (world.release["outcome"] != "running" or world.end("succeeded"), world.renew(None)))
    found = watch(world, action, progress=lines.append)
    assert found["decision"] == ("rollback" if action == "rollback" else "end")
    assert all(moment > 401 for moment in rolled_back) and bool(rolled_back) == (action == "rollback")
    assert states[0] == "running"
    (said,) = [line for line in lines if "nothing is done" in line]
    assert "by ana: INC-1 (changed: Deployment prod/mcp-blue)" in said
    assert "restored: the guard of prod/mcp goes on" in lines


def test_one_that_a_person_forestalls_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_task: Task) -> dict[str, t.Any]:
        world.end("succeeded")
        raise GlassBroken("The glass of prod/mcp is broken.")

    monkeypatch.setattr(mcp_guard.single_shift, "run", broken)
    assert watch(world)["decision"] == "end"
    assert world.release["guard"]["state"] == "running"
