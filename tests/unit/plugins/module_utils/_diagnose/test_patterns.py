# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._diagnose import expressions, patterns
from ansible_collections.mcp.server.plugins.module_utils._diagnose.expressions import MAX_LINE, Invalid, compiled
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

# What takes exponential or cubic time on some line, or could.
DANGEROUS = [
    "(a+)+$",
    "(a*)*b",
    "(a|a)*b",
    "(a|ab)+c",
    "(.*a){12}",
    "(a?){30}a{30}",
    "a?" * 30 + "a" * 30,
    ".*.*x",
    r"\w+\d+\s+z",
    r"(x)\1+",
    "(?:(?:a{0,50}){0,50}){0,50}b",
    "(?=(a+)+$)x",
]
SAFE = [
    "refused",
    "database.*(refused|timeout)",
    r"error code \d{1,5}",
    "license .{0,40}expired.{0,40}",
    r"\[[^\]]*\] denied",
    "^fatal",
    "(?:abc)+",
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_an_expression_that_may_take_long_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="ways at one place of a line"):
        compiled(text)


@pytest.mark.parametrize("text", [*SAFE, *(one.match for one in patterns.BUILT_IN)])
def test_a_safe_expression_takes_little_time_on_any_line(text: str) -> None:
    found = compiled(text)
    nasty = [
        "a" * MAX_LINE,
        "ab" * (MAX_LINE // 2),
        ("database " * MAX_LINE)[:MAX_LINE],
        ("[" * MAX_LINE),
        ('"post ' + "x" * 300 + " http/1") * 3,
        ("connection " * MAX_LINE)[:MAX_LINE],
        ("1" * 20 + " ") * 40,
    ]
    begin = time.process_time()
    for line in nasty:
        found.search(line[:MAX_LINE])
    assert time.process_time() - begin < 0.5


@pytest.mark.parametrize("text", ["", "a" * 1001, "[", "(", "a{2,1}", "a*", "x?", "(?P<a>x)(?P<a>y)"])
def test_what_is_no_expression_or_matches_all_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        compiled(text)


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ("Refused", {"refused"}),
        ("a(bc|de)f", {"bc", "de"}),
        ("(refused|.)", set()),
        (r"code \d+ for", {"code "}),
        ("(lost){2}x?", {"lost"}),
        ("x?y?z", {"z"}),
    ],
)
def test_each_match_has_one_of_its_literals(text: str, literals: set[str]) -> None:
    assert compiled(text).literals == literals


@pytest.mark.parametrize("one", patterns.BUILT_IN, ids=lambda one: one.name)
def test_literals_leave_out_no_match(one: patterns.Pattern) -> None:
    found = compiled(one.match)
    assert found.literals
    for line in LINES[one.name]:
        assert re.search(one.match, line, re.IGNORECASE), line
        assert found.is_in(line, line.lower()), line


# What real servers, SDKs, drivers and gateways say.
LINES = {
    "database": [
        'connection to server at "10.2.0.7", port 5432 failed: Connection refused',
        "dial tcp 10.2.0.7:5432: connect: connection refused",
        "Error: connect ECONNREFUSED 10.2.0.7:5432",
        "database query failed: couldn't get a connection after 2.00 sec",
        "FATAL: sorry, too many clients already",
        "ERROR database connection refused",
        "database request timeout",
    ],
    "memory": ["Container OOMKilled", "resource limit exceeded", "JavaScript heap out of memory", "MemoryError"],
    "authentication": [
        "401 Unauthorized",
        "error: invalid token",
        "invalid_token: the token has expired",
        'FATAL: password authentication failed for user "mcp"',
        "Rejecting request for session 7: credential does not match the one that created the session",
        '"POST /mcp HTTP/1.1" 401 -',
    ],
    "name_resolution": [
        "dial tcp: lookup db on 10.0.0.10:53: no such host",
        "getaddrinfo ENOTFOUND db",
        'could not translate host name "db" to address: Name or service not known',
        "Temporary failure in name resolution",
    ],
    "session_not_found": [
        "Rejected request with unknown or expired session ID: 5f2c",
        '{"error":{"code":-32001,"message":"Session not found"}}',
        "Bad Request: No valid session ID provided",
        "Bad Request: Missing session ID",
        "Bad Request: Server not initialized",
        "Invalid session ID",
        '[2026-11-27T22:00:32.888Z] "POST /mcp HTTP/1.1" 404 - 108 96 2 1 "10.2.0.1"',
    ],
    "too_many_sessions": ["Refusing to open a new session: 10000 sessions are already open", "Too many open sessions"],
    "host_refused": [
        "Invalid Host header: evil.example",
        "Invalid Origin header: null",
        "Missing Host header in request",
    ],
    "misdirected": ["421 Misdirected Request", '"POST /mcp HTTP/2" 421 - 0 20', '{"response_code":421}'],
    "revision": ["Bad Request: Unsupported protocol version: 2020-01-01", '{"error":{"code":-32022}}'],
    "contract": ["Unknown tool: search", "MCP error -32601: Method not found", "Tool reorder_point not found"],
    "not_acceptable": [
        "Not Acceptable: Client must accept both application/json and text/event-stream",
        'INFO: 10.2.0.1:5 - "POST /mcp HTTP/1.1" 406 Not Acceptable',
    ],
    "gateway": ['"POST /mcp HTTP/1.1" 503 UH 0 19', "no healthy upstream", "upstream connect error or disconnect"],
    "certificate": ["x509: certificate has expired or is not yet valid", "CERTIFICATE VERIFY FAILED"],
    "disk": ["OSError: [Errno 28] No space left on device"],
    "crash": [
        "Traceback (most recent call last):",
        "panic: runtime error",
        "UnhandledPromiseRejection: unhandled rejection",
    ],
}
HARMLESS = [
    "Terminating session: 5f2c",
    '"POST /mcp HTTP/1.1" 200 - 404 406 2 1',
    '"GET /favicon.ico HTTP/1.1" 404 -',
    "StreamableHTTP session manager started",
    "listening on port 4210, code 50321",
    "authorized user ann",
    "timeout is set to 30 s",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_lines_without_an_error_match_nothing(line: str) -> None:
    assert [one.pattern.name for one in patterns.searched([]) if one.expression.is_in(line, line.lower())] == []


def own(**changes: str) -> dict[str, str]:
    return {"name": "license", "match": "license", "cause": "it has expired", "next": "", **changes}


def test_patterns_of_users_are_added_and_replace_known_ones() -> None:
    known = patterns.searched([])
    more = patterns.searched([own(), own(name="disk", match="disc")])
    assert len(more) == len(known) + 1
    assert {one.pattern.name: one.pattern.match for one in more} | {"disk": "disc", "license": "license"} == {
        one.pattern.name: one.pattern.match for one in more
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([own(match="(a+)+")], r"patterns\[0\] \(mcp_log_patterns\).match of license is refused: it may match in"),
        ([own(), own()], "give each pattern its own name"),
        ([own(name="a\nb")], "must be printable text"),
        ([own(name="")], "must be printable text"),
        ([own(name=f"x{number}") for number in range(101)], "at most 100"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said_at_the_start(given: list[dict[str, str]], words: str) -> None:
    with pytest.raises(Failure, match=words):
        patterns.searched(given)


def test_the_reader_of_expressions_is_still_there() -> None:
    """It is private to Python: a new version may call it otherwise."""
    assert expressions.compiled("a.*b").literals
