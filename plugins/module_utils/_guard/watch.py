# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard at work, in its Job: looks at the Lease of a release, and at its record, until the release has ended or is rolled back."""

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
    decide,
    gone,
    paused,
)
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

# Seconds between two looks. With one or two reads each that is at most 15 calls a minute, and half of that while the runner lives.
POLL = 8.0

RUNNING, PAUSED, ROLLED_BACK, FAILED = "running", "paused", "rolled_back", "failed"

# Rolls back as the run with this id, for this reason. Raises Failure.
RollBack = t.Callable[[str, str], dict[str, t.Any]]
# Why a trigger says that a release is bad; empty while none does. Asked once its runner is gone.
Breach = t.Callable[[record.Release], str]


@dataclass
class Guard:
    """One guard, and what it saw last.

    version: of the Lease. known: the run that holds it while its release goes on;
    never its own, which rolls back. noted: the state in the record, and whether it is that of a pause for an approval.
    """

    task: Task
    cluster: Api
    server: Server
    emergency: RollBack
    breach: Breach
    lease: leases.Lease = field(init=False)
    version: str | None = None
    known: str = ""
    own: str = ""
    noted: tuple[str, bool] = ("", False)

    def __post_init__(self) -> None:
        self.lease = leases.Lease(self.cluster, self.server.namespace, self.server.name)

    def look(self) -> Decision:
        """What is to be done now. Raises Failure."""
        params = self.task.params
        holder, self.version = self.lease.read()
        now, unchanged = self.cluster.server_time(), self.lease.unchanged
        alone = bool(gone(holder, unchanged, now))
        if holder and holder.run == self.known and not alone:
            return Decision(WAIT)  # its release goes on: the record can wait
        book, _version = record.read(self.cluster, self.server)
        sight = Observation(holder, unchanged, book.current)
        breach = self.breach(book.current) if book.current and (alone or paused(sight)) else ""
        decision = decide(sight, params["release_id"], params["action"], now, breach)
        self.known = holder.run if holder and decision.what == WAIT and holder.run != self.own else ""
        return decision

    def note(self, state: str, reason: str = "", *, approval: bool = False) -> None:
        """Into the record, when it is news."""
        if (state, approval) == self.noted:
            return
        params = self.task.params
        entry = {
            "id": params["guard_id"],
            "action": params["action"],
            "state": state,
            "at": record.now(self.cluster),
            "reason": reason[: record.REASON],
        }
        record.update(self.cluster, self.server, lambda book: record.add_guard(book, params["release_id"], entry))
        self.noted = (state, approval)
        self.task.progress(f"{state}{': ' if reason else ''}{reason}")

    def keep(self, why: str) -> None:
        """Hold the Lease of a release that is paused, in a way that whoever goes on with it may take it. Raises Conflict when somebody does."""
        self.own = self.own or leases.new_run_id()
        self.lease.take(self.own, f"the guard of {self.server}", self.version, leases.PAUSED)
        self.note(PAUSED, why, approval=True)

    def roll_back(self, why: str) -> dict[str, t.Any]:
        """What mcp_traffic_shift says of the emergency. Raises Conflict when the runner is back."""
        self.own = leases.new_run_id()
        self.lease.take(self.own, f"the guard of {self.server}", self.version)
        try:
            result = self.emergency(self.own, f"rolled back by the guard: {why}")
        except Failure as failure:
            # The Lease is kept, and runs out: then this is tried again.
            self.note(FAILED, f"{why}; {failure.msg}")
            raise
        self.note(ROLLED_BACK, why)
        self.lease.release(self.own)
        return {**result, "decision": ROLL_BACK, "reason": why}


def watch(
    task: Task, cluster: Api, server: Server, emergency: RollBack, breach: Breach = lambda release: ""
) -> dict[str, t.Any]:
    """Until there is nothing more to guard. breach: where the release's triggers are plugged in."""
    guard = Guard(task, cluster, server, emergency, breach)
    guard.note(RUNNING)
    while True:
        try:
            decision = guard.look()
            if decision.what == END:
                guard.lease.release(guard.own)
                return {"changed": False, "decision": END, "reason": decision.why}
            if decision.what == ROLL_BACK:
                return guard.roll_back(decision.why)
            if decision.what == PAUSE:
                guard.note(PAUSED, decision.why)
            elif decision.what == KEEP:
                guard.keep(decision.why)
            elif guard.known:  # a runner is there, perhaps again
                guard.note(RUNNING)
        except Conflict:
            continue  # the Lease was written meanwhile: look again, at once
        except Failure as failure:
            task.progress(failure.msg)
        time.sleep(POLL)
