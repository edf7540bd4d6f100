# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate the option C(checks), beyond what an argument spec can express. Pure."""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._checks import http_request, options
from ansible_collections.mcp.server.plugins.module_utils._checks.messages import as_text
from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions
from ansible_collections.mcp.server.plugins.module_utils._mcp.targets import MIN_TIMEOUT
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


def problems(checks: t.Sequence[dict[str, t.Any]]) -> list[str]:
    """Return a sentence for each problem, without values of headers or variables."""
    return [f"Check {printable(check['name'], 80)}: {problem}." for check in checks for problem in _problems(check)]


def _problems(check: dict[str, t.Any]) -> t.Iterator[str]:
    kind = options.kind(check)
    if not 0 < check["timeout"] < math.inf:
        yield f"timeout is {check['timeout']:g}, it must be more than 0"
    elif kind == "mcp" and check["timeout"] < MIN_TIMEOUT:
        yield f"timeout is {check['timeout']:g}, an MCP call needs at least {MIN_TIMEOUT:g}, to end its session"
    yield from _OF_KIND[kind](check[kind])


def _of_mcp(call: dict[str, t.Any]) -> t.Iterator[str]:
    if not call["tool"]:
        yield "mcp.tool is empty"
    if call["expect"] is not None:
        try:
            expressions.check("mcp.expect", [call["expect"]])
        except Failure as failure:
            yield printable(failure.msg, 300).rstrip(".")


def _of_http(request: dict[str, t.Any]) -> t.Iterator[str]:
    try:
        http_request.address(request["url"])
    except ValueError as error:
        yield f"http.url {error}"
    if not request["status"] or not all(100 <= status <= 599 for status in request["status"]):
        yield "http.status must name HTTP statuses, such as 200"
    yield from _of_pattern("http.expect", request["expect"])
    for name, value in request["headers"].items():
        if name.lower() in http_request.FRAMING:
            yield f"http.headers must not set {name}"
        elif not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(as_text(value)):
            yield f"http.headers: {printable(name, 40)} has characters that HTTP does not allow"


def _of_pod(command: dict[str, t.Any]) -> t.Iterator[str]:
    yield from _of_words("pod.command", command["command"])
    yield from _of_pattern("pod.expect", command["expect"])


def _of_command(command: dict[str, t.Any]) -> t.Iterator[str]:
    yield from _of_words("command.argv", command["argv"])
    for name, value in command["environment"].items():
        if not name or "=" in name or "\0" in name + as_text(value):
            yield f"command.environment: {printable(name, 40) or 'an empty name'} is not a valid variable"


def _of_pattern(option: str, pattern: str | None) -> t.Iterator[str]:
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{option} is not a regular expression ({error})"


def _of_words(option: str, words: t.Sequence[str]) -> t.Iterator[str]:
    if not words or not words[0]:
        yield f"{option} is empty"
    if any("\0" in word for word in words):
        yield f"{option} has a NUL character"


_OF_KIND = {"mcp": _of_mcp, "http": _of_http, "pod": _of_pod, "command": _of_command}
