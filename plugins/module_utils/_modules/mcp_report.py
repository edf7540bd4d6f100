# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_report: write a report of a release as an HTML file."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation
from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record, summary
from ansible_collections.mcp.server.plugins.module_utils._report import dashboard
from ansible_collections.mcp.server.plugins.module_utils._report.file import place, write
from ansible_collections.mcp.server.plugins.module_utils._report.page import Call, Series, page
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._workload import kept_logs

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "dest": {"type": "path", "required": True},
        "release_id": {"type": "str"},
        "prometheus": gates.OPTION,
        "verdicts": {"type": "list", "elements": "dict", "default": []},
        "kind": {"type": "str", "choices": list(escalation.KINDS)},
        "escalation": escalation.OPTION,
        "dashboard_url": {"type": "str"},
    },
)


def run(task: Task) -> dict[str, t.Any]:
    """Return what RETURN of mcp_report lists. Raise Failure."""
    params = task.params
    server = Server.from_params(params)
    cluster = connection.connect(params)
    release = find(record.read(cluster, server)[0], params["release_id"], server)
    path = place(Path(params["dest"]), f"{release.get('server') or 'release'}-{release['id']}")
    kept = _kept(task, cluster, server)
    logs = kept if kept and kept.release == release["id"] else None
    kind = params["kind"]
    call = Call(kind, escalation.lines(params["escalation"], kind)) if kind else None
    text = page(
        release,
        str(server),
        _series(task, server, release),
        params["verdicts"],
        call,
        logs,
        _dashboard(task, server, release),
    )
    changed = write(path, text, dry_run=task.check_mode)
    return {
        "changed": changed,
        "path": str(path),
        "size": len(text.encode()),
        "stats": summary.stats(summary.readable(release)),
    }


def _kept(task: Task, cluster: Api, server: Server) -> kept_logs.Kept | None:
    try:
        return kept_logs.read(cluster, server)
    except Failure as failure:
        task.warn(f"The report has no logs of a bad pool: {failure.msg}")
        return None


def _dashboard(task: Task, server: Server, release: record.Release) -> str:
    """Return the link to the dashboard; none, with a warning, where it can't be one."""
    url = (task.params["dashboard_url"] or "").strip()
    if url and (problem := dashboard.problem(url)):
        task.warn(f"The report has no link to a dashboard: dashboard_url {problem}.")
        return ""
    return dashboard.link(url, server, release) if url else ""


def _series(task: Task, server: Server, release: record.Release) -> list[Series]:
    """Return the series of the release; none, with a warning, if Prometheus can't be read."""
    if not task.params["prometheus"]:
        return []
    # Only with Prometheus, as it imports requests.
    from ansible_collections.mcp.server.plugins.module_utils._gates import connect
    from ansible_collections.mcp.server.plugins.module_utils._report import series

    try:
        return series.read(connect.connect(task.params), server, release, task.params["prometheus"])
    except Failure as failure:
        task.warn(f"The report has no series over time: {failure.msg}")
        return []


def find(book: record.ReleaseRecord, name: str | None, server: Server) -> record.Release:
    """Return the release with this id, or the newest one without an id. Raise Failure."""
    known = [one for one in (book.current, *book.history) if one is not None and record.is_release(one)]
    if not known:
        raise Failure(f"There is no release record of {server}: nothing was released yet.")
    found = next((one for one in known if one["id"] == name), None) if name else known[0]
    if found is None:
        newest = ", ".join(one["id"] for one in known[:5])
        raise Failure(f"The release record of {server} has no release {name}. The newest are {newest}.")
    return found
