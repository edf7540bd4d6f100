# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send requests of our own through the gateway, each on a new connection."""

from __future__ import annotations

import functools
import threading
import typing as t
from contextlib import closing

from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import ANSWER_TIMEOUT, Said, Way
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import begun
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

AT_ONCE = 4  # requests; validation is no load test


def send(endpoint: Endpoint, way: Way, count: int, seconds: float, stop: threading.Event) -> list[Said]:
    """Return what came of the requests; fewer when they take long or stop is set."""
    bound = Deadline(seconds)
    said = _sent(endpoint, way, 1, bound, stop)  # alone, as it finds out how the server is asked
    left = count - len(said)
    workers = max(1, min(AT_ONCE, way.connections, left))
    parts = [left // workers + (number < left % workers) for number in range(workers)]
    waits = begun(functools.partial(_sent, endpoint, way, part, bound, stop) for part in parts if part > 0)
    for wait in waits:
        said += wait(bound.left + 2 * ANSWER_TIMEOUT + 10)
    return said


def _sent(endpoint: Endpoint, way: Way, count: int, bound: Deadline, stop: threading.Event) -> list[Said]:
    said: list[Said] = []
    while len(said) < count and bound.left and not stop.is_set():
        with closing(endpoint.connection()) as connection:
            answer = way.ask(connection, stop)
        if answer is not None:
            said.append(answer)
    return said


def instances(said: t.Iterable[Said]) -> dict[str, float]:
    """Return how many good answers came from each instance, by its id in the health document."""
    counts: dict[str, float] = {}
    for one in said:
        name = one.document.get("instance_id")
        if not one.reason and isinstance(name, str) and name:
            counts[name] = counts.get(name, 0.0) + 1
    return counts
