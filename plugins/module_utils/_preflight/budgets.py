# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PodDisruptionBudgets that would stand in the way, or do not protect what they should."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._preflight import idle
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload import disruption_budgets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of


def check(context: Context) -> str:
    """Return a sentence on the budgets of the pools' pods. Raise Failure for one that is of no use or in the way."""
    found = items(context.cluster.get(paths.disruption_budgets(context.server.namespace)), "items")
    pool = idle.find(context)
    labels = {
        name: mapping(workload, "spec", "template", "metadata", "labels")
        for name, workload in idle.workloads(context).items()
    }
    if problems := blocking(found, labels, pool.planned):
        raise Failure(" ".join(problems))
    ours = [name_of(one) for one in found if any(disruption_budgets.covers(one, labels[name]) for name in POOLS)]
    if not ours:
        return "No PodDisruptionBudget is for the pods of the pools."
    return f"The PodDisruptionBudgets ({', '.join(printable(one, 80) for one in sorted(ours))}) let nodes be drained."


def blocking(budgets: t.Sequence[Object], labels: t.Mapping[str, dict[str, str]], planned: int) -> list[str]:
    """Return a sentence for each budget in the way. labels: of each pool's pods. planned: pods of a pool. Pure."""
    problems = []
    for budget in budgets:
        covered = [pool for pool in POOLS if disruption_budgets.covers(budget, labels[pool])]
        name = f"PodDisruptionBudget {printable(name_of(budget), 80)}"
        if len(covered) == len(POOLS):
            problems.append(
                f"{name} counts the pods of both pools as one, so that pods without traffic stand in for those with "
                "it: make one for each pool."
            )
        elif covered and disruption_budgets.min_available(budget, planned) >= planned:
            problems.append(
                f"{name} lets none of the {planned} pods of pool {covered[0]} be evicted, so that a node with one of "
                "them can't be drained: allow one, or add a pod."
            )
    for pool in POOLS:
        several = sorted(name_of(one) for one in budgets if disruption_budgets.covers(one, labels[pool]))
        if len(several) > 1:
            names = ", ".join(printable(one, 80) for one in several)
            problems.append(
                f"Pods of pool {pool} have several PodDisruptionBudgets ({names}), for which Kubernetes evicts none of "
                "them: keep one."
            )
    return problems
