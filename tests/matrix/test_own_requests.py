# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests that take the place of a health path: which one each server gets, and what they leave behind."""

from __future__ import annotations

import collections
import time
import typing as t
from contextlib import ExitStack
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, own_requests
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.own_requests import DISCOVER, INITIALIZE, PING, STREAM
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._traffic import share

from . import fleet
from .between import Between
from .conftest import SHORT, Server
from .rows import ROWS, Row

SECONDS, SLOW_SECONDS = 0.8, 2.3
# Of a legacy server, by its session mode. Modern ones are asked in their own way.
WAYS = {"stateful": INITIALIZE, "stateless": PING, "sse": STREAM}


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports are used again, and what was learnt belongs to an address."""
    monkeypatch.setattr(own_requests, "_KNOWN", {})


def way_of(row: Row) -> str:
    return WAYS[row.session_mode] if row.session_mode == "sse" or row.era == "legacy" else DISCOVER


def asking(url: str, row: Row) -> Endpoint:
    public = endpoint.public({**endpoint.defaults(), "url": url, "mcp_path": row.path})
    return replace(public, headers={"Authorization": f"Bearer {fleet.TOKEN}"} if row.guarded else {})


def asked(public: Endpoint, seconds: float) -> list[share.Answer]:
    with share.answer_stream(public, Deadline(seconds)) as answers:
        return list(answers)


def settled(counts: t.Callable[[], dict[str, int]]) -> dict[str, int]:
    """Servers end what they answer a moment after the client has closed."""
    for _time in range(50):
        found = counts()
        if not found["open"]:
            break
        time.sleep(0.1)
    return found


def test_each_server_gets_the_cheapest_request(server: Server) -> None:
    row = server.row
    slow = row.session_mode == "sse" or (row.session_mode == "stateful" and row.era == "legacy")
    before = settled(server.counts)["sessions"]
    with Between({"blue": server.url}, ["blue"]) as gateway:
        public = asking(gateway.url, row)
        (first,) = share.sample(public, 1)
        assert not first.reason, first.reason
        learnt = len(gateway.seen)
        answers = asked(public, SLOW_SECONDS if slow else SECONDS)
    # One in each era, ping, and the end of what was opened
    assert learnt <= 5
    assert own_requests.of(public)._known.way == way_of(row)
    assert not [answer.reason for answer in answers if answer.reason]
    assert {(answer.pool, answer.named_by) for answer in answers} == {("blue", "header")}
    assert 2 <= len(answers) <= 3 if slow else len(answers) > 10
    sent = collections.Counter(seen.what for seen in gateway.seen[learnt:])
    assert sent.keys() <= {way_of(row), "DELETE"}
    # Nothing that sets off an alert
    assert not [seen for seen in gateway.seen[learnt:] if seen.status >= 400]
    assert settled(server.counts)["sessions"] == before
    if row.session_mode != "sse" and row.era == "modern":
        assert all(answer.server_info == ("weather", row.server_version) for answer in answers)


# The pools, of which the first one is asked alone before; the request that both accept ("" where there is none), and
# whether sessions are opened
PAIRS = [
    ("typescript-1-stateful", "typescript-1-stateless", INITIALIZE, True),
    ("typescript-1-stateless", "typescript-1-stateful", INITIALIZE, True),
    ("typescript-1-stateless", "go-1.8-stateless", PING, False),
    ("go-1.8-stateless", "typescript-1-stateless", INITIALIZE, False),
    ("typescript-2-auto", "go-1.8-stateful", INITIALIZE, True),
    ("go-1.8-stateful", "typescript-2-modern", "", True),
    ("typescript-2-modern", "typescript-1-stateless", "", False),
    ("go-1.8-stateless", "typescript-2-modern", DISCOVER, False),
]


@pytest.mark.parametrize(("blue", "green", "way", "opens"), PAIRS[:3] + PAIRS[6:] if SHORT else PAIRS)
def test_pools_of_two_modes(blue: str, green: str, way: str, opens: bool) -> None:
    """The share is measured, nothing fails, and hardly a request is refused."""
    rows = {"blue": by_name(blue), "green": by_name(green)}
    with ExitStack() as stack:
        servers = {pool: stack.enter_context(fleet.running(row.kind, row.mode)) for pool, row in rows.items()}
        gateway = stack.enter_context(Between({pool: one.url for pool, one in servers.items()}, ["blue"]))
        public = asking(gateway.url, rows["blue"])
        (learnt,) = share.sample(public, 1)
        assert not learnt.reason, learnt.reason
        # Of an odd length, as a request, its end and another try would go to the same pools for ever.
        gateway.order = ["blue", "green", "green", "blue", "green"]
        known = own_requests.of(public)._known
        begun = len(gateway.seen)
        answers = asked(public, 6.3 if way else 8.3)
        seen = gateway.seen[begun:]
        assert not [answer.reason for answer in answers if answer.reason]
        assert {answer.pool for answer in answers} == {"blue", "green"}
        refused = [one for one in seen if one.status >= 400]
        assert known.opens_sessions is opens
        if way:
            assert known.way == way
            # The requests that were under way when the first one was refused
            assert len(refused) <= 8
        else:
            # At one request a second it takes longer until each pool has refused the other's.
            assert known.changed if opens else known.alternates
            # With each of a few answers
            assert len(refused) <= 8 + 3 * len(answers)
        if opens or not way:
            assert len(answers) <= 9 + 40  # as many in the moment before that was known
        for pool in servers.values():
            assert settled(pool.counts)["sessions"] == 0


def by_name(name: str) -> Row:
    return next(row for row in ROWS if row.name == name)
