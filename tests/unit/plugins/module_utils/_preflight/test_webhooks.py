# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real connections to webhooks, with and without TLS and a proxy; nothing may be posted to them."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import typing as t
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import webhooks
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._mcp.test_probe_hostile import Authority

EMPTY = {"url": None, "url_env": None, "url_file": None, "format": "json", "ca_cert": None}
SECRET = "/services/SECRET"


class Listener:
    """What comes in at a port. got: the bytes that a client sent, after TLS where that is spoken."""

    def __init__(self, port: int) -> None:
        self.port, self.got = port, b""


@contextmanager
def listening(certificate: Path | None = None, answer: bytes = b"", *, silent: bool = False) -> t.Iterator[Listener]:
    """answer: to the first bytes that come. silent: it accepts, and does nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    found = Listener(server.getsockname()[1])
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def serve() -> None:
        while True:
            try:
                client, _address = server.accept()
            except OSError:
                return
            try:
                client.settimeout(2.0)
                if silent:
                    time.sleep(2.0)
                    continue
                if context:
                    client = context.wrap_socket(client, server_side=True)
                found.got += client.recv(4096)
                if answer:
                    client.sendall(answer)
            except OSError:
                pass
            finally:
                client.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield found
    finally:
        server.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def look(*hooks: dict[str, t.Any]) -> str:
    """Return the sentence, good or bad; a secret is in none."""
    try:
        found = webhooks.check({"webhooks": [{**EMPTY, **hook} for hook in hooks]})
    except Failure as failure:
        found = failure.msg
    assert "SECRET" not in found and "localhost" not in found
    return found


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_connected_and_nothing_posted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as plain, listening(authority.issue("good", name="localhost")) as secure:
        monkeypatch.setenv("MCP_HOOK", f"https://localhost:{secure.port}{SECRET}")
        assert (
            look(
                {"url": f"http://127.0.0.1:{plain.port}{SECRET}"},
                {"url_env": "MCP_HOOK", "ca_cert": str(authority.path)},
            )
            == "2 webhooks can be reached."
        )
        # As requests trusts it
        assert "not trusted" in look({"url_env": "MCP_HOOK"})
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
        assert look({"url_env": "MCP_HOOK"}) == "1 webhook can be reached."
        time.sleep(0.1)
    assert plain.got == secure.got == b""


@pytest.mark.parametrize(
    ("kind", "how", "says"),
    [
        (
            "expired",
            {"days": (-2, -1), "name": "localhost"},
            "webhook 1: its certificate is not trusted (certificate has expired); set ca_cert",
        ),
        ("other", {"name": "mcp.example.com"}, "its certificate is not trusted (it is for another name)"),
    ],
)
def test_certificates(authority: Authority, kind: str, how: dict[str, t.Any], says: str) -> None:
    with listening(authority.issue(kind, **how)) as secure:
        assert says in look({"url": f"https://localhost:{secure.port}{SECRET}", "ca_cert": str(authority.path)})


def test_each_is_told_and_how_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    found = look(
        {"url_env": "NOT_SET_AT_ALL"},
        {"url_file": str(tmp_path / "no")},
        {"url_file": str(tmp_path / "empty")},
        {"url": f"http://127.0.0.1:{closed_port()}{SECRET}"},
    )
    assert "webhook 1 (environment variable NOT_SET_AT_ALL): it is empty or missing." in found
    assert f"webhook 2 (file {tmp_path}/no): it cannot be read (No such file or directory)." in found
    assert f"webhook 3 (file {tmp_path}/empty): it is empty or missing." in found
    assert "webhook 4: no connection (Connection refused); check its URL" in found


@pytest.mark.parametrize(
    ("url", "more", "says"),
    [
        ("https://no-such-host.invalid" + SECRET, {}, "the host name, or the proxy's, cannot be resolved"),
        ("https://127.0.0.1:1" + SECRET, {"ca_cert": "/no/such/ca.pem"}, "no connection"),
        ("https://localhost:99999" + SECRET, {}, "webhook 1: it is not a URL"),
        ("https://" + "x" * 70 + ".invalid" + SECRET, {}, "webhook 1: "),
    ],
)
def test_what_can_not_be_reached(url: str, more: dict[str, t.Any], says: str) -> None:
    assert says in look({"url": url, **more})


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with listening(silent=True) as one:
        assert "its ca_cert has no certificate that can be read" in look(
            {"url": f"https://localhost:{one.port}{SECRET}", "ca_cert": str(tmp_path / "ca.pem")}
        )


def test_tls_that_is_none_and_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "TIMEOUT", 0.3)
    with listening(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n") as plain, listening(silent=True) as silent:
        assert "no connection by TLS (WRONG_VERSION_NUMBER)" in look({"url": f"https://localhost:{plain.port}{SECRET}"})
        assert "no connection within 0.3 s" in look({"url": f"https://localhost:{silent.port}{SECRET}"})


def test_one_that_never_ends_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(webhooks, "_connect", lambda one: time.sleep(3.0))
    started = time.monotonic()
    assert "webhook 1: no connection within 0.2 s" in look({"url": f"https://localhost:1{SECRET}"})
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy refuses the connection (407)"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no connection"),  # and then closes
        (b"nonsense\r\n\r\n", "no connection"),
    ],
)
def test_through_a_proxy(monkeypatch: pytest.MonkeyPatch, answer: bytes, says: str) -> None:
    with listening(answer=answer) as proxy, listening() as plain:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass%40word@127.0.0.1:{proxy.port}")
        assert says in look({"url": f"https://localhost:{plain.port}{SECRET}"})
        assert proxy.got.startswith(f"CONNECT localhost:{plain.port} HTTP/1.".encode())
        assert b"Proxy-Authorization: Basic bWU6cGFzc0B3b3Jk" in proxy.got
        assert not plain.got and b"SECRET" not in proxy.got
        monkeypatch.setenv("NO_PROXY", "localhost")
        before = proxy.got
        look({"url": f"https://localhost:{plain.port}{SECRET}"})
        assert proxy.got == before


def test_a_proxy_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, scheme in (("HTTPS_PROXY", "https"), ("HTTP_PROXY", "http")):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
        assert "no connection (Connection refused)" in look(
            {"url": f"{scheme}://hooks.example{SECRET}", "allow_http": True}
        )


@contextmanager
def tunnel() -> t.Iterator[int]:
    """A proxy that does what CONNECT asks for, whatever the host is called."""
    server = socket.create_server(("127.0.0.1", 0))

    def pipe(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError), one, other:
            while data := one.recv(4096):
                other.sendall(data)

    def serve() -> None:
        client, _address = server.accept()
        port = int(client.recv(4096).split(b" ")[1].rpartition(b":")[2])
        behind = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pipe, args=(behind, client), daemon=True).start()
        pipe(client, behind)

    threading.Thread(target=serve, daemon=True).start()
    with server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "says"), [("hooks.example", "1 webhook can be reached."), ("other.example", "it is for another name")]
)
def test_a_certificate_behind_a_proxy(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    """The host is known to the proxy only, and the certificate has to be its."""
    with tunnel() as proxy, listening(authority.issue(name, name=name)) as secure:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
        assert says in look({"url": f"https://hooks.example:{secure.port}{SECRET}", "ca_cert": str(authority.path)})
