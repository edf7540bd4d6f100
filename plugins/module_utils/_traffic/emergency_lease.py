# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Lease of an emergency: taken from whoever has it, and done without when that does not work."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack, suppress
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, runner
from ansible_collections.mcp.server.plugins.module_utils._task import (
    Deadline,
    Failure,
    LeaseLost,
    Task,
    bounded,
    started,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import OPTIONAL_TIMEOUT, Shift


def without_run_id(task: Task) -> Task:
    """Return the task as that of no run: what it does to a pool is right whoever releases, and must not fail for want of a Lease."""
    return replace(task, params={**task.params, "run_id": None})


def renew_lease(shift: Shift, held: ExitStack) -> None:
    """To the Lease of this emergency, which lasts for less than a pool may need to come up, or a gateway to follow."""
    run = shift.task.params["run_id"] or shift.result.get("run_id")
    if not run:
        return
    held.enter_context(lease_renewal.renewing(shift.task, run, must=False))


def take_over(shift: Shift) -> str:
    """The id of this run, which releases the server from now on, whoever did before. An emergency does not fail for want of it."""
    run = leases.new_run_id()
    hold = _lease_wait(shift, _start_taking_over(shift, run))
    return run if hold(2 * shift.task.params["api_timeout"], last=True) else ""


def acquire_beside(shift: Shift) -> t.Callable[..., bool]:
    """Take the Lease from whoever holds it, or see that the run of the option C(run_id) does, beside the reads; see _hold()."""
    run = shift.task.params["run_id"]
    if shift.task.check_mode:
        return lambda seconds, last=False: False
    if run:
        lease = leases.Lease(shift.cluster, shift.server.namespace, shift.server.name)
        return _lease_wait(shift, started(lambda: lease_renewal.check(shift.task, lease, run)))
    shift.emergency_run_id, shift.result["run_id"] = leases.new_run_id(), ""
    hold = _lease_wait(shift, _start_taking_over(shift, shift.emergency_run_id))

    def taken(seconds: float, *, last: bool = False) -> bool:
        if hold(seconds, last=last):
            shift.result["run_id"] = shift.emergency_run_id
        return bool(shift.result["run_id"])

    return taken


def return_lease(shift: Shift, hold: t.Callable[..., bool]) -> None:
    """Give the Lease back that was taken for an emergency which is refused: a run that does nothing must not keep others out."""
    with suppress(Failure, TimeoutError):
        if shift.emergency_run_id and hold(OPTIONAL_TIMEOUT, last=True):
            lease = leases.Lease(shift.cluster, shift.server.namespace, shift.server.name)
            bounded(lambda: lease.release(shift.emergency_run_id), OPTIONAL_TIMEOUT)


def _lease_wait(shift: Shift, wait: t.Callable[[float], leases.Holder | None]) -> t.Callable[..., bool]:
    """Return what waits for the Lease and returns whether it is ours: at first until SOON is over, and then for some seconds more.

    It raises Lost, and nothing else. last: whether it is given up then.
    """
    bound, known = Deadline(OPTIONAL_TIMEOUT), None

    def hold(seconds: float, *, last: bool = False) -> bool:
        nonlocal known
        if known is not None:
            return known
        try:
            before = wait(max(bound.left, seconds))
        except LeaseLost:
            raise
        except Exception as error:  # also what nobody thought of: the traffic does not wait for a Lease
            if isinstance(error, TimeoutError) and not last:
                return False
            known = False
            shift.task.warn(f"A release that goes on somewhere else is not held off. {getattr(error, 'msg', error)}")
            return False
        known = True
        if before is not None:
            shift.task.progress(f"took over from {before.by}, whose release does not go on")
        return True

    return hold


def _start_taking_over(shift: Shift, run: str) -> t.Callable[[float], leases.Holder | None]:
    lease = leases.Lease(shift.cluster, shift.server.namespace, shift.server.name)
    return started(
        lambda: lease.acquire(run, runner.runner_name(), leases.this_process(shift.task.runner), take_over=True)
    )
