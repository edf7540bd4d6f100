# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patterns of log lines that mean something, as data, and those that users add. Pure.

The first three are the guide's, the next ones those of MCP servers and of the SDKs that most of them are made with. An
access log has no words, only statuses: the last alternatives of some patterns are Envoy's and uvicorn's lines.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._diagnose import expressions
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

# Documented in modules/mcp_diagnose_info.py
OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "match": {"type": "str", "required": True},
        "cause": {"type": "str", "required": True},
        "next": {"type": "str", "default": ""},
    },
}
MAX_PATTERNS = 100  # of users
MAX_NAME = 60  # characters
MAX_WORDS = 300  # characters of a cause or a next command


class Pattern(t.NamedTuple):
    """A kind of line in a log."""

    name: str
    match: str
    # The likely cause, a clause; for the built-in ones it is in causes.py.
    cause: str = ""
    # The next command.
    next: str = ""


class Searched(t.NamedTuple):
    """A pattern that is ready to be searched for."""

    pattern: Pattern
    expression: expressions.Expression


BUILT_IN = (
    Pattern(
        "database",
        r"connection (was )?refused|econnrefused|connection timed out|etimedout|timeout expired"
        r"|couldn't get a connection|connection to server at|database.{0,80}(refused|timed out|timeout|unreachable)"
        r"|too many (clients already|connections)|connection pool (timeout|exhausted)",
    ),
    Pattern(
        "memory",
        r"oomkilled|out of memory|outofmemory|resource limit exceeded|memory limit exceeded|cannot allocate memory"
        r"|memoryerror|oom-kill",
    ),
    Pattern(
        "authentication",
        r"invalid[ _]token|unauthorized|token (has )?expired|invalid (bearer|access) token|invalid_client"
        r'|authentication failed|credential does not match|http/[0-9.]{1,3}" 401\b',
    ),
    Pattern(
        "name_resolution",
        r"no such host|enotfound|eai_again|name or service not known|name resolution|could not translate host name"
        r"|nxdomain",
    ),
    Pattern(
        "session_not_found",
        r"session not found|unknown or expired session|could not find session|no valid session id|missing session id"
        r"|invalid session id|session terminated|server not initialized|mcp-session-id header is required"
        r'|"(post|delete) \S{0,300} http/[0-9.]{1,3}" 404\b',
    ),
    Pattern("too_many_sessions", r"too many (open )?sessions|refusing to open a new session|session limit"),
    Pattern(
        "host_refused",
        r"(invalid|missing) (host|origin) header|host .{0,80}not allowed|invalid host|origin .{0,80}not allowed",
    ),
    Pattern("misdirected", r'misdirected request|http/[0-9.]{1,3}" 421\b|"response_code": ?"?421\b'),
    Pattern(
        "revision",
        r"unsupported protocol[ -]?version|unsupportedprotocolversion|protocol version mismatch|-32022\b"
        r"|headermismatch|-32020\b",
    ),
    Pattern(
        "contract",
        r"unknown (tool|prompt|resource)|tool .{0,80}not found|method not found|-32601\b|input validation error"
        r"|output validation error|invalid arguments for tool|missing required (argument|parameter)",
    ),
    Pattern("not_acceptable", r'not acceptable|http/[0-9.]{1,3}" 406\b|"response_code": ?"?406\b'),
    Pattern(
        "gateway",
        r'no healthy upstream|no_healthy_upstream|upstream connect error|http/[0-9.]{1,3}" 50[234] '
        r'|"response_code": ?"?50[234]\b',
    ),
    Pattern("certificate", r"certificate has expired|certificate verify failed|x509: |unable to get local issuer"),
    Pattern("disk", r"no space left on device|enospc|disk quota exceeded|read-only file system"),
    Pattern(
        "crash",
        r"traceback \(most recent call last\)|panic: |unhandled (promise )?rejection|uncaughtexception|fatal error"
        r"|segmentation fault",
    ),
)


def searched(given: t.Sequence[t.Mapping[str, t.Any]]) -> list[Searched]:
    """Return the built-in patterns and these; one with the name of a built-in pattern replaces it. Raises Failure."""
    if len(given) > MAX_PATTERNS:
        raise Failure(
            f"patterns (mcp_log_patterns) has {len(given)} patterns: at most {MAX_PATTERNS} are searched for."
        )
    own: dict[str, Searched] = {}
    for number, one in enumerate(given):
        name = str(one["name"])
        where = f"patterns[{number}] (mcp_log_patterns)"
        if not name or printable(name, MAX_NAME) != name:
            raise Failure(f"{where}.name must be printable text of 1 to {MAX_NAME} characters.")
        if name in own:
            raise Failure(f"{where}.name is {name}, as of another one: give each pattern its own name.")
        try:
            expression = expressions.compiled(str(one["match"]))
        except expressions.Invalid as invalid:
            raise Failure(f"{where}.match of {name} is refused: {invalid}.") from None
        words = [printable(str(one.get(key) or ""), MAX_WORDS) for key in ("cause", "next")]
        own[name] = Searched(Pattern(name, str(one["match"]), *words), expression)
    known = [own.get(one.name) or Searched(one, expressions.compiled(one.match)) for one in BUILT_IN]
    return known + [one for one in own.values() if one not in known]
