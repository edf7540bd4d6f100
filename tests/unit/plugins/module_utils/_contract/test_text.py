# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._contract.compare import accepted, compare
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import normalise
from ansible_collections.mcp.server.plugins.module_utils._contract.text import diff, facts, render

OFFER = {
    "protocol_versions": ["2025-06-18"],
    "session_mode": "stateless",
    "capabilities": {"tools": {"listChanged": True}, "extensions": {"a/b": {"level": 2}}},
    "instructions": "Search first.\nThen read.",
    "tools": [
        {
            "name": "search",
            "description": "Finds.",
            "annotations": {"readOnlyHint": True},
            "inputSchema": {
                "type": "object",
                "required": ["query"],
                "properties": {
                    "query": {"type": "string", "minLength": 1, "description": "What to find."},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
                    "near": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
                },
            },
            "outputSchema": {
                "type": "object",
                "properties": {
                    "hits": {"type": "array", "items": {"type": "object", "properties": {"at": {"type": "number"}}}}
                },
            },
        }
    ],
    "prompts": [
        {"name": "greet", "arguments": [{"name": "city", "required": True, "description": "Where."}, {"name": "mood"}]}
    ],
    "resources": [{"uri": "file:///x", "name": "x", "mimeType": "text/plain"}],
    "resource_templates": [{"uriTemplate": "file:///{path}", "name": "files"}],
}

FACTS = """\
protocol version 2025-06-18
session mode stateless
capability extensions
capability extensions.a/b
capability extensions.a/b.level = 2
capability tools
capability tools.listChanged
instructions: Search first.
instructions: Then read.
tool search
tool search annotations readOnlyHint = true
tool search description: Finds.
tool search input: object
tool search input limit?: integer >= 1 <= 100 = 10
tool search input near?: object
tool search input near.city: string
tool search input query: string minLength 1
tool search input query description: What to find.
tool search output: object
tool search output hits?: array
tool search output hits[]: object
tool search output hits[].at?: number
prompt greet
prompt greet argument city
prompt greet argument city description: Where.
prompt greet argument mood?
resource file:///x
resource file:///x mimeType: text/plain
resource file:///x name: x
resource template file:///{path}
resource template file:///{path} name: files
"""


def test_a_contract_is_a_fact_on_each_line():
    contract = normalise(OFFER)
    assert diff(contract, contract, "blue", "green") == {
        "before": FACTS,
        "after": FACTS,
        "before_header": "blue",
        "after_header": "green",
    }


@pytest.mark.parametrize(
    "schema, expected",
    [
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"type": "integer", "enum": [1]}, "integer enum [1]"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}, "string | null = null"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 3}, "[string] maxItems 3"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "[string | null]"),
        (
            {"anyOf": [{"type": "object", "properties": {"a": {}, "b c": {}}, "required": ["a"]}, {"type": "null"}]},
            '{a: any, "b c"?: any} | null',
        ),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1.5}, "number > 0 <= 1.5"),
        ({"not": {"type": "string"}, "frobnicate": [1]}, "any frobnicate [1] not string"),
        ({"type": "string", "pattern": "^\\d\u202e$"}, 'string pattern "^\\\\d\\u202e$"'),
        (True, "any"),
        (False, "nothing"),
        (7, "JSON 7"),
        ({"$ref": "#"}, "#"),
        ({"$ref": "http://127.0.0.1/x"}, "http://127.0.0.1/x"),
        ({"type": 7}, "any type 7"),
        ({"allOf": [{"type": "string"}, {"not": {}}], "not": {"const": 1}}, "string allOf [nothing] not 1"),
    ],
)
def test_schemas_read_as_types(schema, expected):
    contract = normalise(
        {
            "session_mode": "modern",
            "tools": [{"name": "a", "inputSchema": {"type": "object", "properties": {"x": schema}}}],
        }
    )
    assert facts(contract)[-1] == f"tool a input x?: {expected}"


def test_changes_are_grouped_by_severity_and_accepted_ones_come_last():
    new = {
        **OFFER,
        "tools": [],
        "resources": [],
        "instructions": "Read.",
        "protocol_versions": ["2025-06-18", "2026-07-28"],
    }
    changes = compare(normalise(OFFER), normalise(new))
    taken, _rest = accepted(changes, ["tools"])
    assert render(changes, taken) == (
        """\
BREAKING: clients of the old version fail
  resources/file:///x: Resource file:///x is gone: clients that use it fail.

RISKY: clients may behave differently
  instructions: The server's instructions to language models changed: "Search first.\\nThen read." became "Read.".

COMPATIBLE: clients of the old version notice nothing
  protocol_versions/2026-07-28: Protocol version 2026-07-28 is now accepted.

ACCEPTED by name
  tools/search: Tool search is gone: clients that use it fail. (breaking)"""
    )
    assert render([]) == ""
