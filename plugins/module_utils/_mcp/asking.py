# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoint that a task asks for shares and errors, by its options."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering


class Later(Mapping[str, str]):
    """Headers that are read when first needed, in the thread that asks: an emergency does not wait for them."""

    def __init__(self, read: t.Callable[[], t.Mapping[str, str]]) -> None:
        self._read = functools.cache(read)

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def endpoint_of(params: dict[str, t.Any]) -> endpoint.Endpoint:
    """Return the public endpoint for requests that measure shares and errors. Raise Failure.

    Those to a health path carry no credentials; MCP requests carry those of the option auth. A server that is only
    checked for refusing (auth.expect_401) is asked for the public document that names its authorization servers.
    """
    answering, auth = Answering.from_params(params), params.get("auth")
    guarded = bool(auth and auth.get("expect_401"))
    if answering.health_path or guarded or not credentials.any_named(auth):
        return replace(endpoint.public(params["endpoint"], answering=answering), guarded=guarded)
    public = endpoint.public(params["endpoint"], auth, answering)
    headers = Later(functools.partial(_headers, params))
    if not params.get("rollback"):
        dict(headers)  # so that credentials that are not there are a failure at once
    return replace(public, headers=headers)


def _headers(params: dict[str, t.Any]) -> t.Mapping[str, str]:
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._mcp.targets import credentials_of

    return credentials_of(params).headers
