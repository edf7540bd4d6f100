# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an answer is not the one that was wanted: half sentences with the likely cure, from what was read."""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp.jsonrpc import Answer, Error
from ansible_collections.mcp.server.plugins.module_utils._text import printable


def of_reply(reply: Reply) -> str:
    """An HTTP answer without the document or message that it should carry."""
    status, said = reply.status, start(reply.text)
    if 300 <= status < 400:
        return f"is redirected ({status}) to {start(reply.location)}; redirects are not followed: set the right path or URL in endpoint"
    if status < 300:
        if reply.content_type == "text/html":
            return "is answered with HTML: is this an MCP server, and the path right?"
        return f"is answered {status} without the JSON that was asked for ({said})"
    if status == 421 or (status == 403 and "host" in said.lower()):
        return (
            f"is answered {status} ({said}): the server does not accept this Host; "
            "name one that it accepts in endpoint.host, or allow it in the server's settings (transport_security)"
        )
    if status == 401:
        return "is answered 401: the server asks for credentials"
    if status == 404:
        return "is answered 404: the server has nothing at this path"
    return f"is answered {status} ({said})"


def of_exchange(reply: Reply, answer: Answer | None) -> str:
    """An answer without the result that it should carry."""
    # Guards in front of a server like to answer in its language.
    return of_error(answer) if isinstance(answer, Error) and reply.status not in (401, 403, 421) else of_reply(reply)


def of_error(error: Error) -> str:
    return f"is refused with error {error.code} ({start(error.message)})"


def start(text: str) -> str:
    """What fits into a sentence of a text that the server chose."""
    return printable(text, 120) or "nothing more"
