# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTPRoutes on a second implementation of the Gateway API: the real Traefik. On the sandbox they are Contour's."""

from __future__ import annotations

import http.client
import threading
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from traefik import EVERY, HOST, Served, backend, served

from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

IN_FORCE = [{"Accepted": ("True", True), "ResolvedRefs": ("True", True)}]
RELOAD = 2.0  # seconds between two reloads of Traefik, at least
PARAMS = {
    **{name: option.get("default") for name, option in single_shift.SPEC.options.items()},
    "namespace": "prod",
    "server": "mcp",
    "api_retry_timeout": 0.0,
    "session_mode": "stateless",
    "timeout": 30.0,
    "verify_seconds": 0.0,
    "pool": "green",
    "health_path": "/health",
}


def shift(server: Served, weight: int | None, *, measured: bool = True, **more: t.Any) -> dict[str, t.Any]:
    endpoint = {"url": server.url, "host": HOST, "mcp_path": "/mcp"} if measured else None
    warnings: list[str] = []
    params = {**PARAMS, "weight": weight, "endpoint": endpoint, **more}
    result = single_shift.run(Task(params, False, warn=warnings.append))
    print(f"green {weight} %: {result['share']}, followed after {result['seconds_to_follow']} s")
    return {**result, "warnings": warnings}


class Clients:
    """What clients got: two keep their connection, two open one for each request, three hold a stream."""

    def __init__(self, url: str) -> None:
        self._port, self._over = urlsplit(url).port or 0, threading.Event()
        self.sent, self.failures, self.ended = 0, list[str](), list[str]()
        work = [lambda: self._ask(keep=True), lambda: self._ask(keep=False)] * 2 + [self._hold] * 3
        self._threads = [threading.Thread(target=one, daemon=True) for one in work]

    def _open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)

    def _ask(self, keep: bool) -> None:
        connection = self._open()
        while not self._over.wait(0.03):
            self.sent += 1
            try:
                connection.request("GET", "/health", headers={"Host": HOST})
                answer = connection.getresponse()
                answer.read()
                self.failures += [f"HTTP {answer.status}"] if answer.status != 200 else []
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            if not keep:
                connection.close()

    def _hold(self) -> None:
        connection = self._open()
        try:
            connection.request("GET", "/stream", headers={"Host": HOST})
            answer = connection.getresponse()
            while answer.read1(100):
                if self._over.is_set():
                    return
            self.ended.append("ended")
        except (OSError, http.client.HTTPException) as error:
            self.ended.append(repr(error))

    @contextmanager
    def at_work(self) -> t.Iterator[None]:
        for thread in self._threads:
            thread.start()
        yield
        self._over.set()
        for thread in self._threads:
            thread.join(10)


def test_shares_while_clients_ask(server: Served) -> None:
    """As on Contour. No request fails meanwhile, and no stream ends, also past the 15 s of other gateways."""
    clients, begin = Clients(server.url), time.monotonic()
    with clients.at_work():
        for percent in (10, 50, 100, 50, 0):
            result = shift(server, percent, samples=1000, tolerance=2.0)
            assert result["changed"] and result["share"]["reached"] and result["share"]["failed"] == 0
            assert abs(result["share"]["green"] - percent) <= (0 if percent in (0, 100) else 2)
            assert server.conditions == IN_FORCE
            assert not shift(server, percent, tolerance=15.0)["changed"]
        time.sleep(max(0.0, 20 - (time.monotonic() - begin)))
    print(f"{clients.sent} requests, {len(clients.failures)} failed, in {time.monotonic() - begin:.0f} s")
    assert clients.failures == [] == clients.ended and clients.sent > 500


def test_the_status_comes_before_the_traffic(server: Served) -> None:
    """Traefik reports that it took the weights, and reloads up to 2 s later: only the measured share shows the rest."""
    early = 0
    for percent in (50, 0, 100, 0):
        begin = time.monotonic()
        result = shift(server, percent, measured=False)
        assert time.monotonic() - begin < RELOAD and server.conditions == IN_FORCE
        assert result["warnings"] == ["The share was not measured because endpoint is not set."]
        early += percent in (0, 100) and server.get()[1] != ("green" if percent else "blue")
        assert not shift(server, percent, tolerance=5.0)["changed"]
        print(f"green {percent} %: measured {time.monotonic() - begin:.1f} s after the write")
    print(f"{early} of 3 answers right after the status came from the other pool")


def test_sessions_stay_on_their_pool(server: Served) -> None:
    (rule,) = server.rules
    marks = [
        {
            **rule,
            "matches": [{**EVERY, "headers": [{"type": "RegularExpression", "name": "Mcp-Session-Id", "value": v}]}],
        }
        for v in ("^blue-.*", "^green-.*")
    ]
    server.rules = [*marks, rule]
    shift(server, 50, tolerance=5.0)
    time.sleep(RELOAD)

    def pools(**headers: str) -> set[str]:
        return {server.get(**headers)[1] for _number in range(20)}

    found = [[one["weight"] for one in rule["backendRefs"]] for rule in server.rules]
    assert found == [[100, 0], [0, 100], [50, 50]]
    assert pools(**{"Mcp-Session-Id": "blue-1"}) == {"blue"} and pools(**{"Mcp-Session-Id": "green-1"}) == {"green"}
    assert pools() == {"blue", "green"}
    shift(server, None, pool=None, rollback=True)
    assert pools(**{"Mcp-Session-Id": "green-1"}) == {"blue"} == pools()


def test_a_controller_that_does_not_report(server: Served) -> None:
    with server.stopped(), pytest.raises(Failure, match="Gateway prod/traefik.* has not reported Accepted for gener"):
        shift(server, 50, measured=False, timeout=2.0)
    assert not shift(server, 50, tolerance=5.0)["changed"] and server.conditions == IN_FORCE


def test_a_backend_that_is_not_there(server: Served) -> None:
    """A shift fails with Traefik's own words; an emergency goes by the answers, whatever the weights were before."""
    (rule,) = server.rules
    server.rules = [{**rule, "backendRefs": [*rule["backendRefs"], {**backend("gone", 0)}]}]
    for percent in (50, 3):
        with pytest.raises(Failure, match=r"traefik.* says ResolvedRefs is False \(BackendNotFound"):
            shift(server, percent, timeout=10.0)
        time.sleep(RELOAD)
        assert {server.get() for _number in range(50)} == {(200, "blue"), (200, "green")}
        back = shift(server, None, pool=None, rollback=True, rollback_pool="blue")
        assert back["share"]["blue"] == 100 and "ResolvedRefs is False" in back["warnings"][0]


def test_a_pool_without_pods(server: Served) -> None:
    """With weight 0 it harms nobody; with a weight its part of the traffic gets 503."""
    server.have("green", 0)
    time.sleep(RELOAD + 1)
    assert [server.get() for _number in range(10)] == [(200, "blue")] * 10 and server.conditions == IN_FORCE
    server.have("green", 1)
    shift(server, 50, tolerance=5.0)
    server.have("green", 0)
    time.sleep(RELOAD + 1)
    assert {server.get() for _number in range(10)} == {(200, "blue"), (503, "")}


@pytest.mark.parametrize("missing", ["tlsroutes", "backendtlspolicies"])
def test_a_crd_that_traefik_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Without the CRDs of Gateway API 1.5 it serves nothing and reports nothing; a shift says so."""
    with served(tmp_path, {missing}) as server:
        monkeypatch.setattr(single_shift.connection, "connect", lambda params: server.cluster)
        assert not server.is_served(4) and server.conditions == []
        with pytest.raises(Failure, match="has not reported Accepted for generation 2: check the gateway's controller"):
            shift(server, 50, measured=False, timeout=2.0)
