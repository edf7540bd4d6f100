# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that serve several requests, threads that share them, and who is told our credentials."""

from __future__ import annotations

import importlib
import socket
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import client, credentials, outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

from .test_exec_credentials import answer, plugin
from .test_wires import GOOD, PATH, WHOLE, Server, cluster, headers_of, quick, resets_it, sends  # noqa: F401, a fixture, pylint: disable=unused-import

importlib.import_module("kubernetes.stream.ws_client")  # now: it takes a second, and some tests measure less


def head_of(sock: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head and (piece := sock.recv(65536)):
        head += piece
    return head.decode()


def serves(
    server: list[Server], times: int, last: t.Callable[[socket.socket], t.Any] = lambda sock: None
) -> t.Callable[[socket.socket], None]:
    """Answer so many requests of a connection, and read one more, with which it ends."""

    def step(sock: socket.socket) -> None:
        for _each in range(times):
            sock.sendall(WHOLE)
            head = head_of(sock)
            if not head:
                return
            server[0].heads.append(head)
        last(sock)

    return step


def closing_at(times: int, last: t.Callable[[socket.socket], t.Any] = lambda sock: None) -> Server:
    """A server whose first connection ends so, and whose others are good."""
    itself: list[Server] = []
    itself.append(Server(serves(itself, times, last), GOOD))
    return itself[0]


@pytest.mark.parametrize("last", [lambda sock: None, resets_it], ids=["FIN", "RST"])
def test_a_read_on_an_idle_connection_that_closes_right_then_is_made_again(
    last: t.Callable[[socket.socket], t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "JUST_USED", 0.0)
    server = closing_at(1, last)
    one = cluster(server, timeout=5.0)
    assert one.get(PATH) == {} and server.asked == 1
    assert one.get(PATH) == {}, "no patience is needed for that"
    assert server.asked == 2 and len(server.heads) == 3


def test_a_read_that_is_cut_on_a_connection_that_was_just_used_is_an_outage() -> None:
    server = closing_at(1)
    one = cluster(server, timeout=5.0)
    assert one.get(PATH) == {}
    with pytest.raises(Unreachable, match="was cut without an answer"):
        one.get(PATH)


def test_a_write_is_never_sent_twice() -> None:
    for write in (lambda one: one.patch(PATH, {}), lambda one: one.create(PATH, {}), lambda one: one.delete(PATH)):
        server = closing_at(1)
        one = cluster(server, timeout=5.0)
        assert one.get(PATH) == {}
        with pytest.raises(Unreachable, match="was cut without an answer"):
            write(one)
        assert server.asked == 1 and len(server.heads) == 2


def test_a_write_takes_no_connection_that_was_left_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "JUST_USED", 0.1)
    server = closing_at(1)
    one = cluster(server, timeout=5.0)
    assert one.get(PATH) == {}
    time.sleep(0.15)
    assert one.patch(PATH, {}) == {} and server.asked == 2


def test_nor_does_a_read_one_that_may_have_been_dropped_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_IDLE", 0.1)
    server = closing_at(1, lambda sock: time.sleep(5))
    one = cluster(server, timeout=2.0)
    assert one.get(PATH) == {}
    time.sleep(0.15)
    assert one.get(PATH) == {} and server.asked == 2


def test_threads_share_a_client() -> None:
    itself: list[Server] = []
    itself.append(Server(serves(itself, 50)))
    one = cluster(itself[0], timeout=5.0)
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _each: one.get(PATH), range(40))) == 40 * [{}]
    assert itself[0].asked <= 6


def test_a_credential_that_another_thread_renewed_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As plugins give the same token until it is over."""
    monkeypatch.chdir(tmp_path)
    credentials._GIVEN.clear()
    chooses = "echo x >> asked; test $(wc -l < asked) -gt 1 && T=new-planted || T=old-planted"
    text = f"{chooses}; echo '{answer(token='TOKEN')}' | sed s/TOKEN/$T/"
    mine = credentials.Credentials(User(plugin=plugin(tmp_path, text)), 5)
    refused = mine.headers()
    assert mine.renew(refused), "the first one asks"
    assert mine.renew(refused), "the second one has what it gave"
    assert (tmp_path / "asked").read_text() == "x\nx\n"
    assert not mine.renew(mine.headers())


def test_a_plugin_that_fails_in_the_middle_is_named_while_it_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    credentials._GIVEN.clear()
    monkeypatch.setattr(Unreachable, "again_in", 0.1)
    fails_when_away = "test ! -e away || { echo 'no route to the login; really' >&2; exit 3; }"
    text = f"{fails_when_away}; echo '{answer(token='planted-token')}'"
    lines: list[str] = []

    def back(line: str) -> None:
        lines.append(line)
        (tmp_path / "away").unlink(missing_ok=True)

    with outage.waiting(outage.Waiting(back)):
        server = Server(GOOD, sends(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"), GOOD)
        one = cluster(server, patience=20.0, timeout=5.0, user=User(plugin=plugin(tmp_path, text)))
        assert one.get(PATH) == {}
        (tmp_path / "away").touch()
        assert one.get(PATH) == {}
    assert lines[0].startswith(
        f"The credential plugin {tmp_path}/login of the kubeconfig failed with exit code 3: no route to the login"
    )
    assert "; waiting for it, 0 of 20 s" in lines[0] and "planted-token" not in "".join(lines)


def test_a_load_balancer_that_refuses_a_port_forward_is_an_outage() -> None:
    """What the API server says itself is not: a kubelet may be away for good."""
    html = sends(b"HTTP/1.1 503 Service Unavailable\r\nSet-Cookie: planted-cookie\r\nContent-Length: 6\r\n\r\n<html>")
    with pytest.raises(Unreachable, match=r"a port-forward got 503 Service Unavailable\)") as caught:
        cluster(Server(html), timeout=5.0).port_forward("prod", "pod", 80)
    assert "planted-cookie" not in caught.value.msg
    said = b'{"kind": "Status", "message": "error dialing backend"}'
    status = sends(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
    with pytest.raises(Failure, match="Cannot forward a port to prod/pod port 80 .* error dialing backend") as caught:
        cluster(Server(status), timeout=5.0).port_forward("prod", "pod", 80)
    assert not isinstance(caught.value, Unreachable)


def redirects(target: str) -> t.Callable[[socket.socket], None]:
    return sends(f"HTTP/1.1 301 Moved Permanently\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())


def test_a_redirect_is_not_followed_with_our_credentials() -> None:
    other = Server(GOOD, pair=None)
    server = Server(redirects(f"http://joe:x@127.0.0.1:{other.port}/login?state=planted-state"))
    one = cluster(server, patience=20.0, timeout=5.0, user=User(token="the-token"))
    for asking in (lambda: one.get(PATH), lambda: one.patch(PATH, {}), lambda: one.port_forward("prod", "pod", 80)):
        with pytest.raises(
            Failure, match=rf"it redirects to http://127.0.0.1:{other.port}, which is not followed"
        ) as caught:
            asking()
        assert not isinstance(caught.value, Unreachable) and "planted-state" not in caught.value.msg
    assert other.asked == 0
    assert headers_of(server.heads[0], "Authorization") == ["Bearer the-token"]


def test_nor_by_a_port_forward() -> None:
    """The library follows those that lead to another WebSocket."""
    other = Server(GOOD, pair=None)
    with pytest.raises(Failure, match=rf"it redirects to ws://127.0.0.1:{other.port}, which is not followed"):
        cluster(
            Server(redirects(f"ws://127.0.0.1:{other.port}/x")), timeout=5.0, user=User(token="the-token")
        ).port_forward("prod", "pod", 80)
    assert other.asked == 0


@pytest.mark.parametrize("target", ["", "/elsewhere", "http://[::1", "\x1b[31m"])
def test_a_redirect_to_anything(target: str) -> None:
    with pytest.raises(Failure, match="it redirects to .*, which is not followed|is not acceptable HTTP") as caught:
        cluster(Server(redirects(target)), timeout=5.0).get(PATH)
    assert caught.value.msg.isprintable()


def test_what_can_never_be_sent_is_not_waited_for() -> None:
    server = Server(GOOD)
    start = time.monotonic()
    for user, path in ((User(token="two\nlines"), PATH), (User(), "/api/v1/a b")):
        with pytest.raises(Failure, match="cannot be sent") as caught:
            cluster(server, patience=20.0, timeout=5.0, user=user).get(path)
        assert not isinstance(caught.value, Unreachable)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + WHOLE,
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n",
    ],
    ids=["1xx", "1.0", "1.0 keep-alive", "chunked with a trailer"],
)
def test_answers_of_all_forms(whole: bytes) -> None:
    one = cluster(Server(sends(whole)), timeout=5.0)
    assert one.get(PATH) == {} and one.get(PATH) == {}


def test_an_answer_that_is_compressed_unasked_is_named() -> None:
    with pytest.raises(Unreachable, match="returned data in the encoding gzip, though none was requested"):
        cluster(
            Server(sends(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")), timeout=5.0
        ).get(PATH)
