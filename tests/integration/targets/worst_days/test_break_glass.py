# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Break-glass and its restore on each of the worst days: what they say, and what they leave, object by object."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest
from days import BACK, Day, Said, applied, dead_webhook, full_quota
from faulty_api import FaultyApi, faulty_api, no_space
from looking import MISSING, Objects
from soaking import soak

NOTE = "metadata.annotations.mcp.server/break-glass"
REASON = "INC-42, nothing answers"
READINESS = {"Service blue spec.publishNotReadyAddresses": (MISSING, True)}
AUTOSCALER = {
    "HorizontalPodAutoscaler blue spec.maxReplicas": (3, 2),
    "HorizontalPodAutoscaler blue spec.minReplicas": (1, 2),
}
SIZE = {"Deployment blue spec.replicas": (1, 2)}
BROKEN = BACK | READINESS | AUTOSCALER | SIZE
GOAL = 1.0  # seconds after an empty play's start, for the first write


@pytest.fixture
def glass(released: Day) -> t.Iterator[Day]:
    """The server with an autoscaler on blue."""
    name = f"{released.server.name}-blue"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    # It never finds a reason to choose another size: 100 cores are not used here.
    resource = {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "100"}}
    spec = {
        "scaleTargetRef": target,
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": resource}],
        # It would go on for minutes with the most that it has found right, such as while the glass was broken.
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    }
    metadata = {"name": name, "namespace": released.namespace}
    kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    with applied({**kind, "metadata": metadata, "spec": spec}):
        yield released


@pytest.fixture
def api(day: Day, tmp_path: Path) -> t.Iterator[FaultyApi]:
    with faulty_api(day.breaker, tmp_path) as made:
        yield made


def words(day: Day, api: FaultyApi | None = None, **more: t.Any) -> tuple[str, ...]:
    given = {"mcp_reason": REASON, "mcp_break_glass_pool": "blue", "mcp_replicas": 2, **more}
    return day.words(api.kubeconfig if api else day.breaker, **given)


def restored(day: Day, api: FaultyApi | None = None) -> tuple[str, ...]:
    return day.words(api.kubeconfig if api else day.breaker, mcp_restore=True)


def judge_broken(
    day: Day, before: Objects, wanted: dict[str, tuple[t.Any, t.Any]], *, may_autoscale: bool = False
) -> None:
    """Judge by every object: what is changed, and the note on each changed object, and on no other.

    may_autoscale: whether the autoscaler may have been first to give the pool its size, which leaves no note.
    """
    found = day.changed(before)
    notes = {path.removesuffix(f" {NOTE}"): text for path, (_none, text) in found.items() if path.endswith(NOTE)}
    if may_autoscale and "Deployment blue" not in notes:
        found, wanted = ({path: both for path, both in one.items() if path not in SIZE} for one in (found, wanted))
    assert {path: both for path, both in found.items() if not path.endswith(NOTE)} == wanted
    assert set(notes) == {path.rpartition(" ")[0] for path in wanted}
    for text in notes.values():
        assert json.loads(text)["reason"] == REASON


def judge_restored(day: Day, before: Objects, *, may_autoscale: bool = False) -> None:
    deadline = time.monotonic() + (60 if may_autoscale else 0)
    while (found := day.changed(before)) and time.monotonic() < deadline:
        time.sleep(1)  # the autoscaler looks every 15 s
    assert found == {}


def printed(what: str, said: Said, api: FaultyApi | None = None) -> None:
    first = ""
    if api:
        write, asked = api.writes()[0].at, api.requests[0].at
        first = f", its first write {write - asked:.2f} s after its first request, {write - said.begun:.1f} s in all"
    print(f"SECONDS {what}: {said.seconds:.1f} s{first}")


@soak
def test_its_seconds(glass: Day, api: FaultyApi) -> None:
    """On a day on which nothing else is bad: what the seconds of the other days are to be compared with."""
    before = glass.look()
    said = glass.play("break_glass", *words(glass, api))
    assert said.code == 0
    judge_broken(glass, before, BROKEN)
    assert not [one.path for one in api.requests if "metrics.k8s.io" in one.path], "it does not ask for it"
    printed("break-glass", said, api)
    # Counted from where an empty play ends: this one's first task.
    assert api.writes()[0].at - api.requests[0].at < 3 * GOAL
    said = glass.play("break_glass", *restored(glass))
    assert said.code == 0
    judge_restored(glass, before)
    printed("restore", said)


@soak
def test_a_slow_api_server(glass: Day, api: FaultyApi) -> None:
    before, api.delay = glass.look(), 5.0
    said = glass.play("break_glass", *words(glass, api))
    assert said.code == 0
    judge_broken(glass, before, BROKEN)
    printed("break-glass, 5 s a call", said, api)
    said = glass.play("break_glass", *restored(glass, api))
    assert said.code == 0
    judge_restored(glass, before)
    printed("restore, 5 s a call", said)


@soak
def test_a_slow_api_server_for_the_traffic(glass: Day, api: FaultyApi) -> None:
    """One read, and the write."""
    before, api.delay = glass.look(), 5.0
    said = glass.play("break_glass", *words(glass, api), "--tags", "traffic")
    assert said.code == 0
    judge_broken(glass, before, BACK)
    printed("traffic of break-glass, 5 s a call", said, api)
    assert api.writes()[0].at - api.requests[0].at < 5 + 3 * GOAL
    assert glass.play("break_glass", *restored(glass)).code == 0
    judge_restored(glass, before)


@soak
def test_a_full_quota(glass: Day) -> None:
    before = glass.look()
    with applied(full_quota(glass)):
        assert glass.play("break_glass", *words(glass)).code == 0
        judge_broken(glass, before, BROKEN)
        assert glass.play("break_glass", *restored(glass)).code == 0
    judge_restored(glass, before)


@soak
def test_a_webhook_that_fails_for_services(glass: Day) -> None:
    """It goes on past that, says so, and the restore gives back what was done, and refuses the same way."""
    before = glass.look()
    hook = dead_webhook(glass.namespace, ("", "services"))
    with applied(hook):
        said = glass.play("break_glass", *words(glass))
        assert said.code and "FAILED Readiness" in said.flat and "or delete its configuration" in said.flat
        assert "CALL" in said.flat and "Platform Engineering (pager 17)" in said.flat
        judge_broken(glass, before, BACK | AUTOSCALER | SIZE)
    assert glass.play("break_glass", *words(glass)).code == 0
    judge_broken(glass, before, BROKEN)
    with applied(hook):
        said = glass.play("break_glass", *restored(glass))
        assert said.code and "or delete its configuration" in said.flat
        judge_broken(glass, before, READINESS)
    assert glass.play("break_glass", *restored(glass)).code == 0
    judge_restored(glass, before)


@soak
def test_a_webhook_that_fails_for_all_writes(glass: Day) -> None:
    before = glass.look()
    with applied(dead_webhook(glass.namespace, ("*", "*"))):
        said = glass.play("break_glass", *words(glass))
        assert said.code and said.seconds < 40
        for what in ("FAILED Traffic", "FAILED Readiness", "FAILED Scale", "Platform Engineering"):
            assert what in said.flat
    judge_restored(glass, before)


@soak
def test_etcd_without_space(glass: Day, api: FaultyApi) -> None:
    before, api.refuse = glass.look(), no_space
    said = glass.play("break_glass", *words(glass, api))
    for one in api.requests:
        print(f"{one.at - said.begun:6.1f}", one.method, one.path)
    assert said.code and "database space exceeded" in said.flat and "etcdctl alarm disarm" in said.flat
    for what in ("FAILED Traffic", "FAILED Readiness", "FAILED Scale", "Platform Engineering"):
        assert what in said.flat
    print(f"SECONDS break-glass that may write nothing: {said.seconds:.1f} s")
    assert said.seconds < 30  # it waits for 10 s, once
    judge_restored(glass, before)


@soak
def test_etcd_without_space_when_it_is_restored(glass: Day, api: FaultyApi) -> None:
    before = glass.look()
    assert glass.play("break_glass", *words(glass)).code == 0
    api.refuse = no_space
    said = glass.play("break_glass", *restored(glass, api))
    assert said.code and "database space exceeded" in said.flat
    judge_broken(glass, before, BROKEN)
    assert glass.play("break_glass", *restored(glass)).code == 0
    judge_restored(glass, before)


@soak
def test_two_people_at_once(glass: Day) -> None:
    """Both end well, one note stands, and two restores at once give everything back once."""
    before = glass.look()
    with (
        glass.started("break_glass", *words(glass)) as one,
        glass.started("break_glass", *words(glass)) as other,
    ):
        said = [glass.rest(one), glass.rest(other)]
    assert [each.code for each in said] == [0, 0]
    judge_broken(glass, before, BROKEN)
    with (
        glass.started("break_glass", *restored(glass)) as one,
        glass.started("break_glass", *restored(glass)) as other,
    ):
        said = [glass.rest(one), glass.rest(other)]
    assert [each.code for each in said] == [0, 0]
    judge_restored(glass, before)


@pytest.mark.parametrize("number", [pytest.param(1, marks=soak), 2, *(pytest.param(n, marks=soak) for n in (3, 4))])
def test_a_runner_that_dies(glass: Day, api: FaultyApi, number: int) -> None:
    """Between two actions of break-glass, then between two of the restore, each told to another machine."""
    before, may = glass.look(), {"may_autoscale": number == 3}  # killed between the autoscaler and the size
    said = glass.killed("break_glass", *words(glass, api), api=api, number=number)
    assert said.code == -9
    done = [BACK, READINESS, AUTOSCALER, SIZE][:number]
    judge_broken(glass, before, {path: both for one in done for path, both in one.items()}, **may)
    assert glass.play("break_glass", *words(glass)).code == 0
    judge_broken(glass, before, BROKEN, **may)
    said = glass.killed("break_glass", *restored(glass, api), api=api, number=number)
    # The last write is also the last that it does for a server: it may end before it is killed.
    assert said.code == -9 or number >= 3
    left = [BACK, READINESS, AUTOSCALER, SIZE][number:]
    judge_broken(glass, before, {path: both for one in left for path, both in one.items()}, **may)
    assert glass.play("break_glass", *restored(glass)).code == 0
    judge_restored(glass, before, **may)
