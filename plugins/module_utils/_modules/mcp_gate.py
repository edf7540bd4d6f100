# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One evaluation of gates: the module mcp_gate."""

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
FATAL = {"breach": (BREACH,), "inconclusive": (BREACH, INCONCLUSIVE), "never": ()}


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["seconds"] <= 0:
        raise Failure(f"seconds is {params['seconds']:g}: it must be more than 0.")
    server = Server.from_params(params)
    gates = options.gates(thresholds.of_sets(params["checks"]), params["gates"], "gates")
    back = max([params["seconds"], *(gate.window or 0 for gate in gates)])
    source = connect.source(params, server, params["pool"], back)
    try:
        now = source.read(gates)
    except Failure as failure:
        task.warn(failure.msg)
        now = source.prometheus.known_now or 0.0
    verdicts = source.judge(gates, Period(now - params["seconds"], now, params["seconds"]))
    outcome = combined(verdicts)
    result = {
        "changed": False,
        "verdict": outcome,
        "at": now or None,
        "gates": [verdict.result() for verdict in verdicts],
        "queries": source.queries(gates),
    }
    for verdict in verdicts:
        task.progress(evaluate.line(verdict))
    if task.check_mode:
        for query, found in zip(result["queries"], source.found(gates), strict=True):
            task.progress(f"{found}: {query}")
    elif outcome in FATAL[params["fail_on"]]:
        raise Failure(f"Pool {params['pool']} of {server} does not pass: {evaluate.reasons(verdicts)}.", **result)
    return result
