# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many pods an emergency starts and waits for, and the words for it. The rest is tested with the modules."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import scale_up
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server


@pytest.mark.parametrize(("planned", "ready"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (10, 5)])
def test_half_of_the_pods_have_to_be_ready(planned: int, ready: int) -> None:
    assert scale_up.min_ready(planned) == ready


@pytest.mark.parametrize(
    ("has", "planned", "seconds", "line"),
    [
        (0, 2, 12.4, "scaling it up from 0 to 2 pods; traffic follows once 1 pod is ready, within 60 s; a rollout of"),
        (1, 5, None, "scaling it up from 1 to 5 pods; traffic follows once 3 pods are ready, within 60 s; no rollout"),
        (2, 2, None, "waiting for its 2 pods; traffic follows once 1 pod is ready, within 60 s; no rollout time is"),
        (1000, 1000, 0.0, "waiting for its 1000 pods; traffic follows once 500 pods are ready, within 60 s; no"),
    ],
)
def test_what_is_said_before_the_wait(has: int, planned: int, seconds: float | None, line: str) -> None:
    found = scale_up.announcement("blue", has, planned, seconds, 60.0)
    assert found.startswith(f"pool blue has no ready endpoint: {line}")
    assert not seconds or found.endswith("a rollout of this server took 12 s")


class Cluster:
    """Pools of these sizes, and what the emergency asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, blue: int, green: int, endpoints: int = 1) -> None:
        self.requested: list[int] = []
        self.waited_for: list[int] = []
        self.lines: list[str] = []
        objects = mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2")
        for pool, size in (("blue", blue), ("green", green)):
            objects[f"/apis/apps/v1/namespaces/prod/deployments/mcp-{pool}"]["spec"]["replicas"] = size
        self.api = ApiServer(objects)

        def change(_task: Task, *_where: t.Any, replicas: int) -> tuple[dict[str, t.Any], None]:
            self.requested.append(replicas)
            return {"replicas": replicas, "changed": True}, None

        def wait(_view: t.Any, _patience: Deadline, _progress: t.Any, enough: int, _unblock: t.Any) -> t.Any:
            self.waited_for.append(enough)
            return SimpleNamespace(ready=enough)

        monkeypatch.setattr(scale_up.pool_change, "change", change)
        monkeypatch.setattr(scale_up.rollout, "View", lambda *_given, **_options: None)
        monkeypatch.setattr(scale_up.rollout, "wait", wait)
        monkeypatch.setattr(
            scale_up.convergence, "endpoints", lambda _task, _cluster, _server, _pool, least: endpoints >= least
        )

    def scale_up(self, planned: int, check_mode: bool = False) -> dict[str, t.Any]:
        params = {"run_id": None, "start_timeout": 60.0, "ready_grace": 5.0}
        shift = Shift(
            Task(params, check_mode, progress=self.lines.append),
            self.api,
            Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp"),
            None,
        )
        scale_up.scale_up(shift, "blue", planned, 7.0)
        return t.cast(dict[str, t.Any], shift.result["scaled_up"])


@pytest.mark.parametrize(
    ("blue", "green", "planned", "requested", "enough"),
    [
        (0, 3, 5, 5, 3),
        (0, 3, 0, 3, 2),  # not known: as many as the pool that has the traffic
        (0, 0, 0, 1, 1),
        (4, 3, 2, 4, 2),  # an emergency takes no pods
    ],
)
def test_how_many_pods_an_emergency_starts(
    monkeypatch: pytest.MonkeyPatch, blue: int, green: int, planned: int, requested: int, enough: int
) -> None:
    cluster = Cluster(monkeypatch, blue, green)
    found = cluster.scale_up(planned)
    assert (cluster.requested, cluster.waited_for) == ([requested], [enough])
    assert (found["from"], found["to"], found["expected_seconds"]) == (blue, requested, 7.0) and found["seconds"] < 30
    assert cluster.lines[-1].startswith(f"pool blue: {enough} of {requested} pods ready after ")


def test_in_check_mode_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, 0, 3)
    assert cluster.scale_up(2, check_mode=True)["seconds"] is None and not cluster.waited_for


def test_ready_pods_without_an_endpoint_get_no_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, 0, 3, endpoints=0)
    with pytest.raises(Failure, match=r"Cannot roll back prod/mcp: .*Service mcp-blue has no endpoint") as raised:
        cluster.scale_up(2)
    assert raised.value.evidence["scaled_up"]["to"] == 2
