# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a shift does where answers name no pool: other ways to measure, or a refusal that says how to change that."""

from __future__ import annotations

import functools
import time
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import counters, naming, server_infos, share
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import pool_header
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift, measured_text

COUNTERS_INTERVAL = 2.0  # seconds between reads of the gateway's counters


def prepare(shift: Shift) -> None:
    """Find out before the weights are written what the share is measured by. Raise Failure, with the cure.

    Where answers fail now, this is found out once they don't.
    """
    if lie := pool_header.problem(shift.route, shift.server):
        raise Failure(f"Traffic of {shift.server} is not shifted. {lie}", **shift.result)
    shift.fall_back = functools.partial(_choose, shift, before=False)
    if shift.public is None or shift.task.check_mode:
        return
    if not _name_no_pool(shift, shift.public):
        return
    if _has_named_others(shift):
        return
    _choose(shift, before=True)


def _has_named_others(shift: Shift) -> bool:
    """Return whether what names no pool may be an answer of other backends, on a route that names the pools."""
    others = shift.kind.part(shift.route, shift.server) < 1
    return others and bool(pool_header.names_pools(shift.route, shift.server))


def _name_no_pool(shift: Shift, public: endpoints.Endpoint) -> bool:
    """Return whether enough answers are good and none names a pool. It takes one answer where that names one."""

    def enough() -> int:
        shift.task.check_lease()
        return shift.looked_at

    last = share.until_named(public, enough)[-1]
    return not (last.pool or last.reason)


def _choose(shift: Shift, *, before: bool) -> None:
    """Set measured_by, and what it needs. before: whether the weights have not been written yet."""
    server, kind = shift.server, shift.kind
    if (found := counters.connect(shift.task.params, server)) is not None:
        shift.measured_by = naming.COUNTERS
        shift.measure_otherwise = functools.partial(_measure_by_counters, shift, found)
        return
    # An endpoint with serverInfo of the pools answers in its own stream, which begins with the write.
    if before and shift.public is not None:
        infos = server_infos.differing(shift.cluster, server, shift.task.params)
        public = replace(shift.public, server_infos=infos)
        if infos and not _name_no_pool(shift, public):
            shift.public = public
            return
    sets_header = pool_header.names_pools(shift.route, server)
    if sets_header is None:
        shift.task.warn(naming.not_measured(server, kind.name(server)))
        shift.measured_by = naming.NOTHING
        return
    why = naming.unnamed(server, kind.name(server), sets_header, pool_header.cure(server))
    about = "is not shifted." if before else "was shifted, and has not been confirmed to follow."
    raise Failure(f"Traffic of {server} {about} {why}", **shift.result)


def _measure_by_counters(
    shift: Shift, reading: counters.Counters, answers: t.Iterable[share.Answer], wanted: Weights, bound: Deadline
) -> None:
    """Read the gateway's counters while requests are made, until they match the weights. Raise Failure when not.

    It is inconclusive, not wrong, when there was too little to count.
    """
    params, pool = shift.task.params, shift.task.params["pool"]
    by = naming.by_text(naming.COUNTERS, shift.server, "", reading.source)
    found, missing, read_at = counters.Counted(dict.fromkeys(POOLS, 0.0), scraped=False), "", 0.0
    asked, failed, reason, reached = 0, 0, "", False

    def text() -> str:
        return f"{measured_text(_tally(found, failed, reason), pool)}, {by}"

    for answer in answers:
        asked, failed, reason = asked + 1, failed + bool(answer.reason), answer.reason or reason
        if time.monotonic() - read_at < COUNTERS_INTERVAL:
            continue
        read_at = time.monotonic()
        try:
            found, missing = reading.read(), ""
        except Failure as failure:
            missing = failure.msg
        reached = counters.follows(found, wanted, params["tolerance"])
        if reached:
            break
        shift.show(f"{pool} {wanted[pool]} %: measured {text()}")
    shift.result["share"] = {
        **_tally(found, failed, reason),
        "reached": reached,
        "measured_by": naming.COUNTERS,
        "versions": [],
        "seconds": round(bound.elapsed, 3),
    }
    if reached:
        shift.task.progress(f"{pool} {wanted[pool]} %: measured {text()}")
        return
    about = f"{shift.written_but(wanted)} traffic has not been confirmed to follow:"
    if missing or not counters.is_enough(found):
        why = missing or f"within {bound.seconds:g} s {counters.waits_for(found)}. Set timeout to more seconds."
        raise Failure(f"{about} {why}", **{**shift.result, "inconclusive": True})
    raise Failure(
        f"{about} within {bound.seconds:g} s the gateway's counters ({reading.source}) gave {pool} "
        f"{measured_text(_tally(found, failed, reason), pool)}. Check the gateway's logs, and whether another route "
        "leads to the pools' Services: the counters are of all their requests.",
        **shift.result,
    )


def _tally(found: counters.Counted, failed: int, reason: str) -> dict[str, t.Any]:
    return {
        **{pool: found.percent(pool) for pool in POOLS},
        "requests": found.total,
        "failed": failed,
        "reason": reason,
    }
