# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure, through the gateway, the share of answers that each pool gives.

Half of the requests use connections that are kept alive, as MCP clients do, the other half a new one each: a shift may
move the one kind and not the other. With keep_alive=False all use new connections, for a route that can't move one.
What is asked, and how often at most, depends on the server (_mcp/requests.py).
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
from ansible_collections.mcp.server.plugins.module_utils._mcp import requests
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import version_text
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import (
    ANSWER_TIMEOUT,
    HealthPath,
    Said,
    Way,
    pool_in,
)
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

# By what an answer names its pool, the most trustworthy first.
HEADER, HEALTH, SERVER_INFO = "header", "health", "server_info"
NAMED_BY = (HEADER, HEALTH, SERVER_INFO)
LEAVING = 2.5  # seconds for which requests that open sessions are waited for, to end these
ROW = 40  # answers in a row that show that all traffic is on one pool
ROW_EACH = 10  # at least so many of them over kept-alive connections, and over new ones
CHANCE = 1e-9  # probability of such a row by chance, at any one answer
MIN_ANSWERS = 100  # answers to measure a split by
IDLE = 0.05  # seconds between looks whether the server bears another connection


@dataclass(frozen=True)
class Answer:
    """One answer through the gateway."""

    at: float  # when it came, on the monotonic clock
    keep_alive: bool | None  # whether its connection was kept alive; None: no connection to this server can be
    pool: str | None  # the pool that answered, None when nothing names it; the answer may be good nevertheless
    version: str = ""  # as the health document reports it
    seconds: float = 0.0  # how long it took
    reason: str = ""  # why it counts as failed; empty when it does not
    # Whether it is of no pool and no server error, as other backends of the route answer.
    elsewhere: bool = False
    named_by: str = ""  # one of NAMED_BY; empty when nothing names the pool
    server_info: tuple[str, str] | None = None  # name and version in serverInfo, where the answer has it


def way_of(endpoint: Endpoint) -> Way:
    """Return how to ask a server for its share and errors."""
    if endpoint.health_path is not None:
        return HealthPath(endpoint, endpoint.health_path)
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._mcp import own_requests

    return own_requests.of(endpoint)


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
    reason: of the last one that failed, empty without any. measured_by: by what the pools were named, the least
    trustworthy of NAMED_BY; None where nothing names them. unnamed: how many good answers name no pool.
    """
    counts = Counter(answer.pool for answer in answers if answer.pool)
    ways = {answer.named_by for answer in answers}
    named = sum(counts.values())
    reasons = [answer.reason for answer in answers if answer.reason]
    return {
        **{pool: round(100 * counts[pool] / named, 1) if named else None for pool in POOLS},
        "requests": len(answers),
        "failed": len(reasons),
        "reason": reasons[-1] if reasons else "",
        "measured_by": next((way for way in reversed(NAMED_BY) if way in ways), None),
        "unnamed": sum(not (answer.pool or answer.reason) for answer in answers),
    }


def follows(answers: t.Collection[Answer], wanted: Weights, tolerance: float, keep_alive: bool = True) -> bool:
    """Return whether the answers match the weights: a split within the tolerance, all or nothing without exception."""
    whole = next((pool for pool in POOLS if wanted[pool] == 100), None)
    if whole is None:
        counts = tally(answers)
        blue = counts["blue"]
        # Even of a small split a pool without a single answer has none. Where only one pool's answers are named, the
        # others may be of either.
        return blue is not None and 0 < blue < 100 and abs(blue - wanted["blue"]) <= tolerance and not counts["unnamed"]
    right = all(answer.pool == whole and not answer.reason for answer in answers)
    each = [sum(answer.keep_alive in (kind, None) for answer in answers) for kind in (keep_alive, False)]
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
    endpoint: Endpoint, bound: Deadline, at_most: float | None = None, keep_alive: bool = True
) -> t.Iterator[t.Iterator[Answer]]:
    """Ask the server until the bound is over or the block is left. Gives an iterator of the answers as they come.

    at_most: requests per second; None for as many as the server bears.
    """

    def answers(arrived: queue.SimpleQueue[Answer]) -> t.Generator[Answer, None, None]:
        while bound.left:
            try:
                yield arrived.get(timeout=bound.left)
            except queue.Empty:
                return

    with answer_queue(endpoint, bound, at_most, keep_alive) as arrived:
        arriving = answers(arrived)
        try:
            yield arriving
        finally:
            arriving.close()


@contextmanager
def answer_queue(
    endpoint: Endpoint, bound: Deadline, at_most: float | None = None, keep_alive: bool = True
) -> t.Iterator[queue.SimpleQueue[Answer]]:
    """Do the same, but give a queue of the answers, for a caller that must not block while none come."""
    arrived: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    stop = threading.Event()
    way = way_of(endpoint)

    def pace() -> tuple[int, float]:
        """Return how many connections there are now, and their requests per second together."""
        return way.connections, way.rate if at_most is None else min(at_most, way.rate)

    def work(number: int) -> None:
        kept_alive = keep_alive and number % 2 == 0
        wait = number / pace()[1] if number < pace()[0] else IDLE
        with closing(endpoint.connection()) as connection:
            while bound.left and not stop.wait(wait):
                connections, per_second = pace()
                if number >= connections:
                    wait = IDLE
                    continue
                start = time.monotonic()
                answer = ask(way, endpoint, connection, stop, kept_alive)
                if answer is not None:
                    arrived.put(answer)
                if not kept_alive:
                    connection.close()
                connections, per_second = pace()
                wait = max(0.0, connections / per_second - (time.monotonic() - start))

    # Daemons: one that waits for an answer ends within ANSWER_TIMEOUT, and need not be joined.
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(requests.CONNECTIONS)]
    for thread in threads:
        thread.start()
    try:
        yield arrived
    finally:
        stop.set()
        if way.note:
            leaving = Deadline(LEAVING)
            for thread in threads:
                thread.join(leaving.left)


def sample(endpoint: Endpoint, count: int) -> list[Answer]:
    """Return C(count) answers, each over a new connection; fewer when they take long or one fails, but one."""
    way, stop = way_of(endpoint), threading.Event()
    bound = Deadline(ANSWER_TIMEOUT)
    answers: list[Answer] = []
    while not answers or (len(answers) < count and bound.left and not answers[-1].reason):
        with closing(endpoint.connection()) as connection:
            answer = ask(way, endpoint, connection, stop)
        if answer is not None:
            answers.append(answer)
    return answers


def until_named(endpoint: Endpoint, enough: t.Callable[[], int]) -> list[Answer]:
    """Return answers up to the first one that names its pool, or fails; where none does, so many good ones.

    enough: called again and again, as the first answer tells whether the server is slow.
    """
    answers = sample(endpoint, 1)
    while len(answers) < enough() and not (answers[-1].pool or answers[-1].reason):
        answers += sample(endpoint, 1)
    return answers


def ask(
    way: Way, endpoint: Endpoint, connection: Connection, stop: threading.Event, keep_alive: bool = False
) -> Answer | None:
    """Return the answer to one request; None when it tells nothing. Raises nothing: a failure has a reason."""
    said = way.ask(connection, stop)
    if said is None:
        return None
    pool, named_by = named(said, endpoint)
    info = said.server_info
    return Answer(
        time.monotonic(),
        keep_alive if said.keeps else None,
        pool,
        version_text(said.document.get("version")) or "",
        said.seconds,
        said.reason,
        elsewhere=pool is None and said.status < 500,
        named_by=named_by,
        server_info=name_and_version(info) if info else None,
    )


def named(said: Said, endpoint: Endpoint) -> tuple[str | None, str]:
    """Return the pool that answered, and by what it is named; None, and nothing, when nothing names it. Pure."""
    if in_header := pool_in(said.values):
        return in_header, HEADER
    in_health = said.document.get(endpoint.answering.pool_key)
    if isinstance(in_health, str) and in_health in POOLS:
        return in_health, HEALTH
    if said.server_info and (found := endpoint.server_infos.get(name_and_version(said.server_info))):
        return found, SERVER_INFO
    return None, ""


def name_and_version(info: dict[str, t.Any]) -> tuple[str, str]:
    return version_text(info.get("name")) or "", version_text(info.get("version")) or ""


def rate(endpoint: Endpoint) -> float:
    """Return how many requests a second the server is asked at most; before the first answer, few."""
    return way_of(endpoint).rate


def slow_note(endpoint: Endpoint) -> str:
    """Return why the server is asked slowly, a clause; empty where it is not, and before the first answer."""
    return way_of(endpoint).note
