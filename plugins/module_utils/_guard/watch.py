# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop of a guard: observe a release's Lease and record until it has ended or is rolled back."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._guard.decide import (
    END,
    KEEP,
    PAUSE,
    ROLL_BACK,
    WAIT,
    Decision,
    Observation,
    abandoned,
    decide,
    paused,
)
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._workload import kept_logs

# Seconds between two observations. With one or two reads each, that is at most 15 requests a minute, and half of that
# while the run is alive.
POLL = 8.0

RUNNING, PAUSED, ROLLED_BACK, FAILED = "running", "paused", "rolled_back", "failed"

# Roll back as the run with this id, for this reason. Raises Failure.
RollBack = t.Callable[[str, str], dict[str, t.Any]]
# Return why a trigger finds a release bad, a clause; empty while none does. Called once the release has no live run.
Breach = t.Callable[[record.Release], str]


@dataclass
class Guard:
    """A guard, and what it observed last."""

    task: Task
    cluster: Api
    server: Server
    emergency: RollBack
    breach: Breach
    lease: leases.Lease = field(init=False)
    # The resourceVersion of the Lease.
    version: str | None = None
    # The run that works on the release and holds the Lease; never own_run.
    live_run: str = ""
    # The guard's own run, once it has one.
    own_run: str = ""
    # Whether it was said that the guard waits for break_glass.yml to restore.
    waits: bool = False
    # The state that the guard wrote to the record last, and whether it is a pause for an approval.
    noted: tuple[str, bool] = ("", False)

    def __post_init__(self) -> None:
        self.lease = leases.Lease(self.cluster, self.server.namespace, self.server.name)

    def look(self) -> Decision:
        """Observe the release; return what to do now. Raises Failure."""
        params = self.task.params
        holder, self.version = self.lease.read()
        now, unchanged = self.cluster.server_time(), self.lease.unchanged
        alone = bool(abandoned(holder, unchanged, now))
        if holder and holder.run == self.live_run and not alone:
            return Decision(WAIT)  # the run is alive, so the record need not be read
        recorded, _version = record.read(self.cluster, self.server)
        release = recorded.current
        observed = Observation(holder, unchanged, release)
        breach = self.breach(release) if release and (alone or paused(observed)) else ""
        decision = decide(observed, params["release_id"], params["action"], now, breach)
        self.live_run = holder.run if holder and decision.what == WAIT and holder.run != self.own_run else ""
        return decision

    def yields(self, decision: Decision) -> bool:
        """Return whether a person has taken over by break_glass.yml, so that the guard leaves all as it is."""
        if decision.what == PAUSE and self.noted == (PAUSED, False):
            return False  # nothing is written
        found = broken_glass.find(self.cluster, self.server)
        if found and not self.waits:
            self.task.progress(
                f"nothing is done ({decision.what}: {decision.why}) until it is restored. "
                f"{broken_glass.sentence(found, self.server)}"
            )
        elif self.waits and not found:
            self.task.progress(f"restored: the guard of {self.server} goes on")
        self.waits = bool(found)
        return self.waits

    def note(self, state: str, reason: str = "", *, approval: bool = False) -> None:
        """Write the state to the record, unless it is there."""
        if (state, approval) == self.noted:
            return
        params = self.task.params
        entry: record.GuardNote = {
            "id": params["guard_id"],
            "action": params["action"],
            "state": state,
            "at": record.now(self.cluster),
            "reason": reason[: record.REASON],
        }
        record.update(
            self.cluster, self.server, lambda recorded: record.add_guard(recorded, params["release_id"], entry)
        )
        self.noted = (state, approval)
        self.task.progress(f"{state}{': ' if reason else ''}{reason}")

    def keep(self, why: str) -> None:
        """Hold the Lease of a paused release, marked so that any run may take it. Raises Conflict when one does."""
        self.own_run = self.own_run or leases.new_run_id()
        self.lease.take(self.own_run, f"the guard of {self.server}", self.version, leases.PAUSED)
        self.note(PAUSED, why, approval=True)

    def roll_back(self, why: str) -> dict[str, t.Any]:
        """Roll back; return the result of the emergency. Raises Failure, and Conflict when a run is back."""
        self.own_run = leases.new_run_id()
        self.lease.take(self.own_run, f"the guard of {self.server}", self.version)
        try:
            result = self.emergency(self.own_run, f"rolled back by the guard: {why}")
        except broken_glass.GlassBroken:
            raise  # a person was faster; nothing is written
        except Failure as failure:
            # The Lease is not returned. When it has expired, the guard tries again.
            self.note(FAILED, f"{why}; {failure.msg}")
            raise
        self.note(ROLLED_BACK, why)
        # Before the Lease goes to a release, which ends these pods.
        bad = result.get("bad_pool")
        kept = kept_logs.keep(self.task, self.cluster, self.server, bad) if bad else None
        self.lease.release(self.own_run)
        return {**result, "kept_logs": kept, "decision": ROLL_BACK, "reason": why}


def watch(
    task: Task, cluster: Api, server: Server, emergency: RollBack, breach: Breach = lambda release: ""
) -> dict[str, t.Any]:
    """Guard a release until it has ended or is rolled back; return the module's result.

    breach: judges the release's triggers.
    """
    guard = Guard(task, cluster, server, emergency, breach)
    guard.note(RUNNING)
    while True:
        try:
            decision = guard.look()
            if decision.what == END:
                guard.lease.release(guard.own_run)
                return {"changed": False, "decision": END, "reason": decision.why}
            if decision.what in (ROLL_BACK, PAUSE) and guard.yields(decision):
                pass
            elif decision.what == ROLL_BACK:
                return guard.roll_back(decision.why)
            elif decision.what == PAUSE:
                guard.note(PAUSED, decision.why)
            elif decision.what == KEEP:
                guard.keep(decision.why)
            elif guard.live_run:  # a run works on it, perhaps again
                guard.note(RUNNING)
        except Conflict:
            continue  # the Lease was written meanwhile: observe again at once
        except Failure as failure:
            task.progress(failure.msg)
        time.sleep(POLL)
