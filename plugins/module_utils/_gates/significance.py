# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether so few or so many samples tell that a limit is passed. Pure; each answers pass, breach, or no data while they don't tell.

One good value is not enough to condemn, and one bad value neither: a release
that is judged too early waits, it is not taken back.
"""

from __future__ import annotations

import bisect
import math
import statistics

from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, NO_DATA, PASS

SURE = 2.33  # standard deviations: wrong once in a hundred times
WRONG = 0.01
BLOCKS = 7  # the fewest of which all on one side are no accident (1 in 128)
BLOCK = 20  # requests of each pool that make a block


def share(counted: float, total: float, limit: float) -> str:
    """Whether counted of total is more than limit (0 to 1): breach when the lower end of Wilson's interval is."""
    if counted <= limit * total:
        return PASS
    part, square = counted / total, SURE**2
    centre = part + square / (2 * total)
    margin = SURE * math.sqrt(part * (1 - part) / total + square / (4 * total**2))
    return BREACH if (centre - margin) / (1 + square / total) > limit else NO_DATA


def excess(new: tuple[float, float], live: tuple[float, float], limit: float) -> tuple[str, float]:
    """Whether the share (counted, total) of the new pool is higher than the live one's by more than limit (0 to 1), and by how much it is."""
    difference = new[0] / new[1] - live[0] / live[1]
    if difference <= limit:
        return PASS, difference
    # One more of each kind: none of a few is not the same as never.
    parts = [((counted + 1) / (total + 2), total + 2) for counted, total in (new, live)]
    deviation = math.sqrt(sum(part * (1 - part) / total for part, total in parts))
    return (BREACH if parts[0][0] - parts[1][0] - limit > SURE * deviation else NO_DATA), difference


def rise(new: RatioSeries, live: RatioSeries, limit: float, floor: float) -> tuple[str, float | None, int]:
    """Whether the mean of the new pool is higher than the live one's by more than limit (0.05 is 5 %) and floor.

    A sign test over blocks of time in which both pools answered enough: what
    slows both at once is not held against the new one, a single slow answer
    spoils one block only, and no distribution is assumed. Breach when so many
    blocks would be past the limit once in a hundred times, if each was as likely
    as not; pass when no more than half of them are. Also the median rise, and the number of blocks.
    """
    pairs = _blocks(new, live)
    if not pairs:
        return NO_DATA, None, 0
    median = statistics.median(ours / theirs - 1 for ours, theirs in pairs)
    past, count = sum(ours > theirs * (1 + limit) + floor for ours, theirs in pairs), len(pairs)
    if sum(math.comb(count, number) for number in range(past, count + 1)) / 2**count < WRONG:
        return BREACH, median, count
    return (PASS if count >= BLOCKS and 2 * past <= count else NO_DATA), median, count


def _blocks(new: RatioSeries, live: RatioSeries) -> list[tuple[float, float]]:
    """Means (seconds) of the new and of the live pool in the same time."""
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
