# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp.fault import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp.jsonrpc import Error, answer_to, parse

V = {"jsonrpc": "2.0"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({**V, "id": 1, "result": {"a": 1}}, {"a": 1}),
        ({**V, "id": 1, "error": {"code": -32601, "message": "no", "data": 3}}, Error(-32601, "no", 3)),
        ({**V, "id": None, "error": {"code": -32600, "message": "no"}}, Error(-32600, "no")),
        ({**V, "id": "server-error", "error": {"code": -32600}}, Error(-32600, "")),
        ({**V, "error": {"code": "text"}}, Error(0, "")),
        ({**V, "method": "notifications/message", "params": {}}, None),
        ({**V, "id": 1, "method": "ping"}, None),
    ],
)
def test_answers(message: t.Any, expected: t.Any) -> None:
    assert answer_to(1, message) == expected


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ([], "not JSON-RPC"),
        ({"id": 1, "result": {}}, "not JSON-RPC"),
        ({**V, "id": 2, "result": {}}, "with id 1 is answered with id 2"),
        ({**V, "id": "1", "result": {}}, 'answered with id "1"'),
        ({**V, "id": True, "result": {}}, "answered with id true"),
        ({**V, "id": 2, "error": {"code": -32601}}, "answered with id 2"),
        ({**V, "id": 1, "result": []}, "neither a result nor an error"),
        ({**V, "id": 1, "error": "no"}, "neither a result nor an error"),
    ],
)
def test_what_is_no_answer(message: t.Any, said: str) -> None:
    with pytest.raises(Fault, match=said):
        answer_to(1, message)


@pytest.mark.parametrize("text", ["", "<html>", "{", "[" * 200_000, "1" * 10_000])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        parse(text)
