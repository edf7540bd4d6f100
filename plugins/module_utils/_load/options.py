# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a load test, and what they mean together. Pure."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

STAGING, PRODUCTION = "staging", "production"
AUTO, VEGETA, K6 = "auto", "vegeta", "k6"

# Documented in modules/mcp_load_test.py. Without defaults: these are of the limits, and a variable without a value is
# null.
OPTIONS: dict[str, t.Any] = {
    "limits": {"type": "str", "choices": [STAGING, PRODUCTION], "default": STAGING},
    "enabled": {"type": "bool"},
    "tool": {"type": "str", "choices": [AUTO, VEGETA, K6], "default": AUTO},
    "tool_path": {"type": "path"},
    "script": {"type": "path"},
    "request": {
        "type": "dict",
        "options": {"tool": {"type": "str", "required": True}, "arguments": {"type": "dict", "default": {}}},
    },
    "rate": {"type": "float"},
    "duration": {"type": "int", "default": 10},
    "sessions": {"type": "int", "default": 5},
    "answer_timeout": {"type": "float", "default": 10.0},
    "max_error_percent": {"type": "float"},
    "max_p95_ms": {"type": "float"},
    "min_throughput": {"type": "float"},
}

RATE = 50  # requests a second, where no throughput is asked for
HEADROOM = 1.25  # times the throughput that is asked for: it can't be passed at exactly that rate
MIN_REQUESTS = 100  # of which 2 % and a 95th percentile tell something
MAX_RATE, MAX_REQUESTS, MAX_SECONDS, MAX_SESSIONS = 10_000, 300_000, 600, 20
MIN_WORKERS, MAX_WORKERS = 10, 1_000  # requests at the same time, at most
QUOTE = 300  # characters of the output of a tool in a message


@dataclass(frozen=True)
class Limits:
    """What the load test must show. The guide's limits are the defaults."""

    max_error_percent: float = 2.0
    max_p95_ms: float = 200.0
    min_throughput: float | None = None  # good answers a second


GUIDE = {STAGING: Limits(), PRODUCTION: Limits(max_p95_ms=300.0, min_throughput=1000.0)}


@dataclass(frozen=True)
class Plan:
    """The load that is sent."""

    rate: int  # requests a second
    seconds: int
    workers: int  # requests at the same time, at most
    sessions: int
    answer_timeout: float  # seconds

    @property
    def requests(self) -> int:
        return self.rate * self.seconds


def is_enabled(params: t.Mapping[str, t.Any]) -> bool:
    """Return whether the load is sent: on production only when that was asked for."""
    given = params["enabled"]
    return params["limits"] == STAGING if given is None else bool(given)


def limits_of(params: t.Mapping[str, t.Any]) -> Limits:
    """Return the limits. Raise Failure for those that nothing can keep."""
    guide = GUIDE[params["limits"]]
    given = {name: params[name] for name in ("max_error_percent", "max_p95_ms", "min_throughput")}
    for name, value in given.items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise Failure(f"{name} (mcp_load_{name}) is {value:g}: it must be more than 0.")
    return Limits(
        given["max_error_percent"] or guide.max_error_percent,
        given["max_p95_ms"] or guide.max_p95_ms,
        given["min_throughput"] or guide.min_throughput,
    )


def plan_of(params: t.Mapping[str, t.Any], limits: Limits) -> Plan:
    """Return the load. Raise Failure for one that is too large, or that can't show what the limits ask for."""
    seconds, sessions, timeout = params["duration"], params["sessions"], params["answer_timeout"]
    wanted = params["rate"]
    if wanted is None:
        wanted = RATE if limits.min_throughput is None else HEADROOM * limits.min_throughput
    if not (math.isfinite(wanted) and 1 <= wanted <= MAX_RATE):
        raise Failure(f"rate (mcp_load_rate) is {wanted:g} requests a second: it must be from 1 to {MAX_RATE}.")
    rate = math.ceil(wanted)
    if not 1 <= seconds <= MAX_SECONDS:
        raise Failure(f"duration (mcp_load_duration) is {seconds} s: it must be from 1 to {MAX_SECONDS}.")
    if not MIN_REQUESTS <= rate * seconds <= MAX_REQUESTS:
        raise Failure(
            f"rate and duration (mcp_load_rate, mcp_load_duration) make {rate * seconds} requests: it must be at least "
            f"{MIN_REQUESTS}, of which a 95th percentile tells something, and at most {MAX_REQUESTS}."
        )
    if not 1 <= sessions <= MAX_SESSIONS:
        raise Failure(f"sessions (mcp_load_sessions) is {sessions}: it must be from 1 to {MAX_SESSIONS}.")
    if not (math.isfinite(timeout) and 0 < timeout <= 60):
        raise Failure(f"answer_timeout is {timeout:g} s: it must be more than 0, and at most 60.")
    if limits.min_throughput is not None and rate <= limits.min_throughput:
        raise Failure(
            f"rate (mcp_load_rate) is {rate} requests a second, so that more than {limits.min_throughput:g} good "
            "answers a second (min_throughput, mcp_load_min_throughput) can't come: leave the rate out, or set a "
            "higher one."
        )
    # Twice as many as are waited for at the limit of the latency, so that a slower server shows as slow.
    workers = math.ceil(rate * 2 * limits.max_p95_ms / 1000)
    return Plan(rate, seconds, max(MIN_WORKERS, min(workers, MAX_WORKERS)), sessions, timeout)


def tool_of(params: t.Mapping[str, t.Any]) -> str:
    """Return which tool sends the load. Raise Failure when the options contradict each other."""
    tool, script = params["tool"], params["script"]
    if tool == AUTO:
        tool = K6 if script else VEGETA
    if tool == K6 and not script:
        raise Failure("tool (mcp_load_tool) is k6, which needs your script: set script (mcp_load_script) to its path.")
    if tool == VEGETA and script:
        raise Failure("script (mcp_load_script) is for k6, and tool (mcp_load_tool) is vegeta: remove one of them.")
    return str(tool)
