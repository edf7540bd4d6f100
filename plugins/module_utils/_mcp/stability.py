# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server that answered once goes on answering, and how fast."""

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
    """How many answers in a row have to be good, and the most seconds that 95 % of them may take."""

    rounds: int
    max_p95: float | None = None


def method(client: Client) -> str:
    """The smallest question that every server of its kind answers."""
    listed = next((kind.method for kind in KINDS.values() if kind.capability in client.offer.capabilities), None)
    return listed or ("ping" if client.era == protocol.LEGACY else "server/discover")


def run(client: Client, asked: Rounds, found: dict[str, t.Any], bound: Deadline, step_timeout: float) -> None:
    """Fills C(found), also when it raises Fault: RV(servers[].stability)."""
    question = method(client)
    times: list[float] = []
    try:
        for number in range(1, asked.rounds + 1):
            one = Deadline(min(step_timeout, bound.left))
            try:
                client.ask(question, {}, one)
            except Fault as fault:
                in_session = client.era == protocol.LEGACY and client.transport.session_headers
                session = " of one session: other pods than the one that began it may not know it" if in_session else ""
                raise Fault(
                    f"({question}) {fault.msg} in round {number} of {asked.rounds}{session}", **fault.evidence
                ) from None
            times.append(one.elapsed)
    finally:
        found["stability"] = summary(times)
    p95 = percentile(times, 95)
    if asked.max_p95 is not None and p95 > asked.max_p95:
        raise Fault(
            f"({question}) is slow: 95 % of {asked.rounds} answers took up to {p95:.3f} s, allowed are {asked.max_p95:.3f} s"
        )


def summary(times: t.Sequence[float]) -> dict[str, t.Any]:
    """Of seconds."""
    figures = {f"p{percent}": round(percentile(times, percent), 4) if times else None for percent in (50, 95, 100)}
    return {"rounds": len(times), "p50": figures["p50"], "p95": figures["p95"], "max": figures["p100"]}


def percentile(values: t.Sequence[float], percent: int) -> float:
    """By the nearest rank."""
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]
