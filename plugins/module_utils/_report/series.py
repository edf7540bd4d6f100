# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from Prometheus what a report draws: share, error rate and latency of both pools during a release.

These are rates over short windows, for the eye. Gates judge raw samples (_gates).
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import packs
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Labels, Selector, names_of, render
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import Histogram, Measure, Ratio
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import Metrics
from ansible_collections.mcp.server.plugins.module_utils._gates.series import interval
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release
from ansible_collections.mcp.server.plugins.module_utils._report.page import ERRORS, LATENCY, SHARE, Series
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

BEFORE, AFTER = 60.0, 120.0  # seconds that are drawn before and after the release, to compare with
VALUES = 240  # of a line, at most
# By chart, the measure that it is computed from
MEASURES = {SHARE: "errors", ERRORS: "errors", LATENCY: "latency"}
SCRAPES = 4  # that a rate is over, so that a missing one leaves no gap


def span(release: Release, now: float) -> tuple[float, float]:
    """Return the time that is drawn, in epoch seconds. Raise Failure."""
    started, ended = _times.parse(release.get("started")), _times.parse(release.get("ended"))
    if started is None:
        raise Failure(
            f"Cannot draw series of release {release['id']}: its record has no valid time at which it started."
        )
    begin = started.timestamp() - BEFORE
    return begin, max(begin + 1, min(now, ended.timestamp() + AFTER) if ended else now)


def read(prometheus: Metrics, server: Server, release: Release, option: dict[str, t.Any]) -> list[Series]:
    """Return the series that page() takes, without those that Prometheus does not have.

    option: prometheus, as in the options. Raise Failure.
    """
    begin, end = span(release, prometheus.now())
    sources = packs.chosen(option)
    found: list[Series] = []
    for chart, measure in MEASURES.items():
        for pack in (pack for pack in sources if measure in pack.measures):
            every = interval(prometheus.samples(f"{counter(pack, server, measure)}[2m]", end))
            step = max(every, (end - begin) / VALUES)
            window = max(SCRAPES * every, 2 * step)
            queries = {pool: promql(pack, server, pool, chart, window) for pool in POOLS}
            lines = {pool: prometheus.values(query, begin, end, step) for pool, query in queries.items()}
            if any(lines.values()):
                found += [
                    {"name": chart, "pool": pool, "points": line[0].samples} for pool, line in lines.items() if line
                ]
                break
    return found


def counter(pack: packs.Pack, server: Server, measure: str) -> str:
    """Return the selector of the requests of both pools that a measure is computed from."""
    return _selector(_requests(pack.measures[measure]), (pack.server,), server, POOLS[0])


def _requests(measure: Measure) -> Selector:
    if isinstance(measure, Histogram):
        return measure.count
    if isinstance(measure, Ratio):
        return measure.all
    raise TypeError(f"a report draws no {type(measure).__name__}")


def promql(pack: packs.Pack, server: Server, pool: str, chart: str, seconds: float) -> str:
    """Return the query of one line of a chart, in percent or milliseconds. seconds: that rates are over."""
    measure = pack.measures[MEASURES[chart]]

    def rate(selector: Selector, of: str = pool, by: str = "") -> str:
        selected = [_selector(selector, (pack.server, labels), server, of) for labels in pack.pools]
        return f"sum{by} ({' or '.join(f'rate({one}[{round(seconds)}s])' for one in selected)})"

    if isinstance(measure, Histogram):
        return f"{1000 * measure.seconds:g} * histogram_quantile(0.95, {rate(measure.buckets, by=' by (le)')})"
    requests = _requests(measure)
    if chart == SHARE:
        # A pool without series answered nothing.
        blue, green = (f"({rate(requests, of)} or vector(0))" for of in POOLS)
        return f"100 * {blue if pool == POOLS[0] else green} / ({blue} + {green})"
    if not isinstance(measure, Ratio):
        raise TypeError(f"{chart} is no part of {type(measure).__name__}")
    # Some sources have no series of errors before the first one.
    return f"100 * ({rate(measure.counted)} or 0 * {rate(requests)}) / {rate(requests)}"


def _selector(selector: Selector, labels: t.Sequence[Labels], server: Server, pool: str) -> str:
    names = names_of(server, pool)
    matchers = [
        f'{packs.quoted(label)}=~"{pattern}"'
        for patterns in (*labels, selector.labels)
        for label, pattern in render(patterns, names).items()
    ]
    return f"{selector.name}{{{', '.join(matchers)}}}"
