# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the container of a Job wrote, and what state it is in."""

from __future__ import annotations

import typing as t
from contextlib import closing

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable

READING = 10.0  # seconds


def state(pod: Object, container: str) -> Object:
    """Return the state of a container of the pod, an ephemeral one too: running, waiting or terminated. Pure."""
    every = (*items(pod, "status", "containerStatuses"), *items(pod, "status", "ephemeralContainerStatuses"))
    return next((mapping(one, "state") for one in every if one.get("name") == container), {})


def text(
    cluster: Api, namespace: str, pod: str, container: str, max_bytes: int, *, whole: bool = False, **query: str
) -> str:
    """Return the container's log. Raises Failure. whole: also when only a part of it came."""
    pieces: list[bytes] = []
    stream = cluster.stream(
        paths.pod_log(namespace, pod), seconds=READING, max_bytes=max_bytes, container=container, **query
    )
    with closing(t.cast("t.Generator[bytes, None, None]", stream)):
        try:
            pieces.extend(stream)
        except Unreachable:
            if whole or not pieces:
                raise
    return b"".join(pieces).decode("utf-8", errors="replace")
