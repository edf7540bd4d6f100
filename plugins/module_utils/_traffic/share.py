# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The share of answers that each pool really gives, measured through the gateway.

Half of the answers come over connections that are kept, as MCP clients keep
theirs, the other half each over a new one: a switch may move the one and not
the other. Without kept ones (kept=False) all come over new connections, for a
route that can't move a connection.
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
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import fetch_health
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

CONNECTIONS = 8
RATE = 200.0  # answers a second; what a server in trouble can still bear
ANSWER_TIMEOUT = 3.0  # seconds that one answer may take
ROW = 40  # answers in a row that show that all traffic is on one pool
ROW_EACH = 10  # of them at least, on kept and on new connections
CHANCE = 1e-9  # of such a row, at any one answer
MIN_ANSWERS = 100  # answers that a split is measured by


@dataclass(frozen=True)
class Answer:
    """at: when it came, on the monotonic clock. keep_alive: over a kept connection. seconds: how long it took.

    pool: None when the answer doesn't tell. reason: why it is not a good answer, empty when it is one.
    """

    at: float
    keep_alive: bool
    pool: str | None
    version: str = ""
    seconds: float = 0.0
    reason: str = ""


def answers_needed(wanted: Weights, tolerance: float) -> int:
    """How many answers tell a split to within the tolerance (points): two standard deviations of a binomial share."""
    if 100 in wanted.values():
        return ROW
    return max(MIN_ANSWERS, math.ceil(4 * wanted["blue"] * wanted["green"] / tolerance**2))


def row_needed(before: Weights, wanted: Weights) -> int:
    """Return how many answers in a row from the only pool that is wanted can't come by chance while the gateway has other weights.

    before: what it may still have. Where that is the same, it may have anything.
    """
    part = next((before[pool] / 100 for pool in POOLS if wanted[pool] == 100), 0.0)
    return max(ROW, math.ceil(math.log(CHANCE) / math.log(min(part, 0.99)))) if part else ROW


def tally(answers: t.Collection[Answer]) -> dict[str, t.Any]:
    """blue, green: percent of the answers that tell their pool, None without any. requests, failed: counts. reason: of the last failure."""
    counts = Counter(answer.pool for answer in answers if answer.pool)
    told = sum(counts.values())
    reasons = [answer.reason for answer in answers if answer.reason]
    return {
        **{pool: round(100 * counts[pool] / told, 1) if told else None for pool in POOLS},
        "requests": len(answers),
        "failed": len(reasons),
        "reason": reasons[-1] if reasons else "",
    }


def follows(answers: t.Collection[Answer], wanted: Weights, tolerance: float, kept: bool = True) -> bool:
    """Whether these answers are what the weights ask for: a split within tolerance, all or nothing without an exception."""
    whole = next((pool for pool in POOLS if wanted[pool] == 100), None)
    if whole is None:
        blue = tally(answers)["blue"]
        # However small a split is, a pool that gives no answer has none of it.
        return blue is not None and 0 < blue < 100 and abs(blue - wanted["blue"]) <= tolerance
    right = all(answer.pool == whole and not answer.reason for answer in answers)
    return right and min(sum(answer.keep_alive is alive for answer in answers) for alive in (kept, False)) >= ROW_EACH


def until_followed(
    answers: t.Iterable[Answer],
    wanted: Weights,
    needed: int,
    tolerance: float,
    progress: t.Callable[[t.Collection[Answer]], None],
    kept: bool = True,
) -> tuple[list[Answer], bool]:
    """The answers that show that the data plane does what the weights say, and True; the last ones, and False, when they end before.

    A split is looked at once in C(needed) answers: looking at each would find a share that is within tolerance by chance.
    """
    last: deque[Answer] = deque(maxlen=needed)
    at_each = 100 in wanted.values()
    for count, answer in enumerate(answers, 1):
        last.append(answer)
        progress(last)
        if count >= needed and (at_each or count % needed == 0) and follows(last, wanted, tolerance, kept):
            return list(last), True
    return list(last), False


@contextmanager
def answer_stream(
    endpoint: Endpoint, pool_key: str, bound: Deadline, rate: float = RATE, kept: bool = True
) -> t.Iterator[t.Iterator[Answer]]:
    """Asks for the health document from now on, at most C(rate) times a second, until the bound is over or the block is left."""

    def answers(arrived: queue.SimpleQueue[Answer]) -> t.Iterator[Answer]:
        while bound.left:
            try:
                yield arrived.get(timeout=bound.left)
            except queue.Empty:
                return

    with answer_queue(endpoint, pool_key, bound, rate, kept) as arrived:
        arriving = answers(arrived)
        try:
            yield arriving
        finally:
            arriving.close()


@contextmanager
def answer_queue(
    endpoint: Endpoint, pool_key: str, bound: Deadline, rate: float = RATE, kept: bool = True
) -> t.Iterator[queue.SimpleQueue[Answer]]:
    """The same, for who can't wait for answers that may stay away."""
    arrived: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    stop = threading.Event()

    def work(number: int) -> None:
        keep_alive = kept and number % 2 == 0
        wait = number / rate
        with closing(endpoint.connection()) as connection:
            while bound.left and not stop.wait(wait):
                answer = ask(connection, endpoint.health_path, pool_key, keep_alive)
                arrived.put(answer)
                if not keep_alive:
                    connection.close()
                wait = max(0.0, CONNECTIONS / rate - answer.seconds)

    # Daemons: one that waits for an answer ends by itself after STEP, and nobody has to wait for it.
    for number in range(CONNECTIONS):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    try:
        yield arrived
    finally:
        stop.set()


def sample(endpoint: Endpoint, pool_key: str, count: int) -> list[Answer]:
    """Return so many answers, each over a new connection; fewer when they take long or one fails."""
    bound, answers = Deadline(ANSWER_TIMEOUT), []
    while len(answers) < count and bound.left and not (answers and answers[-1].reason):
        with closing(endpoint.connection()) as connection:
            answers.append(ask(connection, endpoint.health_path, pool_key))
    return answers


def ask(connection: Connection, path: str, pool_key: str, keep_alive: bool = False) -> Answer:
    """One health document. Never raises: a failed answer is an answer."""
    start = time.monotonic()
    reason = ""
    try:
        document = fetch_health(connection, path, Deadline(ANSWER_TIMEOUT))
    except Failure as failure:
        document, reason = failure.evidence.get("health", {}), failure.msg
    pool = document.get(pool_key)
    if pool not in POOLS:
        pool, reason = None, reason or f"the health document has no pool as its {pool_key}"
    end = time.monotonic()
    return Answer(end, keep_alive, pool, str(document.get("version") or ""), end - start, reason)
