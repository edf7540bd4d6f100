# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_stage: brings a version to a server without pools, from the user's own manifests, and waits."""

from __future__ import annotations

import collections
import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._image import Image, same_image
from ansible_collections.mcp.server.plugins.module_utils._install import existing, fenced, pod_secrets, staged, supplied
from ansible_collections.mcp.server.plugins.module_utils._install.apply import Installer, Outcome
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, Spec, Task, conceal
from ansible_collections.mcp.server.plugins.module_utils._traffic.pool_change import change
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import condition
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout import View, wait

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "image_ref": {"type": "str", "required": True},
        "workload": {"type": "raw"},
        "folder": {"type": "path"},
        "kustomize": {"type": "path"},
        "helm_release": {"type": "str"},
        "force": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 300.0},
        "ready_grace": {"type": "float", "default": 30.0},
    },
    mutually_exclusive=[("folder", "kustomize", "helm_release")],
)

POOL = POOLS[0]  # either: both are the same objects
WHAT = "staging"
ROLE = "the Role of docs/staging.md, with the objects of your manifests"
APPLY, ROLLOUT = ("apply", "apply"), ("rollout", "rollout")  # id and name of each check


def run(task: Task) -> dict[str, t.Any]:
    Image.parse(task.params["image_ref"])
    server = Server.single(task.params)
    cluster = connection.connect(task.params)
    began = time.monotonic()
    result: dict[str, t.Any] = {"changed": False, "objects": [], "diff": [], "image_ref": task.params["image_ref"]}
    result["service"] = server.service(POOL)
    stale: list[Object] = []  # the Progressing condition of before, where the image or anything else changed
    applied = _results.made(*APPLY, lambda: _apply(task, cluster, server, result, stale))
    rollout = _results.made(*ROLLOUT, lambda: _wait(task, cluster, server, applied, stale, began))
    result["checks"] = [applied, rollout]
    if failed := _results.problems(result["checks"]):
        raise Failure(" ".join(failed), **result)
    return result


def _apply(task: Task, cluster: Api, server: Server, result: dict[str, t.Any], stale: list[Object]) -> str:
    """Apply what is given, and return a sentence. Adds to the result what changed, also when it fails later."""
    params, image_ref = task.params, task.params["image_ref"]
    _refuse_pools(cluster, server, params)
    if params["helm_release"]:
        return _check_helm(cluster, server, image_ref, params["helm_release"], is_check=task.check_mode)
    if not (params["folder"] or params["kustomize"]):
        return _set_image(task, cluster, server, result, stale)
    source = f"folder {params['folder']}" if params["folder"] else f"kustomize {params['kustomize']}"
    if params["folder"]:
        given = supplied.from_folder(params["folder"], server, WHAT)
    else:
        given = supplied.from_kustomize(params["kustomize"], server, WHAT)
    conceal(*(value for one in given for value in _secrets(one)))
    wanted = staged.with_image(
        given, server, image_ref, lambda workload: server.container_in(cluster, workload, POOL), source.capitalize()
    )
    installer = Installer(
        cluster,
        server,
        params["force"],
        maker="mcp_stage",
        otherwise="set force (-e mcp_staging_force=true) to take them over",
        what=WHAT,
        role=ROLE,
        as_given=True,
    )
    outcomes = installer.look(wanted)
    conceal(*(value for one in outcomes if one.before for value in _secrets(one.before)))
    changes = [one for one in outcomes if one.action != "unchanged"]
    result["diff"] = [one.diff() for one in changes]
    result["objects"] = [_shown(one) for one in outcomes if one.action == "unchanged"]
    if changes:
        with fenced.lease(task, cluster, server, "staging run", heeds_break_glass=False) as run_id:
            for one in changes:
                if not task.check_mode:
                    one = installer.write(one, run_id)
                    task.progress(f"{one.action} {existing.name_of(one.wanted)}")
                result["changed"] = True
                result["objects"].append(_shown(one))
                if staged.is_workload(one.wanted, server):
                    stale.append(condition(one.after, "Progressing"))
    counted = collections.Counter(one["action"] for one in result["objects"])
    counts = ", ".join(f"{n} {word}" for word in ("created", "changed", "unchanged") if (n := counted[word]))
    verb = "Would apply" if task.check_mode else "Applied"
    return f"{verb} {source} with {image_ref.partition('@')[0]}: {counts}."


def _refuse_pools(cluster: Api, server: Server, params: dict[str, t.Any]) -> None:
    """Raise Failure for a server with pools: its version would get all traffic at once, without a way back.

    Of an adopted one, a pool has the server's own name.
    """
    cure = "release it by bluegreen.yml"
    pools = Server.from_params(params)
    for pool in POOLS:
        if pools.objects(pool)[:2] == server.objects(POOL)[:2]:
            raise Failure(
                f"{server.workload_title(POOL)} is pool {pool} of {server}, and staging is for a server without pools: "
                f"{cure}."
            )
    try:
        found = record.read(cluster, server)[0]
    except Unreachable:
        raise
    except Failure:  # no right to, which staging does not need, or no record
        return
    if found.current or found.history:
        raise Failure(
            f"{server} is released by bluegreen.yml, as its record says (ConfigMap {record.name_of_map(server)}), and "
            f"staging is for a server without pools: {cure}. If it has none any more, delete that ConfigMap."
        )


def _shown(outcome: Outcome) -> dict[str, str]:
    wanted = outcome.wanted
    return {"kind": wanted["kind"], "name": wanted["metadata"]["name"], "action": outcome.action}


def _set_image(task: Task, cluster: Api, server: Server, result: dict[str, t.Any], stale: list[Object]) -> str:
    """Give the workload that is there the image."""
    image_ref, title = task.params["image_ref"], server.workload_title(POOL)
    try:
        has = server.image(cluster, POOL)[0]
    except NotFound:
        raise Failure(
            f"{title} does not exist: name what to apply in mcp_staging_source, or the workload of the server in "
            "workload (mcp_staging_workload)."
        ) from None
    if has == image_ref:
        return f"{title} has {image_ref} already; nothing else is applied, as mcp_staging_source is not set."
    with fenced.lease(task, cluster, server, "staging run", heeds_break_glass=False) as run_id:
        made, before = change(task, cluster, server, POOL, image_ref=image_ref, run=run_id)
    result |= {"changed": made["changed"], "diff": [made["diff"]]}
    stale.append(before or {})
    return f"{title} {'would get' if task.check_mode else 'has'} {image_ref} in place of {has}."


def _check_helm(cluster: Api, server: Server, image_ref: str, release: str, *, is_check: bool) -> str:
    """Check that the Helm release gave the workload the image."""
    if is_check:
        return f"Helm release {release} would be installed or upgraded, with {image_ref}."
    title = server.workload_title(POOL)
    try:
        has = server.image(cluster, POOL)[0]
    except NotFound:
        raise Failure(
            f"Helm release {release} made no {title}: name the workload of the server in workload "
            "(mcp_staging_workload)."
        ) from None
    if not same_image(has, image_ref):
        raise Failure(
            f"Helm release {release} gave {title} the image {has}, expected {image_ref}: name the value that the chart "
            "takes the tag from in mcp_staging_source.helm.version_value, and set the image's name in values."
        )
    return f"Helm release {release} is applied: {title} has {has}."


def _wait(task: Task, cluster: Api, server: Server, applied: _results.Result, stale: list[Object], began: float) -> str:
    """Wait until the workload is complete or can't be, and return a sentence."""
    if not applied["ok"]:
        raise _results.Skipped("The rollout is not waited for, as the apply failed.")
    if task.check_mode:
        raise _results.Skipped("The rollout is not waited for in check mode.")
    params = task.params
    is_changed = bool(stale)
    view = View(
        cluster,
        server,
        POOL,
        params["ready_grace"],
        stale[0] if stale else None,
        changed_ago=time.monotonic() - began if is_changed else None,
    )
    patience = Deadline(params["wait_timeout"])
    image = server.image(cluster, POOL)[0]
    try:
        reached = wait(view, patience, task.progress)
    except LeaseLost:
        raise
    except Failure as failure:
        raise Failure(
            f"{failure.msg} It ended after {patience.elapsed:.0f} s of {patience.seconds:g} s (mcp_staging_timeout)."
        ) from None
    if (has := server.image(cluster, POOL)[0]) != image:
        raise Failure(
            f"{view.title} has got {has} in place of {image} meanwhile, by another run or client. Run it again, when "
            "that has ended."
        )
    return f"{view.title} is complete: {reached.ready} of {reached.wanted} pods are ready."


def _secrets(obj: Object) -> list[str]:
    """Return what no output may show of an object."""
    return [*existing.secret_values(obj), *pod_secrets.in_template(obj)]
