# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.series import MISSED, Series, Store
from ansible_collections.mcp.server.tests.unit.fakes.metrics import (
    EVERY,
    REQUESTS,
    START,
    answers,
    counter,
    growing,
    pod,
    verdict,
)

GATE = Gate("errors", "errors", 5.0, window=60)

amounts = st.one_of(st.just(0), st.integers(0, 10), st.integers(0, 200))
scrapes = st.lists(st.tuples(amounts, amounts), min_size=1, max_size=40)
gates = st.builds(
    Gate,
    st.just("errors"),
    st.just("errors"),
    st.sampled_from([0.0, 5.0, 50.0]),
    window=st.sampled_from([5.0, 30.0, 60.0]),
    least=st.sampled_from([0, 20, 200]),
)


def series(counts, start=START):
    return answers([good for good, _bad in counts], [bad for _good, bad in counts], start=start)


@settings(deadline=None)
@given(gates, scrapes, st.data())
def test_more_errors_never_turn_a_breach_into_anything_else(gate, counts, data):
    more = [(good, bad + data.draw(st.sampled_from([0, 0, 1, 5, 100]))) for good, bad in counts]
    if verdict(gate, series(counts)).verdict == BREACH:
        assert verdict(gate, series(more)).verdict == BREACH


@settings(deadline=None)
@given(gates, scrapes, st.data())
def test_good_answers_that_fail_instead_never_turn_a_breach_into_anything_else(gate, counts, data):
    worse = []
    for good, bad in counts:
        moved = data.draw(st.integers(0, good))
        worse.append((good - moved, bad + moved))
    if verdict(gate, series(counts)).verdict == BREACH:
        assert verdict(gate, series(worse)).verdict == BREACH


@settings(deadline=None)
@given(gates, scrapes, st.integers(0, 2**32), st.integers(1, 4))
def test_how_the_samples_were_read_makes_no_difference(gate, counts, seed, calls):
    """In one call, or in several of which each has a part, that overlap or not, in any order."""
    whole, source = series(counts), random.Random(seed)
    store = Store()
    parts = [[] for _call in range(calls)]
    for each in whole:
        drawn = [source.sample(range(calls), source.randint(1, calls)) for _sample in each.samples]
        for call in range(calls):
            parts[call].append(
                Series(
                    each.labels, [sample for sample, among in zip(each.samples, drawn, strict=True) if call in among]
                )
            )
    for part in parts:
        store.add(part)
    assert verdict(gate, store.series()) == verdict(gate, Store(whole).series())


@settings(deadline=None)
@given(gates, scrapes, scrapes, st.integers(MISSED + 1, 20))
def test_a_gap_never_extends_a_window(gate, before, after, missed):
    """A breach with a gap in it is one before the gap or one after it."""
    good = [growing(*(good for good, _bad in counts), first=first) for counts, first in ((before, 0), (after, 10**6))]
    bad = [growing(*(bad for _good, bad in counts), first=first) for counts, first in ((before, 0), (after, 10**6))]
    start = START + EVERY * (len(good[0]) + missed)

    def both(part, at):
        return [
            counter(REQUESTS, good[part], at, code="200", **pod("green")),
            counter(REQUESTS, bad[part], at, code="500", **pod("green")),
        ]

    gapped = [
        counter(REQUESTS, [*values[0], *[None] * missed, *values[1]], code=code, **pod("green"))
        for values, code in ((good, "200"), (bad, "500"))
    ]
    if verdict(gate, gapped).verdict == BREACH:
        assert BREACH in (verdict(gate, both(0, START)).verdict, verdict(gate, both(1, start), begin=START).verdict)


@settings(deadline=None)
@given(gates, scrapes)
def test_a_breach_lasted(gate, counts):
    """No verdict is passed on less than the window, and errors that were there for so long are a breach."""
    found = verdict(gate, series(counts))
    if found.verdict == BREACH:
        assert found.seconds_past >= gate.window
        assert sum(bad > 0 for _good, bad in counts) > 1
    # At the beginning a value may have good ones of before in it.
    full = int(gate.window / EVERY) + 2
    bad = [good == 0 and bad >= 20 for good, bad in counts]
    if (
        gate.limit <= 5
        and gate.least <= 20
        and any(all(bad[first : first + full]) for first in range(len(counts) - full + 1))
    ):
        assert found.verdict == BREACH
