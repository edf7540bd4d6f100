# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_gate: judge gates once."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, evaluate, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, INCONCLUSIVE, Period, combined
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "prometheus": {**options.OPTION, "required": True},
        "pool": {"type": "str", "choices": list(POOLS), "required": True},
        "checks": {"type": "list", "elements": "str", "choices": list(thresholds.SETS), "default": ["triggers"]},
        "gates": {"type": "dict", "default": {}},
        "seconds": {"type": "float", "default": 300.0},
        "fail_on": {"type": "str", "choices": ["breach", "inconclusive", "never"], "default": "breach"},
    },
)
# By fail_on, the outcomes that fail
FATAL: dict[str, tuple[str, ...]] = {"breach": (BREACH,), "inconclusive": (BREACH, INCONCLUSIVE), "never": ()}


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    """Return what RETURN of mcp_gate lists. Raise Failure with the same if the outcome is one of fail_on."""
    params = task.params
    if params["seconds"] <= 0:
        raise Failure(f"seconds is {params['seconds']:g}: it must be more than 0.")
    server = Server.from_params(params)
    gates = options.gates(thresholds.of_sets(params["checks"]), params["gates"], "gates")
    back = max([params["seconds"], *(gate.window or 0 for gate in gates)])
    reader = connect.metrics_reader(params, server, params["pool"], back)
    try:
        now = reader.read(gates)
    except Failure as failure:
        task.warn(failure.msg)
        now = reader.prometheus.known_now or 0.0
    verdicts = reader.judge(gates, Period(now - params["seconds"], now, params["seconds"]))
    outcome = combined(verdicts)
    queries = reader.queries(gates)
    result = {
        "changed": False,
        "verdict": outcome,
        "at": now or None,
        "gates": [verdict.result() for verdict in verdicts],
        "queries": queries,
    }
    for verdict in verdicts:
        task.progress(evaluate.describe_verdict(verdict))
    if task.check_mode:
        for query, found in zip(queries, reader.found(gates), strict=True):
            task.progress(f"{found}: {query}")
    elif outcome in FATAL[params["fail_on"]]:
        raise Failure(f"Pool {params['pool']} of {server} did not pass: {evaluate.reasons(verdicts)}.", **result)
    return result
