# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A check that calls a tool of the server, at the release's public address."""

from __future__ import annotations

import typing as t
from contextlib import closing
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import Limit
from ansible_collections.mcp.server.plugins.module_utils._checks.messages import hide
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, calls, endpoint, listing
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import Line, shake_hands
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import FAREWELL
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import Trace
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def run(options: dict[str, t.Any], context: Context, limit: Limit) -> Verdict:
    """Raises Failure when the endpoint or the token can't be used."""
    with limit.not_counted():
        token = auth.token(
            context.auth,
            lambda name: context.cluster.get(paths.secrets(context.server.namespace, name)),
        )
    public = endpoint.public(context.endpoint or endpoint.defaults())
    public = replace(public, dial=limit.dial(public.dial))
    farewell = min(FAREWELL[0] * limit.seconds, FAREWELL[1]) / 2
    steps = Trace(limit.seconds - 2 * farewell, limit.seconds, farewell)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    call = calls.Call(options["tool"], options["arguments"], [options["expect"]] if options["expect"] else ())
    with closing(Line(public, public.connection(), steps, headers, late=farewell)) as line:
        try:
            _call(line, context.era, call)
        except Failure as failure:
            return Verdict(hide(failure.msg, [token or ""]))
    return Verdict()


def _call(line: Line, era: str, call: calls.Call) -> None:
    with shake_hands(line, era) as client:
        with line.trace.step("list", "tools/list") as bound:
            tools = listing.whole(client.ask, listing.KINDS["tools"], bound)
        with line.trace.step("call", f"tools/call {call.tool}") as bound:
            calls.make(call, client, tools, bound)
