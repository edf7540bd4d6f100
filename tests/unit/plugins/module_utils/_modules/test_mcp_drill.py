# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A drill against the fake API server over HTTP, whose pods answer or do not by the gate of their template."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._drill import fault, last
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_drill
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Module
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

BLUE = "/apis/apps/v1/namespaces/ns/deployments/x-blue"
SERVICE = "/api/v1/namespaces/ns/services/x-blue"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/x"
RECORD = "/api/v1/namespaces/ns/configmaps/x-release"


class World:
    """A server for drills. fails: by the part of a drill, what happens at its first call."""

    def __init__(self, api: ApiServer, url: str) -> None:
        self.api, self.url = api, url
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.glass = False
        self.fails: dict[str, BaseException] = {}
        self.before = self.state()

    def state(self) -> dict[str, t.Any]:
        paths = (BLUE, BLUE.replace("blue", "green"), SERVICE, SERVICE.replace("blue", "green"), ROUTE)
        kept = {}
        for path in paths:
            obj = copy.deepcopy(self.api.objects[path])
            kept[path] = {"spec": obj["spec"], "notes": obj["metadata"].get("annotations") or {}}
        return kept

    def _fail(self, part: str) -> None:
        if error := self.fails.pop(part, None):
            raise error

    @property
    def broken(self) -> bool:
        return "readinessGates" in self.api.objects[BLUE]["spec"]["template"]["spec"]

    def until(self, _drill: t.Any, _count: int, *, failing: bool) -> None:
        self._fail(f"until {'failing' if failing else 'answered'}")
        assert failing == (self.broken and not self.glass)

    def break_glass(self, task: Task) -> dict[str, t.Any]:
        self._fail(task.params["state"])
        changed = self.glass != (task.params["state"] == "broken")
        self.glass = task.params["state"] == "broken"
        note = broken_glass.text(broken_glass.Note("2026-11-27T03:00:00Z", "ana", task.params["reason"], {}))
        self.api.change(
            SERVICE,
            {
                "metadata": {"annotations": {broken_glass.ANNOTATION: note if self.glass else None}},
                "spec": {"publishNotReadyAddresses": True if self.glass else None},
            },
        )
        return {"changed": changed, "pool": "blue", "found": [], "did": [], "problems": []}

    def drill(self, *, check: bool = False, **more: t.Any) -> dict[str, t.Any]:
        given = {
            "namespace": "ns",
            "server": "x",
            "host": self.url,
            "api_key": "k",
            "endpoint": {"url": "http://127.0.0.1:9"},
            "allowed": True,
            **more,
        }
        spec = mcp_drill.SPEC
        validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
        assert not validated.error_messages, validated.error_messages
        task = Task(
            validated.validated_parameters, check, progress=self.lines.append, warn=self.warnings.append, runner=1
        )
        return mcp_drill.run(task)

    def holder(self) -> str | None:
        leases = [obj for path, obj in self.api.objects.items() if "/leases/" in path]
        return leases[0]["spec"].get("holderIdentity") if leases else None


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[World]:
    api = ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2"))
    for pool in ("blue", "green"):  # a real API server sets it
        api.objects[BLUE.replace("blue", pool)]["spec"]["strategy"] = copy.deepcopy(fault.USUAL)
    with serving(api) as url:
        one = World(api, url)
        monkeypatch.setattr(
            mcp_drill.Drill, "until", lambda drill, count, failing: one.until(drill, count, failing=failing)
        )
        monkeypatch.setattr(mcp_drill.Drill, "is_ready", lambda _drill, _pool: not one.broken)
        monkeypatch.setattr(mcp_drill.Drill, "_runs", lambda _drill: True)
        monkeypatch.setattr(mcp_drill, "GLASS", Module(mcp_drill.GLASS.spec, one.break_glass))
        yield one


def test_all_is_as_before_and_the_day_is_noted(world: World) -> None:
    found = world.drill()
    assert (found["changed"], found["pool"], found["cleaned_up"]) == (True, "blue", False)
    assert list(found["seconds"]) == [
        "clients get errors",
        "break-glass",
        "repair",
        "restore",
        "clients get answers after it",
    ]
    assert world.state() == world.before and world.warnings == []
    noted = json.loads(world.api.objects[RECORD]["metadata"]["annotations"][last.ANNOTATION])
    assert noted["passed"] and noted["seconds"] == found["seconds"]
    assert not world.holder()
    # The ConfigMap without a release is a record, and another drill goes on
    assert world.drill()["changed"] and not world.drill(check=True)["cleaned_up"]


def test_check_mode_changes_nothing(world: World) -> None:
    found = world.drill(check=True)
    assert found["changed"] and found["pool"] == "blue" and "would break pool blue" in world.lines
    assert world.state() == world.before and RECORD not in world.api.objects


STATEFUL = {"blue": {"statefulset": "x-blue"}}


@pytest.mark.parametrize(
    ("given", "change", "words"),
    [
        ({"allowed": False}, {}, "the inventory does not name ns/x as a server for drills"),
        ({}, {SERVICE: {"metadata": {"annotations": {broken_glass.ANNOTATION: "{}"}}}}, "The glass of ns/x is broken"),
        ({}, {BLUE: {"spec": {"paused": True}}}, "Deployment ns/x-blue is paused"),
        (
            {},
            {
                ROUTE: {
                    "spec": {
                        "rules": [{"backendRefs": [{"name": f"x-{pool}", "weight": 1} for pool in ("blue", "green")]}]
                    }
                }
            },
            "neither pool of ns/x has all the traffic",
        ),
        ({"ready_timeout": 0}, {}, "ready_timeout is 0"),
    ],
)
def test_what_is_refused(world: World, given: dict[str, t.Any], change: dict[str, t.Any], words: str) -> None:
    for path, what in change.items():
        world.api.change(path, what)
    before = world.state()
    with pytest.raises(Failure, match=words):
        world.drill(**given)
    assert world.state() == before and not world.holder()


def test_nothing_is_broken_where_clients_get_no_answers(world: World) -> None:
    world.fails["until answered"] = Failure("Clients still get errors.")
    with pytest.raises(Failure, match=r"Drill refused, nothing was changed: .* must answer before the drill"):
        world.drill()
    assert world.state() == world.before


@pytest.mark.parametrize("part", ["until failing", "broken"])
def test_all_is_put_back_after_a_failure(world: World, part: str) -> None:
    world.fails[part] = Failure("That did not work.")
    with pytest.raises(Failure, match=r"That did not work. All is put back as it was.") as raised:
        world.drill()
    assert world.state() == world.before and raised.value.evidence["changed"]
    assert not json.loads(world.api.objects[RECORD]["metadata"]["annotations"][last.ANNOTATION])["passed"]


@pytest.mark.parametrize("part", ["until failing", "broken", "restored"])
def test_one_that_died_is_put_back_by_the_next_run(world: World, part: str) -> None:
    world.fails[part] = KeyboardInterrupt()  # nothing of the drill runs after it, as after kill -9
    with pytest.raises(KeyboardInterrupt):
        world.drill()
    assert fault.mark_of(world.api.objects[BLUE])
    assert world.state() != world.before
    found = world.drill()
    assert (found["cleaned_up"], found["changed"], found["pool"]) == (True, True, None)
    assert world.state() == world.before
    assert [line for line in world.lines if "was cut off: putting back what it left" in line]


def test_an_interrupted_one_takes_the_fault_away(world: World) -> None:
    world.fails["broken"] = Interrupted("SIGINT")
    with pytest.raises(Interrupted) as raised:
        world.drill()
    assert not world.broken and fault.mark_of(world.api.objects[BLUE])
    assert "Run drill.yml again" in " ".join(raised.value.__notes__)
    assert world.drill()["cleaned_up"] and world.state() == world.before


def test_what_could_not_be_put_back_is_said_and_left_for_the_next_run(world: World) -> None:
    world.fails["restored"] = Failure("Service ns/x-blue is not restored as a whole.")
    with pytest.raises(Failure, match="is not restored as a whole"):
        world.drill()
    assert fault.mark_of(world.api.objects[BLUE])
    assert world.drill()["cleaned_up"] and world.state() == world.before


def test_what_somebody_changed_meanwhile_is_named(world: World) -> None:
    until = world.until

    def also(drill: t.Any, count: int, *, failing: bool) -> None:
        until(drill, count, failing=failing)
        if failing:
            world.api.change(BLUE, {"spec": {"minReadySeconds": 7}})

    world.until = also  # type: ignore[method-assign]
    with pytest.raises(Failure, match="After the drill of ns/x not all is as before: .*x-blue has another minReady"):
        world.drill()
