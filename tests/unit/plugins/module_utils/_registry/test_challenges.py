# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._registry.challenges import parse


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("", []),
        ("Negotiate", [("negotiate", {})]),
        ("Negotiate YWJj==, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('Basic realm="a, Bearer b=\\"c\\""', [("basic", {"realm": 'a, Bearer b="c"'})]),
        (
            'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
            [("bearer", {"realm": "https://a/t", "service": "s", "scope": "repository:a/b:pull,push"})],
        ),
        ('BEARER Realm = "x" , service = y', [("bearer", {"realm": "x", "service": "y"})]),
        (
            'Basic realm="x",Bearer realm="y",service="s"',
            [("basic", {"realm": "x"}), ("bearer", {"realm": "y", "service": "s"})],
        ),
        ('Bearer realm="a",realm="b"', [("bearer", {"realm": "a"})]),
        ('realm="x"', []),  # of no scheme
        ('Bearer realm="x', [("bearer", {})]),  # cut
        (",,, ,", []),
    ],
)
def test_parse(header, challenges):
    assert parse(header) == challenges


def test_a_long_header_takes_no_long_time():
    assert parse('Bearer realm="' + "\\" * 50_000) is not None
    assert parse("a " * 50_000) is not None
    assert parse("a=" * 50_000) is not None
