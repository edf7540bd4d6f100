# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import (
    Declined,
    header_value,
    is_modern,
    other_revision,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import problem_of_revision
from ansible_collections.mcp.server.plugins.module_utils._mcp.jsonrpc import Answer, Error

MODERN = {"supportedVersions": ["2026-07-28"], "capabilities": {}}


def unsupported(*versions: str) -> Error:
    return Error(-32022, "Unsupported protocol version", {"supported": list(versions)})


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, MODERN, True),
        (200, {"supportedVersions": ["2025-11-25"]}, False),
        (200, {"supportedVersions": "2026-07-28"}, False),
        (200, {}, False),
        (200, Error(-32601, "Method not found"), False),
        (404, Error(-32601, "Method not found"), False),
        (400, Error(-32600, "Missing session ID"), False),
        (400, Error(-32602, "Invalid params"), False),
        (400, unsupported("2025-06-18", "2025-11-25"), False),
        (400, Error(-32022, "no", None), False),
        (400, None, False),
        (405, None, False),
        (415, None, False),
        (401, None, False),
        (401, Error(-32000, "Unauthorized"), False),
        (403, None, False),
        (422, None, False),
        (200, None, False),
        (202, None, False),
    ],
)
def test_what_server_discover_tells(status: int, answer: Answer | None, expected: bool) -> None:
    assert is_modern(Reply(status), answer) is expected


@pytest.mark.parametrize(
    ("reply", "answer", "said"),
    [
        (Reply(400), unsupported("2027-01-01"), "knows none of the server's protocol revisions .*2027-01-01"),
        (Reply(400), Error(-32020, "Header mismatch"), "HeaderMismatch"),
        (Reply(400), Error(-32021, "Missing"), "MissingRequiredClientCapability"),
        (Reply(403, text="Forbidden: invalid Host"), None, "does not accept this Host"),
        (Reply(421, text="Invalid Host header"), None, "does not accept this Host"),
        (Reply(500, text="Internal Server Error"), None, "returned 500"),
        (Reply(500), Error(-32603, "Internal error"), "error -32603"),
        (Reply(503, text="Too many open sessions"), None, "Too many open sessions"),
        (Reply(307, location="/mcp/"), None, "redirected .* to /mcp/"),
    ],
)
def test_what_is_no_verdict_about_the_era(reply: Reply, answer: Answer | None, said: str) -> None:
    with pytest.raises(Fault, match=said):
        is_modern(reply, answer)


@pytest.mark.parametrize(
    ("reply", "answer", "said"),
    [
        (Reply(401), None, "requires a valid token"),
        (Reply(401), Error(-32000, "Unauthorized"), "requires a valid token"),
        (Reply(403, text="Forbidden: invalid Host"), None, "does not accept this Host"),
        (Reply(421, text="Invalid Host header"), None, "does not accept this Host"),
        (Reply(422, text="Unprocessable"), None, r"returned 422 \(Unprocessable\)"),
        (Reply(200, "text/html", text="<html>"), None, "HTML: check that endpoint names an MCP server"),
        (Reply(200, "text/plain", text="ok"), None, "without JSON .ok."),
    ],
)
def test_what_is_said_where_the_other_era_fails_too(reply: Reply, answer: Answer | None, said: str) -> None:
    refusal = Declined(reply, answer)
    assert not refusal.is_clear and re.search(said, refusal.reason)


@pytest.mark.parametrize(
    ("answer", "other"),
    [
        (unsupported("2026-07-28", "2027-01-01"), "2026-07-28"),
        (unsupported("2025-11-25"), None),
        (unsupported("2027-01-01"), None),
        (Error(-32601, "", {"supported": ["2026-07-28"]}), None),
        (MODERN, None),
        (None, None),
    ],
)
def test_a_revision_in_common_is_tried_once(answer: Answer | None, other: str | None) -> None:
    assert other_revision(answer, "2099-01-01") == other
    assert other_revision(answer, "2026-07-28") is None


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("forecast", "forecast"),
        ("a b", "a b"),
        (" a", "=?base64?IGE=?="),
        ("a\nb", "=?base64?YQpi?="),
        ("grüß", "=?base64?Z3LDvMOf?="),
        ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
        ("", "=?base64??="),
    ],
)
def test_what_a_header_can_carry(text: str, header: str) -> None:
    assert header_value(text) == header


@pytest.mark.parametrize(("status", "refuses"), [(200, True), (400, True), (404, True), (429, False), (503, False)])
def test_a_server_that_has_no_time_refuses_no_revision(status: int, refuses: bool) -> None:
    answer = Declined(Reply(status), Error(-32000, "Too many requests"))
    assert (problem_of_revision(answer) is None) is refuses
