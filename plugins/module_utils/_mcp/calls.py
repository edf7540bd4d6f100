# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Call tools of a server to see whether they work, and check their results."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Client, header_value
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

# Characters of a header's name: RFC 9110, 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True)
class Call:
    """A call of a tool, and the conditions on its result."""

    tool: str
    arguments: dict[str, t.Any] = field(default_factory=dict)
    that: t.Sequence[str] = ()  # JMESPath expressions on the result (content, structuredContent) that must be true


def make(call: Call, client: Client, tools: t.Iterable[dict[str, t.Any]], bound: Deadline) -> None:
    """Call the tool. Raise Fault when it is not in C(tools), as listed, or the result is not as expected."""
    tool = next((tool for tool in tools if tool["name"] == call.tool), None)
    if tool is None:
        raise Fault("failed: the server does not list this tool")
    params = {"name": call.tool, "arguments": call.arguments}
    result = client.request("tools/call", params, bound, parameter_headers(tool.get("inputSchema"), call.arguments))
    problem = problem_with(result, call.that)
    if problem:
        raise Fault(problem)


def problem_with(result: dict[str, t.Any], that: t.Sequence[str]) -> str | None:
    """Return the problem with a result of tools/call, as a predicate, or None. A failed call is an HTTP 200, too."""
    if result.get("isError"):
        return f"failed: {_error_text(result)}"
    if result.get("resultType", "complete") != "complete":
        return "asked for more input instead of returning a result: choose a tool that needs none"
    return expressions.problem(that, result)


def parameter_headers(schema: t.Any, arguments: t.Any) -> dict[str, str]:
    """Return the headers for arguments that the input schema marks with C(x-mcp-header) (SEP-2243).

    A modern server requires these arguments in headers, too.
    """
    headers: dict[str, str] = {}
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not isinstance(arguments, dict):
        return headers
    for name, value in arguments.items():
        declared = properties.get(name)
        mark = declared.get("x-mcp-header") if isinstance(declared, dict) else None
        if isinstance(mark, str) and _TOKEN.fullmatch(mark) and isinstance(value, (bool, int, str)):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            headers[f"Mcp-Param-{mark}"] = header_value(text)
        headers |= parameter_headers(declared, value)
    return headers


def _error_text(result: dict[str, t.Any]) -> str:
    content = result.get("content")
    texts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return reasons.quote(" ".join(text for text in texts if isinstance(text, str)))
