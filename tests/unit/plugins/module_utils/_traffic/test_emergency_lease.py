# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Lease of an emergency: for how long it is waited for, and what comes of it."""

from __future__ import annotations

import math
import typing as t
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._release.lease import Holder, Lease
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import emergency_lease
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import OPTIONAL_TIMEOUT, Shift
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Emergency:
    def __init__(self, check_mode: bool = False, **params: t.Any) -> None:
        self.api = ApiServer()
        self.lease = Lease(self.api, "prod", "mcp")
        self.lines: list[str] = []
        self.warnings: list[str] = []
        given = {
            "namespace": "prod",
            "server": "mcp",
            "run_id": None,
            "rollback": True,
            "api_timeout": 4,
            "api_retry_timeout": 0.0,
            **params,
        }
        task = Task(given, check_mode, progress=self.lines.append, warn=self.warnings.append)
        self.shift = Shift(task, self.api, SERVER, None)

    @property
    def holder(self) -> str | None:
        holder, _version = self.lease.read()
        return holder and holder.run


EVA = Holder("theirs", "eva@runner", "", NOW, NOW)
LATE, BROKEN = TimeoutError("late"), Failure("It is broken.")


@pytest.mark.parametrize(
    ("outcomes", "last", "answers", "warnings", "lines"),
    [
        ([None], [False, False], [True, True], 0, 0),
        ([EVA], [False, True], [True, True], 0, 1),
        ([LATE, EVA], [False, False, True], [False, True, True], 0, 1),
        ([LATE, LATE], [False, True, True], [False, False, False], 1, 0),
        ([LATE], [True, False], [False, False], 1, 0),
        ([BROKEN], [False, True], [False, False], 1, 0),
        ([KeyError("spec")], [True, False], [False, False], 1, 0),
    ],
)
def test_what_comes_of_the_lease(
    outcomes: list[Holder | Exception | None], last: list[bool], answers: list[bool], warnings: int, lines: int
) -> None:
    """It is asked for until that is known, and no longer."""
    emergency, coming = Emergency(), iter(outcomes)

    def result(_seconds: float) -> Holder | None:
        found = next(coming)
        if isinstance(found, Exception):
            raise found
        return found

    wait = emergency_lease._lease_wait(emergency.shift, result)
    assert [wait(0, last=one) for one in last] == answers
    assert (len(emergency.warnings), len(emergency.lines)) == (warnings, lines) and not list(coming)
    assert all("Continuing without the Lease of prod/mcp" in text for text in emergency.warnings)
    assert all(line == "took over from eva@runner: that run makes no further changes" for line in emergency.lines)


def test_a_lease_that_is_late_is_not_given_up_at_once() -> None:
    def late(_seconds: float) -> None:
        raise LATE

    wait = emergency_lease._lease_wait((emergency := Emergency()).shift, late)
    assert not wait(0) and not emergency.warnings
    assert not wait(0, last=True) and len(emergency.warnings) == 1


def test_only_a_lost_lease_stops_an_emergency() -> None:
    def lost(_seconds: float) -> None:
        raise LeaseLost("Ann took over.")

    wait = emergency_lease._lease_wait(Emergency().shift, lost)
    for _each in range(2):
        with pytest.raises(LeaseLost):
            wait(0)


@pytest.mark.parametrize(("seconds", "waited"), [(0, OPTIONAL_TIMEOUT), (1, OPTIONAL_TIMEOUT), (9, 9)])
def test_for_how_long_it_is_waited_for(seconds: float, waited: float) -> None:
    asked: list[float] = []
    emergency_lease._lease_wait(Emergency().shift, asked.append)(seconds)
    assert asked == [pytest.approx(waited, abs=1)]


def test_the_lease_is_taken_over_beside_the_reads_and_returned_after_a_refusal() -> None:
    emergency = Emergency()
    emergency.lease.acquire("theirs", "eva@runner", "")
    wait = emergency_lease.acquire_beside(emergency.shift)
    assert emergency.shift.result["run_id"] == ""
    assert wait(9) and emergency.holder == emergency.shift.result["run_id"] == emergency.shift.emergency_run_id != ""
    emergency_lease.return_lease(emergency.shift, wait)
    assert emergency.holder is None


def test_without_its_lease_an_emergency_has_no_run() -> None:
    emergency = Emergency()
    emergency.api.refused.add("get leases")
    wait = emergency_lease.acquire_beside(emergency.shift)
    assert not wait(9, last=True) and emergency.shift.result["run_id"] == ""
    emergency_lease.return_lease(emergency.shift, wait)
    assert len(emergency.warnings) == 1 and not emergency.api.writes(LEASE)


def test_an_emergency_of_a_run_checks_its_lease_and_keeps_it() -> None:
    emergency = Emergency(run_id="ours")
    emergency.lease.acquire("ours", "eva@runner", "")
    wait = emergency_lease.acquire_beside(emergency.shift)
    assert wait(9) and emergency.shift.emergency_run_id == ""
    emergency_lease.return_lease(emergency.shift, wait)
    assert emergency.holder == "ours"
    emergency.lease.acquire("theirs", "kim@laptop", "", take_over=True)
    with pytest.raises(LeaseLost, match="kim@laptop took over"):
        emergency_lease.acquire_beside(emergency.shift)(9)


def test_check_mode_takes_no_lease() -> None:
    emergency = Emergency(check_mode=True)
    assert not emergency_lease.acquire_beside(emergency.shift)(9, last=True) and not emergency.api.log


@pytest.mark.parametrize("refused", [False, True])
def test_taking_over(monkeypatch: pytest.MonkeyPatch, refused: bool) -> None:
    """Two requests of api_timeout may pass until then."""
    monkeypatch.setattr(emergency_lease, "OPTIONAL_TIMEOUT", 0.0)
    emergency = Emergency()
    emergency.lease.acquire("theirs", "eva@runner", "")
    if refused:
        emergency.api.refused.add("patch leases")
    emergency.api.slow(0.2, "PATCH")
    run = emergency_lease.take_over(emergency.shift)
    assert emergency.holder == ("theirs" if refused else run) and bool(run) is not refused
    assert len(emergency.warnings) == refused


@pytest.mark.parametrize(("run", "warnings"), [("ours", 1), (None, 0)])
def test_an_emergency_goes_on_when_its_lease_can_not_be_renewed(
    monkeypatch: pytest.MonkeyPatch, run: str | None, warnings: int
) -> None:
    emergency = Emergency(run_id=run)
    monkeypatch.setattr(connection, "connect", lambda _params: emergency.api)
    emergency.api.fail(Failure("It is away."), "GET", times=math.inf)
    with ExitStack() as stack:
        emergency_lease.renew_lease(emergency.shift, stack)
    assert len(emergency.warnings) == warnings
