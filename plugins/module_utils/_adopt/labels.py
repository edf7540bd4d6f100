# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the labels of the idle pool's pods: those of the live pods, but for as few as the selectors demand. Pure."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.selectors import matches

Labels = dict[str, str]

MAX_VALUE = 63  # characters of a label's value
MAX_KEYS = 6  # labels that a change is tried of: any one of a Service's selector is enough
# Tried in this order where labels are equally good: an instance is what the idle pool is.
INSTANCE = "app.kubernetes.io/instance"
POOL = "mcp.server/pool"  # a label of the idle pool's pods, where no other one tells them from the live ones


class Selecting(t.NamedTuple):
    """An object that selects pods. selector: a LabelSelector; None selects nothing."""

    name: str  # what messages call it
    selector: Object | None


@dataclass(frozen=True)
class Choice:
    """The labels of the idle pool's pods. The lists have the names of objects."""

    labels: Labels
    changed: tuple[str, ...]  # keys whose value is another one, or that are left out
    caught: tuple[str, ...] = ()  # budgets that no labels keep out, as they select every pod
    lost: tuple[str, ...] = ()  # what selects the live pods and not the idle pool's
    gained: tuple[str, ...] = ()  # what selects the idle pool's and not the live ones


def of_service(selector: t.Any) -> Object | None:
    """Return a Service's selector as a LabelSelector. An empty one selects nothing."""
    return {"matchLabels": selector} if isinstance(selector, dict) and selector else None


def choose(
    live: Labels,
    never: t.Sequence[Selecting],
    budgets: t.Sequence[Selecting] = (),
    alike: t.Sequence[Selecting] = (),
    suffix: str = "green",
) -> Choice | list[str]:
    """Return the labels of the idle pool's pods, or the names of what selects them whatever they are.

    live: the labels of the live pods. never: what must not select the new ones, such as Services and the selectors of
    Deployments. budgets: PodDisruptionBudgets, likewise, where labels can do that. alike: what should treat the pods of
    both pools alike, such as NetworkPolicies.
    """
    keys = _keys(live, [one.selector for one in (*never, *budgets)])
    choices = [_judged(live, labels, changed, budgets, alike) for labels, changed in _variants(live, keys, suffix)]
    possible = [one for one in choices if not any(matches(its.selector, one.labels) for its in never)]
    if not possible:
        kept_in = [{its.name for its in never if matches(its.selector, one.labels)} for one in choices]
        return sorted(set.intersection(*kept_in) or set.union(*kept_in))
    return min(possible, key=lambda one: (len(one.caught), len(one.lost) + len(one.gained), len(one.changed)))


def _keys(live: Labels, selectors: t.Iterable[Object | None]) -> list[str]:
    """Return the labels by which the live pods are selected, the best to change first."""
    found: dict[str, int] = {}
    for selector in selectors:
        if not matches(selector, live):
            continue
        names = {
            *mapping(selector, "matchLabels"),
            *(one.get("key", "") for one in items(selector, "matchExpressions")),
        }
        for name in names & live.keys():
            found[name] = found.get(name, 0) + 1
    ranked = sorted(found, key=lambda name: (name != INSTANCE, -found[name], name))
    return ranked[:MAX_KEYS]


def _variants(live: Labels, keys: t.Sequence[str], suffix: str) -> t.Iterator[tuple[Labels, tuple[str, ...]]]:
    """Yield labels with other values or without some, those with the fewest changes first.

    The second suffix is for a value that another object selects already.
    """
    for count in range(1, len(keys) + 1):
        for some in itertools.combinations(keys, count):
            for end in (suffix, f"mcp-{suffix}"):
                yield {**live, **{key: _longer(live[key], end) for key in some}}, some
    # What asks only whether a label is there is escaped without it; then another one must tell the pools apart.
    for count in range(1, len(keys) + 1):
        for some in itertools.combinations(keys, count):
            yield {**{key: value for key, value in live.items() if key not in some}, POOL: suffix}, (*some, POOL)


def _longer(value: str, end: str) -> str:
    if not value:
        return end
    return f"{value[: MAX_VALUE - len(end) - 1].rstrip('-_.')}-{end}"


def _judged(
    live: Labels,
    labels: Labels,
    changed: tuple[str, ...],
    budgets: t.Sequence[Selecting],
    alike: t.Sequence[Selecting],
) -> Choice:
    return Choice(
        labels,
        changed,
        caught=tuple(one.name for one in budgets if matches(one.selector, labels)),
        lost=tuple(one.name for one in alike if matches(one.selector, live) and not matches(one.selector, labels)),
        gained=tuple(one.name for one in alike if not matches(one.selector, live) and matches(one.selector, labels)),
    )


def own_selector(selected: t.Mapping[str, str], choice: Choice) -> Labels:
    """Return what selects the idle pool's pods and not the live ones: the labels of a live selector, and what differs.

    selected: the labels that select the live pods.
    """
    return {key: choice.labels[key] for key in (*selected, *choice.changed) if key in choice.labels}


def rewritten(selector: Object, live: Labels, choice: Choice) -> Object:
    """Return a LabelSelector of the live pods as the idle pool's own pods need it, such as for their anti-affinity.

    One that does not select the live pods is about others, and stays.
    """
    if not matches(selector, live):
        return selector
    others = [one for one in items(selector, "matchExpressions") if one.get("key") not in choice.changed]
    return {
        **{key: value for key, value in selector.items() if key != "matchExpressions"},
        "matchLabels": own_selector(mapping(selector, "matchLabels"), choice),
        **({"matchExpressions": others} if others else {}),
    }
