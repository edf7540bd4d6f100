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


class Cluster:
    """Two endpoints, from a time on. No fake API server: what it answers depends on when it is asked."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        assert path.endswith("/namespaces/mcp-prod/endpointslices")
        assert query == {"labelSelector": "kubernetes.io/service-name=mcp-server-green"}
        return {
            "items": [{"endpoints": [{"addresses": [str(n)]} for n in range(2 if time.monotonic() >= self.at else 1)]}]
        }


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
        assert convergence.endpoints(Task({}, progress=lines.append), Cluster(come_in), SERVER, "green", 2) == found
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
        lambda task: convergence.endpoints(task, Cluster(9.0), SERVER, "green", 2),
        lambda task: convergence.gateway(task, "green"),
    ],
)
def test_a_run_that_lost_its_lease_waits_no_longer(wait: t.Callable[[Task], t.Any]) -> None:
    def held() -> None:
        raise Failure("Another run has it.")

    with outage.waiting(outage.Waiting(back_at=time.monotonic())), pytest.raises(Failure, match="Another run has it"):
        wait(Task({}, check_lease=held))
