# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Smoke calls: tools that are called to see whether they work, and what their results have to satisfy."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Client, header_value
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

# What may be (a part of) the name of a header: RFC 9110, 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True)
class Call:
    """that: JMESPath expressions on the result (C(content), C(structuredContent)), all of which have to give true."""

    tool: str
    arguments: dict[str, t.Any] = field(default_factory=dict)
    that: t.Sequence[str] = ()


def make(call: Call, client: Client, tools: t.Iterable[dict[str, t.Any]], bound: Deadline) -> None:
    """Raises Fault when the tool, out of what the server listed, does not do what is expected of it."""
    tool = next((tool for tool in tools if tool["name"] == call.tool), None)
    if tool is None:
        raise Fault("is a tool that the server does not list")
    params = {"name": call.tool, "arguments": call.arguments}
    result = client.ask("tools/call", params, bound, parameter_headers(tool.get("inputSchema"), call.arguments))
    complaint = complaint_about(result, call.that)
    if complaint:
        raise Fault(complaint)


def complaint_about(result: dict[str, t.Any], that: t.Sequence[str]) -> str | None:
    """What is wrong with a result of tools/call, which is an HTTP 200 in any case."""
    if result.get("isError"):
        return f"fails: {_said(result)}"
    if result.get("resultType", "complete") != "complete":
        return "asks for more input instead of giving a result: a smoke call needs a tool that works without"
    return expressions.complaint(that, result)


def parameter_headers(schema: t.Any, arguments: t.Any) -> dict[str, str]:
    """The arguments that a modern server wants in headers too, by C(x-mcp-header) in the tool's input schema (SEP-2243)."""
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


def _said(result: dict[str, t.Any]) -> str:
    content = result.get("content")
    texts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return reasons.start(" ".join(text for text in texts if isinstance(text, str)))
