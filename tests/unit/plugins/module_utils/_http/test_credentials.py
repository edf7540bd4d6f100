# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._http.credentials import basic, bearer, bearer_token
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
