# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PromQL of what the measures of a pack say, for the eye: for reports and dashboards. Pure.

These are rates over short windows. Gates judge raw samples (evaluate.py).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Labels, Names, Selector, render
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import (
    Histogram,
    Measure,
    Rate,
    Ratio,
    Utilization,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.packs import Pack, quoted

_NOT = re.compile(r"\(\?!(.*)\)\.\*")


class PoolQueries(t.NamedTuple):
    """Queries for the series of a pool."""

    pack: Pack
    names: Names  # of the pool, for the placeholders in the pack's labels
    window: str  # that rates are over, as PromQL writes it

    def rate(self, selector: Selector, by: str = "") -> str:
        """Return how fast a counter of the pool grows, of all its series together, or by a label."""
        rates = (f"rate({one}[{self.window}])" for one in self._selectors(selector))
        return f"sum{f' by ({by})' if by else ''} ({' or '.join(rates)})"

    def requests(self, measure: Measure) -> str:
        """Return the requests a second that a measure is computed from."""
        return self.rate(requests(measure))

    def share(self, measure: Measure, other: PoolQueries) -> str:
        """Return which percentage of both pools' requests is the pool's. other: the same of the other pool."""
        own, others = self.requests(measure), other.requests(measure)
        # A pool without series answered nothing, if the other one has some.
        own, others = f"({own} or 0 * {others})", f"({others} or 0 * {own})"
        return f"100 * {own} / ({own} + {others})"

    def percent(self, measure: Ratio) -> str:
        """Return which percentage of the requests is counted."""
        every = self.requests(measure)
        # Some sources have no series of errors before the first one.
        return f"100 * ({self.rate(measure.counted)} or 0 * {every}) / {every}"

    def quantile(self, measure: Histogram, quantile: float, per_second: float = 1) -> str:
        """Return a quantile of durations. per_second: how many of the result's unit make a second."""
        buckets = self.rate(measure.buckets, by="le")
        return f"{per_second * measure.seconds:g} * histogram_quantile({quantile:g}, {buckets})"

    def fullest(self, measure: Utilization) -> str:
        """Return how much of its limit the fullest pod uses, in percent. A pod without a limit is left out."""
        pod = ", ".join(quoted(label) for label in self.pack.server)

        def by_pod(selector: Selector, condition: str = "") -> str:
            return f"max by ({pod}) ({' or '.join(self._selectors(selector))}{condition})"

        limits = " or ".join(by_pod(limit, " > 0") for limit in measure.limits)
        return f"100 * max ({by_pod(measure.used)} / on ({pod}) ({limits}))"

    def _selectors(self, selector: Selector) -> list[str]:
        return [_rendered(selector, (self.pack.server, labels), self.names) for labels in self.pack.pools]


def requests(measure: Measure) -> Selector:
    """Return the counter of the requests that a measure is computed from."""
    if isinstance(measure, Histogram):
        return measure.count
    if isinstance(measure, (Rate, Ratio)):
        return measure.all
    raise TypeError(f"a {type(measure).__name__} counts no requests")


def of_both_pools(pack: Pack, selector: Selector, names: Names) -> str:
    """Return the selector of the series of both pools."""
    return _rendered(selector, (pack.server,), names)


def _rendered(selector: Selector, labels: t.Sequence[Labels], names: Names) -> str:
    # The values of the pool are among those of the server.
    chosen = {label: pattern for patterns in (*labels, selector.labels) for label, pattern in patterns.items()}
    matchers = ", ".join(_matcher(label, pattern) for label, pattern in render(chosen, names).items())
    return f"{selector.name}{{{matchers}}}"


def _matcher(label: str, pattern: str) -> str:
    """Return a matcher. Prometheus' regular expressions have no lookahead: what a value must not be is another one."""
    unwanted = _NOT.fullmatch(pattern)
    return f'{quoted(label)}!~"{unwanted[1]}.*"' if unwanted else f'{quoted(label)}=~"{pattern}"'
