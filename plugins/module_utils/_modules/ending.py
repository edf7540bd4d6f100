# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a release or a watch: the rollback, the announcement and the report.

The traffic comes first. What fails after that is a warning.
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
from ansible_collections.mcp.server.plugins.module_utils._traffic import watch

SHIFT = Module(single_shift.SPEC, single_shift.run)
ROLLOUT = Module(mcp_rollout.SPEC, mcp_rollout.run)
RELEASE = Module(mcp_release.SPEC, mcp_release.run)
RELEASE_INFO = Module(mcp_release_info.SPEC, mcp_release_info.run)
SILENCE = Module(mcp_silence.SPEC, mcp_silence.run, "silence")
ANNOUNCE = Module(mcp_announce.SPEC, mcp_announce.run, "announce")
REPORT = Module(mcp_report.SPEC, mcp_report.run, "report")
CLIENTS = Module(watch.SPEC, watch.run)

ANNOUNCE_TIMEOUT = 30.0  # seconds that an announcement beside the rollback may take after its end
SCALE_DOWN_TIMEOUT = 120.0  # seconds until the pods of a bad pool must have ended
CLIENTS_SECONDS = 4.0  # for which the public endpoint is asked whether clients get answers: longer than one may take
CLIENTS_RATE = 10.0  # requests a second


@dataclass
class Ending:
    """How one server's task ends."""

    task: Task
    calls: Calls
    # Of gates, for the report
    verdicts: list[dict[str, t.Any]] = field(default_factory=list)
    result: dict[str, t.Any] = field(default_factory=dict)  # stats and report, for the task's result
    kind: str = ""  # of the failure, see escalation.py; set before the rollback, which announces
    is_back: bool = False  # whether a rollback was verified
    _announcing: t.Callable[[float], dict[str, t.Any]] | None = None

    def check(self) -> None:
        """Validate the options of all that comes last, before anything is done. Raises Failure."""
        params = self.task.params
        for module, needed in ((SILENCE, {"state": "absent"}), (ANNOUNCE, {}), (REPORT, {})):
            if params[module.option] is not None:
                self.calls.params(module, **{**params[module.option], **needed})

    def roll_back(self, reason: str, run_id: str | None = None, *, once: bool = False) -> dict[str, t.Any]:
        """Roll back, scale the bad pool down, and return the Lease. Return the rollback's result.

        once: another client overwrites, so the weights are written only once, and nothing is scaled.
        Raises LeaseLost when another run holds the Lease, and Failure when the traffic is not known to be back.
        """
        params = self.task.params
        retry = {"api_retry_timeout": params["rollback_retry_timeout"]}
        small = {"replicas": params["failed_replicas"], "wait_timeout": SCALE_DOWN_TIMEOUT, "keep_logs": True}
        waits: dict[str, t.Any] = {
            name: params[name]
            for name in ("start_timeout", "ready_grace", "sessions_metric", "gitops_ignores")
            if name in params
        }
        waits |= {
            "verify_seconds": 0.0 if once else params["verify_seconds"],
            "timeout": params["rollback_timeout"],
            **retry,
        }
        # Its own wait for the API server: the task's would need the Lease again after an outage.
        with waiting(Waiting(self.task.progress)):
            task = replace(self.task, check_lease=self._check_lease_lost, traffic_back=self._announce_early)
            found = self.calls.run(task, SHIFT, rollback=True, reason=reason, run_id=run_id, **waits)
        run_id = run_id or found.get("run_id")
        if found.get("scale_down", True) and not once:
            self._attempt(
                f"Pool {found['bad_pool']} was not scaled down.",
                lambda: self.calls.run(self.task, ROLLOUT, pool=found["bad_pool"], run_id=run_id, **small, **retry),
            )
        if run_id:
            self.return_lease(run_id)
        return found

    def _check_lease_lost(self) -> None:
        """Raise LeaseLost when another run holds the Lease; nothing else about it ends a rollback."""
        try:
            self.task.check_lease()
        except LeaseLost:
            raise
        except Failure:
            return

    def keep_verdicts(self, found: dict[str, t.Any], pool: str) -> None:
        """Keep the verdicts of a watch of this pool, for the report."""
        at = {"at": record.now(), "pool": pool}
        self.verdicts += [{**verdict, **at} for verdict in found.get("gates") or []]

    def return_lease(self, run_id: str) -> None:
        self._attempt(
            "The Lease was not returned.",
            lambda: self.calls.run(self.task, RELEASE, state="lease_returned", run_id=run_id),
        )

    def conclude(self, event: str = payload.ENDED, failure: str = "") -> None:
        """End the silence, announce the outcome, and write the report. They need no Lease: it is returned by then."""
        params = self.task.params
        if event in (payload.ROLLBACK_FAILED, payload.PAUSED):
            self.kind = escalation.kind_of(
                rollback_failed=event == payload.ROLLBACK_FAILED, failed_percent=self._failed_percent()
            )
        if self.kind:
            self.result["kind"] = self.kind
        if params["silence"] is not None:
            self._attempt(
                "The silence of alerts was not ended.",
                lambda: self.calls.run(
                    self.task, SILENCE, run_id=None, alertmanager=params["silence"]["alertmanager"], state="absent"
                ),
            )
        early = self._announced_early()
        announced = early if event == payload.ENDED and early.get("delivered") else self._announce(event, failure)
        self.result["stats"] = announced.get("stats")
        if params["report"] is not None:
            written = self._attempt(
                "The report was not written.",
                lambda: self.calls.run(self.task, REPORT, run_id=None, **self._report()),
            )
            self.result["report"] = written.get("path")

    def _report(self) -> dict[str, t.Any]:
        """Return the options of the report."""
        tree = (self.task.params["announce"] or {}).get("escalation")
        of_failure = {"kind": self.kind, "escalation": tree} if self.kind else {}
        return {"verdicts": self.verdicts, **of_failure, **self.task.params["report"]}

    def _failed_percent(self) -> float | None:
        """Return how many percent of the answers that clients get now fail; None when that can't be told."""
        if not self.task.params.get("endpoint"):
            return None
        quiet = replace(self.task, progress=lambda line: None, warn=lambda text: None, check_lease=lambda: None)
        options = {"run_id": None, "seconds": CLIENTS_SECONDS, "rate": CLIENTS_RATE, "inconclusive_timeout": 0.0}
        try:
            return escalation.failed_percent(self.calls.run(quiet, CLIENTS, **options))
        except Failure as failure:  # too many failed, or none were answered
            return escalation.failed_percent(failure.evidence)
        except Exception:  # any error: whom to call must be said
            return None

    def _announce_early(self) -> None:
        """Announce beside the task that the traffic is back, while the rollback still watches for reverts."""
        self.is_back = True
        self._announcing = started(lambda: self._announce(payload.ENDED))

    def _announced_early(self) -> dict[str, t.Any]:
        """Return the result of the early announcement, so that nothing is announced twice; empty without one."""
        announcing, self._announcing = self._announcing, None
        with suppress(TimeoutError):
            return announcing(ANNOUNCE_TIMEOUT) if announcing else {}
        return {}

    def _announce(self, event: str, failure: str = "") -> dict[str, t.Any]:
        options = {
            "run_id": None,
            "event": event,
            "failure": failure or None,
            "kind": self.kind or None,
            **(self.task.params["announce"] or {}),
        }
        return self._attempt("Nothing was announced.", lambda: self.calls.run(self.task, ANNOUNCE, **options))

    def escalate(self) -> None:
        """Show whom to call for such a failure."""
        for line in escalation.lines((self.task.params["announce"] or {}).get("escalation") or [], self.kind):
            self.task.progress(f"call {line}")

    def _attempt(self, what: str, act: t.Callable[[], dict[str, t.Any]]) -> dict[str, t.Any]:
        try:
            return act()
        except LeaseLost as lost:  # the run that holds it does this
            self.task.warn(lost.msg)
        except Exception as error:  # any error: the traffic is where it should be
            self.task.warn(f"{what} {getattr(error, 'msg', f'{type(error).__name__}: {error}')}")
        return {}
