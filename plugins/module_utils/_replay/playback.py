# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answer as Prometheus would have answered at a time in the past, with few requests to it now."""

from __future__ import annotations

import bisect
import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.reader import Metrics
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Sample, Series

CHUNK = 900  # seconds that one request reads
CLOSE = 0.01  # seconds between times that are the same: they are rounded to milliseconds


class Playback:
    """Takes the place of Prometheus, at any time of an interval. Methods raise Failure.

    Times must never go back, as older samples are dropped.
    """

    def __init__(self, prometheus: Metrics, begin: float, end: float) -> None:
        """begin, end: of the interval, epoch seconds."""
        self.at = begin  # its time now, epoch seconds
        self._prometheus = prometheus
        self._end = end
        self._kept: dict[str, _Kept] = {}

    def now(self) -> float:
        """Return its time."""
        return self.at

    @property
    def known_now(self) -> float:
        """Return its time."""
        return self.at

    def samples(self, query: str, at: float) -> list[Series]:
        """Return the raw samples of a range selector that ends at this time."""
        selector, _bracket, seconds = query.rstrip("s]").rpartition("[")

        def read(begin: float, end: float) -> list[Series]:
            return self._prometheus.samples(f"{selector}[{math.ceil(end - begin)}s]", end)

        return self._between(selector, read, CHUNK, at - float(seconds), at)

    def values(self, query: str, begin: float, end: float, step: float) -> list[Series]:
        """Return the values of a query. Polls must be a multiple of step apart, so that they share values."""

        def read(first: float, last: float) -> list[Series]:
            return self._prometheus.values(query, first, last, step)

        return self._between(query, read, step * math.ceil(CHUNK / step), begin, end)

    def _between(
        self, key: str, read: t.Callable[[float, float], list[Series]], chunk: float, begin: float, end: float
    ) -> list[Series]:
        kept = self._kept.setdefault(key, _Kept(begin))
        while kept.until < end - CLOSE:
            last = kept.until + chunk
            # The last chunk ends with the interval, or where it must, if that is later.
            last = last if last < self._end else max(end, self._end)
            kept.add(read(kept.until, last), begin)
            kept.until = last
        return kept.between(begin, end)


class _Kept:
    """The samples of one query that were read."""

    def __init__(self, until: float) -> None:
        self.until = until  # epoch seconds up to which they are complete
        self._series: dict[frozenset[tuple[str, str]], list[Sample]] = {}

    def add(self, series: t.Iterable[Series], begin: float) -> None:
        """Add samples, and drop those before begin."""
        for samples in self._series.values():
            del samples[: bisect.bisect_left(samples, (begin - CLOSE,))]
        for each in series:
            samples = self._series.setdefault(frozenset(each.labels.items()), [])
            # A range may include both its ends.
            newest = samples[-1][0] if samples else -math.inf
            samples += [sample for sample in each.samples if sample[0] > newest + CLOSE]

    def between(self, begin: float, end: float) -> list[Series]:
        """Return the samples from begin to end."""
        found = []
        for labels, samples in self._series.items():
            first, last = bisect.bisect_left(samples, (begin - CLOSE,)), bisect.bisect_right(samples, (end + CLOSE,))
            if first < last:
                found.append(Series(dict(labels), samples[first:last]))
        return found
