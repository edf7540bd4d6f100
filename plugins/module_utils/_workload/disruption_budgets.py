# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PodDisruptionBudgets: how many pods of a pool their owner wants to be there at least."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._server import Server

Object = dict[str, t.Any]

UNKNOWN = "Whether a PodDisruptionBudget asks for more pods is not known: we may not list them (see the Role in the collection's README)."


def min_available(budget: Object, planned: int) -> int:
    """How many of C(planned) pods the budget wants, counted as Kubernetes does, which rounds a percentage up."""
    spec = budget["spec"]
    if spec.get("minAvailable") is not None:
        return _count(spec["minAvailable"], planned)
    if spec.get("maxUnavailable") is not None:
        return max(0, planned - _count(spec["maxUnavailable"], planned))
    return 0


def covers(budget: Object, labels: dict[str, str]) -> bool:
    """Whether its selector takes pods with these labels."""
    selector = budget["spec"].get("selector")
    if selector is None:
        return False
    same = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return same and all(_holds(expression, labels) for expression in selector.get("matchExpressions") or [])


def strictest(budgets: t.Iterable[Object], labels: dict[str, str], planned: int) -> tuple[int, str]:
    """What the budgets for pods with these labels ask for at most, and the name of the one that does; 0 and an empty name without any."""
    return max(
        ((min_available(budget, planned), budget["metadata"]["name"]) for budget in budgets if covers(budget, labels)),
        default=(0, ""),
    )


def required_by(
    cluster: Api, server: Server, pool: str, planned: int, warn: t.Callable[[str], None]
) -> tuple[int, str]:
    """strictest() for a pool; 0, with a warning, when we may not look."""
    try:
        budgets = cluster.get(paths.disruption_budgets(server.namespace))["items"]
    except NotFound:
        return 0, ""
    except Forbidden:
        warn(UNKNOWN)
        return 0, ""
    if not budgets:
        return 0, ""
    labels = cluster.get(server.deployment_path(pool))["spec"]["template"]["metadata"].get("labels") or {}
    return strictest(budgets, labels, planned)


def _count(value: int | str, planned: int) -> int:
    return math.ceil(planned * int(value.removesuffix("%")) / 100) if isinstance(value, str) else value


def _holds(expression: Object, labels: dict[str, str]) -> bool:
    has, values = expression["key"] in labels, expression.get("values") or []
    match expression["operator"]:
        case "In":
            return has and labels[expression["key"]] in values
        case "NotIn":
            return not has or labels[expression["key"]] not in values
        case "Exists":
            return has
        case _:
            return not has
