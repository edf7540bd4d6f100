# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's numbers, and what its 5xx can't see. Plain data; the inventory may override any of it by name."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import ALWAYS, PASS, WITHOUT_PROMETHEUS, Gate

# A breach of one of these rolls back.
TRIGGERS = (
    Gate("errors", "errors", 5.0, window=120, synthetic=WITHOUT_PROMETHEUS),
    Gate("latency", "latency", 0.5, unit="s", quantile=0.95, window=300),
    # Queries are few, and a server without a database has no such series.
    Gate("database", "database", 10.0, window=60, least=10, no_data=PASS),
    Gate("memory", "memory", 90.0, window=180),
    # Not the guide's: what nobody needs two minutes to be sure of. The watch asks through the gateway itself for the same (synthetic.py).
    Gate("error_burst", "errors", 25.0, window=5, synthetic=ALWAYS),
)

# What a step is passed by, over all of its time.
SHIFT = (
    Gate("errors", "errors", 1.0),
    # A twentieth of a millisecond or two is nothing that a client notices.
    Gate("latency_rise", "latency", 5.0, versus="rise", floor=0.01),
    # Answers of 200 that are errors all the same, and sessions that were lost: what is usual, the live pool tells. Idle clients send neither.
    Gate("mcp_errors", "mcp_errors", 1.0, versus="excess", no_data=PASS),
    Gate("lost_sessions", "lost_sessions", 1.0, versus="excess", no_data=PASS),
)

# What is expected of a server under its full load.
VALIDATION = (
    Gate("latency", "latency", 0.3, unit="s", quantile=0.95),
    Gate("throughput", "requests", 1000.0, unit="1/s", below=True),
)

SETS = {"triggers": TRIGGERS, "shift": SHIFT, "validation": VALIDATION}


def of_sets(names: t.Iterable[str]) -> list[Gate]:
    """Return the gates of these sets, each set once. Gates of two sets may have the same name."""
    return [gate for name in dict.fromkeys(names) for gate in SETS[name]]
