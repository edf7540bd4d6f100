# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pool is which, out of the route's weights, what is noted on it, and the release record. Pure: plain data in, a pool out."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._release.record import Release, is_running
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights, other


def live(weights: Weights) -> str | None:
    """The pool with more than half of the traffic, or None."""
    return next((pool for pool in POOLS if weights[pool] > 50), None)


def stable(weights: Weights, release: Release | None) -> str | None:
    """The pool that a release starts from and returns to: while one runs, the one that was live before it."""
    return release["from"]["pool"] if release and is_running(release) else live(weights)


class Stable(t.NamedTuple):
    """The pool that traffic returns to. named: a person named it, and nothing else says that the other pool is bad."""

    pool: str
    named: bool = False


def note(stable: Stable, weights: Weights) -> str:
    """Return what is noted on the route of the stable pool, together with the weights that it is written with."""
    return json.dumps({"pool": stable.pool, "weights": weights, **({"named": True} if stable.named else {})})


def noted(text: str | None) -> tuple[Stable, Weights] | None:
    """Return what a note says; None without one, and for one that is not ours."""
    try:
        found = json.loads(text or "null")
        weights = {pool: found["weights"][pool] for pool in POOLS}
        stable = Stable(found["pool"], found.get("named") is True)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # anybody may have written it
        return None
    return (stable, weights) if stable.pool in POOLS else None


def recorded(release: Release | None) -> Stable | None:
    """Return what the release record says: the pool that was live before the newest release."""
    return Stable(release["from"]["pool"], release.get("named") is True) if release else None


def rollback_target(release: Release | None, noted_pool: Stable | None, named: str | None = None) -> Stable | None:
    """Return the pool to go back to: the one that is named, or else the recorded one, or else the one noted on the route.

    None when nothing says which one is good: the weights alone don't tell.
    """
    told = recorded(release) or noted_pool
    if named:
        return told if told and told.pool == named else Stable(named, named=True)
    return told


def returns_to(before: Weights, noted_pool: Stable | None, release: Release | None = None) -> Stable | None:
    """Return the pool that traffic returns to once other weights are written; None when that can't be told.

    While a release runs, the one that it started from. Without one, the pool that has everything until now; of a split, the one
    that is noted on the route, or else the one that has most.
    """
    if release and is_running(release):
        return recorded(release)
    if pool := whole(before):
        return Stable(pool)
    most = live(before)
    return noted_pool or (Stable(most) if most else None)


def split(pool: str, percent: int) -> Weights:
    """Both pools' weights when one has this percent, blue first."""
    weights = {pool: percent, other(pool): 100 - percent}
    return {pool: weights[pool] for pool in POOLS}


def gaining(before: Weights, wanted: Weights) -> list[str]:
    """The pools that would get more traffic than they have."""
    return [pool for pool in POOLS if wanted[pool] > before[pool]]


def whole(weights: Weights) -> str | None:
    """The pool that has everything, or None for a split."""
    return next((pool for pool in POOLS if weights[pool] == 100), None)


def already_live(weights: Weights, release: Release | None, live_image_ref: str, image_ref: str | None) -> bool:
    """Whether the image has all the traffic and no release is under way, so that there is nothing to release."""
    return whole(weights) is not None and live_image_ref == image_ref and not (release and is_running(release))
