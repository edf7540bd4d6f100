# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the checks of a release, one after the other."""

from __future__ import annotations

import contextvars
import threading
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._checks import (
    controller_command,
    http_request,
    mcp_call,
    options,
    pod_command,
)
from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import GRACE, SLICE, Limit
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable

Check = dict[str, t.Any]  # as the argument spec gives it

KINDS: dict[str, t.Callable[[dict[str, t.Any], Context, Limit], Verdict]] = {
    "mcp": mcp_call.run,
    "http": http_request.run,
    "pod": pod_command.run,
    "command": controller_command.run,
}

MAX_REASON = 600  # characters


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    name: str
    kind: str  # mcp, http, pod or command
    passed: bool
    seconds: float
    reason: str = ""  # of the failure, for people
    output: str = ""  # the end of what its command wrote


def run_checks(
    task: Task, context: Context, checks: t.Sequence[Check], stop: threading.Event, *, all_of_them: bool = False
) -> list[Outcome]:
    """Run checks up to the first failure, or all of them; return their outcomes.

    A check that C(stop) interrupts has none.
    """
    outcomes: list[Outcome] = []
    for check in checks:
        if stop.is_set():
            break
        outcome = _run(task, context, check, stop)
        if outcome is None:
            break
        outcomes.append(outcome)
        if not (outcome.passed or all_of_them):
            break
    return outcomes


def failure_sentence(outcomes: t.Sequence[Outcome]) -> str:
    """Return a sentence about the check that failed, or an empty text."""
    failed = next((outcome for outcome in outcomes if not outcome.passed), None)
    return f"Check {failed.name} failed after {failed.seconds:.1f} s: {failed.reason.rstrip('.')}." if failed else ""


def _run(task: Task, context: Context, check: Check, stop: threading.Event) -> Outcome | None:
    name, kind = printable(check["name"], 80), options.kind(check)
    task.progress(f"check {name} ({kind}, {check['timeout']:g} s at most)")
    watch = Deadline(0)
    verdict = _verdict(kind, check, context, Limit(check["timeout"], stop))
    seconds = round(watch.elapsed, 3)
    reason = printable(verdict.reason, MAX_REASON)
    # An interruption looks like a failure, but is not one.
    if reason and stop.is_set():
        task.progress(f"check {name} was interrupted after {seconds:.1f} s")
        return None
    how = f"failed after {seconds:.1f} s: {reason}" if reason else f"passed after {seconds:.1f} s"
    task.progress(f"check {name} {how}")
    return Outcome(name, kind, not reason, seconds, reason, verdict.output)


def _verdict(kind: str, check: Check, context: Context, limit: Limit) -> Verdict:
    """Return the verdict of the check, never much later than its time limit or an interruption."""
    found: list[Verdict] = []

    def work() -> None:
        try:
            found.append(KINDS[kind](check[kind], context, limit))
        except Failure as failure:
            found.append(Verdict(failure.msg))
        except Exception as error:  # without its text, which may contain secrets
            found.append(Verdict(f"the check could not be run ({type(error).__name__})"))

    # In a thread, as name resolution has no time limit and may have to be left behind. With a copy of the context, so
    # that the check waits for the API server as this task does.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    thread.start()
    try:
        while thread.is_alive() and not limit.stop.is_set() and not limit.overdue():
            thread.join(SLICE)
    finally:
        limit.end()
        thread.join(GRACE + 4 * SLICE)
    return found[0] if found else Verdict(f"did not end within {limit.seconds:g} s (timeout)")
