# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ways to greet an MCP server, and which of them a server's answers call for.

modern: server/discover, every request carries its own context. legacy:
initialize and notifications/initialized, perhaps with a session.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.fault import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp.http import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp.jsonrpc import Answer, Error
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import SESSION, Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

VERSION = "MCP-Protocol-Version"


class Modern:
    """Requests to a modern server."""

    revision = protocol.revisions(protocol.MODERN)[-1]

    def __init__(self, http: Streamable) -> None:
        self._http = http

    def discover(self, bound: Deadline) -> dict[str, t.Any] | None:
        """What the server offers, or None when it is a legacy one."""
        return offer_in(*self._exchange("server/discover", {}, bound))

    def ask(self, method: str, params: dict[str, t.Any], bound: Deadline) -> dict[str, t.Any]:
        return result_in(*self._exchange(method, params, bound))

    def _exchange(self, method: str, params: dict[str, t.Any], bound: Deadline) -> tuple[Reply, Answer | None]:
        meta = {"protocolVersion": self.revision, "clientInfo": protocol.CLIENT, "clientCapabilities": {}}
        params = {**params, "_meta": {protocol.META + key: value for key, value in meta.items()}}
        return self._http.ask(method, params, {VERSION: self.revision, "Mcp-Method": method}, bound)


class Legacy:
    """Requests to a legacy server, in the session that it gave us, if it did."""

    def __init__(self, http: Streamable) -> None:
        self._http = http
        self._headers: dict[str, str] = {}
        self.session_mode = "stateless"
        self.revision = protocol.revisions(protocol.LEGACY)[-1]

    def initialize(self, bound: Deadline, *, optional: bool = False) -> dict[str, t.Any] | None:
        """What the server offers, or None when it has no legacy side and that is optional."""
        params = {"protocolVersion": self.revision, "capabilities": {}, "clientInfo": protocol.CLIENT}
        reply, answer = self._http.ask("initialize", params, {}, bound)
        if optional and declined(reply, answer):
            return None
        offer = result_in(reply, answer)
        revision = offer.get("protocolVersion")
        if revision not in protocol.revisions(protocol.LEGACY):
            raise Fault(f"is answered with protocol revision {str(revision)[:40]}, which is no legacy one")
        self.revision = revision
        self._headers = {VERSION: self.revision}
        if self._http.sessions:
            self.session_mode = "stateful"
            self._headers[SESSION] = self._http.sessions[-1]
        return offer

    def initialized(self, bound: Deadline) -> None:
        """Servers may offer some of their tools only after this."""
        reply = self._http.tell("notifications/initialized", self._headers, bound)
        if reply.status >= 300:
            raise Fault(reasons.of_reply(reply))

    def ask(self, method: str, params: dict[str, t.Any], bound: Deadline) -> dict[str, t.Any]:
        return result_in(*self._http.ask(method, params, self._headers, bound))


def offer_in(reply: Reply, answer: Answer | None) -> dict[str, t.Any] | None:
    """What a modern server answers to server/discover, or None from a legacy server; raises Fault when it is neither."""
    if isinstance(answer, dict) and reply.status < 300:
        modern = _common(answer.get("supportedVersions"), protocol.MODERN)
        return answer if modern else None
    if isinstance(answer, Error):
        if answer.code in protocol.REQUEST_REFUSED:
            name = protocol.REQUEST_REFUSED[answer.code]
            raise Fault(f"{reasons.of_error(answer)}, {name}: either a proxy changes our headers, or this is a fault of mcp_health")
        if answer.code == protocol.UNSUPPORTED_VERSION:
            theirs = answer.data.get("supported") if isinstance(answer.data, dict) else None
            if theirs and not _common(theirs, protocol.LEGACY):
                raise Fault(f"is refused: the server's protocol revisions ({str(theirs)[:80]}) are all unknown to mcp_health")
            return None
    if declined(reply, answer):
        return None
    raise Fault(reasons.of_exchange(reply, answer))


def declined(reply: Reply, answer: Answer | None) -> bool:
    """Whether a server does not know the greeting, rather than being unwell, guarded or no MCP server."""
    if isinstance(answer, Error):
        return reply.status == 200 or reply.status in protocol.OTHER_ERA_STATUSES
    return answer is None and reply.status in protocol.OTHER_ERA_STATUSES


def result_in(reply: Reply, answer: Answer | None) -> dict[str, t.Any]:
    if isinstance(answer, dict) and reply.status < 300:
        return answer
    raise Fault(reasons.of_exchange(reply, answer))


def _common(theirs: t.Any, era: str) -> list[str]:
    return [revision for revision in protocol.revisions(era) if isinstance(theirs, list) and revision in theirs]
