# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether somebody else changed what a release or a watch builds on. Pure: plain data in, a finding out."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._server import Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

ROUTE, IMAGE, SIZE, MINIMUM, DEPLOYMENT = "route", "image", "replicas", "autoscaler", "deployment"

LONGEST = 200  # characters of a value that others wrote

# What may stand between a container's name and its digest
_IMAGE = re.compile(r"(?P<name>[^:@]*)(?::(?P<tag>[^@]*))?(?:@(?P<digest>.*))?", re.DOTALL)


class Overwritten(Failure):
    """Somebody else changed it. The stable pool gets its traffic back once, and nothing is scaled."""


class Expected(t.NamedTuple):
    """What a release or a watch has made, or has found at its start.

    weights: None while they are changed. images, sizes and minimums by pool: what the Deployment runs, the pods that it must
    have at least, and a minReplicas that a run raised. runs: the ids of the runs that may write. pool: the one that must not
    lose pods, since it is given traffic; empty where that is for others to decide.
    """

    weights: Weights | None = None
    images: t.Mapping[str, str] = {}
    sizes: t.Mapping[str, int] = {}
    minimums: t.Mapping[str, int] = {}
    runs: frozenset[str] = frozenset()
    pool: str = ""


class Seen(t.NamedTuple):
    """What one look found. What could not be read is missing.

    as_written: whether the route is as it is when the expected weights were written. broken: why a route that was read has
    no weights. gone: what is not in the cluster, ROUTE or a pool, with what the API server says. run, image_runs: who wrote the route and the Deployments last.
    """

    weights: Weights | None = None
    as_written: bool = True
    broken: str = ""
    gone: t.Mapping[str, str] = {}
    run: str = ""
    images: t.Mapping[str, str] = {}
    image_runs: t.Mapping[str, str] = {}
    sizes: t.Mapping[str, int] = {}
    minimums: t.Mapping[str, int] = {}


class Finding(t.NamedTuple):
    """What was changed.

    what: one of the above. pool: whose it is, empty for the route. text: what is there now and what was before, a clause.
    harmful: whether the release or watch ends. run: another run of this collection that did it.
    """

    what: str
    pool: str
    text: str
    harmful: bool = True
    run: str = ""


def findings(expected: Expected, seen: Seen) -> list[Finding]:
    """Return all that somebody else changed, the worst kind first."""
    found = [*_route(expected, seen), *_gone(expected, seen), *_images(expected, seen), *_sizes(expected, seen)]
    return sorted(found, key=lambda one: not one.harmful)


def overwritten(expected: Expected, seen: Seen) -> Finding | None:
    """Return the worst of the findings; None when all is as expected."""
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
            f"does not lead to both pools any more, {wanted} were set ({printable(seen.broken, LONGEST)})",
            run=run,
        )
    elif seen.weights is not None and (run or not seen.as_written):
        yield Finding(ROUTE, "", f"gives {_text(seen.weights)} now, and not {wanted}", run=run)


def _gone(expected: Expected, seen: Seen) -> t.Iterator[Finding]:
    """A Deployment that is deleted takes its pods with it: that ends a release to it, and a watch of what has all the traffic."""
    for pool in expected.images.keys() | expected.sizes.keys():
        if pool in seen.gone:
            harmful = pool == expected.pool or (expected.weights or {}).get(pool) == 100
            yield Finding(DEPLOYMENT, pool, f"was deleted ({printable(seen.gone[pool], LONGEST)})", harmful=harmful)


def _images(expected: Expected, seen: Seen) -> t.Iterator[Finding]:
    for pool, wanted in expected.images.items():
        has = seen.images.get(pool)
        if has is not None and not same_image(wanted, has):
            run = seen.image_runs.get(pool, "")
            text = f"runs {printable(has, LONGEST)} now, and not {printable(wanted, LONGEST)}"
            yield Finding(IMAGE, pool, text, run=run if run not in expected.runs else "")


def _sizes(expected: Expected, seen: Seen) -> t.Iterator[Finding]:
    """An autoscaler's minimum that is gone takes no pods yet: that is said. Pods that are gone from the new pool end the release."""
    for pool, wanted in expected.sizes.items():
        if seen.sizes.get(pool, wanted) < wanted:
            yield Finding(
                SIZE, pool, f"is to have {seen.sizes[pool]} pods now, and not {wanted}", harmful=pool == expected.pool
            )
    for pool, raised in expected.minimums.items():
        if (seen.minimums.get(pool) or raised) < raised:
            yield Finding(
                MINIMUM, pool, f"may go down to {seen.minimums[pool]} pods now, and not to {raised}", harmful=False
            )


def same_image(one: str, another: str) -> bool:
    """Return whether both may be the same image.

    An admission webhook may name a mirror, or put a digest in the place of the tag or behind it: what both name is compared.
    """
    first, second = (_IMAGE.fullmatch(image.rpartition("/")[2]) for image in (one, another))
    if first is None or second is None or first["name"] != second["name"]:
        return False
    if first["digest"] and second["digest"]:
        return first["digest"] == second["digest"]
    tags = [found["tag"] or ("" if found["digest"] else "latest") for found in (first, second)]
    return tags[0] == tags[1] or not all(tags)


def field(pointer: str) -> str:
    """Return a JSON pointer as people write it: C(spec.rules[0].backendRefs[0].weight)."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps).lstrip(".")


def failure(finding: Finding, name: str, writer: field_managers.Writer, place: str, at: str) -> Overwritten:
    """Return what a release or watch ends with.

    name: of the object. place: the field's JSON pointer, empty where the object is gone. at: when it was seen, UTC.
    """
    evidence = {"what": finding.what, "pool": finding.pool, "object": name, "field": field(place), "by": writer.name}
    evidence |= {"manager": writer.manager, "at": writer.at, "seen_at": at, "suspend": writer.suspend}
    who = (
        field_managers.sentence(writer, field(place))
        if place
        else "who did it, only the API server's audit log can tell; make it again"
    )
    return Overwritten(
        f"{name} {finding.text} (seen at {at} UTC): {who}.",
        overwritten=evidence,
    )


def _text(weights: Weights) -> str:
    return ", ".join(f"{pool} {percent} %" for pool, percent in weights.items())
