# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release record's two ends: the module mcp_release."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster import connection, record
from ansible_collections.mcp.server.plugins.module_utils._cluster.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import OPTIONS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._registry import Image
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import plan
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        "state": {"type": "str", "choices": ["begun", "updated", "ended", "read"], "default": "read"},
        "image": {"type": "str"},
        "digest": {"type": "str", "default": ""},
        "version": {"type": "str"},
        "contract": {
            "type": "dict",
            "options": {
                "structure_hash": {"type": "str", "required": True},
                "text_hash": {"type": "str", "required": True},
                "accepted": {"type": "list", "elements": "str", "default": []},
            },
        },
        "outcome": {"type": "str", "choices": [record.SUCCEEDED, record.FAILED, record.ROLLED_BACK]},
        "by": {"type": "str"},
        "reason": {"type": "str", "default": ""},
    },
    required_if=[("state", "begun", ("image", "version")), ("state", "updated", ("contract",)), ("state", "ended", ("outcome",))],
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    cluster = connection.connect(params)
    server = Server.from_params(params)
    book, _version = record.read(cluster, server)
    kind = kind_of(server)
    weights = kind.weights(kind.read(cluster, server), server)
    live = plan.stable(weights, book.current)
    if live is None:
        raise Failure(
            f"Which pool of {server} is live can't be told: the route gives blue {weights['blue']} % and green {weights['green']} %, "
            "and no release is running; give one pool 100 with mcp_traffic_shift first."
        )
    image, replicas = server.image(cluster, live)
    target = {"pool": other(live), "image": params["image"], "digest": params["digest"], "version": params["version"]}
    result = {
        "changed": False,
        "live": live,
        "idle": other(live),
        "weights": weights,
        "previous_image": image,
        "replicas": replicas,
        "resumed": record.resumes(book.current, target),
        "already_live": plan.already_live(weights, book.current, image, params["image"]),
        "record": book.current,
    }
    if params["state"] == "read" or (params["state"] == "begun" and result["already_live"]):
        return result
    if params["state"] != "begun" and book.current is None:
        raise Failure(f"No release of {server} has begun, so none can be {params['state']}: run mcp_release with state=begun first.")
    if params["state"] == "updated":
        before, after = record.update(cluster, server, lambda book: record.add_contract(book, params["contract"]), dry_run=task.check_mode)
    elif params["state"] == "ended":
        before, after = record.update(
            cluster,
            server,
            lambda book: record.end(book, params["outcome"], record.now(), params["reason"]),
            dry_run=task.check_mode,
        )
    else:
        fresh = record.release(
            server,
            by=params["by"] or record.whoever_runs(),
            reason=params["reason"],
            at=record.now(),
            origin=_origin(cluster, server, live, image, weights),
            target=target,
        )
        before, after = record.update(cluster, server, lambda book: record.begin(book, fresh), dry_run=task.check_mode)
    return result | {
        "changed": after != before,
        "record": after.current,
        "diff": {"before": before.current or {}, "after": after.current},
    }


def _origin(cluster: t.Any, server: Server, pool: str, image: str, weights: Weights) -> dict[str, t.Any]:
    return {"pool": pool, "image": image, "digest": server.digest(cluster, pool), "version": Image.parse(image).tag, "weights": weights}
