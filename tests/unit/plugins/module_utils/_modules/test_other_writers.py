# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release and a watch by the real modules, against the fake API server over HTTP, while somebody else writes."""

from __future__ import annotations

import re
import threading
import time
import typing as t
from dataclasses import replace

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release as release
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_traffic_shift, mcp_watch, release_steps
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import overwrite_monitor
from ansible_collections.mcp.server.tests.unit.fakes import gateway
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server
from ansible_collections.mcp.server.tests.unit.fakes.records import listening

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/x"
DEPLOYMENT = "/apis/apps/v1/namespaces/ns/deployments/x-"
ARGO = {
    "manager": "argocd-controller",
    "operation": "Apply",
    "time": "2026-11-26T19:02:11Z",
    "fieldsV1": {"f:spec": {"f:rules": {}}},
}


class World:
    """A server with a release of v2 to green that has begun, and somebody else."""

    def __init__(self, api: ApiServer, url: str, gateway: str) -> None:
        self.api, self.gateway = api, gateway
        self.where = {"namespace": "ns", "server": "x", "host": url, "api_key": "k"}
        self.lines: list[str] = []
        self.does: dict[str, t.Callable[[], t.Any]] = {}  # once a line has these words

    def progress(self, line: str) -> None:
        self.lines.append(line)
        for words in [words for words in self.does if words in line]:
            threading.Timer(0.1, self.does.pop(words)).start()

    def run(self, spec: Spec, run: t.Callable[[Task], t.Any], **options: t.Any) -> t.Any:
        validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate({**self.where, **options})
        assert not validated.error_messages, validated.error_messages
        return run(Task(validated.validated_parameters, progress=self.progress))

    def release(
        self, steps: list[dict[str, float]], before: t.Callable[[], t.Any] = lambda: None, **more: t.Any
    ) -> Failure:
        """Return how a release fails. before: what somebody else does once it has begun, and before its steps."""
        run_id = self.run(release.SPEC, release.run, state="begun", image_ref="r/x:v2", version="v2")["run_id"]
        before()
        given = {
            "run_id": run_id,
            "pool": "green",
            "steps": steps,
            "endpoint": {"url": self.gateway},
            "health_path": "/health",
            "session_mode": "stateless",
            "verify_seconds": 0,
            **more,
        }
        with pytest.raises(Failure) as raised:
            self.run(mcp_traffic_shift.SPEC, mcp_traffic_shift.run, **given)
        return raised.value

    def put_back(self, green: int = 0) -> None:
        backends = [
            {"name": f"x-{pool}", "port": 8080, "weight": weight}
            for pool, weight in (("blue", 100 - green), ("green", green))
        ]
        self.api.change(ROUTE, {"metadata": {"managedFields": [ARGO]}, "spec": {"rules": [{"backendRefs": backends}]}})

    def image(self, pool: str, image: str) -> None:
        self.api.change(
            DEPLOYMENT + pool,
            {"spec": {"template": {"spec": {"containers": [{"name": "x", "image": image}]}}}},
            "strategic",
        )

    @property
    def state(self) -> tuple[int, int, int]:
        """The weight of green, and the replicas of both pools."""
        sizes = [self.api.objects[DEPLOYMENT + pool]["spec"]["replicas"] for pool in ("blue", "green")]
        return self.api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"][1]["weight"], sizes[0], sizes[1]

    @property
    def recorded(self) -> record.Release:
        current = record.read(self.api, Server("ns", "x", "{server}-{pool}", "x", "x"))[0].current
        assert current
        return current


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[World]:
    api = ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2"))
    Controllers(api)
    monkeypatch.setattr(overwrite_monitor, "POLL_INTERVAL", 0.2)
    monkeypatch.setattr(
        release_steps, "HEALTH", replace(release_steps.HEALTH, run=lambda _task: {})
    )  # the gateway speaks no MCP

    def version(pool: str) -> str:
        return api.objects[DEPLOYMENT + pool]["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]

    with serving(api) as url, gateway.serving(gateway.Gateway(api, ROUTE, version)) as public:
        yield World(api, url, public)


STEPS: list[dict[str, float]] = [{"weight": 10, "seconds": 30}, {"weight": 100, "seconds": 0}]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (
            "route",
            "HTTPRoute ns/x gives blue 100 %, green 0 % now, not blue 90 %, green 10 % .* "
            r"Argo CD \(argocd-controller, 19:02:11 UTC\) reverted spec.rules",
        ),
        ("image", "Deployment ns/x-green runs r/x:v1 now, not r/x:v2"),
        ("size", "Deployment ns/x-green has 1 replicas now, not 2"),
    ],
)
def test_a_release(world: World, what: str, words: str) -> None:
    size = {"spec": {"replicas": 1}}
    does = {
        "route": world.put_back,
        "image": lambda: world.image("green", "r/x:v1"),
        "size": lambda: world.api.change(f"{DEPLOYMENT}green", size),
    }
    world.does["10 %: measured"] = does[what]
    start = time.monotonic()
    failure = world.release(STEPS)
    assert time.monotonic() - start < 10
    assert re.search(words, failure.msg) and "Nothing was scaled." in failure.msg, failure.msg
    assert world.state == (0, 2, 1 if what == "size" else 2)
    assert (world.recorded["outcome"], failure.evidence["outcome"]) == ("rolled_back", "rolled_back")
    assert re.search(words, world.recorded["reason"])
    assert not world.api.objects["/apis/coordination.k8s.io/v1/namespaces/ns/leases/x-release"]["spec"].get(
        "holderIdentity"
    )


def test_an_image_that_is_put_back_before_the_first_step_is_named(world: World) -> None:
    """After the rollout, and before anything looks every few seconds."""
    image = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"x"}': {"f:image": {}}}}}}}
    entry = {"manager": "kustomize-controller", "operation": "Apply", "time": "2026-11-26T19:02:11Z", "fieldsV1": image}
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}

    def put_back() -> None:
        world.image("green", "r/x:v1")
        world.api.change(f"{DEPLOYMENT}green", {"metadata": {"managedFields": [entry], "labels": labels}})

    failure = world.release(STEPS, put_back)
    assert "Deployment ns/x-green runs r/x:v1 now, not r/x:v2" in failure.msg, failure.msg
    assert (
        "Flux (kustomize-controller, 19:02:11 UTC) reverted" in failure.msg
        and "flux suspend kustomization apps -n flux-system" in failure.msg
    )
    assert world.state == (0, 2, 2) and failure.evidence["overwritten"]["by"] == "Flux"


def test_a_put_back_that_is_undone_as_well_is_not_fought(world: World) -> None:
    """It is said where the traffic is."""
    world.does["10 %: measured"] = lambda: world.put_back(50)
    world.does["written: blue 100 %"] = lambda: world.put_back(50)
    original = world.progress

    def slowly(line: str) -> None:
        original(line)
        if "blue 100 %: measured" in line:
            time.sleep(0.5)

    world.progress = slowly  # type: ignore[method-assign]
    failure = world.release(STEPS)
    assert "the rollback failed" in failure.msg and "reverted once, and are not written again" in failure.msg, (
        failure.msg
    )
    assert "gives blue 50 %, green 50 % now, not blue 100 %, green 0 %" in failure.msg
    assert world.state == (50, 2, 2)


def test_an_api_server_that_is_slow_or_away_is_no_finding(world: World) -> None:
    world.does["10 %: measured"] = lambda: world.api.slow(1.0, "GET", times=6)
    world.does["100 %: measured"] = world.put_back
    failure = world.release([{"weight": 10, "seconds": 3}, {"weight": 100, "seconds": 20}])
    assert "gives blue 100 %, green 0 % now, not blue 0 %, green 100 %" in failure.msg


def fails(_task: Task) -> t.NoReturn:
    raise Failure("No session.")


def test_what_fails_before_the_next_look_is_put_down_to_who_changed_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(_task: Task) -> t.NoReturn:
        world.put_back(50)
        raise Failure("No session.")

    monkeypatch.setattr(overwrite_monitor, "POLL_INTERVAL", 60)
    monkeypatch.setattr(release_steps, "HEALTH", replace(release_steps.HEALTH, run=probe))
    failure = world.release(STEPS)
    assert (
        "gives blue 50 %, green 50 % now" in failure.msg
        and "Argo CD" in failure.msg
        and "Nothing was scaled." in failure.msg
    ), failure.msg
    assert world.state == (0, 2, 2)


def test_people_are_told_before_the_route_is_watched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and at once: what is left of a rollback is half a minute of looking whether it lasts."""
    monkeypatch.setattr(release_steps, "HEALTH", replace(release_steps.HEALTH, run=fails))
    with listening(200) as hook:
        failure = world.release(STEPS, verify_seconds=3, announce={"webhooks": [{"url": hook.url}]})
    assert failure.evidence["outcome"] == "rolled_back"
    assert len(hook.got) == 1 and time.monotonic() - hook.got[0]["at"] > 2, hook.got
    assert world.recorded["announced"] == "rolled_back" and failure.evidence["stats"]


def test_a_watch(world: World) -> None:
    run_id = world.run(release.SPEC, release.run, state="begun", image_ref="r/x:v2", version="v2")["run_id"]
    world.put_back(100)
    world.run(release.SPEC, release.run, state="ended", outcome="succeeded", run_id=run_id)
    threading.Timer(1.0, lambda: world.put_back(50)).start()
    given = {
        "pool": "green",
        "endpoint": {"url": world.gateway},
        "health_path": "/health",
        "seconds": 30,
        "rollback": True,
        "checks": ["triggers"],
        "verify_seconds": 0,
    }
    with pytest.raises(
        Failure,
        match=r"gives blue 50 %, green 50 % now.*Argo CD.*rolled back: all traffic is on blue. Nothing was scaled.",
    ) as raised:
        world.run(mcp_watch.SPEC, mcp_watch.run, **given)
    assert world.state == (0, 2, 2) and world.recorded["outcome"] == "rolled_back"
    assert raised.value.evidence["overwritten"]["by"] == "Argo CD"


@pytest.fixture
def watched(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    """The options of a watch by a run that has begun a release."""
    monkeypatch.setattr(lease_renewal, "EVERY", 0.3)
    run_id = world.run(release.SPEC, release.run, state="begun", image_ref="r/x:v2", version="v2")["run_id"]
    common = {
        "pool": "green",
        "weight": 10,
        "endpoint": {"url": world.gateway},
        "health_path": "/health",
        "checks": ["triggers"],
    }
    return {**common, "run_id": run_id, "seconds": 20, "verify_seconds": 0}


@pytest.mark.parametrize("rollback", [False, True])
def test_a_watch_of_a_run_notices_other_writers(world: World, watched: dict[str, t.Any], rollback: bool) -> None:
    threading.Timer(1.0, lambda: world.put_back(50)).start()
    with pytest.raises(Failure, match=r"gives blue 50 %, green 50 % now.*Argo CD") as raised:
        world.run(mcp_watch.SPEC, mcp_watch.run, **watched, rollback=rollback)
    assert raised.value.evidence["overwritten"]["by"] == "Argo CD"


@pytest.mark.parametrize("rollback", [False, True])
def test_a_watch_of_a_run_ends_when_another_run_takes_over(
    world: World, watched: dict[str, t.Any], rollback: bool
) -> None:
    other = {"state": "begun", "image_ref": "r/x:v2", "version": "v2", "take_over": True, "reason": "It hangs."}
    threading.Timer(1.0, lambda: world.run(release.SPEC, release.run, **other)).start()
    with pytest.raises(LeaseLost):
        world.run(mcp_watch.SPEC, mcp_watch.run, **watched, rollback=rollback)
    assert world.state[0] == 0
