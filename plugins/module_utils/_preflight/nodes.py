# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes: whether they are Ready and without pressure, which take pods, and how many pods of the idle pool fit.

A release is refused only where no pod could start. Of one node among others that is not well it is only warned, and so
is a lack of room where nodes may be added or pods give way: the scheduler decides, before any traffic.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._preflight import idle, needs
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._preflight.needs import Resources
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Warns
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import condition, is_finished, name_of

# Conditions that are bad when they are true, and the resource that is short.
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
EFFECTS = ("NoSchedule", "NoExecute")
ALL_PODS = "/api/v1/pods"
PAGE, MAX_PAGES, MAX_SECONDS = 500, 40, 5.0  # of the pods of all namespaces
NODES_PAGE, MAX_NODE_PAGES = 100, 100  # a node lists its images: 10,000 of them at once are more than a client reads
MAX_NAMED = 5  # nodes in a sentence
KARPENTER = ("karpenter.sh/nodepool", "karpenter.sh/provisioner-name")
FIXED = ("kind", "k3s", "minikube")  # whose nodes nobody adds, by providerID


class Load(t.NamedTuple):
    """What a pod takes of its node."""

    node: str
    requests: Resources
    priority: float = 0


def read(context: Context) -> list[Object]:
    """Return the nodes, each with what the checks look at. Raise Forbidden for a user who may not list them."""
    return context.once("nodes", lambda: _nodes(context))


def _nodes(context: Context) -> list[Object]:
    found: list[Object] = []
    for page in _pages(context, paths.NODES, NODES_PAGE, MAX_NODE_PAGES):
        found += [_without_images(node) for node in page]
    return found


def _without_images(node: Object) -> Object:
    return {**node, "status": {name: one for name, one in mapping(node, "status").items() if name != "images"}}


def _pages(context: Context, path: str, size: int, at_most: int, **query: str) -> t.Iterator[list[Object]]:
    """Yield the pages of a list. Raise CannotMeasure when there are too many."""
    query = {**query, "limit": str(size)}
    for _page in range(at_most):
        answer = context.cluster.get(path, **query)
        yield items(answer, "items")
        more = mapping(answer, "metadata").get("continue")
        if not more:
            return
        query["continue"] = str(more)
    raise CannotMeasure(f"There are more than {size * at_most} objects at {path}, which are too many to look at.")


def check(context: Context) -> str:
    """Return a sentence on the nodes. Raise Warns when one of them is not well, and Failure when none is."""
    found = read(context)
    if problems := unfit(found):
        raise (Warns if any(map(is_well, found)) else Failure)(" ".join(problems))
    cordoned = [name_of(node) for node in found if is_cordoned(node)]
    return f"All {len(found)} nodes are Ready{f', cordoned: {named(cordoned)}' if cordoned else ''}."


def unfit(nodes: t.Sequence[Object]) -> list[str]:
    """Return what is wrong with the nodes, with what to do. Pure."""
    unready = [name_of(node) for node in nodes if condition(node, "Ready").get("status") != "True"]
    problems = []
    if unready:
        problems.append(
            f"{len(unready)} of {len(nodes)} nodes are not Ready ({named(unready)}): repair or remove them."
        )
    for kind in PRESSURES:
        if pressed := [name_of(node) for node in nodes if condition(node, kind).get("status") == "True"]:
            what = "repair their network" if kind == "NetworkUnavailable" else "relieve or remove them"
            problems.append(f"{len(pressed)} of {len(nodes)} nodes have {kind} ({named(pressed)}): {what}.")
    if nodes and all(is_cordoned(node) for node in nodes):
        names = [name_of(node) for node in nodes]
        problems.append(
            f"All {len(nodes)} nodes are cordoned ({named(names)}), so that no pod can start: kubectl uncordon one."
        )
    return problems


def is_well(node: Object) -> bool:
    """Return whether a node takes pods by its state."""
    pressed = any(condition(node, kind).get("status") == "True" for kind in PRESSURES)
    return condition(node, "Ready").get("status") == "True" and not pressed and not is_cordoned(node)


def is_cordoned(node: Object) -> bool:
    return mapping(node, "spec").get("unschedulable") is True


def named(names: t.Sequence[str]) -> str:
    """Return names for a sentence, the first few of them."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(printable(one, 80) for one in names[:MAX_NAMED]) + more


def takers(nodes: t.Iterable[Object], spec: Object) -> list[Object]:
    """Return the nodes that could take a pod with this spec: by their state, its nodeSelector and its tolerations.

    Affinity and topology are not looked at: the scheduler names them in the rollout. Pure.
    """
    wanted = mapping(spec, "nodeSelector").items()
    tolerations = items(spec, "tolerations")
    return [
        node
        for node in nodes
        if not is_cordoned(node) and condition(node, "Ready").get("status") == "True"
        if wanted <= mapping(node, "metadata", "labels").items()
        if all(
            any(_tolerates(one, taint) for one in tolerations)
            for taint in items(node, "spec", "taints")
            if taint.get("effect") in EFFECTS
        )
    ]


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    key = toleration.get("key")
    if toleration.get("operator") == "Exists":
        return not key or key == taint.get("key")
    return key == taint.get("key") and (toleration.get("value") or "") == (taint.get("value") or "")


def free(node: Object, loads: t.Iterable[Load]) -> Resources:
    """Return what a node has left beside these pods, those on it. Pure."""
    left = needs.resources(mapping(node, "status", "allocatable"))
    for load in loads:
        wanted = {"pods": 1.0, **load.requests}
        left |= {name: left[name] - value for name, value in wanted.items() if name in left}
    return left


def fitting(left: Resources, wanted: Resources, at_most: int) -> int:
    """Return how many pods with these requests fit beside each other, at most so many. Pure."""
    asked = {"pods": 1.0, **{name: value for name, value in wanted.items() if value > 0}}
    # A little more than nothing for the error of adding fractions of a core.
    return min([at_most, *(math.floor(max(0.0, left.get(name, 0.0)) / value + 1e-9) for name, value in asked.items())])


def room(context: Context) -> str:
    """Return a sentence on the room for the idle pool. Raise Failure where there is none."""
    nodes, pool = read(context), idle.find(context)
    if not pool.lacks:
        return f"Pool {pool.pool} has its {pool.planned} pods already."
    able = takers(nodes, mapping(pool.template, "spec"))
    loads, uncounted = _loads(context)
    scales = bool(context.params.get("nodes_scale")) or any(
        label in mapping(node, "metadata", "labels") for node in nodes for label in KARPENTER
    )
    message, fits = judge(pool, _left(able, loads), scales=scales)
    if fits:
        return message + uncounted
    _message, fits = judge(pool, _left(able, [one for one in loads if one.priority >= pool.priority]), scales=False)
    if fits:
        return f"{message.partition(':')[0]}; pods with a lower priority give way to the rest.{uncounted}"
    raise (Warns if may_be_added(nodes) else Failure)(message)


def _left(nodes: t.Iterable[Object], loads: t.Iterable[Load]) -> list[Resources]:
    by_node: dict[str, list[Load]] = {}
    for load in loads:
        by_node.setdefault(load.node, []).append(load)
    return [free(node, by_node.get(name_of(node), [])) for node in nodes]


def may_be_added(nodes: t.Iterable[Object]) -> bool:
    """Return whether the nodes are of a provider that an autoscaler could ask for more. Whether one does, nobody says.

    Pure.
    """
    found = [str(mapping(node, "spec").get("providerID") or "").partition("://") for node in nodes]
    return any(scheme and slashes and scheme not in FIXED for scheme, slashes, _name in found)


def judge(pool: idle.Idle, left: t.Sequence[Resources], *, scales: bool) -> tuple[str, bool]:
    """Return the sentence on the room, and whether the release may begin. Pure.

    left: what each node that could take the pods has free. scales: whether the cluster adds nodes where pods don't fit.
    """
    wanted = pool.needs.requests
    place = sum(fitting(one, wanted, pool.lacks) for one in left)
    what = f"{pool.lacks} more pods of pool {pool.pool}, each of which requests {needs.shown(wanted)}"
    if place >= pool.lacks:
        return f"The nodes have room for {what}.", True
    missing = f"The nodes have room for {place} of {what}"
    if scales:
        return f"{missing}; nodes are added for the rest.", True
    if not left:
        why = "no node takes them, by state, nodeSelector and taints"
    else:
        most = {name: max(one.get(name, 0.0) for one in left) for name in wanted}
        why = f"the most that a node has free is {needs.shown(most)}" if any(most.values()) else "no node has any free"
    return (
        f"{missing}: {why}. Add nodes, end what is not needed, or lower the requests; where nodes are added by "
        "themselves, set nodes_scale (mcp_nodes_scale).",
        False,
    )


def _loads(context: Context) -> tuple[list[Load], str]:
    """Return the pods that are on nodes, as far as they may be read, and what was not counted, for the sentence."""
    try:
        if (found := _all_loads(context)) is not None:
            return found, ""
        why = "too many to count"
    except Forbidden:
        why = "no permission to list them"
    own = items(context.cluster.get(paths.pods(context.server.namespace)), "items")
    return _loads_of(own), f" Pods of other namespaces are not counted: {why}."


def _all_loads(context: Context) -> list[Load] | None:
    """Return the pods of all namespaces that have not ended; None where they are too many. Raise Forbidden."""
    bound = Deadline(MAX_SECONDS)
    found: list[Load] = []
    running = "status.phase!=Succeeded,status.phase!=Failed"
    try:
        for page in _pages(context, ALL_PODS, PAGE, MAX_PAGES, fieldSelector=running):
            if not bound.left:
                return None
            found += _loads_of(page)  # 20,000 whole pods would be a gigabyte
    except (Forbidden, Unreachable):
        raise
    except Failure:
        if not found:
            raise
        return None  # they are too many, or the list became too old for its next page (410)
    return found


def _loads_of(pods: t.Iterable[Object]) -> list[Load]:
    """Return what the pods take of their nodes: those that have one, and have not ended. Pure."""
    return [
        Load(str(spec["nodeName"]), needs.of_pod(spec).requests, needs.priority(spec))
        for pod in pods
        if not is_finished(pod) and (spec := mapping(pod, "spec")).get("nodeName")
    ]
