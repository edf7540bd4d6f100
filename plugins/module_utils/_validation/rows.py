# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of what mcp_validate checks. Plain data."""

from __future__ import annotations

HEALTH, MCP, METRICS, DISTRIBUTION, LATENCY, THROUGHPUT = CHECKS = (
    "health",
    "mcp",
    "metrics",
    "distribution",
    "latency",
    "throughput",
)
# For people
NAMES = {
    HEALTH: "health document",
    MCP: "MCP handshake",
    METRICS: "metrics flow",
    DISTRIBUTION: "distribution over instances",
    LATENCY: "latency of live traffic",
    THROUGHPUT: "throughput of live traffic",
}
# Live traffic may be too little to tell; a load test can.
ADVICE = (LATENCY, THROUGHPUT)
