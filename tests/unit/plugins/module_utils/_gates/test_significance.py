# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When requests are enough to say that a limit is passed. The numbers are those of the formulas, done by hand."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import significance
from ansible_collections.mcp.server.plugins.module_utils._gates.counters import RatioSeries


@pytest.mark.parametrize(
    ("counted", "total", "verdict"),
    [
        (5, 100, "pass"),  # exactly the limit
        (6, 100, "no_data"),
        (10, 100, "no_data"),  # the lower end of Wilson's interval is 4.95 %
        (11, 100, "breach"),  # and 5.63 %
        (70, 1000, "breach"),
        (60, 1000, "no_data"),
    ],
)
def test_a_share_against_five_percent(counted: int, total: int, verdict: str) -> None:
    assert significance.share(counted, total, 0.05) == verdict


@pytest.mark.parametrize(
    ("new", "live", "verdict", "difference"),
    [
        ((1, 100), (0, 1000), "pass", 0.01),  # exactly the limit
        ((2, 100), (0, 1000), "no_data", 0.02),
        ((6, 100), (0, 1000), "no_data", 0.06),  # 5.8 points more, after one more of each kind: 5.8 are chance
        ((7, 100), (0, 1000), "breach", 0.07),
        ((3, 100), (20, 1000), "pass", 0.01),
        # None of a few is not the same as never: without one more request of each kind this would be a breach.
        ((4, 20), (0, 5), "no_data", 0.2),
        # After one more of each kind, 6 of 12 are 42 points more than 1 of 12, of which 38 are chance.
        ((5, 10), (0, 10), "breach", 0.5),
        ((0, 100), (50, 1000), "pass", -0.05),
        # A few errors, where the live pool has none at all.
        ((4, 300), (0, 300), "no_data", 4 / 300),
    ],
)
def test_more_than_one_percent_above_the_live_pool(
    new: tuple[int, int], live: tuple[int, int], verdict: str, difference: float
) -> None:
    found, value = significance.excess(new, live, 0.01)
    assert (found, value) == (verdict, pytest.approx(difference))


def durations(*means: float, requests: int = 20) -> RatioSeries:
    """Return a pool's blocks of 5 s with these mean durations."""
    count = len(means)
    times = [5.0 * number for number in range(1, count + 1)]
    begins = [at - 5.0 for at in times]
    return RatioSeries(5.0, times, begins, [0] * count, [requests] * count, [requests * mean for mean in means])


@pytest.mark.parametrize(
    ("new", "live", "verdict", "median", "blocks"),
    [
        # All of seven blocks on the bad side are no accident, all of six may be.
        ([0.3] * 7, [0.2] * 7, "breach", 0.5, 7),
        # Seven of ten that are a hundred times as slow may be an accident, and are no pass.
        ([1.0] * 7 + [0.01] * 3, [0.01] * 10, "no_data", 99.0, 10),
        ([0.3] * 6, [0.2] * 6, "no_data", 0.5, 6),
        # At most half of at least seven blocks are.
        ([0.2] * 7, [0.2] * 7, "pass", 0.0, 7),
        ([0.2] * 6, [0.2] * 6, "no_data", 0.0, 6),
        ([0.3] * 4 + [0.2] * 4, [0.2] * 8, "pass", 0.25, 8),
        ([0.3] * 5 + [0.2] * 3, [0.2] * 8, "no_data", 0.5, 8),
        # Five percent more is the limit, and so are 10 ms.
        ([0.21] * 8, [0.2] * 8, "pass", 0.05, 8),
        ([0.019] * 8, [0.01] * 8, "pass", 0.9, 8),
        ([0.0206] * 8, [0.01] * 8, "breach", 1.06, 8),
        ([], [], "no_data", None, 0),
    ],
)
def test_a_rise_of_the_latency(
    new: list[float], live: list[float], verdict: str, median: float | None, blocks: int
) -> None:
    found = significance.rise(durations(*new), durations(*live), 0.05, 0.01)
    assert found == (verdict, median if median is None else pytest.approx(median), blocks)


def test_a_block_needs_twenty_requests_of_both_pools() -> None:
    few = durations(*[0.3] * 14, requests=19)
    assert significance.rise(few, durations(*[0.2] * 14), 0.05, 0.01)[2] == 7
    assert significance.rise(durations(*[0.3] * 14), few, 0.05, 0.01)[2] == 7
    assert significance.rise(durations(*[0.3] * 14), durations(*[0.2] * 14, requests=1), 0.05, 0.01)[2] == 0
