# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emergency's weights against whoever undoes them: a GitOps tool whose repository still has the others.

Each time that is seen, the weights are written again, for LONGEST at most.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers, gitops
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrite_monitor import (
    OverwriteMonitor,
    overwritten_route,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift, text

# Documented in doc_fragments/ending.py and gitops.py
OPTIONS: dict[str, t.Any] = {
    "verify_seconds": {"type": "float", "default": 30.0},
    **gitops.OPTION,
}

POLL_INTERVAL = 2.0  # seconds between looks at the route
MAX_REWRITE_SECONDS = 180.0  # seconds for which the weights are written again, from the first time on
OF_FIRST_WRITE = (
    "before",
    "changed",
    "diff",
    "written_at",
    "seconds_to_follow",
)  # of the result: what the first write came to


def announce(shift: Shift) -> None:
    """Name the tools that hold the route, before it is written."""
    for tool in _tools(shift):
        suspend = f"; suspend it: {tool.suspend}" if tool.suspend else ""
        shift.task.progress(f"{tool.name} holds {shift.kind.name(shift.server)} and may undo this{suspend}")


def managed_by(shift: Shift) -> list[str]:
    """Return the names of the tools that hold the route and do not leave the weights to us. Helm writes at its upgrades only."""
    ignored = "route" in shift.task.params["gitops_ignores"]
    return [] if ignored else [tool.name for tool in _tools(shift) if tool.name != field_managers.HELM]


def _tools(shift: Shift) -> list[field_managers.Writer]:
    try:
        obj, field = shift.kind.written(shift.route), shift.kind.field(shift.route, shift.server)
        return [tool for tool in field_managers.tools(obj) if field_managers.holds(obj, tool, field)]
    except Exception:  # whatever anybody wrote there: the traffic does not wait for it
        return []


class RevertMonitor:
    """What is done about it. Without verify_seconds nothing is written again: it fails at the first time."""

    def __init__(self, shift: Shift, wanted: dict[str, int], good: pools.Stable) -> None:
        self._shift = shift
        self._wanted = wanted
        self._good = good
        self._seconds = shift.task.params["verify_seconds"]
        self._bound: Deadline | None = None
        self._undone: list[Overwritten] = []

    def since_sent(self) -> None:
        """Name who has undone what another task of this rollback wrote, before it is written again."""
        shift = self._shift
        noted = shift.kind.noted(shift.route)
        if noted and noted[1] == self._wanted and shift.kind.run(shift.route) == shift.task.params["run_id"]:
            undone = overwritten_route(shift.cluster, shift.server, shift.route, self._wanted)
            if isinstance(undone, Overwritten):
                shift.task.progress(f"undone: {undone.msg.rstrip('.')}; writing the weights again")
                self._keep(undone)

    def verify(self, meanwhile: t.Callable[[], None] = lambda: None) -> None:
        """Verify that the traffic follows the weights. Raises Failure."""
        while True:
            try:
                return self._shift.verify(self._wanted, meanwhile)
            except Overwritten as undone:
                self._write_again(undone)
                meanwhile = _nothing

    def watch(self) -> None:
        """Look at the route until nobody has undone the weights for verify_seconds, at least once. Raises Failure."""
        shift = self._shift
        quiet = Deadline(max(0.0, self._seconds - self._lasted()))
        if quiet.seconds:
            shift.task.progress(
                f"all traffic of {shift.server} is back on {self._good.pool}; "
                f"watching the route for {round(quiet.seconds, 1):g} s in case somebody undoes that (Ctrl-C is safe)"
            )
        verified = len(self._undone)
        going_on = True
        while going_on:
            going_on = quiet.pause(POLL_INTERVAL)
            try:
                self._look()
            except Overwritten as undone:
                self._write_again(undone)
                quiet, going_on = Deadline(self._seconds), True
        if len(self._undone) > verified:
            self.verify()
        self._tell()

    def _lasted(self) -> float:
        """Return the seconds since we wrote the route, by the API server's clock; 0 where that is not known.

        So what several servers wait for is over for all at the same time, also when their tasks come one after the other.
        """
        shift = self._shift
        now, at = shift.cluster.server_time(), field_managers.ours_at(shift.kind.written(shift.route))
        try:
            return max(0.0, (now - datetime.fromisoformat(at)).total_seconds()) if now else 0.0
        except ValueError:
            return 0.0

    def _look(self) -> None:
        shift = self._shift
        shift.task.check_lease()
        # A look of its own: what it can't read is no finding, and is not waited for.
        OverwriteMonitor(shift.task, shift.cluster, shift.server, shift.expected(self._wanted)).look()

    def _write_again(self, undone: Overwritten) -> None:
        """Write the weights again, unless that has gone on for too long. Raises Failure."""
        shift = self._shift
        self._keep(undone)
        self._bound = self._bound or Deadline(MAX_REWRITE_SECONDS)
        if not self._seconds or not self._bound.left:
            times = "once" if len(self._undone) == 1 else f"{len(self._undone)} times in {self._bound.elapsed:.0f} s"
            again = ", and they are not written again" if not self._seconds else ""
            raise Overwritten(
                f"The weights of {shift.server} were written ({text(self._wanted)}) and undone {times}{again}. {undone.msg}",
                **{**shift.result, **undone.evidence},
            )
        shift.task.progress(f"undone: {undone.msg.rstrip('.')}; writing the weights again")
        kept = {name: shift.result[name] for name in OF_FIRST_WRITE}
        try:
            shift.write(shift.read(), self._wanted, self._good)
        except LeaseLost:
            raise
        except Failure as failure:  # a route that leads to one pool only, say: who made it so is worth more than that it can't be written
            msg = f"The weights of {shift.server} were written and undone, and can't be written again: {failure.msg} {undone.msg}"
            raise Overwritten(msg, **{**shift.result, **undone.evidence}) from None
        shift.result |= {**kept, "changed": True}

    def _keep(self, undone: Overwritten) -> None:
        result = self._shift.result
        result["scale_down"] = False
        result["reverted"] = [*result["reverted"], undone.evidence["overwritten"]]
        self._undone.append(undone)

    def _tell(self) -> None:
        """Say at the end who holds the route or wrote it, and that the bad pool keeps its pods for that."""
        shift, bad = self._shift, self._shift.result["bad_pool"]
        if self._undone:
            times = "once" if len(self._undone) == 1 else f"{len(self._undone)} times"
            shift.task.warn(
                f"The rollback of {shift.server} was undone {times} and written again; pool {bad} keeps its pods. {self._undone[-1].msg}"
            )
        elif (names := managed_by(shift)) and not self._good.named:
            suspend = "".join(f" Suspend it: {tool.suspend}." for tool in _tools(shift) if tool.suspend)
            shift.task.warn(
                f"Pool {bad} keeps its pods, since {', '.join(names)} holds {shift.kind.name(shift.server)} and may give it traffic again."
                f"{suspend} Where it leaves the weights alone, say so (gitops_ignores: route; docs/gitops.md)."
            )


def _nothing() -> None:
    """What is done meanwhile is done once."""
