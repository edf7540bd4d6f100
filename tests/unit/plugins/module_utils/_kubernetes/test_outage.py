# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real client, over HTTP on loopback, with an API server that is away."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import struct
import threading
import time
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection, outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import (
    Cluster,
    Conflict,
    Unanswered,
    Unreachable,
)
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import Handler, HttpApiServer

MAPS = "/api/v1/namespaces/prod/configmaps"
PATH = f"{MAPS}/mcp"
GOOD = (200, {})


class Serving(ApiServer):
    """Gives the answers (status, headers) one after the other, the last for ever; GOOD is what it would answer by
    itself.
    """

    def __init__(self, *answers: tuple[int, dict[str, str]], port: int = 0) -> None:
        super().__init__({PATH: {"message": "said 200"}})
        self._answers = list(answers)
        self.call(self._give_next, times=math.inf)
        server = HttpApiServer(self, port)
        self.url = server.url
        # Nobody stops it: polling for that would take the processor from the tests that follow.
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 3600}, daemon=True).start()

    def _give_next(self) -> None:
        status, headers = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if status != 200:
            raise StatusError(status, f"said {status}", **headers)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PAUSE", 0.05)
    monkeypatch.setattr(Unreachable, "again_in", 0.05)


class Watched(outage.Waiting):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.back = 0
        super().__init__(self.lines.append, self.count)

    def count(self) -> None:
        self.back += 1


def cluster(url: str, patience: float = 5.0, how: outage.Waiting | None = None, timeout: float = 2.0) -> Cluster:
    with outage.waiting(how or Watched()):
        return Cluster(Access(url), timeout, patience)


@pytest.mark.parametrize(
    "away", [(503, {}), (429, {"Retry-After": "0"}), (502, {}), (504, {}), (500, {"Retry-After": "0"})]
)
def test_a_question_is_asked_again(away: tuple[int, dict[str, str]]) -> None:
    server, how = Serving(away, away, GOOD), Watched()
    assert cluster(server.url, how=how).get(PATH)["message"] == "said 200"
    assert server.asked() == 3 * [("GET", PATH)]
    assert how.back == 1 and how.seconds > 0
    assert how.lines[0].startswith(f"The API server answered {away[0]} to GET {PATH} on {server.url}: said {away[0]}")
    assert "waiting for it, 0 of 5 s" in how.lines[0]
    assert how.lines[1] == "the API server answers again, after 0 s"


@pytest.mark.parametrize(
    ("answer", "error", "times"),
    # A refusal is asked for once more, as it may have come from a server that was not ready.
    [((403, {}), Forbidden, 2), ((409, {}), Conflict, 1), ((500, {}), Failure, 1)],
)
def test_an_answer_is_an_answer(
    answer: tuple[int, dict[str, str]], error: type[Failure], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STARTING", 0.0)
    server = Serving(answer)
    with pytest.raises(error) as caught:
        cluster(server.url).get(PATH)
    assert not isinstance(caught.value, Unreachable) and server.asked("GET").count(("GET", PATH)) == times


@pytest.mark.parametrize("refusal", [401, 403])
def test_one_that_starts_refuses_everybody(refusal: int) -> None:
    server, how = Serving((refusal, {}), (500, {}), GOOD), Watched()
    assert cluster(server.url, how=how).get(PATH)["message"] == "said 200"
    assert server.asked() == [("GET", PATH), ("GET", "/readyz"), ("GET", PATH)]
    # It is ready when it is asked, so that it may have become so since.
    server = Serving((refusal, {}), GOOD)
    assert cluster(server.url).get(PATH)["message"] == "said 200"
    assert server.asked() == [("GET", PATH), ("GET", "/readyz"), ("GET", PATH)]
    server = Serving((refusal, {}), GOOD, (refusal, {}))
    with pytest.raises(Failure) as caught:
        cluster(server.url).get(PATH)
    assert not isinstance(caught.value, Unreachable) and server.asked("GET").count(("GET", PATH)) == 2


@pytest.mark.parametrize("refusal", [401, 403])
def test_one_that_starts_may_refuse_to_say_so(refusal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    no = (refusal, {})
    server = Serving(no, no, no, no, GOOD)
    assert cluster(server.url).get(PATH)["message"] == "said 200"
    # Where it refuses that for good, a refusal is one after a while.
    monkeypatch.setattr(connection, "STARTING", 0.2)
    start = time.monotonic()
    with pytest.raises(Failure) as caught:
        cluster(Serving(no).url).get(PATH)
    assert not isinstance(caught.value, Unreachable) and 0.2 <= time.monotonic() - start < 2


def test_one_that_served_us_something_does_not_start() -> None:
    """A right is missing then: that is not waited for, also where it may not be asked whether it is ready."""
    no = (403, {})
    server = Serving(GOOD, no)
    one = cluster(server.url)
    one.get(PATH)
    start = time.monotonic()
    with pytest.raises(Forbidden):
        one.get(PATH)
    assert time.monotonic() - start < 1 and ("GET", "/readyz") not in server.asked()


def test_patience_ends() -> None:
    how = Watched()
    with pytest.raises(Unreachable, match=r"does not answer .*; gave up after 0 s \(api_retry_timeout\)\."):
        cluster("http://127.0.0.1:9", 0.3, how).get(PATH)
    assert how.back == 0 and "waiting for it, 0 of 0 s" in how.lines[0]
    start = time.monotonic()
    with pytest.raises(Unreachable, match="does not answer .*; check the address"):
        cluster("http://127.0.0.1:9", 0.0).get(PATH)
    assert time.monotonic() - start < 0.3


def test_one_that_starts_late_and_one_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        port = hanging.getsockname()[1]
        found: list[str] = []
        asking = threading.Thread(
            target=lambda: found.append(cluster(f"http://127.0.0.1:{port}", timeout=0.2).get(PATH)["message"])
        )
        asking.start()
        time.sleep(0.5)
        assert not found
    time.sleep(0.2)  # nothing listens
    Serving(GOOD, port=port)
    asking.join(5)
    assert found == ["said 200"]


def test_the_end_of_an_outage_is_told_once() -> None:
    how = Watched()
    how.over(3)  # of one that nobody was told of
    how.say(lambda: "away")
    how.say(lambda: "away, said by another thread")
    how.over(4)
    how.over(5)
    assert how.lines == ["away", "the API server answers again, after 4 s"]


def test_what_stores_is_never_sent_twice() -> None:
    server, how = Serving((503, {}), GOOD), Watched()
    with pytest.raises(Unanswered, match=f"It is unknown whether PATCH {PATH} was done"):
        cluster(server.url, how=how).patch(PATH, {})
    assert server.asked() == [("PATCH", PATH)]
    server = Serving((503, {}), GOOD)
    with pytest.raises(Unanswered):
        cluster(server.url).create(MAPS, {"metadata": {"name": "new"}})
    assert server.asked() == [("POST", MAPS)]


def test_what_stores_nothing_is_sent_again() -> None:
    for ask in (
        lambda one: one.patch(PATH, {}, dry_run=True),
        lambda one: one.create(MAPS, {"metadata": {"name": "new"}}, dryRun="All"),
        lambda one: one.may("prod", "get", "", "pods"),
    ):
        server = Serving((503, {}), GOOD)
        assert ask(cluster(server.url))
        assert len(server.asked()) == 2


def test_without_patience_a_write_fails_as_a_question_does() -> None:
    server = Serving((503, {}))
    with pytest.raises(Unreachable):
        cluster(server.url, 0.0).patch(PATH, {})


def test_a_run_that_lost_its_lease_goes_no_further() -> None:
    def lost() -> None:
        raise LeaseLost("Another run has it.")

    server = Serving((503, {}), GOOD)
    with pytest.raises(LeaseLost):
        cluster(server.url, how=outage.Waiting(regained=lost)).get(PATH)
    server = Serving(GOOD)
    cluster(server.url, how=outage.Waiting(regained=lost)).get(PATH)


def test_an_outage_is_over_only_when_the_lease_is_renewed() -> None:
    tries = iter([Unreachable("still starting"), None])

    def renew() -> None:
        if failure := next(tries):
            raise failure

    server = Serving((503, {}), GOOD)
    cluster(server.url, how=outage.Waiting(regained=renew)).get(PATH)
    assert len(server.asked()) == 3


def test_a_port_forward_waits_too() -> None:
    how = Watched()
    with pytest.raises(Unreachable, match="does not answer"):
        cluster("http://127.0.0.1:9", 0.2, how).port_forward("prod", "pod", 8080)
    assert how.lines
    with socket.create_server(("127.0.0.1", 0)) as hanging, pytest.raises(Unreachable, match="does not answer"):
        cluster(f"http://127.0.0.1:{hanging.getsockname()[1]}", 0.0, timeout=0.2).port_forward("prod", "pod", 8080)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"


class Raw:
    """Send these bytes on one connection each, the last on all that follow, and close it.

    None resets the connection; after "stall" nothing more arrives for a while.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self.asked = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _address = self._listener.accept()
            self.asked += 1
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            threading.Thread(target=self._answer, args=(connection, answer), daemon=True).start()

    def _answer(self, connection: socket.socket, answer: bytes | None) -> None:
        connection.recv(65536)
        if answer is None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(answer.removesuffix(b"stall"))
            if answer.endswith(b"stall"):
                time.sleep(1.5)
        connection.close()


ODD = {
    "HTML": HEAD + b"Content-Length: 15\r\n\r\n<html>no</html>",
    "a list": HEAD + b"Content-Length: 2\r\n\r\n[]",
    "nothing": HEAD + b"Content-Length: 0\r\n\r\n",
    "cut body": HEAD + b"Content-Length: 99\r\n\r\n{",
    "cut body of unknown length": HEAD + b"Connection: close\r\n\r\n{",
    "cut chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{",
    "cut head": b"HTTP/1.1 200 OK\r\nContent",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "FIN": b"",
    "RST": None,
    "stalled head": b"HTTP/1.1 200stall",
    "stalled body": HEAD + b"Content-Length: 99\r\n\r\n{stall",
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_no_answer_is_waited_for(what: str) -> None:
    server, how = Raw(ODD[what], WHOLE), Watched()
    assert cluster(server.url, how=how, timeout=0.5).get(PATH) == {}
    assert server.asked == 2 and how.back == 1
    with pytest.raises(Unreachable, match=r"The API server http://127.0.0.1:\d+ does not answer \("):
        cluster(Raw(ODD[what]).url, patience=0.0, timeout=0.5).get(PATH)


@pytest.mark.parametrize("what", ["HTML", "cut body", "RST"])
def test_a_write_that_got_no_answer_is_not_sent_again(what: str) -> None:
    server = Raw(ODD[what], WHOLE)
    with pytest.raises(Unanswered):
        cluster(server.url, timeout=0.5).patch(PATH, {})
    assert server.asked == 1


@pytest.mark.parametrize(
    ("message", "away"),
    [
        ("etcdserver: mvcc: database space exceeded", True),
        ("etcdserver: request timed out", True),
        ("rpc error: code = Unavailable desc = error reading from server: EOF", True),
        ("context deadline exceeded", True),
        ('Internal error occurred: failed calling webhook "policy": connection refused', False),
        ('Internal error occurred: failed calling webhook "policy": context deadline exceeded', False),
    ],
)
def test_trouble_of_etcd_is_an_outage(message: str, away: bool) -> None:
    body = json.dumps({"kind": "Status", "message": message}).encode()
    trouble = (
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % len(body)
        + body
    )
    server = Raw(trouble, WHOLE)
    if away:
        assert cluster(server.url).get(PATH) == {}
        with pytest.raises(Unanswered) as unanswered:
            cluster(Raw(trouble).url).patch(PATH, {})
        full = "space exceeded" in message
        assert ("etcdctl alarm disarm" in unanswered.value.msg) == full
        assert ("It is unknown whether" in unanswered.value.msg) != full
    else:
        with pytest.raises(Failure, match="failed calling webhook") as caught:
            cluster(server.url).get(PATH)
        assert not isinstance(caught.value, Unreachable)
        assert "; repair what serves this webhook, or delete its configuration" in caught.value.msg


@pytest.mark.parametrize(
    ("said", "seconds"), [("45", 0.3), ("0", 0.05), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.05), ("-1", 0.05)]
)
def test_it_may_not_say_that_it_is_asked_much_later(monkeypatch: pytest.MonkeyPatch, said: str, seconds: float) -> None:
    monkeypatch.setattr(outage, "LONGEST", 0.3)
    start = time.monotonic()
    assert cluster(Serving((503, {"Retry-After": said}), GOOD).url).get(PATH)["message"] == "said 200"
    assert seconds <= time.monotonic() - start < seconds + 1


@pytest.mark.parametrize("answer", [GOOD, (404, {}), (409, {}), (500, {}), (503, {})])
@pytest.mark.parametrize("ahead", [-600.0, -50.0, 50.0, 3600.0])
def test_the_time_is_the_api_servers(answer: tuple[int, dict[str, str]], ahead: float) -> None:
    server = Serving(answer)
    server.ahead = ahead
    asking = cluster(server.url, 0.0)
    assert asking.server_time() is None
    assert abs((asking.now() - datetime.now(UTC)).total_seconds()) < 1
    with contextlib.suppress(Failure):
        asking.get(PATH)
    for told in (asking.now(), asking.server_time(), asking.limited(0.0).now()):
        assert told is not None and abs((told - datetime.now(UTC)).total_seconds() - ahead) < 2


def test_clocks_that_agree_stay_exact() -> None:
    """A Date has whole seconds: taken as it is, it would put things in a wrong order."""
    asking = cluster(Serving(GOOD).url)
    for _each in range(3):
        asking.get(PATH)
        before = datetime.now(UTC)
        assert before <= asking.now() <= datetime.now(UTC)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "soon",
        "Sun, 99 Nov 2026 25:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 1900 00:00:00 GMT",
        "1" * 5000,
    ],
)
def test_a_date_that_is_none_is_ignored(monkeypatch: pytest.MonkeyPatch, date: str) -> None:
    monkeypatch.setattr(Handler, "date_time_string", lambda _handler: date)
    server = Serving(GOOD)
    asking = cluster(server.url)
    asking.get(PATH)
    assert asking.server_time() is None
    assert abs((asking.now() - datetime.now(UTC)).total_seconds()) < 1


def test_a_clock_that_is_set_meanwhile() -> None:
    server = Serving(GOOD)
    asking = cluster(server.url)
    for server.ahead in (0.0, 600.0, -600.0):
        asking.get(PATH)
        assert abs((asking.now() - datetime.now(UTC)).total_seconds() - server.ahead) < 2


@pytest.mark.parametrize("answer", [(429, {"Retry-After": "45"}), (503, {}), (403, {}), (500, {}), (200, {})])
def test_an_emergency_does_not_wait_for_its_lease(
    answer: tuple[int, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_renewal, "EMERGENCY", 0.5)
    monkeypatch.setattr(lease_renewal, "NEXT", 0.1)
    warnings: list[str] = []
    server = Serving(answer)
    server.objects["/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"] = {}  # which is no Lease
    with outage.waiting(Watched()) as how:
        lease = Lease(cluster(server.url, 600.0, how), "prod", "mcp")
        start = time.monotonic()
        for _each in range(3):
            lease_renewal.check(
                Task({"namespace": "prod", "server": "mcp"}, warn=warnings.append), lease, "ours", required=False
            )
    assert time.monotonic() - start < 1.5
    # Nor does it go on asking behind the emergency's back
    time.sleep(0.7)
    asked = len(server.asked())
    time.sleep(0.3)
    assert len(server.asked()) == asked
    assert len(warnings) == 1 and warnings[0].startswith("Continuing without the Lease of this run")
