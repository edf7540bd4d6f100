# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import MODERN, Handler, Script, Scripted

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
    assert auth.token(None, no_secret) is None
    assert auth.token(OPTION, no_secret) is None
    assert auth.token({**OPTION, "token_file": str(tmp_path / "token")}, no_secret) == TOKEN
    assert auth.token({**OPTION, "token_env": "WEATHER_TOKEN"}, no_secret) == TOKEN
    assert (
        auth.token({**OPTION, "token_secret": {"name": "weather", "key": "token"}}, secret_of({"token": TOKEN}))
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
            auth.token(given, secret)
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
        auth.token({**OPTION, **option}, secret_of({"token": TOKEN}))
    assert said in caught.value.msg


def guarded(script: Script) -> Script:
    """Lets in who has the token, and repeats to others what they said."""

    def guard(handler: Handler, message: t.Any) -> None:
        said = handler.headers["Authorization"]
        if said == f"Bearer {TOKEN}":
            script(handler, message)
        else:
            handler.answer(
                401,
                json.dumps({"error": "invalid_token", "said": said}),
                WWW_Authenticate='Bearer resource_metadata="https://x.example/meta"',
            )

    return guard


GUARDED = {key: script if key == "GET" else guarded(script) for key, script in MODERN.items()}


def test_the_token_is_sent_to_the_mcp_endpoint_alone_and_never_shown(probed: t.Any) -> None:
    def tells(handler: Handler, message: t.Any) -> None:
        handler.answer(500, f"I was told {handler.headers['Authorization']}", "text/plain")

    with Scripted(GUARDED) as server:
        found = probed(server.url, token=TOKEN)
    assert found["healthy"], found["reason"]
    assert {key for key, headers in server.seen if "Authorization" in headers} == {
        "server/discover",
        "tools/list",
        "initialize",
    }
    for scripts, token in ((GUARDED, "wr0ng-Token"), ({**MODERN, "server/discover": tells}, TOKEN)):
        with Scripted(scripts) as server:
            found = probed(server.url, token=token)
        assert not found["healthy"]
        assert token not in repr(found)
    assert "I was told" in found["reason"]


def test_a_guarded_server_without_a_token(probed: t.Any) -> None:
    with Scripted(GUARDED) as server:
        assert "is answered 401: the server asks for credentials" in probed(server.url)["reason"]


def gives(document: t.Any, *paths: str) -> Script:
    """The metadata at these paths, the health document at its own, nothing elsewhere."""

    def get(handler: Handler, message: t.Any) -> None:
        if handler.path == "/health":
            MODERN["GET"](handler, message)
        elif handler.path in paths:
            handler.answer(200, document if isinstance(document, str) else json.dumps(document))
        else:
            handler.answer(404, "not found", "text/plain")

    return get


METADATA = {"resource": "https://x.example/mcp", "authorization_servers": ["https://login.example.com"]}
WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    ("challenge", "get", "servers", "reason"),
    [
        (
            'Bearer realm="x", resource_metadata="https://x.example/meta"',
            gives(METADATA, "/meta"),
            ["https://login.example.com"],
            None,
        ),
        ("Bearer", gives(METADATA, f"{WELL_KNOWN}/mcp"), ["https://login.example.com"], None),
        ("", gives(METADATA, WELL_KNOWN), ["https://login.example.com"], None),
        ("", gives(METADATA), None, f"its resource metadata ({WELL_KNOWN}) is answered 404"),
        (
            "",
            gives({"authorization_servers": []}, WELL_KNOWN),
            None,
            "names no authorization_servers: clients cannot find out",
        ),
        ("", gives({"authorization_servers": [1]}, WELL_KNOWN), None, "names no authorization_servers"),
        ("", gives("[", WELL_KNOWN), None, "names no authorization_servers"),
        ('Bearer resource_metadata="x y"', gives(METADATA), None, "an address of its resource metadata that is none"),
    ],
)
def test_what_a_guarded_server_says(
    probed: t.Any, challenge: str, get: Script, servers: list[str] | None, reason: str | None
) -> None:
    def refuse(handler: Handler, message: t.Any) -> None:
        handler.answer(401, "", "text/plain", **({"WWW_Authenticate": challenge} if challenge else {}))

    with Scripted({**MODERN, "GET": get, "server/discover": refuse}) as server:
        found = probed(server.url, expect_401=True)
    assert found["healthy"] is (reason is None), found["reason"]
    assert found["authorization_servers"] == servers
    assert reason is None or reason in found["reason"]


def test_a_server_that_should_be_guarded_and_is_not(probed: t.Any) -> None:
    with Scripted(MODERN) as server:
        found = probed(server.url, expect_401=True)
    assert found["reason"] == "server/discover is answered 200 to a client without credentials, expected is 401"
