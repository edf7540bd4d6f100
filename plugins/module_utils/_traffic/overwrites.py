# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether another client has overwritten what a release or a watch builds on. Pure: plain data in and out."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._image import same_image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._server import Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

ROUTE, IMAGE, SIZE, MINIMUM, WORKLOAD = "route", "image", "replicas", "autoscaler", "workload"

LONGEST = 200  # characters of a value that others wrote


class Overwritten(Failure):
    """Another client has overwritten something. The stable pool gets its traffic back once, and nothing is scaled."""


class Expected(t.NamedTuple):
    """What a release or a watch has written, or has found at its start."""

    weights: Weights | None = None  # None while they are changed
    images: t.Mapping[str, str] = {}  # what each pool's workload runs
    sizes: t.Mapping[str, int] = {}  # the pods that each pool must have at least
    minimums: t.Mapping[str, int] = {}  # by pool, a minReplicas that a run has raised
    runs: frozenset[str] = frozenset()  # ids of the runs that may write
    pool: str = ""  # the one that must not lose pods, since it is given traffic; empty for none


class Seen(t.NamedTuple):
    """What one check found. What could not be read is missing."""

    weights: Weights | None = None
    as_written: bool = True  # whether the route is as a write of the expected weights leaves it
    broken: str = ""  # why a route that was read has no weights
    gone: t.Mapping[str, str] = {}  # ROUTE or pools that are not in the cluster, with the API server's words
    run: str = ""  # the run that wrote the route last
    images: t.Mapping[str, str] = {}  # by pool
    image_runs: t.Mapping[str, str] = {}  # the run that wrote each pool's workload last
    sizes: t.Mapping[str, int] = {}  # replicas by pool
    minimums: t.Mapping[str, int] = {}  # minReplicas by pool


class Finding(t.NamedTuple):
    """What was overwritten."""

    what: str  # ROUTE, IMAGE, SIZE, MINIMUM or WORKLOAD
    pool: str  # empty for the route
    text: str  # the present and the former state, a clause
    harmful: bool = True  # whether the release or watch ends
    run: str = ""  # another run of this collection that did it


def findings(expected: Expected, seen: Seen) -> list[Finding]:
    """Return all that another client has overwritten, harmful findings first."""
    found = [*_route(expected, seen), *_gone(expected, seen), *_images(expected, seen), *_sizes(expected, seen)]
    return sorted(found, key=lambda one: not one.harmful)


def overwritten(expected: Expected, seen: Seen) -> Finding | None:
    """Return the first finding; None when all is as expected."""
    return next(iter(findings(expected, seen)), None)


def _route(expected: Expected, seen: Seen) -> t.Iterator[Finding]:
    if expected.weights is None:
        return
    wanted = _text(expected.weights)
    run = seen.run if seen.run not in expected.runs else ""
    if ROUTE in seen.gone:
        yield Finding(ROUTE, "", f"was deleted ({printable(seen.gone[ROUTE], LONGEST)})")
    elif seen.broken:
        yield Finding(
            ROUTE,
            "",
            f"no longer leads to both pools, {wanted} were set ({printable(seen.broken, LONGEST)})",
            run=run,
        )
    elif seen.weights is not None and (run or not seen.as_written):
        yield Finding(ROUTE, "", f"gives {_text(seen.weights)} now, not {wanted}", run=run)


def _gone(expected: Expected, seen: Seen) -> t.Iterator[Finding]:
    """Yield deleted workloads. Harmful is that of the pool that a release goes to, or that has all the traffic."""
    for pool in expected.images.keys() | expected.sizes.keys():
        if pool in seen.gone:
            harmful = pool == expected.pool or (expected.weights or {}).get(pool) == 100
            yield Finding(WORKLOAD, pool, f"was deleted ({printable(seen.gone[pool], LONGEST)})", harmful=harmful)


def _images(expected: Expected, seen: Seen) -> t.Iterator[Finding]:
    for pool, wanted in expected.images.items():
        has = seen.images.get(pool)
        if has is not None and not same_image(wanted, has):
            run = seen.image_runs.get(pool, "")
            text = f"runs {printable(has, LONGEST)} now, not {printable(wanted, LONGEST)}"
            yield Finding(IMAGE, pool, text, run=run if run not in expected.runs else "")


def _sizes(expected: Expected, seen: Seen) -> t.Iterator[Finding]:
    """Yield smaller sizes, harmful for the new pool, and smaller minReplicas, which take no pods yet."""
    for pool, wanted in expected.sizes.items():
        if seen.sizes.get(pool, wanted) < wanted:
            yield Finding(
                SIZE, pool, f"has {seen.sizes[pool]} replicas now, not {wanted}", harmful=pool == expected.pool
            )
    for pool, raised in expected.minimums.items():
        if (seen.minimums.get(pool) or raised) < raised:
            yield Finding(MINIMUM, pool, f"has minReplicas {seen.minimums[pool]} now, not {raised}", harmful=False)


def field(pointer: str) -> str:
    """Return a JSON pointer as people write it: C(spec.rules[0].backendRefs[0].weight)."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps).lstrip(".")


def failure(finding: Finding, name: str, writer: field_managers.Writer, place: str, at: datetime) -> Overwritten:
    """Return the failure that a release or watch ends with.

    name: the object's. place: the field's JSON pointer, empty when the object is gone. at: when it was seen.
    """
    evidence = {"what": finding.what, "pool": finding.pool, "object": name, "field": field(place), "by": writer.name}
    evidence |= {"manager": writer.manager, "at": writer.at, "seen_at": f"{at:%H:%M:%S}", "suspend": writer.suspend}
    who = (
        field_managers.sentence(writer, field(place))
        if place
        else "only the API server's audit log can name who did it; create it again"
    )
    return Overwritten(
        f"{name} {finding.text} (seen at {_times.time_of_day(at)}): {who}.",
        overwritten=evidence,
    )


def _text(weights: Weights) -> str:
    return ", ".join(f"{pool} {percent} %" for pool, percent in weights.items())
