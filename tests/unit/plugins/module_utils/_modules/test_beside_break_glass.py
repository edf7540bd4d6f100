# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the other modules do while a glass is broken: by the real modules, against the fake API server over HTTP."""

from __future__ import annotations

import copy
import math
import threading
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._install import fenced
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._modules import (
    mcp_release,
    mcp_rollback,
    mcp_rollback_target,
    mcp_traffic_shift,
    mcp_watch,
)
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import Change, Note
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass as broken_glass_of
from ansible_collections.mcp.server.plugins.module_utils._traffic import emergency
from ansible_collections.mcp.server.plugins.module_utils._traffic.broken_glass import GlassBroken
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._modules.test_other_writers import (
    DEPLOYMENT,
    ROUTE,
    STEPS,
    World,
    world,
)

__all__ = ["world"]

SERVER = Server("ns", "x", "{server}-{pool}", "x", "x")
SERVICE = "/api/v1/namespaces/ns/services/x-green"
SAID = r"The glass of ns/x is broken since .* by ana: INC-1 \(changed: {}\)\. To restore: ansible-playbook break_glass"
RELEASE = {"state": "begun", "image_ref": "r/x:v2", "version": "v2"}


def note(by: str = "ana") -> dict[str, t.Any]:
    changes = {"weights": Change({"blue": 100, "green": 0}, {"blue": 100, "green": 0})}
    text = broken_glass.text(Note("2026-11-27T03:00:00Z", by, "INC-1", changes))
    return {"metadata": {"annotations": {broken_glass.ANNOTATION: text}}}


def break_glass(world: World, green: int = 0, by: str = "ana") -> None:
    """Do what break_glass.yml does to a route."""
    backends = [
        {"name": f"x-{pool}", "port": 8080, "weight": weight}
        for pool, weight in (("blue", 100 - green), ("green", green))
    ]
    world.api.change(ROUTE, {**note(by), "spec": {"rules": [{"backendRefs": backends}]}})


def restore(world: World, *paths: str) -> None:
    for path in paths or (ROUTE,):
        world.api.change(path, {"metadata": {"annotations": {broken_glass.ANNOTATION: None}}})


def written(world: World) -> dict[str, t.Any]:
    return copy.deepcopy({path: obj for path, obj in world.api.objects.items() if "leases" not in path})


@pytest.mark.parametrize(
    ("path", "title"),
    [
        (ROUTE, "HTTPRoute ns/x"),
        (SERVICE, "Service ns/x-green"),
        (f"{DEPLOYMENT}green", "Deployment ns/x-green"),
    ],
)
def test_nothing_that_a_person_starts_for_another_purpose_begins(world: World, path: str, title: str) -> None:
    world.api.change(path, note())
    before = written(world)
    said = SAID.format(title)
    with pytest.raises(GlassBroken, match=f"Release refused, nothing was changed: {said}"):
        world.run(mcp_release.SPEC, mcp_release.run, **RELEASE)
    with pytest.raises(GlassBroken, match=f"The shift is refused, nothing was changed: {said}"):
        world.run(mcp_traffic_shift.SPEC, mcp_traffic_shift.run, pool="green", weight=10)
    params = {"run_id": None, "namespace": "ns", "server": "x"}
    refused = pytest.raises(GlassBroken, match=f"The install is refused, nothing was changed: {said}")
    with refused, fenced.lease(Task(params), world.api, SERVER, "install"):
        pytest.fail("it began")
    assert written(world) == before
    restore(world, path)
    assert world.run(mcp_release.SPEC, mcp_release.run, **RELEASE)["changed"]


def test_nobody_is_taken_over_from(world: World) -> None:
    run = world.run(mcp_release.SPEC, mcp_release.run, **RELEASE)["run_id"]
    world.api.change(ROUTE, note())
    with pytest.raises(GlassBroken):
        world.run(mcp_release.SPEC, mcp_release.run, **RELEASE, take_over=True, reason="mine")
    (lease,) = [obj for path, obj in world.api.objects.items() if "leases" in path]
    assert lease["spec"]["holderIdentity"] == run


@pytest.mark.parametrize("green", [0, 100])
def test_a_release_under_way_pauses_and_leaves_the_traffic_to_the_person(world: World, green: int) -> None:
    world.does = {"step 1 of": lambda: break_glass(world, green)}
    failure = world.release(STEPS)
    assert failure.evidence["outcome"] == "inconclusive"
    assert "is paused, and the traffic stays as it is" in failure.msg and "by ana: INC-1" in failure.msg
    assert world.state[0] == green
    assert world.recorded["outcome"] == "running" and "INC-1" in world.recorded["paused"]["reason"]
    # A run goes on once it is restored, and not before
    with pytest.raises(GlassBroken):
        world.run(mcp_release.SPEC, mcp_release.run, **RELEASE)


def test_a_release_that_begins_its_steps_too_late_pauses(world: World) -> None:
    failure = world.release(STEPS, before=lambda: world.api.change(SERVICE, note()))
    assert "changed: Service ns/x-green" in failure.msg and failure.evidence["outcome"] == "inconclusive"
    assert world.state[0] == 0


def test_a_rollback_goes_through_and_says_so(world: World) -> None:
    begun = world.run(mcp_release.SPEC, mcp_release.run, **RELEASE)
    assert begun["live"] == "blue"
    break_glass(world, 100)
    world.api.change(SERVICE, note())
    warnings: list[str] = []
    options = {name: option.get("default") for name, option in mcp_rollback.SPEC.options.items()}
    given = {**options, **world.where, "api_retry_timeout": 5.0, "verify_seconds": 0.0, "endpoint": None, "force": True}
    found = mcp_rollback.run(Task(given, warn=warnings.append, progress=world.progress))
    assert world.state[0] == 0 and found["pool"] == "blue"
    assert found["scale_down"] is False  # whoever restores may need the other pool
    assert [text for text in warnings if "The rollback goes on." in text and "changed: HTTPRoute ns/x" in text]
    assert [text for text in warnings if "changed: Service ns/x-green" in text]
    # Restoring tests the weights itself
    assert broken_glass.read(world.api.objects[ROUTE])


def test_a_rollback_waits_a_bounded_time_for_the_other_objects(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emergency, "OPTIONAL_TIMEOUT", 0.2)
    held = threading.Event()
    monkeypatch.setattr(emergency.broken_glass, "find", lambda *_words: held.wait(30))
    options = {name: option.get("default") for name, option in mcp_rollback.SPEC.options.items()}
    given = {**options, **world.where, "api_retry_timeout": 5.0, "verify_seconds": 0.0, "pool": "blue", "force": True}
    assert mcp_rollback.run(Task(given))["pool"] == "blue"
    held.set()


def test_a_rollback_stops_for_a_person_who_breaks_the_glass_after_it(world: World) -> None:
    """Two people at once: the rollback writes again what others revert, but not what break_glass.yml has written."""
    world.does = {"is back on": lambda: break_glass(world, 100)}
    options = {name: option.get("default") for name, option in mcp_rollback.SPEC.options.items()}
    world.put_back(green=100)
    given = {
        **options,
        **world.where,
        "api_retry_timeout": 5.0,
        "verify_seconds": 20.0,
        "pool": "blue",
        "force": True,
        "timeout": 20.0,
        "start_timeout": 5.0,
    }
    with pytest.raises(GlassBroken, match="by ana: INC-1"):
        mcp_rollback.run(Task(given, progress=world.progress))
    assert world.state[0] == 100


def test_the_second_task_of_a_rollback_leaves_what_came_after_the_first(world: World) -> None:
    """Its first task only writes, so that of several servers the weights of all come first (wait=false)."""
    options = {name: option.get("default") for name, option in mcp_rollback.SPEC.options.items()}
    given = {**options, **world.where, "api_retry_timeout": 5.0, "verify_seconds": 0.0, "pool": "blue", "force": True}
    world.put_back(green=100)
    sent = mcp_rollback.run(Task({**given, "wait": False}))
    assert world.state[0] == 0
    second = {**given, "run_id": sent["run_id"]}
    # By a tool: the glass was broken before, and says nothing about it
    world.api.change(ROUTE, note())
    world.put_back(green=100)
    found = mcp_rollback.run(Task(second))
    assert [one["by"] for one in found["reverted"]] == ["Argo CD"] and world.state[0] == 0
    # By a person
    world.api.change(ROUTE, {"metadata": {"managedFields": []}})
    break_glass(world, 100, by="eva")
    with pytest.raises(GlassBroken, match="somebody has broken the glass after its write. The glass .* by eva: INC-1"):
        mcp_rollback.run(Task(second))
    assert world.state[0] == 100


def test_a_plan_and_a_rollback_to_a_version_are_not_refused(world: World) -> None:
    world.api.change(ROUTE, note())
    spec, shift = mcp_traffic_shift.SPEC, mcp_traffic_shift.run
    options = {name: option.get("default") for name, option in spec.options.items()}
    planned = {**options, **world.where, "api_retry_timeout": 5.0, "pool": "green", "weight": 100}
    found = shift(Task({**planned, "force": True, "session_mode": "stateless"}, check_mode=True))
    assert found["after"] == {"blue": 0, "green": 100} and world.state[0] == 0
    target = mcp_rollback_target
    begun = world.run(target.SPEC, target.run, version="v2", image="r/x", check_registry=False)
    assert begun["pool"] == "green" and begun["needed"]


WATCHED = {"seconds": 3, "pool": "green", "rollback": True, "max_failed_percent": 0}


def breaching(world: World, monkeypatch: pytest.MonkeyPatch, breaches: int) -> list[float]:
    """Let so many watches breach; return for how long each of them was to last."""
    seconds: list[float] = []

    def watch(task: Task) -> dict[str, t.Any]:
        seconds.append(task.params["seconds"])
        if len(seconds) <= breaches:
            raise Failure("It ended with a breach.", verdict="breach", gates=[])
        return {"changed": False, "verdict": "pass"}

    monkeypatch.setattr(mcp_watch.watch, "watch", watch)
    monkeypatch.setattr(mcp_watch, "GLASS_INTERVAL", 0.2)
    return seconds


def test_a_watch_does_nothing_and_goes_on_once_restored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = breaching(world, monkeypatch, 1)
    world.put_back(green=100)
    break_glass(world, 100)
    world.does = {"The watch goes on once it is restored.": lambda: restore(world)}
    found = world.run(mcp_watch.SPEC, mcp_watch.run, endpoint={"url": world.gateway}, **WATCHED)
    assert found["verdict"] == "pass" and world.state[0] == 100
    assert seconds[0] == 3 and 1 <= seconds[1] < 3
    # By the breach, or by the monitor of other writers, whichever came first
    waits = [line for line in world.lines if line.endswith("The watch goes on once it is restored.")]
    assert waits and all("The glass of ns/x is broken" in line for line in waits)


def test_a_watch_that_is_over_before_it_is_restored_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    breaching(world, monkeypatch, 1)
    world.put_back(green=100)
    break_glass(world, 100)
    with pytest.raises(
        GlassBroken, match=f"a breach. It is not rolled back: {SAID.format('HTTPRoute ns/x')}"
    ) as raised:
        world.run(mcp_watch.SPEC, mcp_watch.run, endpoint={"url": world.gateway}, **{**WATCHED, "seconds": 1})
    assert raised.value.evidence["verdict"] == "breach" and world.state[0] == 100


def test_what_may_not_be_read_is_warned_of(world: World) -> None:
    world.api.fail(Forbidden("This user may not read it."), "GET", SERVICE, times=math.inf)
    warnings: list[str] = []
    broken_glass_of.refuse(world.api, SERVER, "Release", warnings.append)
    assert warnings == ["Cannot tell all that break_glass.yml changed of ns/x. This user may not read it."]
    world.api.change(ROUTE, note())
    with pytest.raises(GlassBroken, match=SAID.format("HTTPRoute ns/x")):
        broken_glass_of.refuse(world.api, SERVER, "Release", warnings.append)
