# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
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
        ({**V, "error": {"code": True, "message": ["no"]}}, Error(0, "['no']")),
        ({**V, "error": {"code": 10**400}}, Error(0, "")),
        ({**V, "id": 1.0, "error": {}}, Error(0, "")),
        ({**V, "id": 1.0, "result": {}}, {}),
        ({**V, "id": "1", "result": {}}, {}),
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
        ({**V, "id": 2, "result": {}}, "with id 1 got an answer with id 2"),
        ({**V, "id": "01", "result": {}}, 'an answer with id "01"'),
        ({**V, "id": True, "result": {}}, "an answer with id true"),
        ({**V, "id": 1.5, "result": {}}, "an answer with id 1.5"),
        ({**V, "id": None, "result": {}}, "an answer with id null"),
        ({**V, "id": 10**4000, "result": {}}, "an answer with id 10000"),
        ({**V, "id": {"\x1b": ["a\nb"]}, "result": {}}, r'an answer with id {"\\u001b": \["a\\nb"]}$'),
        ({**V, "result": {}}, "an answer with id null"),
        ([{**V, "id": 1, "result": {}}], "not JSON-RPC"),
        ("text", "not JSON-RPC"),
        (None, "not JSON-RPC"),
        ({**V, "jsonrpc": 2.0, "id": 1, "result": {}}, "not JSON-RPC"),
        ({**V, "id": 2, "error": {"code": -32601}}, "an answer with id 2"),
        ({**V, "id": 1, "result": []}, "neither a result nor an error"),
        ({**V, "id": 1, "error": "no"}, "neither a result nor an error"),
    ],
)
def test_what_is_no_answer(message: t.Any, said: str) -> None:
    with pytest.raises(Fault, match=said):
        answer_to(1, message)


def nested(depth: int) -> str:
    return '{"a":[' * (depth // 2) + "]}" * (depth // 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("<html>", "Expecting value"),
        ("{", "Expecting property name"),
        ("{} {}", "Extra data"),
        ("{'a': 1}", "property name enclosed in double quotes"),
        ('"\t"', "Invalid control character"),
        ("\ufeff{}", "BOM"),
        ("[" * 200_000, "nested deeper than 100"),
        (nested(200_000), "nested deeper than 100"),
        (nested(102), "nested deeper than 100"),
        ("1" * 10_000, "a number that is too large"),
        ("-" + "1" * 10_000, "a number that is too large"),
        ("1e999", "a number that is too large"),
        ('{"a": [-1e999]}', "a number that is too large"),
        ("NaN", "or none"),
        ("[Infinity, -Infinity]", "or none"),
        (r'"\ud800"', "half of a surrogate pair"),
        (r'{"\udc00\ud800": 1}', "half of a surrogate pair"),
    ],
    ids=lambda value: value[:12],
)
def test_what_is_no_json_is_a_value_error(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (nested(100), None),
        ("1" * 4000, None),
        ("1e300", 1e300),
        ("1e-999", 0.0),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\u0000"', "\0"),
        (r'"\\ud800"', r"\ud800"),
        ('{"a": 1, "a": 2}', {"a": 2}),
        (" \r\n[]\t", []),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_is_json_however_strange(text: str, value: t.Any) -> None:
    assert value is None or parse(text) == value
    parse(text)


LARGE = {
    "lists": "[" + "[]," * 1_300_000 + "0]",
    "numbers": "[" + "1," * 2_000_000 + "1]",
    "one number": "0." + "1" * 4_000_000,
    "one string": '"' + r"\u0041" * 650_000 + '"',
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_the_largest_answers_are_read_in_time(text: str, cpu_time: t.Any) -> None:
    with cpu_time:
        parse(text)
    assert cpu_time.seconds < 3
