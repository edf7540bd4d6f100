# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fence: a run that was taken over is refused by the API server itself.

A run leaves its id on what it writes. Its write is a JSON patch that tests the id
that was read there, so it fails once another run has written. The order is: read,
check the Lease, write. Then either the Lease is lost already, or whoever takes it
writes later and leaves a mark that the test finds. What a controller writes, such
as the status, is no conflict.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease
from ansible_collections.mcp.server.plugins.module_utils._server import Server

Object = dict[str, t.Any]
Operation = dict[str, t.Any]

RUN = "mcp.server/run"  # the annotation


def check(cluster: Api, server: Server, run: str | None, *, dry_run: bool = False) -> None:
    """Raise Lost when this run, if it is one, does not hold the server's Lease.

    Call it after the read, right before the write.
    """
    if run and not dry_run:
        Lease(cluster, server.namespace, server.name).check(run)


def stamp(obj: Object, run: str, notes: t.Mapping[str, str | None] | None = None) -> list[Operation]:
    """Return a JSON patch that leaves the run's id, and these annotations (None removes one), on the object.

    It fails when one of them is not as it was read.
    """
    found, wanted = obj["metadata"].get("annotations"), {RUN: run, **(notes or {})}
    if found is None:
        # To the API server what is not there equals null (evanphx/json-patch). Annotations that came since are not replaced.
        kept = {key: value for key, value in wanted.items() if value is not None}
        return [unchanged(obj, "/metadata/annotations"), {"op": "add", "path": "/metadata/annotations", "value": kept}]
    operations = []
    for key, value in wanted.items():
        path = "/metadata/annotations/" + key.replace("~", "~0").replace("/", "~1")
        operations.append({"op": "test", "path": path, "value": found.get(key)})
        if value is not None:
            operations.append({"op": "add", "path": path, "value": value})
        elif key in found:
            operations.append({"op": "remove", "path": path})
    return operations


def unchanged(obj: Object, path: str) -> Operation:
    """Return a test that a field of dictionaries, by its JSON pointer, is as it was read. Only its last part may be missing."""
    *parents, last = path.split("/")[1:]
    for key in parents:
        obj = obj[key]
    return {"op": "test", "path": path, "value": obj.get(last)}
