# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real package openshift, over HTTP on loopback, with an OAuth server that acts like OpenShift's for oc login."""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import sys
import threading
import typing as t
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection, openshift_login, outage, tls
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.certificates import Authority

USER, PASSWORD, TOKEN = "eva", "pass-9f2c:w0rd", "sha256~made-for-the-test"
CODE = "sha256~code"


class OAuthServer(http.server.ThreadingHTTPServer):
    """seen: path and Authorization of each GET. trouble: a path that answers 503."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []
        self.trouble = ""
        self.scheme = "http"
        super().__init__(("127.0.0.1", 0), Handler)
        # Nobody stops it: polling for that would take the processor from the tests that follow.
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 3600}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def use_tls(self) -> None:
        pair = Authority().pair("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tls.as_file((pair.certificate + pair.key).encode()) as path:
            context.load_cert_chain(path)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"


class Handler(http.server.BaseHTTPRequestHandler):
    server: OAuthServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.seen.append((path, self.headers.get("Authorization")))
        if path == self.server.trouble:
            return self.answer(503, {})
        if path == "/.well-known/oauth-authorization-server":
            url = self.server.url
            return self.answer(
                200, {"authorization_endpoint": f"{url}/oauth/authorize", "token_endpoint": f"{url}/oauth/token"}
            )
        if path == "/oauth/authorize":
            query = parse_qs(urlsplit(self.path).query)
            basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {basic}" or not self.headers.get("X-Csrf-Token"):
                return self.answer(401, {})
            assert query["client_id"] == ["openshift-challenging-client"] and query["response_type"] == ["code"]
            return self.answer(
                302, {}, Location=f"{self.server.url}/oauth/token/implicit?code={CODE}&state={query['state'][0]}"
            )
        return self.answer(200, {"kind": "ConfigMap"} if self.headers.get("Authorization") == f"Bearer {TOKEN}" else {})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert form["code"] == [CODE] and form["grant_type"] == ["authorization_code"]
        self.answer(200, {"access_token": TOKEN, "expires_in": 86400, "scope": "user:full", "token_type": "Bearer"})

    def answer(self, status: int, document: dict[str, t.Any], **headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: t.Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> OAuthServer:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # HTTP, which is refused otherwise
    openshift_login.token.cache_clear()
    return OAuthServer()


def connect(url: str, **params: t.Any) -> connection.Cluster:
    defaults = {name: option.get("default") for name, option in OPTIONS.items()}
    return connection.connect(
        {**defaults, "host": url, "username": USER, "password": PASSWORD, "api_timeout": 3.0, **params}
    )


def test_a_token_for_a_password(server: OAuthServer) -> None:
    assert connect(server.url).get("/api/v1/x") == {"kind": "ConfigMap"}
    assert [path for path, _authorisation in server.seen] == [
        "/.well-known/oauth-authorization-server",
        "/oauth/authorize",
        "/api/v1/x",
    ]
    connect(server.url).get("/api/v1/x")
    assert len(server.seen) == 4, "a second connection of the same task logs in again"


@pytest.mark.parametrize(
    ("trouble", "params", "said"),
    [
        ("", {"password": "wrong"}, r"Login to OpenShift failed: \S+ refuses user eva .* Check username and password"),
        (
            "/.well-known/oauth-authorization-server",
            {},
            r"Login to OpenShift failed: \S+ answered 503 \(Couldn't find OpenShift's OAuth API\)",
        ),
        (
            "",
            {"host": "http://127.0.0.1:9"},
            r"Login to OpenShift failed: the OAuth server of http://127.0.0.1:9 does not answer \(ConnectionError\)",
        ),
        ("", {"password": None}, "give both or neither"),
        ("", {"username": None}, "give both or neither"),
    ],
)
def test_no_login(server: OAuthServer, trouble: str, params: dict[str, t.Any], said: str) -> None:
    server.trouble = trouble
    with pytest.raises(Failure, match=said) as caught:
        connect(params.pop("host", server.url), **params)
    assert PASSWORD not in str(caught.value) + str(caught.value.evidence)


def test_an_oauth_server_that_is_away_is_waited_for(server: OAuthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage.Unreachable, "again_in", 0.2)
    server.trouble = "/.well-known/oauth-authorization-server"
    threading.Timer(0.5, lambda: setattr(server, "trouble", "")).start()
    assert connect(server.url, api_retry_timeout=20.0).get("/api/v1/x") == {"kind": "ConfigMap"}
    with pytest.raises(Failure, match="refuses user eva") as caught:
        connect(server.url, password="wrong", api_retry_timeout=20.0)
    assert not isinstance(caught.value, outage.Unreachable)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan"), 1e9])
def test_seconds_that_nobody_meant(server: OAuthServer, seconds: float) -> None:
    with pytest.raises(Failure, match="api_timeout must be above 0"):
        connect(server.url, api_timeout=seconds)
    if seconds:
        with pytest.raises(Failure, match="api_retry_timeout must be 0 or more"):
            connect(server.url, api_retry_timeout=seconds)


def test_without_the_package(server: OAuthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openshift.helper.userpassauth", None)
    with pytest.raises(Failure, match=r"pip install openshift\), or use a token"):
        connect(server.url)


def test_it_is_imported_for_a_password_only(server: OAuthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openshift.helper.userpassauth", None)
    assert connect(server.url, username=None, password=None, api_key=TOKEN).get("/api/v1/x") == {"kind": "ConfigMap"}


@pytest.mark.parametrize("options", [{"host": None}, {}])
def test_a_kubeconfig_names_the_server_and_not_the_user(
    server: OAuthServer, tmp_path: Path, options: dict[str, t.Any]
) -> None:
    server.use_tls()  # without, nothing of a kubeconfig's user is sent
    content = {
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": server.url, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "x", "user": {"username": "somebody", "password": "else"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    (tmp_path / "config").write_text(json.dumps(content))
    file = str(tmp_path / "config")
    assert connect(server.url, kubeconfig=file, **options).get("/api/v1/x") == {"kind": "ConfigMap"}
    # Its own user and password are sent, and no login is made with them.
    server.seen.clear()
    assert connect(server.url, kubeconfig=file, username=None, password=None, **options).get("/api/v1/x") == {}
    assert server.seen == [("/api/v1/x", f"Basic {base64.b64encode(b'somebody:else').decode()}")]
