# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The triggers of a release whose runner is gone, by the same samples and the same code as a watch judges them by."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, evaluate, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

# Of the machine that releases: a Job's pod does not have it, and a password must not be written into a Job.
THERE = ("token_file", "token_env", "username")


def handed_on(params: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """The option prometheus for the guard, without anything secret. Raises Failure when the guard could not use what it is given."""
    options.gates(thresholds.TRIGGERS, params["triggers"], "triggers")
    if params["prometheus"] is None:
        return None
    named = [option for option in THERE if params["prometheus"][option]]
    if named:
        raise Failure(
            f"prometheus.{named[0]} can't be handed to a guard: give it prometheus.token_secret, a Secret in its namespace, or none."
        )
    return {name: value for name, value in params["prometheus"].items() if value is not None and name != "password"}


def breach(params: dict[str, t.Any], server: Server) -> t.Callable[[Release], str]:
    """Why a trigger says that the release is bad; empty while none does. What can't be measured says nothing."""
    gates = options.gates(thresholds.TRIGGERS, params["triggers"], "triggers")
    sources: dict[str, MetricsReader] = {}

    def asked(release: Release) -> str:
        pool = release["to"]["pool"]
        if pool not in sources:
            sources[pool] = connect.source(params, server, pool, max(gate.window or 0.0 for gate in gates))
        try:
            now = sources[pool].read(gates)
        except Failure:
            return ""
        begun = datetime.fromisoformat(release["started"]).timestamp()
        verdicts = sources[pool].judge(gates, Period(now, now, 0.0, begun))
        return evaluate.reasons([verdict for verdict in verdicts if verdict.outcome == BREACH])

    return asked
