# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The share of answers that each pool really gives, measured through the gateway."""

from __future__ import annotations

import json
import threading
import time
import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

WORKERS = 4
STEP = 3.0  # seconds that one answer may take


@dataclass(frozen=True)
class Answer:
    """at: monotonic seconds. pool: empty when the answer failed, and then reason says why. seconds: how long it took."""

    at: float
    pool: str
    version: str
    seconds: float
    reason: str = ""


def ask(connection: t.Any, path: str, pool_key: str) -> Answer:
    """One health document. Never raises: a failed answer is an answer."""
    start = time.monotonic()
    pool = version = reason = ""
    try:
        reply = connection.fetch("GET", path, Deadline(STEP))
        document = json.loads(reply.text) if reply.status == 200 else None
        if not isinstance(document, dict):
            reason = f"HTTP {reply.status}" if reply.status != 200 else "not a health document"
        elif not isinstance(document.get(pool_key), str):
            reason = f"its health document has no {pool_key}"
        else:
            pool, version = document[pool_key], str(document.get("version", ""))
    except Failure as failure:
        reason = failure.msg
    except ValueError:
        reason = "not JSON"
    end = time.monotonic()
    return Answer(end, pool, version, end - start, reason)


def sample(endpoint: t.Any, pool_key: str, count: int, bound: Deadline) -> list[Answer]:
    """At most count answers: one half on connections that are kept, as MCP clients do, the other half on new ones."""
    answers: list[Answer] = []

    def work(keep: bool, wanted: int) -> None:
        connection = endpoint.connection()
        for _number in range(wanted):
            if not bound.left:
                break
            answers.append(ask(connection, endpoint.health_path, pool_key))
            if not keep:
                connection.close()
        connection.close()

    threads = [threading.Thread(target=work, args=(number % 2 == 0, count // WORKERS), daemon=True) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(bound.left + STEP)
    return sorted(answers, key=lambda answer: answer.at)


def shares(answers: list[Answer]) -> dict[str, t.Any]:
    """Percent of each pool among the answers that did not fail; failed and answers are counts."""
    counts = Counter(answer.pool for answer in answers if not answer.reason)
    total = sum(counts.values())
    percent = {pool: round(100 * counts[pool] / total, 1) if total else None for pool in ("blue", "green")}
    return {**percent, "answers": len(answers), "failed": len(answers) - total}


def deviation(measured: dict[str, t.Any], wanted: dict[str, int]) -> float | None:
    """Points between the share that was set and the one that was measured; None when nothing answered."""
    return None if measured["blue"] is None else abs(measured["blue"] - wanted["blue"])


def follow(
    endpoint: t.Any,
    pool_key: str,
    wanted: dict[str, int],
    *,
    samples: int,
    tolerance: float,
    written: float,
    bound: Deadline,
    progress: t.Callable[[str], None],
) -> dict[str, t.Any]:
    """Samples until the data plane does what was written, or the bound is over.

    All or nothing needs every answer of a batch; a split needs its share within
    tolerance (points). Returns shares() of the last batch, with reached,
    versions, reason of a failed answer, and seconds: from the write (monotonic)
    to the last answer that came from a pool without weight, 0 if there was none.
    """
    whole = next((pool for pool, percent in wanted.items() if percent == 100), None)
    last_wrong, said = written, time.monotonic()
    while True:
        answers = sample(endpoint, pool_key, 60 if whole else samples, bound)
        measured = shares(answers)
        if whole:
            last_wrong = max([last_wrong, *(answer.at for answer in answers if answer.pool not in ("", whole))])
            reached = measured[whole] == 100 and not measured["failed"]
        else:
            off = deviation(measured, wanted)
            reached = off is not None and off <= tolerance and not measured["failed"]
        if reached or not bound.left:
            return {
                **measured,
                "reached": reached,
                "versions": sorted({answer.version for answer in answers if answer.version}),
                "reason": next((answer.reason for answer in answers if answer.reason), ""),
                "seconds": round(last_wrong - written, 3),
            }
        if time.monotonic() - said > 2:
            said = time.monotonic()
            progress(f"measured blue {measured['blue']} %, green {measured['green']} % of {measured['answers']} answers, {measured['failed']} failed")
        bound.pause(0.02)
