# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import re
import time
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._workload import convergence
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SLICES = "/apis/discovery.k8s.io/v1/namespaces/mcp-prod/endpointslices"
SERVER = Server("mcp-prod", "mcp-server", "{server}-{pool}", "mcp-server", "mcp-server")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, seconds in (
        (convergence, "MOMENT", 0.2),
        (convergence, "POLL", 0.01),
        (convergence, "PAUSES", 0.3),
        (convergence, "TRIES", 0.9),
        (outage, "EVERY", 0.1),
        (outage, "PAUSE", 0.02),
    ):
        monkeypatch.setattr(module, name, seconds)


def endpoints(count: int, service: str) -> dict[str, t.Any]:
    labels = {"kubernetes.io/service-name": service}
    return {"metadata": {"labels": labels}, "endpoints": [{"addresses": [str(number)]} for number in range(count)]}


def cluster(seconds: float) -> ApiServer:
    """Return one with two endpoints of green, from a time on."""
    api, at = ApiServer({f"{SLICES}/blue": endpoints(9, "mcp-server-blue")}), time.monotonic() + seconds

    def look() -> None:
        api.put(f"{SLICES}/green", endpoints(2 if time.monotonic() >= at else 1, "mcp-server-green"))

    api.call(look, "GET", times=math.inf)
    return api


@pytest.mark.parametrize(
    ("outage_ago", "come_in", "found", "least", "most"),
    [
        (math.inf, 0.0, 2, 0.0, 0.2),
        (math.inf, 0.1, 2, 0.1, 0.5),
        (math.inf, 9.0, 1, 0.2, 0.8),  # a moment, and no longer
        (0.0, 0.5, 2, 0.5, 0.9),
        (0.0, 9.0, 1, 0.9, 9.0),
        (0.3, 9.0, 1, 0.6, 0.9),
        (2.0, 9.0, 1, 0.2, 0.8),
    ],
)
def test_endpoints_take_longer_after_an_outage(
    outage_ago: float, come_in: float, found: int, least: float, most: float
) -> None:
    start, lines = time.monotonic(), []
    with outage.waiting(outage.Waiting(back_at=start - outage_ago)):
        assert convergence.endpoints(Task({}, progress=lines.append), cluster(come_in), SERVER, "green", 2) == found
    assert least <= time.monotonic() - start < most
    assert bool(lines) is (least >= 0.5)
    assert all(
        re.fullmatch(
            r"green: 1 of 2 endpoints are ready; after the outage of the API server they may take [01] s more", line
        )
        for line in lines
    )


@pytest.mark.parametrize(
    ("outage_ago", "least", "most"), [(math.inf, 0.0, 0.3), (0.0, 0.3, 9.0), (0.1, 0.2, 9.0), (1.0, 0.0, 0.3)]
)
def test_a_gateway_is_given_its_pause(outage_ago: float, least: float, most: float) -> None:
    start, lines = time.monotonic(), []
    with outage.waiting(outage.Waiting(back_at=start - outage_ago)):
        convergence.gateway(Task({}, progress=lines.append), "green")
    assert least <= time.monotonic() - start < most
    assert bool(lines) is (least > 0)


@pytest.mark.parametrize(
    "wait",
    [
        lambda task: convergence.endpoints(task, cluster(9.0), SERVER, "green", 2),
        lambda task: convergence.gateway(task, "green"),
    ],
)
def test_a_run_that_lost_its_lease_waits_no_longer(wait: t.Callable[[Task], t.Any]) -> None:
    def held() -> None:
        raise Failure("Another run has it.")

    with outage.waiting(outage.Waiting(back_at=time.monotonic())), pytest.raises(Failure, match="Another run has it"):
        wait(Task({}, check_lease=held))
