# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import Credentials, basic
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    Handler,
    Script,
    Scripted,
)

TOKEN = "s3cr3t-Token.value_~+/=="


def of_token(token: str) -> Credentials:
    return Credentials({"Authorization": f"Bearer {token}"}, (token,))


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
        found = probed(server.url, credentials=of_token(TOKEN))
    assert found["healthy"], found["reason"]
    assert {key for key, headers in server.seen if "Authorization" in headers} == {
        "server/discover",
        "tools/list",
        "initialize",
    }
    for scripts, token in ((GUARDED, "wr0ng-Token"), ({**MODERN, "server/discover": tells}, TOKEN)):
        with Scripted(scripts) as server:
            found = probed(server.url, credentials=of_token(token))
        assert not found["healthy"]
        assert token not in repr(found)
    assert "I was told" in found["reason"]


KEY, PASSWORD = "k3y-of-the-weather", "pässword: 7"


def asks_for_a_key(script: Script) -> Script:
    """Lets in who has the key and the password, and repeats to others all that they said."""

    def guard(handler: Handler, message: t.Any) -> None:
        if handler.headers["X-API-Key"] == KEY and handler.headers["Authorization"] == basic("probe", PASSWORD):
            script(handler, message)
        else:
            said = (handler.headers["X-API-Key"], handler.headers["Authorization"])
            # A quotation of the second one ends within a secret.
            handler.answer(403, f"You are {said[0]}, {'x' * 70}, {said[1]}", "text/plain")

    return guard


@pytest.mark.parametrize("scripts", [MODERN, LEGACY], ids=["modern", "legacy"])
def test_a_key_and_a_password_are_sent_with_each_request_of_mcp_and_never_shown(
    probed: t.Any, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = {key: script if key == "GET" else asks_for_a_key(script) for key, script in scripts.items()}
    option = {"username": "probe", "password_env": "PASSWORD", "headers": {"X-API-Key": {"env": "KEY"}}}
    monkeypatch.setenv("PASSWORD", PASSWORD)
    monkeypatch.setenv("KEY", KEY)
    with Scripted(keyed) as server:
        found = probed(server.url, credentials=credentials.read(option, lambda name: {}))
    assert found["healthy"], found["reason"]
    sent = {key for key, headers in server.seen if "X-API-Key" in headers and "Authorization" in headers}
    assert sent == {key for key, _headers in server.seen} - {"GET"}
    assert not any({"X-API-Key", "Authorization"} & headers.keys() for key, headers in server.seen if key == "GET")
    assert server.opened == set(server.ended)

    monkeypatch.setenv("KEY", f"{KEY}-old")
    with Scripted(keyed) as server:
        found = probed(server.url, credentials=credentials.read(option, lambda name: {}))
    assert not found["healthy"] and "You are ********" in found["reason"] and "xx, Basic" in found["reason"]
    for secret in (KEY, PASSWORD, basic("probe", PASSWORD).split()[1]):
        assert secret[:6] not in repr(found)


def test_a_guarded_server_without_a_token(probed: t.Any) -> None:
    with Scripted(GUARDED) as server:
        assert "returned 401: the server requires a valid token; name one in auth" in probed(server.url)["reason"]


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
        ("", gives(METADATA), None, f"its resource metadata ({WELL_KNOWN}) returned 404"),
        (
            "",
            gives({"authorization_servers": []}, WELL_KNOWN),
            None,
            "names no authorization_servers: clients cannot find out",
        ),
        ("", gives({"authorization_servers": [1]}, WELL_KNOWN), None, "names no authorization_servers"),
        ("", gives("[", WELL_KNOWN), None, "names no authorization_servers"),
        ('Bearer resource_metadata="x y"', gives(METADATA), None, "an invalid address of its resource metadata"),
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
    assert found["reason"] == "server/discover returned 200 to a client without credentials, expected 401"
