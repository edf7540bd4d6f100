# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Series over time as inline SVG. Pure. Colours and fonts are the page's (style.py): the drawing names classes only."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT = 920, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 62, 34, 24
MOST_POINTS = 300  # of a line; more can't be seen, and make the file heavy

Point = tuple[float, t.Any]  # seconds since the epoch, and a number; None is a gap


@dataclass(frozen=True)
class Line:
    """kind: the class that styles it. steps: the value holds until the next point. dots: points that no line joins, each with a text."""

    label: str
    kind: str
    points: t.Sequence[Point]
    steps: bool = False
    dots: t.Sequence[str] = ()


@dataclass(frozen=True)
class Mark:
    """A moment that all charts show. kind: the class that styles it."""

    at: float
    label: str
    kind: str = "mark"


@dataclass(frozen=True)
class Scale:
    """Where seconds and values are on the drawing."""

    start: float
    end: float
    top: float

    def x(self, at: float) -> float:
        share = (at - self.start) / (self.end - self.start)
        return round(LEFT + min(max(share, 0), 1) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - min(max(value / self.top, 0), 1) * (HEIGHT - TOP - BOTTOM), 1)


def chart(
    title: str, unit: str, lines: t.Sequence[Line], marks: t.Sequence[Mark], span: tuple[float, float], least_top: float
) -> str:
    """One chart. span: seconds since the epoch; least_top: the values' axis ends here, or higher when a value does."""
    highest = max((value for line in lines for _at, value in line.points if _shown(value)), default=0.0)
    ticks = value_ticks(max(highest, least_top))
    scale = Scale(span[0], max(span[1], span[0] + 1), ticks[-1])
    label = f"{title}: {', '.join(line.label for line in lines)}"
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
        *_axes(scale, ticks, unit),
        *_marks(marks, scale),
        *(part for line in lines for part in _line(line, scale, unit)),
        *_ends(lines, scale),
        "</svg>",
    ]
    return "\n".join(parts)


def value_ticks(highest: float) -> list[float]:
    """From 0 to a round number that is not less, in three to six steps."""
    size = 10 ** math.floor(math.log10(highest / 4))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor * 5 >= highest)
    return [round(step * number, 10) for number in range(math.ceil(round(highest / step, 6)) + 1)]


def time_ticks(start: float, end: float) -> list[float]:
    """Round moments, at most eight."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    step = next((step for step in steps if (end - start) / step <= 8), (end - start) / 8)
    return [step * number for number in range(math.ceil(start / step), math.floor(end / step) + 1)]


def thinned(points: t.Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most so many of them, and of each stretch the highest and the lowest, because a peak is what people look for."""
    if len(points) <= most:
        return list(points)
    size = math.ceil(2 * len(points) / most)
    kept: list[Point] = []
    for first in range(0, len(points), size):
        stretch = points[first : first + size]
        values = [point for point in stretch if _shown(point[1])]
        ends = (
            {min(values, key=lambda point: point[1]), max(values, key=lambda point: point[1])}
            if values
            else {stretch[0]}
        )
        kept += sorted(ends, key=lambda point: point[0])
    return kept


def pieces(points: t.Sequence[Point]) -> list[list[tuple[float, float]]]:
    """Without what is not known: a line is broken where a value is missing, and where points are much further apart than usual."""
    known = [point for point in points if _shown(point[1])]
    distances = sorted(later[0] - earlier[0] for earlier, later in zip(known, known[1:], strict=False))
    usual = distances[len(distances) // 2] if distances else 0.0
    made: list[list[tuple[float, float]]] = []
    whole = False
    for at, value in points:
        if not _shown(value):
            whole = False
            continue
        if whole and at - made[-1][-1][0] <= 3.5 * usual:
            made[-1].append((at, value))
        else:
            made.append([(at, value)])
        whole = True
    return made


def number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _shown(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _axes(scale: Scale, ticks: t.Sequence[float], unit: str) -> t.Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value in ticks:
        y = scale.y(value)
        yield f'<line class="{"grid" if value else "axis"}" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick" x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{number(value)}{escape(unit)}</text>'
    moments = time_ticks(scale.start, scale.end)
    form = "%H:%M" if len(moments) < 2 or moments[1] - moments[0] >= 60 else "%H:%M:%S"
    for at in moments:
        x = scale.x(at)
        yield f'<line class="axis" x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 4}"/>'
        yield f'<text class="tick" x="{x}" y="{bottom + 17}" text-anchor="middle">{datetime.fromtimestamp(at, UTC).strftime(form)}</text>'


def _marks(marks: t.Sequence[Mark], scale: Scale) -> t.Iterator[str]:
    """Their labels are in two rows, so that those of neighbours can be read."""
    free = [0.0, 0.0]
    for mark in sorted(marks, key=lambda one: one.at):
        x, long = scale.x(mark.at), 7.0 * len(mark.label) + 8
        yield f'<line class="{mark.kind}" x1="{x}" x2="{x}" y1="{TOP - 4}" y2="{HEIGHT - BOTTOM}"><title>{escape(mark.label)}</title></line>'
        left = min(max(x - long / 2, 0), WIDTH - long)
        row = next((row for row, until in enumerate(free) if left >= until), None)
        if row is not None:
            free[row] = left + long
            yield f'<text class="{mark.kind}" x="{left + long / 2:.1f}" y="{TOP - 9 - 13 * row}" text-anchor="middle">{escape(mark.label)}</text>'


def _line(line: Line, scale: Scale, unit: str) -> t.Iterator[str]:
    if line.dots:
        for (at, value), text in zip(line.points, line.dots, strict=True):
            if _shown(value):
                yield f'<circle class="{line.kind}" cx="{scale.x(at)}" cy="{scale.y(value)}" r="4"><title>{escape(text)}</title></circle>'
        return
    if line.steps:
        yield f'<path class="{line.kind}" d="{_stairs(line.points, scale)}"><title>{escape(line.label)}</title></path>'
        return
    for piece in pieces(thinned(line.points)):
        if len(piece) == 1:
            (at, value) = piece[0]
            yield f'<circle class="{line.kind}" cx="{scale.x(at)}" cy="{scale.y(value)}" r="2"/>'
        else:
            way = "L".join(f"{scale.x(at):g} {scale.y(value):g}" for at, value in piece)
            yield f'<path class="{line.kind}" d="M{way}"><title>{escape(line.label)}, {escape(unit.strip())}</title></path>'


def _stairs(points: t.Sequence[Point], scale: Scale) -> str:
    way = ""
    for at, value in points:
        if _shown(value):
            way += f"H{scale.x(at)}V{scale.y(value)}" if way else f"M{scale.x(at)} {scale.y(value)}"
    return f"{way}H{WIDTH - RIGHT}" if way else ""


def _ends(lines: t.Sequence[Line], scale: Scale) -> t.Iterator[str]:
    """Each line's name at its end, one below the other where they would meet."""
    ends = []
    for line in lines:
        known = [value for _at, value in line.points if _shown(value)]
        if known and not line.dots:
            ends.append((scale.y(known[-1]), line))
    lowest = -math.inf
    for y, line in sorted(ends, key=lambda end: end[0]):
        lowest = max(y + 4, lowest + 13)
        yield f'<text class="end {line.kind}" x="{WIDTH - RIGHT + 6}" y="{lowest:g}">{escape(line.label)}</text>'
