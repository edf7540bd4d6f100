# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import json
import socketserver
import struct
import threading
import time
import types
import typing as t
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.mcp.server.plugins.module_utils._checks.pod_command import exit_problem, refusal
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable, Waiting, waiting
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

Ran = t.Callable[..., t.Any]

SUCCESS = b'{"metadata":{},"status":"Success"}'
POD = {"metadata": {"name": "weather-green-1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def refused(message: str, **more: t.Any) -> bytes:
    return json.dumps({"status": "Failure", "message": message, **more}).encode()


def failure(code: int) -> bytes:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return refused(f"command terminated with non-zero exit code: exit status {code}", details={"causes": causes})


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (SUCCESS, ""),
        (failure(3), "ended with exit code 3"),
        (failure(137), "ended with exit code 137"),
        (
            refused('error executing command\n\x1b[2J: exec: "foo": not found', reason="InternalError", code=500),
            'could not be run (error executing command [2J: exec: "foo": not found)',
        ),
        (
            refused("failed to exec in container: " * 20 + "/no/such: no such file or directory"),
            "could not be run (...",
        ),
        (b'{"status":"Failure"}', "could not be run (no reason given)"),
        (b'{"status":"Failure","details":{"causes":[{"reason":"ExitCode"}]}}', "ended in an unknown way"),
        (b'{"status":"Failure","details":{"causes":["x"]}}', "ended in an unknown way"),
        (b'{"status":"Failure","details":[]}', "could not be run (no reason given)"),
        (b"{}", "ended in an unknown way: the API server reported {}"),
        (b"[]", "ended in an unknown way"),
        (b"", "ended in an unknown way: the API server reported nothing"),
        (b"\xff\n\x1b", "ended in an unknown way"),
    ],
)
def test_how_a_command_ended(status: bytes, said: str) -> None:
    problem = exit_problem(status)
    assert problem.startswith(said) if said else problem == ""
    assert problem.isprintable()
    assert "such" not in problem or problem.endswith("/no/such: no such file or directory)")


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (403, Forbidden, "grant get and create on pods/exec"),
        (503, Unreachable, "answers 503"),
        (500, Unreachable, "answers 500"),
        (404, Failure, "answered 404"),
        (400, Failure, "answered 400"),
    ],
)
def test_what_an_api_server_says_instead(status: int, kind: type[Failure], said: str) -> None:
    failed = refusal(status, b'{"message": "that\\nis\\u001b[2J so."}', "https://cluster")
    assert failed.__class__ is kind
    assert said in failed.msg
    assert "(that is [2J so)" in failed.msg
    assert "(<html>)" in refusal(status, b"<html>", "host").msg
    assert "(no reason given)" in refusal(status, b"", "host").msg


class Peer(socketserver.StreamRequestHandler):
    """The API server's end of a WebSocket."""

    server: FakeApi

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        lines = head.decode().split("\r\n")
        self.server.seen.append((lines[0].split()[1], dict(line.split(": ", 1) for line in lines[1:] if line)))
        if self.server.refuses:
            status, body = self.server.refuses.pop(0)
            self.wfile.write(f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            return
        headers = {name.lower(): value for name, value in self.server.seen[-1][1].items()}
        accept = hashlib.sha1(f"{headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        answer += [
            f"Sec-WebSocket-Accept: {base64.b64encode(accept).decode()}",
            "Sec-WebSocket-Protocol: v4.channel.k8s.io",
        ]
        self.wfile.write("\r\n".join([*answer, "", ""]).encode())
        try:
            self.server.script(self)
        except OSError:
            self.server.left.set()

    def frame(self, channel: int, data: bytes, opcode: int = 2) -> bytes:
        payload = bytes([channel]) + data
        size = len(payload)
        head = bytes([0x80 | opcode, size]) if size < 126 else bytes([0x80 | opcode, 126]) + struct.pack(">H", size)
        return head + payload

    def send(self, channel: int, data: bytes, opcode: int = 2) -> None:
        self.wfile.write(self.frame(channel, data, opcode))

    def until_left(self) -> None:
        self.connection.settimeout(10)
        while self.connection.recv(1000):
            pass
        self.server.left.set()


Script = t.Callable[[Peer], None]


class FakeApi(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, script: Script, refuses: list[tuple[int, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Peer)
        self.script = script
        self.refuses = refuses
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.left = threading.Event()


class FakeCluster(Cluster):
    """A Cluster that only knows some pods. No fake API server: that speaks no WebSocket."""

    def __init__(self, host: str, pods: list[dict[str, t.Any]], patience: float) -> None:
        super().__init__(Access(host, user=User(token="t0ken")), 2.0, patience)
        self._pods = pods
        self.selectors: list[str] = []

    def get(self, path: str, labelSelector: str = "") -> dict[str, t.Any]:
        if found := pool_services("shop", "weather").get(path):
            return found
        assert path == "/api/v1/namespaces/shop/pods"
        self.selectors.append(labelSelector)
        return {"items": self._pods}


@contextmanager
def cluster(
    script: Script,
    refuses: t.Sequence[tuple[int, str]] = (),
    pods: t.Sequence[dict[str, t.Any]] = (POD,),
    patience: float = 0.0,
) -> t.Iterator[types.SimpleNamespace]:
    with FakeApi(script, list(refuses)) as api:
        threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{api.server_address[1]}"
            yield types.SimpleNamespace(api=api, cluster=FakeCluster(url, list(pods), patience))
        finally:
            api.shutdown()


def says(*frames: tuple[int, bytes]) -> Script:
    def script(peer: Peer) -> None:
        for channel, data in frames:
            peer.send(channel, data)
        peer.until_left()

    return script


def cuts(peer: Peer) -> None:
    peer.send(1, b"half")


def closes(peer: Peer) -> None:
    peer.send(1, b"half")
    peer.wfile.write(bytes([0x88, 2]) + struct.pack(">H", 1000))


def drips(peer: Peer) -> None:
    for byte in peer.frame(1, b"x" * 100):
        peer.wfile.write(bytes([byte]))
        time.sleep(0.1)


def floods(peer: Peer) -> None:
    while True:
        peer.send(1, b"y\n" * 10_000)


def slow(peer: Peer) -> None:
    """Each part comes later than one look at the socket lasts."""
    for part in (peer.frame(1, b"out"), peer.frame(0, b"", 9), peer.frame(3, SUCCESS)):
        for piece in (part[:1], part[1:5], part[5:]):
            peer.wfile.write(piece)
            time.sleep(0.12)
    peer.until_left()


CHECK = {"pod": {"command": ["python", "-c", "import sys; sys.exit(0)"]}, "timeout": 1.5}


@pytest.mark.parametrize(
    ("script", "reason", "output"),
    [
        (says((1, b""), (2, b""), (3, b""), (1, b"a\n"), (2, b"b"), (3, SUCCESS)), "", "a b"),
        (slow, "", "out"),
        (
            says((1, b"no\x1b[2J route\n"), (3, failure(3))),
            "ended with exit code 3; its output ends with: no [2J route",
            "no [2J route",
        ),
        (says((3, failure(1))), "ended with exit code 1, without any output", ""),
        (cuts, "was cut off before it ended; its output ends with: half", "half"),
        (closes, "was cut off before it ended; its output ends with: half", "half"),
        (says((1, b"half")), "did not end within 1.5 s (timeout); its output ends with: half", "half"),
    ],
)
def test_commands(ran: Ran, script: Script, reason: str, output: str) -> None:
    with cluster(script) as fake:
        (outcome,) = ran(CHECK, cluster=fake.cluster)
        assert outcome.reason == (f"the command in pod weather-green-1 {reason}" if reason else "")
        assert outcome.output == output
        assert outcome.seconds < 3.5
        assert script in (cuts, closes) or fake.api.left.wait(2)


@pytest.mark.parametrize("script", [drips, floods])
def test_a_command_whose_output_does_not_end(ran: Ran, script: Script) -> None:
    with cluster(script) as fake:
        (outcome,) = ran(CHECK, cluster=fake.cluster)
        assert "within 1.5 s (timeout)" in outcome.reason
        assert outcome.seconds < 3.5
        assert len(outcome.output) <= 2000


def test_what_is_asked(ran: Ran) -> None:
    with cluster(says((3, SUCCESS))) as fake:
        ran(CHECK, {"pod": {"command": ["a b", "&c=d"], "pool": "blue", "container": "side/car"}}, cluster=fake.cluster)
        (first, headers), (second, _headers) = fake.api.seen
    assert urlsplit(first).path == "/api/v1/namespaces/shop/pods/weather-green-1/exec"
    assert parse_qs(urlsplit(first).query) == {
        "container": ["weather"],
        "stdout": ["true"],
        "stderr": ["true"],
        "command": ["python", "-c", "import sys; sys.exit(0)"],
    }
    assert {name.lower(): value for name, value in headers.items()}["authorization"] == "Bearer t0ken"
    assert parse_qs(urlsplit(second).query)["command"] == ["a b", "&c=d"]
    assert parse_qs(urlsplit(second).query)["container"] == ["side/car"]
    assert fake.cluster.selectors == ["app=weather,pool=green", "app=weather,pool=blue"]


def test_without_the_right_it_says_which(ran: Ran) -> None:
    with cluster(says(), [(403, '{"message": "pods \\"weather-green-1\\" is forbidden"}')]) as fake:
        (outcome,) = ran(CHECK, cluster=fake.cluster)
    assert "refuses to run commands in pods" in outcome.reason
    assert '(pods "weather-green-1" is forbidden); grant get and create on pods/exec in the Role' in outcome.reason
    assert "t0ken" not in outcome.reason


def test_an_api_server_that_is_away_is_waited_for(ran: Ran) -> None:
    with cluster(says((3, SUCCESS)), [(503, ""), (503, "")], patience=10.0) as fake:
        shown: list[str] = []
        with waiting(Waiting(shown.append)):
            (outcome,) = ran({**CHECK, "timeout": 0.5}, cluster=fake.cluster)
        assert outcome.passed, outcome.reason
        assert "waiting for it" in shown[0]
        assert len(fake.api.seen) == 3


def test_an_api_server_that_stays_away(ran: Ran) -> None:
    with cluster(says()) as fake:
        fake.cluster = FakeCluster("http://127.0.0.1:1", [POD], 0.0)
        (outcome,) = ran(CHECK, cluster=fake.cluster)
    assert "http://127.0.0.1:1 does not answer" in outcome.reason


def test_a_pool_without_a_ready_pod(ran: Ran) -> None:
    with cluster(says(), pods=[]) as fake:
        (outcome,) = ran(CHECK, cluster=fake.cluster)
    assert outcome.reason == (
        "There is no pod of pool green (Service shop/weather-green, which selects app=weather,pool=green)."
    )


def test_an_interrupted_command_is_left_within_a_second(ran: Ran, stop: threading.Event) -> None:
    with cluster(says((1, b"begun"))) as fake:
        threading.Timer(0.4, stop.set).start()
        began = time.monotonic()
        assert ran({**CHECK, "timeout": 30}, cluster=fake.cluster) == []
        assert time.monotonic() - began < 0.4 + 1.5
        assert fake.api.left.wait(2)
