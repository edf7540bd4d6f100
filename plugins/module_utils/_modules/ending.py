# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last acts of a release or a watch: the way back, and telling people. One place for all that end by themselves.

The traffic comes first. What is told afterwards fails nothing: it is a warning.
"""

from __future__ import annotations

import typing as t
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation, payload
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Waiting, waiting
from ansible_collections.mcp.server.plugins.module_utils._modules import (
    mcp_announce,
    mcp_release,
    mcp_release_info,
    mcp_report,
    mcp_rollout,
    mcp_silence,
    single_shift,
)
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task, started

SHIFT = Module(single_shift.SPEC, single_shift.run)
ROLLOUT = Module(mcp_rollout.SPEC, mcp_rollout.run)
RELEASE = Module(mcp_release.SPEC, mcp_release.run)
RELEASE_INFO = Module(mcp_release_info.SPEC, mcp_release_info.run)
SILENCE = Module(mcp_silence.SPEC, mcp_silence.run, "silence")
ANNOUNCE = Module(mcp_announce.SPEC, mcp_announce.run, "announce")
REPORT = Module(mcp_report.SPEC, mcp_report.run, "report")

ANNOUNCE_TIMEOUT = 30.0  # seconds that an announcement beside the rollback may still take at its end
SCALE_DOWN_TIMEOUT = 120.0  # seconds until the pods of a bad pool must be gone


@dataclass
class Ending:
    """How one server's task ends.

    verdicts: of gates, for the report. told: what the task's result says of it (stats, report). is_back: whether a rollback was verified.
    """

    task: Task
    calls: Calls
    verdicts: list[dict[str, t.Any]] = field(default_factory=list)
    told: dict[str, t.Any] = field(default_factory=dict)
    is_back: bool = False
    _announcing: t.Callable[[float], dict[str, t.Any]] | None = None

    def check(self) -> None:
        """Validate the options of what comes last before anything is done. Raises Failure."""
        params = self.task.params
        for module, needed in ((SILENCE, {"state": "absent"}), (ANNOUNCE, {}), (REPORT, {})):
            if params[module.option] is not None:
                self.calls.params(module, **{**params[module.option], **needed})

    def roll_back(self, reason: str, run_id: str | None = None, *, once: bool = False) -> dict[str, t.Any]:
        """Return the traffic to the stable pool, then scale the bad one down and give the Lease back; return what the emergency found.

        once: somebody else writes. Then the weights are written once, and nothing is scaled.
        Raises Lost when another run holds the Lease, and Failure when it is not known that the traffic is back.
        """
        params = self.task.params
        patience = {"api_retry_timeout": params["rollback_retry_timeout"]}
        small = {"replicas": params["failed_replicas"], "wait_timeout": SCALE_DOWN_TIMEOUT}
        waits = {
            name: params[name]
            for name in ("start_timeout", "ready_grace", "sessions_metric", "gitops_ignores")
            if name in params
        }
        waits |= {
            "verify_seconds": 0.0 if once else params["verify_seconds"],
            "timeout": params["rollback_timeout"],
            **patience,
        }
        # With a way to wait of its own: the one of the task comes back from an outage with its Lease or not at all.
        with waiting(Waiting(self.task.progress)):
            task = replace(self.task, check_lease=self._only_lost, traffic_back=self._announce_at_once)
            found = self.calls.run(task, SHIFT, rollback=True, reason=reason, run_id=run_id, **waits)
        run_id = run_id or found.get("run_id")
        if found.get("scale_down", True) and not once:
            self._without_failing(
                f"Pool {found['bad_pool']} was not scaled down.",
                lambda: self.calls.run(self.task, ROLLOUT, pool=found["bad_pool"], run_id=run_id, **small, **patience),
            )
        if run_id:
            self.give_back(run_id)
        return found

    def _only_lost(self) -> None:
        """Of all that may be wrong with the Lease, nothing but another run that holds it ends a rollback."""
        try:
            self.task.check_lease()
        except LeaseLost:
            raise
        except Failure:
            return

    def keep(self, found: dict[str, t.Any], pool: str) -> None:
        """Keep the verdicts of a watch of this pool for the report."""
        at = {"at": record.now(), "pool": pool}
        self.verdicts += [{**verdict, **at} for verdict in found.get("gates") or []]

    def give_back(self, run_id: str) -> None:
        self._without_failing(
            "The Lease was not given back.",
            lambda: self.calls.run(self.task, RELEASE, state="lease_returned", run_id=run_id),
        )

    def tell(self, event: str = payload.ENDED, failure: str = "") -> None:
        """End the silence, announce what happened, and write the report: without a Lease, which was given back."""
        params = self.task.params
        if params["silence"] is not None:
            self._without_failing(
                "The server's alerts stay silenced.",
                lambda: self.calls.run(
                    self.task, SILENCE, run_id=None, alertmanager=params["silence"]["alertmanager"], state="absent"
                ),
            )
        early = self._announced_at_once()
        announced = early if event == payload.ENDED and early.get("delivered") else self._announce(event, failure)
        self.told["stats"] = announced.get("stats")
        if params["report"] is not None:
            written = self._without_failing(
                "The report was not written.",
                lambda: self.calls.run(self.task, REPORT, run_id=None, verdicts=self.verdicts, **params["report"]),
            )
            self.told["report"] = written.get("path")

    def _announce_at_once(self) -> None:
        """Tell people beside the task that the traffic is back: for the next half minute it only looks whether that lasts."""
        self.is_back = True
        self._announcing = started(lambda: self._announce(payload.ENDED))

    def _announced_at_once(self) -> dict[str, t.Any]:
        """Return what announcing that came to, so that nobody is told twice; nothing when it was not tried or takes too long."""
        announcing, self._announcing = self._announcing, None
        with suppress(TimeoutError):
            return announcing(ANNOUNCE_TIMEOUT) if announcing else {}
        return {}

    def _announce(self, event: str, failure: str = "") -> dict[str, t.Any]:
        options = {"run_id": None, "event": event, "failure": failure or None, **(self.task.params["announce"] or {})}
        return self._without_failing("Nothing was announced.", lambda: self.calls.run(self.task, ANNOUNCE, **options))

    def escalate(self) -> None:
        """Show whom to call."""
        for line in escalation.lines((self.task.params["announce"] or {}).get("escalation") or []):
            self.task.progress(f"call {line}")

    def _without_failing(self, what: str, act: t.Callable[[], dict[str, t.Any]]) -> dict[str, t.Any]:
        try:
            return act()
        except LeaseLost as lost:  # it is that run's to do
            self.task.warn(lost.msg)
        except Exception as error:  # also what nobody thought of: the traffic is where it should be
            self.task.warn(f"{what} {getattr(error, 'msg', f'{type(error).__name__}: {error}')}")
        return {}
