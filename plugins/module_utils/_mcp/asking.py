# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoint that a task asks for shares and errors, by its options."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering


def endpoint_of(params: dict[str, t.Any]) -> endpoint.Endpoint:
    """Return the public endpoint for requests that measure shares and errors. Raise Failure.

    Those to a health path carry no credentials; MCP requests carry those of the option auth. A server that is only
    checked for refusing (auth.expect_401) is asked for the public document that names its authorization servers.
    """
    answering, auth = Answering.from_params(params), params.get("auth")
    guarded = bool(auth and auth.get("expect_401"))
    if answering.health_path or guarded or not credentials.any_named(auth):
        return replace(endpoint.public(params["endpoint"], answering=answering), guarded=guarded)
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._mcp.targets import credentials_of

    public = endpoint.public(params["endpoint"], auth, answering)
    return replace(public, headers=credentials_of(params).headers)
