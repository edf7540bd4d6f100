# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a server's health path. MCP defines none, so it may answer with text, nothing or any JSON."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._errors import Fault, subject
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc, reasons
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_VERSION = 128  # characters, as of a tag
MAX_DOCUMENT = 16 * 1024  # characters of a document that a result repeats


def fetch_health(connection: Connection, path: str, bound: Deadline, checks: t.Sequence[str] = ()) -> t.Any:
    """Return what a healthy server answers there: any JSON, None for what is no JSON. Raise Failure.

    checks: JMESPath expressions, which must be true for it. Of a failure, C(status) is that of the HTTP answer, and
    C(health) a JSON object that was answered.
    """
    with subject(f"GET {path}"):
        reply = connection.fetch("GET", path, bound, {"Accept": "application/json, */*;q=0.5"})
        problem = "" if 200 <= reply.status < 300 else reasons.of_reply(reply)
        try:
            document = jsonrpc.parse(reply.text)
        except ValueError:
            document = None
            if checks and not problem:
                need = "" if reply.content_type == "text/html" else ", which health_checks need"
                problem = f"{reasons.of_reply(reply)}{need}"
        else:
            problem = problem or _unmet(checks, document)
        if problem:
            health = {"health": document} if isinstance(document, dict) else {}
            raise Fault(problem, status=reply.status, **health)
        return document


def _unmet(checks: t.Sequence[str], document: t.Any) -> str:
    """Return a predicate about the first expression that is not true; empty when all are."""
    if not checks:
        return ""
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions

    return expressions.problem(checks, document) or ""


def version_text(found: t.Any) -> str | None:
    """Return a version that a server reports as text that may be kept and shown, None without one."""
    return None if found is None else printable(str(found), MAX_VERSION)


def version_problem(reported: t.Any, expected: str) -> str | None:
    """Return a predicate when what is reported is not the expected version, or None."""
    text = version_text(reported)
    if _versions.is_reported(text, expected):
        return None
    return f"reports version {printable(text or 'none', 40)}, expected {expected}"


def kept(document: t.Any) -> dict[str, t.Any] | None:
    """Return a health document for a result, None for what is no object or too long to be kept."""
    return document if isinstance(document, dict) and len(json.dumps(document)) <= MAX_DOCUMENT else None
