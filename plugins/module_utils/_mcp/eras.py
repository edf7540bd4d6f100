# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the two eras of MCP, and how to tell a server's era from its answers.

modern: server/discover; every request carries its own context. legacy: initialize and notifications/initialized,
perhaps with a session, over Streamable HTTP or over HTTP+SSE.
"""

from __future__ import annotations

import base64
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Permanent, Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol, reasons, shapes
from ansible_collections.mcp.server.plugins.module_utils._mcp.http_sse import HttpSse
from ansible_collections.mcp.server.plugins.module_utils._mcp.jsonrpc import Answer, Error
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._text import printable

VERSION = "MCP-Protocol-Version"


# Sends messages, and knows the legacy session (session_mode, session_headers).
Transport: t.TypeAlias = Streamable | HttpSse


@dataclass(frozen=True)
class Declined:
    """What came from a server that does not know the handshake of this era, though it may be healthy."""

    reply: Reply
    answer: Answer | None  # None when it is not JSON-RPC
    fault: Fault | None = None  # why there is no reply

    @property
    def is_clear(self) -> bool:
        """Return whether servers of the other era answer so. Others may be unhealthy, guarded or not an MCP server."""
        return self.fault is None and (isinstance(self.answer, dict) or declined(self.reply, self.answer))

    @property
    def reason(self) -> str:
        if self.fault is not None:
            return self.fault.msg
        if isinstance(self.answer, dict) and self.reply.status < 300:
            versions = str(self.answer.get("supportedVersions"))[:80]
            return f"returned no modern protocol revision ({versions})"
        return reasons.of_exchange(self.reply, self.answer)


@dataclass(frozen=True)
class Offer:
    """What a server reports about itself in the handshake."""

    server_info: dict[str, t.Any]
    capabilities: dict[str, t.Any]
    instructions: str | None
    versions: tuple[str, ...]  # protocol revisions that it lists as supported


@dataclass
class Modern:
    transport: Transport
    revision: str
    offer: Offer = field(default_factory=lambda: Offer({}, {}, None, ()))
    era = protocol.MODERN

    @classmethod
    def discover(cls, transport: Transport, bound: Deadline) -> Modern | Declined:
        """Return a client after server/discover, or Declined when this may be a legacy server. Raise Fault."""
        client = cls(transport, protocol.revisions(protocol.MODERN)[-1])
        try:
            reply, answer = client._exchange("server/discover", {}, bound)
            other = other_revision(answer, client.revision)
            if other:
                client.revision = other
                reply, answer = client._exchange("server/discover", {}, bound)
        except Permanent:
            raise
        except Fault as fault:  # silence, or an answer that is not JSON-RPC
            return Declined(Reply(0), None, fault)
        if not is_modern(reply, answer):
            return Declined(reply, answer)
        result = t.cast("dict[str, t.Any]", answer)
        shapes.refuse(shapes.problem(result, shapes.DISCOVERED, "it"))
        client.offer = _offer(
            result, _object(result.get("_meta")).get(protocol.META + "serverInfo"), result["supportedVersions"]
        )
        return client

    def request(
        self, method: str, params: dict[str, t.Any], bound: Deadline, headers: dict[str, str] | None = None
    ) -> dict[str, t.Any]:
        return result_in(*self._exchange(method, params, bound, headers))

    def _exchange(
        self, method: str, params: dict[str, t.Any], bound: Deadline, headers: dict[str, str] | None = None
    ) -> tuple[Reply, Answer | None]:
        return self.transport.request(method, *self.prepared(method, params, headers), bound)

    def prepared(
        self, method: str, params: dict[str, t.Any], headers: dict[str, str] | None = None
    ) -> tuple[dict[str, t.Any], dict[str, str]]:
        """Return the parameters and headers with which this client sends a request."""
        meta = {"protocolVersion": self.revision, "clientInfo": protocol.CLIENT, "clientCapabilities": {}}
        headers = {VERSION: self.revision, "Mcp-Method": method, **(headers or {})}
        if method in protocol.NAMED_BY:
            headers["Mcp-Name"] = header_value(params[protocol.NAMED_BY[method]])
        return {**params, "_meta": {protocol.META + key: value for key, value in meta.items()}}, headers


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
        """Return a client, at this revision or another that the server prefers, or Declined. Raise Fault."""
        params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": protocol.CLIENT}
        reply, answer = transport.request("initialize", params, {}, bound)
        if declined(reply, answer):
            return Declined(reply, answer)
        result = result_in(reply, answer)
        agreed = result.get("protocolVersion")
        if not isinstance(agreed, str) or agreed not in protocol.revisions(protocol.LEGACY):
            raise Fault(f"returned protocol revision {printable(str(agreed), 40)}, which is not a legacy one")
        shapes.refuse(shapes.problem(result, shapes.OFFER, "it"))
        return cls(transport, agreed, _offer(result, result.get("serverInfo"), [agreed]))

    def initialized(self, bound: Deadline) -> None:
        """Complete the handshake; some servers offer all of their tools only after this. Raise Fault."""
        reply = self.transport.notify("notifications/initialized", self._headers, bound)
        if reply.status >= 300:
            self._check_session(reply)
            raise Fault(reasons.of_reply(reply))

    def request(
        self, method: str, params: dict[str, t.Any], bound: Deadline, headers: dict[str, str] | None = None
    ) -> dict[str, t.Any]:
        reply, answer = self.transport.request(method, *self.prepared(method, params, headers), bound)
        self._check_session(reply, answer)
        return result_in(reply, answer)

    def prepared(
        self, method: str, params: dict[str, t.Any], headers: dict[str, str] | None = None
    ) -> tuple[dict[str, t.Any], dict[str, str]]:
        """Return the parameters and headers with which this client sends a request: none of its own (modern only)."""
        return params, self._headers

    def _check_session(self, reply: Reply, answer: Answer | None = None) -> None:
        if self.transport.session_headers and (lost := reasons.of_lost_session(reply, answer)):
            raise Fault(lost)

    @property
    def _headers(self) -> dict[str, str]:
        return {VERSION: self.revision, **self.transport.session_headers}


# A server after the handshake, with its era, revision and offer. Its request() returns a result, or raises Fault.
Client: t.TypeAlias = Modern | Legacy


def is_modern(reply: Reply, answer: Answer | None) -> bool:
    """Return whether this answer to server/discover is a modern server's.

    Raise Fault when it is not a legacy server's either: it has no error of a modern server, and is a redirect or an
    outage. These are the rules of the specification's page on versioning, which the official clients follow.
    """
    if isinstance(answer, dict) and reply.status < 300:
        # A server may know the request and speak legacy revisions only (the Go SDK with sessions).
        return bool(_common(answer.get("supportedVersions"), protocol.MODERN))
    if isinstance(answer, Error):
        if answer.code in protocol.REQUEST_REFUSED:
            name = protocol.REQUEST_REFUSED[answer.code]
            raise Fault(
                f"{reasons.of_error(answer)}, {name}: check whether a proxy changes headers; "
                "otherwise this is a bug in mcp_health"
            )
        if answer.code == protocol.UNSUPPORTED_VERSION:
            supported = _supported(answer)
            if supported and not _common(supported, protocol.LEGACY):
                raise Fault(f"failed: mcp_health knows none of the server's protocol revisions ({str(supported)[:80]})")
            return False
    # A refused Host is refused for both eras, and some servers keep a session of each such request.
    if (reply.status < 300 or 400 <= reply.status < 500) and not reasons.refuses_host(reply):
        return False
    raise Fault(reasons.of_exchange(reply, answer))


def other_revision(answer: Answer | None, refused: str) -> str | None:
    """Return the newest modern revision of a server that refused one, to try once, or None."""
    if isinstance(answer, Error) and answer.code == protocol.UNSUPPORTED_VERSION:
        common = [revision for revision in _common(_supported(answer), protocol.MODERN) if revision != refused]
        return common[-1] if common else None
    return None


def declined(reply: Reply, answer: Answer | None) -> bool:
    """Return whether a server does not know this handshake. Others are unhealthy, guarded or not an MCP server."""
    if isinstance(answer, Error):
        return reply.status == 200 or reply.status in protocol.OTHER_ERA_STATUSES
    return answer is None and reply.status in protocol.OTHER_ERA_STATUSES


def result_in(reply: Reply, answer: Answer | None) -> dict[str, t.Any]:
    """Return the result. Raise Fault, with the JSON-RPC error's C(code) as evidence, when there is none."""
    if isinstance(answer, dict) and reply.status < 300:
        return answer
    raise Fault(reasons.of_exchange(reply, answer), code=answer.code if isinstance(answer, Error) else None)


def header_value(text: str) -> str:
    """Return a text as a header's value (SEP-2243): as it is, or in base64 when HTTP would change it."""
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


def _common(supported: t.Any, era: str) -> list[str]:
    return [revision for revision in protocol.revisions(era) if isinstance(supported, list) and revision in supported]


def _object(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}
