# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._text import STARS, fit_for_screen, hide, inert, one_line

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
    ("text", "shown"),
    [
        ("all is well", "all is well"),
        ("v1.2.0@sha256:abc at ghcr.io/org/x", "v1.2.0@sha256:abc at ghcr.io/org/x"),
        ("kim@runner", "kim@runner"),
        ("@all, look", "@\u200ball, look"),
        ("look (@here)", "look (@\u200bhere)"),
        ("<!channel>", "<\u200b!\u200bchannel>"),
        ("<script>", "<\u200bscript>"),
        ("1 < 2", "1 < 2"),
        ("[a](http://b)", "[a]\u200b(http:\u200b//b)"),
        ("two\r\nlines \u202e\x1b[1m", "two lines [1m"),
        ("x" * 600, "x" * 497 + "..."),
    ],
)
def test_text_for_a_chat_is_inert(text: str, shown: str) -> None:
    assert inert(text, 500) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  a table   with columns", "  a table   with columns"),
        ("two\nlines\r\nand a\x0bhalf", "two lines and a half"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("Grüße 😀", "Grüße 😀"),
        ("x" * 20_000, "x" * 9_997 + "..."),
    ],
)
def test_a_message_is_one_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_results_keep_their_lines() -> None:
    result = {"msg": "a\nb", "diff": [{"before": "a\n\tb\r"}], "\x1b": (1, None, 1.5, True)}
    assert fit_for_screen(result) == {"msg": "a b", "diff": [{"before": "a\n\tb\\r"}], "\\x1b": [1, None, 1.5, True]}
