# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_announce: the end of a release or a rollback, told to people."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation, payload, webhook
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record, summary
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
        "timeout": {"type": "float", "default": 6.0},
    },
)

RECORD_SECONDS = 3.0  # that the API server may take for the record


def run(task: Task) -> dict[str, t.Any]:
    """Sends each end once: what was told is kept in the record."""
    params = task.params
    if params["timeout"] <= 0:
        raise Failure(f"timeout is {params['timeout']:g}: it must be more than 0.")
    server = Server.from_params(params)
    # Whoever announces has done the work: an API server that is away must not hold it up.
    try:
        cluster = connection.connect({**params, "api_timeout": min(params["api_timeout"], RECORD_SECONDS)})
        release = record.read(cluster, server)[0].current
    except Failure as failure:
        task.warn(f"The announcement does without the release record. {failure.msg}")
        cluster = release = None
    told = payload.event(
        release, (server.namespace, server.name), params["event"], params["failure"] or "", params["escalation"]
    )
    result = {
        "changed": False,
        "announcement": told,
        "delivered": 0,
        "stats": summary.stats(summary.readable(release)) if release else None,
    }
    recorded = params["event"] == payload.ENDED
    if recorded and (release is None or record.is_running(release) or release.get("announced") == release["outcome"]):
        return result
    targets = [webhook.find(option, number) for number, option in enumerate(params["webhooks"], 1)]
    messages = [
        (found, payload.PAYLOADS[found.format](told)) for found in targets if isinstance(found, webhook.Webhook)
    ]
    reasons = [found for found in targets if isinstance(found, str)]
    answers = [] if task.check_mode else webhook.post_all(messages, params["timeout"])
    for reason in [*reasons, *filter(None, answers)]:
        task.warn(f"Not announced to {reason}.")
    if task.check_mode:
        return result | {"changed": bool(messages)}
    delivered = answers.count("")
    if delivered and release is not None and recorded:
        _keep(task, cluster, server, release)
    return result | {"changed": delivered > 0, "delivered": delivered}


def _keep(task: Task, cluster: Api, server: Server, release: record.Release) -> None:
    def announced(book: record.ReleaseRecord) -> record.ReleaseRecord:
        current = book.current
        if current is None or current["id"] != release["id"]:
            return book
        return record.ReleaseRecord({**current, "announced": release["outcome"]}, book.history)

    try:
        record.update(cluster, server, announced)
    except Failure as failure:
        task.warn(f"That it was announced was not recorded, so that it may be announced again. {failure.msg}")
