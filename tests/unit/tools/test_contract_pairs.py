# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys

import pytest
from contract_pairs import ROOT, Server, Silent, listed, plain_diff, plain_item, shortened, table, written

TOOL = {
    "name": "search",
    "title": "Search everything",
    "description": "Searches.",
    "_meta": {"a": 1},
    "annotations": {"title": "Search", "readOnlyHint": True},
    "inputSchema": {
        "type": "object",
        "properties": {
            "description": {"type": "string", "description": "A text.", "title": "Description"},
            "prompt": {"anyOf": [{"type": "string", "title": "x" * 41}], "default": "y" * 61},
        },
    },
}


def side(**lists):
    return {"version": "1", "tools": [], "prompts": [], "resources": [], "resource_templates": [], **lists}


def test_texts_are_dropped_and_names_are_not():
    assert plain_item(TOOL) == {
        "name": "search",
        "annotations": {"readOnlyHint": True},
        "inputSchema": {
            "type": "object",
            "properties": {
                "description": {"type": "string", "title": "Description"},
                "prompt": {"anyOf": [{"type": "string"}]},
            },
        },
    }
    prompt = {"name": "greet", "description": "a", "arguments": [{"name": "who", "description": "b", "required": True}]}
    assert plain_item(prompt) == {"name": "greet", "arguments": [{"name": "who", "required": True}]}


def test_unchanged_items_beyond_a_few_are_left_out_and_counted():
    same = [{"name": name} for name in "abcd"]
    pair = shortened(
        {"old": side(tools=[*same, {"name": "e"}]), "new": side(tools=[*same, {"name": "e", "execution": {}}])}
    )
    assert pair["left_out"] == {"tools": 2}
    assert [item["name"] for item in pair["old"]["tools"]] == ["a", "b", "e"]
    assert [item["name"] for item in pair["new"]["tools"]] == ["a", "b", "e"]


def test_a_pair_is_written_with_an_item_on_each_line_and_read_again():
    pair = {"package": "x", "judgement": {"verdict": "identical"}, "old": side(tools=[TOOL]), "new": side()}
    text = written(pair)
    assert json.loads(text) == pair
    assert json.dumps(TOOL) in [line.strip() for line in text.splitlines()]


def test_the_plain_difference():
    pair = {
        "old": side(tools=[{"name": "a"}, {"name": "b", "x": 1}]),
        "new": side(tools=[{"name": "b", "x": 2}, {"name": "c"}]),
    }
    lines = list(plain_diff(pair))
    assert lines[0] == "- tools a" and lines[-1] == "+ tools c"
    assert "== tools b" in lines and '- "x": 1' in lines and '+ "x": 2' in lines


def test_the_page_has_the_table():
    assert "\n".join(["| --- | --- | --- | --- |", *table(), ""]) in (ROOT / "docs/mcp.md").read_text()


SERVER = """
import json, sys
for line in sys.stdin:
    print("a log line", flush=True)
    asked = json.loads(line)
    if asked["method"] == "silence":
        continue
    if asked["method"] == "end":
        break
    page = asked["params"].get("cursor")
    result = {"tools": [{"name": page or "first"}], **({} if page else {"nextCursor": "second"})}
    print(json.dumps({"jsonrpc": "2.0", "id": 7, "method": "roots/list"}), flush=True)
    assert "error" in json.loads(sys.stdin.readline())
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


def test_all_pages_are_read_between_logs_and_questions_of_the_server(tmp_path):
    server = Server([sys.executable, "-c", SERVER], {}, str(tmp_path), isolated=False)
    try:
        assert listed(server, "tools/list", "tools") == [{"name": "first"}, {"name": "second"}]
    finally:
        server.end()


@pytest.mark.parametrize("method", ["silence", "end"])
def test_a_server_that_does_not_answer_is_not_waited_for(method, tmp_path):
    server = Server([sys.executable, "-c", SERVER], {}, str(tmp_path), isolated=False)
    try:
        with pytest.raises(Silent):
            server.request(method, {}, 0.5)
    finally:
        server.end()
