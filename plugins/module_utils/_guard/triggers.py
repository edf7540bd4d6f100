# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge the triggers of a release whose run has died, by the same samples and the same code as a watch."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import connect, evaluate, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, as_dict

# Options that only work on the machine that releases. A password must not be written into a Job.
LOCAL_OPTIONS = ("token_file", "token_env", "username", "headers_env")


def handed_on(params: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Return the option prometheus for the guard, without secrets. Raises Failure for what a guard cannot use."""
    options.gates(thresholds.TRIGGERS, params["triggers"], "triggers")
    if params["prometheus"] is None:
        return None
    named = [option for option in LOCAL_OPTIONS if params["prometheus"].get(option)]
    if named:
        raise Failure(
            f"A guard cannot use prometheus.{named[0]}: set prometheus.token_secret (a Secret in its namespace) "
            "instead, or neither."
        )
    return {name: value for name, value in params["prometheus"].items() if value is not None and name != "password"}


def auth_handed_on(params: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Return the option auth for the guard, None where it needs none. Raises Failure for what a guard cannot use."""
    auth = params["auth"]
    if (
        params["health_path"]
        or not params["endpoint"]
        or not (auth and (credentials.any_named(auth) or auth["expect_401"]))
    ):
        return None
    named = [f"{name}_{place}" for name in ("token", "password") for place in ("file", "env")]
    local = [name for name in named if auth.get(name)]
    headers = as_dict(auth.get("headers") or {}) or {}
    local += [f"headers.{name}" for name, place in headers.items() if "secret" not in (as_dict(place) or {})]
    if local:
        raise Failure(
            f"A guard cannot use auth.{local[0]}, which is on this machine: name a Secret in its namespace instead, or "
            "set health_path, which is asked without credentials."
        )
    return {name: value for name, value in auth.items() if value is not None}


def breach(params: dict[str, t.Any], server: Server) -> t.Callable[[Release], str]:
    """Return a function that says why a trigger finds a release bad, a clause; empty while none does.

    Triggers that cannot be measured find nothing.
    """
    gates = options.gates(thresholds.TRIGGERS, params["triggers"], "triggers")
    sources: dict[str, MetricsReader] = {}

    def reason(release: Release) -> str:
        pool = release["to"]["pool"]
        if pool not in sources:
            sources[pool] = connect.metrics_reader(params, server, pool, max(gate.window or 0.0 for gate in gates))
        try:
            now = sources[pool].read(gates)
        except Failure:
            return ""
        begun = _times.parse(release.get("started"))
        verdicts = sources[pool].judge(gates, Period(now, now, 0.0, begun.timestamp() if begun else now))
        return evaluate.reasons([verdict for verdict in verdicts if verdict.outcome == BREACH])

    return reason
