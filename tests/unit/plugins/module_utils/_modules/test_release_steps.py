# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release in one task: its steps, the order of its calls, and how it ends. The modules that it calls are fakes."""

from __future__ import annotations

import re
import threading
import time
import typing as t
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._modules import ending, mcp_traffic_shift, release_steps
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import FailedAnswers

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
STEPS = [{"weight": 10, "seconds": 5.0}, {"weight": 50, "seconds": 0.0}, {"weight": 100, "seconds": 5.0}]
RELEASE = {
    "id": "now-v2",
    "started": "2026-11-26T12:00:00.000Z",
    "outcome": "running",
    "from": {"pool": "blue", "image_ref": "r/x:v1", "version": "v1"},
    "to": {"pool": "green", "image_ref": "r/x:v2", "version": "v2", "digest": A},
    "steps": [],
}


def params(**more: t.Any) -> dict[str, t.Any]:
    given = {
        "namespace": "ns",
        "server": "x",
        "host": "https://127.0.0.1:9",
        "api_key": "secret-key",
        "run_id": "run1",
        "pool": "green",
        "version": "v2",
        "steps": STEPS,
        "endpoint": {"url": "http://127.0.0.1:9"},
        "warm_seconds": 3,
        **more,
    }
    validated = ArgumentSpecValidator(mcp_traffic_shift.SPEC.options, **mcp_traffic_shift.SPEC.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    return validated.validated_parameters


COMPARED = {"compare_version": ["health"], "health_path": "/health"}


class World:
    """Stands in for the cluster and the modules: logs each call, and fails the ones that it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[t.Any, ...]] = []
        self.fails: dict[tuple[t.Any, ...], BaseException] = {}
        self.then: dict[tuple[t.Any, ...], t.Callable[[], t.Any]] = {}
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.given: list[dict[str, t.Any]] = []
        self.weights = {"blue": 100, "green": 0}
        self.release: dict[str, t.Any] = RELEASE
        self.writer = "run1"  # of the route
        self.versions = ["v2"]  # that answers told at each step
        self.measured_by: str | None = "header"
        self.part = 1.0  # of the route's traffic that both pools get
        self.validated: list[dict[str, t.Any]] = []  # what the validation finds
        self.held = False  # whether what is called looks at its task
        shown = {
            "SHIFT": lambda p: ("shift", "rollback" if p["rollback"] else p["weight"]),
            "WATCH": lambda p: ("watch", "warm" if p["checks"] == ["triggers"] else p["weight"], p["seconds"]),
            "HEALTH": lambda p: ("session",),
            "GUARD": lambda p: ("guard", p["state"]),
            "ROLLOUT": lambda p: ("scale", p["pool"], p["replicas"]),
            "RELEASE": lambda p: ("record", p["state"], p["outcome"]),
            "VALIDATION": lambda p: ("validate", p["pool"], tuple(p["checks"])),
            "SILENCE": lambda p: ("silence", p["state"]),
            "ANNOUNCE": lambda p: ("announce", p["event"]),
            "REPORT": lambda p: ("report",),
        }
        for name, show in shown.items():
            for place in (release_steps, ending):
                if hasattr(place, name):
                    module = getattr(place, name)
                    monkeypatch.setattr(place, name, replace(module, run=self._run(show)))
        self.failed_percent: float | None = None  # of what clients get
        monkeypatch.setattr(ending.Ending, "_failed_percent", lambda _ending: self.failed_percent)
        monkeypatch.setattr(release_steps.lease_renewal, "renewing", self._renewed)
        monkeypatch.setattr(release_steps, "STABLE_SECONDS", 0.3)
        images = {"blue": "r/x:v1", "green": "r/x:v2"}
        monkeypatch.setattr(
            release_steps.overwrite_monitor,
            "at_start",
            lambda _cluster, _server, expected: expected._replace(images=images),
        )
        monkeypatch.setattr(
            release_steps.Server,
            "image",
            lambda _server, _cluster, pool: (f"r/x:{'v2' if pool == 'green' else 'v1'}", 2),
        )

        self.digests = {"green-1": A, "green-2": A}  # that the pods of the new pool run
        monkeypatch.setattr(release_steps.Server, "digests", lambda *_: self.digests)

    def _run(self, show: t.Callable[[dict[str, t.Any]], tuple[t.Any, ...]]) -> t.Callable[[Task], dict[str, t.Any]]:
        def run(task: Task) -> dict[str, t.Any]:
            call = show(task.params)
            self.calls.append(call)
            self.given.append(task.params)
            if self.held and call[-1] != "rollback":
                task.check_lease()
            if call in self.fails:
                raise self.fails[call]
            self.then.get(call, lambda: None)()
            if call[0] == "shift":
                self.weights = (
                    {"blue": 100, "green": 0} if call[1] == "rollback" else {"blue": 100 - call[1], "green": call[1]}
                )
            share = {"versions": self.versions, "measured_by": self.measured_by}
            return {
                "changed": True,
                "share": share,
                "after": self.weights,
                "of_all_traffic": {pool: weight * self.part for pool, weight in self.weights.items()},
                "route_notes": ["rule 0 leads to blue"],
                "pool": "blue",
                "bad_pool": "green",
                "gates": [{"gate": "errors"}],
                "stats": {"id": "now-v2"},
                "checks": self.validated,
            }

        return run

    def _renewed(self, task: Task, _run: str, **_more: t.Any) -> t.Any:
        from contextlib import nullcontext

        return nullcontext(task)

    def read(self, steps_release: t.Any) -> None:
        steps_release.release, steps_release.weights = self.release, dict(self.weights)
        steps_release.writers |= {self.writer}

    def go(self, *, check: bool = False, compare_version: t.Any = None, **more: t.Any) -> dict[str, t.Any]:
        given = {**params(**more), "compare_version": compare_version}
        return mcp_traffic_shift.run(
            Task(given, check_mode=check, progress=self.lines.append, warn=self.warnings.append)
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(monkeypatch)

    def read(steps_release: release_steps.StepsRelease) -> None:
        world.read(steps_release)

    monkeypatch.setattr(release_steps.StepsRelease, "_read", read)
    kind = SimpleNamespace(
        read=lambda *_: None,
        run=lambda _route: world.writer,
        weights=lambda *_: world.weights,
        noted=lambda _route: None,
        is_as_written=lambda _route, _server, weights: weights == world.weights,
    )
    monkeypatch.setattr(release_steps, "kind_of", lambda _server: kind)
    return world


ALL = [
    ("shift", 10), ("session",), ("watch", 10, 5.0),
    ("shift", 50), ("session",),
    ("shift", 100), ("session",), ("watch", 100, 5.0),
    ("watch", "warm", 3.0),
]  # fmt: skip
DONE = [("record", "ended", "succeeded"), ("announce", "ended")]
BACK = [("shift", "rollback"), ("scale", "green", 0), ("record", "lease_returned", None), ("announce", "ended")]


def test_a_good_release(world: World) -> None:
    found = world.go()
    assert world.calls == [*ALL, ("record", "ended", "succeeded"), ("announce", "ended")]
    assert (found["outcome"], found["changed"], len(found["steps"]), found["stats"]) == (
        "succeeded",
        True,
        3,
        {"id": "now-v2"},
    )
    assert [verdict["pool"] for verdict in found["verdicts"]] == ["green"] * 3
    assert re.fullmatch(
        r"v2 is live on green since \d\d:\d\d:\d\d UTC \(100 % measured\)\. "
        r"v1 stays ready on blue; to go back: rollback.yml\.",
        world.lines[-1],
    )


def test_everything_around_it(world: World) -> None:
    alertmanager = {"url": "http://127.0.0.1:9"}
    world.go(
        guard={"image_ref": "ee:1"},
        silence={"alertmanager": alertmanager, "seconds": 60},
        report={"dest": "/tmp/x/"},
        warm_replicas=1,
    )
    assert world.calls == [
        ("guard", "present"), ("silence", "present"), *ALL,
        ("record", "ended", "succeeded"), ("scale", "blue", 1), ("record", "lease_returned", None),
        ("silence", "absent"), ("announce", "ended"), ("report",),
    ]  # fmt: skip


@pytest.mark.parametrize("at", [*ALL[:3], ("shift", 50), ("watch", "warm", 3.0)])
def test_a_breach_goes_back_at_once(world: World, at: tuple[t.Any, ...]) -> None:
    world.fails[at] = Failure("It is bad.", verdict="breach")
    with pytest.raises(
        Failure, match=r"^v2 was rolled back; all traffic is on blue \(v1\) again. Cause: It is bad.$"
    ) as raised:
        world.go(announce={"escalation": [{"name": "Ann"}]})
    assert world.calls == [*ALL[: ALL.index(at) + 1], *BACK]
    assert raised.value.evidence["outcome"] == "rolled_back" and raised.value.evidence["changed"]
    assert world.lines[-1] == "call 1. Ann"
    assert world.given[-4]["reason"] == "It is bad." and world.given[-4]["api_retry_timeout"] == 600


LEVELS = [{"kind": kind, "name": kind} for kind in ("deployment", "application", "business", "customer")]
NO_WAY_BACK = {("shift", "rollback"): Failure("No way back.")}


@pytest.mark.parametrize(
    ("fails", "failed_percent", "kind"),
    [
        ({("watch", 10, 5.0): Failure("Errors.", verdict="breach")}, None, "application"),
        ({("session",): Failure("It is sick.", healthy=False)}, None, "application"),
        ({("shift", 10): FailedAnswers("Weights were written, but 5 failed.", "5 failed.")}, None, "application"),
        ({("shift", 10): Failure("The route is not accepted.")}, None, "deployment"),
        ({("watch", 10, 5.0): Failure("Nothing to see.", inconclusive=True)}, None, "deployment"),
        ({("watch", 10, 5.0): Failure("Nothing to see.", inconclusive=True)}, 6.0, "customer"),
        ({("shift", 10): Failure("It is bad."), **NO_WAY_BACK}, None, "business"),
        ({("shift", 10): Failure("It is bad."), **NO_WAY_BACK}, 5.0, "business"),
        ({("shift", 10): Failure("It is bad."), **NO_WAY_BACK}, 100.0, "customer"),
    ],
)
def test_each_kind_of_failure_calls_its_own(
    world: World, fails: dict[t.Any, BaseException], failed_percent: float | None, kind: str
) -> None:
    world.fails, world.failed_percent = fails, failed_percent
    with pytest.raises(Failure) as raised:
        world.go(announce={"escalation": LEVELS}, report={"dest": "/tmp/x/"})
    assert raised.value.evidence["kind"] == kind
    calls = [line for line in world.lines if line.startswith("call ")]
    assert calls[0].startswith("call 1. ") and calls[0].endswith(f": {kind}")
    announced = next(given for given in world.given if "webhooks" in given and given["kind"])
    reported = next(given for given in world.given if "verdicts" in given)
    assert announced["kind"] == reported["kind"] == kind


def test_a_shift_whose_answers_fail_ends_with_how_many(world: World) -> None:
    """What the weights are is left out of the cause: they are not any more."""
    long, brief = "Weights of ns/x were written (...), but 5 of 9 answers failed.", "at 50 %, 5 of 9 answers failed."
    world.fails[("shift", 50)] = FailedAnswers(long, brief)
    with pytest.raises(Failure, match=rf"^v2 was rolled back; all traffic is on blue \(v1\) again\. Cause: {brief}$"):
        world.go()
    assert next(given for given in world.given if given.get("rollback"))["reason"] == long


@pytest.mark.parametrize(
    ("triggers", "stops"),
    [({}, True), ({"latency": {"enabled": False}}, True), ({"error_burst": {"enabled": "false"}}, False)],
)
def test_a_shift_does_not_stop_at_a_burst_that_is_no_trigger(
    world: World, triggers: dict[str, t.Any], stops: bool
) -> None:
    world.go(watch={"triggers": triggers})
    assert [given["stop_at_burst"] for given in world.given if "stop_at_burst" in given] == [stops] * 3


def test_a_release_without_sessions_of_its_own(world: World) -> None:
    world.go(probe=False)
    assert world.calls == [*(one for one in ALL if one != ("session",)), *DONE]


def test_a_release_that_bypassed_something_says_so(world: World) -> None:
    world.release = {**RELEASE, "reason": "", "bypassed": ["gates"], "bypass_reason": "Clients wait."}
    world.go()
    assert world.lines[-1].startswith("The release of v2 bypassed gates; reason: Clients wait.")


def test_what_cannot_be_judged_stays(world: World) -> None:
    world.fails[("watch", 10, 5.0)] = Failure("Nothing to see.", inconclusive=True)
    with pytest.raises(
        Failure, match="is paused, and the traffic stays as it is: Nothing to see. To continue: the same command."
    ) as raised:
        world.go()
    assert world.calls == [*ALL[:3], ("record", "paused", None), ("announce", "paused")]
    assert raised.value.evidence["outcome"] == "inconclusive"


@pytest.mark.parametrize("at", [("shift", 50), ("watch", 10, 5.0)])
def test_a_run_that_was_taken_over_does_nothing_more(world: World, at: tuple[t.Any, ...]) -> None:
    world.fails[at] = LeaseLost("Ann took over.")
    with pytest.raises(LeaseLost):
        world.go()
    assert world.calls[-1] == at


def test_taken_over_on_the_way_back(world: World) -> None:
    world.fails = {("shift", 10): Failure("It is bad."), ("shift", "rollback"): LeaseLost("Ann took over.")}
    with pytest.raises(LeaseLost, match="Ann took over"):
        world.go()
    assert world.calls == [("shift", 10), ("shift", "rollback")]


def test_a_rollback_that_fails(world: World) -> None:
    world.fails = {("shift", 10): Failure("It is bad."), ("shift", "rollback"): Failure("No way back.")}
    with pytest.raises(Failure, match="failed .It is bad.., and the rollback failed: No way back."):
        world.go()
    # The Lease is kept, and runs out: then a guard tries again.
    assert world.calls == [("shift", 10), ("shift", "rollback"), ("announce", "rollback_failed")]


@pytest.mark.parametrize("late", [("scale", "green", 0), ("record", "lease_returned", None), ("announce", "ended")])
def test_what_comes_last_fails_nothing(world: World, late: tuple[t.Any, ...]) -> None:
    world.fails = {("shift", 10): Failure("It is bad."), late: Failure("No.")}
    with pytest.raises(Failure, match="again. Cause: It is bad."):
        world.go()
    assert world.calls == [("shift", 10), *BACK]
    assert any("No." in warning for warning in world.warnings)


def test_a_signal_pauses_it(world: World) -> None:
    world.fails[("shift", 10)] = Interrupted("SIGTERM")
    world.weights = {"blue": 90, "green": 10}  # it was written
    with pytest.raises(Interrupted) as raised:
        world.go()
    assert world.calls == [("shift", 10), ("record", "paused", None)]
    assert world.given[-1]["reason"] == "paused at 10 % by SIGTERM"
    assert (world.given[-1]["api_timeout"], world.given[-1]["api_retry_timeout"]) == (1.0, 0.0)
    assert raised.value.__notes__ == [
        "It is paused at 10 %.",
        "To continue: the same command. To go back: rollback.yml.",
    ]


def test_a_signal_on_the_way_back(world: World) -> None:
    world.fails = {("shift", 50): Failure("It is bad."), ("shift", "rollback"): Interrupted("SIGTERM")}
    with pytest.raises(Interrupted) as raised:
        world.go()
    assert world.calls[-1] == ("record", "paused", None)
    assert raised.value.__notes__ == ["It is paused at 10 %.", "The rollback was cut off: run rollback.yml."]


def test_a_signal_while_it_is_looked_whether_the_way_back_lasts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def back(task: Task) -> t.NoReturn:
        task.traffic_back()
        raise Interrupted("SIGINT")

    monkeypatch.setattr(ending, "SHIFT", replace(ending.SHIFT, run=back))
    world.fails = {("shift", 50): Failure("It is bad.")}
    with pytest.raises(Interrupted) as raised:
        world.go()
    assert raised.value.__notes__ == [
        "All traffic is back on blue.",
        "The steps after that were cut off: pool green keeps its pods. Run rollback.yml to finish.",
    ]
    assert ("record", "paused", None) in world.calls  # which gives the Lease back


def test_a_signal_after_the_end(world: World) -> None:
    world.fails = {("announce", "ended"): Interrupted("SIGTERM")}
    with pytest.raises(Interrupted) as raised:
        world.go()
    assert "The release has ended before: succeeded." in raised.value.__notes__[0]


def test_a_bug_goes_back_too(world: World) -> None:
    world.fails[("watch", 10, 5.0)] = KeyError("outcome")
    with pytest.raises(Failure, match=r"again. Cause: The task failed unexpectedly \(KeyError: 'outcome'\)\."):
        world.go()
    assert world.calls == [*ALL[:3], *BACK]


def test_a_lease_that_can_not_be_had_goes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def renewed(*_args: t.Any) -> t.Any:
        raise Failure("The webhook is away.")

    monkeypatch.setattr(release_steps.lease_renewal, "renewing", renewed)
    with pytest.raises(Failure, match="again. Cause: The webhook is away."):
        world.go()
    assert world.calls == BACK


def test_no_success_is_taken_back(world: World) -> None:
    world.fails[("scale", "blue", 1)] = Failure("A quota.")
    with pytest.raises(
        Failure,
        match="v2 is live on green since .* .100 % measured., but pool blue was not scaled to its warm size: A quota.",
    ) as raised:
        world.go(warm_replicas=1)
    assert world.calls[-3:] == [("scale", "blue", 1), ("record", "lease_returned", None), ("announce", "ended")]
    assert raised.value.evidence["outcome"] == "succeeded" and ("shift", "rollback") not in world.calls


def test_a_route_that_somebody_changed_is_no_success(world: World) -> None:
    """In the warm window, so that nothing has noticed."""
    read = {"blue": 100, "green": 0}
    world.then[("watch", "warm", 3.0)] = lambda: setattr(world, "weights", read)
    with pytest.raises(Failure, match="The route of ns/x gives blue 100 %, green 0 % now, not all to green"):
        world.go(warm_replicas=0)
    assert ("record", "ended", "succeeded") not in world.calls and ("scale", "blue", 0) not in world.calls


@pytest.mark.parametrize("at", [("shift", 50), ("watch", 10, 5.0), ("watch", "warm", 3.0)])
def test_a_release_that_somebody_overwrites_goes_back_once_and_scales_nothing(
    world: World, at: tuple[t.Any, ...]
) -> None:
    world.fails[at] = Overwritten("HTTPRoute ns/x gives blue 100 %: Argo CD did it.", overwritten={"by": "Argo CD"})
    with pytest.raises(
        Failure, match="again. Cause: HTTPRoute ns/x gives blue 100 %: Argo CD did it. Nothing was scaled."
    ) as raised:
        world.go()
    assert world.calls == [*ALL[: ALL.index(at) + 1], *(call for call in BACK if call[0] != "scale")]
    assert (world.given[-3]["verify_seconds"], raised.value.evidence["overwritten"]["by"]) == (0.0, "Argo CD")
    assert raised.value.evidence["outcome"] == "rolled_back"


def test_what_the_monitor_finds_ends_the_release(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also beside what is called: it is held() that tells."""
    found = Overwritten("Somebody else writes.")

    def refuse(_self: object) -> None:
        raise found

    monkeypatch.setattr(release_steps.overwrite_monitor.OverwriteMonitor, "refuse", refuse)
    world.held = True
    with pytest.raises(Failure, match="again. Cause: Somebody else writes. Nothing was scaled."):
        world.go()
    assert world.calls[0] == ("shift", 10) and ("scale", "green", 0) not in world.calls


@pytest.mark.parametrize("image", ["r/x:v1", "r/x:v3@sha256:aa"])
def test_an_image_that_somebody_put_back_is_no_success(
    world: World, monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    monkeypatch.setattr(release_steps.Server, "image", lambda _server, _cluster, pool: (image, 2))
    with pytest.raises(Failure, match=f"Pool green of ns/x runs {image} now, not r/x:v2.* Nothing was scaled."):
        world.go()
    assert ("record", "ended", "succeeded") not in world.calls and ("shift", "rollback") in world.calls


def test_versions_that_never_were_its_tag_are_not_compared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.versions = ["2026.11"]
    monkeypatch.setattr(release_steps.share, "sample", lambda *_: [Answer(0, False, "green", "2026.11")])
    assert world.go(**COMPARED)["outcome"] == "succeeded"
    assert any("version not compared again" in line for line in world.lines)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([Answer(0, False, "green", "2")], ""),
        (
            [Answer(0, False, "green", "v2"), Answer(1, False, None, "v1", reason="500")],
            "",
        ),  # failures are for the watch
        (
            [Answer(0, False, "green", "v2"), Answer(1, False, "green", "v1\n{{ x }}")],
            r"reports version v1 \{\{ x \}\}, not v2",
        ),
    ],
)
def test_versions_in_the_answers_are_read_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch, answers: list[Answer], says: str
) -> None:
    monkeypatch.setattr(release_steps.share, "sample", lambda *_: answers)
    if says:
        with pytest.raises(Failure, match=says):
            world.go(**COMPARED)
        assert ("record", "ended", "succeeded") not in world.calls
    else:
        assert world.go(**COMPARED)["outcome"] == "succeeded"


def test_versions_of_no_document_are_not_compared(world: World) -> None:
    with pytest.raises(Failure, match="refused: compare_version has health, but there is no health document"):
        world.go(compare_version=["health"])


@pytest.mark.parametrize("compared", [None, [], ["server_info"], ["health"]])
def test_versions_are_compared_where_that_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, compared: list[str] | None
) -> None:
    """What a server calls itself need not be its tag: pods are known by their digests."""
    answer = Answer(0, False, "green", "v1", server_info=("x", "v2"))
    asked: list[t.Any] = []
    monkeypatch.setattr(release_steps.share, "sample", lambda *given: [asked.append(given), answer][1:])
    if compared == ["health"]:
        with pytest.raises(Failure, match="reports version v1, not v2"):
            world.go(compare_version=compared, health_path="/health")
    else:
        assert world.go(compare_version=compared, health_path="/health")["outcome"] == "succeeded"
    assert bool(asked) is bool(compared)


@pytest.mark.parametrize(("measured_by", "says"), [("counters", "100 % measured"), (None, "100 % set, not measured")])
def test_the_end_says_whether_the_share_was_measured(world: World, measured_by: str | None, says: str) -> None:
    world.measured_by = measured_by
    world.go()
    assert any("v2 is live on green since " in line and f"({says})" in line for line in world.lines)


OTHER = {"url": "http://other", "source": ["istio"]}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, None),
        ({"watch": {"prometheus": {"url": "http://p", "source": ["envoy"]}}}, "http://p"),
        ({"watch": {"prometheus": {"url": "http://p", "source": ["envoy"]}}, "prometheus": OTHER}, "http://other"),
    ],
)
def test_shifts_may_read_the_gateways_counters(world: World, given: dict[str, t.Any], url: str | None) -> None:
    """From the Prometheus of the watch, unless another one is named."""
    world.go(**given)
    shifts = [one for one, call in zip(world.given, world.calls, strict=True) if call[0] == "shift"]
    assert [(one["prometheus"] or {}).get("url") for one in shifts] == [url] * 3


def test_counters_that_say_too_little_pause_a_release(world: World) -> None:
    """Nothing is rolled back: the traffic may follow."""
    world.fails[("shift", 50)] = Failure("Prometheus has not scraped the gateway twice.", inconclusive=True)
    with pytest.raises(Failure, match="is paused, and the traffic stays as it is"):
        world.go()
    assert ("record", "paused", None) in world.calls and ("shift", "rollback") not in world.calls


@pytest.mark.parametrize(
    ("wanted", "before", "now", "others"),
    [
        ("v2", ["v2"], ["v2"], []),
        ("v2", ["2"], ["2"], []),
        ("v2", ["v1", "v2"], ["v2"], []),
        ("v2", ["v2"], ["v1"], ["v1"]),
        ("v2", ["v2"], ["v1", "v2"], ["v1"]),
        ("v2", ["v2"], ["v1", "v3"], ["v1", "v3"]),
        ("v2", ["2026.11"], ["2026.11"], None),  # never reported as its tag
        ("v2", ["2026.11"], ["v1"], None),
        ("v2", [], ["v1"], None),
        ("v2", ["v2"], [], None),
        ("", ["v2"], ["v1"], None),
    ],
)
def test_which_versions_are_not_the_released_one(
    wanted: str, before: list[str], now: list[str], others: list[str] | None
) -> None:
    assert release_steps.other_versions(wanted, before, now) == others


def test_that_no_version_can_be_compared_is_said(world: World) -> None:
    assert world.go(**COMPARED)["outcome"] == "succeeded"
    assert any("version not compared again" in line for line in world.lines)


def test_a_route_that_another_run_wrote_is_that_ones(world: World) -> None:
    world.then[("watch", "warm", 3.0)] = lambda: setattr(world, "writer", "another")
    with pytest.raises(LeaseLost, match="run another wrote its route"):
        world.go(warm_replicas=0)
    assert world.calls == ALL


def test_a_route_that_the_run_before_wrote_is_ours(world: World) -> None:
    """It was cut off at 100 %, so that this run had nothing to write."""
    world.writer, world.weights = "former", {"blue": 0, "green": 100}
    assert world.go()["outcome"] == "succeeded"


def test_a_pause_that_is_not_recorded_is_none(world: World) -> None:
    world.fails[("record", "paused", None)] = Failure("No rights.")
    with pytest.raises(Failure, match="stays at 10 %, but the pause could not be recorded: No rights."):
        world.go(guard={"image_ref": "ee:1"}, stop_after=10)
    assert ("shift", "rollback") not in world.calls


@pytest.mark.parametrize("part", [1.0, 0.25])
def test_watches_know_of_other_backends(world: World, part: float) -> None:
    world.part = part
    found = world.go()
    watched = [given["other_backends"] for given in world.given if "other_backends" in given]
    assert watched and set(watched) == {part < 1}
    assert found["steps"][0]["of_all_traffic"]["green"] == 10 * part and found["route_notes"] == [
        "rule 0 leads to blue"
    ]


def test_triggers_are_watched_for_as_long_as_checks_take(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without a warm window."""
    ends = threading.Event()
    monkeypatch.setattr(release_steps.checks, "run_checks", lambda *_args: ends.wait(10) and [])
    seen: list[int] = []
    world.then[("watch", "warm", 5.0)] = lambda: seen.append(1) or (len(seen) == 3 and (ends.set(), time.sleep(0.2)))
    world.go(warm_seconds=0, checks=[{"name": "mine", "command": {"argv": ["true"]}}])
    assert len(seen) == 3


@pytest.mark.parametrize("outcome", [RuntimeError("can't start new thread"), "failed"])
def test_checks_that_fail_or_can_not_be_run_go_back(
    world: World, monkeypatch: pytest.MonkeyPatch, outcome: t.Any
) -> None:
    def run_checks(*_args: t.Any) -> list[t.Any]:
        if isinstance(outcome, Exception):
            raise outcome
        return [release_steps.checks.Outcome("mine", "command", False, 1.0, "exit code 1")]

    monkeypatch.setattr(release_steps.checks, "run_checks", run_checks)
    with pytest.raises(
        Failure, match="again. Cause: (The checks could not be run|Check mine failed after 1.0 s: exit code 1)"
    ):
        world.go(checks=[{"name": "mine", "command": {"argv": ["true"]}}])
    assert ("shift", "rollback") in world.calls


def validated(name: str, verdict: str, *, required: bool = True) -> dict[str, t.Any]:
    return _results.result(name, f"check {name}", verdict, f"What {name} says.", required=required)


def test_a_validation_that_fails_goes_back(world: World) -> None:
    """Each other check is in the result, too."""
    found = [validated("a", "passed"), validated("b", "failed"), validated("c", "cannot_measure")]
    options = {"checks": ["health", "b"], "prometheus": None}
    with pytest.raises(Failure, match="validation: value of checks must be one or more of"):
        world.go(validation=options)  # there is no check b
    world.validated = found
    with pytest.raises(Failure, match=r"again. Cause: Check check b failed after 0.0 s: What b says") as failed:
        world.go(warm_seconds=5, validation={**options, "checks": ["health"]})
    assert ("shift", "rollback") in world.calls
    outcomes = [(one["name"], one["kind"], one["passed"]) for one in failed.value.evidence["checks"]]
    assert outcomes == [
        ("check a", "validation", True),
        ("check b", "validation", False),
        ("check c", "validation", True),
    ]


def test_a_validation_that_cannot_tell_is_a_warning(world: World) -> None:
    world.validated = [
        validated("a", "cannot_measure"),
        validated("b", "cannot_measure", required=False),
        validated("c", "skipped"),
    ]
    found = world.go(validation={"checks": ["health"]})
    assert found["outcome"] == "succeeded" and ("shift", "rollback") not in world.calls
    warned = [one for one in world.warnings if "alid" in one]
    assert warned == ["Validation of ns/x cannot tell (check a): What a says."]
    assert [one["reason"] for one in found["checks"]] == ["What a says.", "What b says.", "What c says."]


@pytest.mark.parametrize(
    ("error", "words"),
    [(Failure("There is no token."), "There is no token."), (KeyError("x"), "Unexpected error KeyError")],
)
def test_a_validation_that_cannot_begin_is_a_warning(world: World, error: Exception, words: str) -> None:
    """So is a bug of it: none of the version."""
    world.fails["validate", "green", ("mcp",)] = error
    found = world.go(validation={"checks": ["mcp"]})
    assert found["outcome"] == "succeeded" and found["checks"] == []
    assert any(one.startswith(f"ns/x could not be validated. {words}") for one in world.warnings), world.warnings


def test_it_goes_on_where_it_was_killed(world: World) -> None:
    world.weights = {"blue": 50, "green": 50}
    world.go()
    assert world.calls[:4] == [("shift", 50), ("session",), ("shift", 100), ("session",)]


def test_check_mode_shows_every_shift(world: World) -> None:
    found = world.go(check=True, warm_replicas=1, guard={"image_ref": "ee:1"})
    assert world.calls == [("guard", "present"), ("shift", 10), ("shift", 50), ("shift", 100), ("scale", "blue", 1)]
    assert all(given.get("force", True) for given in world.given)
    assert found["changed"]


def test_stop_after_hands_over_to_the_guard(world: World) -> None:
    found = world.go(guard={"image_ref": "ee:1"}, stop_after=50, pause_seconds=60)
    assert world.calls == [("guard", "present"), *ALL[:5], ("record", "paused", None), ("announce", "paused")]
    assert found["outcome"] == "paused" and found["paused_until"] == world.given[-2]["paused_until"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"steps": STEPS[:2]}, "do not end at 100 %"),
        ({"steps": [{"weight": 100, "seconds": -1}]}, "seconds -1: it must be 0 or more"),
        ({"stop_after": 10}, "needs a guard"),
        ({"stop_after": 20, "guard": {"image_ref": "x"}}, "stop_after is 20: it must be the weight of a step"),
        ({"stop_after": 100, "guard": {"image_ref": "x"}}, "less than 100"),
        ({"stop_after": 10, "guard": {"image_ref": "x"}, "pause_seconds": 0}, "pause_seconds is 0"),
        ({"stop_after": 10, "guard": {"image_ref": "x"}, "pause_seconds": 259200}, "for which a guard lasts"),
        ({"watch": {"prometeus": {}}}, "watch: .*prometeus"),
        ({"guard": {}}, "guard: .*image_ref"),
        ({"silence": {"alertmanager": {"url": "x"}}}, "silence: .*seconds"),
        ({"announce": {"webhooks": [{"format": "json"}]}}, "announce: .*url"),
        ({"report": {}}, "report: .*dest"),
        ({"run_id": None}, "begin one with mcp_release"),
        ({"rollback": True}, "leave out steps"),
    ],
)
def test_options_are_refused_before_anything_is_done(world: World, more: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Failure, match=words):
        world.go(**more)
    # What was cut off with traffic on the new pool must not stay without a word.
    assert world.calls in ([], [("record", "paused", None)])


def test_secrets_of_what_is_called_are_not_shown(world: World) -> None:
    url = "https://hooks.example.com/T0/planted-token"
    world.fails[("watch", 10, 5.0)] = Failure(f"Lost at {url}.", seen=url)
    with pytest.raises(Failure) as raised:
        world.go(announce={"webhooks": [{"url": url}]})
    assert "planted-token" not in repr((raised.value.msg, raised.value.evidence, world.lines, world.warnings))


@pytest.mark.parametrize(
    ("weight", "left"),
    [(0, [10, 50, 100]), (10, [10, 50, 100]), (11, [50, 100]), (50, [50, 100]), (99, [100]), (100, [100])],
)
def test_remaining(weight: int, left: list[int]) -> None:
    assert [step["weight"] for step in release_steps.remaining(STEPS, weight)] == left


IMAGES = {"blue": "r/x:v1", "green": "r/x:v2"}


@pytest.mark.parametrize(
    ("release", "images", "words"),
    [
        (RELEASE, IMAGES, ""),
        (RELEASE, {"blue": "mirror/r/x:v1", "green": "mirror/r/x:v2@sha256:1"}, ""),  # an admission webhook's doing
        (
            {**RELEASE, "to": {**RELEASE["to"], "image_ref": "r/x@sha256:b"}},
            {**IMAGES, "green": "mirror/r/x@sha256:b"},
            "",
        ),
        (
            {**RELEASE, "to": {**RELEASE["to"], "image_ref": "r/x@sha256:b"}},
            {**IMAGES, "green": "r/x@sha256:c"},
            "pool green runs r/x@sha256:c now",
        ),
        (None, IMAGES, "no release in progress"),
        ({}, IMAGES, "no release in progress"),
        ({**RELEASE, "outcome": "rolled_back"}, IMAGES, "no release in progress"),
        ({**RELEASE, "from": RELEASE["to"], "to": RELEASE["from"]}, IMAGES, "goes to pool blue, not to green"),
        (RELEASE, {**IMAGES, "green": "r/x:v3"}, "pool green runs r/x:v3 now, not r/x:v2"),
        (RELEASE, {**IMAGES, "blue": "r/x:v0"}, "pool blue runs r/x:v0 now, not r/x:v1"),
    ],
)
def test_complaint(release: t.Any, images: dict[str, str], words: str) -> None:
    found = release_steps.why_not_to_continue(release, "green", images)
    assert words in found and bool(words) == bool(found)


def weights(green: int) -> dict[str, int]:
    return {"blue": 100 - green, "green": green}


def at(*steps: int, before: dict[str, int] | None = None) -> t.Any:
    origin = {**RELEASE["from"], "weights": weights(0) if before is None else before}
    return {**RELEASE, "from": origin, "steps": [{"weights": weights(green)} for green in steps]}


@pytest.mark.parametrize(
    ("release", "noted", "ours"),
    [
        (at(), None, [0]),
        (at(), weights(10), [10, 0]),  # written, and killed before it was recorded
        (at(10, 50), None, [50, 0]),
        (at(10), weights(50), [50, 10, 0]),
        # Anybody may have edited the record, and it is not known what another release left
        (RELEASE, weights(10), []),
        (at(10, before={}), weights(10), []),
        ({**at(), "steps": [{}]}, None, [0]),
        ({**at(), "steps": [{"weights": {"blue": 7}}]}, None, [0]),
        (at(before={"blue": 100}), None, []),
    ],
)
def test_which_weights_are_ours(release: t.Any, noted: dict[str, int] | None, ours: list[int]) -> None:
    assert release_steps.weights_of_ours(release, noted) == [weights(green) for green in ours]


@pytest.mark.parametrize(("release", "green"), [(at(), 30), (at(), 100), (at(10), 30), (at(10, 50), 10)])
def test_weights_of_another_client_pause_it_before_the_first_weight(world: World, release: t.Any, green: int) -> None:
    world.release, world.weights = release, weights(green)
    with pytest.raises(Failure, match="is paused, and the traffic stays as it is: another client") as raised:
        world.go()
    assert f"gives blue {100 - green} %, green {green} % now, not " in raised.value.msg
    assert raised.value.evidence["inconclusive"]
    assert world.calls == [("record", "paused", None), ("announce", "paused")]


@pytest.mark.parametrize(("release", "green", "first"), [(at(), 0, 10), (at(10, 50), 50, 50), (at(10), 0, 10)])
def test_weights_of_ours_are_continued_from(world: World, release: t.Any, green: int, first: int) -> None:
    world.release, world.weights = release, weights(green)
    world.go()
    assert world.calls[0] == ("shift", first)


def test_a_release_that_is_not_ours_shifts_nothing(world: World) -> None:
    world.release = {**RELEASE, "to": {**RELEASE["to"], "image_ref": "r/x:v3"}}
    with pytest.raises(Failure, match="pool green runs r/x:v2 now"):
        world.go()
    assert ("shift", 10) not in world.calls


def test_a_token_is_handed_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the validated option those places of a token that are not used are there too, and None."""
    monkeypatch.setenv("TOKEN", "a-token-of-the-server")
    assert world.go(auth={"token_env": "TOKEN"})["outcome"] == "succeeded"
    named = [given["auth"]["token_env"] for given in world.given if given.get("auth")]
    assert len(named) >= 6 and set(named) == {"TOKEN"}


def test_calls_have_only_what_is_common() -> None:
    calls = Calls.of({"namespace": "ns", "server": "x", "timeout": 1.0, "run_id": "run1", "pool": "green"})
    assert calls.params(Module(ending.ANNOUNCE.spec, ending.ANNOUNCE.run))["timeout"] == 6.0


def test_the_old_pool_is_scaled_down_once_the_weights_have_lasted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a warm window whoever puts them back would come too late to be seen."""
    begun = time.monotonic()

    def refuse(_monitor: t.Any) -> None:
        if time.monotonic() - begun > 0.2:
            raise Overwritten("Argo CD did it.")

    monkeypatch.setattr(release_steps.overwrite_monitor.OverwriteMonitor, "refuse", refuse)
    with pytest.raises(Failure, match="again. Cause: Argo CD did it. Nothing was scaled."):
        world.go(steps=[{"weight": 100, "seconds": 0}], warm_seconds=0, warm_replicas=0)
    assert ("record", "ended", "succeeded") not in world.calls and ("scale", "blue", 0) not in world.calls


def test_a_success_that_somebody_undoes_at_once_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool that is to be scaled down has the traffic again: what was recorded is ended as what it is."""
    world.fails[("scale", "blue", 0)] = Failure("The route gives it 100 % of the traffic.")
    looks: list[int] = []

    def look(_monitor: t.Any) -> None:
        looks.append(1)
        if ("scale", "blue", 0) in world.calls:
            raise Overwritten("HTTPRoute ns/x gives blue 100 % now: Argo CD did it.")

    monkeypatch.setattr(release_steps.overwrite_monitor.OverwriteMonitor, "look", look)
    with pytest.raises(
        Failure, match="again. Cause: HTTPRoute ns/x gives blue 100 % now: Argo CD did it. Nothing was scaled."
    ) as raised:
        world.go(warm_replicas=0)
    assert (
        raised.value.evidence["outcome"] == "rolled_back" and ("shift", "rollback") in world.calls and len(looks) == 2
    )


@pytest.mark.parametrize(
    ("running", "accepted", "wrong"),
    [
        # The index's digest or a platform's; none is ready
        ({"p1": A, "p2": A}, {A}, ""),
        ({"p1": A, "p2": B}, {A, B}, ""),
        ({}, {A}, ""),
        ({}, set(), ""),
        # The tag was moved between two pods
        ({"p1": A, "p2": B}, {A}, f"p2 runs {B}, expected {A}"),
        ({"p1": A, "p2": ""}, {A}, f"p2 runs an unknown digest, expected {A}"),
        # Nobody knows which one it should be: one in all pods
        ({"p1": A, "p2": A}, set(), ""),
        ({"p1": "", "p2": ""}, set(), ""),
        ({"p1": A, "p2": B}, set(), f"p1 runs {A}, p2 runs {B}, expected one image in all pods"),
        (dict.fromkeys("12345", B), {A}, f"1 runs {B}, 2 runs {B}, 3 runs {B} and 2 more, expected {A}"),
    ],
)
def test_other_digests(running: dict[str, str], accepted: set[str], wrong: str) -> None:
    assert release_steps.other_digests(running, accepted) == wrong


def test_another_image_than_the_released_one_gets_no_traffic(world: World) -> None:
    world.digests = {"green-1": A, "green-2": B}
    with pytest.raises(Failure, match=f"does not run what was released: green-2 runs {B}, expected {A}. The tag was"):
        world.go()
    assert world.calls == BACK
    # The index's digest and a platform's both count
    world.calls.clear()
    world.weights = {"blue": 100, "green": 0}
    world.go(digests=[A, B])
    assert world.calls[0] == ("shift", 10)


def test_a_node_with_another_image_is_found_before_success(world: World) -> None:
    world.then[("watch", "warm", 3.0)] = lambda: world.digests.update({"green-3": B})
    with pytest.raises(Failure, match=f"green-3 runs {B}, expected {A}"):
        world.go()
    assert world.calls == [*ALL, *BACK]


def test_without_a_registry_the_one_image_of_all_pods_is_recorded(world: World) -> None:
    world.release = {**RELEASE, "to": {**RELEASE["to"], "digest": ""}}
    world.go()
    assert world.calls[0] == ("record", "updated", None) and world.given[0]["digest"] == A
    assert world.calls[1:-2] == ALL
    # What another node pulls later must be the same
    world.calls.clear()
    world.weights = {"blue": 100, "green": 0}
    world.then[("shift", 50)] = lambda: world.digests.update({"green-3": B})
    with pytest.raises(Failure, match=f"green-3 runs {B}, expected {A}"):
        world.go()


def test_what_is_deployed_by_its_digest_may_be_known_by_a_platforms(world: World) -> None:
    """The registry is away when the release is resumed."""
    world.release = {**RELEASE, "to": {**RELEASE["to"], "image_ref": f"r/x:v2@{C}", "digest": C}}
    world.go()
    assert world.calls[:-2] == ALL
