# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gates and triggers with their default limits. Plain data; options change them by name."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    ALWAYS,
    BELOW,
    EXCESS,
    PASS,
    RISE,
    WITHOUT_PROMETHEUS,
    Gate,
)

# A breach of one of these rolls back. The limits are the guide's, except those of error_burst.
TRIGGERS = (
    Gate("errors", "errors", 5.0, window=120, synthetic=WITHOUT_PROMETHEUS, progress_label="5xx"),
    Gate("latency", "latency", 0.5, unit="s", quantile=0.95, window=300, progress_label="p95"),
    # There are few queries, and a server without a database has no such series.
    Gate("database", "database", 10.0, window=60, min_requests=10, no_data=PASS),
    Gate("memory", "memory", 90.0, window=180),
    # For failures that need no two minutes to be sure of. Synthetic requests show them first (_traffic/synthetic.py).
    Gate("error_burst", "errors", 25.0, window=5, synthetic=ALWAYS),
)

# A step passes by these, over all of its time.
SHIFT = (
    Gate("errors", "errors", 1.0),
    # Of a few milliseconds, no client notices 5 %.
    Gate("latency_rise", "latency", 5.0, compare_with=RISE, min_rise_seconds=0.01),
    # Errors that are answered 200, and lost sessions: the live pool shows how many are usual.
    # Idle clients send neither.
    Gate("mcp_errors", "mcp_errors", 1.0, compare_with=EXCESS, no_data=PASS),
    Gate("lost_sessions", "lost_sessions", 1.0, compare_with=EXCESS, no_data=PASS),
)

# For a server under full load.
VALIDATION = (
    Gate("latency", "latency", 0.3, unit="s", quantile=0.95),
    Gate("throughput", "requests", 1000.0, unit="1/s", direction=BELOW),
)

# By the names that the option checks has
SETS = {"triggers": TRIGGERS, "shift": SHIFT, "validation": VALIDATION}


def of_sets(names: t.Iterable[str]) -> list[Gate]:
    """Return the gates of these sets, each set once. Gates of two sets may have the same name."""
    return [gate for name in dict.fromkeys(names) for gate in SETS[name]]
