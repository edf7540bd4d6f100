# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Series of one pool, and the measurements that gates judge. Pure."""

from __future__ import annotations

import re
import typing as t
from contextlib import suppress
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._gates.counters import Part, RatioSeries
from ansible_collections.mcp.server.plugins.module_utils._gates.series import (
    Increase,
    Series,
    counted_once,
    increases,
    is_renamed,
    sample_times,
)
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import STATEFUL_SET
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other

Labels = t.Mapping[str, str]
Names = t.Mapping[str, str]  # the values of the placeholders in a pack's labels
Pod = tuple[str, ...]  # the values of the labels that identify a pod

# Labels that say who scraped a sample, by which port or Service: Prometheus' own, and those of its operator. Further
# ones are those that have REPLICA in their name.
SCRAPE_LABELS = ("job", "instance", "endpoint", "service", "container", "prometheus", "monitor")
REPLICA = "replica"


@dataclass(frozen=True)
class Selector:
    """Series of one metric. Values of labels are regular expressions that match as a whole (see packs.py)."""

    name: str
    labels: Labels = field(default_factory=dict)


def no_quantile(quantile: float, begin: float, end: float) -> float | None:
    """Return the quantile of a measurement that has none."""
    return None


class Level(t.NamedTuple):
    """A value that is judged as it is. Times are epoch seconds."""

    at: float
    value: float
    seen: float  # what has the value was scraped then: a pod, which others may be scraped after
    before: float  # it was scraped before that at this time; the same as seen if it was not


@dataclass(frozen=True)
class Measurement:
    """Values of one measure of one pool: a ratio or levels, or why there are none."""

    every: float  # seconds between samples
    ratio: RatioSeries | None = None  # counts of all requests, and of those that a gate is about
    levels: t.Sequence[Level] = ()  # in order of time
    gaps: t.Sequence[tuple[float, float]] = ()  # from when until when one of those that levels are of was not scraped
    newest: float | None = None  # epoch seconds of the newest sample; None: there is none
    missing: str = ""  # why there are no values; with newest: why the samples give none
    per_second: bool = False  # the value is the ratio's requests a second, not its counted part
    # (quantile from 0 to 1, begin, end) -> its value in seconds over the entries from begin to end
    quantile: t.Callable[[float, float, float], float | None] = no_quantile


class PoolSeries:
    """The series of one metrics pack that belong to one pool."""

    def __init__(
        self,
        server: Labels,
        pools: t.Sequence[Labels],
        series: t.Sequence[Series],
        names: Names,
        *,
        pod_label: str = "pod",
        measured: t.Collection[str] = (),
        scrape_labels: t.Collection[str] = (),
    ) -> None:
        """server, pools: the labels of the pack. series: of the pack, of both pools.

        pod_label: the name of the label with the pod that was scraped, which series may lack. measured: the names of
        the labels that measures distinguish. scrape_labels: further ones that say who scraped a sample.
        """
        self._pod_labels = tuple(server)
        self._names = names
        self._pod_label = pod_label
        self._measured = ("__name__", *measured)
        self._chosen = {*self._measured, *server, *(label for labels in pools for label in labels)}
        self._scrape_labels = {*SCRAPE_LABELS, *scrape_labels}
        patterns = [render(labels, names) for labels in pools]
        by_identity: dict[t.Hashable, list[Series]] = {}
        for each in series:
            if each.samples and any(_matches(labels, each.labels) for labels in patterns):
                by_identity.setdefault(self._identity(each), []).append(each)
        self._by_metric: dict[str, list[Series]] = {}
        self._alike: dict[t.Hashable, list[Series]] = {}
        for same in by_identity.values():
            for each in counted_once(same) if len(same) > 1 else same:
                self._by_metric.setdefault(each.labels.get("__name__", ""), []).append(each)
                self._alike.setdefault(self._kind(each), []).append(each)
        # Whether Prometheus was scraping at a time does not depend on the pool.
        self._of_both_pools = series
        self._sample_times: list[float] | None = None
        self._increases: dict[int, list[Increase]] = {}

    def find(self, selector: Selector) -> list[Series]:
        """Return the pool's series that the selector matches, each with samples."""
        labels = render(selector.labels, self._names)
        return [each for each in self._by_metric.get(selector.name, []) if _matches(labels, each.labels)]

    def pod(self, series: Series) -> Pod:
        """Return what series of the same pod have in common."""
        return tuple(series.labels.get(label, "") for label in self._pod_labels)

    def parts(self, series: t.Iterable[Series], every: float, total: float, counted: float) -> t.Iterator[Part]:
        """Yield the increases of counters with these factors, see Part."""
        for each in series:
            yield Part((each.labels.get("instance"), self.pod(each)), self.increases(each, every), total, counted)

    def increases(self, series: Series, every: float) -> list[Increase]:
        """Return the increases of one counter. every: seconds between scrapes."""
        if self._sample_times is None:
            self._sample_times = sample_times(self._of_both_pools)
        if id(series) not in self._increases:
            found = increases(series, every, self._sample_times)
            # The first value of an old counter with new labels is no increase.
            if found and found[0].at == series.samples[0][0] and is_renamed(series, self._alike[self._kind(series)]):
                del found[0]
            self._increases[id(series)] = found
        return self._increases[id(series)]

    def _kind(self, series: Series) -> t.Hashable:
        """Return what the series of one target have in common whose difference no measure sees."""
        target = series.labels.get(self._pod_label) or series.labels.get("instance")
        return target, self.pod(series), tuple(_value(series, label) for label in self._measured)

    def _identity(self, series: Series) -> t.Hashable:
        """Return what series of one counter have in common, whoever scraped it."""
        return frozenset(
            (label, _value(series, label)) for label in series.labels if not self._is_of_scrape(label, series)
        )

    def _is_of_scrape(self, label: str, series: Series) -> bool:
        if label in self._chosen or (label == "instance" and not series.labels.get(self._pod_label)):
            return False
        return label in self._scrape_labels or REPLICA in label


def names_of(server: Server, pool: str) -> dict[str, str]:
    """Return the values of the placeholders in a pack's labels, for one pool."""
    names = {
        "namespace": server.namespace,
        "server": server.name,
        "route": server.route,
        "container": server.container or server.name,
        "blue": server.workload("blue"),
        "green": server.workload("green"),
        "deployment": server.workload(pool),
        "blue_service": server.service("blue"),
        "green_service": server.service("green"),
        "service": server.service(pool),
    }
    # The dot is the only character of a name that is special in a regular expression.
    escaped = {key: value.replace(".", "[.]") for key, value in names.items()}
    # Where the other Service's name begins with this one's, what follows may be the rest of that name.
    longer = server.service(other(pool)).startswith(f"{server.service(pool)}-")
    return {
        "pool": pool,
        **escaped,
        "pods": _pods(server, pool, escaped["deployment"]),
        "both_pods": "|".join(_pods(server, one, escaped[one]) for one in POOLS),
        "service_port": "[^-]+" if longer else ".+",
    }


def _pods(server: Server, pool: str, workload: str) -> str:
    """Return the regular expression of the names of the pool's pods.

    One of a Deployment ends in the hash of its ReplicaSet and five characters, one of a StatefulSet in a number. So
    weather-green-0 is none of Deployment weather, though the name begins like one's.
    """
    if server.objects(pool).kind == STATEFUL_SET:
        return f"{workload}-[0-9]+"
    last = "[0-9a-z]{5}" if server.objects(other(pool)).kind == STATEFUL_SET else "[0-9a-z]+"
    return f"{workload}-[0-9a-z]+-{last}"


def render(labels: Labels, names: Names) -> dict[str, str]:
    """Return the labels with their placeholders replaced."""
    rendered = dict(labels)
    for name, value in names.items():
        rendered = {label: pattern.replace(f"{{{name}}}", value) for label, pattern in rendered.items()}
    return rendered


def _value(series: Series, label: str) -> str | float:
    """Return a label's value. Bounds of buckets are numbers: one Prometheus writes 1, another one 1.0."""
    value = series.labels.get(label, "")
    if label == "le":
        with suppress(ValueError):
            return float(value)
    return value


def _matches(patterns: Labels, labels: Labels) -> bool:
    return all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in patterns.items())
