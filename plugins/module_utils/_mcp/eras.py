# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ways to greet an MCP server, and which of them a server's answers call for.

modern: server/discover, every request carries its own context. legacy:
initialize and notifications/initialized, perhaps with a session, over
Streamable HTTP or over HTTP+SSE.
"""

from __future__ import annotations

import base64
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.http_sse import HttpSse
from ansible_collections.mcp.server.plugins.module_utils._mcp.jsonrpc import Answer, Error
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._text import printable

VERSION = "MCP-Protocol-Version"


# What carries messages, and how the server keeps what belongs to a legacy client (session_mode, session_headers).
Transport: t.TypeAlias = Streamable | HttpSse


@dataclass(frozen=True)
class Declined:
    """A greeting of the other era: the server is not unwell, it does not know it. reply: for the reason why."""

    reply: Reply
    answer: Answer | None

    @property
    def reason(self) -> str:
        if isinstance(self.answer, dict):
            return f"is answered with protocol revisions that are no modern ones ({str(self.answer.get('supportedVersions'))[:80]})"
        return reasons.of_exchange(self.reply, self.answer)


@dataclass(frozen=True)
class Offer:
    """What a server says about itself when it is greeted. versions: the protocol revisions that it says it speaks."""

    server_info: dict[str, t.Any]
    capabilities: dict[str, t.Any]
    instructions: str | None
    versions: tuple[str, ...]


@dataclass
class Modern:
    transport: Transport
    revision: str
    offer: Offer = field(default_factory=lambda: Offer({}, {}, None, ()))
    era = protocol.MODERN

    @classmethod
    def discover(cls, transport: Transport, bound: Deadline) -> Modern | Declined:
        """A modern server, or what a legacy one answers instead. Raises Fault when it is neither."""
        client = cls(transport, protocol.revisions(protocol.MODERN)[-1])
        reply, answer = client._exchange("server/discover", {}, bound)
        other = other_revision(answer, client.revision)
        if other:
            client.revision = other
            reply, answer = client._exchange("server/discover", {}, bound)
        if not is_modern(reply, answer):
            return Declined(reply, answer)
        result = t.cast("dict[str, t.Any]", answer)
        client.offer = _offer(
            result, _object(result.get("_meta")).get(protocol.META + "serverInfo"), result["supportedVersions"]
        )
        return client

    def ask(
        self, method: str, params: dict[str, t.Any], bound: Deadline, headers: dict[str, str] | None = None
    ) -> dict[str, t.Any]:
        return result_in(*self._exchange(method, params, bound, headers))

    def _exchange(
        self, method: str, params: dict[str, t.Any], bound: Deadline, headers: dict[str, str] | None = None
    ) -> tuple[Reply, Answer | None]:
        meta = {"protocolVersion": self.revision, "clientInfo": protocol.CLIENT, "clientCapabilities": {}}
        headers = {VERSION: self.revision, "Mcp-Method": method, **(headers or {})}
        if method in protocol.NAMED_BY:
            headers["Mcp-Name"] = header_value(params[protocol.NAMED_BY[method]])
        params = {**params, "_meta": {protocol.META + key: value for key, value in meta.items()}}
        return self.transport.ask(method, params, headers, bound)


@dataclass
class Legacy:
    transport: Transport
    revision: str
    offer: Offer = field(default_factory=lambda: Offer({}, {}, None, ()))
    era = protocol.LEGACY

    @classmethod
    def initialize(
        cls, transport: Transport, bound: Deadline, revision: str = protocol.revisions(protocol.LEGACY)[-1]
    ) -> Legacy | Declined:
        """A legacy server, at this revision or another that it prefers, or what one of another kind answers. Raises Fault."""
        params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": protocol.CLIENT}
        reply, answer = transport.ask("initialize", params, {}, bound)
        if declined(reply, answer):
            return Declined(reply, answer)
        result = result_in(reply, answer)
        revision = result.get("protocolVersion")
        if revision not in protocol.revisions(protocol.LEGACY):
            raise Fault(f"is answered with protocol revision {printable(str(revision), 40)}, which is no legacy one")
        return cls(transport, revision, _offer(result, result.get("serverInfo"), [revision]))

    def initialized(self, bound: Deadline) -> None:
        """Servers may offer some of their tools only after this."""
        reply = self.transport.tell("notifications/initialized", self._headers, bound)
        if reply.status >= 300:
            raise Fault(reasons.of_reply(reply))

    def ask(
        self, method: str, params: dict[str, t.Any], bound: Deadline, headers: dict[str, str] | None = None
    ) -> dict[str, t.Any]:
        return result_in(*self.transport.ask(method, params, self._headers, bound))

    @property
    def _headers(self) -> dict[str, str]:
        return {VERSION: self.revision, **self.transport.session_headers}


# A greeted server: era, revision and offer say what it is; ask(method, params, bound[, headers]) gives a result or raises Fault.
Client: t.TypeAlias = Modern | Legacy


def is_modern(reply: Reply, answer: Answer | None) -> bool:
    """Whether this is what a modern server answers to server/discover, or else what a legacy one does; raises Fault when it is neither.

    The rules of the specification's page on versioning, which the official clients follow.
    """
    if isinstance(answer, dict) and reply.status < 300:
        # A server may know the request and speak legacy revisions only (the Go SDK with sessions).
        return bool(_common(answer.get("supportedVersions"), protocol.MODERN))
    if isinstance(answer, Error):
        if answer.code in protocol.REQUEST_REFUSED:
            name = protocol.REQUEST_REFUSED[answer.code]
            raise Fault(
                f"{reasons.of_error(answer)}, {name}: either a proxy changes our headers, or this is a fault of mcp_health"
            )
        if answer.code == protocol.UNSUPPORTED_VERSION:
            theirs = _supported(answer)
            if theirs and not _common(theirs, protocol.LEGACY):
                raise Fault(
                    f"is refused: the server's protocol revisions ({str(theirs)[:80]}) are all unknown to mcp_health"
                )
            return False
    if declined(reply, answer):
        return False
    raise Fault(reasons.of_exchange(reply, answer))


def other_revision(answer: Answer | None, ours: str) -> str | None:
    """The newest modern revision that we have in common with a server that refused ours, to try once."""
    if isinstance(answer, Error) and answer.code == protocol.UNSUPPORTED_VERSION:
        common = [revision for revision in _common(_supported(answer), protocol.MODERN) if revision != ours]
        return common[-1] if common else None
    return None


def declined(reply: Reply, answer: Answer | None) -> bool:
    """Whether a server does not know the greeting, rather than being unwell, guarded or no MCP server."""
    if isinstance(answer, Error):
        return reply.status == 200 or reply.status in protocol.OTHER_ERA_STATUSES
    return answer is None and reply.status in protocol.OTHER_ERA_STATUSES


def result_in(reply: Reply, answer: Answer | None) -> dict[str, t.Any]:
    if isinstance(answer, dict) and reply.status < 300:
        return answer
    raise Fault(reasons.of_exchange(reply, answer), code=answer.code if isinstance(answer, Error) else None)


def header_value(text: str) -> str:
    """A text as the specification puts it into a header (SEP-2243): as it is, or in base64 when it would not survive that."""
    if re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", text) and not re.fullmatch(r"=\?base64\?.*\?=", text):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def _offer(result: dict[str, t.Any], info: t.Any, versions: t.Sequence[t.Any]) -> Offer:
    instructions = result.get("instructions")
    return Offer(
        server_info=_object(info),
        capabilities=_object(result.get("capabilities")),
        instructions=instructions if isinstance(instructions, str) else None,
        versions=tuple(version for version in versions if isinstance(version, str)),
    )


def _supported(error: Error) -> t.Any:
    return error.data.get("supported") if isinstance(error.data, dict) else None


def _common(theirs: t.Any, era: str) -> list[str]:
    return [revision for revision in protocol.revisions(era) if isinstance(theirs, list) and revision in theirs]


def _object(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}
