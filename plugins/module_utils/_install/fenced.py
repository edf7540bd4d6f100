# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep releases away while the objects of a server are made."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record, runner
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass


@contextmanager
def lease(task: Task, cluster: Api, server: Server, what: str, *, heeds_break_glass: bool = True) -> t.Iterator[str]:
    """Hold the server's Lease, so that no release runs meanwhile; give the block the run's id. Raises Failure.

    what: the play that needs it, such as install. heeds_break_glass: whether it is refused while break_glass.yml has
    changed the server.
    """
    params = task.params
    if heeds_break_glass:
        broken_glass.refuse(cluster, server, f"The {what} is", task.warn)
    held = leases.Lease(cluster, server.namespace, server.name)
    if params["run_id"]:
        if task.check_mode:
            yield params["run_id"]
            return
        with lease_renewal.renewing(task, params["run_id"]):
            yield params["run_id"]
        return
    _refuse_paused(cluster, server, held, what)
    run, by = leases.new_run_id(), f"{runner.runner_name()}, {'an' if what[0] in 'aeiou' else 'a'} {what}"
    process = leases.this_process(task.runner)
    held.acquire(run, by, process, dry_run=task.check_mode, progress=task.progress)
    if task.check_mode:
        yield run
        return
    try:
        with lease_renewal.renewing(replace(task, params={**params, "run_id": run}), run):
            yield run
    except Unreachable:
        raise  # the Lease expires, and returning it would only wait for the API server again
    except BaseException:
        _return(task, held, run)
        raise
    _return(task, held, run)


def _refuse_paused(cluster: Api, server: Server, lease: leases.Lease, what: str) -> None:
    """Raise Failure while a release is paused, or was interrupted.

    Its Lease can be had: its guard lets others take it, and without one it has no holder. But then nobody would watch
    the release, and a guard would no longer roll back one whose run has died.
    """
    holder, _version = lease.read()
    alive = holder is not None and not (
        leases.expired(holder, lease.unchanged, cluster.server_time()) or leases.is_dead(holder.process)
    )
    if holder and alive and holder.process != leases.PAUSED:
        return  # who it is, says whoever is refused the Lease
    current = None if alive else record.read(cluster, server)[0].current
    if alive or (current and record.is_running(current)):
        raise Failure(
            f"A release of {server} is {'paused' if alive or (current and current.get('paused')) else 'not finished'}. "
            f"Finish it or roll it back, then run the {what} again."
        )


def _return(task: Task, lease: leases.Lease, run: str) -> None:
    try:
        lease.release(run)
    except Failure as failure:
        task.warn(f"The Lease was not returned; it expires in {leases.SECONDS} s. {failure.msg}")
