# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import re
from xml.etree.ElementTree import fromstring

import pytest

from ansible_collections.mcp.server.plugins.module_utils._report import plot
from ansible_collections.mcp.server.plugins.module_utils._report.plot import Line, Mark, chart


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (100, [0, 20, 40, 60, 80, 100]),
        (2, [0, 0.5, 1, 1.5, 2]),
        (0.03, [0, 0.01, 0.02, 0.03]),
        (14, [0, 5, 10, 15]),
        (987, [0, 200, 400, 600, 800, 1000]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_value_ticks(highest, ticks):
    assert plot.value_ticks(highest) == ticks


def test_value_ticks_reach_any_value():
    for exponent in range(-4, 6):
        for digit in range(10, 100):
            highest = digit * 10.0**exponent
            ticks = plot.value_ticks(highest)
            assert 3 <= len(ticks) <= 7 and ticks[-1] >= highest * 0.999999


@pytest.mark.parametrize(("start", "end"), [(0, 1), (7, 64), (100, 1300), (0, 9999), (1e9, 1e9 + 90000), (0, 1e7)])
def test_time_ticks(start, end):
    ticks = plot.time_ticks(start, end)
    assert 1 <= len(ticks) <= 9
    assert all(start <= at <= end for at in ticks)


def test_thinned_keeps_peaks():
    points = [(float(at), 0.0) for at in range(10_000)]
    points[4321] = (4321.0, 99.0)
    points[17] = (17.0, None)
    thin = plot.thinned(points)
    assert len(thin) <= plot.MOST_POINTS and (4321.0, 99.0) in thin
    assert thin == sorted(thin)
    assert plot.thinned(points[:300]) == points[:300]


@pytest.mark.parametrize(
    ("points", "pieces"),
    [
        ([], []),
        ([(0, None)], []),
        ([(0, 1), (5, 2), (10, 3)], [[(0, 1), (5, 2), (10, 3)]]),
        ([(0, 1), (5, None), (10, 3)], [[(0, 1)], [(10, 3)]]),
        ([(0, 1), (5, math.nan), (10, math.inf), (15, 4), (20, 5)], [[(0, 1)], [(15, 4), (20, 5)]]),
        ([(0, 1), (5, 2), (10, 3), (60, 4), (65, 5)], [[(0, 1), (5, 2), (10, 3)], [(60, 4), (65, 5)]]),
    ],
)
def test_pieces(points, pieces):
    assert plot.pieces(points) == pieces


def drawn(*lines, marks=(), span=(0.0, 100.0)):
    svg = chart("A <b>", " %", lines, marks, span, 10)
    return fromstring(svg), svg


def test_a_chart():
    line = Line("green", "green", [(0, 0), (50, 10), (60, None), (70, 5)])
    tree, svg = drawn(
        line,
        Line("set", "set", [(0, 0), (50, 10)], steps=True),
        marks=[Mark(50, "10 %"), Mark(51, "20 %"), Mark(52, "30 %"), Mark(90, "rolled back", "bad")],
    )
    assert tree.attrib["aria-label"] == "A <b>: green, set"
    left, right, top, bottom = plot.LEFT, plot.WIDTH - plot.RIGHT, plot.TOP, plot.HEIGHT - plot.BOTTOM
    middle = (left + right) / 2
    assert f'd="M{left} {bottom}L{middle:g} {top}"' in svg
    assert f'd="M{left} {bottom:.1f}H{middle}V{top:.1f}H{right}"'.replace(f"M{left} ", f"M{left:.1f} ") in svg
    assert len(re.findall("<circle", svg)) == 1  # the point that stands alone
    # The third of three neighbours has no room for its label, and keeps its line.
    assert len(re.findall('<line class="mark"', svg)) == 3 and len(re.findall('<text class="mark"', svg)) == 2
    assert '<text class="bad"' in svg


def test_dots_have_their_text():
    tree, svg = drawn(Line("green", "green", [(10, 5), (20, None)], dots=["05:00 <10 %>", "nothing"]))
    assert "<title>05:00 &lt;10 %&gt;</title>" in svg and "nothing" not in svg


@pytest.mark.parametrize("points", [[], [(0, None)], [(0, math.nan)], [(5, -1)], [(50, 1e300)], [(500, 1), (-500, 1)]])
@pytest.mark.parametrize("span", [(0.0, 100.0), (5.0, 5.0)])
def test_whatever_there_is_can_be_drawn(points, span):
    tree, svg = drawn(Line("blue", "blue", points), Line("set", "set", points, steps=True), span=span)
    assert "nan" not in svg and "inf" not in svg.replace("info", "")
