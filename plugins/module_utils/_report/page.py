# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show a release as one HTML file, for example to attach to a ticket. Pure. All text in it is escaped.

series: [{name, pool, points}], with a name of CHARTS and points [(epoch
seconds, value or None)] in percent or milliseconds. verdicts: [{at, pool, gate,
verdict, value, unit, limit, requests, reason}], oldest first, with at in
ISO 8601 and the rest as mcp_gate returns it. The release is as in the record,
which anybody may have edited.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._release import bypassed, summary
from ansible_collections.mcp.server.plugins.module_utils._release.record import (
    FAILED,
    ROLLED_BACK,
    RUNNING,
    SUCCEEDED,
    Release,
    Side,
    Step,
)
from ansible_collections.mcp.server.plugins.module_utils._report.document import document
from ansible_collections.mcp.server.plugins.module_utils._report.plot import Line, Mark, Point, chart, known, number
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._text import printable, verdict_text
from ansible_collections.mcp.server.plugins.module_utils._workload.kept_logs import Kept

Series = dict[str, t.Any]
Verdict = dict[str, t.Any]


@dataclass(frozen=True)
class Chart:
    """What is drawn over time."""

    title: str
    unit: str
    min_top: float  # where the axis of values ends at least, so that noise does not look like a problem


@dataclass(frozen=True)
class Call:
    """The kind of a failure, and whom to call for it, one line each."""

    kind: str
    contacts: t.Sequence[str]


SHARE, ERRORS, LATENCY = "share", "errors", "latency"
CHARTS = {
    SHARE: Chart("Share of the traffic", " %", 100),
    ERRORS: Chart("Error rate, 5xx of all answers", " %", 2),
    LATENCY: Chart("Latency, 95th percentile", " ms", 50),
}
MAX_ROWS = 200  # of verdicts
MAX_REASON = 500  # characters, of a verdict
TONES = {
    SUCCEEDED: "good",
    ROLLED_BACK: "warn",
    FAILED: "bad",
    summary.PAUSED: "warn",
    RUNNING: "warn",
    "pass": "good",
    "followed": "good",
    "breach": "bad",
}
SIGNS = {"good": "✓", "warn": "↩", "bad": "✕"}


def page(
    release: Release,
    place: str,
    series: t.Sequence[Series] = (),
    verdicts: t.Sequence[Verdict] = (),
    call: Call | None = None,
    logs: Kept | None = None,
    dashboard: str = "",
) -> str:
    """Return the file. place: the server, as NAMESPACE/NAME. logs: what the rollback of this release kept.

    dashboard: a URL to link to.
    """
    release = summary.readable(release)
    title = summary.headline(release, place)
    tone = TONES.get(release["outcome"], "warn")
    sign = "…" if release["outcome"] in (RUNNING, summary.PAUSED) else SIGNS[tone]
    body = f"""<span class="badge {tone}">{sign} {escape(summary.outcome(release))}</span>
<h1>{escape(title)}</h1>
<p class="id">Release {escape(release["id"])}</p>
{_why(release, tone)}
{_call(call)}
{_facts(release, place)}
{_charts(release, series)}
{_dashboard(dashboard)}
{_steps(release, series)}
{_verdicts(verdicts)}
{_logs(logs)}
<footer>Made by the Ansible collection mcp.server from the release record{_sources(series)}. \
All times are UTC.</footer>"""
    return document(title, body)


def _why(release: Release, tone: str) -> str:
    if not release["reason"]:
        return ""
    return f'<section class="why {tone}"><h2>Why</h2><p>{escape(release["reason"])}</p></section>'


def _call(call: Call | None) -> str:
    if call is None:
        return ""
    contacts = "".join(f"<br>{escape(line)}" for line in call.contacts)
    return f"<section><h2>Kind of failure</h2><p>{escape(call.kind)}{contacts}</p></section>"


def _facts(release: Release, place: str) -> str:
    origin, target = release["from"], release["to"]
    took = summary.seconds(release)
    contract = target.get("contract")
    ended = "not yet"
    if release.get("ended"):
        after = f", after {_times.duration(took)}" if took is not None else ""
        ended = escape(_times.day(release.get("ended"))) + after
    facts = [
        ("Server", escape(place)),
        ("From", _end(origin)),
        ("To", _end(target)),
        ("By", escape(str(release.get("by") or "unknown"))),
        ("Started", escape(_times.day(release.get("started")))),
        ("Ended", ended),
        ("Traffic at the end" if release.get("ended") else "Traffic", escape(summary.weights(release))),
    ]
    if isinstance(contract, dict):
        names = contract.get("accepted") or []
        count = contract.get("accepted_count")
        more = f" and {count - len(names)} more" if count else ""
        accepted = ", ".join(map(str, names)) + more
        kept = f"changes accepted by name: {accepted}" if accepted else "kept for clients of the live version"
        facts.append(("Contract", escape(kept)))
    if noted := bypassed.of(release):
        facts.append(("Bypassed", escape(noted.what)))
    rows = "\n".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return f"<section><dl>\n{rows}\n</dl></section>"


def _end(end: Side) -> str:
    image = " ".join(f"<code>{escape(str(end[key]))}</code>" for key in ("image_ref", "digest") if end.get(key))
    return f'{escape(str(summary.version(end)))} on <span class="{end["pool"]}">{end["pool"]}</span><br>{image}'


def _span(release: Release, series: t.Sequence[Series]) -> tuple[float, float] | None:
    moments = [
        _times.parse(at)
        for at in (release.get("started"), release.get("ended"), *(step.get("at") for step in release["steps"]))
    ]
    seconds = [moment.timestamp() for moment in moments if moment] + [
        at for one in series for at, _value in one["points"]
    ]
    return (min(seconds), max(seconds)) if seconds else None


def _charts(release: Release, series: t.Sequence[Series]) -> str:
    span = _span(release, series)
    if span is None:
        return ""
    marks = _marks(release)
    drawn = []
    for name, kind in CHARTS.items():
        lines = [
            Line(one["pool"], one["pool"], one["points"]) for one in series if one["name"] == name and one["points"]
        ]
        if name == SHARE:
            lines = [_set(release, span), *lines, *_measured(release)]
        if any(line.points for line in lines):
            drawing = chart(kind.title, kind.unit, lines, marks, span, kind.min_top)
            drawn.append(f'<div class="chart"><h3>{kind.title} <small>in{kind.unit}</small></h3>\n{drawing}</div>')
    old, new = release["from"]["pool"], release["to"]["pool"]
    new_version, old_version = (escape(str(summary.version(release[end]))) for end in ("to", "from"))
    legend = (
        f'<p class="legend"><span><i class="swatch {new}"></i>{new}, {new_version}</span>'
        f'<span><i class="swatch {old}"></i>{old}, {old_version}</span>'
        f'<span><i class="swatch set"></i>share that was set for {new}</span>'
        "<span>● share measured at a step</span></p>"
    )
    missing = ""
    if not series:
        missing = '<p class="soft">This report has no error rate and latency: it was made without Prometheus.</p>'
    return f"<section><h2>Over time</h2>\n{legend}\n{''.join(drawn)}{missing}</section>"


def _dashboard(url: str) -> str:
    if not url:
        return ""
    return f'<p><a href="{escape(url)}" rel="noopener noreferrer">Dashboard of both pools at that time</a></p>'


def _set(release: Release, span: tuple[float, float]) -> Line:
    """Return the share that was set for the new pool; it holds until the next step."""
    pool = release["to"]["pool"]
    points: list[Point] = [(span[0], _number(release["from"]["weights"].get(pool, 0)))]
    for step in release["steps"]:
        if moment := _times.parse(step.get("at")):
            points.append((moment.timestamp(), _number(step["weights"].get(pool))))
    return Line("set", "set", points, steps=True)


def _measured(release: Release) -> list[Line]:
    lines = []
    for pool in POOLS:
        steps = [
            (moment.timestamp(), _number((step["share"] or {}).get(pool)), step)
            for step in release["steps"]
            if (moment := _times.parse(step.get("at")))
        ]
        if steps:
            lines.append(
                Line(
                    pool,
                    pool,
                    [(at, value) for at, value, _step in steps],
                    dots=[summary.step(step, pool) for _at, _value, step in steps],
                )
            )
    return lines


def _marks(release: Release) -> list[Mark]:
    pool = release["to"]["pool"]
    marks = [
        Mark(moment.timestamp(), f"{step['weights'].get(pool, '?')} %")
        for step in release["steps"]
        if (moment := _times.parse(step.get("at")))
    ]
    if ended := _times.parse(release.get("ended")):
        marks.append(Mark(ended.timestamp(), summary.outcome(release), TONES.get(release["outcome"], "warn")))
    return marks


def _steps(release: Release, series: t.Sequence[Series]) -> str:
    if not release["steps"]:
        return '<section><h2>Steps</h2><p class="soft">No traffic was shifted.</p></section>'
    new, old = release["to"]["pool"], release["from"]["pool"]
    watched = [name for name in (ERRORS, LATENCY) if any(one["name"] == name and one["points"] for one in series)]
    heads = {ERRORS: "5xx, mean<br>{new} / {old}", LATENCY: "p95, median<br>{new} / {old}"}
    columns = [
        "<th>At</th>",
        f'<th class="n">Set<br>for {new}</th><th class="n">Measured</th><th class="n">Answers</th>',
        '<th class="n">Followed<br>after</th><th>Verdict</th>',
        *(f'<th class="n">{heads[name].format(new=new, old=old)}</th>' for name in watched),
    ]
    starts = [_times.parse(step.get("at")) for step in release["steps"]]
    # The last step has no end: a release that is rolled back ends before that step is verified.
    ends = [*starts[1:], None]
    rows = []
    for step, start, end in zip(release["steps"], starts, ends, strict=True):
        cells = "".join(f'<td class="n">{_between(series, name, (new, old), start, end)}</td>' for name in watched)
        rows.append(f"<tr>{_step(release, step, new)}{cells}</tr>")
    head = f"<thead><tr>{''.join(columns)}</tr></thead>"
    body = "\n".join(rows)
    return f"<section><h2>Steps</h2>\n<table>{head}\n<tbody>\n{body}\n</tbody></table></section>"


def _step(release: Release, step: Step, pool: str) -> str:
    share = step["share"] or {}
    started, at = _times.parse(release.get("started")), _times.parse(step.get("at"))
    since = f' <span class="soft">+{_times.duration((at - started).total_seconds())}</span>' if started and at else ""
    failed = _number(share.get("failed"))
    requests = f"{share.get('requests', '–')}" + (f", {number(failed)} failed" if failed else "")
    tone = TONES.get(str(step.get("verdict")), "warn")
    cells = [
        f"<td>{_times.clock(step.get('at'))}{since}</td>",
        _cell(step["weights"].get(pool), " %"),
        _cell(share.get(pool), " %"),
        f'<td class="n">{escape(requests)}</td>',
        _cell(step.get("seconds_to_follow"), " s"),
        f'<td class="{tone}">{escape(verdict_text(str(step.get("verdict") or "none")))}</td>',
    ]
    return "".join(cells)


def _cell(value: t.Any, unit: str) -> str:
    return f'<td class="n">{escape(f"{value}{unit}") if value is not None else "–"}</td>'


def _between(
    series: t.Sequence[Series], name: str, pools: t.Sequence[str], start: datetime | None, end: datetime | None
) -> str:
    """Return the mean error rates or the median latencies of the pools from one step to the next."""
    cells = []
    for pool in pools:
        points = [point for one in series if (one["name"], one["pool"]) == (name, pool) for point in one["points"]]
        values = sorted(value for at, value in known(points) if _is_between(at, start, end))
        if not values:
            cells.append("–")
        elif name == ERRORS:
            cells.append(f"{sum(values) / len(values):.2f}")
        else:
            cells.append(f"{values[len(values) // 2]:.0f}")
    return f"{' / '.join(cells)}{CHARTS[name].unit}"


def _is_between(at: float, start: datetime | None, end: datetime | None) -> bool:
    return start is not None and at >= start.timestamp() and (end is None or at <= end.timestamp())


def _verdicts(verdicts: t.Sequence[Verdict]) -> str:
    """Return a table with one row for as long as a gate has the same verdict."""
    if not verdicts:
        return ""

    def gate_and_pool(one: Verdict) -> tuple[str, str]:
        return str(one["gate"]), str(one.get("pool") or "")

    rows = []
    by_gate = sorted(verdicts, key=gate_and_pool)  # stable: those of a gate stay in order of time
    for (gate, pool, verdict), same in groupby(by_gate, key=lambda one: (*gate_and_pool(one), str(one["verdict"]))):
        group = list(same)
        first, last = group[0], group[-1]
        until = f" – {_times.clock(last['at'])}" if len(group) > 1 else ""
        rows.append(
            f"<tr><td>{escape(gate)}</td><td>{escape(pool)}</td>"
            f'<td class="{TONES.get(verdict, "warn")}">{escape(verdict_text(verdict))}</td>'
            f"<td>{_times.clock(first['at'])}{until}</td><td>{escape(_detail(last))}</td></tr>"
        )
    more = f'<p class="soft">and {len(rows) - MAX_ROWS} more rows</p>' if len(rows) > MAX_ROWS else ""
    head = "<thead><tr><th>Gate</th><th>Pool</th><th>Verdict</th><th>From – to</th><th>At last</th></tr></thead>"
    body = "\n".join(rows[:MAX_ROWS])
    return f"<section><h2>Gates</h2>\n<table>{head}\n<tbody>\n{body}\n</tbody></table>{more}</section>"


def _detail(verdict: Verdict) -> str:
    value, unit = _number(verdict.get("value")), verdict.get("unit") or ""
    measured = f"{number(value)} {unit}" if value is not None else "no value"
    limit = _number(verdict.get("limit"))
    details = [measured if limit is None else f"{measured}, limit {number(limit)} {unit}"]
    if verdict.get("requests"):
        details.append(f"{verdict['requests']} requests")
    if verdict.get("reason"):
        details.append(printable(str(verdict["reason"]), MAX_REASON))
    return "; ".join(details)


def _logs(kept: Kept | None) -> str:
    """Return the last lines of each container of the bad pool, as they were before a rollback ended it."""
    if kept is None or not kept.logs:
        return ""
    parts = []
    for log in kept.logs:
        problem = f'<p class="soft">{escape(log.problem)}</p>' if log.problem else ""
        lines = escape("\n".join(log.lines))
        empty = "" if log.lines or log.problem else '<p class="soft">It wrote nothing.</p>'
        parts.append(f"<h3>{escape(log.title)}</h3>{problem}{empty}" + (f"<pre>{lines}</pre>" if lines else ""))
    more = f'<p class="soft">and of {kept.pods_left_out} more pods</p>' if kept.pods_left_out > 0 else ""
    about = f"The last lines of pool {kept.pool}, kept at {escape(_times.clock(kept.at))}, without the secrets in them."
    return f'<section class="logs"><h2>Logs of the bad pool</h2>\n<p>{about}</p>\n{"".join(parts)}{more}</section>'


def _sources(series: t.Sequence[Series]) -> str:
    return " and from Prometheus" if series else ""


def _number(value: t.Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
