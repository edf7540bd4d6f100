# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._text import STARS, hide

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
