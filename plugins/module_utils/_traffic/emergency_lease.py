# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Lease of an emergency: taken over from whoever holds it, and optional: an emergency goes on without it."""

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
    """Return the task without its run: scaling the target up is right whoever releases, and must not need a Lease."""
    return replace(task, params={**task.params, "run_id": None})


def renew_lease(shift: Shift, stack: ExitStack) -> None:
    """Renew the Lease of this emergency until the stack is left: pods and gateways may take longer than it lasts."""
    run = shift.task.params["run_id"] or shift.result.get("run_id")
    if not run:
        return
    stack.enter_context(lease_renewal.renewing(shift.task, run, required=False))


def take_over(shift: Shift) -> str:
    """Take the Lease over from whoever holds it; return the new run's id, empty, with a warning, when that failed."""
    run = leases.new_run_id()
    wait = _lease_wait(shift, _start_taking_over(shift, run))
    return run if wait(2 * shift.task.params["api_timeout"], last=True) else ""


def acquire_beside(shift: Shift) -> t.Callable[..., bool]:
    """Start to take the Lease over, or to check that of the run in the option C(run_id), beside the reads.

    Return what waits for the outcome, see _lease_wait().
    """
    run = shift.task.params["run_id"]
    if shift.task.check_mode:
        return lambda seconds, last=False: False
    if run:
        lease = leases.Lease(shift.cluster, shift.server.namespace, shift.server.name)
        return _lease_wait(shift, started(lambda: lease_renewal.check(shift.task, lease, run)))
    shift.emergency_run_id, shift.result["run_id"] = leases.new_run_id(), ""
    wait = _lease_wait(shift, _start_taking_over(shift, shift.emergency_run_id))

    def taken(seconds: float, *, last: bool = False) -> bool:
        if wait(seconds, last=last):
            shift.result["run_id"] = shift.emergency_run_id
        return bool(shift.result["run_id"])

    return taken


def return_lease(shift: Shift, wait: t.Callable[..., bool]) -> None:
    """Return the Lease that was taken for an emergency which is refused, so that it does not block others."""
    with suppress(Failure, TimeoutError):
        if shift.emergency_run_id and wait(OPTIONAL_TIMEOUT, last=True):
            lease = leases.Lease(shift.cluster, shift.server.namespace, shift.server.name)
            bounded(lambda: lease.release(shift.emergency_run_id), OPTIONAL_TIMEOUT)


def _lease_wait(shift: Shift, result: t.Callable[[float], leases.Holder | None]) -> t.Callable[..., bool]:
    """Return a function that waits for the Lease and returns whether this run holds it.

    result: waits for the call that was started, for some seconds. The function's seconds: how long it waits at least,
    beside what is left of OPTIONAL_TIMEOUT. Its last: whether the Lease is given up then. It raises LeaseLost only.
    """
    bound = Deadline(OPTIONAL_TIMEOUT)
    acquired: bool | None = None  # None while that is not known

    def wait(seconds: float, *, last: bool = False) -> bool:
        nonlocal acquired
        if acquired is not None:
            return acquired
        try:
            before = result(max(bound.left, seconds))
        except LeaseLost:
            raise
        except Exception as error:  # any error: the traffic does not wait for a Lease
            if isinstance(error, TimeoutError) and not last:
                return False
            acquired = False
            shift.task.warn(
                f"Continuing without the Lease of {shift.server}: another run may still change it. "
                f"{getattr(error, 'msg', f'The API server gave {error}.')}"
            )
            return False
        acquired = True
        if before is not None:
            shift.task.progress(f"took over from {before.by}: that run makes no further changes")
        return True

    return wait


def _start_taking_over(shift: Shift, run: str) -> t.Callable[[float], leases.Holder | None]:
    """Start to take the Lease over; return what waits for that, for some seconds, and returns the former holder."""
    lease = leases.Lease(shift.cluster, shift.server.namespace, shift.server.name)
    return started(
        lambda: lease.acquire(run, runner.runner_name(), leases.this_process(shift.task.runner), take_over=True)
    )
