# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Samples as servers that scrape the same thing have them, and what is left of them."""

from __future__ import annotations

import math

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.series import (
    Series,
    Store,
    counted_once,
    increases,
    interval,
    is_renamed,
    undoubled,
)


def at(*times: float) -> list[tuple[float, float]]:
    return [(time, time) for time in times]


@pytest.mark.parametrize(
    ("times", "left_out"),
    [
        ((), ()),
        ((0,), ()),
        ((0, 5), ()),
        ((0, 5, 10, 15), ()),
        # Two servers, the second one 0.2 s, 1.5 s later; it answers from the second poll on; it has a gap
        ((0, 0.2, 5, 5.2, 10, 10.2, 15), (0.2, 5.2, 10.2)),
        ((0, 1.5, 5, 6.5, 10, 11.5, 15, 16.5), (1.5, 6.5, 11.5, 16.5)),
        ((0, 5, 10, 10.2, 15, 15.2), (10.2, 15.2)),
        ((0, 0.2, 5, 10, 10.2, 15, 20), (0.2, 10.2)),
        # Half an interval apart: as if one scraped twice as often
        ((0, 2.5, 5, 7.5, 10), ()),
        ((0, 2, 5, 7, 10, 12, 15), ()),
        # Scrapes are missing, the interval changed, times are not exact
        ((0, 5, 15, 20, 30, 35), ()),
        ((0, 5, 10, 15, 75), ()),
        ((0, 5, 65, 70, 75, 80), ()),
        ((0, 30, 60, 65, 70, 75), ()),
        ((0, 5.01, 9.99, 15.02, 25, 30.003), ()),
    ],
)
def test_samples_of_two_servers(times, left_out):
    assert undoubled(at(*times)) == [sample for sample in at(*times) if sample[0] not in left_out]


def test_no_restart_is_seen_between_two_servers():
    """The second one's clock is 0.2 s ahead: what it has at 5.1 s is of 4.9 s."""
    store = Store()
    for number in range(20):
        time = 5.0 * number
        store.add([Series({"a": "b"}, [(time, 100 + 20 * time), (time + 0.1, 100 + 20 * (time - 0.1))])])
    (series,) = store.series()
    grown = increases(series, interval([series]), [])
    assert [each.amount for each in grown] == [100.0] * 19


def test_what_is_no_count():
    (series,) = Store([Series({}, [(1, math.nan), (2, math.inf), (3, -math.inf), (4, -5.0), (5, 7.0)])]).series()
    assert series.samples == [(5, 7.0)]


def test_two_samples_at_one_time():
    """The higher one counts, in whichever order they come."""
    for values in ((3.0, 2.0), (2.0, 3.0)):
        (series,) = Store([Series({}, [(1, value) for value in values])]).series()
        assert series.samples == [(1, 3.0)]


def counter(name, values, start=0.0, every=5.0):
    samples = [(start + every * number, value) for number, value in enumerate(values) if value is not None]
    return Series({"job": name}, samples)


GROWING = [100.0 * number for number in range(10)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # At the same times, between them, with a clock that differs, as seldom as every third scrape
        (counter("a", GROWING), counter("b", GROWING), GROWING),
        (counter("a", GROWING), counter("b", [value + 40 for value in GROWING[:9]], 2), GROWING),
        (counter("a", GROWING), counter("b", [value - 40 for value in GROWING], 1), GROWING),
        (counter("a", GROWING), counter("b", GROWING[::3], every=15), GROWING),
        # Both begin anew, the second one is seen to do so later
        (
            counter("a", [*GROWING, *GROWING]),
            counter("b", [*GROWING, GROWING[-1], *GROWING[:9]], 1),
            [*GROWING, *GROWING],
        ),
        # One scraped for a while only: the other one fills the gap, or goes on
        (
            counter("a", [*GROWING, *[None] * 5, *[value + 1500 for value in GROWING]]),
            counter("b", [100.0 * number for number in range(8, 16)], 40),
            [100.0 * number for number in range(25)],
        ),
        (
            counter("a", [*GROWING, 1000.0]),
            counter("b", [100.0 * number for number in range(10, 16)], 50),
            [100.0 * number for number in range(16)],
        ),
    ],
)
def test_one_counter_scraped_twice(one, other, expected):
    for series in ([one, other], [other, one]):
        (found,) = counted_once(series)
        assert [value for _at, value in found.samples] == expected


def test_two_counters_of_one_pod_are_two():
    """Such as of two processes, each with a port of its own."""
    other = counter("b", [value + 300 for value in GROWING])
    assert len(counted_once([counter("a", GROWING), other])) == 2


@pytest.mark.parametrize(
    ("others", "renamed"),
    [
        ([], False),
        ([counter("a", [90.0, 100.0])], True),
        ([counter("a", [90.0, 101.0])], False),
        ([counter("a", [90.0, 100.0]), counter("b", [5.0, 700.0])], True),
        ([counter("a", [90.0, 91.0, 92.0])], False),  # it goes on
        ([counter("a", [90.0], 10)], False),  # it begins with it
    ],
)
def test_an_old_counter_with_new_labels(others, renamed):
    series = counter("new", [100.0, 110.0], 10)
    assert is_renamed(series, [series, *others]) is renamed
