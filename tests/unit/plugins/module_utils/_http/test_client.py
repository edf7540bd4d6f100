# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real sockets that answer well, badly, slowly and without end."""

from __future__ import annotations

import functools
import gzip
import re
import resource
import socket
import ssl
import struct
import threading
import time
import typing as t
import zlib
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http import client
from ansible_collections.mcp.server.plugins.module_utils._http.client import (
    Client,
    TimedOut,
    TooLarge,
    Unreachable,
    Untrusted,
)
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import basic, bearer
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.certificates import Authority

SECRET = "s3cr3t-t0ken"
# Gives what is sent to a client that has connected, piece by piece.
Script = t.Callable[[bytes], t.Iterable[bytes]]


class Peer:
    """A server on loopback. script: from the request's head and body to the pieces of the answer.

    context: of its TLS. reset: whether it ends a connection by RST.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None = None, *, reset: bool = False) -> None:
        self._script, self._context, self._reset = script, context, reset
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        # Set when a client has gone before the end of its answer.
        self.client_gone = threading.Event()
        scheme = "https" if context else "http"
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{scheme}://{self.host}"

    def __enter__(self) -> Peer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock, self._context.wrap_socket(sock, server_side=True) if self._context else sock as conversation:
                request = b""
                while b"\r\n\r\n" not in request:
                    if not (piece := conversation.recv(65536)):
                        raise ConnectionResetError
                    request += piece
                self.requests.append(request)
                for piece in self._script(request):
                    conversation.sendall(piece)
                if self._reset:
                    conversation.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            self.client_gone.set()

    def header(self, name: str, number: int = -1) -> str | None:
        found = re.search(rf"\r\n{name}: (.*)\r\n", self.requests[number].decode(), re.IGNORECASE)
        return found[1] if found else None


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def always(*pieces: bytes) -> Script:
    return lambda _request: pieces


def drip(text: bytes, pause: float = 0.03) -> t.Iterator[bytes]:
    """A byte now and then: each time-out of a socket begins anew with it."""
    for byte in text:
        time.sleep(pause)
        yield bytes([byte])


def test_an_answer() -> None:
    script = always(answer(b'{"a": 1}', "404 Not Found", "X-Name: value"))
    with Peer(script) as peer:
        found = Client().request(
            "POST", f"{peer.url}/path?a=b", 5, query={"c": "d e"}, headers={"Accept": "x/y"}, json_body={"k": "v"}
        )
    assert (found.status, found.headers["x-name"], found.json(), found.redirected_to) == (404, "value", {"a": 1}, "")
    assert peer.requests[0].startswith(b"POST /path?a=b&c=d+e HTTP/1.1\r\n")
    assert (peer.header("Accept"), peer.header("Authorization")) == ("x/y", None)
    assert peer.header("Accept-Encoding") == "gzip"


def test_credentials_are_those_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None of a .netrc, and none of the URL."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login kim password fromnetrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Peer(always(answer())) as peer:
        Client().request("GET", peer.url, 5, authorization=bearer(SECRET))
        Client().request("GET", peer.url, 5)
        Client().request("GET", peer.url.replace("//", "//kim:word@"), 5)
    assert [peer.header("Authorization", number) for number in range(3)] == [f"Bearer {SECRET}", None, None]


def head_drips(_request: bytes) -> t.Iterator[bytes]:
    yield from drip(b"HTTP/1.1 200 OK\r\nX: " + 1000 * b"x")


def body_drips(_request: bytes) -> t.Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    yield from drip(1000 * b"x")


def chunks_drip(_request: bytes) -> t.Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        yield from drip(b"1\r\nx\r\n")


def body_without_an_end(_request: bytes) -> t.Iterator[bytes]:
    """Slowly enough not to be too large."""
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        time.sleep(0.01)
        yield b"x"


def continues(_request: bytes) -> t.Iterator[bytes]:
    while True:
        time.sleep(0.01)
        yield b"HTTP/1.1 100 Continue\r\n\r\n"


def stalls(_request: bytes) -> t.Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx"
    time.sleep(3)


@pytest.mark.parametrize("script", [head_drips, body_drips, chunks_drip, body_without_an_end, continues, stalls])
def test_the_deadline_ends_the_whole_exchange(script: Script) -> None:
    with Peer(script) as peer:
        begin = time.monotonic()
        with pytest.raises(TimedOut, match=r"^does not answer within 0.4 s$"):
            Client().request("GET", peer.url, 0.4)
        assert 0.35 < time.monotonic() - begin < 5


@pytest.mark.parametrize("script", [head_drips, body_drips])
def test_no_thread_and_no_connection_is_left_behind_a_deadline(script: Script) -> None:
    before = set(threading.enumerate())

    def left() -> list[str]:
        return [one.name for one in set(threading.enumerate()) - before if "(work)" in one.name]

    with Peer(script) as peer:
        one = Client()
        for _time in range(5):
            with pytest.raises(TimedOut):
                one.request("GET", peer.url, 0.1)
        assert peer.client_gone.wait(2)
        end = time.monotonic() + 2
        while left() and time.monotonic() < end:
            time.sleep(0.02)
        assert left() == []


def test_one_that_takes_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimedOut):
        Client().request("GET", f"http://127.0.0.1:{listener.getsockname()[1]}", 0.2)


def test_a_handshake_that_never_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimedOut):
        Client().request("GET", f"https://127.0.0.1:{listener.getsockname()[1]}", 0.2)


def test_a_name_that_takes_long_to_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver has no time-out of ours. What connects too late sends nothing."""
    with Peer(always(answer())) as peer:
        resolve = socket.getaddrinfo

        def slow(*args: t.Any, **kwargs: t.Any) -> t.Any:
            time.sleep(0.5)
            return resolve(*args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        with pytest.raises(TimedOut):
            Client().request("POST", peer.url, 0.2, authorization=bearer(SECRET), json_body={})
        time.sleep(0.6)
    assert peer.requests == []


def test_a_body_without_end_ends_at_the_limit() -> None:
    def endless(_request: bytes) -> t.Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield 65536 * b"x"

    with Peer(endless) as peer, pytest.raises(TooLarge, match="^answered with more than 4 MiB$"):
        Client().request("GET", peer.url, 20)
    assert peer.client_gone.wait(2)


def test_the_limit_is_exact() -> None:
    for size, ok in ((65536, True), (65537, False)):
        for body, headers in ((size * b"x", ()), (gzip.compress(size * b"x"), ("Content-Encoding: gzip",))):
            with Peer(always(answer(body, "200 OK", *headers))) as peer:
                request = functools.partial(Client(max_bytes=65536).request, "GET", peer.url, 5)
                if ok:
                    assert len(request().body) == size
                    continue
                with pytest.raises(TooLarge, match="more than 64 KiB"):
                    request()


def test_a_gzip_bomb_ends_at_the_limit() -> None:
    """0.4 MiB that would become 400 MiB, in one member and in many."""
    many = 400 * gzip.compress(bytes(2**20))
    compressor = zlib.compressobj(wbits=31)
    block = compressor.compress(bytes(2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    again = compressor.compress(bytes(2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    assert len(many) < 2**19 and len(block + 399 * again) < 2**19
    for bomb, status in ((many, "200 OK"), (block + 399 * again, "200 OK"), (many, "302 Found")):
        explode(bomb, status)


def explode(bomb: bytes, status: str) -> None:
    with Peer(always(answer(bomb, status, "Content-Encoding: gzip", "Location: /x"))) as peer:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.process_time()
        with pytest.raises(TooLarge, match="more than 4 MiB"):
            Client().request("GET", peer.url, 20)
        assert time.process_time() - begin < 0.3
    # In KiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_a_body_in_gzip() -> None:
    text = b"".join(b"%d\n" % number for number in range(100_000))
    members = gzip.compress(text[:1000]) + gzip.compress(b"") + gzip.compress(text[1000:])
    for body in (gzip.compress(text), members):
        with Peer(always(answer(body, "200 OK", "Content-Encoding: gzip"))) as peer:
            assert Client().request("GET", peer.url, 5).body == text


@pytest.mark.parametrize(
    ("body", "coding", "words"),
    [
        (gzip.compress(b"whole" * 1000)[:-4], "gzip", "cut its answer short"),
        (b"plain text", "gzip", "a body that is not gzip, though its headers say so"),
        (gzip.compress(gzip.compress(b"x")), "gzip, gzip", "in the encoding gzip, gzip, which was not requested"),
        (b"x", "br", "in the encoding br, which was not requested"),
    ],
)
def test_other_encodings(body: bytes, coding: str, words: str) -> None:
    script = always(answer(body, "200 OK", f"Content-Encoding: {coding}"))
    with Peer(script) as peer, pytest.raises(Fault, match=words):
        Client().request("GET", peer.url, 5)


def test_a_body_that_is_not_wanted_is_not_read() -> None:
    with Peer(stalls) as peer:
        begin = time.monotonic()
        assert Client().request("POST", peer.url, 2, json_body={}, read_body=False).body == b""
        assert time.monotonic() - begin < 1


def redirect(to: str) -> bytes:
    return answer(b"", "307 Temporary Redirect", f"Location: {to}")


def test_redirects_are_not_followed_unless_asked() -> None:
    with Peer(always(answer())) as other, Peer(always(redirect(f"{other.url}/x"))) as peer:
        assert Client().request("GET", peer.url, 5, authorization=bearer(SECRET)).status == 307
    assert other.requests == []


@pytest.mark.parametrize("place", ["other host", "same host", "user and password"])
def test_credentials_do_not_follow_a_redirect(place: str) -> None:
    def script(request: bytes) -> t.Iterator[bytes]:
        yield (
            answer(b"", "401 Unauthorized")
            if b"GET /moved" in request
            else redirect(
                {
                    "other host": f"{other.url}/moved",
                    "same host": "/moved",
                    "user and password": f"http://kim:word@{other.host}/moved",
                }[place]
            )
        )

    with Peer(script) as other, Peer(script) as peer:
        found = Client().request("GET", peer.url, 5, authorization=basic("kim", SECRET), follow=True)
        target = peer if place == "same host" else other
    assert peer.header("Authorization", 0) == basic("kim", SECRET)
    assert target.header("Authorization", -1) is None
    assert (found.status, found.redirected_to) == (401, target.host)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/again", "redirects more than 3 times"),
        ("file:///etc/passwd", "redirects to an address that is not a URL"),
        ("http://[", "redirects to an address that is not a URL"),
    ],
)
def test_bad_redirects(location: str, words: str) -> None:
    with Peer(always(redirect(location))) as peer:
        with pytest.raises(Fault, match=words):
            Client().request("GET", peer.url, 5, follow=True)
        assert len(peer.requests) == (client.MAX_REDIRECTS + 1 if location == "/again" else 1)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def tls(authority: Authority, folder: Path, name: str) -> ssl.SSLContext:
    pair = authority.pair(name)
    (folder / "cert.pem").write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem")
    return context


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_tls(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca, other_ca = tmp_path / "ca.pem", tmp_path / "other.pem"
    ca.write_text(authority.pem)
    other_ca.write_text(Authority("other").pem)
    with Peer(always(answer(b"x")), tls(authority, tmp_path, "127.0.0.1")) as peer:
        assert Client(str(ca)).request("GET", peer.url, 5).body == b"x"
        assert Client(verify=False).request("GET", peer.url, 5).body == b"x"
        for verify in (True, str(other_ca)):
            with pytest.raises(Untrusted, match=r"^has a certificate that is not trusted \("):
                Client(verify).request("GET", peer.url, 5)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
        assert Client().request("GET", peer.url, 5).body == b"x"
    with (
        Peer(always(answer(b"x")), tls(authority, tmp_path, "elsewhere.example")) as peer,
        pytest.raises(Untrusted, match=r"(?i)mismatch"),
    ):
        Client(str(ca)).request("GET", peer.url, 5)


def test_tls_drips_and_is_not_left_by_a_redirect(authority: Authority, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(authority.pem)
    context = tls(authority, tmp_path, "127.0.0.1")
    with Peer(head_drips, context) as peer:
        begin = time.monotonic()
        with pytest.raises(TimedOut):
            Client(str(ca)).request("GET", peer.url, 0.4)
        assert time.monotonic() - begin < 2
        assert peer.client_gone.wait(2)
    with (
        Peer(always(answer())) as plain,
        Peer(always(redirect(plain.url)), context) as peer,
        pytest.raises(Fault, match="redirects from HTTPS to plain HTTP"),
    ):
        Client(str(ca)).request("GET", peer.url, 5, follow=True)
    assert plain.requests == []


def test_a_ca_file_that_is_not_there() -> None:
    with pytest.raises(Fault, match=r"^could not be asked \(.*/no/such/ca.pem\)$"):
        Client("/no/such/ca.pem").request("GET", f"https://127.0.0.1:9/{SECRET}", 2)


def proxy_of(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://kim:proxyword@{peer.host}")


def test_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(always(answer(b"x"))) as proxy:
        proxy_of(monkeypatch, proxy)
        assert Client().request("GET", "http://prometheus.example/path", 5).body == b"x"
    assert proxy.requests[0].startswith(b"GET http://prometheus.example/path HTTP/1.1\r\n")
    assert proxy.header("Proxy-Authorization") == basic("kim", "proxyword")


def test_a_proxy_that_refuses_or_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(always(answer(b"", "407 Proxy Authentication Required"))) as proxy:
        proxy_of(monkeypatch, proxy)
        with pytest.raises(Unreachable, match=r"\(the proxy answered 407 Proxy Authentication Required\)") as fault:
            Client().request("GET", f"https://registry.example/{SECRET}", 5)
        assert SECRET not in fault.value.msg and "proxyword" not in fault.value.msg
    with Peer(head_drips) as proxy:
        proxy_of(monkeypatch, proxy)
        begin = time.monotonic()
        with pytest.raises(TimedOut):
            Client().request("GET", "https://registry.example/", 0.4)
        assert time.monotonic() - begin < 2
        assert proxy.client_gone.wait(2)


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://kim:{SECRET}@127.0.0.1:{unused.getsockname()[1]}/{SECRET}"
    with pytest.raises(Unreachable) as fault:
        Client().request("GET", url, 5, authorization=bearer(SECRET))
    assert fault.value.msg == "does not answer (Connection refused)"


def test_a_reset() -> None:
    for pieces in ([], [b"HTTP/1.1 200 OK\r\n"], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]):
        with Peer(always(*pieces), reset=True) as peer, pytest.raises(Unreachable):
            Client().request("GET", f"{peer.url}/{SECRET}", 5)


@pytest.mark.parametrize(
    ("pieces", "kind", "words"),
    [
        ([], Unreachable, "cut the connection, or did not answer in HTTP"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], Unreachable, "cut the connection, or did not answer in HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"], Unreachable, "cut its answer short"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], Unreachable, "cut its answer short"),
    ],
)
def test_what_is_not_an_answer(pieces: list[bytes], kind: type[Fault], words: str) -> None:
    with Peer(always(*pieces)) as peer, pytest.raises(kind, match=words) as fault:
        Client().request("GET", f"{peer.url}/{SECRET}?q={SECRET}", 5, authorization=bearer(SECRET))
    assert SECRET not in fault.value.msg


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://a..b/{SECRET}", "^(could not be asked|does not answer)"),
        (f"{SECRET}", "its URL cannot be used"),
        (f"http://[{SECRET}", "its URL cannot be used"),
        (f"ftp://x/{SECRET}", "its URL cannot be used"),
    ],
)
def test_urls_that_lead_nowhere_are_not_quoted(url: str, words: str) -> None:
    with pytest.raises(Fault, match=words) as fault:
        Client().request("GET", url, 5)
    assert SECRET not in fault.value.msg


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: t.Any, **_kwargs: t.Any) -> t.Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="its host name cannot be resolved"):
        Client().request("GET", f"http://{SECRET}.example", 5)


def test_keep_alive() -> None:
    """Polls of Prometheus don't connect anew."""
    connections = 0

    def script(_request: bytes) -> t.Iterator[bytes]:
        nonlocal connections
        connections += 1
        one = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        yield one
        time.sleep(0.1)
        yield one

    with Peer(script) as peer:
        polls = Client()
        assert [polls.request("GET", peer.url, 5).body for _time in range(2)] == [b"x", b"x"]
    assert connections == 1


def test_a_kept_connection_that_drips_ends_too() -> None:
    def script(_request: bytes) -> t.Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        yield from drip(1000 * b"H")

    with Peer(script) as peer:
        polls = Client()
        assert polls.request("GET", peer.url, 5).body == b"x"
        with pytest.raises(TimedOut):
            polls.request("GET", peer.url, 0.3)
        assert peer.client_gone.wait(2)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "REQUESTS_ERROR", "Traceback: No module named 'requests'")
    with pytest.raises(Failure, match="requests") as failure:
        Client()
    assert failure.value.evidence == {"exception": "Traceback: No module named 'requests'"}


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("http://x", True),
        ("https://x:1/y", True),
        ("x:9090", False),
        ("ftp://x", False),
        ("https://", False),
        ("http://x:0", False),
        ("http://x:99999", False),
        ("http://x:port", False),
        ("http://[x", False),
    ],
)
def test_is_url(url: str, valid: bool) -> None:
    assert client.is_url(url) is valid


def test_the_host_for_messages() -> None:
    assert client.host_of("https://kim:word@x.example:8443/path") == "x.example:8443"
    assert client.host_of("http://[x") == client.host_of("nonsense") == ""
