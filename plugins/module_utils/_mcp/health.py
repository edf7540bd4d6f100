# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and check the health document of a server. MCP defines none; the server's own path serves it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._errors import Fault, subject
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions as jmes
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc, reasons
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_VERSION = 128  # characters, as of a tag


def fetch_health(connection: Connection, path: str, bound: Deadline) -> dict[str, t.Any]:
    """Return the document. Raise Failure when there is none; a document with an error status is its C(health).

    The failure's C(status) is that of the HTTP answer.
    """
    with subject(f"GET {path}"):
        reply = connection.fetch("GET", path, bound, {"Accept": "application/json"})
        try:
            document = jsonrpc.parse(reply.text)
        except ValueError:
            raise Fault(reasons.of_reply(reply), status=reply.status) from None
        if not isinstance(document, dict):
            raise Fault("returned JSON that is not an object", status=reply.status)
        if reply.status != 200:
            raise Fault(reasons.of_reply(reply), status=reply.status, health=document)
        return document


def version_text(found: t.Any) -> str | None:
    """Return a version that a server reports as text that may be kept and shown, None without one."""
    return None if found is None else printable(str(found), MAX_VERSION)


@dataclass(frozen=True)
class Assertions:
    """The conditions on a health document."""

    expressions: t.Sequence[str] = ()  # JMESPath, each of which must be true
    version: str | None = None  # that the document must report; None for any

    def any(self) -> bool:
        return bool(self.expressions) or self.version is not None

    def problem(self, document: dict[str, t.Any]) -> str | None:
        """Return a predicate about the first condition that does not hold, or None."""
        problem = jmes.problem(self.expressions, document)
        if problem:
            return problem
        reported = version_text(document.get("version"))
        if self.version is not None and not _versions.is_reported(reported, self.version):
            return f"reports version {printable(reported or 'none', 40)}, expected {self.version}"
        return None
