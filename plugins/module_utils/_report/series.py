# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report draws, out of Prometheus: share, error rate and latency of both pools while a release went on.

Rates over a short window are for the eye. Gates judge raw samples (_gates).
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import measurements, packs
from ansible_collections.mcp.server.plugins.module_utils._gates.series import interval
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release
from ansible_collections.mcp.server.plugins.module_utils._report.page import ERRORS, LATENCY, SHARE, Series
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

BEFORE, AFTER = 60.0, 120.0  # seconds that are drawn beside the release, to compare with
STEPS = 240  # values of a line
# The measure of a pack that each is made of.
MEASURES = {SHARE: "errors", ERRORS: "errors", LATENCY: "latency"}
SCRAPES = 4  # a rate is over so many, so that one that is missing makes no gap


def span(release: Release, now: float) -> tuple[float, float]:
    """What is drawn, in seconds since the epoch. Raises Failure."""
    started, ended = _times.parse(release.get("started")), _times.parse(release.get("ended"))
    if started is None:
        raise Failure(f"When release {release['id']} started can't be read in its record, so it has no series.")
    begin = started.timestamp() - BEFORE
    return begin, max(begin + 1, min(now, ended.timestamp() + AFTER) if ended else now)


def read(prometheus: t.Any, server: Server, release: Release, option: dict[str, t.Any]) -> list[Series]:
    """As page() takes them; those that Prometheus doesn't have are left out. option: prometheus, as in mcp_gate. Raises Failure."""
    begin, end = span(release, prometheus.now())
    sources = [packs.renamed(packs.PACKS[name], option["labels"]) for name in option["source"]]
    found: list[Series] = []
    for name, measure in MEASURES.items():
        for pack in (pack for pack in sources if measure in pack.measures):
            every = interval(prometheus.samples(f"{counter(pack, server, measure)}[2m]", end))
            step = max(every, (end - begin) / STEPS)
            window = max(SCRAPES * every, 2 * step)
            lines = {
                pool: prometheus.values(promql(pack, server, pool, name, window), begin, end, step) for pool in POOLS
            }
            if any(lines.values()):
                found += [
                    {"name": name, "pool": pool, "points": line[0].samples} for pool, line in lines.items() if line
                ]
                break
    return found


def counter(pack: packs.Pack, server: Server, measure: str) -> str:
    """What counts the answers of both pools, as a selector."""
    counted = pack.measures[measure]
    pick = counted.all if isinstance(counted, packs.Ratio) else packs.Selector(f"{counted.name}_count", counted.labels)
    return _selector(pick, (pack.server,), server, POOLS[0])


def promql(pack: packs.Pack, server: Server, pool: str, name: str, seconds: float) -> str:
    """A line of a chart, as a query; percent or milliseconds."""
    measure = pack.measures[MEASURES[name]]

    def rate(pick: packs.Selector, of: str = pool, by: str = "") -> str:
        selected = [_selector(pick, (pack.server, labels), server, of) for labels in pack.pools]
        return f"sum{by} ({' or '.join(f'rate({one}[{round(seconds)}s])' for one in selected)})"

    if isinstance(measure, packs.Histogram):
        buckets = rate(packs.Selector(f"{measure.name}_bucket", measure.labels), by=" by (le)")
        return f"{1000 * measure.seconds:g} * histogram_quantile(0.95, {buckets})"
    if name == SHARE:
        # A pool that has no series answered nothing.
        blue, green = (f"({rate(measure.all, of)} or vector(0))" for of in POOLS)
        return f"100 * {blue if pool == POOLS[0] else green} / ({blue} + {green})"
    # Some sources have no series of errors before the first.
    return f"100 * ({rate(measure.counted)} or 0 * {rate(measure.all)}) / {rate(measure.all)}"


def _selector(pick: packs.Selector, labels: t.Sequence[packs.Labels], server: Server, pool: str) -> str:
    matchers = [f'{label}=~"{pattern}"' for patterns in (*labels, pick.labels) for label, pattern in patterns.items()]
    selector = f"{pick.name}{{{', '.join(matchers)}}}"
    for name, value in measurements.names_of(server, pool).items():
        selector = selector.replace(f"{{{name}}}", value)
    return selector
