# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One shift of traffic: its options, and the everyday form. The emergency's is in _traffic/emergency.py."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import asking, auth
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, pools, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass, emergency, revert_monitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import policy
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift, step, update_record, verdict

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "pool": {"type": "str", "choices": list(POOLS)},
        "weight": {"type": "int"},
        "rollback": {"type": "bool", "default": False},
        "rollback_pool": {"type": "str", "choices": list(POOLS)},
        "wait": {"type": "bool", "default": True},
        "reason": {"type": "str", "default": ""},
        "force": {"type": "bool", "default": False},
        "endpoint": endpoints.OPTION,
        "tolerance": {"type": "float", "default": 5.0},
        "samples": {"type": "int"},
        "timeout": {"type": "float", "default": 120.0},
        "start_timeout": {"type": "float", "default": 300.0},
        "ready_grace": {"type": "float", "default": 30.0},
        **revert_monitor.OPTIONS,
        "sessions": {"type": "str", "choices": list(policy.POLICIES), "default": policy.KEEP},
        "session_mode": {"type": "str", "choices": [policy.AUTO, *policy.MODES], "default": policy.AUTO},
        "sessions_metric": policy.METRIC,
        "drain_timeout": {"type": "float", "default": 600.0},
        "auth": auth.OPTION,
        "compare_version": _versions.COMPARE,
    },
    required_together=[("pool", "weight")],
    required_if=[("rollback", False, ("pool", "weight"))],
)


def run(task: Task) -> dict[str, t.Any]:
    # An emergency checks its Lease beside its other reads, see emergency.py.
    return (_run if task.params["rollback"] else lease_renewal.with_lease(_run))(task)


def _run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["weight"] is not None and not 0 <= params["weight"] <= 100:
        raise Failure(f"weight is {params['weight']}: it must be a percentage from 0 to 100.")
    if params["rollback"] and params["pool"]:
        raise Failure("rollback finds the pool by itself: leave out pool and weight, or leave out rollback.")
    for option in ("tolerance", "samples", "timeout", "start_timeout", "drain_timeout"):
        if params[option] is not None and params[option] <= 0:
            raise Failure(f"{option} is {params[option]}: it must be more than 0.")
    if params["verify_seconds"] < 0:
        raise Failure(f"verify_seconds is {params['verify_seconds']:g}: it must be 0 or more.")
    if params["rollback_pool"] and not params["rollback"]:
        raise Failure("rollback_pool is for a rollback only: set rollback as well, or use pool and weight.")
    if not params["wait"]:
        if not params["rollback"]:
            raise Failure("wait is false: only a rollback may be left unverified; set rollback as well.")
        task = replace(task, params={**params, "api_retry_timeout": 0.0})  # other servers must not wait for this one
    shift = Shift(
        task, connection.connect(task.params), Server.from_params(params), _public(task) if params["wait"] else None
    )
    if not params["rollback"]:
        return shift_traffic(shift)
    return emergency.roll_back(shift) if params["wait"] else emergency.send_back(shift)


def _public(task: Task) -> endpoints.Endpoint | None:
    try:
        return asking.endpoint_of(task.params) if task.params["endpoint"] else None
    except Failure as failure:
        if not task.params["rollback"]:
            raise
        task.warn(f"The endpoint can't be used. {failure.msg}")  # the traffic is shifted regardless
        return None


def shift_traffic(shift: Shift) -> dict[str, t.Any]:
    """Shift the traffic, to a ready pool only, and record that as a step of the running release. Raises Failure."""
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._traffic import unnamed
    from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions.protection import SessionProtection

    task, params = shift.task, shift.task.params
    planning = task.check_mode and params["force"]
    if not planning:  # what a plan shows may have to wait for the restore, which the check of it says
        broken_glass.refuse(shift.cluster, shift.server, "The shift is", task.warn)
        shift.glass = ""  # any that comes from now on
    wanted = pools.split(params["pool"], params["weight"])
    before = _read(shift, wanted)
    if pools.whole(before) is None and shift.stable is None:
        shift.release = _current_release(shift)
    wanted = shift.kind.reachable(shift.route, shift.server, wanted, planning=planning)
    protection = SessionProtection(shift, before, wanted, planning)
    if protection.decide() and not task.check_mode:
        protection.wait()
        before = _read(shift, wanted)
    unnamed.prepare(shift)
    shift.keeps_affinity = _keeps_affinity(shift, wanted)
    if pools.gaining(before, wanted) and any(before.values()):
        _restore_affinity(shift, before)
    shift.write(before, wanted)
    if task.check_mode:
        return shift.result
    try:
        shift.verify(wanted)
    except Failure:
        _record_step(shift, "not_verified")
        raise
    protection.report()
    _record_step(shift, verdict(shift))
    return shift.result


def _current_release(shift: Shift) -> record.Release | None:
    try:
        return record.read(shift.cluster, shift.server)[0].current
    except Failure:
        return None  # the stable pool is then inferred from the weights, or not noted


def _read(shift: Shift, wanted: Weights) -> Weights:
    """Return the weights that the route has. Raises Failure when a pool that would get more is not ready."""
    before = shift.read()
    if not shift.task.params["force"]:
        for pool in pools.gaining(before, wanted):
            _refuse_unless_ready(shift, pool)
    return before


def _keeps_affinity(shift: Shift, wanted: Weights) -> bool:
    """Return whether marked sessions stay on their pool: not with sessions=break, nor where no pod can answer them."""
    whole = pools.whole(wanted)
    if whole is None or not shift.kind.has_affinity(shift.route, shift.server):
        return True
    return (
        shift.task.params["sessions"] != policy.BREAK and shift.server.ready_endpoints(shift.cluster, other(whole)) > 0
    )


def _restore_affinity(shift: Shift, before: Weights) -> None:
    """Restore the affinity that an emergency ended, before the first session that needs it can be opened."""
    if shift.keeps_affinity and shift.kind.has_affinity(shift.route, shift.server) and not shift.task.check_mode:
        shift.write(before, before)
        shift.await_acceptance(Deadline(shift.task.params["timeout"]))


def _refuse_unless_ready(shift: Shift, pool: str) -> None:
    """Raise Failure unless the pool has the ready endpoints that it needs before it gets more traffic."""
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._workload import convergence, disruption_budgets

    server = shift.server
    _image, planned = server.image(shift.cluster, pool)
    minimum, budget = (
        disruption_budgets.required_by(shift.cluster, server, pool, planned, shift.task.warn) if planned else (0, "")
    )
    if planned and not shift.task.check_mode:
        needed = endpoints_needed(planned, minimum)
        ready = convergence.endpoints(shift.task, shift.cluster, server, pool, needed)
    else:
        ready = server.ready_endpoints(shift.cluster, pool)
    if problem := not_ready(server, pool, ready, planned, minimum, budget):
        raise Failure(problem, ready=ready, planned=planned)


def endpoints_needed(planned: int, minimum: int) -> int:
    """Return how many ready endpoints a pool needs before it gets more traffic.

    planned: its Deployment's replicas. minimum: the pods that a PodDisruptionBudget asks for, 0 without one. Pure.
    """
    return max(planned, minimum, 1)


def not_ready(server: Server, pool: str, ready: int, planned: int, minimum: int = 0, budget: str = "") -> str:
    """Return why the pool must not get more traffic, as a sentence; empty when it may.

    ready: its ready endpoints. planned, minimum: see endpoints_needed(). budget: the PodDisruptionBudget's name. Pure.
    """
    needed = endpoints_needed(planned, minimum)
    if ready >= needed:
        return ""
    refusing = f"Refusing to give pool {pool} of {server} more traffic:"
    if not planned:
        return f"{refusing} its {server.objects(pool).kind} is scaled to 0. Roll it out first, or set force."
    if planned <= ready < minimum:
        return (
            f"{refusing} it has {ready} ready endpoints, but PodDisruptionBudget {budget} requires {minimum}. "
            "Scale the pool up, correct the budget, or set force."
        )
    return (
        f"{refusing} Service {server.service(pool)} has {ready} of {needed} ready endpoints. "
        "Wait for the rollout, check why pods are not ready, or set force."
    )


def _record_step(shift: Shift, verdict: str) -> None:
    """Add the shift to the running release, if there is one, unless it changed nothing and is its last step already."""
    taken = step(shift, verdict)

    def add(release_record: record.ReleaseRecord) -> record.ReleaseRecord:
        current = release_record.current
        if current is None or not record.is_running(current):
            return release_record
        known = bool(current["steps"]) and current["steps"][-1].get("weights") == taken["weights"]
        return release_record if known and not shift.result["changed"] else record.add_step(release_record, taken)

    update_record(shift, add)
