# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which weights a release finds before its first step, on the fake API server over HTTP."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_traffic_shift, single_shift
from ansible_collections.mcp.server.plugins.module_utils._modules.release_steps import StepsRelease
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._modules.test_going_back import ROUTE, Cluster

SERVER = Server("ns", "x", "{server}-{pool}", "x", "x")
STEPS = [{"weight": 10, "seconds": 0}, {"weight": 50, "seconds": 0}, {"weight": 100, "seconds": 0}]


class Begun(Cluster):
    """A release that has begun, and whose pods are ready."""

    def options(self) -> dict[str, t.Any]:
        endpoint = {"url": "http://127.0.0.1:9"}
        return {"run_id": self.run_id, "pool": "green", "version": "v2", "steps": STEPS, "endpoint": endpoint}

    def start(self) -> StepsRelease:
        """Start the task as far as its first weight. Raises Failure."""
        release = StepsRelease(self.task(mcp_traffic_shift.SPEC, **self.options()))
        release.start()
        return release

    def step(self, green: int, **options: t.Any) -> None:
        options = {"pool": "green", "weight": green, "run_id": self.run_id, **options}
        self.run(single_shift.SPEC, single_shift.run, **{"session_mode": "stateless", **options})

    @property
    def release(self) -> record.Release:
        return record.read(self.api, SERVER)[0].newest


@pytest.fixture
def cluster() -> t.Iterator[Begun]:
    api = ApiServer(mcp_server("ns", "x", blue="r/x:v1", green="r/x:v2"))
    Controllers(api)
    with serving(api) as url:
        yield Begun(url, api)


def test_the_weights_from_before_the_release(cluster: Begun) -> None:
    assert cluster.start().weights == {"blue": 100, "green": 0}


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "killed"])
def test_the_last_step_is_continued_from(cluster: Begun, recorded: bool) -> None:
    """Also when the run was killed after it wrote the route, and before it recorded that."""
    cluster.step(10)
    if not recorded:
        cluster.api.fail(StatusError(403, "killed"), "PATCH", "configmaps", times=10**9)
    cluster.step(50)
    cluster.api.rules.clear()
    assert len(cluster.release["steps"]) == (2 if recorded else 1)
    assert cluster.start().weights == {"blue": 50, "green": 50}


@pytest.mark.parametrize("green", [30, 100])
@pytest.mark.parametrize("stepped", [0, 10])
def test_another_client_has_written_others(cluster: Begun, green: int, stepped: int) -> None:
    if stepped:
        cluster.step(stepped)
    cluster.shift(green)
    cluster.api.log.clear()
    with pytest.raises(Failure) as raised:
        cluster.run(mcp_traffic_shift.SPEC, mcp_traffic_shift.run, **cluster.options())
    found, before = f"blue {100 - green} %, green {green} %", f"blue {100 - stepped} %, green {stepped} %"
    assert f"HTTPRoute ns/x gives {found} now, not {before}" in raised.value.msg
    assert raised.value.evidence["overwritten"]["object"] == "HTTPRoute ns/x"
    assert "First set the weights to continue from with mcp_traffic_shift" in raised.value.msg
    assert cluster.weights == (100 - green, green) and not cluster.api.writes(ROUTE)
    assert "another client" in cluster.release["paused"]["reason"]


@pytest.mark.parametrize("green", [0, 30])
def test_weights_that_were_set_as_told_are_continued_from(cluster: Begun, green: int) -> None:
    """Those from before, or the ones that the other client wrote."""
    cluster.shift(30)
    cluster.step(green, run_id=None)
    assert cluster.start().weights == {"blue": 100 - green, "green": green}
