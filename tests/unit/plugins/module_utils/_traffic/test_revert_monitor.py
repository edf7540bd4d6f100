# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another client overwrites during a shift, after an emergency and under a watch: on the fake API server."""

from __future__ import annotations

import itertools
import json
import threading
import time
import typing as t
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import defaults
from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift as shift
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import overwrite_monitor, revert_monitor
from ansible_collections.mcp.server.plugins.module_utils._traffic import shift as moving
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrite_monitor import OverwriteMonitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Expected, Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/x"
DEPLOYMENT = "/apis/apps/v1/namespaces/ns/deployments/x-"
SCALER = "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers/x-green"
RULES = {"f:spec": {"f:rules": {}}}
ARGO = {"argocd.argoproj.io/tracking-id": "shop:gateway.networking.k8s.io/HTTPRoute:ns/x"}


class Writing:
    """A server, and somebody else who writes to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api = ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2"))
        Controllers(self.api)
        self.lines: list[str] = []
        self.warnings: list[str] = []
        monkeypatch.setattr(shift.connection, "connect", lambda _params: self.api)
        monkeypatch.setattr(overwrite_monitor, "POLL_INTERVAL", 0.05)
        monkeypatch.setattr(revert_monitor, "POLL_INTERVAL", 0.05)
        self.server = Server("ns", "x", "{server}-{pool}", "x", "x")
        self.green(0)

    def green(self, percent: int, manager: str = "", rules: t.Any = None, **annotations: str) -> None:
        """Give green this weight as another client."""
        backends = [
            {"name": f"x-{pool}", "port": 8080, "weight": weight}
            for pool, weight in (("blue", 100 - percent), ("green", percent))
        ]
        metadata: dict[str, t.Any] = {"annotations": annotations} if annotations else {}
        if manager:
            entry = {"manager": manager, "operation": "Apply", "time": "2026-11-26T19:02:11Z", "fieldsV1": RULES}
            metadata["managedFields"] = [entry]
        self.api.change(
            ROUTE, {"metadata": metadata, "spec": {"rules": [{"backendRefs": backends}] if rules is None else rules}}
        )

    @property
    def weights(self) -> tuple[int, int]:
        blue, green = self.api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
        return blue["weight"], green["weight"]

    def shift(self, **options: t.Any) -> dict[str, t.Any]:
        given = {
            "namespace": "ns",
            "server": "x",
            "host": "https://x",
            "api_key": "k",
            "session_mode": "stateless",
            "timeout": 5,
            **options,
        }
        validated = ArgumentSpecValidator(shift.SPEC.options, **shift.SPEC.rules()).validate(given)
        assert not validated.error_messages, validated.error_messages
        return shift.run(Task(validated.validated_parameters, progress=self.lines.append, warn=self.warnings.append))

    def looking(self, expected: Expected | None) -> OverwriteMonitor:
        return OverwriteMonitor(
            Task({}, progress=self.lines.append, warn=self.warnings.append), self.api, self.server, expected
        )

    @contextmanager
    def loop(self, percent: int, every: float, seconds: float, manager: str = "argocd-controller") -> t.Iterator[None]:
        """Put the weights back every now and then, as a GitOps tool does."""
        over = threading.Event()

        def work() -> None:
            bound = time.monotonic() + seconds
            while time.monotonic() < bound and not over.wait(every):
                if self.weights[1] != percent:
                    self.green(percent, manager)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(5)


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Writing:
    return Writing(monkeypatch)


def found(looking: OverwriteMonitor, seconds: float = 2.0) -> Failure:
    """Return what the monitor finds."""
    bound = time.monotonic() + seconds
    with pytest.raises(Failure) as raised:
        while time.monotonic() < bound:
            looking.refuse()
            time.sleep(0.01)
    return raised.value


BLUE_100 = {"blue": 100, "green": 0}


@pytest.mark.parametrize(
    ("manager", "words"),
    [
        ("argocd-controller", r"Argo CD \(argocd-controller, 19:02:11 UTC\) reverted spec.rules"),
        ("kubectl-client-side-apply", "kubectl .kubectl-client-side-apply"),
        ("", "another client reverted spec.rules.* .the object's managedFields do not say which"),
    ],
)
def test_a_shift_that_is_overwritten_while_it_is_measured(
    writing: Writing, monkeypatch: pytest.MonkeyPatch, manager: str, words: str
) -> None:
    """It says so at once, instead of waiting for a share that can't come."""
    monkeypatch.setattr(moving.share, "sample", lambda *_given: [Answer(0.0, False, "blue")])

    @contextmanager
    def asking(*_args: t.Any, **_more: t.Any) -> t.Iterator[t.Iterator[Answer]]:
        def answers() -> t.Iterator[Answer]:
            for number in itertools.count():
                if number == 5:
                    writing.green(0, manager)
                time.sleep(0.01)
                yield Answer(number, number % 2 == 0, "blue")

        yield answers()

    monkeypatch.setattr(moving.share, "answer_stream", asking)
    start = time.monotonic()
    with pytest.raises(
        Overwritten, match=rf"HTTPRoute ns/x gives blue 100 %, green 0 % now, not blue 90 %, green 10 % .*{words}"
    ):
        writing.shift(pool="green", weight=10, endpoint={**defaults(), "url": "http://127.0.0.1:9"})
    assert time.monotonic() - start < 3


def test_everything_that_a_monitor_finds(writing: Writing) -> None:
    with writing.looking(None) as looking:
        while looking.expected is None:
            time.sleep(0.01)
        assert looking.expected.images == {"blue": "r/x:v1", "green": "r/x:v2"} and looking.expected.weights == BLUE_100
        looking.look()
        containers = [{"name": "x", "image": "r/x:v0"}]
        writing.api.change(
            f"{DEPLOYMENT}green", {"spec": {"template": {"spec": {"containers": containers}}}}, "strategic"
        )
        failure = found(looking)
    assert isinstance(failure, Overwritten) and "Deployment ns/x-green runs r/x:v0 now, not r/x:v2" in failure.msg
    assert failure.evidence["overwritten"]["field"] == "spec.template.spec.containers[0].image"


def test_who_may_not_read_the_pools_still_sees_the_route(writing: Writing) -> None:
    writing.api.refused |= {"get deployments", "list horizontalpodautoscalers"}
    with writing.looking(None) as looking:
        while looking.expected is None:
            time.sleep(0.01)
        writing.green(50)
        assert "gives blue 50 %, green 50 % now" in found(looking).msg


def test_an_autoscalers_minimum_is_said_once_and_pods_that_it_takes_end_it(writing: Writing) -> None:
    note = json.dumps({"former": 1, "raised": 2})
    target = {"kind": "Deployment", "name": "x-green"}
    metadata = {"annotations": {"mcp.server/min-replicas": note}}
    writing.api.put(
        SCALER, {"metadata": metadata, "spec": {"minReplicas": 2, "maxReplicas": 6, "scaleTargetRef": target}}
    )
    start = Expected(weights=BLUE_100, runs=frozenset({""}), pool="green")
    with writing.looking(overwrite_monitor.at_start(writing.api, writing.server, start)) as looking:
        assert looking.expected and looking.expected.minimums == {"green": 2}
        manager = {"manager": "keda-operator", "operation": "Update", "fieldsV1": {"f:spec": {"f:minReplicas": {}}}}
        writing.api.change(SCALER, {"metadata": {"managedFields": [manager]}, "spec": {"minReplicas": 1}})
        time.sleep(0.3)
        looking.refuse()
        (warning,) = writing.warnings
        assert "HorizontalPodAutoscaler ns/x-green has minReplicas 1 now, not 2" in warning and "KEDA" in warning
        writing.api.change(f"{DEPLOYMENT}green", {"spec": {"replicas": 1}})
        assert "Deployment ns/x-green has 1 replicas now, not 2" in found(looking).msg


@pytest.mark.parametrize(
    ("pool", "note", "warned"),
    [("green", {"former": 1, "raised": 2}, 1), ("blue", {"former": 1, "raised": 2}, 0), ("green", [], 0)],
)
def test_a_minimum_that_was_put_back_before_the_first_step_is_named(
    writing: Writing, pool: str, note: t.Any, warned: int
) -> None:
    target = {"kind": "Deployment", "name": "x-green"}
    manager = {"manager": "keda-operator", "operation": "Update", "fieldsV1": {"f:spec": {"f:minReplicas": {}}}}
    metadata = {"annotations": {"mcp.server/min-replicas": json.dumps(note)}, "managedFields": [manager]}
    writing.api.put(
        SCALER, {"metadata": metadata, "spec": {"minReplicas": 1, "maxReplicas": 6, "scaleTargetRef": target}}
    )
    writing.looking(
        overwrite_monitor.at_start(
            writing.api, writing.server, Expected(weights=BLUE_100, runs=frozenset({""}), pool=pool)
        )
    ).look()
    assert len(writing.warnings) == warned
    assert all("has minReplicas 1 now, not 2" in text and "KEDA" in text for text in writing.warnings)


@pytest.mark.parametrize("error", [Unreachable("It is away."), KeyError("spec"), RecursionError()])
def test_what_can_not_be_read_is_no_finding(writing: Writing, error: Exception) -> None:
    writing.api.fail(error, "GET", times=20)
    with writing.looking(
        Expected(weights={"blue": 90, "green": 10}, images={"blue": "r/x:v1"}, runs=frozenset({""}))
    ) as looking:
        time.sleep(0.1)
        looking.refuse()
        writing.api.rules.clear()
        assert "gives blue 100 %" in found(looking).msg


def test_a_check_that_waits_for_the_api_server_keeps_no_process_alive(writing: Writing) -> None:
    before = set(threading.enumerate())
    with writing.looking(Expected(weights=BLUE_100, runs=frozenset({""}))):
        assert [thread.daemon for thread in set(threading.enumerate()) - before] == [True]


def test_odd_objects_are_no_traceback(writing: Writing) -> None:
    expected = overwrite_monitor.at_start(writing.api, writing.server, Expected(weights=BLUE_100, runs=frozenset({""})))
    for odd in (
        {"metadata": {"managedFields": "x"}, "spec": {"rules": {"a": 1}}},
        {"spec": None},
        {"metadata": {"annotations": [1]}},
    ):
        writing.api.objects[ROUTE] = {"metadata": {}, **odd}
        writing.api.objects[f"{DEPLOYMENT}green"] = {"metadata": {}, "spec": {"template": odd}}
        with suppress(Overwritten):  # the container is gone, as far as one can see
            writing.looking(expected).look()


@pytest.mark.parametrize(("manager", "kind"), [("mcp.server", LeaseLost), ("argocd-controller", Overwritten)])
def test_the_id_of_another_run_counts_unless_it_is_a_copy(writing: Writing, manager: str, kind: type[Failure]) -> None:
    """Which it is when a manifest has it."""
    looking = writing.looking(Expected(weights=BLUE_100, runs=frozenset({"ours"})))
    writing.green(10, **{"mcp.server/run": "former"})
    fields = {"f:metadata": {"f:annotations": {"f:mcp.server/run": {}}}}
    writing.api.change(
        ROUTE, {"metadata": {"managedFields": [{"manager": manager, "operation": "Update", "fieldsV1": fields}]}}
    )
    with pytest.raises(kind):
        looking.look()


def test_a_look_after_the_block_still_tells(writing: Writing) -> None:
    with writing.looking(Expected(weights=BLUE_100, runs=frozenset({""}))) as looking:
        looking.look()
    writing.green(10)
    with pytest.raises(Overwritten):
        looking.look()


def test_what_we_change_ourselves_meanwhile_is_no_finding(writing: Writing) -> None:
    looking = writing.looking(Expected(weights={"blue": 90, "green": 10}, runs=frozenset({""})))
    shifted = Expected(weights=BLUE_100, runs=frozenset({""}))
    writing.api.call(lambda: setattr(looking, "expected", shifted), "GET", ROUTE)
    looking.look()
    looking.look()


def test_a_route_without_both_pools_is_found(writing: Writing) -> None:
    looking = writing.looking(Expected(weights=BLUE_100, runs=frozenset({""})))
    writing.green(0, "argocd-controller", rules=[{"backendRefs": [{"name": "x-blue", "port": 80}]}])
    with pytest.raises(Overwritten, match=r"no longer leads to both pools.* Argo CD \(argocd-controller"):
        looking.look()


@pytest.mark.parametrize(
    ("path", "words"),
    [(ROUTE, "HTTPRoute ns/x was deleted"), (f"{DEPLOYMENT}green", "Deployment ns/x-green was deleted")],
)
def test_what_is_deleted_is_named(writing: Writing, path: str, words: str) -> None:
    expected = overwrite_monitor.at_start(
        writing.api, writing.server, Expected(weights=BLUE_100, runs=frozenset({""}), pool="green")
    )
    with writing.looking(expected) as looking:
        del writing.api.objects[path]
        failure = found(looking)
    assert isinstance(failure, Overwritten) and words in failure.msg and "audit log" in failure.msg
    assert failure.evidence["overwritten"]["by"] == "unknown"


def test_a_container_that_is_replaced_is_named(writing: Writing) -> None:
    expected = overwrite_monitor.at_start(
        writing.api, writing.server, Expected(weights=BLUE_100, runs=frozenset({""}), pool="green")
    )
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}}}}}}}
    entry = {"manager": "argocd-controller", "operation": "Apply", "time": "2026-11-26T19:02:11Z", "fieldsV1": fields}
    template = {"spec": {"containers": [{"name": "app", "image": "r/x:v1"}]}}
    writing.api.change(f"{DEPLOYMENT}green", {"metadata": {"managedFields": [entry]}, "spec": {"template": template}})
    with pytest.raises(Overwritten, match=r"Deployment ns/x-green runs no container x now, not r/x:v2 .*Argo CD"):
        writing.looking(expected).look()


def test_what_is_not_found_for_a_moment_is_not_deleted(writing: Writing) -> None:
    """By an API server that starts and does not know its custom resources yet."""
    looking = writing.looking(Expected(weights=BLUE_100, runs=frozenset({""})))
    for _time in range(3):
        writing.api.fail(NotFound("No."), "GET", ROUTE, times=1)
        looking.look()
        looking.look()


def test_each_of_two_warnings_is_said(writing: Writing) -> None:
    target = {"kind": "Deployment", "name": "x-green"}
    writing.api.put(SCALER, {"metadata": {}, "spec": {"minReplicas": 1, "maxReplicas": 6, "scaleTargetRef": target}})
    writing.looking(
        Expected(weights=BLUE_100, runs=frozenset({""}), sizes={"blue": 9}, minimums={"green": 2}, pool="green")
    ).look()
    assert len(writing.warnings) == 2


def test_an_emergency_that_nobody_undoes_says_nothing_of_it(writing: Writing) -> None:
    writing.green(100)
    start = time.monotonic()
    result = writing.shift(rollback=True, rollback_pool="blue", verify_seconds=1)
    assert 1 <= time.monotonic() - start < 4
    assert (writing.weights, result["reverted"], result["gitops"]) == ((100, 0), [], [])
    assert any("is back on blue; watching the route for " in line for line in writing.lines)
    assert not any("reverted" in text for text in writing.warnings)


def test_an_emergency_writes_again_what_is_undone(writing: Writing) -> None:
    writing.green(100, "argocd-controller")
    with writing.loop(100, every=0.2, seconds=1.2):
        result = writing.shift(rollback=True, rollback_pool="blue", verify_seconds=0.6)
    assert writing.weights == (100, 0) and len(result["reverted"]) >= 2 and result["reverted"][0]["by"] == "Argo CD"
    assert (result["before"], result["changed"], result["scale_down"]) == ({"blue": 0, "green": 100}, True, False)
    assert any("keeps its pods" in text and "Argo CD" in text for text in writing.warnings)


def test_what_was_undone_once_is_verified_again_and_leaves_the_bad_pool(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever it was, and although no tool holds the route."""
    verified: list[tuple[int, int]] = []
    verify = shift.Shift.verify

    def counted(self: shift.Shift, *given: t.Any) -> None:
        verify(self, *given)
        verified.append(writing.weights)
        if len(verified) == 1:
            timer.start()

    monkeypatch.setattr(shift.Shift, "verify", counted)
    timer = threading.Timer(0.1, lambda: writing.green(100))
    writing.green(100)
    writing.api.change(
        ROUTE,
        {
            "metadata": {
                "annotations": {"mcp.server/stable": json.dumps({"pool": "blue", "weights": {"blue": 0, "green": 100}})}
            }
        },
    )
    result = writing.shift(rollback=True, verify_seconds=0.5)
    timer.join()
    assert len(result["reverted"]) == 1 and result["reverted"][0]["by"] == "unknown" and result["gitops"] == []
    assert result["scale_down"] is False and verified == [(100, 0), (100, 0)]


def test_an_emergency_that_is_undone_for_too_long_fails_and_says_where_the_traffic_is(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revert_monitor, "MAX_REWRITE_SECONDS", 0.5)
    writing.green(100, "argocd-controller")
    with (
        writing.loop(100, every=0.1, seconds=60),
        pytest.raises(Overwritten, match=r"reverted \d+ times in .*gives blue 0 %, green 100 % now.*Argo CD") as raised,
    ):
        writing.shift(rollback=True, rollback_pool="blue", verify_seconds=5)
    assert raised.value.evidence["scale_down"] is False


def test_who_took_a_pool_off_the_route_in_a_shift_is_named(writing: Writing) -> None:
    rules = [{"backendRefs": [{"name": "x-blue", "port": 80}]}]
    writing.api.call(lambda: writing.green(0, "argocd-controller", rules=rules), "PATCH", ROUTE, after=True)
    with pytest.raises(Overwritten, match=r"no longer leads to both pools.*Argo CD \(argocd-controller"):
        writing.shift(pool="green", weight=10)


def test_who_took_a_pool_off_the_route_after_an_emergency_is_named(writing: Writing) -> None:
    """Git has the route from before there were two pools."""
    writing.green(100)
    rules = [{"backendRefs": [{"name": "x-green", "port": 80}]}]
    writing.api.call(lambda: writing.green(0, "argocd-controller", rules=rules), "PATCH", ROUTE, after=True)
    with pytest.raises(
        Overwritten, match=r"can't be written again: .*lists both pools.*Argo CD \(argocd-controller"
    ) as raised:
        writing.shift(rollback=True, rollback_pool="blue", verify_seconds=1)
    assert raised.value.evidence["overwritten"]["by"] == "Argo CD" and raised.value.evidence["scale_down"] is False


def test_without_hold_seconds_it_is_written_once(writing: Writing) -> None:
    writing.green(100)
    writing.api.call(lambda: writing.green(100, "argocd-controller"), "PATCH", ROUTE, after=True)
    with pytest.raises(
        Overwritten, match="reverted once, and are not written again. HTTPRoute ns/x gives blue 0 %, green 100 % now"
    ):
        writing.shift(rollback=True, rollback_pool="blue", verify_seconds=0)
    assert len([one for one in writing.api.writes(ROUTE) if one.kind == "json"]) == 1


@pytest.mark.parametrize(
    ("more", "scaled", "told"),
    [({}, False, True), ({"gitops_ignores": ["route"]}, True, False), ({"gitops_ignores": ["image"]}, False, True)],
)
def test_a_tool_that_holds_the_route_is_named_before_it_is_written(
    writing: Writing, more: dict[str, t.Any], scaled: bool, told: bool
) -> None:
    """And it keeps the bad pool's size, unless it leaves the weights alone."""
    writing.green(
        100,
        "argocd-controller",
        **ARGO,
        **{"mcp.server/stable": json.dumps({"pool": "blue", "weights": {"blue": 0, "green": 100}})},
    )
    result = writing.shift(rollback=True, verify_seconds=0, **more)
    named = next(number for number, line in enumerate(writing.lines) if "Argo CD manages HTTPRoute ns/x" in line)
    written = next(number for number, line in enumerate(writing.lines) if "written: blue 100 %" in line)
    assert named < written and "argocd app set shop --sync-policy none" in writing.lines[named]
    assert (
        result["scale_down"] is scaled
        and any("keeps its pods because Argo CD manages" in text for text in writing.warnings) is told
    )


FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}


def owned(*managers: tuple[str, t.Any]) -> dict[str, t.Any]:
    """Return metadata of Flux's route on which these have applied or written these fields."""
    entries = [
        {
            "manager": name,
            "operation": "Update" if name == "mcp.server" else "Apply",
            "time": "2026-11-26T19:02:11Z",
            "fieldsV1": fields,
        }
        for name, fields in managers
    ]
    return {"managedFields": entries, "labels": FLUX}


LABELS = {"f:metadata": {"f:labels": {}}}


@pytest.mark.parametrize(
    ("managers", "held"),
    [
        ((("kustomize-controller", RULES),), True),
        ((("kustomize-controller", LABELS), ("mcp-handover", RULES)), False),  # the field was handed over, and left out
    ],
)
def test_a_rollback_keeps_the_bad_pool_where_the_tool_has_the_weights(
    writing: Writing, managers: t.Any, held: bool
) -> None:
    """Also in the second task of rollback.yml, when they are ours: the write of the first one took them from it."""
    writing.green(100, **{"mcp.server/stable": json.dumps({"pool": "blue", "weights": {"blue": 0, "green": 100}})})
    writing.api.change(ROUTE, {"metadata": owned(*managers)})
    sent = writing.shift(rollback=True, wait=False)
    writing.api.change(ROUTE, {"metadata": owned(("kustomize-controller", LABELS), ("mcp.server", RULES))})
    result = writing.shift(rollback=True, run_id=sent["run_id"], verify_seconds=0)
    assert [sent["scale_down"], result["scale_down"]] == [not held, not held]
    assert any("Flux manages HTTPRoute ns/x" in text for text in [*writing.lines, *writing.warnings]) is held


def test_a_field_that_is_handed_over_later_is_nobodys(writing: Writing) -> None:
    writing.api.change(ROUTE, {"metadata": owned(("kustomize-controller", RULES))})
    writing.shift(pool="green", weight=10)
    assert writing.api.objects[ROUTE]["metadata"]["annotations"]["mcp.server/taken-from"] == "Flux"
    writing.api.change(ROUTE, {"metadata": owned(("kustomize-controller", LABELS), ("mcp-handover", RULES))})
    writing.shift(pool="green", weight=20)
    assert "mcp.server/taken-from" not in writing.api.objects[ROUTE]["metadata"]["annotations"]


def test_what_is_undone_between_the_tasks_of_a_rollback_is_named_and_keeps_the_bad_pool(writing: Writing) -> None:
    """Of many servers, minutes may lie between them. No tool left a mark."""
    writing.green(100, **{"mcp.server/stable": json.dumps({"pool": "blue", "weights": {"blue": 0, "green": 100}})})
    sent = writing.shift(rollback=True, wait=False)
    writing.green(100, "shop-bot")
    result = writing.shift(rollback=True, run_id=sent["run_id"], verify_seconds=0.2)
    assert (writing.weights, result["scale_down"], [one["by"] for one in result["reverted"]]) == (
        (100, 0),
        False,
        ["shop-bot"],
    )
    assert any("reverted: HTTPRoute ns/x gives blue 0 %, green 100 % now" in line for line in writing.lines)
    assert any("was reverted once and written again; pool green keeps its pods" in text for text in writing.warnings)


def test_what_a_release_wrote_is_not_undone_by_its_rollback(writing: Writing) -> None:
    writing.shift(pool="green", weight=10)
    result = writing.shift(rollback=True, rollback_pool="blue", verify_seconds=0)
    assert result["reverted"] == []


@pytest.mark.parametrize(
    ("ago", "clock", "least", "most"),
    [(30, True, 0, 0.4), (0, True, 0.5, 3), (30, False, 0.5, 3), (-3600, True, 0.5, 3), (None, True, 0.5, 3)],
)
def test_the_seconds_of_watching_count_from_the_write(
    writing: Writing, monkeypatch: pytest.MonkeyPatch, ago: int | None, clock: bool, least: float, most: float
) -> None:
    """Of many servers whose tasks come one after the other, all are watched at the same time."""
    if not clock:
        monkeypatch.setattr(writing.api, "server_time", lambda: None)
    writing.shift(rollback=True, rollback_pool="blue", verify_seconds=0)  # it leaves nothing to be written
    at = f"{writing.api.now() - timedelta(seconds=ago or 0):%Y-%m-%dT%H:%M:%SZ}"
    entry = {"manager": "mcp.server", "operation": "Update", "time": at, "fieldsV1": RULES}
    writing.api.change(ROUTE, {"metadata": {"managedFields": None if ago is None else [entry]}})
    start = time.monotonic()
    writing.shift(rollback=True, rollback_pool="blue", verify_seconds=2.0 if ago == 0 else 0.6)
    assert least <= time.monotonic() - start <= most


def test_negative_seconds_are_refused(writing: Writing) -> None:
    with pytest.raises(Failure, match="verify_seconds is -1"):
        writing.shift(rollback=True, verify_seconds=-1)


def test_another_run_ends_the_watching_of_an_emergency(writing: Writing) -> None:
    writing.green(100)

    def write() -> None:
        while writing.weights != (100, 0):
            time.sleep(0.01)
        writing.green(50, **{"mcp.server/run": "another"})

    another = threading.Thread(target=write, daemon=True)
    another.start()
    # It sees that in its own write's confirmation or, later, while it watches.
    with pytest.raises(LeaseLost, match="run another (has written|wrote)"):
        writing.shift(rollback=True, rollback_pool="blue", verify_seconds=4)
    another.join(5)
    assert writing.weights == (50, 50)
