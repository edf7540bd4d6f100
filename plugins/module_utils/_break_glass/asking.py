# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the pods of both pools, and choose the pool that answers better; in at most LONGEST seconds."""

from __future__ import annotations

import functools
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, started
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_ready, name_of

LONGEST = 2.0  # seconds, for both pools together
PODS = 3  # that are asked of each pool
GUARDED = re.compile(r"\b401\b")


class Asked(t.NamedTuple):
    """What the pods of a pool answered."""

    # How many pods were asked.
    pods: int
    # How many of these spoke MCP.
    good: int
    # How many pods of the pool are ready.
    ready: int
    # Why nothing is known; empty otherwise.
    unknown: str = ""

    def __str__(self) -> str:
        if self.unknown:
            return f"unknown ({self.unknown})"
        return f"{self.good} of {self.pods} pods answer, {self.ready} ready"

    @property
    def rank(self) -> tuple[float, int]:
        return (self.good / self.pods if self.pods else 0.0, self.ready)


def better(asked: t.Mapping[str, Asked]) -> str | None:
    """Return the pool that answers better; None where neither does, or both answer the same. Pure."""
    blue, green = (asked[pool].rank for pool in POOLS)
    if blue == green or not any(one.good or one.ready for one in asked.values()):
        return None
    return POOLS[0] if blue > green else POOLS[1]


def ask(cluster: Api, server: Server, params: dict[str, t.Any]) -> dict[str, Asked]:
    """Return what each pool answers. Raises nothing."""
    bound = Deadline(LONGEST)
    brief = cluster.limited(0.0, LONGEST)
    waits = {pool: started(functools.partial(_ask_pool, brief, server, pool, params, bound)) for pool in POOLS}
    found = {}
    for pool, wait in waits.items():
        try:
            found[pool] = wait(bound.left)
        except TimeoutError:
            found[pool] = Asked(0, 0, 0, f"no answer within {LONGEST:g} s")
        except Exception as error:  # of a pod that answers anything
            found[pool] = Asked(0, 0, 0, getattr(error, "msg", type(error).__name__).rstrip("."))
    return found


def _ask_pool(cluster: Api, server: Server, pool: str, params: dict[str, t.Any], bound: Deadline) -> Asked:
    pods = [one for one in server.pods(cluster, pool) if not mapping(one, "metadata").get("deletionTimestamp")]
    ready = [one for one in pods if is_ready(one)]
    # Ready ones first: what is asked is whether these answer. Without any, whether a pod would, were it not for probes.
    running = [one for one in pods if one not in ready and mapping(one, "status").get("phase") == "Running"]
    chosen = sorted(ready, key=name_of)[:PODS] or sorted(running, key=name_of)[:PODS]
    waits = [started(functools.partial(_answers, cluster, server, pool, one, params, bound.left)) for one in chosen]
    good = 0
    for wait in waits:
        try:
            # A little earlier than ask(), so that one pod that hangs does not hide the others.
            good += wait(max(0.0, bound.left - 0.1))
        except (Failure, TimeoutError, OSError):
            continue
    return Asked(len(chosen), good, len(ready))


def _answers(
    cluster: Api, server: Server, pool: str, pod: dict[str, t.Any], params: dict[str, t.Any], seconds: float
) -> bool:
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
    from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
    from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe

    endpoint = targets.in_pool(cluster, server, pod, pool, params)
    settings = Settings(AUTO, seconds, seconds, health=True, lists=(), credentials=targets.credentials_of(params))
    found = probe(endpoint, settings)
    # A server that asks for a token answers.
    return bool(found["healthy"]) or bool(GUARDED.search(found["reason"] or ""))
