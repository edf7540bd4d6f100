# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the namespace admits the idle pool's pods: its ResourceQuotas and LimitRanges."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._preflight import idle, needs
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._preflight.needs import Needs, Resources
from ansible_collections.mcp.server.plugins.module_utils._results import Warns
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

COMPUTE = ("cpu", "memory")


def check(context: Context) -> str:
    """Return a sentence on the ResourceQuotas. Raise Failure when they would refuse pods of the idle pool."""
    found = items(context.cluster.get(paths.resource("v1", context.server.namespace, "resourcequotas")), "items")
    if not found:
        return "The namespace has no ResourceQuota."
    pool = idle.find(context)
    if problems := [problem for quota in found for problem in refuses(quota, pool)]:
        raise _refusal(pool)(" ".join(problems))
    names = ", ".join(sorted(printable(name_of(one), 80) for one in found))
    return f"The ResourceQuotas ({names}) admit {pool.lacks} more pods of pool {pool.pool}."


def check_limits(context: Context) -> str:
    """Return a sentence on the LimitRanges. Raise Failure when they would refuse a pod of the idle pool."""
    found = idle.limit_ranges(context)
    if not found:
        return "The namespace has no LimitRange."
    pool = idle.find(context)
    if problems := [problem for one in found for problem in out_of_range(one, pool)]:
        raise _refusal(pool)(" ".join(problems))
    names = ", ".join(sorted(printable(name_of(one), 80) for one in found))
    return f"The LimitRanges ({names}) admit the pods of pool {pool.pool}."


def _refusal(pool: idle.Idle) -> type[Failure]:
    """Return how sure it is: what holds for the resources of a whole pod differs between versions of Kubernetes."""
    return Warns if pool.needs.as_a_whole else Failure


def refuses(quota: Object, pool: idle.Idle) -> list[str]:
    """Return a sentence for each reason for which a quota refuses the pods that the pool lacks. Pure."""
    if not pool.lacks or not _covers(quota, mapping(pool.template, "spec"), pool.needs):
        return []
    name = f"ResourceQuota {printable(name_of(quota), 80)}"
    hard = needs.resources(mapping(quota, "status", "hard") or mapping(quota, "spec", "hard"))
    used = needs.resources(mapping(quota, "status", "used"))
    problems = []
    for key, most in sorted(hard.items()):
        if lacking := _without(key, pool.needs):
            problems.append(
                f"{name} wants {key} of every container, which container {printable(lacking, 80)} of pool {pool.pool} "
                "does not have: add it to the pod template."
            )
        wanted = pool.lacks * _asked(key, pool.needs)
        left = max(0.0, most - used.get(key, 0.0))
        if wanted > left * (1 + 1e-9):
            problems.append(
                f"{name} leaves {needs.amount(key, left)} of {key}, and {pool.lacks} more pods of pool {pool.pool} "
                f"need {needs.amount(key, wanted)}: raise the quota, or free some of it."
            )
    return problems


def _asked(key: str, wanted: Needs) -> float:
    """Return what one pod takes of a quota's resource; 0 for one that pods take nothing of."""
    if key in ("pods", "count/pods"):
        return 1.0
    kind, dot, resource = key.partition(".")
    if dot and kind in ("requests", "limits"):
        return {"requests": wanted.requests, "limits": wanted.limits}[kind].get(resource, 0.0)
    return wanted.requests.get(key, 0.0) if key in (*COMPUTE, "ephemeral-storage") else 0.0


def _without(key: str, wanted: Needs) -> str:
    """Return the first container without a value that a quota of this resource demands; empty without any."""
    kind, dot, resource = key.partition(".")
    if not dot:
        kind, resource = "requests", key
    if resource not in COMPUTE or kind not in ("requests", "limits") or wanted.as_a_whole:
        return ""
    return next((one.name for one in wanted.containers if resource not in getattr(one, kind)), "")


def _covers(quota: Object, spec: Object, wanted: Needs) -> bool:
    """Return whether a quota counts pods like these, by its scopes."""
    scopes = mapping(quota, "spec").get("scopes")
    named: list[Object] = (
        [{"scopeName": one, "operator": "Exists"} for one in scopes] if isinstance(scopes, list) else []
    )
    return all(
        _in_scope(one, spec, wanted) for one in (*named, *items(quota, "spec", "scopeSelector", "matchExpressions"))
    )


def _in_scope(scope: Object, spec: Object, wanted: Needs) -> bool:
    name = scope.get("scopeName")
    if name == "PriorityClass":
        own, values = spec.get("priorityClassName"), scope.get("values") or []
        holds = {"In": own in values, "NotIn": own not in values, "DoesNotExist": not own, "Exists": bool(own)}
        return holds.get(str(scope.get("operator")), False)
    # Pods of a Deployment or a StatefulSet have no deadline.
    known = {"Terminating": False, "NotTerminating": True}
    known |= {"BestEffort": wanted.best_effort, "NotBestEffort": not wanted.best_effort}
    return known.get(str(name), False)


def out_of_range(limit_range: Object, pool: idle.Idle) -> list[str]:
    """Return a sentence for each reason for which a LimitRange refuses a pod of the pool. Pure."""
    name = f"LimitRange {printable(name_of(limit_range), 80)}"
    problems = []
    for limit in items(limit_range, "spec", "limits"):
        least, most = (needs.resources(mapping(limit, key)) for key in ("min", "max"))
        if limit.get("type") == "Container":
            parts = [(f"container {one.name}", one.requests, one.limits) for one in pool.needs.containers]
        elif limit.get("type") == "Pod":
            parts = [("the pod", pool.needs.requests, pool.needs.limits)]
        else:
            continue
        for what, requests, limits in parts:
            problems += [
                f"{name} refuses the pods of pool {pool.pool}: {printable(what, 100)} {why}. Correct the pod template, "
                "or the LimitRange."
                for why in _outside(requests, limits, least, most)
            ]
    return problems


def _outside(requests: Resources, limits: Resources, least: Resources, most: Resources) -> t.Iterator[str]:
    for key, value in sorted(least.items()):
        if requests.get(key, 0.0) < value * (1 - 1e-9):
            has = f"requests {needs.amount(key, requests[key])}" if key in requests else f"has no request of {key}"
            yield f"{has}, and the least is {needs.amount(key, value)}"
    for key, value in sorted(most.items()):
        if key not in limits:
            yield f"has no limit of {key}, and the most is {needs.amount(key, value)}"
        elif limits[key] > value * (1 + 1e-9):
            yield f"has the limit {needs.amount(key, limits[key])}, and the most is {needs.amount(key, value)}"
