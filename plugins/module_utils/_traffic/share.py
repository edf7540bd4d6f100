# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure, through the gateway, the share of answers that each pool gives.

Half of the requests use connections that are kept alive, as MCP clients do, the other half a new one each: a shift may
move the one kind and not the other. With keep_alive=False all use new connections, for a route that can't move one.
"""

from __future__ import annotations

import math
import queue
import threading
import time
import typing as t
from collections import Counter, deque
from contextlib import closing, contextmanager
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import fetch_health, version_text
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

CONNECTIONS = 8
RATE = 200.0  # requests per second; a server in trouble can still bear these
ANSWER_TIMEOUT = 3.0  # seconds for one answer
ROW = 40  # answers in a row that show that all traffic is on one pool
ROW_EACH = 10  # at least so many of them over kept-alive connections, and over new ones
CHANCE = 1e-9  # probability of such a row by chance, at any one answer
MIN_ANSWERS = 100  # answers to measure a split by


@dataclass(frozen=True)
class Answer:
    """One answer to a request for the health document."""

    at: float  # when it came, on the monotonic clock
    keep_alive: bool  # whether its connection was kept alive
    pool: str | None  # the pool that answered, None when the answer does not name it
    version: str = ""  # as the health document reports it
    seconds: float = 0.0  # how long it took
    reason: str = ""  # why it counts as failed; empty when it does not
    # Whether it is of no pool and no server error, as other backends of the route answer.
    elsewhere: bool = False


def of_pools(answers: t.Iterable[Answer]) -> t.Iterator[Answer]:
    """Yield the answers without those that other backends of the route may have given."""
    return (answer for answer in answers if not answer.elsewhere)


def answers_needed(wanted: Weights, tolerance: float) -> int:
    """Return how many answers measure a split to within the tolerance: two standard deviations of a binomial share.

    tolerance: percentage points.
    """
    if 100 in wanted.values():
        return ROW
    return max(MIN_ANSWERS, math.ceil(4 * wanted["blue"] * wanted["green"] / tolerance**2))


def row_needed(before: Weights, wanted: Weights) -> int:
    """Return how many answers in a row from the pool that should have all traffic rule out the weights from before.

    before: the weights that the gateway may still have. Where that pool had all before too, it may have any.
    """
    part = next((before[pool] / 100 for pool in POOLS if wanted[pool] == 100), 0.0)
    return max(ROW, math.ceil(math.log(CHANCE) / math.log(min(part, 0.99)))) if part else ROW


def tally(answers: t.Collection[Answer]) -> dict[str, t.Any]:
    """Return counts of the answers.

    blue, green: percent of the answers that name their pool, None without any. requests, failed: how many.
    reason: of the last one that failed, empty without any.
    """
    counts = Counter(answer.pool for answer in answers if answer.pool)
    named = sum(counts.values())
    reasons = [answer.reason for answer in answers if answer.reason]
    return {
        **{pool: round(100 * counts[pool] / named, 1) if named else None for pool in POOLS},
        "requests": len(answers),
        "failed": len(reasons),
        "reason": reasons[-1] if reasons else "",
    }


def follows(answers: t.Collection[Answer], wanted: Weights, tolerance: float, keep_alive: bool = True) -> bool:
    """Return whether the answers match the weights: a split within the tolerance, all or nothing without exception."""
    whole = next((pool for pool in POOLS if wanted[pool] == 100), None)
    if whole is None:
        blue = tally(answers)["blue"]
        # Even of a small split a pool without a single answer has none.
        return blue is not None and 0 < blue < 100 and abs(blue - wanted["blue"]) <= tolerance
    right = all(answer.pool == whole and not answer.reason for answer in answers)
    each = [sum(answer.keep_alive is kind for answer in answers) for kind in (keep_alive, False)]
    return right and min(each) >= ROW_EACH


def until_followed(
    answers: t.Iterable[Answer],
    wanted: Weights,
    needed: int,
    tolerance: float,
    progress: t.Callable[[t.Collection[Answer]], None],
    keep_alive: bool = True,
) -> tuple[list[Answer], bool]:
    """Return the answers that show that the data plane follows the weights, and True; else the last ones, and False.

    A split is judged once every C(needed) answers: judging at each would find a share within the tolerance by chance.
    """
    last: deque[Answer] = deque(maxlen=needed)
    at_each = 100 in wanted.values()
    for count, answer in enumerate(answers, 1):
        last.append(answer)
        progress(last)
        if count >= needed and (at_each or count % needed == 0) and follows(last, wanted, tolerance, keep_alive):
            return list(last), True
    return list(last), False


@contextmanager
def answer_stream(
    endpoint: Endpoint, pool_key: str, bound: Deadline, rate: float = RATE, keep_alive: bool = True
) -> t.Iterator[t.Iterator[Answer]]:
    """Request the health document at most C(rate) times per second until the bound is over or the block is left.

    Gives an iterator of the answers as they come.
    """

    def answers(arrived: queue.SimpleQueue[Answer]) -> t.Generator[Answer, None, None]:
        while bound.left:
            try:
                yield arrived.get(timeout=bound.left)
            except queue.Empty:
                return

    with answer_queue(endpoint, pool_key, bound, rate, keep_alive) as arrived:
        arriving = answers(arrived)
        try:
            yield arriving
        finally:
            arriving.close()


@contextmanager
def answer_queue(
    endpoint: Endpoint, pool_key: str, bound: Deadline, rate: float = RATE, keep_alive: bool = True
) -> t.Iterator[queue.SimpleQueue[Answer]]:
    """Do the same, but give a queue of the answers, for a caller that must not block while none come."""
    arrived: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    stop = threading.Event()

    def work(number: int) -> None:
        kept_alive = keep_alive and number % 2 == 0
        wait = number / rate
        with closing(endpoint.connection()) as connection:
            while bound.left and not stop.wait(wait):
                answer = ask(connection, endpoint.health_path, pool_key, kept_alive)
                arrived.put(answer)
                if not kept_alive:
                    connection.close()
                wait = max(0.0, CONNECTIONS / rate - answer.seconds)

    # Daemons: one that waits for an answer ends within ANSWER_TIMEOUT, and need not be joined.
    for number in range(CONNECTIONS):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    try:
        yield arrived
    finally:
        stop.set()


def sample(endpoint: Endpoint, pool_key: str, count: int) -> list[Answer]:
    """Return C(count) answers, each over a new connection; fewer when they take long or one fails."""
    bound = Deadline(ANSWER_TIMEOUT)
    answers: list[Answer] = []
    while len(answers) < count and bound.left and not (answers and answers[-1].reason):
        with closing(endpoint.connection()) as connection:
            answers.append(ask(connection, endpoint.health_path, pool_key))
    return answers


def ask(connection: Connection, path: str, pool_key: str, keep_alive: bool = False) -> Answer:
    """Request one health document and return the answer. Raises nothing: a failure is an answer with a reason."""
    start = time.monotonic()
    reason, status = "", 200
    try:
        document = fetch_health(connection, path, Deadline(ANSWER_TIMEOUT))
    except Failure as failure:
        document, reason = failure.evidence.get("health", {}), failure.msg
        status = failure.evidence.get("status", 500)
    pool = document.get(pool_key)
    if pool not in POOLS:
        pool, reason = None, reason or f"the health document has no pool as its {pool_key}"
    end = time.monotonic()
    elsewhere = pool is None and status < 500
    version = version_text(document.get("version")) or ""
    return Answer(end, keep_alive, pool, version, end - start, reason, elsewhere)
