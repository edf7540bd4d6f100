# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read when it matters, word by word. A change here is a decision, not a side effect."""

from __future__ import annotations

import socket
import sys
import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Measurement
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._modules import closing, single_shift
from ansible_collections.mcp.server.plugins.module_utils._preflight import checks
from ansible_collections.mcp.server.plugins.module_utils._release import lease
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, missing_library
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
NOW = datetime(2026, 11, 26, 7, 55, 3, tzinfo=UTC)


def counts(requests: int, failed: int, seconds: float) -> Measurement:
    """Return a pool's counts, as if scraped every 5 s until seconds."""
    times = [5.0 * number for number in range(1, int(seconds / 5) + 1)]
    zeros = [0] * len(times)
    begins = [at - 5.0 for at in times]
    totals, faileds = [requests] * len(times), [failed] * len(times)
    return Measurement(5.0, RatioSeries(5.0, times, begins, zeros, totals, faileds), newest=times[-1])


def reason(gate: Gate, found: Measurement, seconds: float) -> str:
    return evaluate.evaluate(gate, found, Period(0.0, seconds, seconds, since=0.0)).reason


def refused_shift() -> str:
    return single_shift.not_ready(SERVER, "green", ready=1, planned=2)


def release_in_progress() -> str:
    held = lease.Holder("run", "eva@runner", "machine:1:2", NOW - timedelta(seconds=185), NOW - timedelta(seconds=20))
    return lease.refusal("prod/mcp", held, "another", NOW)


def lost_lease() -> str:
    api = ApiServer({})
    lease.Lease(api, "prod", "mcp").acquire("first", "ann@laptop", "machine:1:2")
    lease.Lease(api, "prod", "mcp").acquire("second", "eva@runner", "machine:3:4", take_over=True)
    with pytest.raises(LeaseLost) as lost:
        lease.Lease(api, "prod", "mcp").check("first")
    return lost.value.msg


def conflict() -> str:
    api = ApiServer({"/api/v1/namespaces/prod/configmaps/mcp-release": {"data": {}}})
    path = "/api/v1/namespaces/prod/configmaps/mcp-release"
    with pytest.raises(Failure) as raised:
        api.patch(path, {"metadata": {"resourceVersion": "0"}, "data": {"a": "b"}})
    return raised.value.msg.partition(":")[0]


def skipped_check() -> str:
    def check() -> str:
        raise Forbidden("nodes is forbidden")

    return checks._result("nodes", "nodes", check)["message"]


MESSAGES: dict[str, tuple[t.Callable[[], str], str]] = {
    "a pool that is not ready": (
        refused_shift,
        "Refusing to give pool green of prod/mcp more traffic: Service mcp-green has 1 of 2 ready endpoints. "
        "Wait for the rollout, check why pods are not ready, or set force.",
    ),
    "a trigger": (
        lambda: reason(Gate("errors", "errors", 5.0, window=120), counts(100, 10, 140), 140.0),
        "above the limit of 5 % for 130 s (120 s allowed)",
    ),
    "few requests": (
        lambda: reason(Gate("errors", "errors", 1.0), counts(1, 0, 35), 35.0),
        "only 7 requests, 20 needed",
    ),
    "another release": (
        release_in_progress,
        "A release of prod/mcp is in progress (by eva@runner, for 3 min 5 s). Wait for it to finish. "
        "If it was killed, its Lease expires in 40 s. "
        "To take over, pass -e mcp_take_over=true -e \"mcp_reason='...'\" "
        "(options take_over and reason of mcp_release).",
    ),
    "a take-over": (
        lost_lease,
        "This run lost the Lease of prod/mcp (eva@runner took over) and makes no further changes.",
    ),
    "a conflict": (conflict, "Conflict, modified by another client"),
    "a check without its right": (skipped_check, 'Check "nodes" skipped: no permission.'),
    "a success": (
        lambda: closing.succeeded("v1.2.0", "green", NOW, before="v1.1.5", stable="blue"),
        "v1.2.0 is live on green since 07:55:03 UTC (100 % measured). "
        "v1.1.5 stays ready on blue; to go back: rollback.yml.",
    ),
    "a rollback": (
        lambda: closing.rolled_back("v1.2.1", "at 50 %, 527 of 1053 answers failed.", pool="blue", before="v1.1.5"),
        "v1.2.1 was rolled back; all traffic is on blue (v1.1.5) again. Cause: at 50 %, 527 of 1053 answers failed.",
    ),
    "a missing library": (
        lambda: missing_library("kubernetes").replace(socket.gethostname(), "HOST").replace(sys.executable, "PYTHON"),
        "The Python library kubernetes is missing on HOST, in the Python that runs this task. Install it: "
        "PYTHON -m pip install kubernetes (the collection's requirements.txt has the versions).",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_stands_as_it_is_written_here(name: str) -> None:
    make, text = MESSAGES[name]
    assert make() == text
