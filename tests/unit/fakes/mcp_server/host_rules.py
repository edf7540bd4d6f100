# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Hosts servers accept, and how they refuse others: their rules, written anew from their sources."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import Handler, Script

Answer = tuple[int, str, str]  # status, body, content type
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Rule:
    """accepts: whether a Host is accepted over loopback. refusal: the answer to another. guards_all: every path."""

    accepts: t.Callable[[str], bool]
    refusal: t.Callable[[str], Answer]
    guards_all: bool = False


def _hostname(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def _is_loopback(host: str) -> bool:
    name = _hostname(host)
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _json_rpc(message: str) -> str:
    return json.dumps({"jsonrpc": "2.0", "error": {"code": -32000, "message": message}, "id": None})


TEXT, JSON, HTML = "text/plain", "application/json", "text/html"

# go-sdk, mcp/streamable.go: where the local address is loopback, a Host that is not is 403, by http.Error(). The port
# does not matter. Only its handler has the rule, not the rest of the server.
GO = Rule(_is_loopback, lambda host: (403, f'Forbidden: invalid Host header "{host}"\n', TEXT))


def python(*allowed: str) -> Rule:
    """python-sdk, mcp/server/transport_security.py: equal, or any port for "name:*"."""

    def accepts(host: str) -> bool:
        return any(host == one or (one.endswith(":*") and host.startswith(one[:-1])) for one in allowed)

    return Rule(accepts, lambda _host: (421, "Invalid Host header", TEXT))


PYTHON = python("127.0.0.1:*", "localhost:*", "[::1]:*")  # as lowlevel/server.py sets it for a server on loopback

# typescript-sdk, server/middleware/hostHeaderValidation.ts: by name, without the port.
TYPESCRIPT = Rule(
    lambda host: _hostname(host) in LOOPBACK, lambda host: (403, _json_rpc(f"Invalid Host: {_hostname(host)}"), JSON)
)


def typescript_exact(*allowed: str) -> Rule:
    """typescript-sdk 1, server/streamableHttp.ts with allowedHosts: equal to the whole header."""
    return Rule(lambda host: host in allowed, lambda host: (403, _json_rpc(f"Invalid Host header: {host}"), JSON))


# rust-sdk, transport/streamable_http_server/tower.rs: by name, without a port in the list.
RUST = Rule(
    lambda host: _hostname(host) in LOOPBACK, lambda _host: (403, "Forbidden: Host header is not allowed", TEXT)
)
# fastmcp 3.4.3, HostOriginGuardMiddleware: around the whole application.
FASTMCP = Rule(
    lambda host: _hostname(host) in LOOPBACK, lambda _host: (421, "Misdirected Request", TEXT), guards_all=True
)
# starlette, middleware/trustedhost.py: around the whole application, without the port.
STARLETTE = Rule(
    lambda host: _hostname(host) in LOOPBACK, lambda _host: (400, "Invalid host header", TEXT), guards_all=True
)

RULES = {
    "go": GO,
    "python": PYTHON,
    "typescript": TYPESCRIPT,
    "typescript with a list": typescript_exact("127.0.0.1:8080"),
    "rust": RUST,
    "fastmcp": FASTMCP,
    "starlette": STARLETTE,
}


def guarded(scripts: t.Mapping[str, Script], rule: Rule) -> dict[str, Script]:
    """Return the scripts of a server with this rule; without guards_all, its health document is for everybody."""

    def behind(script: Script) -> Script:
        def play(handler: Handler, message: t.Any) -> None:
            host = handler.headers["Host"]
            if rule.accepts(host) or (handler.path == "/health" and not rule.guards_all):
                script(handler, message)
            else:
                status, body, kind = rule.refusal(host)
                handler.answer(status, body, kind)

        return play

    return {key: behind(script) for key, script in scripts.items()}
