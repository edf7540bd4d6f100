# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus as it was: what it would have answered at a time in the past, out of few requests to it now."""

from __future__ import annotations

import bisect
import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.series import Sample, Series

CHUNK = 900  # seconds that are asked for at once
CLOSE = 0.01  # seconds: times are told in milliseconds


class Playback:
    """Takes the place of a Prometheus (prometheus.py) whose time goes from begin to end, in epoch seconds: it is C(at).

    Times never go back. What lies before those that are asked for is dropped. Methods raise Failure.
    """

    def __init__(self, prometheus: t.Any, begin: float, end: float) -> None:
        self.at = begin
        self._prometheus = prometheus
        self._end = end
        self._kept: dict[str, _Kept] = {}

    def now(self) -> float:
        return self.at

    @property
    def known_now(self) -> float:
        return self.at

    def samples(self, query: str, at: float) -> list[Series]:
        """The raw samples of a range selector that ends at C(at); nothing that came later."""
        selector, _bracket, seconds = query.rstrip("s]").rpartition("[")

        def ask(begin: float, end: float) -> list[Series]:
            return self._prometheus.samples(f"{selector}[{math.ceil(end - begin)}s]", end)

        return self._of(selector, ask, CHUNK, at - float(seconds), at)

    def values(self, query: str, begin: float, end: float, step: float) -> list[Series]:
        """Polls are a whole number of steps apart, so that the values of one are those of the next as well."""

        def ask(first: float, last: float) -> list[Series]:
            return self._prometheus.values(query, first, last, step)

        return self._of(query, ask, step * math.ceil(CHUNK / step), begin, end)

    def _of(
        self, key: str, ask: t.Callable[[float, float], list[Series]], chunk: float, begin: float, end: float
    ) -> list[Series]:
        kept = self._kept.setdefault(key, _Kept(begin))
        while kept.until < end - CLOSE:
            last = kept.until + chunk
            # As long as it is not over, the last one is no longer than has to be.
            last = last if last < self._end else max(end, self._end)
            kept.add(ask(kept.until, last), begin)
            kept.until = last
        return kept.between(begin, end)


class _Kept:
    """until: epoch seconds up to which there is all."""

    def __init__(self, until: float) -> None:
        self.until = until
        self._series: dict[frozenset[tuple[str, str]], list[Sample]] = {}

    def add(self, series: t.Iterable[Series], begin: float) -> None:
        for samples in self._series.values():
            del samples[: bisect.bisect_left(samples, (begin - CLOSE,))]
        for each in series:
            samples = self._series.setdefault(frozenset(each.labels.items()), [])
            # Both ends of a range may belong to it.
            newest = samples[-1][0] if samples else -math.inf
            samples += [sample for sample in each.samples if sample[0] > newest + CLOSE]

    def between(self, begin: float, end: float) -> list[Series]:
        found = []
        for labels, samples in self._series.items():
            first, last = bisect.bisect_left(samples, (begin - CLOSE,)), bisect.bisect_right(samples, (end + CLOSE,))
            if first < last:
                found.append(Series(dict(labels), samples[first:last]))
        return found
