# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watch the weights of an emergency for whoever reverts them, such as a GitOps tool whose repository has the old ones.

Each time that happens, the weights are written again, for MAX_REWRITE_SECONDS at most.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers, gitops
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._server import Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass
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

POLL_INTERVAL = 2.0  # seconds between reads of the route
MAX_REWRITE_SECONDS = 180.0  # seconds for which the weights are written again, since the first revert
OF_FIRST_WRITE = (
    "before",
    "changed",
    "diff",
    "written_at",
    "seconds_to_follow",
)  # keys of the result that the first write has set


def announce(shift: Shift) -> None:
    """Name the tools that manage the route, before it is written."""
    for tool in _tools(shift):
        suspend = f"; to suspend it: {tool.suspend}" if tool.suspend else ""
        shift.task.progress(f"{tool.name} manages {shift.kind.name(shift.server)} and may revert this{suspend}")


def managed_by(shift: Shift) -> list[str]:
    """Return the names of the tools that may revert the weights. Not Helm, which writes at its upgrades only."""
    ignored = "route" in shift.task.params["gitops_ignores"]
    return [] if ignored else [tool.name for tool in _tools(shift) if tool.name != field_managers.HELM]


def _tools(shift: Shift) -> list[field_managers.Writer]:
    try:
        obj, field = shift.kind.written(shift.route), shift.kind.field(shift.route, shift.server)
        return [tool for tool in field_managers.tools(obj) if field_managers.holds(obj, tool, field)]
    except Exception:  # any error, such as metadata in another form: the traffic does not wait for it
        return []


class RevertMonitor:
    """Write the weights again when they are reverted; without verify_seconds fail at the first revert instead."""

    def __init__(self, shift: Shift, wanted: Weights, target: pools.Stable) -> None:
        self._shift = shift
        self._wanted = wanted
        self._target = target
        self._seconds = shift.task.params["verify_seconds"]
        self._rewriting: Deadline | None = None
        self._reverts: list[Overwritten] = []

    def note_earlier_revert(self) -> None:
        """Name who has reverted what an earlier task of this rollback wrote, before the weights are written again."""
        shift = self._shift
        noted = shift.kind.noted(shift.route)
        if noted and noted[1] == self._wanted and shift.kind.run(shift.route) == shift.task.params["run_id"]:
            revert = overwritten_route(shift.cluster, shift.server, shift.route, self._wanted)
            broken = broken_glass.of_route(shift.server, shift.route)
            # What this collection writes has no other writer, and all but break-glass replace the id of the run.
            if broken and revert and revert.evidence["overwritten"]["by"] == field_managers.UNKNOWN:
                raise broken_glass.GlassBroken(
                    f"The rollback of {shift.server} ends, as somebody has broken the glass after its write. "
                    f"{broken_glass.sentence(broken, shift.server)}"
                )
            if isinstance(revert, Overwritten):
                shift.task.progress(f"reverted: {revert.msg.rstrip('.')}; writing the weights again")
                self._keep(revert)

    def verify(self, during_wait: t.Callable[[], None] = lambda: None) -> None:
        """Verify that the traffic follows the weights. Raises Failure."""
        while True:
            try:
                return self._shift.verify(self._wanted, during_wait)
            except Overwritten as revert:
                self._write_again(revert)
                during_wait = _nothing

    def watch(self) -> None:
        """Read the route, at least once, until nobody has reverted the weights for verify_seconds. Raises Failure."""
        shift = self._shift
        quiet = Deadline(max(0.0, self._seconds - self._lasted()))
        if quiet.seconds:
            shift.task.progress(
                f"all traffic of {shift.server} is back on {self._target.pool}; "
                f"watching the route for {round(quiet.seconds, 1):g} s in case it is reverted (Ctrl-C is safe)"
            )
        verified = len(self._reverts)
        going_on = True
        while going_on:
            going_on = quiet.pause(POLL_INTERVAL)
            try:
                self._look()
            except Overwritten as revert:
                self._write_again(revert)
                quiet, going_on = Deadline(self._seconds), True
        if len(self._reverts) > verified:
            self.verify()
        self._report()

    def _lasted(self) -> float:
        """Return the seconds since this collection wrote the route, by the API server's clock; 0 when not known.

        So the wait of several servers ends at the same time, also when their tasks run one after the other.
        """
        shift = self._shift
        now, at = shift.cluster.server_time(), _times.parse(field_managers.ours_at(shift.kind.written(shift.route)))
        # It has whole seconds: the write may have been up to one second later.
        return max(0.0, (now - at).total_seconds() - 1.0) if now and at else 0.0

    def _look(self) -> None:
        shift = self._shift
        shift.task.check_lease()
        # A monitor of its own: it waits for nothing, and what it can't read is no finding.
        OverwriteMonitor(
            shift.task, shift.cluster, shift.server, shift.expected(self._wanted), shift.glass or ""
        ).look()

    def _write_again(self, revert: Overwritten) -> None:
        """Write the weights again, unless they have been reverted for too long. Raises Failure."""
        shift = self._shift
        self._keep(revert)
        self._rewriting = self._rewriting or Deadline(MAX_REWRITE_SECONDS)
        if not self._seconds or not self._rewriting.left:
            times = (
                "once" if len(self._reverts) == 1 else f"{len(self._reverts)} times in {self._rewriting.elapsed:.0f} s"
            )
            again = ", and are not written again" if not self._seconds else ""
            raise Overwritten(
                f"Weights of {shift.server} were written ({text(self._wanted)}) and reverted {times}{again}. "
                f"{revert.msg}",
                **{**shift.result, **revert.evidence},
            )
        shift.task.progress(f"reverted: {revert.msg.rstrip('.')}; writing the weights again")
        first = {name: shift.result[name] for name in OF_FIRST_WRITE}
        try:
            shift.write(shift.read(), self._wanted, self._target)
        except LeaseLost:
            raise
        # Such as a route that leads to one pool only: who made it so is the cause.
        except Failure as failure:
            msg = (
                f"Weights of {shift.server} were written and reverted, and can't be written again: "
                f"{failure.msg} {revert.msg}"
            )
            raise Overwritten(msg, **{**shift.result, **revert.evidence}) from None
        shift.result |= {**first, "changed": True}

    def _keep(self, revert: Overwritten) -> None:
        result = self._shift.result
        result["scale_down"] = False
        result["reverted"] = [*result["reverted"], revert.evidence["overwritten"]]
        self._reverts.append(revert)

    def _report(self) -> None:
        """Warn at the end who manages or reverted the route, and that the bad pool keeps its pods because of that."""
        shift, bad = self._shift, self._shift.result["bad_pool"]
        if self._reverts:
            times = "once" if len(self._reverts) == 1 else f"{len(self._reverts)} times"
            shift.task.warn(
                f"The rollback of {shift.server} was reverted {times} and written again; pool {bad} keeps its pods. "
                f"{self._reverts[-1].msg}"
            )
        elif (names := managed_by(shift)) and not self._target.named:
            suspend = "".join(f" Suspend it: {tool.suspend}." for tool in _tools(shift) if tool.suspend)
            shift.task.warn(
                f"Pool {bad} keeps its pods because {', '.join(names)} manages {shift.kind.name(shift.server)} "
                f"and may give it traffic again.{suspend} "
                "If it leaves the weights alone, set gitops_ignores: route (docs/gitops.md)."
            )


def _nothing() -> None:
    """Do nothing: what runs beside the verification runs once."""
