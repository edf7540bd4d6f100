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
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import Histogram, Ratio
from ansible_collections.mcp.server.plugins.module_utils._gates.promql import PoolQueries, of_both_pools, requests
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import Metrics
from ansible_collections.mcp.server.plugins.module_utils._gates.series import interval
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release
from ansible_collections.mcp.server.plugins.module_utils._report.dashboard import AFTER, BEFORE
from ansible_collections.mcp.server.plugins.module_utils._report.page import ERRORS, LATENCY, SHARE, Series
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

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
    return of_both_pools(pack, requests(pack.measures[measure]), names_of(server, POOLS[0]))


def promql(pack: packs.Pack, server: Server, pool: str, chart: str, seconds: float) -> str:
    """Return the query of one line of a chart, in percent or milliseconds. seconds: that rates are over."""
    measure = pack.measures[MEASURES[chart]]
    own, others = (PoolQueries(pack, names_of(server, one), f"{round(seconds)}s") for one in (pool, other(pool)))
    if isinstance(measure, Histogram):
        return own.quantile(measure, 0.95, per_second=1000)
    if chart == SHARE:
        return own.share(measure, others)
    if not isinstance(measure, Ratio):
        raise TypeError(f"{chart} is no part of {type(measure).__name__}")
    return own.percent(measure)
