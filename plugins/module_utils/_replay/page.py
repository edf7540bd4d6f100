# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show a replay as one HTML file, with a plot for each gate. Pure. All text in it is escaped."""

from __future__ import annotations

import math
import typing as t
from html import escape

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH
from ansible_collections.mcp.server.plugins.module_utils._replay import table
from ansible_collections.mcp.server.plugins.module_utils._replay.polls import Poll, Step
from ansible_collections.mcp.server.plugins.module_utils._report.document import document
from ansible_collections.mcp.server.plugins.module_utils._report.plot import Line, Mark, Point, chart
from ansible_collections.mcp.server.plugins.module_utils._text import verdict_text

TONES = {"pass": "good", "breach": "bad"}


def page(result: dict[str, t.Any], polls: t.Sequence[Poll], steps: t.Sequence[Step], place: str) -> str:
    """Return the file. result: as table.lines() takes it. place: the server, as NAMESPACE/NAME."""
    tone = TONES.get(result["verdict"], "warn")
    charts = [_chart(gate, points, result, steps) for gate, points in zip(result["gates"], _points(polls), strict=True)]
    lines = "\n".join(escape(line) for line in table.details(result))
    body = f"""<span class="badge {tone}">{escape(result["verdict"])}</span>
<h1>{escape(place)}: a replay of its gates</h1>
<p>{escape(table.headline(result))}</p>
<section><h2>Gates</h2>
<pre>{lines}</pre></section>
<section><h2>Over time</h2>
<p class="legend"><span><i class="swatch {result["pool"]}"></i>{result["pool"]}</span>\
<span><i class="swatch set"></i>limit</span></p>
{"".join(charts)}</section>
<footer>Made by the Ansible collection mcp.server from Prometheus. All times are UTC.</footer>"""
    return document(f"{place}: a replay of its gates", body)


def _points(polls: t.Sequence[Poll]) -> list[list[Point]]:
    """Return the value at each poll for each gate, in the order of the result's gates."""
    points: dict[tuple[str, str], list[Point]] = {}
    for name in ("triggers", "gates"):
        for poll in polls:
            for verdict in getattr(poll, name):
                value = None if verdict.value is None or math.isinf(verdict.value) else verdict.value
                points.setdefault((name, verdict.gate.name), []).append((poll.at, value))
    return list(points.values())


def _chart(gate: dict[str, t.Any], points: t.Sequence[Point], result: dict[str, t.Any], steps: t.Sequence[Step]) -> str:
    scale, unit = (1000, " ms") if gate["unit"] == "s" else (1, f" {gate['unit']}" if gate["unit"] else "")
    span = (steps[0].begin, steps[-1].end)
    limit = scale * gate["limit"]
    values = [(at, None if value is None else scale * value) for at, value in points]
    drawn = [
        Line(result["pool"], result["pool"], values),
        Line("limit", "set", [(at, limit) for at in span], steps=True),
    ]
    title = f"{gate['gate']} ({gate['kind']})"
    # An axis from 0 needs an end.
    drawing = chart(title, unit, drawn, [*_marks(result, steps), *_breach(gate)], span, max(1.1 * limit, 1e-3))
    verdict = BREACH if gate["outcome"] == BREACH else verdict_text(gate["verdict"])
    outcome = f'<small class="{TONES.get(gate["outcome"], "warn")}">{escape(verdict)}</small>'
    return f'<div class="chart"><h3>{escape(title)} {outcome}</h3>\n{drawing}</div>'


def _marks(result: dict[str, t.Any], steps: t.Sequence[Step]) -> list[Mark]:
    marks = [Mark(step.begin, f"{step.weight} %") for step in steps if step.weight is not None]
    if result["first_breach"]:
        marks.append(Mark(_seconds(result["first_breach"]["reported"]), "back", "warn"))
    return marks


def _breach(gate: dict[str, t.Any]) -> list[Mark]:
    breach = gate["breach"]
    return [Mark(_seconds(breach["window_full"]), "window full", "bad")] if breach and breach["window_full"] else []


def _seconds(text: str) -> float:
    moment = _times.parse(text)
    return moment.timestamp() if moment else 0.0
