# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check that a server which answered once answers repeatedly, and fast enough."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Client
from ansible_collections.mcp.server.plugins.module_utils._mcp.listing import KINDS
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

# Documented in doc_fragments/probe.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {"rounds": {"type": "int", "required": True}, "max_p95": {"type": "float"}},
}


@dataclass(frozen=True)
class Rounds:
    """The limits of a stability check."""

    rounds: int  # successful answers in a row
    max_p95: float | None = None  # seconds, of 95 % of the answers


def method(client: Client) -> str:
    """Return the cheapest method that this server supports."""
    listed = next((kind.method for kind in KINDS.values() if kind.capability in client.offer.capabilities), None)
    return listed or ("ping" if client.era == protocol.LEGACY else "server/discover")


def run(client: Client, limits: Rounds, found: dict[str, t.Any], bound: Deadline, step_timeout: float) -> None:
    """Run the rounds, and set RV(servers[].stability) in C(found), also when a round fails. Raise Fault."""
    cheapest = method(client)
    times: list[float] = []
    try:
        for number in range(1, limits.rounds + 1):
            one = Deadline(min(step_timeout, bound.left))
            try:
                client.request(cheapest, {}, one)
            except Fault as fault:
                in_session = client.era == protocol.LEGACY and client.transport.session_headers
                session = " of one session" if in_session else ""
                message = f"({cheapest}), round {number} of {limits.rounds}{session}, {fault.msg}"
                raise Fault(message, **fault.evidence) from None
            times.append(one.elapsed)
    finally:
        found["stability"] = summary(times)
    p95 = percentile(times, 95)
    if limits.max_p95 is not None and p95 > limits.max_p95:
        raise Fault(
            f"({cheapest}) is too slow: 95 % of {limits.rounds} answers took up to {p95:.3f} s "
            f"({limits.max_p95:.3f} s allowed)"
        )


def summary(times: t.Sequence[float]) -> dict[str, t.Any]:
    """Return count and percentiles of the times, in seconds."""
    figures = {f"p{percent}": round(percentile(times, percent), 4) if times else None for percent in (50, 95, 100)}
    return {"rounds": len(times), "p50": figures["p50"], "p95": figures["p95"], "max": figures["p100"]}


def percentile(values: t.Sequence[float], percent: int) -> float:
    """Return the percentile by the nearest-rank method."""
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]
