# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real client on loopback: TLS, proxies, deadlines, and connections that break at every point."""

from __future__ import annotations

import base64
import contextlib
import importlib
import os
import pty
import re
import select
import signal
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.mcp.server.plugins.module_utils._http import addresses
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import client, dial, outage, tls
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, Certificate, User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, without_secrets
from ansible_collections.mcp.server.tests.unit.fakes.certificates import Authority, Pair

importlib.import_module("kubernetes.stream.ws_client")  # now: it takes a second, and some tests measure less

PATH = "/api/v1/x"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"
AUTHORITY = Authority()
LOCAL = AUTHORITY.pair("127.0.0.1")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PAUSE", 0.05)
    monkeypatch.setattr(Unreachable, "again_in", 0.05)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


Step = t.Callable[[socket.socket], t.Any]


class Server:
    """Treat each connection by one of these, further ones by the last. asked: how many came. heads: what was asked."""

    def __init__(self, *steps: Step, pair: Pair | None = LOCAL, client_ca: str = "") -> None:
        self._steps = list(steps)
        self.asked = 0
        self.heads: list[str] = []
        self._context: ssl.SSLContext | None = None
        if pair is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tls.as_file((pair.certificate + pair.key).encode()) as path:
                self._context.load_cert_chain(path)
            if client_ca:
                self._context.load_verify_locations(cadata=client_ca)
                self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if pair else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            sock, _address = self._listener.accept()
            self.asked += 1
            step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
            threading.Thread(target=self._treat, args=(sock, step), daemon=True).start()

    def _treat(self, sock: socket.socket, step: Step) -> None:
        with contextlib.suppress(OSError), contextlib.closing(sock):
            if getattr(step, "before_tls", False) or self._context is None:
                step(sock) if getattr(step, "before_tls", False) else self._answer(sock, step)
                return
            with contextlib.closing(self._context.wrap_socket(sock, server_side=True)) as wrapped:
                self._answer(wrapped, step)

    def _answer(self, sock: socket.socket, step: Step) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (piece := sock.recv(65536)):
            head += piece
        self.heads.append(head.decode())
        step(sock)


def before_tls(step: Step) -> Step:
    step.before_tls = True  # type: ignore[attr-defined]
    return step


def sends(data: bytes, *, stalls: float = 0.0, resets: bool = False) -> Step:
    def step(sock: socket.socket) -> None:
        sock.sendall(data)
        time.sleep(stalls)
        if resets:
            resets_it(sock)

    return step


def resets_it(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drips(data: bytes) -> Step:
    def step(sock: socket.socket) -> None:
        for byte in data:
            sock.sendall(bytes([byte]))
            time.sleep(0.1)

    return step


GOOD = sends(WHOLE)
HTML = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\n<p/>"
BROKEN: dict[str, Step] = {
    "handshake, FIN": before_tls(lambda sock: None),
    "handshake, FIN after its hello": before_tls(lambda sock: sock.recv(65536)),
    "handshake, RST": before_tls(resets_it),
    "handshake, stall": before_tls(lambda sock: time.sleep(4)),
    "handshake, HTML": before_tls(sends(HTML, stalls=0.2)),
    "handshake, a part of one": before_tls(sends(b"\x16\x03\x03\x00\x7a\x02")),
    "handshake, drips": before_tls(drips(b"\x16\x03\x03\x40\x00" + 40 * b"\x02")),
    "head, FIN": lambda sock: None,
    "head, RST": resets_it,
    "head, stall": lambda sock: time.sleep(4),
    "head, short": sends(b"HTTP/1.1 200 OK\r\nContent"),
    "head, HTML with 200": sends(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>"),
    "head, drips": drips(b"HTTP/1.1 200 OK\r\n" + 40 * b"X: y\r\n"),
    "body, FIN": sends(HEAD + b"Content-Length: 99\r\n\r\n{"),
    "body, RST": sends(HEAD + b"Content-Length: 99\r\n\r\n{", resets=True),
    "body, stall": sends(HEAD + b"Content-Length: 99\r\n\r\n{", stalls=4),
    "body, drips": drips(HEAD + b"Content-Length: 99\r\n\r\n" + 60 * b" "),
}


def cluster(server: Server | str, patience: float = 0.0, timeout: float = 0.6, **more: t.Any) -> Cluster:
    access = Access(server if isinstance(server, str) else server.url, **{"ca": AUTHORITY.pem, **more})
    return Cluster(access, timeout, patience)


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_is_an_outage(what: str) -> None:
    server = Server(BROKEN[what], GOOD)
    assert cluster(server, patience=10.0).get(PATH) == {}
    assert server.asked == 2
    start = time.monotonic()
    with pytest.raises(Unreachable, match=r"The API server https://127.0.0.1:\d+ does not answer \("):
        cluster(Server(BROKEN[what])).get(PATH)
    assert time.monotonic() - start < 2.5, "the whole of a request has one deadline"


@pytest.mark.parametrize(
    ("pair", "ca", "name", "said"),
    [
        (LOCAL, Authority("other").pem, "", r"\(.*\); name its CA"),
        (LOCAL, None, "", r"\(.*issuer.*\); name its CA"),
        (AUTHORITY.pair("10.0.0.1"), AUTHORITY.pem, "", r"\(IP address mismatch.*\); correct the server's address"),
        (AUTHORITY.pair("kube"), AUTHORITY.pem, "other", r"\(Hostname mismatch.*\); correct the server's name"),
        (AUTHORITY.pair("127.0.0.1", (-9, -1)), AUTHORITY.pem, "", r"\(certificate has expired\); renew it"),
        (
            AUTHORITY.pair("127.0.0.1", (1, 9)),
            AUTHORITY.pem,
            "",
            r"\(certificate is not yet valid\); compare the clocks",
        ),
    ],
    ids=["other CA", "no CA", "other address", "other name", "expired", "not yet valid"],
)
def test_a_wrong_certificate_fails_at_once(pair: Pair, ca: str | None, name: str, said: str) -> None:
    server = Server(GOOD, pair=pair)
    start = time.monotonic()
    with pytest.raises(
        Failure, match=rf"The certificate of the API server {server.url} is not trusted {said}"
    ) as caught:
        cluster(server, patience=30.0, timeout=5.0, ca=ca, tls_name=name).get(PATH)
    assert not isinstance(caught.value, Unreachable)
    assert server.asked == 1 and time.monotonic() - start < 3


def test_another_name_and_no_verification() -> None:
    server = Server(GOOD, pair=AUTHORITY.pair("kube"))
    assert cluster(server, tls_name="kube").get(PATH) == {}
    assert cluster(server, ca=None, verify=False).get(PATH) == {}


def test_a_ca_with_comments() -> None:
    other = Authority("other").pem
    assert cluster(Server(GOOD), ca=f"# M\u00fcller CA\n{other}\nsubject=x\n{AUTHORITY.pem}# end").get(PATH) == {}


def test_a_ca_that_is_none() -> None:
    for ca in ("no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(Failure, match="is not PEM"):
            cluster(Server(GOOD), ca=ca).get(PATH)


def test_a_client_certificate_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = Server(GOOD, client_ca=AUTHORITY.pem)
    pair = Certificate(*(part.encode() for part in AUTHORITY.pair("ann")))
    before = set(os.listdir("/proc/self/fd"))
    made: list[str] = []
    real = ssl.SSLContext.load_cert_chain

    def load(self: ssl.SSLContext, path: str, **more: t.Any) -> None:
        made.extend(str(file) for file in tmp_path.iterdir())
        real(self, path, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    assert cluster(server, timeout=5.0, user=User(certificate=pair)).get(PATH) == {}
    assert not made and not list(tmp_path.iterdir())
    leaked = set(os.listdir("/proc/self/fd")) - before
    assert not [
        one
        for one in leaked
        if os.path.exists(f"/proc/self/fd/{one}") and "memfd" in os.readlink(f"/proc/self/fd/{one}")
    ]


def test_what_is_verified_does_not_depend_on_the_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 and newer is strict, and many clusters have a CA without key identifiers, or an intermediate one."""
    real = ssl.create_default_context

    def strict(**more: t.Any) -> ssl.SSLContext:
        made = real(**more)
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        return made

    monkeypatch.setattr(ssl, "create_default_context", strict)
    made = tls.context(Access("https://x", ca=AUTHORITY.pem), None)
    assert not made.verify_flags & ssl.VERIFY_X509_STRICT and made.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert made.verify_mode is ssl.CERT_REQUIRED and made.check_hostname
    assert cluster(Server(GOOD), timeout=5.0).get(PATH) == {}


ENCRYPTED = """
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import tls
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, Certificate
tls.context(Access("https://x"), Certificate(CRT, KEY))
"""


def test_no_password_of_a_key_is_asked_for_on_the_terminal() -> None:
    key = serialization.load_pem_private_key(LOCAL.key.encode(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    script = ENCRYPTED.replace("CRT", repr(LOCAL.certificate.encode())).replace("KEY", repr(encrypted))
    child, terminal = pty.fork()
    if not child:
        os.execve(
            sys.executable, [sys.executable, "-c", script], {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        )
    shown, deadline = b"", time.monotonic() + 30
    with contextlib.suppress(OSError):  # EIO: it has ended
        while (
            select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0] and b"pass phrase" not in shown
        ):
            shown += os.read(terminal, 65536)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(terminal)
    assert b"pass phrase" not in shown and b"the key must not be encrypted" in shown


def test_where_there_are_no_files_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delattr(os, "memfd_create")
    with tls.as_file(b"key") as path:
        assert (
            Path(path).parent == tmp_path
            and Path(path).read_bytes() == b"key"
            and Path(path).stat().st_mode & 0o077 == 0
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("certificate", "key"), [("x", "y"), (LOCAL.certificate, AUTHORITY.pair("b").key), (LOCAL.certificate, "")]
)
def test_a_client_certificate_that_cannot_be_used(certificate: str, key: str) -> None:
    with pytest.raises(Failure, match="cannot be used with its key") as caught:
        cluster(Server(GOOD), user=User(certificate=Certificate(certificate.encode(), key.encode()))).get(PATH)
    assert "PRIVATE" not in caught.value.msg


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_that_is_wanted_or_refused(newest: ssl.TLSVersion) -> None:
    for user in (User(), User(certificate=Certificate(*(part.encode() for part in Authority("other").pair("ann"))))):
        server = Server(GOOD, client_ca=AUTHORITY.pem)
        assert server._context is not None
        server._context.maximum_version = newest
        if newest is ssl.TLSVersion.TLSv1_2 and user.certificate is None:
            continue  # it only says that the handshake failed, as many a broken load balancer does
        with pytest.raises(Failure, match="check the client certificate") as caught:
            cluster(server, patience=30.0, timeout=5.0, user=user).get(PATH)
        assert not isinstance(caught.value, Unreachable)


def test_a_name_that_is_not_found_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    server, real, tries = Server(GOOD, pair=None), socket.getaddrinfo, iter([False, True])

    def resolve(host: str, *rest: t.Any, **more: t.Any) -> t.Any:
        if host == "kube.example" and not next(tries):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert cluster(f"http://kube.example:{server.port}", patience=5.0).get(PATH) == {}


def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_words, **_more: time.sleep(5))
    for asking in (lambda one: one.get(PATH), lambda one: one.port_forward("prod", "pod", 8080)):
        start = time.monotonic()
        with pytest.raises(Unreachable, match="does not answer"):
            asking(cluster("https://kube.example"))
        assert time.monotonic() - start < 3


def test_a_name_with_an_address_that_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    server, real = Server(GOOD, pair=None), socket.getaddrinfo
    monkeypatch.setattr(addresses, "NEXT", 0.3)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as fillers:
        for _each in range(4):  # nothing more is accepted, and nothing refused
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())

        def resolve(host: str, port: int, **more: t.Any) -> t.Any:
            one = real("127.0.0.1", port, **more)[0]
            return [(*one[:4], full.getsockname()), one]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert cluster(f"http://kube.example:{server.port}", timeout=5.0).get(PATH) == {}


def test_an_answer_that_is_too_large_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 1024 * 1024)
    for answer in (HEAD + b"Content-Length: 2000000\r\n\r\n" + 2000000 * b" ", HEAD + b"\r\n" + 2000000 * b" "):
        server = Server(sends(answer))
        with pytest.raises(Failure, match="returned more than 1 MiB") as caught:
            cluster(server, patience=30.0, timeout=5.0).get(PATH)
        assert not isinstance(caught.value, Unreachable) and server.asked == 1


def headers_of(head: str, name: str) -> list[str]:
    return re.findall(rf"(?im)^{name}: (.*)\r$", head)


ANN = User(
    token="the-token",
    impersonation=(
        ("Impersonate-User", ("ann",)),
        ("Impersonate-Group", ("a", "b")),
        ("Impersonate-Extra-x%2Fy", ("1",)),
    ),
)


def test_requests_and_port_forwards_say_the_same() -> None:
    server = Server(sends(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 24\r\n\r\n" + b'{"message": "not you..."}'[:24]))
    one = cluster(f"{server.url}/k8s/c-1", timeout=5.0, user=ANN)
    with pytest.raises(Failure):
        one.get(PATH)
    with pytest.raises(Failure, match=r"Cannot forward a port to prod/pod port 8080 through .*; the Role needs"):
        one.port_forward("prod", "pod", 8080)
    assert [head.partition(" HTTP")[0] for head in server.heads] == [
        f"GET /k8s/c-1{PATH}",
        "GET /k8s/c-1/api/v1/namespaces/prod/pods/pod/portforward?ports=8080",
    ]
    for head in server.heads:
        assert headers_of(head, "Authorization") == ["Bearer the-token"]
        assert headers_of(head, "Impersonate-User") == ["ann"]
        assert headers_of(head, "Impersonate-Group") == ["a", "b"]
        assert headers_of(head, "Impersonate-Extra-x%2Fy") == ["1"]
        assert headers_of(head, "Host") == [f"127.0.0.1:{server.port}"]


def test_a_refused_token_is_read_again_and_the_request_sent_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old-token\n")

    def refuses(sock: socket.socket) -> None:
        file.write_text("new-token\n")
        sock.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    server = Server(refuses, GOOD)
    assert cluster(server, timeout=5.0, user=User(token_file=str(file))).patch(PATH, {}) == {}
    assert [headers_of(head, "Authorization") for head in server.heads] == [["Bearer old-token"], ["Bearer new-token"]]
    server = Server(sends(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(Failure, match="does not accept the credentials"):
        cluster(server, timeout=5.0, user=User(token="the-token")).get(PATH)
    assert server.asked == 1


class Proxy(Server):
    """An HTTP proxy. status: what it answers to CONNECT, instead of doing it."""

    def __init__(self, status: str = "", pair: Pair | None = None) -> None:
        self.status = status
        super().__init__(self.connect, pair=pair)

    def connect(self, sock: socket.socket) -> None:
        method, target, _version = self.heads[-1].partition("\r\n")[0].split()
        if self.status:
            sock.sendall(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host, _colon, port = target.removeprefix("http://").partition("/")[0].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as there:
            if method == "CONNECT":
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there.sendall(self.heads[-1].replace(f"http://{host}:{port}", "").encode())
            back = threading.Thread(target=pump, args=(there, sock), daemon=True)
            back.start()
            pump(sock, there)
            back.join(5)


def pump(here: socket.socket, there: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := here.recv(65536):
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)


LOGIN = f"Basic {base64.b64encode(b'joe:pass word@1').decode()}"


@pytest.mark.parametrize("secure", [True, False])
def test_a_proxy_with_credentials(secure: bool) -> None:
    server, proxy = Server(GOOD, pair=LOCAL if secure else None), Proxy()
    there = f"joe:pass%20word%401@127.0.0.1:{proxy.port}"
    assert cluster(server, timeout=5.0, proxy=f"http://{there}", user=User(token="the-token")).get(PATH) == {}
    (head,) = proxy.heads
    target = f"CONNECT 127.0.0.1:{server.port}" if secure else f"GET {server.url}{PATH}"
    assert head.startswith(f"{target} HTTP/1.1\r\n") and headers_of(head, "Proxy-Authorization") == [LOGIN]
    # What is in the tunnel is none of the proxy's business.
    assert headers_of(head, "Authorization") == ([] if secure else ["Bearer the-token"])
    assert headers_of(server.heads[0], "Proxy-Authorization") == ([] if secure else [LOGIN])


def test_a_proxy_with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca").write_text(AUTHORITY.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca"))
    server, proxy = Server(GOOD), Proxy(pair=LOCAL)
    one = cluster(server, timeout=5.0, proxy=f"https://joe:x@127.0.0.1:{proxy.port}")
    assert one.get(PATH) == {} and one.get(PATH) == {}
    assert proxy.heads[0].startswith("CONNECT ")


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (
            "407 Proxy Authentication Required",
            Failure,
            r"The proxy http://127.0.0.1:\d+ does not accept the credentials \(407\)",
        ),
        (
            "403 Forbidden",
            Failure,
            r"The proxy http://127.0.0.1:\d+ refuses to connect to 127.0.0.1:\d+ \(it answers 403\)",
        ),
        ("503 Busy", Unreachable, r"does not answer \(the connection .*\)"),
        ("502 Bad Gateway", Unreachable, r"does not answer \(the connection .*\)"),
        ("500 Out of sockets", Unreachable, r"does not answer \(the connection .*\)"),
        ("501 No CONNECT here", Failure, r"refuses to connect to 127.0.0.1:\d+ \(it answers 501\)"),
        ("nonsense", Unreachable, r"does not answer \(the connection .*\)"),
    ],
)
def test_a_proxy_that_refuses(status: str, kind: type[Failure], said: str) -> None:
    proxy = Proxy(status)
    with pytest.raises(Failure, match=said) as caught:
        cluster(Server(GOOD), timeout=5.0, proxy=f"http://joe:hunter2-secret@127.0.0.1:{proxy.port}").get(PATH)
    assert isinstance(caught.value, Unreachable) is (kind is Unreachable)
    assert "hunter2" not in caught.value.msg


@pytest.mark.parametrize(
    ("environment", "host", "proxy"),
    [
        ({}, "https://kube", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://kube", "http://p:1"),
        ({"https_proxy": "p:1"}, "https://kube", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:1"}, "https://kube", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://kube", None),
        ({"HTTP_PROXY": "http://p"}, "http://kube", "http://p:80"),
        ({"ALL_PROXY": "http://p:1"}, "https://kube", None),
        ({"HTTPS_PROXY": "socks5://p"}, "https://kube", "socks5://p:1080"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other,kube"}, "https://kube", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://127.0.0.1:6443", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://localhost:6443", None),
    ],
)
def test_the_proxy_of_the_environment(environment: dict[str, str], host: str, proxy: str | None) -> None:
    found = dial.proxy_of(Access(host), environment)
    assert (found.shown if found else None) == proxy
    own = dial.proxy_of(Access(host, proxy="http://own:3128"), environment)
    assert own is not None and own.shown == "http://own:3128"


@pytest.mark.parametrize(
    ("host", "without", "bypassed"),
    [
        ("kube.example.com", "example.com", True),
        ("kube.example.com", ".example.com", True),
        ("kube.example.com", "*.example.com", True),
        ("example.com", ".example.com", False),
        ("badexample.com", "example.com", False),
        ("KUBE.example.com", "kube.EXAMPLE.com", True),
        ("kube", "kube:6443", True),
        ("kube", "kube:443", False),
        ("kube", "kube:", True),
        ("10.1.2.3", "10.1.2.3:6443", True),
        ("10.1.2.3", "10.1.2.3:443", False),
        ("fd00::1", "[fd00::1]:6443", True),
        ("fd00::1", "[fd00::1]:443", False),
        ("fd00::1", "[fd00::1]", True),
        ("fd00::1", "fd00::1", True),
        ("fd00::1", "fd00::2", False),
        ("api.prod.svc", ".svc,.cluster.local", True),
        ("api.prod.svc.cluster.local", ".svc,.cluster.local", True),
        ("api.prod.svc.example", ".svc", False),
        ("kube", "*", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("fd00::1", "fd00::/8", True),
        ("kube", "10.0.0.0/8", False),
        ("kube", "", False),
        ("kube", " a , kube ", True),
        ("kube", "a kube", True),
    ],
)
def test_no_proxy(host: str, without: str, bypassed: bool) -> None:
    assert dial.bypassed(host, 6443, without) is bypassed


@pytest.mark.parametrize("text", ["ftp://p", "http://", "http://joe:hunter2-secret@p:port", "http://[::1", "nonsense"])
def test_a_proxy_that_is_none(text: str) -> None:
    with pytest.raises(Failure, match="is not a URL with http, https or socks5") as caught:
        cluster("https://kube", proxy=text)
    assert "hunter2" not in caught.value.msg


@pytest.mark.parametrize(
    "step",
    [
        lambda sock: time.sleep(4),
        drips(b"HTTP/1.1 200 OK\r\n" + 40 * b"X: y\r\n"),
        sends(b"<html>"),
        sends(b"HTTP/1.1 200 OK\r\n\r\n<html>"),
        resets_it,
    ],
    ids=["stall", "drips", "HTML", "HTML in the tunnel", "RST"],
)
def test_a_proxy_that_breaks_is_an_outage(step: Step) -> None:
    start = time.monotonic()
    for asking in (lambda one: one.get(PATH), lambda one: one.port_forward("prod", "pod", 80)):
        with pytest.raises(Unreachable, match="does not answer"):
            asking(cluster("https://kube.example", proxy=f"http://joe:x@127.0.0.1:{Server(step, pair=None).port}"))
    assert time.monotonic() - start < 4


def test_a_proxy_that_refuses_a_request_without_tls_is_named() -> None:
    proxy = Server(sends(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"), pair=None)
    with pytest.raises(Failure, match=rf"The proxy {proxy.url} does not accept the credentials"):
        cluster("http://kube.example:8080", timeout=5.0, proxy=f"http://joe:x@127.0.0.1:{proxy.port}").get(PATH)


def test_a_short_password_of_a_proxy_is_concealed_with_its_user() -> None:
    cluster("https://kube", proxy="http://joe:abc@proxy.example:3128")
    assert without_secrets("http://joe:abc@proxy.example:3128 abc") == "http://********proxy.example:3128 abc"


PLANTED = "planted-secret-5b1f"
BASIC = base64.b64encode(f"joe:{PLANTED}".encode()).decode()


@pytest.mark.parametrize(
    "broken",
    [GOOD, BROKEN["handshake, RST"], BROKEN["body, FIN"], sends(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")],
)
@pytest.mark.parametrize(
    "user",
    [
        User(token=PLANTED),
        User(token=f"{PLANTED}\n"),
        User(token=f"{PLANTED}\r\nX: y"),
        User(token=f"{PLANTED}\x00"),
        User(token=f"{PLANTED}\u20ac"),
        User(username="joe", password=PLANTED),
        User(token="x", impersonation=(("Impersonate-User", (f"{PLANTED}\n",)),)),
    ],
)
def test_a_secret_is_in_no_failure(user: User, broken: Step, no_secrets: set[str]) -> None:
    proxy = Proxy("407 No")
    for more in ({}, {"proxy": f"http://joe:{PLANTED}@127.0.0.1:{proxy.port}"}):
        for asking in (lambda one: one.get(PATH), lambda one: one.port_forward("prod", "pod", 80)):
            try:
                asking(cluster(Server(broken), user=user, **more))
            except Failure as failure:
                shown = f"{failure.msg} {failure.evidence} {failure!r}"
                assert PLANTED not in shown and BASIC not in shown
    secret = (user.token or user.password).strip()
    assert secret == "x" or secret in no_secrets


def test_an_access_with_a_secret_can_be_shown() -> None:
    assert PLANTED not in repr(replace(Access("https://x"), user=User(token=PLANTED, password=PLANTED)))
