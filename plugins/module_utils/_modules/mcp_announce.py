# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_announce: announces the end of a release or a rollback."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation, payload, webhook
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import bypassed, lease_renewal, record, summary
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "webhooks": webhook.OPTION,
        "event": {"type": "str", "choices": list(payload.EVENTS), "default": payload.ENDED},
        "failure": {"type": "str"},
        "escalation": escalation.OPTION,
        "kind": {"type": "str", "choices": list(escalation.KINDS)},
        "timeout": {"type": "float", "default": 6.0},
    },
)

RECORD_SECONDS = 3.0  # for the API server's answer with the release record


def run(task: Task) -> dict[str, t.Any]:
    """Announce an end once: the release record keeps what was announced."""
    params = task.params
    if params["timeout"] <= 0:
        raise Failure(f"timeout is {params['timeout']:g}: it must be more than 0.")
    server = Server.from_params(params)
    cluster, recorded = _recorded(task, server)
    release = recorded.current
    event = payload.event(
        release,
        (server.namespace, server.name),
        params["event"],
        params["failure"] or "",
        params["escalation"],
        params["kind"],
        bypassed.standing(recorded),
    )
    result = {
        "changed": False,
        "announcement": event,
        "delivered": 0,
        "stats": summary.stats(summary.readable(release)) if release else None,
    }
    if params["event"] == payload.ENDED and not _is_due(release):
        return result
    targets = [webhook.find(option, number) for number, option in enumerate(params["webhooks"], 1)]
    webhooks = [target for target in targets if isinstance(target, webhook.Webhook)]
    messages = [(one, payload.PAYLOADS[one.format](event)) for one in webhooks]
    unusable = [target for target in targets if isinstance(target, str)]
    undelivered = [] if task.check_mode else webhook.post_all(messages, params["timeout"])
    for reason in [*unusable, *filter(None, undelivered)]:
        task.warn(f"Not announced to {reason}.")
    if task.check_mode:
        return result | {"changed": bool(messages)}
    delivered = undelivered.count("")
    if delivered and cluster is not None and release is not None and params["event"] == payload.ENDED:
        _record(task, cluster, server, release)
    return result | {"changed": delivered > 0, "delivered": delivered}


def _recorded(task: Task, server: Server) -> tuple[Api | None, record.ReleaseRecord]:
    """Return the API server, and the record. An API server that is away holds up nothing: then both are empty."""
    limited = {**task.params, "api_timeout": min(task.params["api_timeout"], RECORD_SECONDS)}
    try:
        cluster = connection.connect(limited)
        return cluster, record.read(cluster, server)[0]
    except Failure as failure:
        task.warn(f"Announcing without the release record. {failure.msg}")
        return None, record.ReleaseRecord()


def _is_due(release: record.Release | None) -> bool:
    """Return whether the release has ended, and this end was not announced yet."""
    return release is not None and not record.is_running(release) and release.get("announced") != release["outcome"]


def _record(task: Task, cluster: Api, server: Server, release: record.Release) -> None:
    """Record that the end was announced."""

    def announced(found: record.ReleaseRecord) -> record.ReleaseRecord:
        if found.current is None or found.current["id"] != release["id"]:
            return found
        return record.ReleaseRecord({**found.current, "announced": release["outcome"]}, found.history)

    try:
        record.update(cluster, server, announced)
    except Failure as failure:
        task.warn(f"The announcement could not be recorded and may be repeated. {failure.msg}")
