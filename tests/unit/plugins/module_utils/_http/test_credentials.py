# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._alertmanager import Alertmanager
from ansible_collections.mcp.server.plugins.module_utils._announce import webhook
from ansible_collections.mcp.server.plugins.module_utils._gates import connect
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import basic, bearer, bearer_token
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint
from ansible_collections.mcp.server.plugins.module_utils._registry.registry import Registry
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, without_secrets

TOKEN = "s3cr3t-Token.value_~+/=="
OPTION = {"token_file": None, "token_env": None, "token_secret": None, "expect_401": False}


def secret_of(data: dict[str, str]) -> t.Callable[[str], dict[str, t.Any]]:
    return lambda name: {
        "metadata": {"name": name},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def no_secret(name: str) -> t.Any:
    raise AssertionError


def test_where_a_token_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("WEATHER_TOKEN", TOKEN)
    assert bearer_token(None, no_secret) is None
    assert bearer_token(OPTION, no_secret) is None
    assert bearer_token({**OPTION, "token_file": str(tmp_path / "token")}, no_secret) == TOKEN
    assert bearer_token({**OPTION, "token_env": "WEATHER_TOKEN"}, no_secret) == TOKEN
    assert (
        bearer_token({**OPTION, "token_secret": {"name": "weather", "key": "token"}}, secret_of({"token": TOKEN}))
        == TOKEN
    )


@pytest.mark.parametrize("content", ["", "\n", "two words", "a\nb", "grüße", "x\x00y"])
def test_what_is_no_token_is_not_shown(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(content)
    option = {**OPTION, "token_secret": {"name": "weather", "key": "token"}}
    for given, secret in (
        (option, secret_of({"token": content})),
        ({**OPTION, "token_file": str(tmp_path / "token")}, no_secret),
    ):
        with pytest.raises(Failure, match="No bearer token in ") as caught:
            bearer_token(given, secret)
        assert not content.strip() or content.strip() not in caught.value.msg


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"token_file": "/nowhere/token"}, "auth.token_file /nowhere/token cannot be read (No such file or directory)"),
        (
            {"token_env": "NOT_SET_AT_ALL"},
            "No bearer token in environment variable NOT_SET_AT_ALL: it is empty or missing.",
        ),
        (
            {"token_secret": {"name": "weather", "key": "other"}},
            "No bearer token in key other of Secret weather: it is empty or missing.",
        ),
    ],
)
def test_a_token_that_is_not_there(option: dict[str, t.Any], said: str) -> None:
    with pytest.raises(Failure) as caught:
        bearer_token({**OPTION, **option}, secret_of({"token": TOKEN}))
    assert said in caught.value.msg


def test_an_option_without_a_secret_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Alertmanager's."""
    monkeypatch.setenv("ALERTMANAGER_TOKEN", TOKEN)
    assert bearer_token({"token_file": None, "token_env": "ALERTMANAGER_TOKEN"}, no_secret) == TOKEN
    assert bearer_token({"token_file": None, "token_env": None}, no_secret) is None


KEY = "k3y-of-the-weather"
PASSWORD = "pässword: 7"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str], list[tuple[dict[str, t.Any], t.Any]]]:
    """Each place that has a text, and how its Secret is read."""

    def of(text: str) -> list[tuple[dict[str, t.Any], t.Any]]:
        (tmp_path / "value").write_text(f"{text}\n")
        monkeypatch.setenv("WEATHER_VALUE", text)
        return [
            ({"file": str(tmp_path / "value")}, no_secret),
            ({"env": "WEATHER_VALUE"}, no_secret),
            ({"secret": {"name": "weather", "key": "value"}}, secret_of({"value": text})),
        ]

    return of


def test_headers_of_ones_own_from_each_place_beside_a_token(places: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_TOKEN", TOKEN)
    for place, secret in places(KEY):
        found = credentials.read({"token_env": "WEATHER_TOKEN", "headers": {"X-API-Key": place}}, secret)
        assert found.headers == {"Authorization": f"Bearer {TOKEN}", "X-API-Key": KEY}
        assert {TOKEN, KEY} <= set(found.secrets)
        assert KEY not in repr(found) and TOKEN not in repr(found)


def test_a_user_name_and_a_password_from_each_place(places: t.Any) -> None:
    for place, secret in places(PASSWORD):
        found = credentials.read(
            {"username": "probe", **{f"password_{kind}": value for kind, value in place.items()}}, secret
        )
        assert found.headers == {"Authorization": basic("probe", PASSWORD)}
        assert set(found.secrets) == {PASSWORD, basic("probe", PASSWORD).removeprefix("Basic ")}


def test_basic_credentials_without_their_padding_are_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_PASSWORD", "sunshine")
    found = credentials.read({"username": "probe", "password_env": "WEATHER_PASSWORD"}, no_secret)
    assert set(found.secrets) == {"sunshine", "cHJvYmU6c3Vuc2hpbmU=", "cHJvYmU6c3Vuc2hpbmU"}


def test_a_user_name_alone() -> None:
    assert credentials.read({"username": "key"}, no_secret).headers == {"Authorization": basic("key", "")}


def test_no_credentials() -> None:
    for option in (None, {}, OPTION, {"headers": {}}, {"username": None}):
        assert credentials.read(option, no_secret) == credentials.NONE
        assert not credentials.any_named(option)
    for option in ({"token_env": "X"}, {"username": "me"}, {"headers": {"X-Key": {"env": "X"}}}):
        assert credentials.any_named(option)


def test_what_was_read_is_in_no_result(places: t.Any, no_secrets: set[str]) -> None:
    for place, secret in places(f"Bearer {KEY}"):
        credentials.read({"headers": {"X-Forward": place}}, secret)
        assert without_secrets({"said": f"you are {KEY}"}) == {"said": "you are ********"}
        no_secrets.clear()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *((name, "") for name in ("X-API-Key", "x-api-key", "Authorization", "Cookie", "X_Key", "Forwarded")),
        *(
            (name, "cannot be given: each request has its own")
            for name in (
                *("Content-Length", "content-length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer"),
                *("Upgrade", "Expect", "Proxy-Connection", "Proxy-Authorization", "Accept", "Accept-Encoding"),
                *("Content-Type", "Content-Encoding", "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Name"),
                *("mcp-param-region", "Last-Event-ID"),
            )
        ),
        ("Host", "cannot be given: set endpoint.host, or endpoint.pods.host for pods"),
        ("HOST", "cannot be given: set endpoint.host, or endpoint.pods.host for pods"),
        *((name, "is not the name of a header") for name in ("", "X Key", "X:", "X\r\nY", "X\x00", "größe", "(x)")),
    ],
)
def test_which_headers_can_be_given(name: str, said: str) -> None:
    assert credentials.header_name_problem(name) == said


NOT_ITSELF = "must say where the value is (file, env or secret), and not have the value itself"
EXACTLY_ONE = "must have exactly one of file, env and secret"
NAME_AND_KEY = "must have name and key, and nothing else, as secret"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"env": "X"}, ""),
        ({"file": "/x"}, ""),
        ({"secret": {"name": "x", "key": "y"}}, ""),
        ({"env": "X", "file": None, "secret": None}, ""),
        (KEY, NOT_ITSELF),
        (None, NOT_ITSELF),
        ([KEY], NOT_ITSELF),
        ({}, EXACTLY_ONE),
        ({"value": KEY}, EXACTLY_ONE),
        ({"env": "X", "file": "/x"}, EXACTLY_ONE),
        ({"env": ""}, "must have text as env"),
        ({"file": 7}, "must have text as file"),
        ({"secret": KEY}, NAME_AND_KEY),
        ({"secret": {"name": "x"}}, NAME_AND_KEY),
        ({"secret": {"name": "x", "key": ""}}, NAME_AND_KEY),
        ({"secret": {"name": "x", "key": "y", "value": KEY}}, NAME_AND_KEY),
    ],
)
def test_where_a_value_may_be(place: t.Any, said: str, no_secrets: set[str]) -> None:
    assert credentials.place_problem(place) == said
    if said:
        with pytest.raises(Failure) as caught:
            credentials.read({"headers": {"X-Key": place}}, no_secret)
        assert caught.value.msg == f"auth.headers.X-Key {said}."
        # Somebody may have written the value into the inventory: the task's arguments are part of its result.
        assert KEY not in repr(without_secrets({"arguments": place}))


@pytest.mark.parametrize("value", ["", " ", "two\nlines", "a\r\nHost: other", "nul\x00", "grüße", "\x1b[2J"])
def test_what_is_no_value_of_a_header_is_not_shown(value: str, tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(value.encode())
    for place, secret in (
        ({"file": str(tmp_path / "value")}, no_secret),
        ({"secret": {"name": "weather", "key": "value"}}, secret_of({"value": value})),
    ):
        with pytest.raises(Failure, match="No value for auth.headers.X-Key in ") as caught:
            credentials.read({"headers": {"X-Key": place}}, secret)
        assert not value.strip() or value.strip() not in caught.value.msg


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"headers": {"X-Key": {"env": "NOT_SET_AT_ALL"}}}, "in environment variable NOT_SET_AT_ALL: it is empty"),
        ({"headers": {"X-Key": {"file": "/nowhere"}}}, "auth.headers.X-Key.file /nowhere cannot be read (No such file"),
        ({"headers": {"X-Key": {"secret": {"name": "a", "key": "b"}}}}, "in key b of Secret a: it is empty or missing"),
        ({"headers": {"X-Key": {"env": "TOKEN"}, "x-key": {"env": "TOKEN"}}}, "differ in upper and lower case only"),
        ({"headers": {"Mcp-Session-Id": {"env": "TOKEN"}}}, "auth.headers.Mcp-Session-Id cannot be given"),
        (
            {"token_env": "TOKEN", "headers": {"authorization": {"env": "TOKEN"}}},
            "there is a token or a user name alread",
        ),
        ({"username": "me", "headers": {"Authorization": {"env": "TOKEN"}}}, "there is a token or a user name already"),
        ({"username": "a:b"}, "auth.username must not contain a colon"),
        ({"username": "a\nb"}, "auth.username must not contain control characters"),
        (
            {"username": "me", "password_env": "NOT_SET_AT_ALL"},
            "No password in environment variable NOT_SET_AT_ALL: it is",
        ),
        ({"username": "", "password_env": "TOKEN"}, "auth.username is empty, though there is a password"),
        ({"username": "me", "password_file": "/nowhere"}, "auth.password_file /nowhere cannot be read"),
        ({"username": "me", "password_env": "ESCAPED"}, "it has characters that a password must not have"),
    ],
)
def test_credentials_that_cannot_be_used(option: dict[str, t.Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setenv("ESCAPED", f"{PASSWORD}\x1b")
    with pytest.raises(Failure) as caught:
        credentials.read(option, secret_of({}))
    assert said in caught.value.msg
    assert TOKEN not in caught.value.msg and PASSWORD not in caught.value.msg


def test_headers_in_either_order_beside_an_authorization_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "ApiKey abc")
    for names in (("X-Key", "Authorization"), ("Authorization", "X-Key")):
        found = credentials.read({"headers": {name: {"env": "TOKEN"} for name in names}}, no_secret)
        assert found.headers == {"X-Key": "ApiKey abc", "Authorization": "ApiKey abc"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token_env": "A", "username": "me"}, "mutually exclusive"),
        ({"username": "me", "password_env": "A", "password_file": "/a"}, "mutually exclusive"),
        ({"password_env": "A"}, "required by 'password_env'"),
        ({"token_file": "/a", "headers": {"X-Key": {"env": "A"}}}, ""),
        ({"username": "me", "password_secret": {"name": "a"}}, ""),
    ],
)
def test_which_options_go_together(given: dict[str, t.Any], said: str) -> None:
    found = ArgumentSpecValidator({"auth": auth.OPTION}).validate({"auth": given})
    assert said in "; ".join(found.error_messages) and bool(said) is bool(found.error_messages)


PLANTED = "pl4nted5ecret"
RUN_MODULE = """
from ansible.module_utils.testing import patch_module_args
import json, sys
from ansible_collections.mcp.server.plugins.module_utils import _task
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
spec = _task.Spec(options={"auth": auth.OPTION, "seconds": {"type": "int"}})
with patch_module_args(json.loads(sys.stdin.read())):
    _task.main(spec, lambda task: credentials.read(task.params["auth"], dict) and {})
"""
NOT_SHOWN = "must be a dictionary, and is not shown, as it may have a secret"
DICTIONARY_OF_NAMES = "auth.headers must be a dictionary of the headers' names, each of which says where its value is."
WRITTEN_ITSELF = [
    ({"password": PLANTED}, "auth.password must not hold the password itself: set auth.password_file or auth.password"),
    ({"token": PLANTED}, "auth.token must not hold the token itself: set auth.token_file or auth.token_env"),
    (json.dumps({"token": PLANTED}), "auth.token must not hold the token itself"),
    *((text, f"auth {NOT_SHOWN}") for text in (PLANTED, f"token={PLANTED}", [PLANTED], f"{{token: {PLANTED}")),
    *(
        ({f"{kind}_secret": value}, f"auth.{kind}_secret {NOT_SHOWN}")
        for kind in ("token", "password")
        for value in (PLANTED, f"{PLANTED}==", f"a={PLANTED}", f"x, {PLANTED}", [PLANTED], [[PLANTED]])
    ),
    *(
        ({"headers": value}, DICTIONARY_OF_NAMES)
        for value in (
            *(f"X-API-Key: {PLANTED}", f"X-API-Key:{PLANTED}==", f"X-API-Key={PLANTED}", f"{{X-API-Key: {PLANTED}}}"),
            *([f"X-API-Key: {PLANTED}"], [{"X-API-Key": PLANTED}]),
        )
    ),
    ({"headers": {"X-API-Key": PLANTED}}, f"auth.headers.X-API-Key {NOT_ITSELF}"),
    ({"headers": json.dumps({"X-API-Key": PLANTED})}, f"auth.headers.X-API-Key {NOT_ITSELF}"),
]


def as_a_module(auth: t.Any, **options: t.Any) -> dict[str, t.Any]:
    """Return the result of a module of its own process, which shows no secret."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_MODULE],
        input=json.dumps({"auth": auth, **options}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert PLANTED not in done.stdout + done.stderr
    result: dict[str, t.Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(("given", "said"), WRITTEN_ITSELF)
def test_a_secret_where_its_source_belongs_is_not_shown(given: t.Any, said: str) -> None:
    result = as_a_module(given)
    assert result["failed"] and said in result["msg"]


def test_a_module_does_not_repeat_arguments_that_it_refuses() -> None:
    result = as_a_module({"token_env": PLANTED}, seconds="many")
    assert "seconds" in result["msg"] and result["invocation"] == {"module_args": {}}
    assert "seconds" in as_a_module("username=joe", seconds="many")["msg"]  # an old form, which has no secret
    assert as_a_module({"username": "joe"}, seconds=3)["invocation"]["module_args"]["seconds"] == 3


def test_headers_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_KEY", KEY)
    found = credentials.read({"headers": '{"X-API-Key": {"env": "WEATHER_KEY"}}'}, no_secret)
    assert found.headers == {"X-API-Key": KEY}


def test_values_of_the_header() -> None:
    assert bearer("x") == "Bearer x"
    assert basic("user", "word") == "Basic dXNlcjp3b3Jk"
    # RFC 7617, 2.1
    assert basic("test", "123\u00a3") == "Basic dGVzdDoxMjPCow=="


@pytest.mark.parametrize(
    ("url", "exposed"),
    [
        ("https://prometheus.example.com", False),
        ("http://prometheus.example.com", True),
        ("HTTP://prometheus.example.com:9090/path", True),
        ("http://10.0.0.1", True),
        ("http://[fd00::1]:9090", True),
        ("http://localhost:9090", False),
        ("http://LOCALHOST", False),
        ("http://127.0.0.1:9090", False),
        ("http://127.1.2.3", False),
        ("http://[::1]:9090", False),
        # None of these is this machine.
        ("http://localhost.example.com", True),
        ("http://127.0.0.1.example.com", True),
        ("http://127.0.0.1@example.com", True),
        ("http://0.0.0.0:9090", True),
        ("http://2130706433", True),
        ("http://[::", False),
    ],
)
def test_secrets_are_not_sent_by_plain_http_to_another_machine(url: str, exposed: bool) -> None:
    assert credentials.is_exposed(url) is exposed
    credentials.refuse_plain_http(url, True, "prometheus")
    if exposed:
        with pytest.raises(Failure, match=r"nothing was sent. Use an https URL, or set prometheus.allow_http: true"):
            credentials.refuse_plain_http(url, False, "prometheus")
    else:
        credentials.refuse_plain_http(url, None, "prometheus")


AWAY = "http://somewhere.example"


def an_alertmanager() -> None:
    option = {"url": AWAY, "ca_cert": None, "token_file": None, "token_env": "TOKEN"}
    Alertmanager({"alertmanager": option, "timeout": 1.0})


def a_prometheus() -> None:
    option = {"url": AWAY, "timeout": 1.0, "validate_certs": True, "ca_cert": None, "username": "me", "password": "x"}
    connect.connect({"prometheus": dict.fromkeys(OPTION) | option})


def an_endpoint() -> None:
    endpoint.public({**endpoint.defaults(), "url": AWAY}, {"token_env": "TOKEN"})


def an_endpoint_with_a_header() -> None:
    endpoint.public({**endpoint.defaults(), "url": AWAY}, {"headers": {"X-Key": {"env": "TOKEN"}}})


def an_endpoint_with_a_password() -> None:
    endpoint.public({**endpoint.defaults(), "url": AWAY}, {"username": "me", "password_env": "TOKEN"})


@pytest.mark.parametrize(
    "use", [an_alertmanager, a_prometheus, an_endpoint, an_endpoint_with_a_header, an_endpoint_with_a_password]
)
def test_each_third_party_refuses(use: t.Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "a-token")
    with pytest.raises(Failure, match="is reached by plain HTTP"):
        use()


def test_a_registry_gets_no_password_by_plain_http_nor_does_a_realm_that_it_names() -> None:
    for url in (AWAY, "http://127.0.0.1:1"):
        client = Registry(url, ("me", "password"), True, 1.0)
        with pytest.raises(Failure, match="set registry_allow_http"):
            client._request("GET", f"{AWAY}/token", "*/*", client._basic())


def test_a_webhook_whose_url_others_could_read_is_not_used() -> None:
    option = {"url": AWAY, "url_env": None, "url_file": None, "format": "json", "ca_cert": None}
    found = webhook.find(option, 1)
    assert isinstance(found, str) and "it is a plain HTTP URL" in found and AWAY not in found
    assert isinstance(webhook.find({**option, "allow_http": True}, 1), webhook.Webhook)
    assert isinstance(webhook.find({**option, "url": "http://127.0.0.1:1/hook"}, 1), webhook.Webhook)
