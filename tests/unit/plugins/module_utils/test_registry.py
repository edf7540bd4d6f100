# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import socket
import threading

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _registry
from ansible_collections.mcp.server.plugins.module_utils._registry import Image, digest_of, registry_for
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SHA = "sha256:" + "a" * 64
INDEX = json.dumps({"manifests": [{"digest": "sha256:" + "b" * 64}, {"digest": "sha256:" + "c" * 64}]}).encode()
MANIFEST = json.dumps(
    {"config": {"digest": "sha256:" + "d" * 64}, "layers": [{"digest": "sha256:" + "e" * 64}]}
).encode()
IMAGE = Image.parse("ghcr.io/org/mcp-server:v1.2.0")


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("ghcr.io/org/mcp-server:v1.2.0", Image("ghcr.io", "org/mcp-server", "v1.2.0")),
        (f"ghcr.io/org/mcp-server:v1.2.0@{SHA}", Image("ghcr.io", "org/mcp-server", "v1.2.0", SHA)),
        (f"ghcr.io/org/mcp-server@{SHA}", Image("ghcr.io", "org/mcp-server", "", SHA)),
        ("127.0.0.1:5000/mcp-server", Image("127.0.0.1:5000", "mcp-server")),
        ("localhost/x:1", Image("localhost", "x", "1")),
        ("registry:5000/x", Image("registry:5000", "x")),
        ("[::1]:5000/x:1", Image("[::1]:5000", "x", "1")),
        ("registry:5000", Image("docker.io", "library/registry", "5000")),
        ("node:22", Image("docker.io", "library/node", "22")),
        ("org/server__x", Image("docker.io", "org/server__x")),
    ],
)
def test_parse(text, image):
    assert Image.parse(text) == image


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ghcr.io/Org/x",
        "ghcr.io/org/x:",
        "ghcr.io/org/x:v1+b",
        "https://ghcr.io/x",
        "x y",
        "x@sha256:1",
        "ghcr.io//x",
        "é",
    ],
)
def test_parse_refuses(text):
    with pytest.raises(Failure, match="not an image reference"):
        Image.parse(text)


@pytest.mark.parametrize(
    ("image_id", "digest"),
    [
        (f"ghcr.io/org/x@{SHA}", SHA),
        (f"docker-pullable://ghcr.io/org/x@{SHA}", SHA),
        (SHA, SHA),
        (f"docker://{SHA}", SHA),
        ("", ""),
        ("x:v1", ""),
    ],
)
def test_digest_of(image_id, digest):
    assert digest_of(image_id) == digest


class Fake(http.server.BaseHTTPRequestHandler):
    """Answers from C(server.answers): (method, path without query) to (status, headers, body), or to a function of the request."""

    def answer(self):
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        found = self.server.answers.get((self.command, self.path.partition("?")[0]), (404, {}, b""))
        status, headers, body = found(self) if callable(found) else found
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = answer

    def log_message(self, *args):
        pass


@pytest.fixture
def fake():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    server.answers, server.asked = {}, []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def registry(url, **options):
    defaults = {name: option.get("default") for name, option in _registry.OPTIONS.items()}
    return registry_for(IMAGE, {**defaults, "registry": url, "registry_timeout": 2.0, **options})


PATH = "/v2/org/mcp-server/manifests/v1.2.0"


def test_digest_from_the_header(fake):
    fake.answers["HEAD", PATH] = (200, {"Docker-Content-Digest": SHA}, b"")
    assert registry(fake.url + "/").digest(IMAGE) == SHA
    assert fake.asked == [("HEAD", PATH, None)]


def test_digest_from_the_body_where_the_header_is_missing(fake):
    fake.answers["HEAD", PATH] = (200, {}, b"")
    fake.answers["GET", PATH] = (200, {}, INDEX)
    assert registry(fake.url).digest(IMAGE) == f"sha256:{hashlib.sha256(INDEX).hexdigest()}"


def test_no_such_image(fake):
    assert registry(fake.url).digest(IMAGE) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"manifests": null, "config": null}',
        b'{"manifests": 7, "config": []}',
        b'{"manifests": [null, 7, "digest", {}]}',
    ],
)
def test_a_manifest_of_another_form_has_no_aliases(fake, body):
    fake.answers["GET", PATH] = (200, {}, body)
    assert registry(fake.url).aliases(IMAGE) == set()


@pytest.mark.parametrize(
    ("body", "aliases"), [(INDEX, {"sha256:" + "b" * 64, "sha256:" + "c" * 64}), (MANIFEST, {"sha256:" + "d" * 64})]
)
def test_aliases(fake, body, aliases):
    fake.answers["GET", PATH] = (200, {}, body)
    assert registry(fake.url).aliases(IMAGE) == aliases


def guarded(scheme, right, then):
    def answer(request):
        if request.headers.get("Authorization") == right:
            return then
        return 401, {"WWW-Authenticate": scheme}, b""

    return answer


@pytest.mark.parametrize(
    ("options", "authorization"),
    [
        ({}, None),
        (
            {"registry_username": "me", "registry_password": "s3cret"},
            "Basic " + base64.b64encode(b"me:s3cret").decode(),
        ),
    ],
)
def test_token(fake, options, authorization):
    challenge = f'Bearer realm="{fake.url}/token",service="ghcr.io",scope="repository:org/mcp-server:pull"'
    fake.answers["HEAD", PATH] = guarded(challenge, "Bearer t0ken", (200, {"Docker-Content-Digest": SHA}, b""))
    fake.answers["GET", PATH] = guarded(challenge, "Bearer t0ken", (200, {}, INDEX))
    fake.answers["GET", "/token"] = (200, {}, b'{"token": "t0ken"}')
    client = registry(fake.url, **options)
    assert client.digest(IMAGE) == SHA
    assert client.aliases(IMAGE)
    token = ("GET", "/token?service=ghcr.io&scope=repository%3Aorg%2Fmcp-server%3Apull", authorization)
    assert fake.asked == [("HEAD", PATH, None), token, ("HEAD", PATH, "Bearer t0ken"), ("GET", PATH, "Bearer t0ken")]


def test_basic(fake):
    right = "Basic " + base64.b64encode(b"me:s3cret").decode()
    fake.answers["HEAD", PATH] = guarded('Basic realm="x"', right, (200, {"Docker-Content-Digest": SHA}, b""))
    assert registry(fake.url, registry_username="me", registry_password="s3cret").digest(IMAGE) == SHA


TOKEN = 'Bearer realm="{url}/token",service="x"'


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({("HEAD", PATH): (401, {}, b"")}, "refuses .* to anonymous readers .401."),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'}, b"")},
            "refuses .* to anonymous readers",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (403, {}, b"")},
            "refuses .* .403.",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (200, {}, b'{"token": "x"}')},
            "refuses .* .401.",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (200, {}, b"<html>")},
            "answered 200 and not a token",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (500, {}, b"")},
            "answered 500 and not a token",
        ),
        ({("HEAD", PATH): (503, {}, b"")}, "answered 503"),
        ({("HEAD", PATH): (200, {"Content-Type": "text/html; charset=utf-8"}, b"")}, "web page.*not an image registry"),
        ({("HEAD", PATH): (404, {"Content-Type": "text/html"}, b"")}, "web page.*not an image registry"),
        ({("HEAD", PATH): (200, {}, b""), ("GET", PATH): (200, {}, b"[]")}, "not a manifest"),
        ({("HEAD", PATH): (200, {}, b""), ("GET", PATH): (404, {}, b"")}, "answered 404 and not a manifest"),
    ],
)
def test_bad_answers(fake, answers, message):
    for key, (status, headers, body) in answers.items():
        fake.answers[key] = (status, {name: value.replace("{url}", fake.url) for name, value in headers.items()}, body)
    with pytest.raises(Failure, match=message) as failure:
        registry(fake.url).digest(IMAGE)
    assert failure.value.msg.endswith(".")


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(Failure, match=rf"^The registry {url} does not answer \(.*Connection refused\)"):
        registry(url).digest(IMAGE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new connection: refused",
            "Failed to establish a new connection: refused",
        ),
        (
            "HTTPConnection(host='127.0.0.1', port=1): Read timed out. (read timeout=2.0)",
            "Read timed out. (read timeout=2.0)",
        ),
        ("", "OSError"),
    ],
)
def test_reason_of_an_error(text, reason):
    assert _registry.reason_of(ConnectionError(OSError(text))) == reason


def test_no_answer_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Failure, match="does not answer .*timed out"):
        registry(f"http://127.0.0.1:{silent.getsockname()[1]}", registry_timeout=0.1).digest(IMAGE)


def test_http_where_https_was_meant(fake):
    with pytest.raises(Failure, match="does not answer") as failure:
        registry(fake.url.replace("http:", "https:")).digest(IMAGE)
    assert "object at" not in failure.value.msg


def test_a_password_does_not_leave_tls():
    client = registry("https://registry.example", registry_username="me", registry_password="s3cret")
    with pytest.raises(Failure, match="unencrypted to http://elsewhere"):
        client._answer_to('Bearer realm="http://elsewhere/token"', IMAGE)


@pytest.mark.parametrize("url", ["127.0.0.1:5000", "ftp://x", "https://", "http://u:p@x", "http://x:port", "http://[x"])
def test_bad_url(url):
    with pytest.raises(Failure, match="not a URL"):
        registry(url)


@pytest.mark.parametrize(
    ("text", "url"), [("ghcr.io/a/b", "https://ghcr.io"), ("nginx", "https://registry-1.docker.io")]
)
def test_own_host(text, url):
    params = {name: option.get("default") for name, option in _registry.OPTIONS.items()}
    assert registry_for(Image.parse(text), params).url == url
