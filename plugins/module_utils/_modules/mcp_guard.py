# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_guard: start and stop the guard of a release, a Job that outlives the machine that releases."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates
from ansible_collections.mcp.server.plugins.module_utils._guard import triggers, watch
from ansible_collections.mcp.server.plugins.module_utils._guard.decide import PAUSE, ROLL_BACK
from ansible_collections.mcp.server.plugins.module_utils._guard.job import (
    CONTAINER,
    SERVICE_ACCOUNT,
    identity,
    is_ours,
    job,
    name,
)
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import api, connection, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import revert_monitor
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of, owner, problem, uid_of

PRESENT, ABSENT, RUNNING = "present", "absent", "running"

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "state": {"type": "str", "choices": [PRESENT, ABSENT, RUNNING], "default": PRESENT},
        "release_id": {"type": "str"},
        "action": {"type": "str", "choices": [ROLL_BACK, PAUSE], "default": ROLL_BACK},
        "image_ref": {"type": "str"},
        "service_account": {"type": "str", "default": SERVICE_ACCOUNT},
        "endpoint": endpoints.OPTION,
        "pool_key": {"type": "str", "default": "pool", "no_log": False},
        "prometheus": gates.OPTION,
        "triggers": {"type": "dict", "default": {}},
        **revert_monitor.OPTIONS,
        "wait_timeout": {"type": "float", "default": 120.0},
        "guard_id": {"type": "str"},
        "options": {"type": "dict"},
    },
    required_if=[("state", PRESENT, ("release_id", "image_ref")), ("state", RUNNING, ("options",))],
)

POLL = 1.0
GRACE = 30.0  # seconds, see pods.problem()
# Options that the guard in the cluster gets too. Its pod tells it how to reach the API server.
PASSED_ON = (
    *OPTIONS,
    *revert_monitor.OPTIONS,
    "release_id",
    "action",
    "endpoint",
    "pool_key",
    "prometheus",
    "triggers",
)


def run(task: Task) -> dict[str, t.Any]:
    if task.params["state"] != RUNNING:
        return lease_renewal.with_lease(_run)(task)
    if task.check_mode:
        return {"changed": False}
    task = replace(task, params=given(task.params))
    cluster, server = connection.connect(task.params), Server.from_params(task.params)

    if not task.params["prometheus"]:
        return watch.watch(task, cluster, server, emergency(task))
    return watch.watch(task, cluster, server, emergency(task), triggers.breach(task.params, server))


def given(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the params of a guard that runs: those in the option C(options) count. Raises Failure."""
    named = {name: value for name, value in params.items() if value is not None} | params["options"]
    found = ArgumentSpecValidator(SPEC.options, **SPEC.rules()).validate(named)
    missing = [name for name in ("release_id", "guard_id") if not found.validated_parameters.get(name)]
    if problems := [*found.error_messages, *(f"{name} is missing" for name in missing)]:
        raise Failure(f"A guard cannot run by these options: {'; '.join(problems)}.")
    return t.cast(dict[str, t.Any], found.validated_parameters)


def emergency(task: Task) -> watch.RollBack:
    """Return the function by which the guard rolls back, with the code of mcp_traffic_shift."""
    common = {name: task.params[name] for name in single_shift.SPEC.options if task.params.get(name) is not None}

    def roll_back(run_id: str, reason: str) -> dict[str, t.Any]:
        given = {**common, "rollback": True, "run_id": run_id, "reason": reason}
        validated = ArgumentSpecValidator(single_shift.SPEC.options, **single_shift.SPEC.rules()).validate(given)
        return single_shift.run(replace(task, params=validated.validated_parameters))

    return roll_back


def _run(task: Task) -> dict[str, t.Any]:
    params = task.params
    cluster, server = connection.connect(params), Server.from_params(params)
    if params["state"] == ABSENT:
        found = _read(cluster, server)
        if found:
            _delete(cluster, server, task.check_mode)
        return {"changed": bool(found), "diff": {"before": _shown(found), "after": {}}}
    params = {**params, "prometheus": triggers.handed_on(params)}
    options = {option: params[option] for option in PASSED_ON if params[option] is not None}
    # The guard may not read the Services that tell it.
    if len(containers := server.containers(cluster)) == 1:
        options["container"] = containers[0]
    wanted = job(server, params["run_id"] or "", params["image_ref"], params["service_account"], options)
    found = _read(cluster, server)
    changed = found is None or identity(found) != identity(wanted)
    result = {
        "changed": changed,
        "job": name(server),
        "guard_id": identity(wanted),
        "diff": {"before": _shown(found), "after": _shown(wanted)},
    }
    if changed:
        if found:
            _delete(cluster, server, task.check_mode)
        if not (found and task.check_mode):
            found = _create(cluster, server, wanted, params["wait_timeout"], task.check_mode)
    if task.check_mode or found is None:
        return result
    return {**result, "guard": _await(task, cluster, server, identity(wanted), uid_of(found))}


def _read(cluster: Api, server: Server) -> dict[str, t.Any] | None:
    try:
        found = cluster.get(paths.jobs(server.namespace, name(server)))
    except api.NotFound:
        return None
    if not is_ours(found):
        raise Failure(
            f"Refusing to change Job {server.namespace}/{name(server)}: mcp_guard did not create it. Rename or delete "
            "it."
        )
    return found


def _delete(cluster: Api, server: Server, dry_run: bool) -> None:
    """Delete the Job and its pod. A pod that still terminates guards another release, or an older run of this one."""
    try:
        cluster.delete(paths.jobs(server.namespace, name(server)), dry_run=dry_run, propagationPolicy="Background")
    except api.NotFound:
        return


def _create(cluster: Api, server: Server, wanted: dict[str, t.Any], patience: float, dry_run: bool) -> dict[str, t.Any]:
    """Create the Job, once the deleted one is gone; return it."""

    def attempt() -> dict[str, t.Any]:
        found = _read(cluster, server)
        if found and identity(found) == identity(wanted):
            return found  # created by a request whose answer was lost
        return cluster.create(paths.jobs(server.namespace), wanted, **({"dryRun": "All"} if dry_run else {}))

    return on_conflict(attempt, patience)


def _await(task: Task, cluster: Api, server: Server, identifier: str, uid: str) -> record.GuardNote:
    """Wait until the guard has written to the release record; return what it wrote. Raises Failure.

    Then it runs, reaches the API server, and has its permissions.
    """
    bound = Deadline(task.params["wait_timeout"])
    pods = selectors.job_pods(name(server))
    while True:
        release = record.read(cluster, server)[0].current
        guard = release.get("guard") if release else None
        if guard and guard.get("id") == identifier:
            return guard
        output = ""
        # Pods of a deleted Job of the same name may still exist.
        ours = [
            pod
            for pod in items(cluster.get(paths.pods(server.namespace), labelSelector=pods), "items")
            if owner(pod) == uid
        ]
        for pod in ours:
            output = _last_output(pod) or output
            found = problem(pod, [], cluster.now(), GRACE, CONTAINER)
            if found and not found.may_pass:
                raise Failure(
                    f"The guard of {server} does not start: pod {name_of(pod)}: {found.message}{output}; "
                    f"{found.advice}; see Job {name(server)}."
                )
        if not bound.pause(POLL):
            raise Failure(
                f"The guard of {server} has not written to the release record within {bound.seconds:g} s{output}. "
                f"Check Job {name(server)} and the log of its pod, and that ServiceAccount "
                f"{task.params['service_account']} exists and has the guard's Role (docs/guard.md)."
            )


def _last_output(pod: dict[str, t.Any]) -> str:
    """Return the end of the log of a guard that failed, in parentheses; empty for any other pod."""
    for status in items(pod, "status", "containerStatuses"):
        terminated = mapping(status, "state", "terminated") or mapping(status, "lastState", "terminated")
        if terminated.get("message"):
            return f" ({' '.join(terminated['message'].split())[-300:]})"
    return ""


def _shown(found: dict[str, t.Any] | None) -> dict[str, t.Any]:
    if found is None:
        return {}
    container = next(iter(items(found, "spec", "template", "spec", "containers")), {})
    return {"id": identity(found), "image": container.get("image"), "command": container.get("command")}
