# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release record's two ends: the module mcp_release."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster import connection, record, server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import httproute

SPEC = Spec(
    options={
        **connection.OPTIONS,
        **server.OPTIONS,
        "state": {"type": "str", "choices": ["begun", "ended", "read"], "default": "read"},
        "image": {"type": "str"},
        "version": {"type": "str"},
        "outcome": {"type": "str", "choices": ["succeeded", "failed", "rolled_back"]},
        "reason": {"type": "str", "default": ""},
    },
    required_if=[("state", "begun", ("image", "version")), ("state", "ended", ("outcome",))],
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    cluster = connection.connect(params)
    target = server.Server.from_params(params)
    current, history = record.read(cluster, target)
    weights = httproute.weights(cluster.get(target.route_path), target)
    live = httproute.live(weights)
    result = {"changed": False, "live": live, "idle": server.other(live), "weights": weights, "record": current}
    result |= {"replicas": target.image(cluster, live)[1], "resumed": False, "already_live": False}
    if params["state"] == "read":
        return result
    if params["state"] == "ended":
        if current is None:
            raise Failure(f"No release of {target} has begun, so none can end: run mcp_release with state=begun first.")
        ended = record.end(current, params["outcome"], record.now())
        if params["reason"]:
            ended = {**ended, "reason": params["reason"]}
        return _written(task, cluster, target, result, current, ended, history)

    running = current is not None and current["outcome"] == record.RUNNING
    if running:  # mid-shift, the weights can't tell which pool is the stable one
        result |= {"live": current["from"]["pool"], "idle": current["to"]["pool"]}
    elif weights[live] == 100 and target.image(cluster, live)[0] == params["image"]:
        return result | {"already_live": True}
    fresh = _fresh(cluster, target, params, result["live"])
    begun, superseded = record.begin(current, fresh)
    previous = [superseded] if superseded else [current] if current and not running else []
    result |= {"resumed": begun is current}
    return _written(task, cluster, target, result, current, begun, [*previous, *history])


def _fresh(cluster: t.Any, target: server.Server, params: dict[str, t.Any], live: str) -> record.Record:
    at, image = record.now(), target.image(cluster, live)[0]
    return {
        "id": f"{params['version']} {at}",
        "started": at,
        "by": record.whoever_runs(),
        "reason": params["reason"],
        "from": {"pool": live, "image": image, "digest": target.digest(cluster, live), "version": image.rpartition(":")[2]},
        "to": {"pool": server.other(live), "image": params["image"], "digest": "", "version": params["version"]},
        "steps": [],
        "outcome": record.RUNNING,
        "ended": None,
    }


def _written(
    task: Task,
    cluster: t.Any,
    target: server.Server,
    result: dict[str, t.Any],
    current: record.Record | None,
    wanted: record.Record,
    history: list[record.Record],
) -> dict[str, t.Any]:
    result |= {"record": wanted, "changed": wanted != current, "diff": {"before": current or {}, "after": wanted}}
    if result["changed"] and not task.check_mode:
        record.write(cluster, target, wanted, history)
    return result
