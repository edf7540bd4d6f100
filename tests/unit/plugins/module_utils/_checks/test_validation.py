# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._checks.validation import problems

SECRET = "s3cr3t-of-the-shop"


@pytest.mark.parametrize(
    "check",
    [
        {"mcp": {"tool": "forecast", "expect": "content[0].text == 'rain'"}},
        {
            "http": {
                "url": "https://shop.example.com/a?b",
                "headers": {"X-Port": 8080, "Host": "shop"},
                "expect": "a|b",
                "status": [200, 204],
            }
        },
        {"pod": {"command": ["true"]}},
        {"command": {"argv": ["true", ""], "environment": {"EMPTY": None, "ON": True}}},
    ],
)
def test_good_checks(validated: t.Callable[..., t.Any], check: dict[str, t.Any]) -> None:
    assert problems(validated({"name": "smoke", **check})) == []


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"command": {"argv": ["true"]}, "timeout": 0}, "timeout is 0, it must be more than 0"),
        ({"command": {"argv": ["true"]}, "timeout": -1}, "timeout is -1, it must be more than 0"),
        ({"command": {"argv": ["true"]}, "timeout": math.nan}, "timeout is nan, it must be more than 0"),
        ({"command": {"argv": ["true"]}, "timeout": math.inf}, "timeout is inf, it must be more than 0"),
        ({"mcp": {"tool": "a"}, "timeout": 0.5}, "timeout is 0.5, an MCP call needs 1 or more, to end its session in"),
        ({"mcp": {"tool": ""}}, "mcp.tool is empty"),
        ({"mcp": {"tool": "a", "expect": "content["}}, "mcp.expect expression 'content[' is not JMESPath"),
        ({"http": {"url": "shop"}}, "http.url is not the URL of a page"),
        ({"http": {"url": f"http://user:{SECRET}@shop/"}}, "http.url must not carry credentials"),
        ({"http": {"url": "http://shop/", "expect": "("}}, "http.expect is not a regular expression"),
        ({"http": {"url": "http://shop/", "status": []}}, "http.status must name HTTP statuses"),
        ({"http": {"url": "http://shop/", "status": [2000]}}, "http.status must name HTTP statuses"),
        (
            {"http": {"url": "http://shop/", "headers": {"content-length": 3}}},
            "http.headers must not set content-length",
        ),
        (
            {"http": {"url": "http://shop/", "headers": {"X-Key": f"{SECRET}\r\nX: y"}}},
            "http.headers: X-Key has characters that HTTP does not allow",
        ),
        (
            {"http": {"url": "http://shop/", "headers": {"X Key": SECRET}}},
            "http.headers: X Key has characters that HTTP does not allow",
        ),
        ({"pod": {"command": []}}, "pod.command is empty"),
        ({"pod": {"command": [""]}}, "pod.command is empty"),
        ({"command": {"argv": []}}, "command.argv is empty"),
        ({"command": {"argv": ["a\0"]}}, "command.argv has a NUL character"),
        ({"command": {"argv": ["a"], "environment": {"A=B": SECRET}}}, "command.environment: A=B can't be a variable"),
        (
            {"command": {"argv": ["a"], "environment": {"A": f"{SECRET}\0"}}},
            "command.environment: A can't be a variable",
        ),
    ],
)
def test_what_is_refused_before_anything_is_deployed(
    validated: t.Callable[..., t.Any],
    check: dict[str, t.Any],
    problem: str,
) -> None:
    (said,) = problems(validated({"name": "sm\noke", **check}))
    assert said.startswith(f"Check sm oke: {problem}")
    assert said.endswith(".")
    assert SECRET not in said
