# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watching what clients get for a while: the module mcp_watch."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster import keeping
from ansible_collections.mcp.server.plugins.module_utils._cluster.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import share

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **keeping.OPTION,
        "namespace": {"type": "str"},
        "server": {"type": "str"},
        "endpoint": {**endpoints.OPTION, "required": True},
        "pool_key": {"type": "str", "default": "pool", "no_log": False},
        "seconds": {"type": "float", "required": True},
        "rate": {"type": "float", "default": 20.0},
        "max_failed_percent": {"type": "float", "default": 1.0},
        "min_answers": {"type": "int", "default": 20},
        "label": {"type": "str", "default": ""},
    },
    required_by={"lock": ["namespace", "server"]},
)
EVERY = 5.0  # seconds between lines of progress


def verdict(answers: int, failed: int, max_failed_percent: float, min_answers: int) -> str:
    """pass, breach, or no data while there are fewer than min_answers."""
    if answers < min_answers:
        return "no data"
    return "breach" if 100 * failed / answers > max_failed_percent else "pass"


@keeping.kept
def run(task: Task) -> dict[str, t.Any]:
    """Asks for health documents through the gateway, at a rate, until the time is over or the verdict is a breach."""
    params = task.params
    for option in ("seconds", "rate"):
        if params[option] <= 0:
            raise Failure(f"{option} is {params[option]:g}: it must be more than 0.")
    public = endpoints.public(params["endpoint"])
    if task.check_mode:
        return _result([], "no data", 0.0)

    bound, seen, failed, now, said = Deadline(params["seconds"]), [], 0, "no data", time.monotonic()
    with share.asking(public, params["pool_key"], bound, params["rate"]) as answers:
        for answer in answers:
            task.held()
            seen.append(answer)
            failed += bool(answer.reason)
            now = verdict(len(seen), failed, params["max_failed_percent"], params["min_answers"])
            if now == "breach":
                break
            if time.monotonic() - said >= EVERY:
                said = time.monotonic()
                task.progress(f"{params['label']} {bound.elapsed:.0f} of {bound.seconds:.0f} s: {len(seen)} answers, {failed} failed".strip())
    result = _result(seen, now, bound.elapsed)
    if now != "pass":
        raise Failure(
            f"The watch of {public.name} ended with {now}: {failed} of {len(seen)} answers failed in {result['seconds']} s, "
            f"{params['max_failed_percent']:g} % may ({result['reason'] or 'too few answers'}).",
            **result,
        )
    return result


def _result(seen: list[share.Answer], now: str, seconds: float) -> dict[str, t.Any]:
    durations = sorted(answer.seconds for answer in seen)
    return {
        "changed": False,
        "verdict": now,
        **share.tally(seen),
        "p95": round(durations[int(0.95 * (len(durations) - 1))], 4) if durations else None,
        "seconds": round(seconds, 1),
    }
