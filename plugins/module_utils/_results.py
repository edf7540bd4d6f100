# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of checks, each with a verdict of its own, and their table.

A check is a function that returns a sentence. It raises Failure when it fails, Warns when that is no reason to stop,
CannotMeasure when it cannot be told, and Skipped when there is nothing to check or this user may not look. Its sentence
says what to do.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._table import table
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, unexpected
from ansible_collections.mcp.server.plugins.module_utils._text import printable

PASSED, FAILED, SKIPPED, CANNOT_MEASURE = "passed", "failed", "skipped", "cannot_measure"
VERDICTS = (FAILED, CANNOT_MEASURE, SKIPPED, PASSED)  # the worst first

MAX_MESSAGE = 2000  # characters of one check in the table

Result = dict[str, t.Any]
Check = t.Callable[[], str]


class CannotMeasure(Failure):
    """Neither good nor bad can be told, as what is needed to tell it is missing. A gate never passes by it."""


class Warns(Failure):
    """Something is wrong that a release can go on with: it is shown, and no play fails by it."""


class Skipped(Exception):
    """There is nothing to check, or this user may not look. Its text is a sentence."""


def result(
    check_id: str, name: str, verdict: str, message: str, *, seconds: float | None = 0.0, required: bool = True
) -> Result:
    """Return the result of a check, as in RETURN of the modules that check. Pure.

    check_id: for programs, stable. name: for people. verdict: one of VERDICTS. message: a sentence; of a failure also
    with what to do. required: whether the play fails by it; otherwise it is a warning. seconds: None where nobody
    has measured them.
    """
    return {
        "id": check_id,
        "name": name,
        "verdict": verdict,
        "ok": verdict in (PASSED, SKIPPED),
        "skipped": verdict == SKIPPED,
        "required": required,
        "message": message,
        "seconds": seconds,
    }


def made(check_id: str, name: str, check: Check, *, required: bool = True) -> Result:
    """Make a check and return its result. An answer of another shape than expected fails it, without a traceback."""
    started = time.monotonic()
    verdict = PASSED
    try:
        message = check()
    except Skipped as reason:
        verdict, message = SKIPPED, str(reason)
    except CannotMeasure as failure:
        verdict, message = CANNOT_MEASURE, failure.msg
    except Failure as failure:
        verdict, message = FAILED, failure.msg
        required = required and not isinstance(failure, Warns)
    except Exception as error:  # also one that nobody foresaw ends this check only: all others have their row
        verdict, message = FAILED, f'Check "{name}" cannot read an answer. {unexpected(error)}'
    seconds = round(time.monotonic() - started, 3)
    return result(check_id, name, verdict, message, seconds=seconds, required=required)


def problems(results: t.Iterable[Result]) -> list[str]:
    """Return the sentences of the checks by which a play fails, each once. Pure."""
    return list(dict.fromkeys(str(one["message"]) for one in results if not one["ok"] and one["required"]))


def lines(title: str, results: t.Sequence[Result], *, brief: bool = False) -> list[str]:
    """Return the table of checks: a row each, in their order, and one that counts. Pure.

    The sentence of a check is its row's last column, whole: it has what to do. brief: only what did not pass, and
    was not skipped, has a row.
    """
    every = [(word(one), str(one["name"]), _seconds(one), str(one["message"])) for one in results]
    rows = [row for row, one in zip(every, results, strict=True) if not (brief and one["ok"])]
    shown = table([row[:3] for row in rows]) if rows else []
    counts = [
        f"{n} {word}" for word in ("FAILED", "cannot measure", "warning", "skipped", "ok") if (n := _count(every, word))
    ]
    return [
        printable(title, 200),
        *(
            f"  {line.rstrip():<{max(map(len, shown))}}  {printable(row[3], MAX_MESSAGE)}"
            for line, row in zip(shown, rows, strict=True)
        ),
        f"  {len(every)} checks: {', '.join(counts) or 'none'}",
    ]


def _seconds(one: Result) -> str:
    return "" if one["seconds"] is None else f"{one['seconds']:.1f} s"


def _count(rows: t.Sequence[tuple[str, str, str, str]], word: str) -> int:
    return sum(row[0] == word for row in rows)


def word(one: Result) -> str:
    """Return the verdict for people. Pure."""
    if one["skipped"]:
        return "skipped"
    if one["ok"]:
        return "ok"
    if not one["required"]:
        return "warning"
    return "cannot measure" if one["verdict"] == CANNOT_MEASURE else "FAILED"
