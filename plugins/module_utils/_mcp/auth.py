# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials: where a bearer token comes from, and what a guarded server says to a client that has none."""

from __future__ import annotations

import base64
import binascii
import os
import re
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc, reasons
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

# Documented in doc_fragments/probe.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "token_file": {"type": "path", "no_log": False},
        "token_env": {"type": "str", "no_log": False},
        "token_secret": {
            "type": "dict",
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": "token", "no_log": False},
            },
        },
        "expect_401": {"type": "bool", "default": False},
    },
    "mutually_exclusive": [("token_file", "token_env", "token_secret")],
}

_WELL_KNOWN = "/.well-known/oauth-protected-resource"


def token(
    option: dict[str, t.Any] | None, secret: t.Callable[[str], dict[str, t.Any]], name_of_option: str = "auth"
) -> str | None:
    """The bearer token that the option names, or None. secret: gives the Secret of a name. Raises Failure, which never holds it."""
    if option is None:
        return None
    if option["token_file"]:
        where = f"file {option['token_file']}"
        try:
            found = Path(option["token_file"]).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise Failure(
                f"{name_of_option}.token_file {option['token_file']} cannot be read ({getattr(error, 'strerror', None) or 'no text'})."
            ) from None
    elif option["token_env"]:
        where = f"environment variable {option['token_env']}"
        found = os.environ.get(option["token_env"], "")
    elif option["token_secret"]:
        name, key = option["token_secret"]["name"], option["token_secret"]["key"]
        where = f"key {key} of Secret {name}"
        found = _decoded(secret(name).get("data") or {}, key)
    else:
        return None
    found = found.strip()
    # RFC 6750, 2.1
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", found):
        raise Failure(
            f"No bearer token in {where}: it is {'empty or missing' if not found else 'not what a token may be made of'}."
        )
    return found


def _decoded(data: dict[str, str], key: str) -> str:
    try:
        return base64.b64decode(data.get(key, ""), validate=True).decode()
    except (binascii.Error, UnicodeError):
        return ""


def authorization_servers(connection: Connection, reply: Reply, mcp_path: str, bound: Deadline) -> list[str]:
    """Who gives tokens for a server that answered 401, by its protected resource metadata (RFC 9728).

    Only this server is asked, whatever address the metadata is said to have:
    the probe goes where it was sent. Raises Fault when a client could not find out.
    """
    scheme, _space, parameters = reply.authenticate.partition(" ")
    named = re.search(r'\bresource_metadata\s*=\s*"([^"]*)"', parameters) if scheme.lower() == "bearer" else None
    paths = [urlsplit(named[1]).path] if named else [_WELL_KNOWN + mcp_path.rstrip("/"), _WELL_KNOWN]
    said = ""
    for path in paths:
        if not re.fullmatch(r"/[\x21-\x7e]*", path):
            raise Fault("is answered 401 with an address of its resource metadata that is none")
        found = connection.fetch("GET", path, bound, {"Accept": "application/json"})
        try:
            document = jsonrpc.parse(found.text)
        except ValueError:
            document = None
        servers = document.get("authorization_servers") if found.status == 200 and isinstance(document, dict) else None
        if isinstance(servers, list) and servers and all(isinstance(server, str) for server in servers):
            return servers
        said = reasons.of_reply(found) if found.status != 200 else "names no authorization_servers"
    raise Fault(
        f"is answered 401, but its resource metadata ({paths[-1]}) {said}: clients cannot find out where to get a token"
    )
