# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health document: what a server says about itself beside MCP, which defines no such thing."""

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


def fetch_health(connection: Connection, path: str, bound: Deadline) -> dict[str, t.Any]:
    """The document. Raises Failure when the server gives none; one that came with an error status is its C(health)."""
    with subject(f"GET {path}"):
        reply = connection.fetch("GET", path, bound, {"Accept": "application/json"})
        try:
            document = jsonrpc.parse(reply.text)
        except ValueError:
            raise Fault(reasons.of_reply(reply)) from None
        if not isinstance(document, dict):
            raise Fault("is answered with JSON that is not an object")
        if reply.status != 200:
            raise Fault(reasons.of_reply(reply), health=document)
        return document


@dataclass(frozen=True)
class Assertions:
    """What a health document has to satisfy: each expression gives true, and the version is the expected one."""

    expressions: t.Sequence[str] = ()
    version: str | None = None

    def any(self) -> bool:
        return bool(self.expressions) or self.version is not None

    def complaint(self, document: dict[str, t.Any]) -> str | None:
        """What does not hold."""
        complaint = jmes.complaint(self.expressions, document)
        if complaint:
            return complaint
        if self.version is not None and not _versions.is_reported(document.get("version"), self.version):
            return f"says version {printable(str(document.get('version')), 40)}, expected is {self.version}"
        return None
