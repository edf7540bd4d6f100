# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import json
import socket
import threading
import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._registry import registry as registries
from ansible_collections.mcp.server.plugins.module_utils._registry.registry import registry_for
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SHA = "sha256:" + "a" * 64
INDEX = json.dumps({"manifests": [{"digest": "sha256:" + "b" * 64}, {"digest": "sha256:" + "c" * 64}]}).encode()
MANIFEST = json.dumps(
    {"config": {"digest": "sha256:" + "d" * 64}, "layers": [{"digest": "sha256:" + "e" * 64}]}
).encode()
IMAGE = Image.parse("ghcr.io/org/mcp-server:v1.2.0")


class Fake(http.server.BaseHTTPRequestHandler):
    """Answers from C(server.answers): (method, path) to (status, headers, body), or to a function of the request."""

    def answer(self):
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        found = self.server.answers.get((self.command, self.path.partition("?")[0]), (404, {}, b""))
        status, headers, body = found(self) if callable(found) else found
        if not status:  # it has answered by itself
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = answer

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setattr(registries, "FIRST_PAUSE", 0.01)


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
    defaults = {name: option.get("default") for name, option in registries.OPTIONS.items()}
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


CONFIG = json.dumps({"os": "linux", "config": {"Labels": {"a": "b"}}}).encode()
CONFIG_DIGEST = f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"
OF_CONFIG = json.dumps({"config": {"digest": CONFIG_DIGEST}}).encode()
BLOB = f"/v2/org/mcp-server/blobs/{CONFIG_DIGEST}"


def test_config(fake):
    fake.answers["GET", PATH] = (200, {}, OF_CONFIG)
    fake.answers["GET", BLOB] = (200, {}, CONFIG)
    assert registry(fake.url).config(IMAGE) == json.loads(CONFIG)


def platform(architecture, system="linux"):
    return {"digest": SHA, "platform": {"os": system, "architecture": architecture}}


@pytest.mark.parametrize(
    ("manifest", "platforms"),
    [
        # An index also lists attestations, of no platform.
        (
            {
                "manifests": [
                    platform("amd64"),
                    platform("arm64"),
                    platform("unknown", "unknown"),
                    None,
                    {"platform": 7},
                ]
            },
            {"linux/amd64", "linux/arm64"},
        ),
        ({"manifests": []}, set()),
        ({"config": {"digest": "../../x"}}, set()),
        ({"config": 7}, set()),
        ({}, set()),
    ],
)
def test_platforms(fake, manifest, platforms):
    fake.answers["GET", PATH] = (200, {}, json.dumps(manifest).encode())
    assert registry(fake.url).platforms(IMAGE) == platforms


@pytest.mark.parametrize(
    ("found", "platforms"),
    [({"os": "linux", "architecture": "arm64"}, {"linux/arm64"}), ({"os": "linux"}, set()), ({"os": 7}, set())],
)
def test_the_platform_of_a_manifest_is_in_its_configuration(fake, found, platforms):
    text = json.dumps(found).encode()
    digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
    fake.answers["GET", PATH] = (200, {}, json.dumps({"config": {"digest": digest}}).encode())
    fake.answers["GET", f"/v2/org/mcp-server/blobs/{digest}"] = (200, {}, text)
    assert registry(fake.url).platforms(IMAGE) == platforms


def test_config_of_an_index_is_its_first_platforms(fake):
    attestation = {"digest": "sha256:" + "b" * 64, "platform": {"os": "unknown", "architecture": "unknown"}}
    index = {"manifests": [None, 7, attestation, {"digest": SHA, "platform": {"os": "linux"}}]}
    fake.answers["GET", PATH] = (200, {}, json.dumps(index).encode())
    fake.answers["GET", f"/v2/org/mcp-server/manifests/{SHA}"] = (200, {}, OF_CONFIG)
    fake.answers["GET", BLOB] = (200, {}, CONFIG)
    assert registry(fake.url).config(IMAGE) == json.loads(CONFIG)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"config": {"digest": "x"}}', b'{"manifests": []}', b'{"manifests": [{"digest": 7}]}']
)
def test_a_manifest_without_a_config(fake, body):
    fake.answers["GET", PATH] = (200, {}, body)
    assert registry(fake.url).config(IMAGE) == {}


def test_config_of_no_image(fake):
    assert registry(fake.url).config(IMAGE) == {}


def test_indexes_that_lead_to_each_other(fake):
    index = json.dumps({"manifests": [{"digest": SHA}]}).encode()
    fake.answers["GET", PATH] = fake.answers["GET", f"/v2/org/mcp-server/manifests/{SHA}"] = (200, {}, index)
    assert registry(fake.url).config(IMAGE) == {}


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ((200, {}, b'{"other": 1}'), "other contents than its digest says"),
        ((404, {}, b""), "answered 404, and not with an image's configuration"),
        ((403, {}, b""), "refused"),
    ],
)
def test_a_config_that_is_not_the_one(fake, answer, part):
    fake.answers["GET", PATH] = (200, {}, OF_CONFIG)
    fake.answers["GET", BLOB] = answer
    with pytest.raises(Failure, match=part):
        registry(fake.url).config(IMAGE)


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


HTML = (404, {"Content-Type": "text/html; charset=utf-8"}, b"<html>")
TOKEN = 'Bearer realm="{url}/token",service="x"'


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({("HEAD", PATH): (401, {}, b"")}, "refused .* to anonymous users .401."),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'}, b"")},
            "refused .* to anonymous users",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (403, {}, b"")},
            "refused .* .403.",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (200, {}, b'{"token": "x"}')},
            "refused .* .401.",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (200, {}, b"<html>")},
            "answered 200, and not with a token",
        ),
        (
            {("HEAD", PATH): (401, {"WWW-Authenticate": TOKEN}, b""), ("GET", "/token"): (500, {}, b"")},
            "answered 500, and not with a token",
        ),
        ({("HEAD", PATH): (503, {}, b""), ("GET", PATH): (503, {}, b"")}, "answered 503"),
        ({("HEAD", PATH): (200, {"Content-Type": "text/html"}, b""), ("GET", PATH): HTML}, "web page.*not an image"),
        ({("HEAD", PATH): (404, {"Content-Type": "text/html"}, b""), ("GET", PATH): HTML}, "web page.*not an image"),
        ({("HEAD", PATH): (403, {}, b""), ("GET", PATH): (403, {}, b"")}, "refused .* to anonymous users .403."),
        ({("HEAD", PATH): (200, {}, b""), ("GET", PATH): (200, {}, b"[]")}, "not with a manifest"),
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
    with pytest.raises(Failure, match=rf"^The registry {url} does not answer \(Connection refused\)"):
        registry(url).digest(IMAGE)


def test_a_manifest_that_is_a_bomb(fake):
    bomb = 100 * gzip.compress(bytes(2**20))
    fake.answers["HEAD", PATH] = (200, {}, b"")
    fake.answers["GET", PATH] = (200, {"Content-Encoding": "gzip"}, bomb)
    with pytest.raises(Failure, match="answered with more than 4 MiB"):
        registry(fake.url).digest(IMAGE)


def test_a_token_that_drips(fake):
    def drip(request):
        for byte in b"HTTP/1.1 200 OK\r\nX: " + 100 * b"x":
            request.wfile.write(bytes([byte]))
            time.sleep(0.05)
        return 200, {}, b""

    fake.daemon_threads = True
    fake.answers["HEAD", PATH] = (401, {"WWW-Authenticate": f'Bearer realm="{fake.url}/token"'}, b"")
    fake.answers["GET", "/token"] = drip
    begin = time.monotonic()
    with pytest.raises(Failure, match="does not answer within 0.3 s"):
        registry(fake.url, registry_timeout=0.3).digest(IMAGE)
    assert time.monotonic() - begin < 1


def test_a_redirect_gets_no_credentials(fake):
    """Registries such as registry.k8s.io redirect to where the manifests are."""
    login = {"registry_username": "me", "registry_password": "s3cret"}
    right = "Basic " + base64.b64encode(b"me:s3cret").decode()
    fake.answers["HEAD", PATH] = guarded('Basic realm="x"', right, (307, {"Location": "/elsewhere"}, b""))
    fake.answers["HEAD", "/elsewhere"] = (200, {"Docker-Content-Digest": SHA}, b"")
    assert registry(fake.url, **login).digest(IMAGE) == SHA
    assert fake.asked == [("HEAD", PATH, None), ("HEAD", PATH, right), ("HEAD", "/elsewhere", None)]
    fake.answers["HEAD", "/elsewhere"] = (401, {}, b"")
    host = fake.url.removeprefix("http://")
    with pytest.raises(Failure, match=rf"\(401\) after a redirect to {host}, where no credentials are sent"):
        registry(fake.url, **login).digest(IMAGE)


def test_no_answer_in_time():
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(Failure, match="does not answer within 0.1 s"),
    ):
        registry(f"http://127.0.0.1:{silent.getsockname()[1]}", registry_timeout=0.1).digest(IMAGE)


def test_http_where_https_was_meant(fake):
    with pytest.raises(Failure, match="does not answer by TLS") as failure:
        registry(fake.url.replace("http:", "https:")).digest(IMAGE)
    assert "object at" not in failure.value.msg


def test_a_password_does_not_leave_tls():
    client = registry("https://registry.example", registry_username="me", registry_password="s3cret")
    with pytest.raises(Failure, match="unencrypted, to http://elsewhere"):
        client._authorize('Bearer realm="http://elsewhere/token"', IMAGE, set())


@pytest.mark.parametrize("url", ["127.0.0.1:5000", "ftp://x", "https://", "http://u:p@x", "http://x:port", "http://[x"])
def test_bad_url(url):
    with pytest.raises(Failure, match="not a URL"):
        registry(url)


@pytest.mark.parametrize(
    ("text", "url"), [("ghcr.io/a/b", "https://ghcr.io"), ("nginx", "https://registry-1.docker.io")]
)
def test_own_host(text, url):
    params = {name: option.get("default") for name, option in registries.OPTIONS.items()}
    assert registry_for(Image.parse(text), params).url == url


LOGIN = {"registry_username": "me", "registry_password": "s3cret"}
BASIC = "Basic " + base64.b64encode(b"me:s3cret").decode()
FOUND = (200, {"Docker-Content-Digest": SHA}, b"")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_head_refused(fake, status):
    """Nexus answers 404, registry.centos.org 403, and old versions of distribution 405, though GET is answered."""
    fake.answers["HEAD", PATH] = (status, {}, b"")
    fake.answers["GET", PATH] = (200, {}, INDEX)
    assert registry(fake.url).digest(IMAGE) == f"sha256:{hashlib.sha256(INDEX).hexdigest()}"


@pytest.mark.parametrize(
    ("challenge", "right"),
    [
        ('Negotiate, Basic realm="x"', BASIC),
        ('Basic realm="x", Bearer realm="{url}/token",service="x"', "Bearer t0ken"),
        ('Bearer realm="{url}/token",service="x", Basic realm="x"', BASIC),  # the token does not let us in
        ('Bearer realm="{url}/nothing", Basic realm="x"', BASIC),
        ("bearer realm={url}/token", "Bearer t0ken"),  # not quoted, as its slashes should be
        ('Bearer realm="/token"', "Bearer t0ken"),  # relative
        ('Digest realm="x", nonce="y", BASIC realm="a, b"', BASIC),
    ],
)
def test_several_challenges(fake, challenge, right):
    fake.answers["GET", "/nothing"] = (200, {}, b"{}")
    fake.answers["GET", "/token"] = (200, {}, b'{"access_token": "t0ken"}')
    fake.answers["HEAD", PATH] = guarded(challenge.replace("{url}", fake.url), right, FOUND)
    assert registry(fake.url, **LOGIN).digest(IMAGE) == SHA


def test_several_headers_of_challenges(fake):
    def answer(request):
        if request.headers.get("Authorization") == BASIC:
            return FOUND
        request.send_response_only(401)
        request.send_header("WWW-Authenticate", "Negotiate")
        request.send_header("WWW-Authenticate", 'Basic realm="x"')
        request.send_header("Content-Length", "0")
        request.end_headers()
        return 0, {}, b""

    fake.answers["HEAD", PATH] = answer
    assert registry(fake.url, **LOGIN).digest(IMAGE) == SHA


def test_another_challenge_after_a_token_that_does_not_suffice(fake):
    """Harbor asks for Basic then."""

    def answer(request):
        given = request.headers.get("Authorization")
        bearer = f'Bearer realm="{fake.url}/token"'
        return FOUND if given == BASIC else (401, {"WWW-Authenticate": 'Basic realm="x"' if given else bearer}, b"")

    fake.answers["GET", "/token"] = (200, {}, b'{"token": "weak"}')
    fake.answers["HEAD", PATH] = answer
    assert registry(fake.url, **LOGIN).digest(IMAGE) == SHA
    assert len(fake.asked) == 4


def test_challenges_without_end(fake):
    fake.answers["HEAD", PATH] = lambda _request: (
        401,
        {"WWW-Authenticate": f'Bearer realm="{fake.url}/token",service="{len(fake.asked)}"'},
        b"",
    )
    fake.answers["GET", "/token"] = (200, {}, b'{"token": "t"}')
    with pytest.raises(Failure, match="refused"):
        registry(fake.url).digest(IMAGE)
    assert len(fake.asked) == 1 + 2 * registries.MAX_CHALLENGES


@pytest.mark.parametrize("status", [429, 502, 503])
def test_overload_passes(fake, status):
    left = [(status, {"Retry-After": "0"}, b""), (status, {}, b"")]
    fake.answers["HEAD", PATH] = lambda _request: left.pop() if left else FOUND
    assert registry(fake.url).digest(IMAGE) == SHA


def test_retry_after(fake):
    left = [(429, {"Retry-After": "1"}, b"")]
    fake.answers["HEAD", PATH] = lambda _request: left.pop() if left else FOUND
    begin = time.monotonic()
    assert registry(fake.url, registry_timeout=5.0).digest(IMAGE) == SHA
    assert 0.9 < time.monotonic() - begin < 3


@pytest.mark.parametrize("after", ["3600", "Fri, 31 Dec 2999 23:59:59 GMT", "9" * 400])
def test_a_limit_that_lasts_longer_is_said_at_once(fake, after):
    fake.answers["HEAD", PATH] = fake.answers["GET", PATH] = (429, {"Retry-After": after}, b"")
    begin = time.monotonic()
    with pytest.raises(Failure, match=rf"too many requests \(429\), retry after {after[:30]}.*\. Wait, or log in"):
        registry(fake.url).digest(IMAGE)
    assert time.monotonic() - begin < 1 and len(fake.asked) == 2


@pytest.mark.parametrize("value", ["soon", "-1", "", "Fri, 31 Feb 2999", "1e9", "\u0663"])
def test_a_retry_after_that_is_none(value):
    assert registries._retry_after(value) in (0.0, 3.0)


@pytest.mark.parametrize(
    "token", [b'{"token": 7}', b'{"token": ["x"]}', '{"token": "\u00e9"}'.encode(), b'{"token": "a\\nb"}']
)
def test_a_token_that_is_none(fake, token):
    fake.answers["HEAD", PATH] = (401, {"WWW-Authenticate": f'Bearer realm="{fake.url}/token"'}, b"")
    fake.answers["GET", "/token"] = (200, {}, token)
    with pytest.raises(Failure, match="refused .* to anonymous users .401."):
        registry(fake.url).digest(IMAGE)


def test_an_index_of_indexes(fake):
    def index(*digests):
        media = registries.INDEX_TYPES[0]
        return json.dumps({"manifests": [{"digest": digest, "mediaType": media} for digest in digests]}).encode()

    inner, leaf = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    fake.answers["GET", PATH] = (200, {}, index(inner))
    fake.answers["GET", PATH.replace("v1.2.0", inner)] = (
        200,
        {},
        json.dumps({"manifests": [{"digest": leaf}, {"digest": 7}, {"digest": "../../x"}]}).encode(),
    )
    assert registry(fake.url).aliases(IMAGE) == {inner, leaf}
    # One that contains itself, and one that goes on for ever, end
    fake.answers["GET", PATH] = fake.answers["GET", PATH.replace("v1.2.0", inner)] = (200, {}, index(inner))
    assert registry(fake.url).aliases(IMAGE) == {inner}
    begun = len(fake.asked)
    deep = [f"sha256:{number:064x}" for number in range(100)]
    for one, following in zip(["v1.2.0", *deep], deep, strict=False):
        fake.answers["GET", PATH.replace("v1.2.0", one)] = (200, {}, index(following))
    assert len(registry(fake.url).aliases(IMAGE)) == registries.MAX_INDEXES == len(fake.asked) - begun


def test_the_whole_question_has_one_limit(fake):
    """Each answer is in time, all of them together are not."""

    def slow(_request):
        time.sleep(0.2)
        return 503, {}, b""

    fake.answers["HEAD", PATH] = fake.answers["GET", PATH] = slow
    begin = time.monotonic()
    with pytest.raises(Failure, match=r"answered 503|does not answer within 0.5 s\."):
        registry(fake.url, registry_timeout=0.5).digest(IMAGE)
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize(
    ("url", "challenge"),
    [
        ("http://registry.example", 'Basic realm="x"'),
        ("http://registry.example", 'Bearer realm="http://127.0.0.1/token"'),
        ("http://127.0.0.1:5000", 'Bearer realm="http://elsewhere/token"'),
        ("http://localhost.evil.example", 'Basic realm="x"'),
        ("http://127.0.0.1.evil.example", 'Basic realm="x"'),
    ],
)
def test_a_password_is_not_sent_unencrypted(url, challenge):
    client = registry(url, **LOGIN)
    with pytest.raises(Failure, match="asks for the password to be sent unencrypted") as failure:
        client._request("GET", f"{url}/v2/", "*/*", client._authorize(challenge, IMAGE, set()))
    assert "s3cret" not in failure.value.msg


def test_a_realm_keeps_its_own_query(fake):
    fake.answers["HEAD", PATH] = guarded(f'Bearer realm="{fake.url}/token?a=1"', "Bearer t", FOUND)
    fake.answers["GET", "/token"] = (200, {}, b'{"token": "t"}')
    assert registry(fake.url).digest(IMAGE) == SHA
    assert fake.asked[1][1] == "/token?a=1&scope=repository%3Aorg%2Fmcp-server%3Apull"
