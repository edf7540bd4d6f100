# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The share by the gateway's own counters of each pool's requests, for answers that name no pool.

Prometheus scrapes a gateway every few seconds, so this takes two scrapes after the change. The counts are of all
requests to the pools, those of clients too.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._gates import packs
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import Rate
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series, interval
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights

if t.TYPE_CHECKING:
    from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus

GATEWAYS = ("envoy", "istio", "ingress_nginx")  # sources that are gateways; the others are the server's pods
MIN_REQUESTS = 100  # between two scrapes; fewer say nothing
SETTLES = 2.0  # seconds after the change that count for nothing: a gateway's data plane follows its controller
SLACK = 1.0  # seconds by which scrapes may be less far apart than usual
BEFORE = 120.0  # seconds before the change that are read too: they show which series are new


@dataclass(frozen=True)
class Counted:
    """Requests that the gateway has counted since a change."""

    requests: dict[str, float]  # by pool
    scraped: bool  # whether they are from two scrapes after the change at least

    @property
    def total(self) -> int:
        return round(sum(self.requests.values()))

    def percent(self, pool: str) -> float | None:
        every = sum(self.requests.values())
        return round(100 * self.requests[pool] / every, 1) if every else None


def sources(option: t.Mapping[str, t.Any] | None) -> list[str]:
    """Return the gateways among the sources of the option prometheus, if it is given."""
    return [source for source in option["source"] if source in GATEWAYS] if option else []


def counted(pack: packs.Pack, series: t.Sequence[Series], server: Server, since: float) -> Counted:
    """Return what a gateway's counters grew by between scrapes after this time, epoch seconds. Pure."""
    requests = dict.fromkeys(POOLS, 0.0)
    scraped = False
    measure = t.cast(Rate, pack.measures["requests"])  # of every gateway's pack
    for pool in POOLS:
        of_pool = pack.select(series, names_of(server, pool))
        found = of_pool.find(measure.all)
        every = interval(found)
        for one in of_pool.parts(found, every, 1, 0):
            # One that is new has no scrape before its first: it is as far back as they usually are.
            grown = [each for each in one.increases if each.begin >= since - SLACK]
            requests[pool] += sum(each.amount for each in grown)
            scraped = scraped or bool(grown)
    return Counted(requests, scraped)


def follows(found: Counted, wanted: Weights, tolerance: float) -> bool:
    """Return whether enough requests were counted, and they match the weights within the tolerance.

    Of all or nothing too: a request that was open before the change is counted when it ends. Pure.
    """
    blue = found.percent("blue")
    if blue is None or not is_enough(found):
        return False
    # Even of a small split a pool without a single request has none.
    is_split = 100 in wanted.values() or 0 < blue < 100
    return is_split and abs(blue - wanted["blue"]) <= tolerance


def waits_for(found: Counted) -> str:
    """Return what is missing of the counters, a clause; empty for nothing. Pure."""
    if not found.scraped:
        return "Prometheus has not scraped the gateway twice"
    if is_enough(found):
        return ""
    return f"the gateway has counted {found.total} of the {MIN_REQUESTS} requests that are needed"


def is_enough(found: Counted) -> bool:
    """Return whether something can be said by what was counted. Pure."""
    return found.scraped and found.total >= MIN_REQUESTS


class Counters:
    """The counters of the gateway that the option prometheus names first."""

    def __init__(self, prometheus: Prometheus, option: dict[str, t.Any], server: Server) -> None:
        self.source = sources(option)[0]
        self._prometheus, self._server = prometheus, server
        (self._pack,) = packs.chosen({**option, "source": [self.source]})
        self._since: float | None = None  # by Prometheus' clock

    def read(self) -> Counted:
        """Return what was counted since the first call. Raise Failure."""
        now = self._prometheus.now()
        if self._since is None:
            self._since = now + SETTLES
        query = self._pack.query(names_of(self._server, POOLS[0]), now - self._since + BEFORE)
        return counted(self._pack, self._prometheus.samples(query, now), self._server, self._since)


def connect(params: dict[str, t.Any], server: Server) -> Counters | None:
    """Return the counters, where prometheus names a gateway. Nothing is read yet. Raise Failure."""
    option = params.get("prometheus")
    if not sources(option):
        return None
    # Only with Prometheus, as it imports requests, which takes 0.1 s.
    from ansible_collections.mcp.server.plugins.module_utils._gates import connect as connecting

    return Counters(connecting.connect(params), t.cast(dict[str, t.Any], option), server)
