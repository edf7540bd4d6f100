# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load by the official Python client, until standard input ends or the time is over: official.py JSON.

What is given: url, host (the Host header), call (name and arguments of a tool), rate (requests a second, of all
sessions together), sessions (open at the same time), seconds (at most). What is printed: see Tally.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import typing as t
from collections import Counter
from dataclasses import dataclass, field

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

PATIENCE = 10.0  # seconds, for one request
RENEW = 30  # requests after which a client ends its session and opens another, as clients do
MORE = 5  # for each next client, so that they do it at other times
LIVE = "blue"  # the pool, while the route does not name any yet
REFUSALS = (400, 404, 422)  # of a session or a revision that is not known


@dataclass
class Tally:
    """sent: requests, openings of sessions too. lost: sessions that another pool than their own did not know.

    outdated: clients without a session, that speak a revision of the protocol which the pool that took over from theirs
    does not know. A pool that refuses what it has accepted before has failed.
    pools: answers by the pool that the route names. longest: seconds that one request took.
    left: how each client left a pool from which all traffic went: when, how, and that pool. How: "lost", "outdated",
    "ended" (by the client itself, just then) or "between" (it had no session just then).
    """

    sent: int = 0
    ok: int = 0
    failed: int = 0
    opened: int = 0
    lost: int = 0
    outdated: int = 0
    longest: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)
    pools: Counter[str] = field(default_factory=Counter)
    left: list[tuple[float, str, str]] = field(default_factory=list)


class Load:
    def __init__(self, given: dict[str, t.Any]) -> None:
        self.given = given
        self.tally = Tally()
        self.over = asyncio.Event()
        self.interval = given["sessions"] / given["rate"]

    async def run(self) -> dict[str, t.Any]:
        start = time.monotonic()
        workers = [asyncio.create_task(self._client(number)) for number in range(self.given["sessions"])]
        end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await asyncio.wait([end], timeout=self.given["seconds"])
        self.over.set()
        seconds = time.monotonic() - start
        await asyncio.wait(workers, timeout=2 * PATIENCE)
        rate = round(self.tally.sent / seconds, 1)
        return {"client": "python", "seconds": round(seconds, 1), "rate": rate, **vars(self.tally)}

    async def _client(self, number: int) -> None:
        """One user of the server, with one session at a time."""
        due = time.monotonic() + self.interval * number / self.given["sessions"]
        answer = Answer(self.tally)
        while not self.over.is_set():
            answer = Answer(self.tally, "" if answer.gone else answer.pool)
            try:
                async with httpx2.AsyncClient(
                    headers={"Host": self.given["host"]}, timeout=PATIENCE, event_hooks={"response": [answer.seen]}
                ) as http:
                    transport = streamable_http_client(self.given["url"], http_client=http)
                    answer.begin()
                    async with Client(transport, read_timeout_seconds=PATIENCE) as client:
                        answer.end()
                        self.tally.opened += 1
                        for count in range(RENEW + MORE * number):
                            await asyncio.sleep(max(0.0, due - time.monotonic()))
                            due = max(due + self.interval, time.monotonic() - 1)
                            if self.over.is_set() or not await self._ask(client, answer, count):
                                break
            except Exception as error:  # a client that could not connect, or whose connection broke
                answer.fell(error)
                await asyncio.sleep(self.interval)
                due = max(due, time.monotonic())

    async def _ask(self, client: Client, answer: Answer, count: int) -> bool:
        """Send a request; return whether the session is still there."""
        answer.begin()
        try:
            if count % 5 == 4:
                await client.list_tools(cache_mode="bypass")
            else:
                call = self.given["call"]
                if (await client.call_tool(call["name"], call["arguments"])).is_error:
                    raise ValueError("the tool answers with an error")
        except Exception as error:
            answer.fell(error)
            return False
        answer.end()
        return True


class Answer:
    """What HTTP says of the one request that a client waits for."""

    def __init__(self, tally: Tally, before: str = "") -> None:
        self.before = before  # the pool of the client's session before this one
        self.tally = tally
        self.waiting = False
        self.connected = False
        self.pool = ""  # that the session is of
        self.gone = False  # whether it has left this pool
        self.refused = ""
        self.status = 0
        self.began = 0.0

    async def seen(self, response: httpx2.Response) -> None:
        request, named = response.request, response.headers.get("x-mcp-pool")
        pool = named or LIVE
        if request.method == "DELETE" and pool != self.pool:
            self._leave("ended")
        if request.method != "POST":
            return
        if named:
            self.tally.pools[named] += 1
        has_session = "mcp-session-id" in request.headers
        opens = response.is_success and "mcp-session-id" in response.headers and not has_session
        if opens or not self.pool:
            before, self.pool = self.pool or self.before, pool  # which all that follows is for
            if before and before != pool:
                self._note("between", before)
        self.status, self.refused = response.status_code, ""
        if self.status in REFUSALS and pool != self.pool and (has_session or self.connected):
            self.refused = "lost" if has_session else "outdated"

    def _leave(self, how: str) -> None:
        if not self.gone:
            self.gone = True
            self._note(how, self.pool)

    def _note(self, how: str, pool: str) -> None:
        self.tally.left.append((round(time.time(), 2), how, pool))

    def begin(self) -> None:
        self.tally.sent += 1
        self.waiting, self.refused, self.status, self.began = True, "", 0, time.monotonic()

    def end(self) -> None:
        self.waiting, self.connected = False, True
        self.tally.ok += 1
        self.tally.longest = max(self.tally.longest, round(time.monotonic() - self.began, 2))

    def fell(self, error: Exception) -> None:
        if not self.waiting:
            return  # at the end of a session: no request was made
        self.waiting = False
        if self.refused:
            setattr(self.tally, self.refused, getattr(self.tally, self.refused) + 1)
            self._leave(self.refused)
            return
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self.tally.failed += 1
        self.tally.failures[f"HTTP {self.status}, {type(error).__name__}: {error}"[:200]] += 1


if __name__ == "__main__":
    logging.disable()
    print(json.dumps(asyncio.run(Load(json.loads(sys.argv[1])).run())))
