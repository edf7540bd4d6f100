# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests/matrix/test_own_requests.py, with servers of the SDKs, does not have: guarded, broken and late servers."""

from __future__ import annotations

import functools
import json
import threading
import time
import typing as t
from contextlib import closing
from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import asking as asking_of
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, own_requests
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import Said
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Interrupted
from ansible_collections.mcp.server.plugins.module_utils._traffic import share
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    SESSION,
    Handler,
    Script,
    Scripted,
    initialize,
    unknown,
)

NEVER = threading.Event()
INFO = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "weather", "version": "1"}}


def asking(server: Scripted) -> Endpoint:
    return endpoint.public({**endpoint.defaults(), "url": server.url})


def ask(public: Endpoint, times: int = 1) -> list[Said | None]:
    with closing(public.connection()) as connection:
        return [own_requests.of(public).ask(connection, NEVER) for _time in range(times)]


def sent(server: Scripted) -> list[str]:
    return [key for key, _headers in server.seen]


def says(status: int, text: str = "", **headers: str) -> Script:
    return lambda handler, _message: handler.answer(status, text, **headers)


def results(result: t.Any, **headers: str) -> Script:
    return lambda handler, message: handler.result(message, result, **headers)


def fails(status: int, code: int) -> Script:
    def script(handler: Handler, message: t.Any) -> None:
        error = {"code": code, "message": "Something"}
        handler.answer(status, json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}))

    return script


STATELESS = {**LEGACY, "initialize": results(INFO), "ping": results({})}


@pytest.mark.parametrize(
    ("scripts", "first", "then", "slow"),
    [
        (MODERN, ["server/discover"], ["server/discover"], False),
        (STATELESS, ["server/discover", "initialize", "ping"], ["ping"], False),
        ({**STATELESS, "ping": unknown}, ["server/discover", "initialize", "ping"], ["initialize"], False),
        ({**STATELESS, "ping": fails(200, -32600)}, ["server/discover", "initialize", "ping"], ["initialize"], False),
        (LEGACY, ["server/discover", "initialize", "DELETE"], ["initialize", "DELETE"], True),
        # Fails at what it does not know
        (
            {**LEGACY, "server/discover": says(500, "Missing handler")},
            ["server/discover", "initialize", "DELETE"],
            ["initialize", "DELETE"],
            True,
        ),
        (
            {**STATELESS, "server/discover": fails(200, -32603)},
            ["server/discover", "initialize", "ping"],
            ["ping"],
            False,
        ),
        # A session may not be ended: so nobody tries again
        ({**LEGACY, "DELETE": says(405)}, ["server/discover", "initialize", "DELETE"], ["initialize"], True),
    ],
)
def test_the_request_that_is_sent(scripts: dict[str, Script], first: list[str], then: list[str], slow: bool) -> None:
    with Scripted(scripts) as server:
        public = asking(server)
        said = ask(public, 2)
        assert all(one is not None and not one.reason for one in said)
        assert sent(server) == first + then
        assert (share.rate(public) == own_requests.SLOW_RATE) is slow
        assert bool(share.slow_note(public)) is slow


@pytest.mark.parametrize(
    ("scripts", "reason", "requests"),
    [
        ({**MODERN, "server/discover": says(503, "no healthy upstream")}, "returned 503 (no healthy upstream)", 1),
        (
            {**MODERN, "server/discover": says(401)},
            "is answered 401 without credentials: name them in auth (mcp_auth)",
            1,
        ),
        ({**MODERN, "server/discover": says(403, "no")}, "is answered 403 without credentials: name them in auth", 1),
        ({**MODERN, "server/discover": says(403, "Invalid Host header")}, "does not accept this Host", 1),
        ({**MODERN, "server/discover": says(429)}, "returned 429", 1),
        ({**LEGACY, "initialize": says(500)}, "initialize returned 500", 2),
        ({**MODERN, "server/discover": says(500)}, "server/discover returned 500", 3),
        ({**LEGACY, "initialize": fails(200, -32603)}, "failed with error -32603", 2),
        ({**LEGACY, "initialize": says(404), "GET": says(404)}, "initialize returned 404", 3),
        ({**LEGACY, "initialize": says(404)}, "initialize returned 404", 3),
        ({**LEGACY, "initialize": unknown, "GET": says(200, "<html>", kind="text/html")}, "initialize", 3),
    ],
)
def test_a_server_that_does_not_answer(scripts: dict[str, Script], reason: str, requests: int) -> None:
    """Each of them is a failed answer, and is found out anew the next time."""
    with Scripted(scripts) as server:
        public = asking(server)
        (said,) = ask(public)
        assert said is not None and reason in said.reason and "\n" not in said.reason
        assert len(server.seen) == requests
        assert own_requests.of(public).connections == 1
        server.scripts = dict(MODERN)
        assert not t.cast(Said, ask(public)[0]).reason


def test_credentials_are_sent() -> None:
    with Scripted(MODERN) as server:
        ask(replace(asking(server), headers={"Authorization": "Bearer abc"}))
        assert [headers["Authorization"] for _key, headers in server.seen] == ["Bearer abc"]


def test_an_emergency_reads_credentials_in_the_thread_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(MODERN) as server:
        params = {
            "endpoint": {**endpoint.defaults(), "url": server.url},
            "auth": {"token_env": "THE_TOKEN"},
            "namespace": "prod",
        }
        with pytest.raises(Failure, match="THE_TOKEN"):
            asking_of.endpoint_of(params)
        public = asking_of.endpoint_of({**params, "rollback": True})
        (said,) = ask(public)
        assert said is not None and "THE_TOKEN" in said.reason and not server.seen
        monkeypatch.setenv("THE_TOKEN", "a-token-of-the-server")
        assert not t.cast(Said, ask(public)[0]).reason
        assert [headers["Authorization"] for _key, headers in server.seen] == ["Bearer a-token-of-the-server"]
        assert "a-token" not in str(public)
        assert not asking_of.endpoint_of({**params, "health_path": "/healthz"}).headers


@pytest.mark.parametrize(
    ("below", "paths"), [(200, ["/mcp", "/mcp", "/mcp"]), (404, ["/mcp", "", "", ""])], ids=["path", "root"]
)
def test_a_server_that_is_only_checked_for_refusing(below: int, paths: list[str]) -> None:
    known = "/.well-known/oauth-protected-resource"
    asked: list[str] = []

    def metadata(handler: Handler, _message: t.Any) -> None:
        asked.append(handler.path.removeprefix(known))
        handler.answer(below if handler.path.endswith("/mcp") else 200, "{}")

    with Scripted({"GET": metadata}) as server:
        public = replace(asking(server), guarded=True)
        assert not any(t.cast(Said, one).reason for one in ask(public, 3))
        assert asked == paths
        assert share.rate(public) == own_requests.RATE


class Pools:
    """Two pools behind one address. Whose turn it is, a test says."""

    def __init__(self, header: bool, **scripts: dict[str, Script]) -> None:
        self.scripts, self.header, self.turns = scripts, header, ["blue"]
        self._at = 0

    def script(self, key: str) -> Script:
        def play(handler: Handler, message: t.Any) -> None:
            pool = self.turns[self._at % len(self.turns)]
            self._at += 1
            answer = functools.partial(Handler.answer, handler)
            named = {"X_MCP_Pool": pool} if self.header else {}
            handler.answer = lambda *given, **headers: answer(*given, **{**headers, **named})  # type: ignore[method-assign]
            self.scripts[pool][key](handler, message)

        return play

    def server(self) -> Scripted:
        return Scripted({key: self.script(key) for key in (*STATELESS, "ping")})


BROKEN = {**STATELESS, **dict.fromkeys(("ping", "initialize", "server/discover", "GET"), says(400, "Bad Request"))}
NO_PING = {**STATELESS, "ping": fails(400, -32600)}
ONLY_MODERN = {**MODERN, "ping": unknown}


@pytest.mark.parametrize(
    ("header", "blue", "green", "turns", "failed"),
    [
        # The other pool must not answer for the one that fails
        (True, STATELESS, BROKEN, ["green", "blue", "blue", "green", "green", "green"], True),
        (True, STATELESS, BROKEN, ["green"], True),
        (True, STATELESS, NO_PING, ["green"], False),
        (True, STATELESS, NO_PING, ["green", "blue", "green"], False),
        (True, STATELESS, ONLY_MODERN, ["green"], False),
        (True, MODERN, STATELESS, ["green"], False),
        (False, STATELESS, NO_PING, ["green"], False),
    ],
)
def test_a_refusal(
    header: bool, blue: dict[str, Script], green: dict[str, Script], turns: list[str], failed: bool
) -> None:
    pools = Pools(header, blue=blue, green=green)
    with pools.server() as server:
        public = asking(server)
        assert not t.cast(Said, ask(public)[0]).reason
        pools.turns, pools._at = turns, 0
        (said,) = ask(public)
        assert said is not None and bool(said.reason) is failed
        assert said.values == (("green",) if header else ())


def test_what_a_pool_accepted_it_may_not_refuse() -> None:
    pools = Pools(True, blue=dict(STATELESS), green=STATELESS)
    with pools.server() as server:
        public = asking(server)
        ask(public, 2)
        pools.scripts["blue"] = NO_PING
        begun = len(server.seen)
        assert t.cast(Said, ask(public)[0]).reason.startswith("ping failed with error -32600")
        assert sent(server)[begun:] == ["ping"]


@pytest.mark.parametrize("why", [404, 400, 422])
def test_refusals_of_a_pool_that_gets_few_requests_count(why: int) -> None:
    """It took seconds for each, and most were dropped, as the gateway sent the other requests to the other pool."""
    green = {**STATELESS, **dict.fromkeys(("ping", "initialize", "server/discover", "GET"), says(why, "no"))}
    pools = Pools(True, blue=STATELESS, green=green)
    with pools.server() as server:
        public = asking(server)
        ask(public)
        pools.turns, pools._at = ["green", *["blue"] * 12], 0
        begun = time.monotonic()
        said = [one for one in ask(public, 60) if one]
        assert time.monotonic() - begun < 4
        assert {bool(one.reason) for one in said if one.values == ("green",)} == {True}
        assert sum(bool(one.reason) for one in said) >= 3
        assert sent(server).count("initialize") < 40


def test_a_pool_of_another_mode_that_gets_few_requests_is_no_failure() -> None:
    green = {**LEGACY, "ping": fails(400, -32600)}
    pools = Pools(True, blue=STATELESS, green=green)
    with pools.server() as server:
        public = asking(server)
        ask(public)
        pools.turns, pools._at = ["green", *["blue"] * 30], 0
        (said,) = ask(public)
        assert said is not None and not said.reason and said.values == ("green",)
        assert server.ended == [SESSION] and share.slow_note(public)


def test_a_pool_that_cannot_be_found_out_fails_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_requests, "DOUBT", 0.2)
    monkeypatch.setattr(own_requests, "TRYING", 0.1)
    pools = Pools(True, blue=STATELESS, green=BROKEN)
    with pools.server() as server:
        public = asking(server)
        ask(public)
        pools.turns, pools._at = ["green", *["blue"] * 1000], 0
        assert ask(public) == [None]
        time.sleep(0.2)
        pools.turns, pools._at = ["green"], 0
        assert t.cast(Said, ask(public)[0]).reason
        pools.scripts["green"] = STATELESS
        assert not t.cast(Said, ask(public)[0]).reason


def test_no_one_waits_for_a_turn_that_nobody_takes() -> None:
    """An emergency follows a watch: its first request must not wait for those that the watch gave up."""
    pace, stop = own_requests.Pace(), threading.Event()
    assert pace.turn(stop)
    pace.done()
    threads = [threading.Thread(target=pace.turn, args=(stop,), daemon=True) for _thread in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join(2)
    begun = time.monotonic()
    assert pace.turn(NEVER)
    assert time.monotonic() - begun < 1.5


def test_a_token_that_is_replaced_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(handler: Handler, message: t.Any) -> None:
        if handler.headers["Authorization"] != f"Bearer {tokens[-1]}":
            return handler.answer(401)
        return MODERN["server/discover"](handler, message)

    tokens = ["the-first-token"]
    monkeypatch.setenv("THE_TOKEN", tokens[0])
    monkeypatch.setattr(asking_of, "RENEWAL", 0.0)
    with Scripted({**MODERN, "server/discover": guarded}) as server:
        params = {"endpoint": {**endpoint.defaults(), "url": server.url}, "auth": {"token_env": "THE_TOKEN"}}
        public = asking_of.endpoint_of({**params, "namespace": "prod"})
        assert not t.cast(Said, ask(public)[0]).reason
        tokens.append("the-second-token")
        assert "returned 401" in t.cast(Said, ask(public)[0]).reason
        monkeypatch.setenv("THE_TOKEN", tokens[1])
        assert not t.cast(Said, ask(public)[0]).reason


@pytest.mark.parametrize("shown", ["the-token-of-the-server", "x" * 170 + "the-token-of-the-server"])
def test_no_reason_has_the_token_that_a_server_repeats(monkeypatch: pytest.MonkeyPatch, shown: str) -> None:
    monkeypatch.setenv("THE_TOKEN", "the-token-of-the-server")
    with Scripted({**MODERN, "server/discover": says(503, f"no such token: {shown}")}) as server:
        params = {"endpoint": {**endpoint.defaults(), "url": server.url}, "auth": {"token_env": "THE_TOKEN"}}
        (said,) = ask(asking_of.endpoint_of({**params, "namespace": "prod"}))
        assert said is not None and "no such token" in said.reason and "the-t" not in said.reason


def test_who_is_interrupted_leaves_its_turn_to_others() -> None:
    class Signal(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise Interrupted("SIGTERM")

    pace = own_requests.Pace(rate=10.0, at_once=1)
    assert pace.turn(NEVER)
    pace.done()
    with pytest.raises(Interrupted):
        pace.turn(Signal())
    assert pace.turn(NEVER)


def test_refusals_without_a_header_are_excused_once() -> None:
    """Otherwise the pool that answers would excuse the one that fails."""
    pools = Pools(False, blue=STATELESS, green=NO_PING)
    with pools.server() as server:
        public = asking(server)
        ask(public)
        pools.turns = ["green"]
        assert not t.cast(Said, ask(public)[0]).reason
        pools.scripts["green"] = BROKEN
        assert t.cast(Said, ask(public)[0]).reason


def late(handler: Handler, message: t.Any) -> None:
    time.sleep(0.4)
    initialize(handler, message)


def test_the_session_of_a_late_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_requests, "ANSWER_TIMEOUT", 0.2)
    with Scripted({**LEGACY, "initialize": late}) as server:
        (said,) = ask(asking(server))
        assert said is not None and "within" in said.reason and said.status >= 500
        assert server.ended == [SESSION]


def test_sessions_are_ended_when_the_task_is_interrupted() -> None:
    with Scripted({**LEGACY, "initialize": late}) as server:
        public = asking(server)
        share.sample(public, 1)

        def watch() -> None:
            with share.answer_queue(public, Deadline(20)):
                time.sleep(1.2)  # a request is under way
                raise Interrupted("SIGTERM")

        begun = time.monotonic()
        with pytest.raises(Interrupted):
            watch()
        assert time.monotonic() - begun < 1.2 + share.LEAVING
        assert len(server.ended) == sent(server).count("initialize") >= 2


def test_at_most_one_session_a_second() -> None:
    with Scripted(LEGACY) as server:
        public = asking(server)
        share.sample(public, 1)
        with share.answer_stream(public, Deadline(2.5)) as one, share.answer_stream(public, Deadline(2.5)) as other:
            answers = [*one, *other]
        assert 2 <= len(answers) <= 3
        assert not any(answer.reason for answer in answers)
        assert {answer.keep_alive for answer in answers} <= {True, False}


def test_who_asks_by_server_info() -> None:
    """A ping is answered without it."""
    with Scripted(STATELESS) as server:
        public = replace(asking(server), server_infos={("weather", "1"): "green"})
        answers = share.sample(public, 3)
        assert [(answer.pool, answer.named_by) for answer in answers] == [("green", "server_info")] * 3
        assert sent(server) == ["server/discover", "initialize", "ping", "initialize", "initialize"]
