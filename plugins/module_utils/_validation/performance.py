# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a gate's verdict on the live traffic as the result of a check. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, PASS
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._validation.rows import THROUGHPUT


def judged(pool: str, verdict: t.Mapping[str, t.Any], seconds: float, *, is_set: bool) -> str:
    """Return a sentence on a gate that passes. Raise Failure, or CannotMeasure.

    verdict: as mcp_gate returns it. is_set: whether the user has set this gate's limit. Fewer requests than the default
    demands are no fault of the server: nobody may have sent more.
    """
    name, value, limit = verdict["gate"], _text(verdict["value"], verdict["unit"]), _limit(verdict)
    if verdict["verdict"] == PASS:
        return f"{name} of pool {pool} is {value} over {seconds:g} s, {limit}."
    if verdict["verdict"] != BREACH:
        raise CannotMeasure(
            f"{name} of pool {pool} cannot be judged by its live traffic ({str(verdict['reason']).rstrip('.')}). "
            "Measure it by a load test."
        )
    if name == THROUGHPUT and not is_set:
        raise CannotMeasure(
            f"Pool {pool} gets {value} of live traffic, so that tells nothing about {limit}. Measure it by a load "
            "test, or set the throughput that must be there in gates (mcp_validation_gates)."
        )
    raise Failure(
        f"{name} of pool {pool} is {value} over {seconds:g} s, {limit}. Look at its load and dependencies by "
        "diagnose.yml, or go back with rollback.yml."
    )


def _text(value: t.Any, unit: str) -> str:
    if not isinstance(value, (int, float)):
        return "unknown"
    if unit == "s":
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} requests a second" if unit == "1/s" else f"{value:g} {unit}".strip()


def _limit(verdict: t.Mapping[str, t.Any]) -> str:
    of = "at least" if verdict["gate"] == THROUGHPUT else "at most"
    return f"{of} {_text(verdict['limit'], verdict['unit'])} wanted"
