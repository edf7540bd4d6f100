# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._checks.messages import (
    MAX_OUTPUT,
    STARS,
    Tail,
    as_text,
    hide,
    with_output,
)

SECRET = "s3cr3t-of-the-shop"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("nothing here", [SECRET], "nothing here"),
        (f"token {SECRET} is wrong", [SECRET], f"token {STARS} is wrong"),
        (f"Authorization: {SECRET}", [f"Bearer {SECRET}"], f"Authorization: {STARS}"),
        ('{"a": "quote\\"d \\u00fc"}', ['quote"d ü'], '{"a": "' + STARS + '"}'),
        ("it is two lines", ["two\nlines"], f"it is {STARS}"),
        ("is refused (token s3cr3t-of...), try again", [SECRET], f"is refused (token {STARS}...), try again"),
        ("it says s3cr3t-of-the", [SECRET], f"it says {STARS}"),
        ("exit code 1, pool blue, port 443", ["1", "443", "", "on"], "exit code 1, pool blue, port 443"),
        (f"{SECRET}er", [SECRET, f"{SECRET}er"], STARS),
    ],
)
def test_secrets_are_hidden_also_where_a_text_was_cut(text: str, secrets: list[str], shown: str) -> None:
    assert hide(text, secrets) == shown


@pytest.mark.parametrize(
    ("pieces", "secrets", "shown"),
    [
        ([], [], ""),
        ([b"a\r\nb\x1b[2J\x07c\xff"], [], "a b [2J c\ufffd"),
        ([b"s3cr3t-of", b"-the-shop!"], [SECRET], f"{STARS}!"),
        ([b"x" * 1_000_000, b"end"], [], "x" * (MAX_OUTPUT - 3) + "end"),
        ([SECRET.encode() * 100_000], [SECRET], (STARS * 250)[-MAX_OUTPUT:]),
        ([b"s3cr3t-of-the-"], [SECRET], STARS),
    ],
)
def test_the_end_of_an_output_is_one_bounded_line(pieces: list[bytes], secrets: list[str], shown: str) -> None:
    tail = Tail()
    for piece in pieces:
        tail.add(piece)
    assert tail.text(secrets) == shown


def test_nothing_of_a_secret_is_left_where_the_output_was_cut() -> None:
    secret = "s3cr3t" + "0123456789" * 20 + "shop"
    for fill in range(0, len(secret), 5):
        tail = Tail()
        tail.add(secret.encode() * 200 + b"." * fill)
        assert set(tail.text([secret])) <= {"*", "."}


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (8080, "8080"), (None, ""), ("True", "True")],
)
def test_values_are_sent_as_yaml_writes_them(value: object, text: str) -> None:
    assert as_text(value) == text


def test_a_reason_has_the_end_of_the_output() -> None:
    assert with_output("it failed", "") == "it failed, without any output"
    assert with_output("it failed", "no route") == "it failed; its output ends with: no route"
    assert with_output("it failed", "a" * 500) == "it failed; its output ends with: ..." + "a" * 200
