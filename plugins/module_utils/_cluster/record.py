# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release record: what is kept in the cluster of each release, in the ConfigMap SERVER-release.

A record is plain data: {id, started, by, reason, from, to, steps, outcome, ended};
from and to are {pool, image, digest}; times are ISO 8601 in UTC. Nothing
secret goes in.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import typing as t
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import NotFound
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server

KEPT = 20
RUNNING = "running"
Record = dict[str, t.Any]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def whoever_runs() -> str:
    """AWX's job, or else the user and the machine."""
    job = os.environ.get("AWX_JOB_ID") or os.environ.get("JOB_ID")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"AWX job {job}" if job else f"{user}@{socket.gethostname()}"


def begin(current: Record | None, fresh: Record) -> tuple[Record, Record | None]:
    """The record of a release that starts, and the one that it ends.

    A release of the same image that was cut off is resumed. One of another
    image takes its place, and the stable pool stays the one that it had.
    """
    if current is None or current["outcome"] != RUNNING:
        return fresh, None
    if current["to"]["image"] == fresh["to"]["image"]:
        return current, None
    return {**fresh, "from": current["from"], "to": {**fresh["to"], "pool": current["to"]["pool"]}}, end(current, "superseded", fresh["started"])


def step(record: Record, entry: dict[str, t.Any]) -> Record:
    return {**record, "steps": [*record["steps"], entry][-50:]}


def end(record: Record, outcome: str, at: str) -> Record:
    return record if record["outcome"] == outcome else {**record, "outcome": outcome, "ended": at}


def _path(server: Server, name: str = "") -> str:
    return f"/api/v1/namespaces/{server.namespace}/configmaps" + (f"/{name}" if name else "")


def read(cluster: t.Any, server: Server) -> tuple[Record | None, list[Record]]:
    """The newest release and the ones before it, newest first."""
    try:
        data = cluster.get(_path(server, f"{server.name}-release")).get("data") or {}
    except NotFound:
        return None, []
    return json.loads(data.get("current", "null")), json.loads(data.get("history", "[]"))


def write(cluster: t.Any, server: Server, current: Record, history: list[Record]) -> None:
    name = f"{server.name}-release"
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "mcp.server"}},
        "data": {"current": json.dumps(current), "history": json.dumps(history[:KEPT])},
    }
    try:
        cluster.patch(_path(server, name), body)
    except NotFound:
        cluster.create(_path(server), body)
