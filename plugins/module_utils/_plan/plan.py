# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a release, from what was found of its server. Pure: facts in, a plan and its lines out."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._release.record import SUCCEEDED, Release
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import percent_text

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Pool:
    """A pool as it is now."""

    image_ref: str
    replicas: int
    ready: int
    # Of the ready pods; empty when none is ready or they differ.
    digest: str = ""


@dataclass(frozen=True)
class Step:
    """A step of the release."""

    # Percent for the new version, as requested.
    weight: int
    seconds: float
    # Percent that the route will have; None when that is unknown or cannot be set.
    reached: int | None = None
    # Percent of all the route's traffic, which is less where the route has other backends.
    of_all_traffic: float | None = None


@dataclass(frozen=True)
class Change:
    """A change of one field."""

    # Kind, namespace and name.
    object: str
    field: str
    # The value now; None when there is none, or none worth showing.
    before: t.Any
    # The values that the release sets, one after the other.
    values: tuple[t.Any, ...]


@dataclass(frozen=True)
class Facts:
    """What was found. What could not be found is None or empty, and a sentence of problems says why."""

    # Namespace and name.
    server: str
    version: str
    image_ref: str
    # Of the new image, by its registry.
    digest: str = ""
    # By pool name.
    pools: dict[str, Pool] = field(default_factory=dict)
    live: str | None = None
    idle: str | None = None
    weights: Weights | None = None
    # Percent of each pool of all the route's traffic.
    of_all_traffic: dict[str, float] | None = None
    # What else to know about the route, a clause each.
    route_notes: tuple[str, ...] = ()
    # Whether the plan resumes a release that was interrupted.
    resumed: bool = False
    # Whether the version is live already, so that there is nothing to do.
    already_live: bool = False
    steps: tuple[Step, ...] = ()
    # For each step the values that it sets, by object and field.
    writes: tuple[dict[tuple[str, str], t.Any], ...] = ()
    # The values that these fields have now.
    current_values: dict[tuple[str, str], t.Any] = field(default_factory=dict)
    # Newest first.
    history: tuple[Release, ...] = ()
    container: str = ""
    # The idle pool's Deployment or StatefulSet, and the release record, each with kind, namespace and name.
    workload: str = ""
    record: str = ""
    # Seconds.
    wait_timeout: float = 600.0
    shift_timeout: float = 120.0
    warm_seconds: float = 0.0
    # Sentences.
    gate_descriptions: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def plan(facts: Facts) -> dict[str, t.Any]:
    """Return what mcp_plan_info returns as RV(plan)."""
    steps = steps_left(facts)
    replicas = wanted_replicas(facts)
    return {
        "server": facts.server,
        "version": facts.version,
        "image_ref": facts.image_ref,
        "digest": facts.digest,
        "live": facts.live,
        "idle": facts.idle,
        "weights": facts.weights,
        "of_all_traffic": facts.of_all_traffic,
        "route_notes": list(facts.route_notes),
        "pools": {name: asdict(pool) for name, pool in facts.pools.items()},
        "replicas": replicas,
        "resumed": facts.resumed,
        "already_live": facts.already_live,
        "steps": [asdict(step) for step in steps],
        "gate_descriptions": list(facts.gate_descriptions),
        "seconds": {
            "watched": sum(step.seconds for step in steps) + facts.warm_seconds,
            "until_first_step": seconds_until_first_step(facts.history),
            "most": facts.wait_timeout + sum(step.seconds + facts.shift_timeout for step in steps) + facts.warm_seconds,
        },
        "changes": [{**asdict(change), "values": list(change.values)} for change in changes(facts)],
    }


def steps_left(facts: Facts) -> list[Step]:
    """Return the steps to take. A release that is resumed begins with the step that was interrupted."""
    if facts.already_live:
        return []
    reached = facts.weights[facts.idle] if facts.resumed and facts.weights and facts.idle else 0
    return [step for step in facts.steps if step.weight >= reached]


def wanted_replicas(facts: Facts) -> int | None:
    """Return the number of pods that the new version gets; None when the live pool is unknown."""
    return max(facts.pools[facts.live].replicas, 1) if facts.live in facts.pools else None


def seconds_until_first_step(history: t.Sequence[Release]) -> float | None:
    """Return the seconds from the start of the newest successful release to its first step; None when unknown."""
    for release in history:
        if release["outcome"] == SUCCEEDED and release["steps"]:
            step = release["steps"][0]
            started = _times.parse(release.get("started"))
            first = _times.parse(step.get("at")) if isinstance(step, dict) else None
            return round((first - started).total_seconds(), 1) if started and first else None
    return None


def changes(facts: Facts) -> list[Change]:
    """Return the changes of the release, in its order. Fields that have their values already are left out."""
    if facts.already_live or facts.idle is None:
        return []
    found = []
    if facts.record:
        lease = facts.record.replace("ConfigMap", "Lease")
        found.append(Change(lease, "spec", None, ("held by this run", "returned")))
        found.append(Change(facts.record, "data", None, ("the release, each step, its outcome",)))
    pool, replicas = facts.pools.get(facts.idle), wanted_replicas(facts)
    if pool and pool.image_ref != facts.image_ref:
        found.append(
            Change(
                facts.workload,
                f"spec.template.spec.containers[{facts.container}].image",
                pool.image_ref,
                (facts.image_ref,),
            )
        )
    if pool and replicas is not None and pool.replicas != replicas:
        found.append(Change(facts.workload, "spec.replicas", pool.replicas, (replicas,)))
    places = dict.fromkeys(place for writes in facts.writes for place in writes)
    for place in places:
        values = [writes[place] for writes in facts.writes if place in writes]
        before = facts.current_values.get(place)
        distinct = tuple(value for value, previous in zip(values, [None, *values], strict=False) if value != previous)
        found.append(Change(*place, before, distinct))
    return found


def lines(facts: Facts) -> list[str]:
    """Return the plan as lines for people. Problems come last, where they are seen."""
    from_to = f" from {facts.live} to {facts.idle}" if facts.idle else ""
    found = [
        f"Plan: {facts.version} of {facts.server}{from_to}"
        + (", resuming the release that was interrupted" if facts.resumed else "")
    ]
    if facts.already_live:
        found.append(f"  nothing to do: {facts.live} runs {facts.image_ref} and has all the traffic")
    found.append(f"  image    {facts.image_ref}{'' if '@' in facts.image_ref else _digest(facts.digest)}")
    found += [_pool(facts, name) for name in POOLS]
    found += [f"  {'     ' if number else 'route'}    {note}" for number, note in enumerate(facts.route_notes)]
    if not facts.already_live:
        found += _steps(facts)
        found += [
            f"  {'gates' if not number else '     '}    {gate}" for number, gate in enumerate(facts.gate_descriptions)
        ]
        found.append(f"  time     {_time(facts)}")
        found += [
            f"  {'changes' if not number else '       '}  {_change(change)}"
            for number, change in enumerate(changes(facts))
        ]
    found += [f"  PROBLEM  {problem}" for problem in facts.problems]
    return found


def summary(facts: Facts) -> str:
    """Return one sentence on the problems; empty without any."""
    if not facts.problems:
        return ""
    if len(facts.problems) == 1:
        number, reasons = "1 reason", facts.problems[0]
    else:
        number = f"{len(facts.problems)} reasons"
        reasons = " ".join(f"({place}) {problem}" for place, problem in enumerate(facts.problems, 1))
    return f"The release of {facts.version} to {facts.server} would fail, for {number}: {reasons}"


def _pool(facts: Facts, name: str) -> str:
    pool = facts.pools.get(name)
    role = "live" if name == facts.live else "idle" if name == facts.idle else ""
    weight = f", {_traffic(facts.weights, facts.of_all_traffic, name)}" if facts.weights else ""
    now = (
        f"{pool.image_ref}{_digest(pool.digest)}, {pool.ready} of {pool.replicas} pods ready{weight}"
        if pool
        else UNKNOWN
    )
    replicas = wanted_replicas(facts)
    becomes = (
        f"; becomes {replicas} pods of {facts.version}"
        if name == facts.idle and replicas is not None and not facts.already_live
        else ""
    )
    return f"  {name:8} {f'{role}: ' if role else ''}{now}{becomes}"


def _traffic(weights: Weights, shares: dict[str, float] | None, name: str) -> str:
    if shares is None or shares == weights:
        return f"{weights[name]} % of the traffic"
    return f"{weights[name]} % of both pools' traffic, {percent_text(shares[name])} % of the route's"


def _steps(facts: Facts) -> list[str]:
    found = []
    for place, step in enumerate(steps_left(facts), 1):
        notes = [] if step.reached == step.weight else [f"{step.weight} % requested"]
        if step.reached is None:
            notes = ["unknown whether the route can reach it"]
        elif step.of_all_traffic is not None and step.of_all_traffic != step.reached:
            notes.append(f"{percent_text(step.of_all_traffic)} % of the route's traffic")
        note = f" ({', '.join(notes)})" if notes else ""
        percent = step.weight if step.reached is None else step.reached
        watched = f", watched for {_times.duration(step.seconds)}" if step.seconds > 0 else ", not watched"
        found.append(f"  step {place:<3} {percent} % to {facts.idle or 'the new version'}{note}{watched}")
    if facts.warm_seconds > 0:
        watched = f"the triggers are watched for {_times.duration(facts.warm_seconds)}"
        found.append(f"  warm     then {watched}, with the old pool at full size")
    return found


def _time(facts: Facts) -> str:
    seconds = plan(facts)["seconds"]
    watched, until, most = seconds["watched"], seconds["until_first_step"], _times.duration(seconds["most"])
    if until is None:
        rollout = f"a rollout of at most {_times.duration(facts.wait_timeout)}"
        return f"{_times.duration(watched)} of watching, after {rollout}; at most {most} in all"
    parts = (
        f"{_times.duration(until)} until the first step, as in the last release, and {_times.duration(watched)} "
        f"of watching"
    )
    return f"about {_times.duration(until + watched)} in all: {parts}; at most {most}"


def _change(change: Change) -> str:
    before = "" if change.before is None else f"{change.before} -> "
    return f"{change.object} {change.field}: {before}{' -> '.join(map(str, change.values))}"


def _digest(digest: str) -> str:
    return f" ({digest[:19]})" if digest else ""
