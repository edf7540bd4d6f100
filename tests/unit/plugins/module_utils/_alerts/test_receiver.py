# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import time
import typing as t
import urllib.error
import urllib.request

import pytest

from ansible_collections.mcp.server.plugins.module_utils._alerts import receiver
from ansible_collections.mcp.server.plugins.module_utils._alerts.receiver import Receiver
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def post(port: int, body: bytes, **headers: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def notification(value: t.Any) -> bytes:
    return json.dumps({"receiver": "ours", "alerts": [{"labels": {"a": "b"}}, {"labels": {"id": value}}]}).encode()


def test_the_notification_of_the_test_arrives() -> None:
    ours, port = Receiver("id", "abc"), free_port()
    with receiver.listening("127.0.0.1", port, ours):
        assert post(port, notification("other")) == 200 and not ours.arrived.is_set()
        assert post(port, notification("abc")) == 200 and ours.arrived.is_set()
    with pytest.raises(urllib.error.URLError):
        post(port, b"{}")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b'{"alerts": 7}', b'{"alerts": [7]}', b'{"alerts": [{"labels": []}]}', b"[" * 100_000],
)
def test_what_anybody_sends_is_not_believed(body: bytes) -> None:
    ours, port = Receiver("id", "abc"), free_port()
    with receiver.listening("127.0.0.1", port, ours):
        assert post(port, body) == 200
        assert post(port, b"", **{"Content-Length": str(receiver.MAX_BYTES + 1)}) == 413
    assert not ours.arrived.is_set()


def test_an_address_in_use_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, port = Receiver("id", "abc"), free_port()
    monkeypatch.setattr(receiver, "PATIENCE", 0.6)
    begun = time.monotonic()
    with (
        receiver.listening("127.0.0.1", port, ours),
        pytest.raises(Failure, match="cannot be listened at"),
        receiver.listening("127.0.0.1", port, ours),
    ):
        pytest.fail("two listen at one address")
    assert 0.5 < time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("text", "found"),
    [("10.0.0.5:9099", ("10.0.0.5", 9099)), ("[::1]:80", ("::1", 80)), ("ci.example:1", ("ci.example", 1))],
)
def test_addresses(text: str, found: tuple[str, int]) -> None:
    assert receiver.address(text) == found


@pytest.mark.parametrize("text", ["", "9099", ":9099", "host", "host:", "host:0", "host:70000", "host:x"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Failure, match="write HOST:PORT"):
        receiver.address(text)
