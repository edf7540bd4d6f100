# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PodDisruptionBudgets: how many pods their owner requires of a pool."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

UNKNOWN = (
    "Cannot tell whether a PodDisruptionBudget requires more pods: no permission to list them "
    "(see the Role in the collection's README)."
)


def min_available(budget: Object, planned: int) -> int:
    """Return how many of C(planned) pods the budget requires. Like Kubernetes, round a percentage up."""
    spec = mapping(budget, "spec")
    if spec.get("minAvailable") is not None:
        return _count(spec["minAvailable"], planned)
    if spec.get("maxUnavailable") is not None:
        return max(0, planned - _count(spec["maxUnavailable"], planned))
    return 0


def covers(budget: Object, labels: dict[str, str]) -> bool:
    """Return whether its selector matches pods with these labels."""
    return selectors.matches(mapping(budget, "spec").get("selector"), labels)


def strictest(budgets: t.Iterable[Object], labels: dict[str, str], planned: int) -> tuple[int, str]:
    """Return the largest requirement of the budgets for these labels, and that budget's name; 0 and "" without any."""
    return max(
        ((min_available(budget, planned), name_of(budget)) for budget in budgets if covers(budget, labels)),
        default=(0, ""),
    )


def required_by(
    cluster: Api, server: Server, pool: str, planned: int, warn: t.Callable[[str], None]
) -> tuple[int, str]:
    """Return strictest() for a pool; 0, with a warning, without the permission to list budgets."""
    try:
        budgets = items(cluster.get(paths.disruption_budgets(server.namespace)), "items")
    except NotFound:
        return 0, ""
    except Forbidden:
        warn(UNKNOWN)
        return 0, ""
    if not budgets:
        return 0, ""
    labels = mapping(cluster.get(server.workload_path(pool)), "spec", "template", "metadata", "labels")
    return strictest(budgets, labels, planned)


def _count(value: int | str, planned: int) -> int:
    return math.ceil(planned * int(value.removesuffix("%")) / 100) if isinstance(value, str) else value
