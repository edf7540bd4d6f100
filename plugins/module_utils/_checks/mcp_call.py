# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a check that calls a tool of the server, at the release's public address."""

from __future__ import annotations

import typing as t
from contextlib import closing
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import Limit
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._mcp import calls, endpoint, listing
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import Connections, ready_client
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import CLEANUP
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import Trace
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import hide


def run(options: dict[str, t.Any], context: Context, limit: Limit) -> Verdict:
    """Call the tool, and check its result. Raise Failure when the endpoint or the credentials cannot be used."""
    with limit.not_counted():
        shown = credentials.read(
            context.auth,
            lambda name: context.cluster.get(paths.secrets(context.server.namespace, name)),
        )
    public = endpoint.public(context.endpoint or endpoint.defaults(), context.auth)
    public = replace(public, dial=limit.dial(public.dial))
    cleanup = min(CLEANUP[0] * limit.seconds, CLEANUP[1]) / 2
    steps = Trace(limit.seconds - 2 * cleanup, limit.seconds, cleanup)
    call = calls.Call(options["tool"], options["arguments"], [options["expect"]] if options["expect"] else ())
    with closing(Connections(public, public.connection(), steps, dict(shown.headers), late=cleanup)) as connections:
        try:
            _call(connections, context.era, call)
        except Failure as failure:
            return Verdict(hide(failure.msg, shown.secrets))
    return Verdict()


def _call(connections: Connections, era: str, call: calls.Call) -> None:
    with ready_client(connections, era) as client:
        with connections.trace.step("list", "tools/list") as bound:
            tools = listing.whole(client.request, listing.KINDS["tools"], bound)
        with connections.trace.step("call", f"tools/call {call.tool}") as bound:
            calls.make(call, client, tools, bound)
