# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fencing: the API server itself refuses a run that another one has taken over from.

A run leaves its id on each object that it writes. The write is a JSON patch that tests the id that was read, so it
fails once another run has written. The order is: read, check the Lease, write. Then either the check finds the Lease
lost, or the run that takes it writes later and leaves an id that the test finds. Writes of controllers, such as of the
status, are no conflict.
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
    """Raise LeaseLost when this run does not hold the server's Lease. Call it between the read and the write.

    run: its id; nothing is checked without one.
    """
    if run and not dry_run:
        Lease(cluster, server.namespace, server.name).check(run)


def stamp(obj: Object, run: str, notes: t.Mapping[str, str | None] | None = None) -> list[Operation]:
    """Return a JSON patch that writes the run's id and other annotations (None removes one) to the object.

    The patch fails when one of these annotations is not as it was read.
    """
    found, wanted = obj["metadata"].get("annotations"), {RUN: run, **(notes or {})}
    if found is None:
        # The API server takes a missing value for null (evanphx/json-patch), so annotations that were added since
        # make the patch fail and are not replaced.
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
    """Return a JSON patch operation that fails when a field is not as it was read.

    path: a JSON pointer through dictionaries; only its last key may be missing.
    """
    *parents, last = path.split("/")[1:]
    for key in parents:
        obj = obj[key]
    return {"op": "test", "path": path, "value": obj.get(last)}
