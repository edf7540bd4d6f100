# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Protect open MCP sessions when weights change: ask the pods how they keep them, then refuse, wait or report."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.pool_probe import probe_pool
from ansible_collections.mcp.server.plugins.module_utils._server import Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions, policy
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift

COUNT_TIMEOUT = 5.0  # seconds to count the sessions
POLL_INTERVAL = 2.0  # seconds between two counts of a pool that drains
PROGRESS_INTERVAL = 10.0  # seconds between two lines of progress with the same number


@dataclass
class SessionProtection:
    """The protection of sessions during one change of weights. Fills shift.result["sessions"]."""

    shift: Shift
    before: Weights
    wanted: Weights
    planning: bool  # whether the gaining pool is not deployed yet: what runs there now is not what will
    at_risk: str | None = None  # the pool whose sessions would end, as decide() finds it

    def decide(self) -> bool:
        """Return whether to wait before the weights are written. Raises Failure when they must not be written."""
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
            raise Failure(f"Refusing to shift traffic of {shift.server}: {decision.reason}", **shift.result)
        for pool, its in pools.items():
            if its.unknown:
                shift.task.warn(
                    f"Sessions of pool {pool} of {shift.server} are not protected: it is not known whether it keeps "
                    f"any. {its.unknown} Set session_mode."
                )
        return decision.action == policy.WAIT

    def wait(self) -> None:
        """Wait until the losing pool has no open session, or drain_timeout is over."""
        task = self.shift.task
        bound = Deadline(task.params["drain_timeout"])
        shown: tuple[int | None, float] | None = None  # the last number shown, and when
        while (still_open := self._count()) != 0:
            if shown is None or shown[0] != still_open or bound.elapsed - shown[1] >= PROGRESS_INTERVAL:
                shown = (still_open, bound.elapsed)
                task.progress(
                    f"draining {self.at_risk}: {_number(still_open)} open, {bound.elapsed:.0f} of {bound.seconds:.0f} s"
                )
            if not bound.pause(POLL_INTERVAL):
                task.warn(f"drain_timeout is over: {_number(still_open)} of pool {self.at_risk} still open.")
                return
        task.progress(f"draining {self.at_risk}: no open sessions, after {bound.elapsed:.0f} s")

    def report(self) -> None:
        """Report, once the weights are in force, how many sessions the change has ended."""
        if self.at_risk:
            lost = self._count()
            self.shift.result["sessions"]["at_risk_after"] = lost
            if lost:
                self.shift.task.progress(f"{_number(lost)} of pool {self.at_risk} were left behind")

    def _count(self) -> int | None:
        """Return the number of sessions at risk, None when not known."""
        if self.at_risk is None:
            return 0
        return open_sessions.count(self.shift.task, self.shift.cluster, self.shift.server, self.at_risk, COUNT_TIMEOUT)

    def _sessions(self, pool: str) -> policy.Sessions:
        shift, params = self.shift, self.shift.task.params
        if params["session_mode"] != policy.AUTO:
            return policy.Sessions(params["session_mode"], marked=True)
        try:
            found = probe_pool(shift.cluster, shift.server, pool, params)
        except targets.NoneReady:
            return policy.Sessions(None)  # no pod that could keep any
        except Failure as failure:
            return policy.Sessions(None, unknown=failure.msg)
        if not found["healthy"]:
            return policy.Sessions(None, unknown=f"{found['target']}: {found['reason']}.")
        return policy.Sessions(found["session_mode"], found["session_mark"] == pool)


def _number(count: int | None) -> str:
    if count is None:
        return "an unknown number of sessions"
    return f"{count} session{'' if count == 1 else 's'}"
