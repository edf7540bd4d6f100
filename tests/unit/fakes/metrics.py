# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hand-made samples of the app pack, as a Prometheus that scrapes every 5 seconds has them."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate, measurements, packs
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period, Verdict
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._server import Server, other

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
EVERY = 5.0
START = 1_000_000.0
REQUESTS = "mcp_server_requests_total"


def pod(pool: str, number: int = 1) -> dict[str, str]:
    return {"namespace": "prod", "pod": f"mcp-{pool}-7d9f5c-abcd{number}"}


def counter(name: str, values: t.Iterable[float | None], start: float = START, **labels: str) -> Series:
    """Values at START and every EVERY seconds after it; None is a scrape that failed."""
    samples = [(start + EVERY * number, float(value)) for number, value in enumerate(values) if value is not None]
    return Series({"__name__": name, **labels}, samples)


def growing(*amounts: float, first: float = 1000) -> list[float]:
    """The values of a counter that grows by these amounts."""
    values = [first]
    for amount in amounts:
        values.append(values[-1] + amount)
    return values


def answers(
    good: t.Sequence[float],
    bad: t.Sequence[float],
    pool: str = "green",
    number: int = 1,
    code: str = "500",
    start: float = START,
) -> list[Series]:
    """Requests that a pod answered well, and badly, in each scrape interval."""
    return [
        counter(REQUESTS, growing(*good), start, code="200", **pod(pool, number)),
        counter(REQUESTS, growing(*bad), start, code=code, **pod(pool, number)),
    ]


def verdict(
    gate: Gate,
    series: t.Sequence[Series],
    now: float | None = None,
    pack: str = "app",
    seconds: float = 0.0,
    begin: float | None = None,
) -> Verdict:
    """Of the green pool at a time: that of the newest sample, when none is given."""
    if now is None:
        now = max(each.samples[-1][0] for each in series if each.samples)
    readings = {
        pool: [measurements.Reading(packs.PACKS[pack], series, measurements.names_of(SERVER, pool))]
        for pool in ("green", other("green"))
    }
    live = evaluate.measured(gate, readings["blue"]) if gate.versus else None
    begin = START if begin is None else begin
    period = Period(begin, now, seconds, since=begin)
    return evaluate.evaluate(gate, evaluate.measured(gate, readings["green"]), period, live)
