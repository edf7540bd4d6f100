# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last sentence of a release: which pool serves which version, since when or why, and the way back. Pure."""

from __future__ import annotations

from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils import _times


def live(version: str, pool: str, since: datetime, *, measured: bool = True) -> str:
    """Return the clause for a version that has all the traffic.

    since: when that was confirmed. measured: whether by a share, see Shift.measured_by.
    """
    how = "100 % measured" if measured else "100 % set, not measured"
    return f"{version} is live on {pool} since {_times.time_of_day(since)} ({how})"


def succeeded(
    version: str,
    pool: str,
    since: datetime,
    *,
    before: str,
    stable: str,
    replicas: int | None = None,
    measured: bool = True,
) -> str:
    """Return how a release ended that succeeded. since, measured: see live().

    before: the version on the stable pool. replicas: the warm size that pool was scaled to, None when it keeps its own.
    """
    match replicas:
        case None:
            kept = f"stays ready on {stable}"
        case 0:
            kept = f"stays on {stable}, scaled to 0"
        case _:
            kept = f"stays ready on {stable} with {replicas} pod{'' if replicas == 1 else 's'}"
    return f"{live(version, pool, since, measured=measured)}. {before} {kept}; to go back: rollback.yml."


def rolled_back(version: str, cause: str, *, pool: str, before: str = "", digest_gone: str = "") -> str:
    """Return how a release ended that was rolled back.

    cause: a sentence, or a clause with its full stop. pool: where all traffic is.
    before: the version of that pool, empty when not known. digest_gone: see by_tag().
    """
    where = f"{pool} ({before})" if before else pool
    return f"{version} was rolled back; all traffic is on {where} again{by_tag(digest_gone)}. Cause: {cause}"


def by_tag(digest_gone: str) -> str:
    """Return the end of a clause about a pool that runs its tag, as the registry no longer has the digest."""
    return f", which runs its tag because the registry no longer has {digest_gone}" if digest_gone else ""
