# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an adoption makes, and what it says about it. Pure: facts in, objects and sentences out."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._adopt import copies, refusals
from ansible_collections.mcp.server.plugins.module_utils._adopt.facts import Facts, selecting
from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import (
    Choice,
    Labels,
    Selecting,
    choose,
    own_selector,
)
from ansible_collections.mcp.server.plugins.module_utils._install import manifests
from ansible_collections.mcp.server.plugins.module_utils._install.existing import name_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.selectors import matches
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.pool_header import names_pools

SUFFIX = "green"  # of the labels' values, and of the names of copies


@dataclass(frozen=True)
class Plan:
    """What is to be made. objects: in the order in which they are applied. problems: why it can't be."""

    objects: list[Object]
    problems: list[str]
    choice: Choice | None = None


def green_of(blue: PoolObjects) -> PoolObjects:
    """Return the names of the idle pool's objects, beside those that the server has."""
    workload, service = (re.sub("-blue$", "", name) for name in (blue.workload, blue.service))
    return PoolObjects(f"{workload}-green", blue.kind, f"{service}-green")


def labels(server: Server, facts: Facts) -> Choice | list[str]:
    """Return the labels of the idle pool's pods: those it has, or new ones; or what selects them whatever they are."""
    live = copies.labels_of(facts.template())
    if facts.green_workload is not None:
        there = copies.labels_of(mapping(facts.green_workload, "spec", "template"))
        changed = [key for key in {**live, **there} if live.get(key) != there.get(key)]
        return Choice(there, tuple(changed))
    never, budgets, alike = selecting(server, _without_ours(server, facts))
    return choose(live, never, budgets, alike, SUFFIX)


def _without_ours(server: Server, facts: Facts) -> Facts:
    """Return the facts without the copies that an adoption has made: they are the idle pool's."""
    return Facts(
        facts.workload,
        facts.service,
        workloads=facts.workloads,
        services=facts.services,
        budgets=[one for one in facts.budgets if not copies.is_ours(one, server)],
        policies=[one for one in facts.policies if not copies.is_ours(one, server)],
        pod_monitors=facts.pod_monitors,
    )


def make(server: Server, facts: Facts, settings: manifests.Settings, ingress: Object | None) -> Plan:
    """Return the objects of the idle pool and the releaser's rights.

    ingress: the Ingress that ingress-nginx is to have a canary of.
    """
    problems = refusals.problems(server, facts)
    choice = labels(server, facts)
    if isinstance(choice, list):
        problems.append(
            f"No labels keep the idle pool's pods apart from the live ones: {' and '.join(choice)} would select them. "
            "Give its selector a label with a value."
        )
        return Plan([], problems)
    if problems:
        return Plan([], problems, choice)
    objects = [] if refusals.is_pool(server, facts) and not _is_made(server, facts) else _pool(server, facts, choice)
    objects += [
        copies.marked(one, server)
        for one in (
            manifests.role(server, settings, _autoscalers(server, facts)),
            manifests.role_binding(server, settings),
        )
        if one is not None
    ]
    if ingress is not None:
        objects.append(copies.canary(server, ingress))
    return Plan(objects, [], choice)


def _autoscalers(server: Server, facts: Facts) -> list[str]:
    """Return the name of each pool's autoscaler, the usual one where it has none yet."""
    found = {(target.get("kind"), target.get("name")): one for one in facts.autoscalers for target in [_scaled(one)]}
    pools = [server.objects(pool) for pool in POOLS]
    return [str(mapping(found.get((one.kind, one.workload)), "metadata").get("name") or one.workload) for one in pools]


def _scaled(autoscaler: Object) -> Object:
    return mapping(autoscaler, "spec", "scaleTargetRef")


def _is_made(server: Server, facts: Facts) -> bool:
    return facts.green_workload is not None and copies.is_ours(facts.green_workload, server)


def _pool(server: Server, facts: Facts, choice: Choice) -> list[Object]:
    live = copies.labels_of(facts.template())
    pods = own_selector(mapping(facts.workload, "spec", "selector", "matchLabels"), choice)
    objects = [
        copies.service(server, facts.service, choice),
        copies.workload(server, facts.workload, server.objects("blue").kind, choice),
    ]
    budgets = [one for one in facts.budgets if not copies.is_ours(one, server)]
    those = [one for one in budgets if matches(mapping(one, "spec").get("selector"), live)]
    # An eviction is refused where two budgets select a pod.
    if those and not any(matches(mapping(one, "spec").get("selector"), choice.labels) for one in budgets):
        objects.append(copies.disruption_budget(server, those[0], pods))
    objects += [
        copies.network_policy(server, one, pods, SUFFIX)
        for one in facts.policies
        if not copies.is_ours(one, server)
        and matches(mapping(one, "spec", "podSelector"), live)
        and not matches(mapping(one, "spec", "podSelector"), choice.labels)
    ]
    return objects


def notes(server: Server, facts: Facts, choice: Choice, route: Object) -> list[str]:
    """Return what else to know, a sentence for each."""
    live = copies.labels_of(facts.template())
    clean = _without_ours(server, facts)
    never, budgets, alike = selecting(server, clean)
    return [
        *_of_services(server, facts, never, live),
        *_of_alike(alike, live, choice),
        *_of_budgets(budgets, live, choice),
        *_of_monitors(server, facts),
        *_of_autoscalers(server, facts),
        *_of_tools(facts, server, route),
        *_of_route(server, route),
        *(
            f"This user may not list {one}: check yourself that none of them selects pods by {_shown(choice)}."
            for one in dict.fromkeys(facts.unseen)
        ),
    ]


def _shown(choice: Choice) -> str:
    return ", ".join(f"{key}={choice.labels[key]}" for key in choice.changed if key in choice.labels) or "its labels"


def _of_services(server: Server, facts: Facts, never: t.Iterable[Selecting], live: Labels) -> t.Iterator[str]:
    own = f"Service {server.service('blue')}"
    for one in never:
        if one.name.startswith("Service ") and one.name != own and matches(one.selector, live):
            yield f"{one.name} selects the live pool's pods only: what uses it does not follow a release."
    if mapping(facts.service, "spec").get("type") in ("LoadBalancer", "NodePort"):
        yield (
            f"{own} is of type {mapping(facts.service, 'spec').get('type')}: clients that come by its own address, and "
            f"not by the route, stay on {server.workload('blue')} whatever a release does."
        )


def _of_alike(alike: t.Iterable[Selecting], live: Labels, choice: Choice) -> t.Iterator[str]:
    by_labels = _shown(choice)
    for one in alike:
        was, is_now = matches(one.selector, live), matches(one.selector, choice.labels)
        if was and not is_now and one.name.endswith("pods)"):
            yield f"{one.name} has the live pool's pods and not the idle pool's: add pods with {by_labels} there."
        elif was and not is_now and one.name.startswith("NetworkPolicy "):
            yield f"{one.name} does not select the idle pool's pods, so they have a copy of it: change both alike."
        elif was and not is_now:
            yield f"{one.name} does not select the idle pool's pods: add {by_labels} to its selector."
        elif is_now and not was:
            yield f"{one.name} selects the idle pool's pods and not the live ones: check that this is meant."


def _of_budgets(budgets: t.Iterable[Selecting], live: Labels, choice: Choice) -> t.Iterator[str]:
    for one in budgets:
        if matches(one.selector, choice.labels):
            yield f"{one.name} counts the pods of both pools together, as it selects all of them."


def _of_monitors(server: Server, facts: Facts) -> t.Iterator[str]:
    live = dict(mapping(facts.service, "metadata", "labels"))
    copied = {**mapping(copies.made(server, "v1", "Service", "", {}, facts.service), "metadata", "labels")}
    for one in facts.service_monitors:
        selector = mapping(one, "spec", "selector")
        if matches(selector, live) and not matches(selector, copied):
            yield (
                f"{name_of(one)} selects Service {server.service('blue')} and not {server.service('green')}, whose "
                "metrics are missing then: widen its selector."
            )


def _of_autoscalers(server: Server, facts: Facts) -> t.Iterator[str]:
    live = server.objects("blue")
    for one in facts.autoscalers:
        target = _scaled(one)
        if (target.get("kind"), target.get("name")) == (live.kind, live.workload):
            yield (
                f"{name_of(one)} scales {live.title}, and the idle pool has none: a release starts as many pods as the "
                f"live pool has, and then nothing scales {server.workload('green')}. Make it a "
                "HorizontalPodAutoscaler of its own."
            )


def _of_tools(facts: Facts, server: Server, route: Object) -> t.Iterator[str]:
    for one in (facts.workload, facts.service):
        tools = list(dict.fromkeys(tool.name for tool in field_managers.tools(one)))
        if tools:
            yield (
                f"{name_of(one)} belongs to {' and '.join(tools)}. It is not changed now; before the second release "
                "(which changes its image) see docs/gitops.md."
            )
    if any(
        entry.get("manager") == "kubectl-client-side-apply"
        for entry in mapping(route, "metadata").get("managedFields") or []
    ):
        yield (
            f"{name_of(route)} was applied with kubectl: another apply of the old manifest takes the idle pool out of "
            "it again. Keep the manifest in step (the patch is in this task's result, route_patch)."
        )


def _of_route(server: Server, route: Object) -> t.Iterator[str]:
    if server.route_kind == "ingress_nginx" or names_pools(route, server) is None:
        yield (
            f"A route of kind {server.route_kind} sets no header on each pool's answers, so a release measures the "
            "share by the health document, the gateway's counters or serverInfo, if one of them tells the pools apart."
        )


def of_others(server: Server, others: t.Iterable[str], unseen: t.Iterable[str]) -> list[str]:
    """Return what to know about what else leads to the live pool. unseen: what this user may not list."""
    service = f"Service {server.service('blue')}"
    return [
        *(
            f"{one} also leads to {service}: who comes by it stays on {server.workload('blue')} whatever a release "
            "does."
            for one in others
        ),
        *(
            f"This user may not list {one}: check yourself that none of them leads to {service}."
            for one in dict.fromkeys(unseen)
        ),
    ]


def owners(route: Object) -> list[str]:
    """Return the tools that the route belongs to, which would put their own version of it back."""
    found = []
    for tool in field_managers.tools(route):
        suspend = f" (to suspend it: {tool.suspend})" if tool.suspend else ""
        found.append(f"{tool.name}{suspend}")
    return list(dict.fromkeys(found))
