# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sparing open MCP sessions when weights change: asks the pods, and refuses, waits, or says what is lost."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._server import Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions, policy
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift

PROBE_TIMEOUT, PROBE_STEP_TIMEOUT = (
    15.0,
    5.0,
)  # seconds for finding out how one pod keeps sessions, and for each step of it
COUNT_TIMEOUT = 5.0  # seconds for reading the number of sessions
POLL_INTERVAL = 2.0  # seconds between two looks at a pool that drains
PROGRESS_INTERVAL = 10.0  # seconds between two lines of progress with the same number


@dataclass
class SessionProtection:
    """Of one change of weights. shift.result["sessions"] is filled on the way.

    planning: the pool that gains is not deployed yet, so what runs there now tells nothing.
    """

    shift: Shift
    before: Weights
    wanted: Weights
    planning: bool

    def decide(self) -> bool:
        """Whether there has to be a wait before the weights are written. Raises Failure when they must not be."""
        shift, params = self.shift, self.shift.task.params
        route_marked = shift.kind.has_affinity(shift.route, shift.server)
        concerned = policy.concerned(self.before, self.wanted)
        pools = {pool: self._sessions(pool) for pool in (concerned[:1] if self.planning else concerned)}
        loser = policy.losing(self.before, self.wanted)
        self.at_risk = policy.at_risk(self.before, self.wanted, pools, route_marked)
        still_open = self._count()
        shift.result["sessions"] = {
            "mode": pools[loser].mode if loser else None,
            "marked": bool(loser and pools[loser].marked and route_marked),
            "at_risk_before": still_open,
            "at_risk_after": None if self.at_risk else still_open,
        }
        counted = params["sessions_metric"] is not None
        decision = policy.decide(params["sessions"], self.before, self.wanted, pools, route_marked, still_open, counted)
        if decision.action == policy.REFUSE:
            raise Failure(f"The weights of {shift.server} stay as they are: {decision.reason}", **shift.result)
        return decision.action == policy.WAIT

    def wait(self) -> None:
        """The losing pool serves on until it has no session left, or drain_timeout is over."""
        task = self.shift.task
        bound = Deadline(task.params["drain_timeout"])
        said: tuple[int | None, float] | None = None
        while (still_open := self._count()) != 0:
            if said is None or said[0] != still_open or bound.elapsed - said[1] >= PROGRESS_INTERVAL:
                said = (still_open, bound.elapsed)
                task.progress(
                    f"draining {self.at_risk}: {_number(still_open)} open, {bound.elapsed:.0f} of {bound.seconds:.0f} s"
                )
            if not bound.pause(POLL_INTERVAL):
                task.warn(f"drain_timeout is over: {_number(still_open)} of pool {self.at_risk} still open.")
                return
        task.progress(f"draining {self.at_risk}: no sessions are open any more, after {bound.elapsed:.0f} s")

    def report(self) -> None:
        """Once the weights are in force: how many sessions the change has ended."""
        if self.at_risk:
            lost = self._count()
            self.shift.result["sessions"]["at_risk_after"] = lost
            if lost:
                self.shift.task.progress(f"{_number(lost)} of pool {self.at_risk} were left behind")

    def _count(self) -> int | None:
        """Sessions at risk: none on a pool whose sessions are safe."""
        if self.at_risk is None:
            return 0
        return open_sessions.count(self.shift.task, self.shift.cluster, self.shift.server, self.at_risk, COUNT_TIMEOUT)

    def _sessions(self, pool: str) -> policy.Sessions:
        shift, params = self.shift, self.shift.task.params
        if params["session_mode"] != policy.AUTO:
            return policy.Sessions(params["session_mode"], marked=True)
        try:
            pod = targets.pods_of_pool(shift.cluster, shift.server.namespace, shift.server.name, pool)[0]
            token = targets.token(params)
        except targets.NoneReady:
            return policy.Sessions(None)  # nobody there to keep any
        except Failure as failure:
            return self._unknown(pool, failure.msg)
        asked = endpoint.in_pod(shift.cluster, shift.server.namespace, pod, params["port"], params["endpoint"])
        found = probe(asked, Settings(Assertions(), AUTO, PROBE_TIMEOUT, PROBE_STEP_TIMEOUT, lists=(), token=token))
        if not found["healthy"]:
            return self._unknown(pool, f"{found['target']}: {found['reason']}.")
        return policy.Sessions(found["session_mode"], found["session_mark"] == pool)

    def _unknown(self, pool: str, why: str) -> policy.Sessions:
        self.shift.task.warn(
            f"Whether pool {pool} of {self.shift.server} keeps sessions is not known, so none were spared: name its session_mode. {why}"
        )
        return policy.Sessions(None)


def _number(sessions_: t.Any) -> str:
    if sessions_ is None:
        return "an unknown number of sessions"
    return f"{sessions_} session{'' if sessions_ == 1 else 's'}"
