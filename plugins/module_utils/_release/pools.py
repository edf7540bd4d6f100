# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which pool is live, stable, or the target of a rollback, by the route's weights, its note and the record.

Pure.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._image import same_image, same_repository, same_version
from ansible_collections.mcp.server.plugins.module_utils._release.record import SUCCEEDED, Release, is_running
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights, other


def live(weights: Weights) -> str | None:
    """Return the pool with more than half of the traffic, or None."""
    return next((pool for pool in POOLS if weights[pool] > 50), None)


def stable(weights: Weights, release: Release | None) -> str | None:
    """Return the pool that a release starts from and returns to: while one runs, the pool that was live before it."""
    return release["from"]["pool"] if release and is_running(release) else live(weights)


class Stable(t.NamedTuple):
    """The pool that traffic returns to."""

    pool: str
    # Whether a person named it, and nothing else says that the other pool is bad.
    named: bool = False


def note(stable: Stable, weights: Weights) -> str:
    """Return the note of the stable pool for the route. weights: the ones that it is written with."""
    return json.dumps({"pool": stable.pool, "weights": weights, **({"named": True} if stable.named else {})})


def noted(text: str | None) -> tuple[Stable, Weights] | None:
    """Return the content of a note; None without one, or when its text is something else."""
    try:
        found = json.loads(text or "null")
        weights = {pool: found["weights"][pool] for pool in POOLS}
        stable = Stable(found["pool"], found.get("named") is True)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # anybody may have written it
        return None
    return (stable, weights) if stable.pool in POOLS else None


def recorded(release: Release | None) -> Stable | None:
    """Return the stable pool by the release record: the one that was live before the newest release."""
    return Stable(release["from"]["pool"], release.get("named") is True) if release else None


def rollback_target(release: Release | None, noted_pool: Stable | None, named: str | None = None) -> Stable | None:
    """Return the pool to roll back to: the named one, or else by the record, or else by the route's note.

    None when none of them says which pool is good: the weights alone do not.
    """
    known = recorded(release) or noted_pool
    if named:
        return known if known and known.pool == named else Stable(named, named=True)
    return known


def returns_to(before: Weights, noted_pool: Stable | None, release: Release | None = None) -> Stable | None:
    """Return the pool that traffic returns to after the weights change; None when it is unknown.

    While a release runs, that is the pool that it started from. Without one, it is the pool with all the traffic; for a
    split, the pool in the route's note, or else the one with most of the traffic.
    """
    if release and is_running(release):
        return recorded(release)
    if pool := whole(before):
        return Stable(pool)
    most = live(before)
    return noted_pool or (Stable(most) if most else None)


def split(pool: str, percent: int) -> Weights:
    """Return the weights of both pools when this one has C(percent), blue first."""
    weights = {pool: percent, other(pool): 100 - percent}
    return {pool: weights[pool] for pool in POOLS}


def gaining(before: Weights, wanted: Weights) -> list[str]:
    """Return the pools that would get more traffic than they have."""
    return [pool for pool in POOLS if wanted[pool] > before[pool]]


def whole(weights: Weights) -> str | None:
    """Return the pool with all the traffic, or None for a split."""
    return next((pool for pool in POOLS if weights[pool] == 100), None)


def already_live(weights: Weights, release: Release | None, live_image_ref: str, image_ref: str | None) -> bool:
    """Return whether the image has all the traffic and no release is running, so that there is nothing to release.

    Where an admission webhook has put a mirror or a digest in its place, the record says what was asked for.
    """
    pool = whole(weights)
    if pool is None or image_ref is None or (release and is_running(release)):
        return False
    if same_repository(live_image_ref, image_ref) and same_version(live_image_ref, image_ref):
        return True
    if release is None or release["outcome"] != SUCCEEDED or release["to"]["pool"] != pool:
        return False
    return release["to"].get("image_ref") == image_ref and same_image(live_image_ref, image_ref)
