# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._alertmanager import Alertmanager
from ansible_collections.mcp.server.plugins.module_utils._announce import webhook
from ansible_collections.mcp.server.plugins.module_utils._gates import connect
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import basic, bearer, bearer_token
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._registry.registry import Registry
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

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


@pytest.mark.parametrize("use", [an_alertmanager, a_prometheus, an_endpoint])
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
