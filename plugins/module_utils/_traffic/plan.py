# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pool is which, out of the route's weights and the release record. Pure: plain data in, a pool out."""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._cluster.record import Release, is_running
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import POOLS, Weights, other


def live(weights: Weights) -> str | None:
    """The pool with more than half of the traffic, or None."""
    return next((pool for pool in POOLS if weights[pool] > 50), None)


def stable(weights: Weights, release: Release | None) -> str | None:
    """The pool that a release starts from and returns to: while one runs, the one that was live before it."""
    return release["from"]["pool"] if release and is_running(release) else live(weights)


def rollback_target(weights: Weights, release: Release | None) -> str | None:
    """The pool that was live before the newest release; without a release, the one that is not live now."""
    if release:
        return release["from"]["pool"]
    now = live(weights)
    return other(now) if now else None


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


def already_live(weights: Weights, release: Release | None, live_image: str, image: str | None) -> bool:
    """Whether the image has all the traffic and no release is under way, so that there is nothing to release."""
    return whole(weights) is not None and live_image == image and not (release and is_running(release))
