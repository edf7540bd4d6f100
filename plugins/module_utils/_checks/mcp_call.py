# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a check that calls a tool of the server: at its public address, or without one in a pod of it."""

from __future__ import annotations

import typing as t
from contextlib import closing
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import Limit
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._mcp import calls, endpoint, listing, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import Connections, ready_client
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import CLEANUP
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import Trace
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import hide
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of


def run(options: dict[str, t.Any], context: Context, limit: Limit) -> Verdict:
    """Call the tool, and check its result. Raise Failure when the endpoint or the credentials cannot be used."""
    with limit.not_counted():
        shown = credentials.read(
            context.auth,
            lambda name: context.cluster.get(paths.secrets(context.server.namespace, name)),
        )
        address = _address(context)
    address = replace(address, dial=limit.dial(address.dial))
    cleanup = min(CLEANUP[0] * limit.seconds, CLEANUP[1]) / 2
    steps = Trace(limit.seconds - 2 * cleanup, limit.seconds, cleanup)
    call = calls.Call(options["tool"], options["arguments"], [options["expect"]] if options["expect"] else ())
    with closing(Connections(address, address.connection(), steps, dict(shown.headers), late=cleanup)) as connections:
        try:
            _call(connections, context.era, call)
        except Failure as failure:
            return Verdict(hide(failure.msg, shown.secrets))
    return Verdict()


def _address(context: Context) -> endpoint.Endpoint:
    """Return where to call. Raise Failure."""
    if context.endpoint and context.endpoint["url"]:
        return endpoint.public(context.endpoint, context.auth)
    cluster, server, pool = context.cluster, context.server, context.pool
    pod = targets.pods_of_pool(cluster, server, pool)[0]
    port = server.port_in(cluster, pod, pool)
    return endpoint.in_pod(cluster, server.namespace, name_of(pod), port, context.endpoint, server.pool_title(pool))


def _call(connections: Connections, era: str, call: calls.Call) -> None:
    with ready_client(connections, era) as client:
        with connections.trace.step("list", "tools/list") as bound:
            tools = listing.whole(client.request, listing.KINDS["tools"], bound)
        with connections.trace.step("call", f"tools/call {call.tool}") as bound:
            calls.make(call, client, tools, bound)
