# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether the requests are enough to say that a limit is passed or kept. Pure.

Each test returns pass, breach, or no_data while it is not conclusive. So a
release that is judged early waits, and is not rolled back.
"""

from __future__ import annotations

import bisect
import math
import statistics

from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, NO_DATA, PASS

DEVIATIONS = 2.33  # standard deviations that a breach must be past the limit: wrong once in a hundred times
P_VALUE = 0.01  # of the sign test
MIN_BLOCKS = 7  # so that all of them on one side are no accident (1 in 128)
BLOCK = 20  # requests of each pool in a block, at least


def share(counted: float, total: float, limit: float) -> str:
    """Return whether counted of total exceeds limit (0 to 1): breach when the lower end of Wilson's interval does."""
    if counted <= limit * total:
        return PASS
    share_counted, square = counted / total, DEVIATIONS**2
    centre = share_counted + square / (2 * total)
    margin = DEVIATIONS * math.sqrt(share_counted * (1 - share_counted) / total + square / (4 * total**2))
    return BREACH if (centre - margin) / (1 + square / total) > limit else NO_DATA


def excess(new: tuple[float, float], live: tuple[float, float], limit: float) -> tuple[str, float]:
    """Return whether the new pool's share exceeds the live one's by more than limit (0 to 1), and the difference.

    new, live: counted requests, and all.
    """
    difference = new[0] / new[1] - live[0] / live[1]
    if difference <= limit:
        return PASS, difference
    # One more request of each kind: none of a few is not the same as never.
    parts = [((counted + 1) / (total + 2), total + 2) for counted, total in (new, live)]
    deviation = math.sqrt(sum(part * (1 - part) / total for part, total in parts))
    return (BREACH if parts[0][0] - parts[1][0] - limit > DEVIATIONS * deviation else NO_DATA), difference


def rise(new: RatioSeries, live: RatioSeries, limit: float, min_seconds: float) -> tuple[str, float | None, int]:
    """Return whether the new pool's mean exceeds the live one's by limit (0.05 is 5 %) and min_seconds together.

    Also the median rise (0.05 is 5 %; None without a block) and the number of blocks.
    A sign test over blocks of time with enough requests of both pools: what slows both pools does not count against
    the new one, a slow request spoils one block only, and no distribution is assumed. Breach when so many blocks
    would exceed the limit once in a hundred times if each was as likely to as not; pass when at most half of them do.
    """
    pairs = _blocks(new, live)
    if not pairs:
        return NO_DATA, None, 0
    median = statistics.median(ours / theirs - 1 for ours, theirs in pairs)
    past, count = sum(ours > theirs * (1 + limit) + min_seconds for ours, theirs in pairs), len(pairs)
    if sum(math.comb(count, number) for number in range(past, count + 1)) / 2**count < P_VALUE:
        return BREACH, median, count
    return (PASS if count >= MIN_BLOCKS and 2 * past <= count else NO_DATA), median, count


def _blocks(new: RatioSeries, live: RatioSeries) -> list[tuple[float, float]]:
    """Return the mean durations of both pools in seconds, new and live, for each block of time."""
    found = []
    begun, first = None, 0
    for last, at in enumerate(new.times):
        begun = new.begins[last] if begun is None else begun
        ours = new.sums(first, last)
        if ours[0] < BLOCK:
            continue
        left, right = bisect.bisect_right(live.times, begun), bisect.bisect_right(live.times, at) - 1
        theirs = live.sums(left, right) if left <= right else (0.0, 0.0)
        if theirs[0] < BLOCK or theirs[1] <= 0:
            continue
        found.append((ours[1] / ours[0], theirs[1] / theirs[0]))
        begun, first = None, last + 1
    return found
