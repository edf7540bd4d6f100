# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of MCP: the option that names them, and where clients of a guarded server get a token."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import jsonrpc, reasons
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

# Documented in doc_fragments/probe.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        **credentials.places("token", "token"),
        "username": {"type": "str"},
        **credentials.places("password", "password"),
        "headers": {"type": "raw"},  # Ansible would make keys of a secret in a text, and show these
        "expect_401": {"type": "bool", "default": False},
    },
    "mutually_exclusive": [
        (*credentials.SOURCES, "username"),
        ("password_file", "password_env", "password_secret"),
    ],
    "required_by": {f"password_{place}": ["username"] for place in credentials.PLACES},
}

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def authorization_servers(connection: Connection, reply: Reply, mcp_path: str, bound: Deadline) -> list[str]:
    """Return the URLs of the authorization servers of a server that returned 401 (RFC 9728).

    Only this server is asked, whatever host the metadata's address names: the probe goes nowhere else. Raise Fault
    when a client could not find out.
    """
    scheme, _space, parameters = reply.authenticate.partition(" ")
    named = re.search(r'\bresource_metadata\s*=\s*"([^"]*)"', parameters) if scheme.lower() == "bearer" else None
    paths = [urlsplit(named[1]).path] if named else [WELL_KNOWN + mcp_path.rstrip("/"), WELL_KNOWN]
    problem = ""
    for path in paths:
        if not re.fullmatch(r"/[\x21-\x7e]*", path):
            raise Fault("returned 401 with an invalid address of its resource metadata")
        found = connection.fetch("GET", path, bound, {"Accept": "application/json"})
        try:
            document = jsonrpc.parse(found.text)
        except ValueError:
            document = None
        servers = document.get("authorization_servers") if found.status == 200 and isinstance(document, dict) else None
        if isinstance(servers, list) and servers and all(isinstance(server, str) for server in servers):
            return servers
        problem = reasons.of_reply(found) if found.status != 200 else "names no authorization_servers"
    raise Fault(
        f"returned 401, but its resource metadata ({paths[-1]}) {problem}: clients cannot find out where to get a token"
    )
