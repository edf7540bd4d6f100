# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw series over time as inline SVG. Pure. Colours and fonts come from style.py: the drawing has classes only."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT = 920, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 62, 34, 24
MAX_POINTS = 300  # of a line; more can't be seen, and make the file large

Point = tuple[float, "float | None"]  # epoch seconds, and the value; None is a gap
KnownPoint = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    label: str
    kind: str  # the class that styles it
    points: t.Sequence[Point]
    steps: bool = False  # a value holds until the next point
    dots: t.Sequence[str] = ()  # a text for each point; the points are not joined then


@dataclass(frozen=True)
class Mark:
    """A time that is marked by a vertical line."""

    at: float  # epoch seconds
    label: str
    kind: str = "mark"  # the class that styles it


@dataclass(frozen=True)
class Scale:
    """The coordinates of times and values on the drawing."""

    start: float  # epoch seconds
    end: float  # epoch seconds
    top: float  # the highest value

    def x(self, at: float) -> float:
        """Return the x of a time."""
        part = (at - self.start) / (self.end - self.start)
        return round(LEFT + min(max(part, 0), 1) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Return the y of a value."""
        return round(HEIGHT - BOTTOM - min(max(value / self.top, 0), 1) * (HEIGHT - TOP - BOTTOM), 1)


def chart(
    title: str, unit: str, lines: t.Sequence[Line], marks: t.Sequence[Mark], span: tuple[float, float], min_top: float
) -> str:
    """Return one chart. span: in epoch seconds. min_top: the axis of values reaches at least so high."""
    highest = max((value for line in lines for _at, value in known(line.points)), default=0.0)
    ticks = value_ticks(max(highest, min_top))
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
    """Return values from 0 to a round number that is not less than the highest, in three to six steps."""
    size = 10 ** math.floor(math.log10(highest / 4))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor * 5 >= highest)
    return [round(step * number, 10) for number in range(math.ceil(round(highest / step, 6)) + 1)]


def time_ticks(start: float, end: float) -> list[float]:
    """Return round times, at most eight."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    step = next((step for step in steps if (end - start) / step <= 8), (end - start) / 8)
    return [step * number for number in range(math.ceil(start / step), math.floor(end / step) + 1)]


def thinned(points: t.Sequence[Point], limit: int = MAX_POINTS) -> list[Point]:
    """Return at most so many points: the highest and the lowest of each stretch, so that peaks stay visible."""
    if len(points) <= limit:
        return list(points)
    size = math.ceil(2 * len(points) / limit)
    kept: list[Point] = []
    for first in range(0, len(points), size):
        stretch = points[first : first + size]
        values = known(stretch)
        if not values:
            kept.append(stretch[0])
            continue
        ends = {min(values, key=lambda point: point[1]), max(values, key=lambda point: point[1])}
        kept += sorted(ends, key=lambda point: point[0])
    return kept


def pieces(points: t.Sequence[Point]) -> list[list[KnownPoint]]:
    """Return the pieces of a line. It is broken where a value is missing or points are unusually far apart."""
    times = [at for at, _value in known(points)]
    distances = sorted(later - earlier for earlier, later in zip(times, times[1:], strict=False))
    usual = distances[len(distances) // 2] if distances else 0.0
    made: list[list[KnownPoint]] = []
    whole = False
    for at, value in points:
        if not _is_known(value):
            whole = False
            continue
        if whole and at - made[-1][-1][0] <= 3.5 * usual:
            made[-1].append((at, value))
        else:
            made.append([(at, value)])
        whole = True
    return made


def known(points: t.Iterable[Point]) -> list[KnownPoint]:
    """Return the points that have a value."""
    return [(at, value) for at, value in points if _is_known(value)]


def number(value: float) -> str:
    """Return a number with three digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _is_known(value: float | None) -> t.TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _axes(scale: Scale, ticks: t.Sequence[float], unit: str) -> t.Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value in ticks:
        y = scale.y(value)
        yield f'<line class="{"grid" if value else "axis"}" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick" x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{number(value)}{escape(unit)}</text>'
    times = time_ticks(scale.start, scale.end)
    time_format = "%H:%M" if len(times) < 2 or times[1] - times[0] >= 60 else "%H:%M:%S"
    for at in times:
        x, text = scale.x(at), datetime.fromtimestamp(at, UTC).strftime(time_format)
        yield f'<line class="axis" x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 4}"/>'
        yield f'<text class="tick" x="{x}" y="{bottom + 17}" text-anchor="middle">{text}</text>'


def _marks(marks: t.Sequence[Mark], scale: Scale) -> t.Iterator[str]:
    """Yield the marks, with their labels in two rows so that neighbours don't overlap."""
    free = [0.0, 0.0]  # the x from which on each row is free
    for mark in sorted(marks, key=lambda mark: mark.at):
        x, width, label = scale.x(mark.at), 7.0 * len(mark.label) + 8, escape(mark.label)
        line = f'<line class="{mark.kind}" x1="{x}" x2="{x}" y1="{TOP - 4}" y2="{HEIGHT - BOTTOM}">'
        yield f"{line}<title>{label}</title></line>"
        left = min(max(x - width / 2, 0), WIDTH - width)
        row = next((row for row, until in enumerate(free) if left >= until), None)
        if row is not None:
            free[row] = left + width
            middle, y = f"{left + width / 2:.1f}", TOP - 9 - 13 * row
            yield f'<text class="{mark.kind}" x="{middle}" y="{y}" text-anchor="middle">{label}</text>'


def _line(line: Line, scale: Scale, unit: str) -> t.Iterator[str]:
    if line.dots:
        for (at, value), text in zip(line.points, line.dots, strict=True):
            if _is_known(value):
                dot = f'<circle class="{line.kind}" cx="{scale.x(at)}" cy="{scale.y(value)}" r="4">'
                yield f"{dot}<title>{escape(text)}</title></circle>"
        return
    label = escape(line.label)
    if line.steps:
        yield f'<path class="{line.kind}" d="{_stairs(line.points, scale)}"><title>{label}</title></path>'
        return
    for piece in pieces(thinned(line.points)):
        if len(piece) == 1:
            (at, value) = piece[0]
            yield f'<circle class="{line.kind}" cx="{scale.x(at)}" cy="{scale.y(value)}" r="2"/>'
        else:
            path = "L".join(f"{scale.x(at):g} {scale.y(value):g}" for at, value in piece)
            yield f'<path class="{line.kind}" d="M{path}"><title>{label}, {escape(unit.strip())}</title></path>'


def _stairs(points: t.Sequence[Point], scale: Scale) -> str:
    path = ""
    for at, value in known(points):
        path += f"H{scale.x(at)}V{scale.y(value)}" if path else f"M{scale.x(at)} {scale.y(value)}"
    return f"{path}H{WIDTH - RIGHT}" if path else ""


def _ends(lines: t.Sequence[Line], scale: Scale) -> t.Iterator[str]:
    """Yield the name of each line at its end, one below the other where they would overlap."""
    ends = [(scale.y(points[-1][1]), line) for line in lines if not line.dots and (points := known(line.points))]
    lowest = -math.inf
    for y, line in sorted(ends, key=lambda end: end[0]):
        lowest = max(y + 4, lowest + 13)
        text = f'<text class="end {line.kind}" x="{WIDTH - RIGHT + 6}" y="{lowest:g}">'
        yield f"{text}{escape(line.label)}</text>"
