# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection against the other end of a socket pair."""

from __future__ import annotations

import json
import socket
import threading
import time
import typing as t
from contextlib import closing

import pytest

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Response
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Peers:
    """Dials, and keeps the servers' ends; said: what each of them says before it is asked."""

    def __init__(self, *said: bytes) -> None:
        self._said = list(said)
        self.ends: list[socket.socket] = []
        self.connection = Connection(self._dial, "mcp.example.com")

    def _dial(self, _bound: Deadline) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        theirs.sendall(self._said.pop(0) if self._said else b"")
        return ours

    def __enter__(self) -> Peers:
        return self

    def __exit__(self, *_exc: t.Any) -> None:
        self.connection.close()
        for end in self.ends:
            end.close()


def test_what_is_sent() -> None:
    with Peers(EMPTY) as peers:
        with peers.connection.request("POST", "/mcp?a=b", Deadline(1), {"X": "y"}, b"{}") as response:
            assert response.read().status == 200
        sent = peers.ends[0].recv(9999)
    assert (
        sent == b"POST /mcp?a=b HTTP/1.1\r\nHost: mcp.example.com\r\nAccept-Encoding: identity\r\n"
        b"User-Agent: mcp.server\r\nX: y\r\nContent-Length: 2\r\n\r\n{}"
    )


def test_a_user_agent_that_is_given_takes_the_place_of_our_own() -> None:
    with Peers(EMPTY) as peers:
        with peers.connection.request("GET", "/", Deadline(1), {"user-agent": "synthetic/2"}) as response:
            response.read()
        sent = peers.ends[0].recv(9999)
    assert b"user-agent: synthetic/2\r\n" in sent and b"mcp.server" not in sent


def test_a_header_with_many_spaces_is_read_at_once() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \t a" + 60000 * b" " + b"b \t\r\n\r\n"
    start = time.process_time()
    with Peers(head) as peers, peers.connection.request("GET", "/", Deadline(5)) as response:
        assert response.headers["X"] == "a" + 60000 * " " + "b"
    assert time.process_time() - start < 2


def test_requests_are_counted() -> None:
    with Peers(EMPTY, b"nonsense") as peers:
        assert peers.connection.requests == 0
        peers.connection.fetch("GET", "/", Deadline(1))
        peers.ends[0].sendall(EMPTY)
        for _time in range(2):
            with pytest.raises(Fault):
                peers.connection.fetch("GET", "/", Deadline(0.05))
        assert peers.connection.requests == 3


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/", {"Authorization": "Bearer secret\r\nX: y"}, "header Authorization has characters"),
        ("/", {"Authorization": "Bearer secret\u20ac"}, "header Authorization has characters"),
        ("/", {"Authorization": "Bearer secret\0"}, "header Authorization has characters"),
        ("/", {"a secret: x\r\nX": "y"}, "header a secret: x X has characters"),
        ("/ HTTP/1.1\r\nX: secret", {}, "its path is not that of a URL"),
        ("/\xe4", {}, "its path is not that of a URL"),
        ("http://other.example.com/", {}, "its path is not that of a URL"),
        ("", {}, "its path is not that of a URL"),
    ],
)
def test_what_cannot_be_sent_is_not_quoted(path: str, headers: dict[str, str], said: str) -> None:
    with Peers(EMPTY) as peers:
        with pytest.raises(Fault, match=said) as caught:
            peers.connection.fetch("GET", path, Deadline(1), headers)
        assert "Bearer" not in str(caught.value)
        assert peers.connection.requests == 0 or not peers.ends[0].recv(99, socket.MSG_DONTWAIT)


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"HTTP/1.1 200 OK\r\nbad\r\n\r\n", EMPTY.replace(b"0", b"-1")])
def test_no_sentence_quotes_a_header_of_the_request(answer: bytes) -> None:
    with Peers(answer) as peers, pytest.raises(Fault) as caught:
        peers.connection.fetch("GET", "/", Deadline(0.05), {"Authorization": "Bearer secret"})
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_read_what_is_sent() -> None:
    with Peers() as peers:
        started = time.monotonic()
        with (
            pytest.raises(Fault, match="got no complete answer within 0.1 s"),
            peers.connection.request("POST", "/", Deadline(0.1), body=bytes(9_000_000)),
        ):
            pass
        assert time.monotonic() - started < 0.3


def test_a_server_that_reads_slowly() -> None:
    """The time begins anew with nothing."""
    with Peers() as peers:
        peers.connection.open(Deadline(1))
        stop = threading.Event()

        def read() -> None:
            while not stop.wait(0.01):
                peers.ends[0].recv(4096)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        started = time.monotonic()
        with (
            pytest.raises(Fault, match="got no complete answer within 0.2 s"),
            peers.connection.request("POST", "/", Deadline(0.2), body=bytes(9_000_000)),
        ):
            pass
        assert time.monotonic() - started < 0.4
        stop.set()
        thread.join(1)


def test_a_refusal_before_the_request_was_read() -> None:
    with Peers(b"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nbusy") as peers:
        peers.connection.open(Deadline(1))
        peers.ends[0].close()
        assert peers.connection.fetch("GET", "/", Deadline(1)).text == "busy"


@pytest.mark.parametrize("said", [None, b"HTTP/1.1 200 Smuggled\r\nContent-Length: 0\r\n\r\n", b"x"])
def test_a_connection_that_is_closed_or_spoken_on_meanwhile_is_opened_anew(said: bytes | None) -> None:
    with Peers(EMPTY, EMPTY.replace(b"200", b"201")) as peers:
        assert peers.connection.fetch("GET", "/", Deadline(1)).status == 200
        if said is None:
            peers.ends[0].close()
        else:
            peers.ends[0].sendall(said)
        assert peers.connection.fetch("GET", "/", Deadline(1)).status == 201
        assert len(peers.ends) == 2


@pytest.mark.parametrize("last", [EMPTY.replace(b"Con", b"Connection: close\r\nCon"), EMPTY.replace(b"1.1", b"1.0")])
def test_a_connection_that_the_server_is_about_to_close_is_not_used_again(last: bytes) -> None:
    with Peers(last, EMPTY) as peers:
        for _time in range(2):
            assert peers.connection.fetch("GET", "/", Deadline(1)).status == 200
        assert len(peers.ends) == 2


def test_a_quiet_connection_is_kept() -> None:
    with Peers() as peers:
        peers.connection.open(Deadline(1))

        def serve() -> None:
            for _time in range(5):
                peers.ends[0].recv(9999)
                peers.ends[0].sendall(EMPTY)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        for _time in range(5):
            assert peers.connection.fetch("GET", "/", Deadline(1)).status == 200
        thread.join(1)
        assert len(peers.ends) == 1


def test_headers_that_come_half_in_time_are_still_heard_of() -> None:
    with Peers(b"HTTP/1.1 200 OK\r\nMcp-Sess") as peers:
        peers.connection.open(Deadline(1))
        timer = threading.Timer(0.1, peers.ends[0].sendall, [b"ion-Id: 7\r\nContent-Length: 0\r\n\r\n"])
        timer.start()
        heard: list[Response] = []
        with (
            pytest.raises(Fault, match="within 0.05 s"),
            peers.connection.request("POST", "/", Deadline(0.05), late=(1, heard.append)),
        ):
            pass
        timer.join()
    assert [response.headers["mcp-session-id"] for response in heard] == ["7"]


def test_a_socket_that_comes_too_late_is_closed() -> None:
    ours, theirs = socket.socketpair()

    def dial(_bound: Deadline) -> socket.socket:
        time.sleep(0.1)
        return ours

    with closing(Connection(dial, "x")) as connection, pytest.raises(Fault, match="could not be made within 0.05 s"):
        connection.open(Deadline(0.05))
    theirs.settimeout(1)
    assert theirs.recv(1) == b""
    theirs.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(), "was refused, nothing listens there"),
        (socket.gaierror(-2, "Name or service not known"), "failed because the host name could not be resolved"),
        (UnicodeError("label too long"), "failed because the host name could not be resolved"),
        (OSError(113, "No route to host"), r"failed \(No route to host\)"),
        (
            ValueError("server_hostname cannot start with a leading dot"),
            r"failed \(server_hostname cannot start with a leading dot\)",
        ),
        (TimeoutError(), "could not be made within 1 s"),
        (OSError("\x1b[2J\nsecond line"), r"failed \(\[2J second line\)"),
    ],
)
def test_what_dialling_fails_with(error: Exception, said: str) -> None:
    def dial(_bound: Deadline) -> t.NoReturn:
        raise error

    with pytest.raises(Fault, match=said):
        Connection(dial, "x").open(Deadline(1))


def test_the_end_of_an_endless_stream_is_not_waited_for() -> None:
    with Peers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n") as peers:
        started = time.monotonic()
        with peers.connection.request("GET", "/", Deadline(5)) as response:
            assert json.loads(next(response.pieces())) == {}
        assert time.monotonic() - started < 0.5
