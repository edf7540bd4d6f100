# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain unexpected answers: predicates with the likely cure, from what was read."""

from __future__ import annotations

import re

from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp.jsonrpc import Answer, Error
from ansible_collections.mcp.server.plugins.module_utils._mcp.protocol import METHOD_NOT_FOUND
from ansible_collections.mcp.server.plugins.module_utils._text import printable

# Statuses by which servers refuse a Host: 400 (Starlette, ASP.NET, Django), 403 (the SDKs of Go, TypeScript and Rust,
# Rails, Vite), 421 (the SDKs of Python and Java, FastMCP).
HOST_REFUSALS = (400, 403, 421)
MAX_SEARCHED = 4096  # characters of an answer
# Both tell of other things too: a 400 of anything that is wrong with a request, a 403 of a missing right.
_REFUSED_HOST = re.compile(
    r"\b(?:invalid|disallowed|forbidden|blocked|unknown|untrusted|bad) (?:http )?host(?:s|names?)?\b|\bdisallowedhost\b"
    r"|\bhost(?:name)?\b.{0,120}?\bnot (?:allowed|permitted|trusted|recogni[sz]ed|valid)\b"
)
# Of a 403 alone. The word by itself may be a part of a name, or mean the client.
_ABOUT_HOST = re.compile(
    r"\bhost header\b|\ballowed hosts\b|\brebinding\b|\bonly (?:\w+ )?localhost\b|\blocalhost only\b"
)


def of_reply(reply: Reply) -> str:
    """Return the predicate for an HTTP answer without the expected document or message."""
    status, text = reply.status, quote(reply.text)
    if 300 <= status < 400:
        return (
            f"was redirected ({status}) to {quote(reply.location)}; redirects are not followed, "
            "set the final path or URL in endpoint"
        )
    if status < 300:
        if reply.content_type == "text/html":
            return "returned HTML: check that endpoint names an MCP server and the right path"
        return f"returned {status} without JSON ({text})"
    if refuses_host(reply):
        return (
            f"returned {status} ({text}): the server does not accept this Host; "
            "set endpoint.host to one that it accepts, or allow this one in the server's settings (transport_security)"
        )
    if status == 401:
        return "returned 401: the server requires a valid token; name one in auth"
    if status == 404:
        return "returned 404: the server has nothing at this path"
    return f"returned {status} ({text})"


def refuses_host(reply: Reply) -> bool:
    """Return whether an answer refuses the Host header. Pure."""
    if reply.status == 421:
        return True
    if reply.status not in HOST_REFUSALS or reply.authenticate:  # which asks for other credentials
        return False
    said = reply.text[:MAX_SEARCHED].lower().replace("_", " ")
    return bool(_REFUSED_HOST.search(said) or (reply.status == 403 and _ABOUT_HOST.search(said)))


def of_lost_session(reply: Reply, answer: Answer | None) -> str | None:
    """Return the predicate for the answer to a request in a session that the server does not know, or None.

    The specification has 404 for it, some SDKs 400.
    """
    if isinstance(answer, Error) and answer.code == METHOD_NOT_FOUND:
        return None
    if reply.status != 404 and not (reply.status == 400 and "session" in reply.text.lower()):
        return None
    said = of_error(answer) if isinstance(answer, Error) else f"returned {reply.status} ({quote(reply.text)})"
    return (
        f"{said}: it does not know the session, so another pod may have answered; "
        "send all requests of a session to one pod (docs/sessions.md)"
    )


def of_exchange(reply: Reply, answer: Answer | None) -> str:
    """Return the predicate for an answer without a result."""
    # A guard in front of a server may answer in JSON-RPC too; its status tells more.
    return of_error(answer) if isinstance(answer, Error) and reply.status not in (401, 403, 421) else of_reply(reply)


def of_error(error: Error) -> str:
    return f"failed with error {error.code} ({quote(error.message)})"


def quote(text: str) -> str:
    """Return the beginning of a text that the server chose, fit for a message."""
    return printable(text, 120) or "nothing more"
