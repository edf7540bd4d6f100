# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watching what clients get for a while: the module mcp_watch."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import share

SPEC = Spec(
    options={
        "endpoint": {**endpoints.OPTION, "required": True},
        "pool_key": {"type": "str", "default": "pool", "no_log": False},
        "seconds": {"type": "float", "required": True},
        "rate": {"type": "float", "default": 20.0},
        "max_failed_percent": {"type": "float", "default": 1.0},
        "min_answers": {"type": "int", "default": 20},
        "label": {"type": "str", "default": ""},
    },
)
WORKERS = 4
EVERY = 5.0  # seconds between lines of progress


def verdict(answers: int, failed: int, max_failed_percent: float, min_answers: int) -> str:
    """pass, breach, or no data while there are fewer than min_answers."""
    if answers < min_answers:
        return "no data"
    return "breach" if 100 * failed / answers > max_failed_percent else "pass"


def run(task: Task) -> dict[str, t.Any]:
    """Asks for health documents through the gateway, at a rate, until the time is over or the verdict is a breach."""
    params = task.params
    public = endpoints.public(params["endpoint"])
    limits = (params["max_failed_percent"], params["min_answers"])
    bound, stop, answers = Deadline(params["seconds"]), threading.Event(), []

    def work(number: int) -> None:
        connection = public.connection()
        while not stop.wait(WORKERS / params["rate"]) and bound.left:
            answers.append(share.ask(connection, public.health_path, params["pool_key"]))
            if number % 2:
                connection.close()
        connection.close()

    if task.check_mode:
        return {"changed": False, "verdict": "no data", "answers": 0, "failed": 0, "blue": None, "green": None, "p95": None, "seconds": 0.0}
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    said = time.monotonic()
    while bound.pause(0.2):
        if verdict(len(answers), _failed(answers), *limits) == "breach":
            break
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            task.progress(f"{params['label']} {bound.elapsed:.0f} of {bound.seconds:.0f} s: {len(answers)} answers, {_failed(answers)} failed".strip())
    stop.set()
    for thread in threads:
        thread.join(share.STEP)
    seen = list(answers)
    durations = sorted(answer.seconds for answer in seen)
    result = {
        "changed": False,
        "verdict": verdict(len(seen), _failed(seen), *limits),
        **share.shares(seen),
        "p95": round(durations[int(0.95 * (len(durations) - 1))], 4) if durations else None,
        "seconds": round(bound.elapsed, 1),
    }
    if result["verdict"] != "pass":
        reason = next((answer.reason for answer in seen if answer.reason), "too few answers")
        raise Failure(
            f"The watch of {params['endpoint']['url']} ended with {result['verdict']}: {result['failed']} of {result['answers']} answers failed "
            f"in {result['seconds']} s, {limits[0]:g} % may ({reason}).",
            **result,
        )
    return result


def _failed(answers: list[share.Answer]) -> int:
    return sum(1 for answer in list(answers) if answer.reason)
