# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of what tells which pool answers. What a route says is tried: not every gateway does it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._mcp.asking import endpoint_of
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import counters, naming, server_infos, share
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import pool_header
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

ANSWERS = 10  # good answers that are looked at
ANSWERS_SLOWLY = 3  # the same where each of them opens a session


@dataclass(frozen=True)
class Seen:
    """What answers through the gateway have shown."""

    named_by: str = ""  # see share.NAMED_BY; empty where none names its pool
    good: int = 0  # answers that did not fail
    why: str = ""  # why none could be looked at, a clause; empty where some were


def check(cluster: Api, server: Server, params: dict[str, t.Any]) -> str:
    """Return a sentence on what a share is measured by. Raise Failure when there is nothing, with what to add."""
    kind = kind_of(server)
    try:
        route = kind.read(cluster, server)
        kind.weights(route, server)
    except Forbidden:
        raise
    except Failure:
        return "Which pool answers was not tried: the route is not as it should be."
    if lie := pool_header.problem(route, server):
        raise Failure(lie)
    names = pool_header.names_pools(route, server)
    seen = _look(params)
    others = kind.part(route, server) < 1
    if found := by_answers(server, params, names, seen, others=others):
        return found
    if sources := counters.sources(params["prometheus"]):
        by = naming.by_text(naming.COUNTERS, server, "", sources[0])
        return f"Answers name no pool: the share is measured {by}."
    if seen.good and _differ(cluster, server, params):
        return "Answers name their pool by serverInfo, as long as that of the pools differs."
    if names is None:
        return naming.not_measured(server, kind.name(server))
    raise Failure(naming.unnamed(server, kind.name(server), names, pool_header.cure(server)))


def by_answers(server: Server, params: t.Mapping[str, t.Any], names: bool | None, seen: Seen, *, others: bool) -> str:
    """Return the sentence where answers name their pool, or may; empty where they do not.

    names: whether the route sets the header. others: whether other backends than the pools answer, too. Pure.
    """
    if seen.named_by:
        by = naming.by_text(seen.named_by, server, params["pool_key"])
        who = ""
        if seen.named_by == share.HEADER:
            who = ", set by the route" if names else ", which the route does not set: the server or the gateway does"
        return f"Answers name their pool {by}{who}."
    header = f"The route sets header {server.pool_header} on the answers of each pool"
    if names and seen.why:
        return f"{header}. It was not tried: {seen.why}."
    if names and others:
        return f"{header}. None of {seen.good} answers has it, but other backends of the route answer, too."
    if seen.why and params["health_path"]:
        return f"The health document is expected to name the pool ({params['pool_key']}). It was not tried: {seen.why}."
    return ""


def _look(params: dict[str, t.Any]) -> Seen:
    """Ask until an answer names its pool, or enough of them do not."""
    if not (params["endpoint"] and params["endpoint"]["url"]):
        return Seen(why="endpoint is not set")
    public = endpoint_of(params)
    answers = share.until_named(public, lambda: ANSWERS_SLOWLY if share.slow_note(public) else ANSWERS)
    last = answers[-1]
    if last.reason and not last.pool:
        return Seen(why=f"{public.name}: {last.reason}")
    return Seen(last.named_by, len(answers))


def _differ(cluster: Api, server: Server, params: dict[str, t.Any]) -> bool:
    """Return whether serverInfo tells the pools apart, in the answers to the requests that measure."""
    infos = server_infos.differing(cluster, server, params)
    return bool(infos) and share.sample(replace(endpoint_of(params), server_infos=infos), 1)[0].pool is not None
